//! Real nodes killed at random moments: a short trial of each module.

mod support;

use consensus::catalogue;
use serde_json::Value;
use support::{finish, testnet, text};

/// Few rounds, so that the gate stays quick; `testnet crash` does a hundred.
const ROUNDS: u64 = 5;

/// What makes a module's chain move quickly.
fn haste(module: &str) -> &'static [&'static str] {
    match module {
        "pow" => &["--set", "pow.confirmations=3", "--set", "pow.irreversible=12"],
        _ => &[],
    }
}

#[test]
fn no_module_breaks_a_promise_when_its_nodes_are_killed() {
    for (seed, module) in (1..).zip(catalogue::NAMES) {
        let temp = tempfile::tempdir().unwrap();
        let (rounds, seed) = (ROUNDS.to_string(), format!("{seed}"));
        let flags =
            ["crash", "--json", "--consensus", module, "--rounds", &rounds, "--seed", &seed];
        // Of five rounds two end at failpoints.
        let flags = [&flags[..], &["--failpoints", "0.4"]].concat();
        let done = finish(testnet(temp.path(), &flags).args(haste(module)));
        assert_eq!(done.status.code(), Some(0), "{module}: {}", text(&done));
        let summary: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(summary["holds"], true, "{module}");
        assert_eq!(summary["rounds"], ROUNDS, "{module}");
        assert_eq!(summary["databases"], 4, "{module}");
        let count = |value: &Value| value.as_u64().unwrap();
        assert!(count(&summary["kills"]) >= ROUNDS, "{module}: {summary}");
        let failpoints = summary["failpoints"].as_object().unwrap();
        let tripped: u64 = failpoints.values().map(count).sum();
        assert!(tripped >= 2, "{module}: {summary}");
        assert_eq!(summary["untripped"], 0, "{module}: {summary}");
        assert_eq!(count(&summary["kills"]) + tripped, count(&summary["restarts"]), "{module}");
        let transfers = &summary["transfers"];
        assert!(count(&transfers["sent"]) > 0, "{module}: {summary}");
        assert_eq!(transfers["sent"], transfers["settled"], "{module}");
        let heads: Vec<_> = summary["head_heights"].as_array().unwrap().iter().map(count).collect();
        assert!(heads.len() == 4 && heads.iter().all(|height| *height > 3), "{module}: {heads:?}");
        let left = std::fs::read_dir(temp.path()).unwrap().count();
        assert_eq!(left, 0, "{module}: a temporary network goes away");
    }
}

#[test]
fn a_trial_needs_a_fresh_directory_and_a_module() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let dir = dir.to_str().unwrap();
    let founded =
        finish(&mut testnet(temp.path(), &["up", "--dir", dir, "--replicas", "1", "--for", "0s"]));
    assert_eq!(founded.status.code(), Some(0), "{}", text(&founded));
    for (flags, words) in [
        (["--dir", dir], "begins a fresh one"),
        (["--consensus", "paxos"], "tendermint"),
        (["--set", "pow.bits=1"], "ledger."),
        (["--rounds", "0"], "1..="),
        (["--failpoints", "1.5"], "from 0 to 1"),
    ] {
        let refused = finish(testnet(temp.path(), &["crash"]).args(flags));
        assert_eq!(refused.status.code(), Some(2), "{flags:?}");
        assert!(text(&refused).contains(words), "{}", text(&refused));
    }
}
