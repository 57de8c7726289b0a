use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    run: Run,
}

fn parse(words: &str) -> Run {
    Line::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{error}")).run
}

const BRIEF: &str = "name = \"brief\"\nconsensus = [\"pow\", \"tendermint\"]\nseeds = \"0..3\"\n\
                     until = \"10s\"\nload = { transfers_per_second = 2 }\n";

fn outcome(module: &str, seed: u64) -> (Scenario, Outcome) {
    let scenario = Scenario::parse(BRIEF).unwrap();
    let outcome = one(&scenario, module, seed, Tracing::Hashed, |_| {}).unwrap();
    (scenario, outcome)
}

#[test]
fn a_line_of_json_has_these_fields_and_no_others() {
    let (scenario, outcome) = outcome("tendermint", 1);
    let line = line(&scenario, &outcome, "sim");
    let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "scenario",
        "consensus",
        "seed",
        "world",
        "safe",
        "live",
        "violations",
        "height",
        "latency_ms",
        "messages",
        "bytes",
        "trace_hash",
    ];
    expected.sort();
    let mut found = keys.clone();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!((&line["world"], &line["scenario"]), (&json!("sim"), &json!("brief")));
    assert_eq!(line["safe"], true);
    assert!(line["latency_ms"]["p50"].as_f64().unwrap() > 50.0, "{line}");
    assert!(line["latency_ms"]["p99"].as_f64() >= line["latency_ms"]["p50"].as_f64());
    assert!(line["bytes"].as_u64() > line["messages"].as_u64().map(|count| count * 50), "{line}");
}

#[test]
fn the_same_run_gives_the_same_line_on_any_number_of_threads() {
    let scenario = Scenario::parse(BRIEF).unwrap();
    let lines = |threads| {
        let jobs: Vec<_> = scenario
            .consensus
            .iter()
            .flat_map(|module| scenario.seeds.clone().map(move |seed| (module.clone(), seed)))
            .collect();
        let (mut lines, stop) = (Vec::new(), AtomicBool::new(false));
        let work =
            |(module, seed): &(String, u64)| one(&scenario, module, *seed, Tracing::Hashed, |_| {});
        pool::spread(&jobs, threads, &stop, work, |_, outcome| {
            lines.push(line(&scenario, &outcome.unwrap(), "sim"))
        });
        lines
    };
    let one = lines(1);
    assert_eq!(one.len(), 6);
    assert_eq!(one, lines(3));
    assert_eq!(one, lines(2));
}

#[test]
fn a_scenario_is_cut_down_to_what_is_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    fs::write(&path, BRIEF).unwrap();
    let order = parse(&format!("run {} --consensus pow --seeds 7", path.display()));
    let scenario = order.scenario().unwrap();
    assert_eq!((scenario.consensus, scenario.seeds), (vec!["pow".to_owned()], 7..8));
    let again = order.again("pow", 7);
    let order = parse(again.strip_prefix("testnet ").unwrap());
    assert_eq!(order.seeds, Some(7..8));
    let unknown = parse(&format!("run {} --consensus coffee", path.display()));
    assert!(matches!(unknown.scenario(), Err(RunError::Unknown(_))));
    fs::write(&path, "name = \"x\"\nconsensus = \"pow\"").unwrap();
    let foreign = parse(&format!("run {} --consensus tendermint", path.display()));
    assert!(matches!(foreign.scenario(), Err(RunError::NotNamed(..))));
}

#[test]
fn what_is_no_scenario_is_bad_input() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s.toml");
    assert!(matches!(
        parse(&format!("run {}", path.display())).scenario(),
        Err(RunError::Unreadable { .. })
    ));
    for bytes in [&b"name = 5"[..], b"nam = \"x\"", b"\xff\xfe"] {
        fs::write(&path, bytes).unwrap();
        let error = parse(&format!("run {}", path.display())).scenario().unwrap_err();
        assert!(matches!(error, RunError::Bad { .. } | RunError::Unreadable { .. }), "{error}");
    }
}

#[test]
fn a_story_is_told_of_a_single_run_only() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/mutants/T3.toml");
    let many = run(&parse(&format!("run {path} --explain")));
    assert!(matches!(many, Err(RunError::Single("--explain"))), "{many:?}");
}

#[test]
fn the_story_of_a_run_follows_from_its_scenario_and_variant() {
    let text = include_str!("../../../../scenarios/mutants/T3.toml");
    let scenario = Scenario::parse(text).unwrap();
    let told = |variant| crate::lab::story(&scenario, variant).unwrap();
    assert_eq!(told("tendermint:T3"), told("tendermint:T3"));
    assert!(told("tendermint:T3").to_string().contains("agreement is broken"));
    assert!(told("tendermint").to_string().contains("Nobody breaks a promise"));
    assert!(crate::lab::story(&scenario, "tendermint:T99").is_err());
}
