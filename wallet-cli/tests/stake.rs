//! The binary on a chain whose committee changes.

use crypto::PublicKey;
use ledger::{
    Action, Amount, Payload, ReplicaId, Share, Transaction,
    query::{CommitteesAnswer, WeightAnswer, WeightsAnswer},
};
use serde_json::{Value, json};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use support::{
    Shared, answer,
    fake_node::{FakeNode, Reply},
    honest_node, leaking_network_and_wallet,
    network::{key_of, poor, rich, validator},
    number, staked_network_and_wallet,
};

mod support;

/// A node that decides what waits whenever it is asked for a transaction, lies where `lie` has an answer,
/// and counts its calls of `committees`.
fn node(
    network: &Shared,
    mut lie: impl FnMut(&Shared, &str, &Value) -> Option<Reply> + Send + 'static,
) -> (FakeNode, Arc<AtomicUsize>) {
    let (network, asked) = (Arc::clone(network), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&asked);
    let node = FakeNode::start(move |method, params| {
        counter.fetch_add(usize::from(method == "committees"), Ordering::Relaxed);
        if let Some(lie) = lie(&network, method, params) {
            return lie;
        }
        let mut network = network.lock().expect("no test panics while it holds this");
        if method == "transaction" {
            network.decide_waiting();
        }
        answer(&mut network, method, params)
    });
    (node, asked)
}

fn honest(network: &Shared) -> FakeNode {
    node(network, |_, _, _| None).0
}

/// Decides so many empty blocks.
fn grow(network: &Shared, blocks: usize) {
    let mut network = network.lock().expect("nobody panicked");
    (0..blocks).for_each(|_| _ = network.decide(vec![], true));
}

/// A transaction of the validator that is known by this number.
fn act(network: &Shared, id: u8, nonce: u64, action: Action) -> Transaction {
    let chain = network.lock().expect("nobody panicked").genesis.chain_id();
    let (key, fee) = (key_of(id), Amount(0));
    Payload { chain, sender: key.public(), nonce, fee, action }.sign(&key)
}

/// The rich account bonds, and gets its seat; then founder 3 leaves. Two changes in all, and a transfer
/// after them: its name.
fn changed(network: &Shared) -> String {
    let bond = Action::Bond { amount: Amount(3), validator: ReplicaId(4) };
    let bond = act(network, 4, 0, bond);
    network.lock().unwrap().decide(vec![bond], true);
    grow(network, 2);
    let leave = act(network, 3, 0, Action::Unbond { amount: Amount(1) });
    network.lock().unwrap().decide(vec![leave], true);
    grow(network, 2);
    let mut network = network.lock().unwrap();
    let transfer = network.transfer(1, poor(), 25);
    let name = transfer.id().to_string();
    network.decide(vec![transfer], true);
    assert_eq!(network.ledger.changes().len(), 2);
    name
}

#[test]
fn stake_is_bonded_shown_and_taken_out_again() {
    let (network, wallet) = staked_network_and_wallet("stake");
    let node = honest(&network);
    let run = |arguments: &[&str]| wallet.json(&[arguments, &["--node", node.url()]].concat());

    let early = run(&["stake", "rich"]).json();
    assert_eq!(
        (&early["height"], &early["staked"], &early["supply"]),
        (&0.into(), &4.into(), &1004.into())
    );
    assert_eq!(
        (&early["next_validator"], &early["account"]["validator"]),
        (&4.into(), &Value::Null)
    );
    assert_eq!(early["validators"][2]["share_permille"], 250);

    // Without --from: there is only one account.
    let bonded = run(&["bond", "5", "--validator", "4", "--wait"]).json();
    assert_eq!((&bonded["status"], &bonded["validator"]), (&json!("final"), &json!(4)));
    assert_eq!((&bonded["height"], &bonded["votes_from"]), (&json!(1), &json!(3)));
    let soon = run(&["stake", "rich"]).json();
    assert_eq!(
        (&soon["account"]["bonded"], &soon["validators"][4]["weight"]),
        (&5.into(), &0.into())
    );
    grow(&network, 2);
    let seated = run(&["stake", "rich"]).json();
    let newcomer = &seated["validators"][4];
    assert_eq!((&newcomer["weight"], &newcomer["since"]), (&5.into(), &3.into()));
    assert_eq!(newcomer["key"], json!(rich().public()));
    assert_eq!(
        (&seated["staked"], &seated["supply"], &seated["burned"]),
        (&9.into(), &1004.into(), &0.into())
    );

    let left = run(&["unbond", "2", "--from", "rich", "--wait"]).json();
    assert_eq!((&left["height"], &left["free_at"]), (&json!(4), &json!(10)));
    let leaving = run(&["stake", "rich"]).json();
    assert_eq!(
        leaving["account"]["unbonding"],
        json!([{"validator": 4, "amount": 2, "free_at": 10}])
    );
    assert_eq!(leaving["leaving"], 2);
    grow(&network, 6);
    let free = run(&["stake", "rich"]).json();
    assert_eq!(
        (&free["account"]["unbonding"], &free["account"]["bonded"]),
        (&json!([]), &json!(3))
    );
    let human = wallet.run(&["stake", "rich", "--node", node.url()]).out;
    for part in [
        "is validator 4: 3 at stake",
        "42.8 %",
        "supply     1004",
        "Proven after the block at height 10",
    ] {
        assert!(human.contains(part), "{part}: {human}");
    }
}

#[test]
fn whose_vote_fades_is_proven_and_what_a_node_says_besides_is_not() {
    let (network, wallet) = leaking_network_and_wallet("leak");
    grow(&network, 2);
    for _ in 0..3 {
        network.lock().unwrap().decide_as_seen(&[0, 1, 2]);
    }
    let (halted, _) = self::node(&network, |network, method, _| {
        let mut status = network.lock().unwrap().status();
        let members = [(0, 1_000_000, 0), (2, 719_999, 28), (3, 611_112, 40)];
        let members =
            members.map(|(id, left, score)| WeightAnswer { id: ReplicaId(id), left, score });
        let members = members.to_vec();
        status.weights = Some(WeightsAnswer { height: 6, round: 17, recovering: true, members });
        (method == "status").then(|| Reply::result(json!(status)))
    });
    let node = honest(&network);
    let seen = wallet.json(&["stake", "--node", node.url()]).json();
    let validators = seen["validators"].as_array().unwrap();
    let shares: Vec<_> = validators.iter().map(|each| (&each["left"], &each["score"])).collect();
    let share = seen_three_times_by_hand();
    assert_eq!(shares[..3], [(&1_000_000.into(), &0.into()); 3]);
    assert_eq!(shares[3], (&share.left.into(), &share.score.into()));
    assert_eq!(seen["leak"]["quotient"], 16);
    assert_eq!(seen["not_proven"], Value::Null);
    // Of what all votes weigh, not of all stake.
    let permille = u64::from(share.left) * 1000 / (3_000_000 + u64::from(share.left));
    assert_eq!(validators[3]["share_permille"], permille);

    let human = wallet.run(&["stake", "--node", halted.url()]).out;
    for part in [
        "counts  score",
        "Proven after the block at height 5.\nNot proven: the node at",
        "height 6 yet, in round 17",
        "less counts of validators 2 71.9 %, 3 61.1 %.",
    ] {
        assert!(human.contains(part), "{part}: {human}");
    }
    let several = ["stake", "--node", node.url(), "--node", halted.url()];
    assert_eq!(wallet.run(&several).code, 0);
}

/// The share of one who was missed three times, by the recurrence: 4, 8, 12 of 64.
fn seen_three_times_by_hand() -> Share {
    let left = [4, 8, 12].iter().fold(1_000_000_u64, |left, score| left - left * score / 64);
    Share { left: u32::try_from(left).unwrap().max(611_112), score: 12 }
}

#[test]
fn what_is_refused_says_why() {
    let (network, wallet) = staked_network_and_wallet("refusals");
    let node = honest(&network);
    let run = |arguments: &[&str]| wallet.json(&[arguments, &["--node", node.url()]].concat());
    assert_eq!(run(&["bond", "1001", "--validator", "4"]).error(1), "balance");
    assert_eq!(run(&["bond", "-1"]).error(2), "bad_amount");
    assert_eq!(run(&["bond", "1", "--from", "nobody"]).error(2), "unknown_account");
    // The chain's own words are passed on.
    let (crooked, _) = self::node(&network, |_, method, _| {
        (method == "submit")
            .then(|| Reply::refusal(-32000, "this account is no validator", "stake"))
    });
    let refused = wallet.json(&["unbond", "7", "--node", crooked.url()]);
    assert_eq!(refused.error(1), "stake");
    assert!(refused.out.contains("this account is no validator"), "{refused:?}");
    // Two accounts: which?
    let keystore = wallet_cli::keystore::Keystore::open(wallet.dir());
    keystore.create_dev(&"other".parse().unwrap(), &validator(9)).unwrap();
    let which = run(&["bond", "1"]);
    assert_eq!(which.error(2), "which_account");
    assert!(which.out.contains("other, rich"), "{which:?}");
}

#[test]
fn who_is_no_validator_bonds_only_as_the_number_that_a_node_knows() {
    let (network, wallet) = staked_network_and_wallet("slip");
    let node = honest(&network);
    let run = |arguments: &[&str]| wallet.json(&[arguments, &["--node", node.url()]].concat());
    let slip = run(&["bond", "500", "--from", "rich"]);
    assert_eq!(slip.error(2), "no_validator");
    for part in ["rich is no validator yet", "--validator 4", "testnet join"] {
        assert!(slip.out.contains(part), "{part}: {slip:?}");
    }
    grow(&network, 1);
    let answer = run(&["stake", "rich"]).json();
    assert_eq!(answer["account"]["validator"], Value::Null, "nothing was handed over");
    run(&["bond", "500", "--from", "rich", "--validator", "4", "--wait"]).json();
    let more = run(&["bond", "1", "--from", "rich", "--wait"]).json();
    assert_eq!(more["validator"], 4, "a validator's own number is known");
}

#[test]
fn where_founders_decide_for_good_nothing_can_be_bonded() {
    let (network, wallet) = support::network_and_wallet("fixed");
    let node = honest_node(&network, 1);
    for command in [&["stake"][..], &["bond", "1"], &["unbond", "1"]] {
        let outcome = wallet.json(&[command, &["--node", node.url()]].concat());
        assert_eq!(outcome.error(2), "no_stake");
        assert!(outcome.out.contains("fixed"), "{outcome:?}");
    }
}

#[test]
fn changes_are_followed_from_the_genesis_and_asked_for_once() {
    let (network, wallet) = staked_network_and_wallet("changes");
    let tx = changed(&network);
    let (node, asked) = node(&network, |_, _, _| None);
    let run = |arguments: &[&str]| wallet.json(&[arguments, &["--node", node.url()]].concat());
    let verified = run(&["verify", &tx]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let verified = verified.json();
    // 0, 1, 2 with a stake of one each, and 4 with three.
    assert_eq!((&verified["validators"], &verified["stake"]), (&4.into(), &6.into()));
    assert_eq!(verified["since"], 6);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "two pages of one change each");
    let human = wallet.run(&["verify", &tx, "--node", node.url()]).out;
    assert!(human.contains("in power since height 6"), "{human}");
    for command in [&["balance", "rich"][..], &["stake"], &["history", "rich"], &["verify", &tx]] {
        let outcome = run(command);
        assert_eq!(outcome.code, 0, "{command:?}: {outcome:?}");
    }
    // Only the history's call asks whether there are more.
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    // Without the file everything is asked for again; a damaged one is told, and no worse.
    let dir = wallet.dir().join("committees");
    let file = fs::read_dir(&dir).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let outcome = wallet.run(&["verify", &tx, "--node", node.url()]);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.err.contains("are asked for anew"), "{outcome:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

#[test]
fn several_nodes_are_compared_under_changed_committees() {
    let (network, wallet) = staked_network_and_wallet("several");
    let tx = changed(&network);
    let (one, two) = (honest(&network), honest(&network));
    let (hiding, _) = node(&network, hide_changes);
    let nodes = ["--node", one.url(), "--node", two.url(), "--node", hiding.url()];
    for command in [&["stake"][..], &["balance", "rich"], &["verify", &tx], &["history", "rich"]] {
        let outcome = wallet.json(&[command, &nodes].concat());
        assert_eq!(outcome.code, 0, "{command:?}: {outcome:?}");
        let stands = outcome.json()["nodes"].clone();
        assert_eq!((&stands[0]["agrees"], &stands[1]["agrees"]), (&true.into(), &true.into()));
    }
}

/// A node that says there were no changes.
fn hide_changes(_: &Shared, method: &str, _: &Value) -> Option<Reply> {
    (method == "committees").then(|| Reply::result(json!(CommitteesAnswer::default())))
}

#[test]
fn a_node_that_hides_a_change_is_refused() {
    let (network, wallet) = staked_network_and_wallet("hiding");
    let tx = changed(&network);
    let (node, _) = node(&network, hide_changes);
    for command in [&["verify", &tx][..], &["balance", "rich"], &["stake"], &["history", "rich"]] {
        let outcome = wallet.json(&[command, &["--node", node.url()]].concat());
        assert_eq!(outcome.error(1), "not_proven", "{command:?}");
        assert!(outcome.out.contains("hides a change of the committee"), "{outcome:?}");
    }
}

#[test]
fn a_node_that_forges_members_is_refused() {
    let (network, wallet) = staked_network_and_wallet("forging");
    let tx = changed(&network);
    let forged = |change: fn(&mut CommitteesAnswer)| {
        move |network: &Shared, method: &str, params: &Value| {
            (method == "committees").then(|| {
                let mut answer = network.lock().unwrap().committees(number(params, "from"));
                change(&mut answer);
                Reply::result(json!(answer))
            })
        }
    };
    let richer = forged(|answer| answer.changes[0].members[0].stake.0 += 1);
    let stranger = forged(|answer| answer.changes[0].members[0].key = stranger());
    let unsigned = forged(|answer| answer.changes[0].finality.proof.0.truncate(40));
    let cases = [
        (node(&network, richer).0, "and the members shown are"),
        (node(&network, stranger).0, "and the members shown are"),
        (node(&network, unsigned).0, "the committee before has not certified it"),
    ];
    for (node, words) in cases {
        let outcome = wallet.json(&["verify", &tx, "--node", node.url()]);
        assert_eq!(outcome.error(1), "not_proven");
        assert!(outcome.out.contains(words), "{outcome:?} lacks {words}");
        assert!(!wallet.dir().join("committees").exists(), "a lie is not kept");
    }
}

fn stranger() -> PublicKey {
    validator(50).public()
}

#[test]
fn a_forged_register_is_refused() {
    let (network, wallet) = staked_network_and_wallet("register");
    changed(&network);
    let (node, _) = node(&network, |network, method, _| {
        (method == "stake").then(|| {
            let mut answer = json!(network.lock().unwrap().stake());
            answer["register"]["validators"][0]["stake"] = json!(1_000_000);
            Reply::result(answer)
        })
    });
    let outcome = wallet.json(&["stake", "--node", node.url()]);
    assert_eq!(outcome.error(1), "not_proven");
    assert!(outcome.out.contains("what is at stake is not proven"), "{outcome:?}");
}
