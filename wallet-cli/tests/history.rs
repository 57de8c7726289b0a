//! `wallet history` with nodes that are honest, and with nodes that are not.

use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
};
use support::{
    Outcome, Shared, Wallet, answer,
    fake_node::{FakeNode, Reply},
    fork, honest_node,
    network::{Network, poor, rich, validator},
    network_and_wallet, number,
};

mod support;

/// A chain of so many blocks, one transfer of 10 from rich to poor in each.
fn blocks(count: u64) -> (Shared, Wallet) {
    let (network, wallet) = network_and_wallet("history");
    network.lock().expect("nobody panicked").decide_transfers(count);
    (network, wallet)
}

fn history(wallet: &Wallet, node: &FakeNode) -> Outcome {
    wallet.json(&["history", "rich", "--node", node.url()])
}

fn heights(outcome: &Outcome) -> Vec<u64> {
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let history = outcome.json();
    let transactions = history["transactions"].as_array().expect("a list");
    transactions.iter().map(|each| each["height"].as_u64().expect("a height")).collect()
}

/// An honest node but for what `lie` makes of its blocks.
fn liar(network: &Shared, lie: fn(&mut Value)) -> FakeNode {
    let network = Arc::clone(network);
    FakeNode::start(move |method, params| {
        let mut network = network.lock().expect("nobody panicked");
        match method {
            "blocks" => {
                let mut blocks = json!(network.blocks(number(params, "from")));
                lie(&mut blocks);
                Reply::result(blocks)
            }
            _ => answer(&mut network, method, params),
        }
    })
}

/// An honest node that writes down from which heights it is asked for blocks.
fn recording(network: &Shared) -> (FakeNode, Arc<Mutex<Vec<u64>>>) {
    let (network, asked) = (Arc::clone(network), Arc::new(Mutex::new(Vec::new())));
    let list = Arc::clone(&asked);
    let node = FakeNode::start(move |method, params| {
        if method == "blocks" {
            list.lock().expect("nobody panicked").push(number(params, "from"));
        }
        answer(&mut network.lock().expect("nobody panicked"), method, params)
    });
    (node, asked)
}

#[test]
fn every_transaction_of_an_account_is_listed_newest_last() {
    let (network, wallet) = blocks(2);
    let (block, tx) = {
        let mut network = network.lock().expect("nobody panicked");
        network.decide(Vec::new(), true);
        let back = network.transfer(2, rich().public().address(), 7);
        let tx = back.id().to_string();
        (network.decide(vec![back], true), tx)
    };
    let node = honest_node(&network, 1);
    let outcome = history(&wallet, &node);
    assert_eq!((heights(&outcome), outcome.err.as_str()), (vec![1, 2, 4], ""));
    let (rich, poor) = (rich().public().address().to_string(), poor().to_string());
    let own = json!({
        "height": 4, "time": block.header.time, "direction": "own", "kind": "transfer",
        "counterparty": rich, "amount": 7, "fee": 1, "id": tx, "nonce": 2,
    });
    let listed = outcome.json();
    assert_eq!(listed["transactions"][2], own);
    assert_eq!(listed["transactions"][0]["direction"], "out");
    assert_eq!(listed["transactions"][0]["counterparty"], poor.as_str());
    assert_eq!((&listed["address"], &listed["height"]), (&json!(rich), &json!(4)));
    assert_eq!((&listed["count"], &listed["block"]), (&json!(3), &json!(block.hash())));
    assert_eq!(listed.get("nodes"), None, "there is only one");

    // An account of somebody else's, by its address.
    let theirs = wallet.json(&["history", &poor, "--node", node.url()]);
    assert_eq!(heights(&theirs), [1, 2]);
    assert_eq!(theirs.json()["transactions"][1]["direction"], "in");
    let human = wallet.run(&["history", "rich", "--node", node.url()]);
    let last = format!("3 final transactions touch {rich} up to height 4.\n");
    assert!(human.out.ends_with(&last) && human.err.is_empty(), "{human:?}");
    assert!(human.out.contains(&format!("sent 10 to {poor}, fee 1, nonce 0")), "{human:?}");
}

#[test]
fn an_account_without_transactions_has_an_empty_history() {
    let (network, wallet) = blocks(0);
    let node = honest_node(&network, 1);
    assert_eq!(heights(&history(&wallet, &node)), [0; 0]);
    network.lock().expect("nobody panicked").decide(Vec::new(), true);
    assert_eq!(heights(&history(&wallet, &node)), [0; 0]);
    assert_eq!(history(&wallet, &node).json()["height"], 1);
}

#[test]
fn a_limit_leaves_the_newest() {
    let (network, wallet) = blocks(5);
    let node = honest_node(&network, 1);
    for (limit, left) in [("2", vec![4, 5]), ("0", vec![]), ("99", vec![1, 2, 3, 4, 5])] {
        let outcome = wallet.json(&["history", "rich", "--limit", limit, "--node", node.url()]);
        assert_eq!(heights(&outcome), left);
        assert_eq!(outcome.json()["count"], 5, "of all there are");
    }
}

#[test]
fn a_long_chain_is_read_in_pieces_and_the_next_call_reads_only_what_is_new() {
    let (network, wallet) = blocks(70);
    let (node, asked) = recording(&network);
    assert_eq!(heights(&history(&wallet, &node)).len(), 70);
    network.lock().expect("nobody panicked").decide_transfers(1);
    assert_eq!(heights(&history(&wallet, &node)).len(), 71);
    assert_eq!(heights(&history(&wallet, &node)).len(), 71);
    assert_eq!(*asked.lock().expect("nobody panicked"), [1, 65, 71], "nothing is read twice");
}

#[test]
fn a_block_left_out_is_found_out() {
    let (network, wallet) = blocks(5);
    let node = liar(&network, |answer| {
        answer["blocks"].as_array_mut().expect("blocks").remove(2);
    });
    let refused = history(&wallet, &node);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("not a chain"), "{refused:?}");
    let node = liar(&network, |answer| {
        answer["blocks"].as_array_mut().expect("blocks").remove(0);
    });
    assert!(history(&wallet, &node).out.contains("the blocks shown begin at height 2"));
    let node = liar(&network, |answer| *answer = json!({"blocks": [], "finality": null}));
    assert!(history(&wallet, &node).out.contains("the chain is proven to reach height 5"));
    assert_eq!(heights(&history(&wallet, &honest_node(&network, 1))), [1, 2, 3, 4, 5]);
}

#[test]
fn a_body_swapped_is_found_out() {
    let (network, wallet) = blocks(3);
    let node = liar(&network, |answer| {
        let other = answer["blocks"][2]["transactions"].clone();
        answer["blocks"][1]["transactions"] = other;
    });
    let refused = history(&wallet, &node);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("height 2 are not those of its header"), "{refused:?}");
}

#[test]
fn a_certificate_missing_proves_nothing() {
    let (network, wallet) = blocks(3);
    let node = liar(&network, |answer| answer["finality"] = Value::Null);
    let refused = history(&wallet, &node);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("has no certificate"), "{refused:?}");
}

#[test]
fn what_was_proven_before_a_lie_is_kept() {
    let (network, wallet) = blocks(70);
    let node = liar(&network, |answer| {
        if answer["blocks"][0]["header"]["height"] == 65 {
            answer["finality"] = Value::Null;
        }
    });
    assert_eq!(history(&wallet, &node).error(1), "not_proven");
    let (node, asked) = recording(&network);
    assert_eq!(heights(&history(&wallet, &node)).len(), 70);
    assert_eq!(*asked.lock().expect("nobody panicked"), [65]);
}

#[test]
fn a_cache_tampered_with_is_read_anew() {
    let (network, wallet) = blocks(3);
    let (node, asked) = recording(&network);
    let before = history(&wallet, &node).out;
    let path = wallet.dir().join(format!("history/{}.jsonl", rich().public().address()));
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("\"amount\":10", "\"amount\":99")).expect("it is ours");
    let human = wallet.run(&["history", "rich", "--node", node.url()]);
    assert!(human.err.contains("is read anew from the genesis"), "{human:?}");
    assert_eq!(history(&wallet, &node).out, before);
    assert_eq!(*asked.lock().expect("nobody panicked"), [1, 1]);
}

#[test]
fn another_chains_cache_is_read_anew() {
    let (network, wallet) = blocks(3);
    assert_eq!(heights(&history(&wallet, &honest_node(&network, 1))), [1, 2, 3]);
    let other = Arc::new(Mutex::new(Network::new("another")));
    other.lock().expect("nobody panicked").decide_transfers(1);
    let genesis = other.lock().expect("nobody panicked").genesis.to_json();
    wallet.file("genesis.json", &genesis);
    assert_eq!(heights(&history(&wallet, &honest_node(&other, 1))), [1]);
}

#[test]
fn a_fork_of_what_was_read_is_conflicting_finality_even_with_one_node() {
    let (_, wallet) = network_and_wallet("history");
    let (read, rival) = (fork("history", 3, 1), fork("history", 5, 2));
    assert_eq!(heights(&history(&wallet, &honest_node(&read, 1))), [1, 2, 3]);
    let node = honest_node(&rival, 1);
    let refused = history(&wallet, &node);
    assert_eq!(refused.error(1), "conflicting_finality");
    for part in ["CONFLICTING FINALITY at height 3", node.url(), "the proof kept in"] {
        assert!(refused.out.contains(part), "{part}: {refused:?}");
    }

    // It is also found by the parent alone, where the node does not show the block itself.
    let node = FakeNode::start(move |method, params| {
        let hidden = method == "block" && number(params, "height") == 3;
        if hidden {
            return Reply::result(Value::Null);
        }
        answer(&mut rival.lock().expect("nobody panicked"), method, params)
    });
    assert_eq!(history(&wallet, &node).error(1), "conflicting_finality");
}

#[test]
fn the_longest_proven_chain_of_several_nodes_is_read() {
    let (network, wallet) = blocks(5);
    let late = honest_node(&fork("history", 0, 0), 1);
    let (down, up) = (FakeNode::absent(), honest_node(&network, 1));
    let nodes = ["--node", &down, "--node", late.url(), "--node", up.url()];
    let arguments = [["history", "rich"].as_slice(), &nodes].concat();
    let outcome = wallet.json(&arguments);
    assert_eq!(heights(&outcome), [1, 2, 3, 4, 5]);
    let listed = outcome.json();
    assert_eq!(listed["nodes"][0]["agrees"], Value::Null);
    assert!(listed["nodes"][0]["error"].is_string());
    let expected =
        |url, height| json!({"url": url, "height": height, "agrees": true, "error": null});
    assert_eq!(listed["nodes"][1], expected(late.url(), 0));
    assert_eq!(listed["nodes"][2], expected(up.url(), 5));
    let human = wallet.run(&arguments);
    assert_eq!(human.code, 0);
    assert!(human.err.contains("is 5 blocks behind"), "{human:?}");
    assert!(human.err.contains(&format!("{down} cannot be compared")), "{human:?}");
}

#[test]
fn from_a_node_that_lies_the_next_one_takes_over() {
    let (network, wallet) = blocks(3);
    let bad = liar(&network, |answer| answer["finality"] = Value::Null);
    let good = honest_node(&network, 1);
    let arguments = ["history", "rich", "--node", bad.url(), "--node", good.url()];
    let outcome = wallet.json(&arguments);
    assert_eq!(heights(&outcome), [1, 2, 3]);
    assert_eq!(outcome.json()["nodes"][0]["agrees"], false);
    assert_eq!(outcome.json()["nodes"][1]["agrees"], true);

    let elsewhere = Wallet::new();
    let genesis = fs::read_to_string(wallet.dir().join("genesis.json")).expect("it is there");
    elsewhere.file("genesis.json", &genesis);
    let address = rich().public().address().to_string();
    let alone = ["history", &address, "--node", bad.url(), "--node", &FakeNode::absent()];
    let refused = elsewhere.json(&alone);
    assert_eq!(refused.error(1), "not_proven");
    assert_eq!(refused.json()["error"]["nodes"][0]["agrees"], false);
}

#[test]
fn a_node_behind_the_cache_is_a_note() {
    let (network, wallet) = blocks(4);
    assert_eq!(heights(&history(&wallet, &honest_node(&network, 1))).len(), 4);
    let (late, _) = blocks(2);
    let human = wallet.run(&["history", "rich", "--node", honest_node(&late, 1).url()]);
    assert_eq!(human.code, 0, "{human:?}");
    assert!(human.out.contains("4 final transactions"), "{human:?}");
    assert!(human.err.contains("is 2 blocks behind"), "{human:?}");
}

#[test]
fn no_node_and_no_room_are_our_own_failures() {
    let (network, wallet) = blocks(1);
    let absent = FakeNode::absent();
    assert_eq!(wallet.json(&["history", "rich", "--node", &absent]).error(3), "no_node");
    let both = ["history", "rich", "--node", &absent, "--node", &FakeNode::absent()];
    assert_eq!(wallet.json(&both).error(3), "no_node");
    wallet.file("file", "");
    fs::remove_dir_all(wallet.dir().join("history")).expect("it is ours");
    wallet.file("history", "in the way");
    assert_eq!(history(&wallet, &honest_node(&network, 1)).error(3), "disk");
    assert_eq!(wallet.json(&["history", "nobody"]).error(2), "unknown_account");
    assert_eq!(wallet.json(&["history", "rich", "--limit", "many"]).error(2), "usage");
}

#[test]
fn ctrl_c_keeps_what_was_read() {
    let (network, wallet) = blocks(70);
    let (asked, was_asked) = mpsc::channel();
    let shared = Arc::clone(&network);
    let node = FakeNode::start(move |method, params| {
        if method == "blocks" && number(params, "from") > 64 {
            // The second piece never comes.
            let _ = asked.send(());
            std::thread::sleep(std::time::Duration::from_secs(8));
        }
        answer(&mut shared.lock().expect("nobody panicked"), method, params)
    });
    let mut command = wallet.command(&["history", "rich", "--json", "--node", node.url()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    was_asked.recv().expect("it asks for the second piece");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let outcome = Outcome::of(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.error(1), "interrupted");
    assert!(outcome.out.contains("stopped at height 64"), "{outcome:?}");

    let (node, asked) = recording(&network);
    assert_eq!(heights(&history(&wallet, &node)).len(), 70);
    assert_eq!(*asked.lock().expect("nobody panicked"), [65]);
}

#[test]
fn a_proposer_finds_its_rewards_where_the_chain_has_them() {
    let proposer = validator(0).public().address().to_string();
    let chain = |reward| {
        let wallet = Wallet::new();
        let mut network = Network::rewarding("rewards", reward);
        wallet.file("genesis.json", &network.genesis.to_json());
        network.decide_transfers(2);
        (Arc::new(Mutex::new(network)), wallet)
    };
    let (network, wallet) = chain(50);
    let node = honest_node(&network, 1);
    let arguments = ["history", &proposer, "--node", node.url()];
    let found = wallet.json(&arguments).json();
    let reward = |height: u64| {
        json!({
            "height": height, "time": 1_700_000_000_000_u64 + height, "direction": "in",
            "kind": "reward", "counterparty": null, "amount": 50, "fee": 1, "id": null,
            "nonce": null,
        })
    };
    assert_eq!(found["transactions"], json!([reward(1), reward(2)]));
    let balance = wallet.json(&["balance", &proposer, "--node", node.url()]).json();
    assert_eq!(balance["balance"], 102, "two rewards and two fees");
    let human = wallet.run(&arguments);
    assert!(human.out.contains("earned 50 for the block, and 1 of fees in it\n"), "{human:?}");
    assert!(human.out.contains("2 final entries touch"), "{human:?}");

    let (network, wallet) = chain(0);
    let node = honest_node(&network, 1);
    let none = wallet.json(&["history", &proposer, "--node", node.url()]).json();
    assert_eq!(none["count"], 0, "where blocks are not rewarded, fees are not listed");
}
