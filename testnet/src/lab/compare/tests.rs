use super::*;
use clap::Parser;
use std::collections::BTreeSet;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    compare: Compare,
}

fn parse(words: &str) -> Compare {
    Line::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{error}")).compare
}

fn filled(order: &Compare) -> Matrix<'_> {
    let modules = order.modules().unwrap();
    let mut matrix = Matrix::new(order, &modules, order.faults().unwrap());
    fill(order, &mut matrix, &AtomicBool::new(false)).unwrap();
    matrix
}

#[test]
fn every_scenario_that_is_made_up_can_be_read() {
    for replicas in [1, 2, 3, 4, 7, 10, 31] {
        let faults = all(replicas);
        let names: BTreeSet<_> = faults.iter().map(|fault| fault.name.clone()).collect();
        assert_eq!(names.len(), faults.len(), "{replicas}: every fault has a name of its own");
        assert_eq!(faults[0].name, "none", "comparisons are with the first");
        for fault in &faults {
            let text = scenario(fault, NAMES, replicas, 3);
            let read = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(read.consensus, fault.modules);
        }
    }
}

#[test]
fn there_are_the_worlds_faults_and_every_lie_twice() {
    let names: Vec<_> = all(4).into_iter().map(|fault| fault.name).collect();
    for name in [
        "none",
        "loss",
        "partition",
        "one-way",
        "outage-f",
        "slow-disk",
        "clock-skew",
        "eclipse",
        "wan",
    ] {
        assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
    }
    for module in NAMES {
        for lie in consensus::byzantine::list(module).unwrap() {
            for mark in ["f", "f+1"] {
                assert!(names.contains(&format!("{}-{mark}", lie.name)), "{} {mark}", lie.name);
            }
        }
    }
}

#[test]
fn faults_are_chosen_by_name_or_its_beginning() {
    let names = |words: &str| -> Vec<String> {
        parse(words).faults().unwrap().into_iter().map(|fault| fault.name).collect()
    };
    let chosen = names("compare --faults loss,silent-f");
    assert_eq!(chosen, ["none", "loss", "silent-f"], "f is not the beginning of f+1");
    let outages = names("compare --faults outage");
    assert_eq!(outages, ["none", "outage-f", "outage-f+1"]);
    assert_eq!(names("compare --print loss"), ["loss"]);
    let order = parse("compare --faults los");
    let error = order.faults().unwrap_err().to_string();
    assert!(error.contains("\"los\"") && error.contains("partition"), "{error}");
}

#[test]
fn a_matrix_tells_who_survives_what_and_how_to_see_it_again() {
    let order = parse("compare --faults silent --seeds 2 --threads 2 --consensus tendermint");
    let matrix = filled(&order);
    let word = |name: &str| {
        let all = matrix.all();
        all.iter().find(|each| each.0.name == name).map(|each| each.2.verdict(each.3).0).unwrap()
    };
    assert_eq!(word("none"), Word::Survives);
    assert_eq!(word("silent-f"), Word::Survives);
    assert_eq!(word("silent-f+1"), Word::Stalls);
    let text = matrix.text();
    assert!(text.contains("stalls 2/2"), "{text}");
    assert!(text.contains("testnet compare --print silent-f+1 --replicas 4 | testnet run - --consensus tendermint --seeds 0"), "{text}");
    let lines = matrix.lines();
    assert_eq!(lines.len(), 3);
    let cell: serde_json::Value = serde_json::from_str(&lines[2]).unwrap();
    assert_eq!((&cell["safe"], &cell["live"]), (&json!(true), &json!(false)));
    assert_eq!(cell["slowdown"], serde_json::Value::Null, "nothing was decided");
    let csv = matrix.csv();
    let columns: BTreeSet<_> = csv.lines().map(|line| line.matches(',').count()).collect();
    assert_eq!(columns.len(), 1, "{csv}");
}

#[test]
fn cells_follow_from_module_fault_and_seed_alone() {
    let lines = |words: &str| filled(&parse(words)).lines();
    let both = lines("compare --faults loss --seeds 2 --threads 1");
    let one = lines("compare --faults loss,partition --seeds 2 --threads 3 --consensus pow");
    let of = |lines: &[String]| -> Vec<String> {
        let wanted =
            |line: &&String| line.contains("\"loss\"") && line.contains("\"consensus\":\"pow\"");
        lines.iter().filter(wanted).cloned().collect()
    };
    assert_eq!(of(&both).len(), 1);
    assert_eq!(of(&both), of(&one));
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let order = parse("compare --faults equivocate --seeds 1 --consensus tendermint");
    let matrix = filled(&order);
    let line = |x: u32, words: &str| {
        let one = filled(&parse(words)).all().iter().map(|each| each.2.clone()).next().unwrap();
        series::Line { module: "tendermint", points: vec![(x, one.clone()), (x + 3, one)] }
    };
    let lines = |x| vec![line(x, "compare --faults none --seeds 1 --consensus tendermint")];
    let series = series::Series { sizes: lines(4), silent: lines(0) };
    let page = page::page(&matrix, &series);
    for outside in ["http:", "https:", "src=", "@import", "url(", "<script", "<link"] {
        assert!(!page.contains(outside), "the page has {outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("<svg"));
    for tag in ["table", "svg", "figure", "tr", "td", "dl", "div"] {
        let opened = [">", " "].map(|after| page.matches(&format!("<{tag}{after}")).count());
        let closed = page.matches(&format!("</{tag}>")).count();
        assert_eq!(opened.iter().sum::<usize>(), closed, "{tag}");
    }
    assert_eq!(crate::lab::plot::escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
}

#[test]
fn files_are_written_and_can_be_run_again() {
    let directory = tempfile::tempdir().unwrap();
    let order = parse(&format!("compare --faults silent-f+1 --out {}", directory.path().display()));
    let (faults, modules) = (order.faults().unwrap(), order.modules().unwrap());
    order.write_scenarios(directory.path(), &faults, &modules).unwrap();
    let path = directory.path().join("scenarios/silent-f+1.toml");
    Scenario::parse(&fs::read_to_string(path).unwrap()).unwrap();
    let again = order.again(faults.last().unwrap(), "pow", 3);
    assert!(again.ends_with("scenarios/silent-f+1.toml --consensus pow --seeds 3"), "{again}");
}
