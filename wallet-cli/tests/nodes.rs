//! `balance`, `status` and `verify` with several nodes.

use serde_json::{Value, json};
use std::sync::Arc;
use support::{
    Outcome, Shared, Wallet, answer,
    fake_node::{FakeNode, Reply},
    fork, honest_node,
    network::{poor, rich},
    network_and_wallet,
};

mod support;

const CHAIN: &str = "nodes";

/// A wallet that trusts the genesis all chains here begin with.
fn wallet() -> Wallet {
    network_and_wallet(CHAIN).1
}

/// `wallet … --node … --node …`, for people and for programs.
fn ask(wallet: &Wallet, words: &[&str], nodes: &[&str]) -> (Outcome, Outcome) {
    let nodes = nodes.iter().flat_map(|url| ["--node", url]);
    let arguments: Vec<_> = words.iter().copied().chain(nodes).collect();
    (wallet.run(&arguments), wallet.json(&arguments))
}

/// The only transfer in the block at this height.
fn transfer_at(network: &Shared, height: u64) -> String {
    let network = network.lock().expect("nobody panicked");
    network.ledger.committed(height).expect("it is decided").transactions[0].id().to_string()
}

fn node(url: &str, height: u64, agrees: bool) -> Value {
    json!({"url": url, "height": height, "agrees": agrees, "error": null})
}

#[test]
fn the_highest_proven_balance_wins_and_who_lags_is_a_note() {
    let (late, new) = (fork(CHAIN, 1, 5), fork(CHAIN, 3, 5));
    let (late, new) = (honest_node(&late, 9), honest_node(&new, 9));
    let (human, program) = ask(&wallet(), &["balance", "rich"], &[late.url(), new.url()]);
    assert_eq!((human.code, program.code), (0, 0), "{human:?} {program:?}");
    assert!(human.out.contains("balance  982"), "{human:?}");
    assert!(human.err.contains(&format!("{} is 2 blocks behind", late.url())), "{human:?}");
    assert_eq!(program.err, "");
    let nodes = json!([node(late.url(), 1, true), node(new.url(), 3, true)]);
    let address = rich().public().address();
    let expected = json!({"address": address, "balance": 982, "nonce": 3, "nodes": nodes});
    assert_eq!(program.json(), expected);
}

#[test]
fn who_does_not_answer_is_a_note() {
    let (down, up) = (FakeNode::absent(), honest_node(&fork(CHAIN, 1, 5), 9));
    let (human, program) = ask(&wallet(), &["balance", "rich"], &[&down, up.url()]);
    assert_eq!((human.code, program.code), (0, 0), "{human:?} {program:?}");
    assert!(human.err.starts_with(&format!("note: the node at {down} cannot be compared")));
    let nodes = &program.json()["nodes"];
    assert_eq!((&nodes[0]["height"], &nodes[0]["agrees"]), (&Value::Null, &Value::Null));
    assert!(nodes[0]["error"].as_str().is_some_and(|text| text.contains("reached")), "{nodes}");
    assert_eq!(nodes[1], node(up.url(), 1, true));
}

#[test]
fn when_no_node_answers_all_are_named() {
    let (one, two) = (FakeNode::absent(), FakeNode::absent());
    for words in [["balance", "rich"], ["status", &"0".repeat(64)], ["verify", &"0".repeat(64)]] {
        let (human, program) = ask(&wallet(), &words, &[&one, &two]);
        assert_eq!(human.code, 3, "{human:?}");
        assert_eq!(program.error(3), "no_node");
        assert!(program.out.contains(&one) && program.out.contains(&two), "{program:?}");
        assert_eq!(program.json()["error"]["nodes"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn two_nodes_with_conflicting_proven_blocks_are_conflicting_finality() {
    let (one, two) = (fork(CHAIN, 2, 5), fork(CHAIN, 3, 6));
    let tx = transfer_at(&one, 1);
    let (first, second) = (honest_node(&one, 99), honest_node(&two, 99));
    let hashes = [&one, &two].map(|network| {
        let network = network.lock().expect("nobody panicked");
        network.ledger.committed(2).expect("it is decided").hash().to_string()
    });
    for words in [["balance", "rich"], ["status", &tx], ["verify", &tx], ["history", "rich"]] {
        let (human, program) = ask(&wallet(), &words, &[first.url(), second.url()]);
        assert_eq!((human.code, human.out.as_str()), (1, ""), "{human:?}");
        assert!(human.err.contains("CONFLICTING FINALITY at height"), "{human:?}");
        assert_eq!(program.error(1), "conflicting_finality");
        let conflict = &program.json()["error"]["conflict"];
        for url in [first.url(), second.url()] {
            assert!(human.err.contains(url) && conflict.to_string().contains(url), "{conflict}");
        }
        if conflict["height"] == 2 {
            for hash in &hashes {
                let text = conflict.to_string();
                assert!(human.err.contains(hash) && text.contains(hash), "{conflict}");
            }
        }
    }
    // A double spend in the making: the one node proves the transfer, the other another block
    // in its place.
    let (_, program) = ask(&wallet(), &["verify", &tx], &[first.url(), second.url()]);
    assert_eq!(program.json()["error"]["conflict"]["height"], 1);
}

#[test]
fn a_lie_without_proof_is_no_conflict() {
    let network = fork(CHAIN, 2, 5);
    let shared = Arc::clone(&network);
    let liar = FakeNode::start(move |method, params| {
        let mut network = shared.lock().expect("nobody panicked");
        if method != "account" {
            return answer(&mut network, method, params);
        }
        let mut account = network.account(params["address"].as_str().unwrap().parse().unwrap());
        account.account.balance.0 += 1;
        Reply::result(json!(account))
    });
    let honest = honest_node(&network, 9);
    let poor = poor().to_string();
    let (human, program) = ask(&wallet(), &["balance", &poor], &[liar.url(), honest.url()]);
    assert_eq!((human.code, &program.json()["balance"]), (0, &json!(10)), "{human:?}");
    assert!(human.err.contains(&format!("{} does not agree: not proven", liar.url())));
    assert_eq!(program.json()["nodes"][0]["agrees"], false);
    let (_, program) = ask(&wallet(), &["balance", &poor], &[liar.url(), &FakeNode::absent()]);
    assert_eq!(program.error(1), "not_proven");
}

#[test]
fn a_final_transaction_is_proven_although_a_node_lags() {
    let (late, new) = (fork(CHAIN, 1, 5), fork(CHAIN, 3, 5));
    let tx = transfer_at(&new, 2);
    let (late, new) = (honest_node(&late, 99), honest_node(&new, 99));
    let nodes = json!([node(late.url(), 1, true), node(new.url(), 3, true)]);
    let (human, program) = ask(&wallet(), &["verify", &tx], &[late.url(), new.url()]);
    assert_eq!((human.code, &program.json()["height"]), (0, &json!(2)), "{human:?}");
    assert_eq!(program.json()["nodes"], nodes);
    let (human, program) = ask(&wallet(), &["status", &tx], &[late.url(), new.url()]);
    let expected = json!({"status": "final", "tx": tx, "height": 2, "nodes": nodes});
    assert_eq!((human.code, program.json()), (0, expected));
    assert!(human.out.contains(&format!("the proof of the node at {} holds", new.url())));
}

#[test]
fn who_has_the_block_and_denies_its_transaction_does_not_agree() {
    let network = fork(CHAIN, 2, 5);
    let tx = transfer_at(&network, 1);
    let shared = Arc::clone(&network);
    let denier = FakeNode::start(move |method, params| {
        let mut network = shared.lock().expect("nobody panicked");
        let mut reply = answer(&mut network, method, params);
        if method == "transaction" {
            let id = params["id"].as_str().unwrap().parse().unwrap();
            let mut unknown = json!(network.transaction(id));
            unknown["status"] = json!("unknown");
            reply = Reply::result(unknown);
        }
        reply
    });
    let honest = honest_node(&network, 99);
    for command in ["status", "verify"] {
        let (human, program) = ask(&wallet(), &[command, &tx], &[denier.url(), honest.url()]);
        assert_eq!((human.code, program.code), (0, 0), "{human:?}");
        assert!(human.err.contains("does not show the transaction to be final"), "{human:?}");
        assert_eq!(program.json()["nodes"][0]["agrees"], false);
        assert_eq!(program.json()["nodes"][1]["agrees"], true);
    }
}

#[test]
fn a_transaction_nobody_knows_exits_with_1() {
    let network = fork(CHAIN, 1, 5);
    let (one, two) = (honest_node(&network, 99), honest_node(&network, 99));
    let id = "0".repeat(64);
    let (human, program) = ask(&wallet(), &["status", &id], &[one.url(), two.url()]);
    assert_eq!((human.code, program.code), (1, 1), "{human:?}");
    assert_eq!(program.json()["status"], "unknown");
    let (_, program) = ask(&wallet(), &["verify", &id], &[one.url(), two.url()]);
    assert_eq!(program.error(1), "not_proven");
    assert_eq!(program.json()["error"]["nodes"][1], node(two.url(), 1, true));
}

#[test]
fn what_waits_at_one_node_is_pending() {
    let network = fork(CHAIN, 1, 5);
    let tx = {
        let mut network = network.lock().expect("nobody panicked");
        let transfer = network.transfer(1, poor(), 5);
        network.submit(transfer).to_string()
    };
    let (knows, other) = (honest_node(&network, 99), honest_node(&fork(CHAIN, 1, 5), 99));
    let (human, program) = ask(&wallet(), &["status", &tx], &[other.url(), knows.url()]);
    assert_eq!((human.code, &program.json()["status"]), (0, &json!("pending")), "{human:?}");
    assert!(human.out.contains(&format!("says the node at {}", knows.url())), "{human:?}");
}

#[test]
fn one_node_named_twice_is_one_node_and_a_list_of_stand_ins_is_not_compared() {
    let (one, two) = (honest_node(&fork(CHAIN, 2, 5), 9), honest_node(&fork(CHAIN, 3, 6), 9));
    let (_, program) = ask(&wallet(), &["balance", "rich"], &[one.url(), one.url()]);
    assert_eq!(program.json().get("nodes"), None);
    // The first that answers is believed as far as its proof goes, and nobody else is asked.
    let wallet = wallet();
    wallet.file("node.url", &format!("{}\n{}\n", one.url(), two.url()));
    assert_eq!(wallet.run(&["balance", "rich"]).code, 0);
    let both = format!("{},{}", two.url(), one.url());
    let wallet = wallet.with("WALLET_NODE", &both);
    assert_eq!(wallet.run(&["balance", "rich"]).code, 0);
}

#[test]
fn a_transfer_is_handed_to_the_first_node_that_answers() {
    let network = fork(CHAIN, 0, 0);
    let (down, up) = (FakeNode::absent(), honest_node(&network, 1));
    let to = poor().to_string();
    let words = ["send", "--from", "rich", "--to", &to, "--amount", "1", "--json"];
    let wallet = wallet();
    let nodes = ["--node", &down, "--node", up.url()];
    let sent = wallet.run(&[words.as_slice(), &nodes].concat());
    assert_eq!((sent.code, &sent.json()["status"]), (0, &json!("pending")), "{sent:?}");
}
