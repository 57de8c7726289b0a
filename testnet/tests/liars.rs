//! Whole networks in which some lie.

mod support;

use crypto::SecretKey;
use ledger::{Action, Amount, Payload, ReplicaId, Transaction};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{fs, process::Stdio};
use support::{Up, finish, testnet, text, until};
use wallet_cli::client::Client;

fn nodes(status: &Value) -> &[Value] {
    status["nodes"].as_array().unwrap()
}

fn client(address: &str) -> Client {
    Client::new(vec![address.parse().unwrap()])
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

/// A transaction of an account that nobody has heard of, which reports what was reported before.
fn report_again(report: &Transaction) -> Transaction {
    let key = SecretKey::from_seed([99; 32]);
    let Payload { chain, action, .. } = report.payload.clone();
    Payload { chain, sender: key.public(), nonce: 0, fee: Amount::ZERO, action }.sign(&key)
}

/// A lie that is a wrapper around the protocol of a real node: it costs a tenth of the stake and the seat.
#[test]
fn one_of_four_double_votes_and_is_punished_once() {
    let mut up = Up::start(&["--byzantine", "3=double-vote", "--block-time", "250ms"]);
    let rpcs: Vec<_> =
        nodes(&up.ready)[..3].iter().map(|node| node["rpc"].as_str().unwrap().to_owned()).collect();
    let honest: Vec<Client> = rpcs.iter().map(|rpc| client(rpc)).collect();
    for node in &honest {
        until("the liar is punished", || {
            node.status().is_ok_and(|status| status.punished == [ReplicaId(3)])
        });
    }
    // Which block did it, and by whose report?
    let blocks = honest[0].blocks(1).unwrap().blocks;
    let reports = blocks.iter().flat_map(|block| {
        let height = block.header.height;
        block.transactions.iter().map(move |transaction| (height, transaction.clone()))
    });
    let reports: Vec<_> = reports.collect();
    let [(height, report)] = &reports[..] else { panic!("one report is enough: {reports:?}") };
    let Action::Evidence(evidence) = &report.payload.action else { panic!("{report:?}") };
    assert_eq!(evidence.offender, ReplicaId(3));
    println!("a double vote at height {} was punished by block {height}", evidence.slot.height);
    // Ten seconds of an idle chain are forty blocks.
    assert!(height - evidence.slot.height < 40);
    // A tenth of the stake of a thousand is lost; a tenth of that goes to who reported it.
    assert_eq!(honest[0].status().unwrap().burned, Amount(90));
    let reporter = report.sender();
    let paid = || honest[0].account(reporter).unwrap().account.balance;
    assert_eq!(paid(), Amount(10));

    let refused = honest[1].submit(&report_again(report)).unwrap_err().to_string();
    assert!(refused.contains("was punished at height"), "{refused}");
    let goal = honest[0].status().unwrap().height + 8;
    up.event_where("status", |status| {
        nodes(status)[..3].iter().all(|node| node["height"].as_u64() >= Some(goal))
    });
    for node in &honest {
        let status = node.status().unwrap();
        assert_eq!((status.burned, &status.punished[..]), (Amount(90), &[ReplicaId(3)][..]));
        assert!(status.accused.is_empty(), "the evidence has done its work: {status:?}");
    }
    assert_eq!(paid(), Amount(10), "once");
    let metrics = ureq::get(format!("{}/metrics", rpcs[0])).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    assert!(metrics.contains("\nbyzantium_punished_validators 1\n"), "{metrics}");
    assert!(metrics.contains("\nbyzantium_burned 90\n"), "{metrics}");
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
