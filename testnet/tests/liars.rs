//! Whole networks in which some lie.

mod support;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};
use support::{PATIENCE, Up, finish, testnet, text, until};
use wallet_cli::client::Client;

fn nodes(status: &Value) -> &[Value] {
    status["nodes"].as_array().unwrap()
}

fn client(address: &str) -> Client {
    Client::new(vec![address.parse().unwrap()])
}

/// Whether a node remarks, as it happens, that it lies.
fn lies(rpc: &str) -> bool {
    let request =
        ureq::get(format!("{rpc}/events")).config().timeout_global(Some(PATIENCE)).build();
    let events = BufReader::new(request.call().unwrap().into_body().into_reader());
    let mut notes = events.lines().map_while(Result::ok).filter(|line| line.contains("\"note\""));
    notes.any(|line| line.contains("\"label\":\"lie\"") && line.contains("says two prevotes"))
}

/// One of four is two: two processes, one key, each shown to one part of the others.
#[test]
fn one_of_four_equivocates_and_the_honest_agree_and_get_on() {
    let mut up = Up::start(&["--byzantine", "3=equivocate", "--block-time", "250ms"]);
    assert_eq!(up.ready["byzantine"], json!({"3": "equivocate"}));
    let goal = 12;
    let status = up.event_where("status", |status| {
        nodes(status)[..3].iter().all(|node| node["height"].as_u64() >= Some(goal))
    });
    assert_eq!(nodes(&status)[3]["lie"], "equivocate");
    assert!(nodes(&status)[..3].iter().all(|node| node.get("lie").is_none()));

    let rpcs: Vec<_> =
        nodes(&up.ready)[..3].iter().map(|node| node["rpc"].as_str().unwrap().to_owned()).collect();
    let chain = |rpc: &String| {
        let headers = client(rpc).headers(1).unwrap().headers;
        headers.iter().take(goal as usize).map(|header| header.hash()).collect::<Vec<_>>()
    };
    let chains: Vec<_> = rpcs.iter().map(chain).collect();
    assert_eq!(chains[0].len(), goal as usize);
    assert!(chains.iter().all(|chain| *chain == chains[0]), "the honest agree: {chains:?}");

    // The second process is at work with the same key, and with other peers.
    let first = fs::read_to_string(up.dir().join("node-3/config.toml")).unwrap();
    let second = fs::read_to_string(up.dir().join("node-3-twin/config.toml")).unwrap();
    let met = |config: &str| config.matches("[[peers]]").count();
    assert_eq!((met(&first), met(&second)), (2, 1), "{first}\n{second}");
    let key = |node: &str| fs::read(up.dir().join(node).join("validator.key")).unwrap();
    assert_eq!(key("node-3"), key("node-3-twin"));
    let rpc = second.lines().find_map(|line| line.strip_prefix("rpc = ")).unwrap();
    let twin = format!("http://{}", rpc.trim_matches('"'));
    until("the twin follows", || client(&twin).status().is_ok_and(|status| status.height > 2));

    let shown = text(&up.run(&["status"]));
    assert!(shown.contains("node 3 lies: equivocate\n") && shown.contains("\nnode 3 *"), "{shown}");
    // Both of them go, and come back.
    assert_eq!(up.run(&["kill", "3"]).status.code(), Some(0));
    until("the twin is gone", || client(&twin).status().is_err());
    assert_eq!(up.run(&["start", "3"]).status.code(), Some(0));
    until("the twin is back", || client(&twin).status().is_ok());
    up.signal(Signal::SIGINT);
    up.event("stopped");
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
    assert!(client(&twin).status().is_err(), "nobody is left behind");
}

/// A lie that is a wrapper around the protocol of a real node.
#[test]
fn one_of_four_double_votes_and_the_honest_get_on() {
    let mut up = Up::start(&["--byzantine", "2=double-vote", "--block-time", "250ms"]);
    up.event_where("status", |status| {
        let honest = nodes(status).iter().filter(|node| node["id"] != 2);
        honest.clone().count() == 3
            && honest.into_iter().all(|node| node["height"].as_u64() >= Some(8))
    });
    assert!(lies(nodes(&up.ready)[2]["rpc"].as_str().unwrap()));
    up.signal(Signal::SIGINT);
    up.event("stopped");
    up.expect_nobody();
}

#[test]
fn a_lie_that_nobody_can_tell_is_bad_input() {
    let temp = tempfile::tempdir().unwrap();
    for (flags, expected) in [
        (&["--byzantine", "3=lazy"][..], "there is no lie called \"lazy\""),
        (&["--byzantine", "4=silent"], "there is no node 4 to lie"),
        (&["--byzantine", "3"], "write NODE=LIE"),
        (&["--byzantine", "3=silent", "--byzantine", "3=delay"], "node 3 is named twice"),
        (&["--consensus", "pow", "--byzantine", "3=amnesia"], "no lie called \"amnesia\""),
    ] {
        let mut command = testnet(temp.path(), &[&["up"], flags].concat());
        let output = finish(command.stdin(Stdio::null()));
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", text(&output));
        assert!(text(&output).contains(expected), "{flags:?}: {}", text(&output));
    }
}
