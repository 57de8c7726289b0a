//! `testnet trace` as scripts see it: what it exits with, what it prints, what it writes.

mod support;

use serde_json::Value;
use std::{fs, path::Path, process::Output};
use support::{finish, testnet, text};
use tempfile::TempDir;

const BRIEF: &str = "name = \"brief\"\nconsensus = [\"tendermint\", \"pbft\"]\nseeds = \"0..3\"\n\
                     until = \"5s\"\nat = [{ time = \"2s\", crash = 1 }]\n";

fn run(temp: &TempDir, args: &[&str]) -> Output {
    finish(testnet(temp.path(), args).current_dir(temp.path()))
}

fn with_brief() -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("brief.toml"), BRIEF).unwrap();
    temp
}

/// What the page holds, as its script reads it.
fn data(path: &Path) -> Value {
    let page = fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_trace_that_was_written_is_drawn() {
    let temp = with_brief();
    let order = ["run", "brief.toml", "--consensus", "pbft", "--seeds", "2", "--trace", "t.jsonl"];
    assert_eq!(run(&temp, &order).status.code(), Some(0));
    let output = run(&temp, &["trace", "t.jsonl", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["event"], &told["out"]), (&"written".into(), &"trace.html".into()));
    let one = &told["traces"][0];
    assert_eq!((&one["consensus"], &one["seed"]), (&"pbft".into(), &2.into()));
    assert_eq!(one["warnings"], Value::Array(vec![]));
    let data = data(&temp.path().join("trace.html"));
    assert_eq!(data.as_array().unwrap().len(), 1);
    assert_eq!(data[0]["name"], "brief: pbft, seed 2");
    assert_eq!(data[0]["moments"]["time"].as_array().unwrap().len() as u64, one["events"]);
    assert_eq!(data[0]["lanes"][1]["lives"], serde_json::json!([[0, 2_000_000]]));
}

#[test]
fn a_scenario_is_run_and_its_modules_stand_side_by_side() {
    let temp = with_brief();
    let output = run(&temp, &["trace", "brief.toml", "--out", "two.html", "--until", "3s"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("brief: pbft, seed 0: 4 replicas"), "{}", text(&output));
    assert!(text(&output).contains("Written to two.html"), "{}", text(&output));
    let data = data(&temp.path().join("two.html"));
    let modules: Vec<_> = data.as_array().unwrap().iter().map(|it| it["module"].clone()).collect();
    assert_eq!(modules, ["tendermint", "pbft"]);
    assert!(data.as_array().unwrap().iter().all(|it| it["end"].as_u64().unwrap() <= 3_000_000));
}

#[test]
fn a_log_for_shiviz_begins_with_its_regular_expression() {
    let temp = with_brief();
    let order =
        ["trace", "brief.toml", "--consensus", "tendermint", "--format", "shiviz", "--json"];
    let output = run(&temp, &order);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let log = fs::read_to_string(temp.path().join("trace.log")).unwrap();
    assert!(log.starts_with("(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)\n\n"), "{}", &log[..80]);
    assert!(log.contains("replica-1 {"), "{}", &log[..400]);
}

#[test]
fn what_is_no_trace_exits_with_two_and_says_where_and_why() {
    let temp = with_brief();
    let line =
        "{\"replica\":0,\"seq\":1,\"at\":0,\"cause\":null,\"event\":\"started\",\"height\":0}\n";
    fs::write(temp.path().join("broken.jsonl"), format!("{line}{}", &line[..30])).unwrap();
    fs::write(temp.path().join("empty.jsonl"), "").unwrap();
    fs::write(temp.path().join("bad.toml"), "name = 3\n").unwrap();
    for (args, why) in [
        (&["broken.jsonl"][..], "line 2 is no line of a trace: it breaks off"),
        (&["empty.jsonl"], "it is empty"),
        (&["none.jsonl"], "cannot be read"),
        (&["bad.toml"], "line 1"),
        (&["brief.toml", "--consensus", "coffee"], "does not name coffee"),
        (&["broken.jsonl", "--seed", "3"], "--seed is about scenarios"),
        (&["broken.jsonl", "--beside", "empty.jsonl", "--seed", "3"], "--seed is about scenarios"),
        (&["brief.toml", "--beside", "empty.jsonl", "--consensus", "pbft,tendermint"], "name one"),
        (&["brief.toml", "--format", "xml"], "invalid value"),
    ] {
        let output = run(&temp, &[&["trace"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}\n{}", text(&output));
        assert!(text(&output).contains(why), "{args:?}\n{}", text(&output));
    }
    assert!(!temp.path().join("trace.html").exists(), "nothing is left behind");
}

#[test]
fn where_nothing_can_be_written_it_exits_with_three() {
    let temp = with_brief();
    let output = run(&temp, &["trace", "brief.toml", "--out", "no/such/place.html"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("cannot write no/such/place.html"), "{}", text(&output));
}
