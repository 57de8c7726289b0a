//! `testnet explore` as scripts see it: what it exits with, what it prints, what it writes.

mod support;

use serde_json::Value;
use simulator::Scenario;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};
use support::{finish, testnet, text};
use tempfile::TempDir;

/// A mutant that breaks soon, and trials that are enough.
const EASY: [&str; 4] = ["--mutant", "T3", "--seeds", "0..2000"];

fn explore(temp: &TempDir, args: &[&str]) -> Output {
    let args = [&["explore"], args].concat();
    finish(testnet(temp.path(), &args).current_dir(temp.path()))
}

fn object(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one object, and nothing else: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn what_makes_no_sense_exits_with_two() {
    let temp = tempfile::tempdir().unwrap();
    for args in [
        &[][..],
        &["--mutant", "T99"],
        &["--consensus", "coffee"],
        &["no-such-file.toml"],
        &["--mutant", "T3", "--out", "no/such/place.toml"],
        &["--mutant", "T3", "--against", "no-such-file.toml"],
        &["--consensus", "pbft", "--against", "x.toml"],
    ] {
        let output = explore(&temp, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}\n{}", text(&output));
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn where_nothing_breaks_it_exits_with_zero() {
    let temp = tempfile::tempdir().unwrap();
    let output = explore(&temp, &["--consensus", "tendermint", "--seeds", "0..10", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let object = object(&output);
    assert_eq!((&object["mutant"], &object["violation"]), (&Value::Null, &Value::Null));
    assert_eq!((&object["tried"], &object["file"]), (&10.into(), &Value::Null));
    assert_eq!(object["consensus"], "tendermint");
}

#[test]
fn what_breaks_is_written_and_breaks_again() {
    let temp = tempfile::tempdir().unwrap();
    let output = explore(&temp, &[&EASY[..], &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let found = object(&output);
    assert_eq!(found["mutant"], "T3");
    assert!(found["violation"].as_str().unwrap().starts_with("agreement: "), "{found}");
    assert!(!found["explanation"].as_array().unwrap().is_empty(), "{found}");
    let file = found["file"].as_str().unwrap();
    let path: PathBuf = temp.path().join(file);
    let before = fs::read(&path).unwrap();

    let run = finish(testnet(temp.path(), &["run", file]).current_dir(temp.path()));
    assert!(run.status.success(), "{}", text(&run));

    // On other threads the same is found, and the file that says so already is left in place.
    let again = explore(&temp, &[&EASY[..], &["--threads", "1"]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains(file), "{}", text(&again));
    assert_eq!(fs::read(&path).unwrap(), before);

    // From the file itself nothing is to be searched for, and nothing more can be left out.
    let trace = temp.path().join("t.jsonl");
    let options = ["--json", "--out", "again.toml", "--trace", trace.to_str().unwrap()];
    let output = explore(&temp, &[&[file], &options[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let again = object(&output);
    assert_eq!((&again["seed"], &again["tried"]), (&0.into(), &1.into()));
    assert_eq!(again["steps"], found["steps"]);
    assert!(fs::metadata(&trace).unwrap().len() > 0);
}

#[test]
fn a_mutant_that_nobody_repaired_still_breaks() {
    let temp = tempfile::tempdir().unwrap();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scenarios/mutants/T3.toml");
    let order = ["--mutant", "T3", "--against", file.to_str().unwrap(), "--seeds", "0..1"];
    let output = explore(&temp, &order);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("still breaks"), "{}", text(&output));
    let output = explore(&temp, &[&order[..], &["--json"]].concat());
    let object = object(&output);
    assert!(object["against"]["violation"].is_string(), "{object}");
    assert_eq!(object["violation"], Value::Null, "trial zero alone breaks nothing");
}

/// The seeds are fixed, so whoever runs this finds the same. `testnet explore --all` tries all mutants.
#[test]
fn one_mutant_of_each_module_is_caught_in_few_steps() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    for (id, seeds) in [("T3", "0..3000"), ("P2", "0..3000"), ("N2", "0..300")] {
        let temp = tempfile::tempdir().unwrap();
        let output = explore(&temp, &["--mutant", id, "--seeds", seeds, "--json"]);
        assert_eq!(output.status.code(), Some(1), "{id}: {}", text(&output));
        let found = object(&output);
        let written = root.join(format!("scenarios/mutants/{id}.toml"));
        let written = Scenario::parse(&fs::read_to_string(written).unwrap()).unwrap().faults();
        let steps = found["steps"].as_u64().unwrap();
        assert!(2 * steps <= 3 * written as u64, "{id}: {steps} steps, and {written} would do");
        let file = found["file"].as_str().unwrap();
        let run = finish(testnet(temp.path(), &["run", file]).current_dir(temp.path()));
        assert!(run.status.success(), "{id}: {}", text(&run));
        let sentences = found["explanation"].as_array().unwrap();
        assert!(sentences.len() > 3, "{id}: {found}");
    }
}
