//! The binary on a chain of proof-of-work: confirmations, balances, and the headers it keeps.

use serde_json::json;
use std::{
    fs,
    process::{Command, Stdio},
    sync::{Arc, mpsc},
};
use support::{
    Outcome, Pit, Wallet, crooked,
    fake_node::FakeNode,
    mined::{INTERVAL, Mined, mined_genesis, transfers},
    miner,
    network::{poor, rich},
    paid, pit_and_wallet,
};

mod support;

/// A chain of so many empty blocks.
fn pit(blocks: u64) -> (Pit, Wallet) {
    let mut chain = Mined::new("light");
    chain.grow(blocks);
    pit_and_wallet(chain)
}

/// Something that happens to a chain.
type Step = Box<dyn FnOnce(&mut Mined) + Send>;

/// An honest node where something happens each time it is asked for headers after a transaction was
/// handed to it.
fn scripted(pit: &Pit, mut steps: Vec<Step>) -> FakeNode {
    let mut submitted = false;
    steps.reverse();
    crooked(pit, move |chain, method, _| {
        submitted |= method == "submit";
        if submitted
            && method == "headers"
            && let Some(step) = steps.pop()
        {
            step(chain);
        }
        None
    })
}

fn step(step: impl FnOnce(&mut Mined) + Send + 'static) -> Step {
    Box::new(step)
}

fn send<'a>(to: &'a str, node: &'a FakeNode) -> Vec<&'a str> {
    let words = ["send", "--from", "rich", "--to", to, "--amount", "25", "--wait"];
    [words.as_slice(), &["--timeout", "100s", "--node", node.url()]].concat()
}

fn verify(wallet: &Wallet, tx: &str, node: &FakeNode) -> Outcome {
    wallet.json(&["verify", tx, "--node", node.url()])
}

#[test]
fn confirmations_are_counted_aloud_until_there_are_enough() {
    let (pit, wallet) = pit(2);
    let steps =
        vec![step(Mined::mine_waiting), step(|chain| chain.grow(1)), step(|chain| chain.grow(1))];
    let node = scripted(&pit, steps);
    let to = poor().to_string();
    let human = wallet.run(&send(&to, &node));
    assert_eq!(human.code, 0, "{human:?}");
    let told: Vec<_> = human.err.lines().skip(1).collect();
    let counted = [
        "Included at height 3; 1 of 3 confirmations.",
        "2 of 3 confirmations.",
        "3 of 3 confirmations.",
    ];
    assert_eq!(told, counted);
    assert!(human.out.starts_with("Confirmed at height 3, with 3 of 3 confirmations"), "{human:?}");

    let steps = vec![step(Mined::mine_waiting), step(|chain| chain.grow(2))];
    let node = scripted(&pit, steps);
    let sent = wallet.json(&send(&to, &node));
    assert_eq!((sent.code, sent.err.as_str()), (0, ""), "no progress for programs: {sent:?}");
    let (sent, chain) = (sent.json(), pit.lock().expect("nobody panicked"));
    let work = 3.0 * 256.0;
    let found: f64 = sent["work"].as_str().expect("text").parse().expect("a number");
    assert!((found - work).abs() < 0.1 * work, "{found} is about {work}");
    let expected = json!({
        "status": "confirmed", "tx": sent["tx"], "height": 6, "block": chain.header(6).hash(),
        "confirmations": 3, "needed": 3, "work": sent["work"], "reverted": [],
        "nodes": [{"url": node.url(), "height": 8, "agrees": true, "error": null}],
    });
    assert_eq!(sent, expected);
}

#[test]
fn a_block_undone_while_waiting_is_told_and_the_wait_goes_on() {
    let (pit, wallet) = pit(4);
    let steps = vec![
        step(Mined::mine_waiting),
        step(|chain| chain.grow(1)),
        // The payment's block and the one upon it are undone, and it waits again.
        step(|chain| chain.reorganise(4, 3)),
        step(Mined::mine_waiting),
        step(|chain| chain.grow(2)),
    ];
    let node = scripted(&pit, steps);
    let to = poor().to_string();
    let human = wallet.run(&send(&to, &node));
    assert_eq!(human.code, 0, "{human:?}");
    let told: Vec<_> = human.err.lines().skip(1).collect();
    let expected = [
        "Included at height 5; 1 of 3 confirmations.",
        "2 of 3 confirmations.",
        "The block at height 5 was undone by a heavier branch; waiting again.",
        "Included at height 8; 1 of 3 confirmations.",
        "3 of 3 confirmations.",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_transfer_whose_nonce_another_has_used_is_replaced() {
    let (pit, wallet) = pit(4);
    let steps = vec![
        step(Mined::mine_waiting),
        step(|chain| {
            // The other branch holds another transfer with the same nonce.
            let rival = transfers(chain, 0..1, 99);
            let fork = chain.ledger.adopted(4).expect("it is there").hash();
            let first = chain.find(fork, Vec::new(), INTERVAL - 1).hash();
            let second = chain.find(first, rival, INTERVAL - 1).hash();
            chain.adopt(second);
            chain.forget_waiting();
        }),
    ];
    let node = scripted(&pit, steps);
    let to = poor().to_string();
    let replaced = wallet.json(&send(&to, &node));
    assert_eq!(replaced.error(1), "replaced");
    let by = transfers(&pit.lock().expect("nobody panicked"), 0..1, 99)[0].id();
    let error = replaced.json();
    let error = &error["error"];
    assert_eq!((&error["by"], &error["height"]), (&json!(by), &json!(6)));
    assert_eq!(error["tx"].as_str().map(str::len), Some(64));
    assert!(replaced.out.contains("the nonce 0"), "{replaced:?}");
}

#[test]
fn what_is_not_confirmed_in_time_says_how_far_it_came() {
    let (pit, wallet) = pit(2);
    // Two blocks are found at once, and then no more.
    let node = crooked(&pit, |chain, method, params| {
        let reply = (method == "submit").then(|| chain.answer(method, params))?;
        chain.mine_waiting();
        chain.grow(1);
        Some(reply)
    });
    let to = poor().to_string();
    let mut arguments = send(&to, &node);
    let at = arguments.iter().position(|each| *each == "100s").expect("it is there");
    arguments[at] = "10s";
    let late = wallet.json(&arguments);
    assert_eq!(late.error(1), "not_in_time");
    let error = late.json();
    let error = &error["error"];
    assert_eq!((&error["height"], &error["confirmations"]), (&json!(3), &json!(2)));
    assert!(late.out.contains("it has 2 of 3 confirmations, at height 3"), "{late:?}");
}

#[test]
fn without_waiting_a_transfer_is_pending_and_the_next_one_follows_it() {
    let (pit, wallet) = pit(2);
    let node = miner(&pit);
    let to = poor().to_string();
    let words = ["send", "--from", "rich", "--to", &to, "--amount", "5", "--node", node.url()];
    let mut sent = Vec::new();
    for _ in 0..2 {
        let outcome = wallet.json(&words);
        assert_eq!((outcome.code, &outcome.json()["status"]), (0, &json!("pending")));
        sent.push(outcome.json()["tx"].as_str().expect("an id").to_owned());
    }
    let status = wallet.json(&["status", &sent[1], "--node", node.url()]);
    assert_eq!((status.code, &status.json()["status"]), (0, &json!("pending")), "{status:?}");
    let refused = verify(&wallet, &sent[1], &node);
    assert_eq!(refused.error(1), "not_proven");
    assert!(refused.out.contains("it still waits to be included"), "{refused:?}");
    pit.lock().expect("nobody panicked").mine_waiting();
    for tx in &sent {
        let early = verify(&wallet, tx, &node);
        assert_eq!((early.code, &early.json()["confirmations"]), (1, &json!(1)), "{early:?}");
    }
    let poorer = ["send", "--from", "rich", "--to", &to, "--amount", "2000", "--node", node.url()];
    assert_eq!(wallet.json(&poorer).error(1), "balance");
}

#[test]
fn verify_holds_only_for_what_is_confirmed() {
    let (pit, wallet, tx) = paid(1);
    let node = miner(&pit);
    let early = verify(&wallet, &tx, &node);
    assert_eq!(early.code, 1, "{early:?}");
    assert_eq!(
        (&early.json()["status"], &early.json()["confirmations"]),
        (&json!("pending"), &json!(2))
    );
    pit.lock().expect("nobody panicked").grow(1);
    let confirmed = verify(&wallet, &tx, &node);
    assert_eq!(confirmed.code, 0, "{confirmed:?}");
    let (found, chain) = (confirmed.json(), pit.lock().expect("nobody panicked"));
    let expected = json!({
        "status": "confirmed", "tx": tx, "height": 4, "block": chain.header(4).hash(),
        "confirmations": 3, "needed": 3, "work": found["work"], "index": 0, "count": 1,
        "chain": chain.genesis.chain_id(), "consensus": "pow", "tip_height": 6,
        "tip": chain.ledger.head(), "chain_work": found["chain_work"], "reverted": [],
        "nodes": [{"url": node.url(), "height": 6, "agrees": true, "error": null}],
    });
    assert_eq!(found, expected);
    drop(chain);
    let human = wallet.run(&["verify", &tx, "--node", node.url()]);
    for part in ["Confirmed: at height 4", "chain ", "inclusion ", "3 of 3", "work ", "headers"] {
        assert!(human.out.contains(part), "{part}: {human:?}");
    }
    pit.lock().expect("nobody panicked").grow(20);
    let deep = wallet.run(&["status", &tx, "--node", node.url()]);
    let expected =
        "Confirmed: at height 4 of the heaviest chain, 23 confirmations, of which 3 are enough.\n";
    assert_eq!((deep.code, deep.out.as_str()), (0, expected), "{deep:?}");
}

#[test]
fn a_balance_tells_what_is_confirmed_from_what_is_not() {
    let (pit, wallet, _) = paid(1);
    let node = miner(&pit);
    let to = poor().to_string();
    let ask = |account: &str| {
        let human = wallet.run(&["balance", account, "--node", node.url()]);
        assert_eq!(human.code, 0, "{human:?}");
        (human.out, wallet.json(&["balance", account, "--node", node.url()]).json())
    };
    let (human, program) = ask(&to);
    assert!(human.contains("balance    25, of which 25 still unconfirmed"), "{human}");
    assert!(human.contains("confirmed  0, after the block at height 3"), "{human}");
    let expected = json!({
        "address": to, "balance": 25, "nonce": 0, "height": 5, "confirmed": 0,
        "confirmed_height": 3, "needed": 3, "reverted": [],
        "nodes": [{"url": node.url(), "height": 5, "agrees": true, "error": null}],
    });
    assert_eq!(program, expected);
    let (human, program) = ask("rich");
    assert!(
        human.contains("balance    974, after 26 that left and are still unconfirmed"),
        "{human}"
    );
    assert_eq!((&program["balance"], &program["confirmed"]), (&json!(974), &json!(1000)));

    pit.lock().expect("nobody panicked").grow(1);
    let (human, program) = ask(&to);
    assert!(human.contains("balance    25\nconfirmed  25, after the block at height 4"), "{human}");
    assert_eq!((&program["balance"], &program["confirmed"]), (&json!(25), &json!(25)));
}

#[test]
fn a_young_chain_counts_from_the_genesis_and_an_old_one_from_what_nodes_keep() {
    let (pit, wallet) = pit(0);
    let node = miner(&pit);
    for (grow, height, confirmed) in [(0, 0, 0), (1, 1, 0), (2, 3, 1), (30, 33, 31)] {
        pit.lock().expect("nobody panicked").grow(grow);
        let found = wallet.json(&["balance", "rich", "--node", node.url()]).json();
        assert_eq!(
            (&found["height"], &found["confirmed_height"]),
            (&json!(height), &json!(confirmed))
        );
        assert_eq!((&found["balance"], &found["confirmed"]), (&json!(1000), &json!(1000)));
    }
}

fn tx_of_nobody() -> String {
    "0".repeat(64)
}

#[test]
fn an_unknown_transaction_and_another_chain_exit_as_ever() {
    let (pit, wallet) = pit(3);
    let node = miner(&pit);
    let status = wallet.json(&["status", &tx_of_nobody(), "--node", node.url()]);
    assert_eq!((status.code, &status.json()["status"]), (1, &json!("unknown")), "{status:?}");
    assert_eq!(verify(&wallet, &tx_of_nobody(), &node).error(1), "not_proven");
    let absent = FakeNode::absent();
    assert_eq!(wallet.json(&["balance", "rich", "--node", &absent]).error(3), "no_node");
    let other = Wallet::new();
    other.file("genesis.json", &mined_genesis("another", &[]).to_json());
    let address = rich().public().address().to_string();
    let refused = other.json(&["balance", &address, "--node", node.url()]);
    assert_eq!(refused.error(2), "wrong_chain");
    // Settings that make no sense are the genesis' fault.
    other.file("genesis.json", &mined_genesis("x", &[("pow.irreversible", 1)]).to_json());
    assert_eq!(other.json(&["balance", &address, "--node", node.url()]).error(2), "bad_genesis");
    // Without a genesis a status is a node's word.
    fs::remove_file(wallet.dir().join("genesis.json")).expect("it is there");
    let word = wallet.json(&["status", &tx_of_nobody(), "--node", node.url()]);
    assert_eq!(word.json(), json!({"status": "unknown", "tx": tx_of_nobody()}));
}

#[test]
fn headers_are_fetched_once_and_damage_is_told_and_repaired() {
    let (pit, wallet) = pit(700);
    let (asked, was_asked) = mpsc::channel();
    let node = crooked(&pit, move |_, method, params| {
        if method == "headers" {
            let _ = asked.send(params["from"].as_u64().expect("a height"));
        }
        None
    });
    let ask = || {
        let human = wallet.run(&["balance", "rich", "--node", node.url()]);
        assert_eq!(human.code, 0, "{human:?}");
        (was_asked.try_iter().collect::<Vec<_>>(), human.err)
    };
    assert_eq!(ask(), (vec![1, 513], String::new()));
    assert_eq!(ask(), (vec![700], String::new()));
    pit.lock().expect("nobody panicked").grow(2);
    assert_eq!(ask(), (vec![700], String::new()));
    let chain = pit.lock().expect("nobody panicked").genesis.chain_id();
    let path = wallet.dir().join(format!("headers/{chain}.bin"));
    let mut bytes = fs::read(&path).expect("it is kept");
    assert!(bytes.len() < 702 * 256, "{} bytes", bytes.len());
    let middle = bytes.len() - 1000;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("it is ours");
    let (asked, err) = ask();
    assert_eq!(asked, [512]);
    let note = "are damaged, and asked for again after height 512";
    assert!(err.contains(note) && err.lines().count() == 1, "{err}");
    assert_eq!(ask(), (vec![702], String::new()));
}

#[test]
fn a_wallet_that_cannot_keep_headers_works_all_the_same() {
    let (pit, wallet) = pit(3);
    let node = miner(&pit);
    wallet.file("headers", "in the way");
    wallet.file("payments", "in the way");
    let human = wallet.run(&["balance", "rich", "--node", node.url()]);
    assert_eq!(human.code, 0, "{human:?}");
    assert!(human.err.contains("headers cannot be kept in"), "{human:?}");
    assert!(human.err.contains("payments cannot be remembered"), "{human:?}");
    let program = wallet.json(&["balance", "rich", "--node", node.url()]);
    assert_eq!((program.code, program.err.as_str()), (0, ""), "{program:?}");
}

#[test]
fn ctrl_c_ends_the_wait_and_names_the_transaction() {
    let (pit, wallet) = pit(2);
    let (asked, was_asked) = mpsc::channel();
    let node = crooked(&pit, move |_, method, _| {
        if method == "transaction" {
            let _ = asked.send(());
        }
        None
    });
    let to = poor().to_string();
    let mut command = wallet.command(&[send(&to, &node).as_slice(), &["--json"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    was_asked.recv().expect("it asks what became of the transfer");
    interrupt(child.id());
    let outcome = Outcome::of(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.error(1), "interrupted");
    assert!(outcome.json()["error"]["tx"].is_string(), "{outcome:?}");
}

#[test]
fn ctrl_c_keeps_the_headers_that_were_checked() {
    let (pit, wallet) = pit(600);
    let (asked, was_asked) = mpsc::channel();
    let shared = Arc::clone(&pit);
    let node = FakeNode::start(move |method, params| {
        if method == "headers" && params["from"] == json!(513) {
            // The second page never comes.
            let _ = asked.send(());
            std::thread::sleep(std::time::Duration::from_secs(8));
        }
        shared.lock().expect("nobody panicked").answer(method, params)
    });
    let mut command = wallet.command(&["balance", "rich", "--json", "--node", node.url()]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    was_asked.recv().expect("it asks for the second page");
    interrupt(child.id());
    let outcome = Outcome::of(child.wait_with_output().expect("it ends"));
    assert_eq!(outcome.error(1), "interrupted");
    let (asked, was_asked) = mpsc::channel();
    let node = crooked(&pit, move |_, method, params| {
        if method == "headers" {
            let _ = asked.send(params["from"].as_u64().expect("a height"));
        }
        None
    });
    assert_eq!(wallet.run(&["balance", "rich", "--node", node.url()]).code, 0);
    assert_eq!(was_asked.try_iter().collect::<Vec<_>>(), [512]);
}

fn interrupt(process: u32) {
    let kill = Command::new("kill").args(["-INT", &process.to_string()]).status();
    assert!(kill.expect("kill runs").success());
}
