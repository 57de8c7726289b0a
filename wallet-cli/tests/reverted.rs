//! Payments that were confirmed and are undone, and nodes on different branches.

use serde_json::{Value, json};
use std::{fs, sync::Arc};
use support::{
    Outcome, Pit, Wallet, crooked,
    fake_node::{FakeNode, Reply},
    mined::{INTERVAL, Mined, mined_genesis, transfers},
    miner,
    network::{poor, rich, validator},
    pit_and_wallet,
};

mod support;

/// A payment in block 4, three blocks deep, which the wallet has called confirmed, and another in
/// block 2, which it was never asked about.
fn confirmed() -> (Pit, Wallet, String) {
    let mut chain = Mined::new("reverted");
    chain.grow(1);
    let payments = transfers(&chain, 0..2, 25);
    let tx = payments[1].id().to_string();
    chain.mine(vec![payments[0].clone()]);
    chain.grow(1);
    chain.mine(vec![payments[1].clone()]);
    chain.grow(2);
    let (pit, wallet) = pit_and_wallet(chain);
    let verified = wallet.json(&["verify", &tx, "--node", miner(&pit).url()]);
    assert_eq!((verified.code, &verified.json()["confirmations"]), (0, &json!(3)), "{verified:?}");
    assert_eq!(verified.json()["reverted"], json!([]));
    (pit, wallet, tx)
}

/// Leaves the blocks above height 3 for a branch of four.
fn revert(pit: &Pit) {
    pit.lock().expect("nobody panicked").reorganise(3, 4);
}

/// Runs a command for a person and for a program.
fn ask(wallet: &Wallet, words: &[&str], nodes: &[&str]) -> (Outcome, Outcome) {
    let nodes = nodes.iter().flat_map(|url| ["--node", url]);
    let arguments: Vec<_> = words.iter().copied().chain(nodes).collect();
    (wallet.run(&arguments), wallet.json(&arguments))
}

#[test]
fn a_reverted_payment_is_told_by_every_command_that_follows_the_chain() {
    let (pit, wallet, tx) = confirmed();
    let block = pit.lock().expect("nobody panicked").header(4).hash();
    revert(&pit);
    let node = miner(&pit);
    let warning = format!("WARNING: payment {tx}, confirmed at height 4, was REVERTED");
    let to = poor().to_string();
    let send = ["send", "--from", "rich", "--to", &to, "--amount", "1"];
    let commands: [(&[&str], i32); 5] = [
        (&["status", &tx], 1),
        (&["verify", &tx], 1),
        (&["balance", "rich"], 0),
        (&["history", "rich"], 0),
        (&send, 0),
    ];
    for (words, code) in commands {
        let (human, program) = ask(&wallet, words, &[node.url()]);
        assert_eq!((human.code, program.code), (code, code), "{human:?} {program:?}");
        assert!(human.err.contains(&warning), "{words:?}: {human:?}");
        assert!(human.err.contains("It is pending"), "{words:?}: {human:?}");
        let found = program.json();
        let reverted = found.get("reverted").unwrap_or(&found["error"]["reverted"]);
        assert_eq!(reverted.as_array().map(Vec::len), Some(1), "{program:?}");
        let expected = json!({
            "tx": tx, "height": 4, "block": block, "confirmed_at": reverted[0]["confirmed_at"],
            "status": "pending", "now_height": null, "confirmations": 0,
        });
        assert_eq!(reverted[0], expected);
        assert!(reverted[0]["confirmed_at"].as_u64().is_some_and(|time| time > 1_700_000_000_000));
    }
}

#[test]
fn a_reverted_payment_is_mined_again_pending_or_gone() {
    let (pit, wallet, tx) = confirmed();
    revert(&pit);
    let node = miner(&pit);
    let status = || {
        let (human, program) = ask(&wallet, &["status", &tx], &[node.url()]);
        assert_eq!(human.code, program.code);
        (human.code, human.err.lines().next().unwrap_or_default().to_owned(), program.json())
    };
    let (code, said, _) = status();
    assert_eq!((code, said.ends_with("It is pending: it waits to be mined again.")), (1, true));

    pit.lock().expect("nobody panicked").mine_waiting();
    let (code, said, found) = status();
    assert_eq!(code, 1, "it is not confirmed any more");
    assert!(said.ends_with("It was mined again at height 8: 1 confirmation."), "{said}");
    assert_eq!(found["reverted"][0]["now_height"], 8);

    // Once it is confirmed again that is told once, and then it is as any other.
    pit.lock().expect("nobody panicked").grow(2);
    let said = wallet.run(&["verify", &tx, "--node", node.url()]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err.contains("It was mined again at height 8, and is confirmed there."),
        "{said:?}"
    );
    let (code, said, found) = status();
    assert_eq!((code, said.as_str(), &found["reverted"]), (0, "", &json!([])));

    let (pit, wallet, tx) = confirmed();
    revert(&pit);
    pit.lock().expect("nobody panicked").forget_waiting();
    let node = miner(&pit);
    let (human, program) = ask(&wallet, &["verify", &tx], &[node.url()]);
    assert_eq!((human.code, program.error(1).as_str()), (1, "not_proven"));
    assert!(human.err.contains("It is gone: no node that was asked knows it."), "{human:?}");
    assert_eq!(program.json()["error"]["reverted"][0]["status"], "unknown");
}

#[test]
fn a_payment_that_send_waited_for_is_remembered_too() {
    let (pit, wallet) = pit_and_wallet(Mined::new("reverted"));
    let node = crooked(&pit, |chain, method, params| {
        let reply = (method == "submit").then(|| chain.answer(method, params))?;
        chain.mine_waiting();
        chain.grow(2);
        Some(reply)
    });
    let to = poor().to_string();
    let send =
        ["send", "--from", "rich", "--to", &to, "--amount", "1", "--wait", "--timeout", "99s"];
    let (sent, _) = ask(&wallet, &send, &[node.url()]);
    assert_eq!(sent.code, 0, "{sent:?}");
    pit.lock().expect("nobody panicked").reorganise(0, 9);
    let (human, _) = ask(&wallet, &["balance", "rich"], &[miner(&pit).url()]);
    assert!(human.err.contains("confirmed at height 1, was REVERTED"), "{human:?}");
}

#[test]
fn less_work_than_was_seen_tells_nothing_of_a_payment() {
    let (pit, wallet, tx) = confirmed();
    let late = miner(&Arc::new(pit.lock().expect("nobody panicked").up_to(3).into()));
    // While the headers are kept, the node is only behind.
    let (human, _) = ask(&wallet, &["balance", "rich"], &[late.url()]);
    assert_eq!(human.code, 0, "{human:?}");
    assert!(
        human.err.contains("is 3 blocks behind") && !human.err.contains("REVERTED"),
        "{human:?}"
    );
    fs::remove_dir_all(wallet.dir().join("headers")).expect("they were kept");
    let (human, program) = ask(&wallet, &["balance", "rich"], &[late.url()]);
    assert!(human.err.contains("whether it stands cannot be told"), "{human:?}");
    assert!(human.err.contains(&tx) && !human.err.contains("REVERTED"), "{human:?}");
    assert_eq!(program.json()["reverted"], json!([]));
}

/// Two nodes that share seven blocks, and then found others: the first two, the second four. The
/// payment in block 8 is on the first branch only.
fn parted() -> (Pit, Pit, Wallet, String) {
    let mut one = Mined::new("parted");
    one.grow(7);
    let mut two = one.up_to(7);
    let payment = transfers(&one, 0..1, 25);
    let tx = payment[0].id().to_string();
    one.mine(payment);
    one.grow(1);
    two.grow_after(4, INTERVAL - 1);
    let (one, wallet) = pit_and_wallet(one);
    (one, Arc::new(two.into()), wallet, tx)
}

#[test]
fn of_nodes_that_disagree_the_heaviest_chain_is_taken_and_the_other_is_told() {
    let (one, two, wallet, tx) = parted();
    let (one, two) = (miner(&one), miner(&two));
    for nodes in [[one.url(), two.url()], [two.url(), one.url()]] {
        let (human, program) = ask(&wallet, &["balance", "rich"], &nodes);
        assert_eq!((human.code, &program.json()["balance"]), (0, &json!(1000)), "{human:?}");
        assert_eq!(program.json()["height"], 11);
        let said = format!(
            "note: the node at {} does not agree: it is on another branch since height 8, which \
             reaches height 9 with less work\n",
            one.url()
        );
        assert_eq!(human.err, said);
        let at = nodes.iter().position(|url| *url == one.url()).expect("it is one of them");
        let report = &program.json()["nodes"][at];
        assert_eq!((&report["agrees"], &report["branch"]), (&json!(false), &json!(8)));
        assert_eq!(program.json()["nodes"][1 - at]["agrees"], true);
    }
    // What is only on the lighter branch is not verified, whoever shows it.
    let (human, program) = ask(&wallet, &["verify", &tx], &[one.url(), two.url()]);
    assert_eq!((human.code, program.error(1).as_str()), (1, "not_proven"), "{human:?}");
    assert!(human.err.contains("at height 8 of a branch that is not the heaviest"), "{human:?}");
    let (human, program) = ask(&wallet, &["status", &tx], &[one.url(), two.url()]);
    assert_eq!(program.json()["status"], "pending");
    assert!(human.out.contains("height 8 of a branch that is not the heaviest"), "{human:?}");
    let (_, program) = ask(&wallet, &["history", "rich"], &[one.url(), two.url()]);
    assert_eq!((&program.json()["height"], &program.json()["count"]), (&json!(11), &json!(0)));
}

#[test]
fn a_truncated_chain_does_not_hide_a_heavier_one() {
    let (pit, wallet, tx) = confirmed();
    let cut = Arc::new(pit.lock().expect("nobody panicked").up_to(5).into());
    let (late, whole) = (miner(&cut), miner(&pit));
    let (human, program) = ask(&wallet, &["verify", &tx], &[late.url(), whole.url()]);
    assert_eq!((human.code, &program.json()["confirmations"]), (0, &json!(3)), "{human:?}");
    assert!(human.err.contains(&format!("{} is 1 block behind", late.url())), "{human:?}");
    // A branch of more blocks and less work hides nothing either.
    let genesis = mined_genesis("short", &[("pow.half_life_ms", INTERVAL)]);
    let mut long = Mined::from(genesis);
    long.grow(2);
    let mut heavy = long.up_to(2);
    long.grow(4);
    let payment = transfers(&heavy, 0..1, 25);
    let tx = payment[0].id().to_string();
    heavy.mine_after(payment, 1);
    heavy.grow_after(2, 1);
    let (long, wallet) = pit_and_wallet(long);
    let (long, heavy) = (miner(&long), miner(&Arc::new(heavy.into())));
    for nodes in [[long.url(), heavy.url()], [heavy.url(), long.url()]] {
        let (human, program) = ask(&wallet, &["verify", &tx], &nodes);
        assert_eq!((human.code, &program.json()["tip_height"]), (0, &json!(5)), "{human:?}");
        assert!(
            human.err.contains("since height 3, which reaches height 6 with less"),
            "{human:?}"
        );
    }
    // And one who has seen it is not led astray by a node that has not.
    let (human, program) = ask(&wallet, &["balance", "rich"], &[long.url()]);
    assert_eq!((human.code, &program.json()["height"]), (0, &json!(2)), "{human:?}");
    assert!(human.err.contains("is on another branch since height 3"), "{human:?}");
}

#[test]
fn a_node_that_has_only_another_branch_left_proves_no_balance() {
    let (one, two, wallet, _) = parted();
    two.lock().expect("nobody panicked").grow(1);
    assert_eq!(wallet.run(&["balance", "rich", "--node", miner(&two).url()]).code, 0);
    // It has committed its own block 8, so that it has no state of what both share.
    let mut alone = one.lock().expect("nobody panicked").up_to(9);
    alone.grow(1);
    let settled = crooked(&Arc::new(alone.into()), |chain, method, params| {
        (method == "status").then(|| {
            let reply = chain.answer(method, params);
            let mut status: Value = serde_json::from_slice(&reply.body).expect("it is JSON");
            status["result"]["height"] = json!(8);
            Reply::json(status)
        })
    });
    let (human, program) = ask(&wallet, &["balance", "rich"], &[settled.url()]);
    assert_eq!(program.error(1), "other_branch");
    assert!(
        human.err.contains("every node that answers is on a branch with less work"),
        "{human:?}"
    );
    assert_eq!(program.json()["error"]["nodes"][0]["branch"], 8);
}

#[test]
fn who_is_silent_or_denies_what_it_has_is_noted() {
    let (pit, wallet, tx) = confirmed();
    let denier = crooked(&pit, |_, method, params| {
        (method == "transaction").then(|| {
            Reply::result(json!({"id": params["id"], "status": "unknown", "transaction": null,
                "height": null, "index": null, "path": null, "finality": null}))
        })
    });
    let (absent, honest) = (FakeNode::absent(), miner(&pit));
    let nodes = [absent.as_str(), denier.url(), honest.url()];
    let (human, program) = ask(&wallet, &["verify", &tx], &nodes);
    assert_eq!(human.code, 0, "{human:?}");
    assert!(human.err.contains(&format!("{absent} cannot be compared")), "{human:?}");
    let denied = format!("{} does not agree: it does not show the transaction", denier.url());
    assert!(human.err.contains(&denied), "{human:?}");
    let agrees: Vec<_> = (0..3).map(|at| program.json()["nodes"][at]["agrees"].clone()).collect();
    assert_eq!(agrees, [Value::Null, json!(false), json!(true)]);
}

#[test]
fn a_history_goes_back_with_its_chain() {
    let (pit, wallet, _) = confirmed();
    let node = miner(&pit);
    let heights = || {
        let (_, program) = ask(&wallet, &["history", "rich"], &[node.url()]);
        let found = program.json();
        let list = found["transactions"].as_array().expect("a list").clone();
        let heights: Vec<_> = list.iter().map(|each| each["height"].as_u64().unwrap()).collect();
        (heights, found["height"].as_u64().unwrap(), found["confirmed_height"].as_u64().unwrap())
    };
    assert_eq!(heights(), (vec![2, 4], 6, 4));
    revert(&pit);
    let human = wallet.run(&["history", "rich", "--node", node.url()]);
    assert!(human.err.contains("what was read from height 6 down to 3 is dropped"), "{human:?}");
    assert_eq!(heights(), (vec![2], 7, 5));
    pit.lock().expect("nobody panicked").mine_waiting();
    assert_eq!(heights(), (vec![2, 8], 8, 6));
    let human = wallet.run(&["history", "rich", "--node", node.url()]);
    assert_eq!(human.out.matches("not confirmed yet").count(), 1, "{human:?}");
    let closing = "2 entries touch";
    let end = "up to height 8; up to 6 they are confirmed.\n";
    assert!(human.out.contains(closing) && human.out.ends_with(end), "{human:?}");
    // Nothing is asked for twice, and committed blocks come in rows.
    pit.lock().expect("nobody panicked").grow(30);
    assert_eq!(heights(), (vec![2, 8], 38, 36));
    fs::remove_dir_all(wallet.dir().join("history")).expect("it was kept");
    assert_eq!(heights(), (vec![2, 8], 38, 36));
}

#[test]
fn a_history_outlives_a_reorganisation_while_it_is_read() {
    let (pit, wallet, _) = confirmed();
    let mut done = false;
    let node = crooked(&pit, move |chain, method, params| {
        // Once the first body is asked for, the node has left that branch and forgotten it.
        let first = method == "block" && params["hash"] == json!(chain.header(5).hash());
        if !first || std::mem::replace(&mut done, true) {
            return None;
        }
        chain.reorganise(3, 4);
        Some(Reply::result(Value::Null))
    });
    let found = wallet.json(&["history", "rich", "--node", node.url()]);
    assert_eq!((found.code, &found.json()["height"]), (0, &json!(7)), "{found:?}");
    let found = found.json();
    let heights: Vec<_> = found["transactions"].as_array().unwrap().iter().collect();
    assert_eq!((heights.len(), &heights[0]["height"]), (1, &json!(2)), "block 4 was undone");
}

#[test]
fn the_sums_of_a_history_are_the_balance_rewards_counted() {
    let mut chain = Mined::new("sums");
    for nonce in 0..20 {
        chain.miner = (nonce % 3) as u32;
        let to = if nonce % 2 == 0 { validator(1).public().address() } else { poor() };
        let payment = chain.transfer(nonce, to, 7);
        chain.mine(vec![payment]);
    }
    let (pit, wallet) = pit_and_wallet(chain);
    let node = miner(&pit);
    for (address, founded) in [
        (rich().public().address(), 1000),
        (poor(), 0),
        (validator(0).public().address(), 0),
        (validator(1).public().address(), 0),
        (validator(3).public().address(), 0),
    ] {
        let address = address.to_string();
        let history = wallet.json(&["history", &address, "--node", node.url()]).json();
        let sum = history["transactions"].as_array().expect("a list").iter().map(|entry| {
            let (amount, fee) = (entry["amount"].as_i64().unwrap(), entry["fee"].as_i64().unwrap());
            match (entry["direction"].as_str(), entry["kind"].as_str()) {
                (Some("in"), Some("reward")) => amount + fee,
                (Some("in"), _) => amount,
                (Some("out"), _) => -(amount + fee),
                _ => -fee,
            }
        });
        let sum = founded + sum.sum::<i64>();
        let balance = wallet.json(&["balance", &address, "--node", node.url()]).json();
        assert_eq!(balance["balance"], sum, "{address}");
    }
}
