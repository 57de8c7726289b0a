//! Whole networks of real processes.

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
    thread,
    time::Instant,
};
use support::{Guard, PATIENCE, Up, finish, testnet, text};

fn heights(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["height"].as_u64()).collect()
}

#[test]
fn the_first_line_tells_all_one_needs_and_ctrl_c_ends_everything() {
    let mut up = Up::start(&[]);
    assert_eq!(up.ready["consensus"], "tendermint");
    assert_eq!(up.ready["chain_id"].as_str().unwrap().len(), 64);
    assert_eq!(up.ready["wallet_dir"].as_str().unwrap(), up.dir().join("wallet").to_str().unwrap());
    let nodes = up.ready["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 4);
    for (id, node) in nodes.iter().enumerate() {
        assert_eq!(node["id"], id);
        assert!(node["rpc"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        assert!(node["pid"].as_u64().unwrap() > 1);
    }
    let accounts = up.ready["accounts"].as_array().unwrap();
    let names: Vec<_> = accounts.iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice", "bob", "carol", "dave"]);
    assert!(accounts.iter().all(|a| a["address"].as_str().unwrap().starts_with("byz1")));

    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(2)));
    let dir = up.dir();
    up.signal(Signal::SIGINT);
    up.event("stopped");
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
    assert!(!dir.exists(), "a temporary directory goes away");
}

#[test]
fn a_node_is_killed_from_another_terminal_the_chain_goes_on_and_it_comes_back() {
    let mut up = Up::start(&["--block-time", "250ms"]);
    // Whoever came late is silent at the heights that were being decided then (decision 8).
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(3)));
    let killed = up.run(&["kill", "3"]);
    assert_eq!(killed.status.code(), Some(0), "{}", text(&killed));
    assert_eq!(text(&killed), "Node 3 is down (SIGKILL).\n");
    let exited = up.event("exited");
    assert_eq!((&exited["id"], &exited["signal"]), (&3.into(), &9.into()));

    let status = up.event_where("status", |status| heights(status)[3].is_none());
    let goal = heights(&status)[0].unwrap() + 3;
    up.event_where("status", |status| heights(status)[..3].iter().all(|h| *h >= Some(goal)));

    let again = up.run(&["kill", "3"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("node 3 is not running"), "{}", text(&again));
    let unknown = up.run(&["start", "4"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown).contains("no node 4"), "{}", text(&unknown));
    let running = up.run(&["start", "0"]);
    assert_eq!(running.status.code(), Some(1));

    let started = up.run(&["start", "3", "--json"]);
    let started: Value = serde_json::from_slice(&started.stdout).unwrap();
    assert_eq!((&started["event"], &started["id"]), (&"started".into(), &3.into()));
    assert_eq!(up.event("started")["pid"], started["pid"]);
    up.event_where("status", |status| heights(status)[3] > Some(goal));

    let stopped = up.run(&["stop", "0"]);
    assert_eq!(text(&stopped), "Node 0 is down (exit 0).\n");
    let view = up.run(&["status", "--json", "--dir", up.dir().to_str().unwrap()]);
    let view: Value = serde_json::from_slice(&view.stdout).unwrap();
    assert_eq!(view["chain_id"], up.ready["chain_id"]);
    assert_eq!(view["nodes"][0]["up"], false);
    assert_eq!(view["nodes"][1]["up"], true);
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn a_net_for_a_while_ends_by_itself() {
    let begun = Instant::now();
    let mut up = Up::start(&["--replicas", "1", "--for", "2s"]);
    assert_eq!(up.wait().code(), Some(0));
    assert!(begun.elapsed() < PATIENCE);
    up.expect_nobody();
    let gone = up.run(&["status"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone).contains("`testnet up` starts one"), "{}", text(&gone));
}

#[test]
fn no_node_outlives_a_killed_testnet_and_the_chain_goes_on_later() {
    let temp = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().to_str().unwrap();
    let flags = ["--dir", dir, "--replicas", "4", "--block-time", "250ms"];
    let mut up = Up::start_in(temp, &flags);
    let chain = up.ready["chain_id"].clone();
    let status = up.event_where("status", |status| heights(status)[0] > Some(3));
    let height = heights(&status)[0];
    let second = up.run(&["up", "--dir", dir]);
    assert_eq!(second.status.code(), Some(2), "{}", text(&second));
    assert!(text(&second).contains("another testnet is running"), "{}", text(&second));

    up.signal(Signal::SIGKILL);
    assert_eq!(up.wait().code(), None);
    up.expect_nobody();
    assert_eq!(up.run(&["status"]).status.code(), Some(1), "its note and socket are stale");

    let mut up = Up::start(&["--dir", dir]);
    assert_eq!(up.ready["chain_id"], chain);
    up.event_where("status", |status| heights(status).iter().all(|again| *again > height));
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    let other = up.run(&["up", "--dir", dir, "--replicas", "7"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(text(&other).contains("--replicas 7"), "{}", text(&other));
}

#[test]
fn the_demo_is_told_to_its_end() {
    let mut up = Up::start(&["--demo", "--for", "1s", "--block-time", "500ms"]);
    let done = up.event_where("demo", |line| line["kind"] == "done");
    assert!(done["text"].as_str().unwrap().contains("two transfers are final and proven"));
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn who_closes_the_output_has_seen_enough() {
    let temp = tempfile::tempdir().unwrap();
    let mut command = testnet(temp.path(), &["up", "--replicas", "1", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut up = Guard(child);
    let mut first = String::new();
    BufReader::new(up.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with(r#"{"event":"ready""#), "{first}");
    assert_eq!(up.wait().code(), Some(0));
    let mut errors = String::new();
    up.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "", "and nothing panicked");
}

#[test]
fn who_stops_reading_does_not_keep_it_from_ending() {
    let temp = tempfile::tempdir().unwrap();
    let (reader, mut clog) = std::io::pipe().unwrap();
    let stdout = clog.try_clone().unwrap();
    // Somebody fills the pipe, so that it need not take the testnet a minute.
    let clogging = thread::spawn(move || while clog.write_all(&[b'\n'; 4096]).is_ok() {});
    let mut command = testnet(temp.path(), &["up", "--replicas", "1", "--for", "3s", "--json"]);
    let mut up = Guard(command.stdout(stdout).spawn().unwrap());
    assert_eq!(up.wait().code(), Some(0));
    drop(reader);
    clogging.join().unwrap();
}

#[test]
fn a_node_that_cannot_start_is_told_of_with_its_log() {
    let temp = tempfile::tempdir().unwrap();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().to_str().unwrap();
    let flags = ["up", "--dir", dir, "--replicas", "1", "--for", "0s"];
    let founded = finish(&mut testnet(temp.path(), &flags));
    assert_eq!(founded.status.code(), Some(0), "{}", text(&founded));
    fs::write(kept.path().join("node-0/validator.key"), "no key\n").unwrap();
    let failed = finish(&mut testnet(temp.path(), &["up", "--dir", dir]));
    assert_eq!(failed.status.code(), Some(3));
    let told = text(&failed);
    assert!(told.contains("node 0 ended during the start") && told.contains("error:"), "{told}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_made() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("net");
    let dir = dir.to_str().unwrap();
    for (flags, words) in [
        (["--consensus", "paxos"], "tendermint"),
        (["--replicas", "17"], "1..=16"),
        (["--block-time", "fast"], "500ms"),
    ] {
        let refused = finish(testnet(temp.path(), &["up", "--dir", dir]).args(flags));
        assert_eq!(refused.status.code(), Some(2), "{flags:?}");
        assert!(text(&refused).contains(words), "{}", text(&refused));
    }
    assert!(!temp.path().join("net").exists());
}
