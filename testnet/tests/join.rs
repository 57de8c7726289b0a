//! A node that joins a running network of real processes.

mod support;

use nix::sys::signal::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use support::{Up, text};

fn heights(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["height"].as_u64()).collect()
}

/// What a `join` told, by the names of its steps.
fn join(up: &Up, args: &[&str]) -> BTreeMap<String, Value> {
    let output = up.run(&[&["join", "--json"], args].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    let steps = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    steps.map(|step| (step["event"].as_str().unwrap().to_owned(), step)).collect()
}

/// A transfer that the wallet has waited for; its transaction.
fn send(up: &Up, node: &str) -> String {
    let wallet = up.dir().join("wallet");
    let flags = ["wallet", "send", "--from", "bob", "--to", "carol", "--amount", "5", "--wait"];
    let place = ["--json", "--node", node, "--dir", wallet.to_str().unwrap()];
    let sent = up.run(&[&flags[..], &place].concat());
    assert_eq!(sent.status.code(), Some(0), "{}", text(&sent));
    let report: Value = serde_json::from_slice(&sent.stdout).unwrap();
    report["tx"].as_str().unwrap().to_owned()
}

#[test]
fn a_fifth_node_joins_proposes_and_the_chain_survives_a_founder() {
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().to_str().unwrap();
    let mut up = Up::start(&["--block-time", "250ms", "--dir", dir]);
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(3)));
    let founder = up.ready["nodes"][1]["rpc"].as_str().unwrap().to_owned();
    let before = send(&up, &founder);

    let steps = join(&up, &["--stake", "900"]);
    let height = |step: &str| steps[step]["height"].as_u64().unwrap();
    let names = ["synced", "funded", "bonded", "seated", "proposed"];
    assert!(names.is_sorted_by_key(|name| height(name)), "{steps:?}");
    assert!(steps.values().all(|step| step["node"] == 4), "{steps:?}");
    assert_eq!(
        (&steps["funded"]["from"], &steps["funded"]["amount"]),
        (&"alice".into(), &901.into())
    );
    assert_eq!((&steps["bonded"]["stake"], &steps["seated"]["members"]), (&900.into(), &5.into()));
    assert!(height("proposed") >= height("bonded") + 2, "a change acts two heights later");
    let joined = up.event("joined");
    assert_eq!((&joined["id"], &joined["pid"]), (&4.into(), &steps["started"]["pid"]));

    // Four of five are more than two thirds, one of them the newcomer.
    assert_eq!(up.run(&["kill", "0"]).status.code(), Some(0));
    let status = up.event_where("status", |status| heights(status)[0].is_none());
    let goal = heights(&status)[1].max(heights(&status)[4]).unwrap() + 5;
    up.event_where("status", |status| heights(status)[1..].iter().all(|h| *h >= Some(goal)));

    // The wallet knows the founding genesis and nothing else, and follows the committee from there.
    let view = up.run(&["status", "--json", "--dir", dir]);
    let view: Value = serde_json::from_slice(&view.stdout).unwrap();
    let after = send(&up, view["nodes"][4]["rpc"].as_str().unwrap());
    let wallet = kept.path().join("wallet");
    for transaction in [&before, &after] {
        let flags = ["wallet", "verify", transaction, "--dir", wallet.to_str().unwrap()];
        let verified = up.run(&flags);
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
    }

    // It is a node like the others: it dies, comes back, and is gone on with.
    assert_eq!(up.run(&["start", "0"]).status.code(), Some(0));
    up.event_where("status", |status| heights(status)[0] > Some(goal));
    assert_eq!(up.run(&["kill", "4"]).status.code(), Some(0));
    let again = join(&up, &["--node", "4"]);
    assert!(!again.contains_key("bonded") && again.contains_key("proposed"), "{again:?}");
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();

    let mut up = Up::start(&["--dir", dir, "--replicas", "4"]);
    assert_eq!(up.ready["nodes"].as_array().unwrap().len(), 5);
    up.event_where("status", |status| heights(status).iter().all(|again| *again > Some(goal)));
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn who_cannot_join_is_told_why() {
    let mut up = Up::start(&["--consensus", "pbft", "--replicas", "1"]);
    let refused = up.run(&["join"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("those of its genesis for good"), "{}", text(&refused));
    let view = up.run(&["status", "--json"]);
    let view: Value = serde_json::from_slice(&view.stdout).unwrap();
    assert_eq!(view["nodes"].as_array().unwrap().len(), 1, "nothing was made");
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();

    let mut up = Up::start(&["--replicas", "1"]);
    for (flags, words) in [
        (["--node", "0"], "is a founder"),
        (["--node", "7"], "no node 7"),
        (["--from", "nobody"], "nobody"),
    ] {
        let refused = up.run(&[&["join"], &flags[..]].concat());
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
        assert!(text(&refused).contains(words), "{}", text(&refused));
    }
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}
