use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    trace: Trace,
}

fn order(words: &str) -> Trace {
    Line::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{error}")).trace
}

const BRIEF: &str = "name = \"brief\"\nconsensus = [\"tendermint\", \"pbft\", \"pow\"]\nseeds = \"4..9\"\n\
                     until = \"5s\"\n";

fn in_directory(check: impl FnOnce(&Path)) {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("brief.toml"), BRIEF).unwrap();
    check(temp.path());
}

#[test]
fn a_scenario_with_several_modules_gives_two_diagrams_on_one_page() {
    in_directory(|path| {
        let file = path.join("brief.toml");
        let weaves = order("x x").take(&file, true).unwrap();
        let names: Vec<_> = weaves.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["brief: tendermint, seed 4", "brief: pbft, seed 4"]);
        let weaves = order("x x --consensus pow --seed 7").take(&file, true).unwrap();
        let names: Vec<_> = weaves.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["brief: pow, seed 7"]);
    });
}

#[test]
fn what_is_asked_of_the_wrong_file_is_refused_with_the_remedy() {
    in_directory(|path| {
        let file = path.join("brief.toml");
        let say = |words: &str, file: &Path| order(words).take(file, true).unwrap_err().to_string();
        assert!(say("x x --consensus raft", &file).contains("it names: tendermint, pbft, pow"));
        assert!(say("x x --consensus pow,pbft,tendermint", &file).contains("choose one or two"));
        let trace = path.join("t.jsonl");
        assert!(say("x x", &trace).contains("cannot be read"));
    });
}

#[test]
fn what_would_have_no_effect_is_refused() {
    let say = |words: &str| order(words).check().map_err(|error| error.to_string());
    let refused =
        |words: &str, why: &str| assert!(say(words).unwrap_err().contains(why), "{words}");
    refused("x a.jsonl --seed 3", "--seed is about scenarios, and a.jsonl is a trace");
    refused("x a.jsonl --beside b.jsonl --seed 3", "--seed is about scenarios");
    refused("x a.jsonl --beside b.jsonl --consensus pow", "--consensus is about scenarios");
    refused("x a.toml --beside b.jsonl --consensus pow,pbft", "--consensus names 2; name one");
    refused("x a.jsonl --beside b.toml --consensus pow,pbft", "--consensus names 2; name one");
    for works in [
        "x a.jsonl --beside b.jsonl",
        "x a.jsonl --beside b.toml --consensus pow --seed 3",
        "x a.toml --consensus pow,pbft --seed 3",
    ] {
        assert_eq!(say(works), Ok(()), "{works}");
    }
}

#[test]
fn a_trace_in_a_file_is_what_the_scenario_gives() {
    in_directory(|path| {
        let scenario = Scenario::parse(BRIEF).unwrap();
        let trace = path.join("t.jsonl");
        write(&scenario, "pbft", &mut File::create(&trace).unwrap()).unwrap().unwrap();
        let [(name, read)] = &order("x x").take(&trace, true).unwrap()[..] else { panic!("one") };
        let [(_, played)] =
            &order("x x --consensus pbft").take(&path.join("brief.toml"), true).unwrap()[..]
        else {
            panic!("one")
        };
        assert_eq!((name.as_str(), read), ("brief: pbft, seed 4", played));
    });
}

#[test]
fn no_example_is_misspelt() {
    let lines = EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("testnet "));
    let mut seen = 0;
    for line in lines {
        let words = line.split("   ").next().unwrap();
        <crate::cli::Cli as Parser>::try_parse_from(
            std::iter::once("testnet").chain(words.split_whitespace()),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}
