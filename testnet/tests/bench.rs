//! `testnet bench`, from the command line to the report.
//!
//! Nothing here asserts a speed: machines differ, and a shared one differs from minute to minute.

mod support;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    fs,
    io::Read,
    process::{Output, Stdio},
};
use support::{Guard, finish, testnet, text, until};

fn bench(args: &[&str]) -> Output {
    let temp = tempfile::tempdir().unwrap();
    let output = finish(&mut testnet(temp.path(), &[&["bench"], args].concat()));
    let left: Vec<_> = fs::read_dir(temp.path()).unwrap().collect();
    assert!(left.is_empty(), "a temporary directory goes away: {left:?}");
    output
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How often something happened.
fn count(report: &Value, field: &str) -> u64 {
    report[field].as_u64().unwrap_or_else(|| panic!("{field} in {report}"))
}

/// A figure that can be told and is not nothing.
fn is_some(report: &Value, pointer: &str) -> bool {
    report.pointer(pointer).and_then(Value::as_f64).is_some_and(|figure| figure > 0.0)
}

#[test]
fn whatever_is_accepted_becomes_final_in_an_open_loop_and_at_the_most() {
    for (rate, most) in [("100", 400), ("max", u64::MAX)] {
        let flags = ["--rate", rate, "--duration", "4s", "--accounts", "40", "--json"];
        let report = report(&bench(&[&flags[..], &["--in-flight", "256"]].concat()));
        let [submitted, accepted, committed] =
            ["submitted", "accepted", "committed"].map(|field| count(&report, field));
        assert!(submitted > 0 && submitted <= most, "{report}");
        assert_eq!((accepted, committed), (submitted, submitted), "{report}");
        for field in ["refused", "unfinished"] {
            assert_eq!(count(&report, field), 0, "{field}: {report}");
        }
        if most != u64::MAX {
            assert_eq!(submitted + count(&report, "unsent"), most, "{report}");
        }
        for pointer in [
            "/committed_per_s",
            "/limit_per_s",
            "/ratio",
            "/latency_ms/p50",
            "/latency_ms/p95",
            "/latency_ms/p99",
            "/blocks_per_s",
            "/bytes_per_tx",
            "/cpu_cores",
            "/rss_mib",
            "/rss_mib_series/0/rss_mib/3",
            "/verify_us",
            "/generator/cpu_us_per_tx",
            "/generator/sign_us",
        ] {
            assert!(is_some(&report, pointer), "{pointer}: {report}");
        }
        assert!(report["disk_bytes_per_tx"].is_number(), "{report}");
        assert!(report["empty_blocks_per_s"].is_null(), "there was a load: {report}");
        assert_eq!(report["replicas"], 4);
    }
}

#[test]
fn without_load_it_counts_empty_blocks() {
    let flags = ["--rate", "0", "--block-time", "0ms", "--duration", "3s", "--json"];
    let report = report(&bench(&flags));
    assert!(is_some(&report, "/empty_blocks_per_s"), "{report}");
    assert_eq!((count(&report, "submitted"), count(&report, "committed")), (0, 0));
    for field in ["latency_ms", "bytes_per_tx", "disk_bytes_per_tx"] {
        assert!(report[field].is_null(), "{field} of nothing: {report}");
    }
}

#[test]
fn ctrl_c_ends_it_early_with_a_report_and_leaves_nobody_behind() {
    let temp = tempfile::tempdir().unwrap();
    let flags = ["bench", "--replicas", "1", "--rate", "50", "--duration", "10m", "--json"];
    let mut command = testnet(temp.path(), &flags);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Guard(child);
    let blocks = || {
        let nets = fs::read_dir(temp.path()).unwrap().map_while(Result::ok);
        let logs = nets.map(|net| fs::read_to_string(net.path().join("node-0/node.log")));
        logs.map_while(Result::ok).map(|log| log.matches(" is final: ").count()).sum::<usize>()
    };
    until("the load has begun", || blocks() > 20);
    kill(Pid::from_raw(running.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(running.wait().code(), Some(1));
    let mut told = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(report["interrupted"], true);
    assert!(count(&report, "submitted") > 0, "{report}");
    let mut errors = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(errors.contains("interrupted"), "{errors}");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "its directory goes away");
}

#[test]
fn a_node_that_dies_ends_it_and_its_network_can_be_kept() {
    let temp = tempfile::tempdir().unwrap();
    let kept = temp.path().join("kept");
    let dir = kept.to_str().unwrap();
    let flags = ["bench", "--replicas", "1", "--rate", "50", "--duration", "10m", "--dir", dir];
    let mut command = testnet(temp.path(), &flags);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Guard(child);
    let mut node = None;
    until("there is a node", || {
        node = child_of(running.0.id());
        node.is_some()
    });
    kill(Pid::from_raw(node.unwrap()), Signal::SIGKILL).unwrap();
    assert_eq!(running.wait().code(), Some(3));
    let mut errors = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(errors.contains("node 0 ended") && errors.contains("SIGKILL"), "{errors}");
    assert!(kept.join("node-0/node.log").exists(), "what was asked for is kept");
    let again = finish(&mut testnet(temp.path(), &["bench", "--dir", dir]));
    assert_eq!(again.status.code(), Some(2), "{}", text(&again));
    assert!(text(&again).contains("holds a network already"), "{}", text(&again));
}

/// A process whose parent is this one.
fn child_of(parent: u32) -> Option<i32> {
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok);
    let mut numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.find(|number: &i32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(&parent.to_string())
    })
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_made() {
    for (flags, words) in [
        (["--consensus", "paxos"], "tendermint"),
        (["--rate", "fast"], "write max"),
        (["--replicas", "17"], "1..=16"),
        (["--accounts", "2"], "less than --replicas 4"),
    ] {
        let refused = bench(&flags);
        assert_eq!(refused.status.code(), Some(2), "{flags:?}");
        assert!(text(&refused).contains(words), "{}", text(&refused));
    }
}
