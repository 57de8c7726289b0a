//! What is asked, what is found, and that nobody's threads change it.

use super::{report::free, *};
use clap::Parser;
use simulator::{Variant, explore::trial};
use std::fs;

#[derive(Debug, Parser)]
struct Words {
    #[command(flatten)]
    explore: Explore,
}

fn parse(words: &str) -> Result<Explore, clap::Error> {
    let words = ["explore"].into_iter().chain(words.split_whitespace());
    Words::try_parse_from(words).map(|words| words.explore)
}

fn hunt(variant: Variant, threads: usize) -> Hunt {
    Hunt { variant, threads, stop: Box::leak(Box::default()), loud: false, strict: false }
}

/// Broken within a few trials.
const EASY: &str = "T3";

/// How many are enough.
const FEW: u64 = 2_000;

#[test]
fn every_flag_reaches_the_order() {
    let order = parse(
        "--mutant T3 --seeds 5..9 --budget 2m --against a.toml --threads 3 --json --out b.toml \
         --trace c.jsonl",
    )
    .unwrap();
    assert_eq!(order.mutant.as_deref(), Some("T3"));
    assert_eq!((order.seeds, order.threads, order.json), (Some(5..9), Some(3), true));
    assert_eq!(order.budget, Some(Duration::from_secs(120)));
    assert_eq!(order.against, Some(PathBuf::from("a.toml")));
    assert_eq!(order.out, Some(PathBuf::from("b.toml")));
    assert_eq!(order.trace, Some(PathBuf::from("c.jsonl")));
    let order = parse("x.toml --consensus pbft").unwrap();
    assert_eq!((order.file, order.consensus.as_deref()), (Some("x.toml".into()), Some("pbft")));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for words in [
        "--mutant T3 --consensus pbft",
        "x.toml --against y.toml",
        "--seeds 9..5",
        "--budget soon",
        "--threads 0",
        "x.toml y.toml",
    ] {
        assert_eq!(parse(words).unwrap_err().exit_code(), 2, "{words}");
    }
    for (words, expected) in [
        ("", "T1, T2"),
        ("", "or --consensus one of"),
        ("--mutant T99", "there is no mutant called \"T99\"; there are: "),
        ("--consensus tendermit", "no consensus module called \"tendermit\""),
        ("--consensus pbft --against x.toml", "give --mutant what you have repaired"),
        ("no-such-file.toml", "cannot read no-such-file.toml"),
    ] {
        let error = explore(&parse(words).unwrap()).unwrap_err().to_string();
        assert!(error.contains(expected), "{words}\nsays: {error}\nnot: {expected}");
    }
}

#[test]
fn a_mutant_is_known_by_its_name_alone() {
    for words in ["--mutant T3", "--mutant t3", "--consensus tendermint:T3"] {
        let (variant, base) = parse(words).unwrap().base().unwrap();
        assert_eq!(variant.to_string(), "tendermint:T3");
        assert_eq!(base, general(&variant));
    }
}

#[test]
fn a_file_is_about_one_variant() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    let base = |consensus: &str, flags: &str| {
        fs::write(&path, format!("name = \"x\"\nconsensus = {consensus}\n")).unwrap();
        parse(&format!("{} {flags}", path.display())).unwrap().base()
    };
    let named = |consensus, flags| base(consensus, flags).unwrap().0.to_string();
    assert_eq!(named("\"pbft\"", ""), "pbft");
    assert_eq!(named("[\"pow\", \"pbft\"]", "--consensus pbft"), "pbft");
    assert_eq!(named("[\"tendermint:T3\", \"tendermint\"]", ""), "tendermint:T3");
    assert_eq!(named("[\"tendermint\"]", "--mutant T3"), "tendermint:T3");
    let error = base("[\"pow\", \"pbft\"]", "").unwrap_err().to_string();
    assert!(error.contains("is about pow, pbft: give"), "{error}");
    let script = "\"tendermint\"\nbyzantine = [{ replica = 3, lie = \"double-vote\" }]";
    let error = base(script, "--consensus pow").unwrap_err().to_string();
    assert!(error.contains("is no scenario for pow") && error.contains("double-vote"), "{error}");
}

#[test]
fn the_lowest_trial_is_found_on_any_number_of_threads() {
    let variant = Variant::mutant(EASY).unwrap();
    let base = general(&variant);
    let found = |threads| {
        let hunt = hunt(variant, threads);
        let search = hunt.search(&base, 0..FEW, None);
        let (trial, finding) = search.found.expect("it is within these");
        (search.tried, trial.number, hunt.shrink(trial, finding))
    };
    let (tried, number, one) = found(1);
    assert_eq!(tried, number + 1);
    assert!((0..number).all(|number| {
        let each = trial(&base, number).scenario;
        hunt(variant, 1).attempt(&each).unwrap().is_none()
    }));
    for threads in [2, 5] {
        let (again_tried, again, other) = found(threads);
        assert_eq!((again_tried, again), (tried, number));
        assert_eq!(other.scenario, one.scenario, "{threads} threads");
        assert_eq!((other.finding, other.story), (one.finding.clone(), one.story.clone()));
    }
    assert!(one.scenario.faults() <= one.before);
    assert!(!one.story.sentences.is_empty());
}

#[test]
fn sound_modules_survive_and_all_is_tried() {
    for module in NAMES {
        let variant = Variant::sound(module).unwrap();
        let search = hunt(variant, 2).search(&general(&variant), 0..12, None);
        assert_eq!((search.tried, search.found.is_none()), (12, true), "{module}");
        assert!(!search.interrupted && search.panic.is_none());
    }
}

#[test]
fn time_and_people_end_a_search() {
    let variant = Variant::mutant(EASY).unwrap();
    let hunt = hunt(variant, 2);
    let over = hunt.search(&general(&variant), 0..u64::MAX, Some(Duration::ZERO));
    assert_eq!((over.tried, over.found.is_none(), over.interrupted), (0, true, false));
    hunt.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let stopped = hunt.search(&general(&variant), 0..u64::MAX, None);
    assert_eq!((stopped.tried, stopped.found.is_none(), stopped.interrupted), (0, true, true));
}

#[test]
fn a_repair_is_tried_on_what_broke() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    let mutant = hunt(Variant::mutant(EASY).unwrap(), 2);
    let base = general(&mutant.variant);
    let (trial, finding) = mutant.search(&base, 0..FEW, None).found.unwrap();
    fs::write(&path, mutant.shrink(trial, finding).scenario.to_toml("")).unwrap();
    let order = parse("--json").unwrap();
    assert!(still_broken(&order, &mutant, &path).unwrap().is_some());
    // The best repair there is.
    let sound = hunt(Variant::sound(mutant.variant.module).unwrap(), 2);
    assert_eq!(still_broken(&order, &sound, &path).unwrap(), None);
}

#[test]
fn no_other_file_is_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let variant = Variant::mutant("T3").unwrap();
    let first = free(directory.path(), variant, 7, "one");
    assert_eq!(first, place("found-T3-7.toml"));
    fs::write(&first, "one").unwrap();
    assert_eq!(free(directory.path(), variant, 7, "one"), first, "it says the same");
    assert_eq!(free(directory.path(), variant, 7, "other"), place("found-T3-7-2.toml"));
    let sound = Variant::sound("pbft").unwrap();
    assert_eq!(free(directory.path(), sound, 7, ""), place("found-pbft-7.toml"));
}
