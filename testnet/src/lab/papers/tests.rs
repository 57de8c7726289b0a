use super::*;
use crate::cli::{Cli, Command};
use clap::{Parser, error::ErrorKind};
use simulator::labs::{self, Finding, Value};

fn papers_of(args: &[&str]) -> Result<Papers, clap::Error> {
    match Cli::try_parse_from([&["testnet", "lab"], args].concat())?.command {
        Command::Lab(order) => Ok(order),
        other => panic!("{other:?}"),
    }
}

fn wish(args: &[&str]) -> Wish {
    papers_of(args).unwrap().wish.expect("a lab is named")
}

fn samples(wish: &Wish, threads: u16) -> Vec<Sample> {
    let wish = Wish { threads: Some(threads), ..wish.clone() };
    let experiment = (wish.lab.prepare)(&wish.values).unwrap();
    wish.measure(experiment.as_ref(), &AtomicBool::new(false)).unwrap()
}

#[test]
fn without_a_name_all_are_listed() {
    assert!(papers_of(&[]).unwrap().wish.is_none());
    let order = papers_of(&["--json"]).unwrap();
    assert!(order.wish.is_none() && order.json);
}

#[test]
fn what_is_not_chosen_is_as_usual() {
    for lab in labs::all() {
        let wish = wish(&[lab.name]);
        assert_eq!(wish.values, labs::Values::usual(lab.parameters), "{}", lab.name);
        assert_eq!((wish.trials, wish.seed, wish.threads), (lab.usual, 1, None), "{}", lab.name);
        assert!((lab.prepare)(&wish.values).is_ok(), "{}: its usual values go together", lab.name);
        assert!(lab.parameters.iter().any(|one| one.name == lab.over), "{}", lab.name);
        assert!(!lab.papers.is_empty(), "{}", lab.name);
    }
}

#[test]
fn every_flag_reaches_the_order() {
    let line = "messages --consensus pbft --replicas 31 --trials 7 --seed 9 --threads 3 --json";
    let words: Vec<_> = line.split(' ').collect();
    let order = papers_of(&words).unwrap();
    assert!(order.json);
    let Wish { lab, values, trials, seed, threads, .. } = order.wish.unwrap();
    assert_eq!((lab.name, trials, seed, threads), ("messages", 7, 9, Some(3)));
    assert_eq!((values.word("consensus"), values.whole("replicas")), ("pbft", 31));
}

#[test]
fn what_is_out_of_range_is_a_usage_error_that_names_the_range() {
    for (line, kind) in [
        ("messages --replicas 1", ErrorKind::ValueValidation),
        ("messages --replicas 101", ErrorKind::ValueValidation),
        ("messages --replicas many", ErrorKind::ValueValidation),
        ("messages --consensus coffee", ErrorKind::ValueValidation),
        ("messages --trials 0", ErrorKind::ValueValidation),
        ("messages --trials 1000001", ErrorKind::ValueValidation),
        ("messages --coffee 1", ErrorKind::UnknownArgument),
        ("coffee", ErrorKind::InvalidSubcommand),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let error = papers_of(&words).unwrap_err();
        assert_eq!(error.kind(), kind, "{line}");
        if line.contains("--replicas") {
            assert!(error.to_string().contains("a whole number from 4 to 100"), "{error}");
        }
    }
}

#[test]
fn the_outcome_does_not_depend_on_the_threads() {
    let wish = wish(&["hops", "--trials", "23"]);
    let one = samples(&wish, 1);
    assert!(one.len() > 4, "there is something to spread");
    assert_eq!(one, samples(&wish, 4));
}

#[test]
fn the_command_that_replays_is_read_as_it_was_meant() {
    let wish = wish(&["messages", "--consensus", "pbft", "--trials", "3", "--seed", "5"]);
    let again = wish.again();
    let words: Vec<_> = again.split(' ').skip(2).collect();
    let read = self::wish(&words);
    assert_eq!((read.values, read.trials, read.seed), (wish.values, 3, 5));
}

#[test]
fn the_command_that_replays_a_range_names_its_directory() {
    let wish = wish(&["messages", "--out", "some pages"]);
    assert!(wish.again().ends_with(" --seed 1 --out 'some pages'"), "{}", wish.again());
    let found = [finding(Some(1.0), Some(1.0))];
    let error = verdict(&wish, &found, Some((2, 3))).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("1 of 3 points") && told.contains(&wish.again()), "{told}");
    assert!(verdict(&wish, &found, Some((3, 3))).is_ok() && verdict(&wish, &found, None).is_ok());
}

#[test]
fn a_range_that_does_not_agree_is_told_to_scripts() {
    let wish = wish(&["messages", "--out", "pages"]);
    for (good, agrees) in [(3, true), (2, false)] {
        let line = report::line(&wish, &[], &[finding(Some(1.0), Some(1.0))], Some((good, 3)));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["along"], serde_json::json!({ "agree": good, "points": 3 }));
        assert_eq!(read["agrees"], agrees);
    }
}

/// So many trials would be measured for hours: the directory is looked at first.
#[test]
fn a_directory_that_cannot_be_written_is_noticed_before_anything_is_measured() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let mut wish = wish(&["messages", "--replicas", "100", "--trials", "1000000"]);
    for out in [file.clone(), file.join("below")] {
        wish.out = Some(out);
        let error = papers(&Papers { wish: Some(wish.clone()), json: true }).unwrap_err();
        assert!(matches!(error, PapersError::Write { .. }), "{error}");
    }
    range::make(&wish, home.path()).unwrap();
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn who_stops_it_does_not_wait_for_the_range() {
    let wish = wish(&["messages", "--trials", "1"]);
    let stopped = range::along(&wish, &AtomicBool::new(true));
    assert!(matches!(stopped, Err(PapersError::Interrupted)));
}

fn finding(theory: Option<f64>, measured: Option<f64>) -> Finding {
    Finding { name: "x", about: "a figure", theory, measured, tolerance: 0.5 }
}

#[test]
fn json_has_theory_measured_and_tolerance_by_the_name_of_the_figure() {
    let wish = wish(&["messages"]);
    let words = [("turns", "b a".to_owned())];
    let line = report::line(&wish, &words, &[finding(Some(27.0), Some(27.25))], None);
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(read["lab"], "messages");
    assert_eq!(read["params"], serde_json::json!({ "consensus": "tendermint", "replicas": 7 }));
    assert_eq!((&read["theory"]["x"], &read["measured"]["x"]), (&27.0.into(), &27.25.into()));
    assert_eq!((&read["tolerance"]["x"], &read["agrees"]), (&0.5.into(), &true.into()));
    assert_eq!(read["words"], serde_json::json!({ "turns": "b a" }));
    assert_eq!((&read["seed"], &read["trials"]), (&1.into(), &wish.trials.into()));
}

#[test]
fn nothing_to_compare_is_no_agreement() {
    let wish = wish(&["messages"]);
    for (theory, measured, agrees) in [
        (Some(1.0), Some(1.5), true),
        (Some(1.0), Some(1.6), false),
        (Some(1.0), None, false),
        (None, Some(1.0), false),
        (Some(f64::NAN), Some(1.0), false),
    ] {
        let line = report::line(&wish, &[], &[finding(theory, measured)], None);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["agrees"], agrees, "{theory:?} {measured:?}");
    }
}

#[test]
fn the_figures_of_people_are_short() {
    for (figure, text) in [
        (27.0, "27"),
        (0.0, "0"),
        (0.2, "0.20000"),
        (12.345678, "12.35"),
        (0.000123456, "1.235e-4"),
    ] {
        assert_eq!(report::figure_text(figure), text);
    }
}

#[test]
fn a_wish_for_values_that_do_not_go_together_is_bad_input() {
    let mut wish = wish(&["hops"]);
    wish.values.set("consensus", Value::Word("pow"));
    let order = Papers { wish: Some(wish), json: true };
    assert!(matches!(papers(&order), Err(PapersError::Bad(_))));
}
