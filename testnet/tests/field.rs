//! Scenarios with real nodes: what the simulator promises is true of processes, sockets and disks.

mod support;

use serde_json::Value;
use std::{fs, path::PathBuf};
use support::{finish, testnet, text};
use tempfile::TempDir;

/// One of nearly everything that can befall real nodes, in a short time.
const FIRE: &str = r#"
name = "A bit of everything"
consensus = ["tendermint", "pow"]
seeds = "0..3"
until = "40s"
block_time = "500ms"
network = { latency = "2ms..10ms", loss = 0.02, duplication = 0.02, reordering = { share = 0.02, by = "50ms" } }
clocks = [{ replica = 1, offset_ms = 80, drift_ppm = 50 }]
disks = [{ replica = 0, sync = "5ms" }]
load = { transfers_per_second = 4 }
at = [
  { time = "1s", cut = { from = 0, to = 1 } },
  { time = "2s", silence = 3 },
  { time = "3s", speak = 3 },
  { time = "4s", partition = [[0, 1], [2, 3]] },
  { time = "6s", heal = true },
  { time = "7s", crash = 2, restart_after = "1s" },
  { time = "9s", pause = 3 },
  { time = "10500ms", resume = 3 },
  { time = "11s", wipe = 1, restart_after = "1s" },
  { time = "12s", skew = { replica = 1 } },
]
expect = { progress_within = "15s of restart", one_chain = "18s of restart", confirmed = "either" }
"#;

/// Two of four: each half of the others decides by itself, unless both fall into one half.
const TWO_TONGUES: &str = r#"
name = "Twins, one too many"
consensus = "tendermint"
seeds = "0..14"
until = "7s"
block_time = "200ms"
byzantine = [{ replicas = [2, 3], lie = "equivocate" }]
expect = { agreement = "broken" }
"#;

fn file(temp: &TempDir, scenario: &str) -> String {
    let path = temp.path().join("scenario.toml");
    fs::write(&path, scenario).unwrap();
    path.to_str().unwrap().to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn real_nodes_and_the_simulator_come_to_the_same_verdict() {
    let temp = tempfile::tempdir().unwrap();
    let file = file(&temp, FIRE);
    let trace = temp.path().join("all.jsonl");
    let args = ["run", file.as_str(), "--sim", "--live", "--json"];
    let output = finish(&mut testnet(temp.path(), &args));
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    let runs = lines(&told);
    let worlds: Vec<_> = runs.iter().map(|run| run["world"].as_str().unwrap()).collect();
    assert_eq!(worlds, ["sim", "live", "sim", "live"], "{told}");
    for live in [&runs[1], &runs[3]] {
        assert_eq!(live["safe"], true, "{told}");
        assert_eq!(live["gap"]["same_verdict"], true, "{told}");
        assert!(live["height"].as_u64().unwrap() > 3, "{told}");
        assert!(live["messages"].as_u64().unwrap() > 100, "{told}");
        assert!(live["bytes"].as_u64().unwrap() > 1_000, "{told}");
    }
    assert!(runs[1]["latency_ms"]["p50"].as_f64().unwrap() > 0.0, "{told}");
    // One of them again, with its trace.
    let path = trace.to_str().unwrap();
    let args = [
        "run",
        file.as_str(),
        "--live",
        "--consensus",
        "tendermint",
        "--seeds",
        "0",
        "--trace",
        path,
    ];
    assert!(finish(&mut testnet(temp.path(), &args)).status.success());
    let page = temp.path().join("page.html");
    let args = ["trace", path, "--out", page.to_str().unwrap()];
    let output = finish(&mut testnet(temp.path(), &args));
    assert!(output.status.success(), "{}", text(&output));
    assert!(fs::metadata(page).unwrap().len() > 10_000);
    expect_no_net_left(&temp);
}

#[test]
fn one_liar_too_many_splits_real_nodes_and_it_is_told_who_signed_both() {
    let temp = tempfile::tempdir().unwrap();
    let file = file(&temp, TWO_TONGUES);
    let output = finish(&mut testnet(temp.path(), &["run", &file, "--live", "--json"]));
    let told = text(&output);
    assert!(output.status.success(), "{told}");
    let last = lines(&told).pop().unwrap();
    assert_eq!((last["safe"].as_bool(), last["world"].as_str()), (Some(false), Some("live")));
    // In one round each has contradicted itself; in two nobody has, and the lock was forgotten by one of these.
    let convicted =
        told.contains("replica 2, who signed") && told.contains("replica 3, who signed");
    assert!(convicted || told.contains("those who signed both (2, 3)"), "{told}");
}

#[test]
fn what_real_nodes_cannot_do_is_said_at_once() {
    let temp = tempfile::tempdir().unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    for (name, word) in [("27-a-lock-that-moves.toml", "adversary"), ("mutants/T3.toml", "mutant")]
    {
        let path = root.join(name);
        let args = ["run", path.to_str().unwrap(), "--live"];
        let output = finish(&mut testnet(temp.path(), &args));
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains(word), "{}", text(&output));
    }
}

/// A net whose run was as expected leaves nothing behind.
fn expect_no_net_left(temp: &TempDir) {
    let left = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let nets: Vec<_> =
        left.filter(|name| name.to_string_lossy().starts_with("byzantium-testnet")).collect();
    assert!(nets.is_empty(), "{nets:?}");
}
