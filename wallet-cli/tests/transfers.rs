//! The binary with a node, honest or not.

use serde_json::json;
use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Instant,
};
use support::{
    Outcome, Shared, Wallet, answer,
    fake_node::{FakeNode, Reply},
    honest_node,
    network::{Network, poor, rich},
};
use wallet_cli::keystore::Keystore;

mod support;

fn network_and_wallet() -> (Shared, Wallet) {
    support::network_and_wallet("transfers")
}

fn send(to: &str, amount: &str) -> Vec<String> {
    ["send", "--from", "rich", "--to", to, "--amount", amount].map(str::to_owned).to_vec()
}

fn all<'a>(arguments: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[test]
fn a_transfer_becomes_final_and_can_be_verified() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, 3);
    let to = poor().to_string();
    let arguments = send(&to, "25");
    let sent = wallet.json(&all(&arguments, &["--wait", "--node", node.url()]));
    assert_eq!(sent.code, 0, "{sent:?}");
    assert_eq!(sent.err, "", "no progress for programs");
    let sent = sent.json();
    assert_eq!((&sent["status"], &sent["height"]), (&json!("final"), &json!(1)));
    let tx = sent["tx"].as_str().expect("an id");

    let balance = wallet.json(&["balance", &to, "--node", node.url()]);
    assert_eq!(balance.json(), json!({"address": to, "balance": 25, "nonce": 0}));
    let balance = wallet.json(&["balance", "rich", "--node", node.url()]).json();
    assert_eq!((&balance["balance"], &balance["nonce"]), (&json!(974), &json!(1)));

    let status = wallet.json(&["status", tx, "--node", node.url()]);
    assert_eq!(status.json(), json!({"status": "final", "tx": tx, "height": 1}));
    let verified = wallet.json(&["verify", tx, "--node", node.url()]);
    assert_eq!((verified.code, &verified.json()["height"]), (0, &json!(1)), "{verified:?}");
    let human = wallet.run(&["verify", tx, "--node", node.url()]);
    for part in ["chain ", "inclusion ", "committee ", "certificate ", "at least 3 of 4 stake"] {
        assert!(human.out.contains(part), "{part}: {human:?}");
    }
}

#[test]
fn without_waiting_a_transfer_is_pending_and_the_next_one_follows_it() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, 3);
    let arguments = send("rich", "5");
    let mut sent = Vec::new();
    for _ in 0..2 {
        let outcome = wallet.json(&all(&arguments, &["--node", node.url()]));
        assert_eq!((outcome.code, &outcome.json()["status"]), (0, &json!("pending")));
        sent.push(outcome.json()["tx"].as_str().expect("an id").to_owned());
    }
    assert_ne!(sent[0], sent[1], "the second one has the next nonce");
    let status = wallet.json(&["status", &sent[1], "--node", node.url()]);
    assert_eq!(status.json(), json!({"status": "pending", "tx": sent[1]}));
    assert_eq!(wallet.json(&["verify", &sent[1], "--node", node.url()]).error(1), "not_proven");
    network.lock().expect("nobody panicked").decide_waiting();
    for tx in &sent {
        assert_eq!(wallet.run(&["verify", tx, "--node", node.url()]).code, 0);
    }
}

#[test]
fn more_than_the_balance_is_refused_before_anything_is_signed() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, 1);
    for (amount, fee) in [("1000", "1"), ("1001", "0"), ("18446744073709551615", "1")] {
        let arguments = send(&poor().to_string(), amount);
        let refused = wallet.json(&all(&arguments, &["--fee", fee, "--node", node.url()]));
        assert_eq!(refused.error(1), "balance");
        assert!(refused.out.contains("rich holds 1000"), "{refused:?}");
    }
    assert_eq!(network.lock().expect("nobody panicked").status().pool, 0);
}

#[test]
fn a_wrong_passphrase_signs_nothing() {
    let (network, wallet) = network_and_wallet();
    let name = "locked".parse().expect("a good name");
    Keystore::open(wallet.dir()).create(&name, &rich(), "tree").expect("a free name");
    let node = honest_node(&network, 1);
    let arguments = ["send", "--from", "locked", "--to", "rich", "--amount", "1", "--node"];
    let arguments = [arguments.as_slice(), &[node.url()]].concat();
    assert_eq!(wallet.json(&arguments).error(2), "no_terminal");
    let wallet = wallet.with("WALLET_PASSPHRASE", "three");
    assert_eq!(wallet.json(&arguments).error(2), "wrong_passphrase");
    let wallet = wallet.with("WALLET_PASSPHRASE", "tree");
    assert_eq!(wallet.json(&arguments).code, 0);
}

#[test]
fn a_node_on_another_chain_is_found_out_before_anything_is_signed() {
    let (_, wallet) = network_and_wallet();
    let other = Arc::new(Mutex::new(Network::new("another")));
    let node = honest_node(&other, 1);
    let arguments = send("rich", "1");
    let refused = wallet.json(&all(&arguments, &["--node", node.url()]));
    assert_eq!(refused.error(2), "wrong_chain");
    let balance = wallet.json(&["balance", "rich", "--node", node.url()]);
    assert_eq!(balance.error(2), "wrong_chain");
    assert_eq!(other.lock().expect("nobody panicked").status().pool, 0);
}

#[test]
fn another_genesis_verifies_nothing() {
    let (network, wallet) = network_and_wallet();
    let id = {
        let mut network = network.lock().expect("nobody panicked");
        let transfer = network.transfer(0, poor(), 1);
        let id = transfer.id().to_string();
        network.decide(vec![transfer], true);
        id
    };
    let node = honest_node(&network, 1);
    assert_eq!(wallet.run(&["verify", &id, "--node", node.url()]).code, 0);
    let other = wallet.file("other.json", &Network::new("another").genesis.to_json());
    let arguments = ["verify", &id, "--node", node.url(), "--genesis", &other];
    let refused = wallet.json(&arguments);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("is it the genesis of this network?"), "{refused:?}");
}

#[test]
fn what_is_not_final_in_time_exits_with_1_and_names_the_transaction() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, usize::MAX);
    let arguments = send("rich", "1");
    let start = Instant::now();
    let late =
        wallet.json(&all(&arguments, &["--wait", "--timeout", "300ms", "--node", node.url()]));
    assert_eq!(late.error(1), "not_in_time");
    assert_eq!(late.json()["error"]["tx"].as_str().map(str::len), Some(64));
    assert!(start.elapsed().as_secs() < 20, "it stops in time");
}

#[test]
fn a_lie_about_finality_or_balance_exits_with_1() {
    let (network, wallet) = network_and_wallet();
    let liar = FakeNode::start(move |method, params| {
        let mut network = network.lock().expect("nobody panicked");
        match method {
            "account" if params["address"] == json!(poor()) => {
                let mut answer = network.account(poor());
                answer.account.balance.0 = 1_000_000;
                Reply::result(json!(answer))
            }
            "transaction" => {
                network.decide_waiting();
                let id = params["id"].as_str().expect("a text").parse().expect("an id");
                let mut answer = network.transaction(id);
                // One vote is missing.
                let block = network.ledger.committed(1).expect("it is decided");
                let proof = network.certify(&block, &[0, 1]);
                answer.finality.as_mut().expect("it is decided").proof = proof;
                Reply::result(json!(answer))
            }
            _ => answer(&mut network, method, params),
        }
    });
    let balance = wallet.json(&["balance", &poor().to_string(), "--node", liar.url()]);
    assert_eq!(balance.error(1), "not_proven");
    let arguments = send("rich", "1");
    let sent = wallet.json(&all(&arguments, &["--wait", "--node", liar.url()]));
    assert_eq!(sent.error(1), "not_proven");
    assert!(sent.out.contains("2 of 4 stake"), "{sent:?}");
}

#[test]
fn a_refusal_of_the_chain_exits_with_1_and_keeps_its_reason() {
    let (network, wallet) = network_and_wallet();
    let status = json!(network.lock().expect("nobody panicked").status());
    let account = {
        let address = rich().public().address();
        json!(network.lock().expect("nobody panicked").account(address))
    };
    let node = FakeNode::start(move |method, _| match method {
        "status" => Reply::result(status.clone()),
        "account" => Reply::result(account.clone()),
        "submit" => Reply::refusal(-32000, "the pool is full", "pool_full"),
        _ => Reply::refusal(-32602, "bad params", "bad_params"),
    });
    let arguments = send("rich", "1");
    let refused = wallet.json(&all(&arguments, &["--node", node.url()]));
    assert_eq!(refused.error(1), "pool_full");
    let misunderstood = wallet.json(&["status", &"0".repeat(64), "--node", node.url()]);
    assert_eq!(misunderstood.error(3), "bad_params");
}

#[test]
fn nodes_come_from_the_option_the_variable_or_the_file_in_this_order() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, 1);
    let absent = FakeNode::absent();
    assert_eq!(wallet.json(&["balance", "rich", "--node", &absent]).error(3), "no_node");
    // The testnet's file names all nodes, and the first one is down.
    wallet.file("node.url", &format!("{absent}\n{}\n", node.url()));
    assert_eq!(wallet.run(&["balance", "rich"]).code, 0);
    let wallet = wallet.with("WALLET_NODE", &absent);
    assert_eq!(wallet.json(&["balance", "rich"]).error(3), "no_node");
    let both = ["balance", "rich", "--node", &absent, "--node", node.url()];
    assert_eq!(wallet.run(&both).code, 0);
}

#[test]
fn an_unknown_transaction_exits_with_1() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, usize::MAX);
    let id = "0".repeat(64);
    let status = wallet.json(&["status", &id, "--node", node.url()]);
    assert_eq!((status.code, status.json()), (1, json!({"status": "unknown", "tx": id})));
    assert_eq!(wallet.json(&["verify", &id, "--node", node.url()]).error(1), "not_proven");
}

#[test]
fn options_may_stand_before_and_after_the_command() {
    let (network, wallet) = network_and_wallet();
    let node = honest_node(&network, 1);
    let dir = wallet.dir();
    let dir = dir.to_str().expect("a temporary path is text");
    let wallet = wallet.with("WALLET_DIR", "/nowhere");
    let after = ["balance", "rich", "--json", "--dir", dir, "--node", node.url()];
    let before = ["--json", "--dir", dir, "--node", node.url(), "balance", "rich"];
    assert_eq!(wallet.run(&after).json()["balance"], 1000);
    assert_eq!(wallet.run(&before).json()["balance"], 1000);
}

#[test]
fn ctrl_c_ends_the_wait_and_names_the_transaction() {
    let (network, wallet) = network_and_wallet();
    let (asked, was_asked) = mpsc::channel();
    let node = FakeNode::start(move |method, params| {
        if method == "transaction" {
            // Whoever listens needs to hear this only once.
            let _ = asked.send(());
        }
        answer(&mut network.lock().expect("nobody panicked"), method, params)
    });
    let arguments = send("rich", "1");
    let arguments = all(&arguments, &["--wait", "--timeout", "5m", "--json", "--node", node.url()]);
    let mut command = wallet.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    was_asked.recv().expect("it asks what became of the transfer");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let outcome = Outcome::of(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.error(1), "interrupted");
    assert!(outcome.json()["error"]["tx"].is_string(), "{outcome:?}");
}
