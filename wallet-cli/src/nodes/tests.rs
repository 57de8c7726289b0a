//! Several nodes of one chain, or of two.

use super::*;
use crate::{
    committees::founders,
    fake_node::{FakeNode, Reply},
    network::{Network, poor},
};
use serde_json::{Value, json};

/// A chain of so many blocks; another `seed` makes other blocks on the same genesis.
fn chain(blocks: u64, seed: u64) -> Network {
    let mut network = Network::new("nodes");
    for nonce in 0..blocks {
        let transfer = network.transfer(nonce, poor(), seed);
        network.decide(vec![transfer], true);
    }
    network
}

/// A node of that chain. What `lie` answers takes precedence.
fn node(
    network: Network,
    mut lie: impl FnMut(&str, &Value) -> Option<Reply> + Send + 'static,
) -> FakeNode {
    FakeNode::start(move |method, params| match (lie(method, params), method) {
        (Some(lie), _) => lie,
        (None, "status") => Reply::result(json!(network.status())),
        (None, "block") => {
            Reply::result(json!(network.block(params["height"].as_u64().expect("a height"))))
        }
        (None, other) => panic!("nobody asks for {other}"),
    })
}

fn honest(network: Network) -> FakeNode {
    node(network, |_, _| None)
}

/// What comes of asking these, and how each stands.
fn ask(urls: &[&str]) -> Result<Vec<NodeReport>, Conflict> {
    let genesis = chain(0, 0).genesis;
    let client = |url: &&str| Client::new(vec![url.parse().expect("a URL")]);
    let views =
        ask_all(urls.iter().map(client).collect(), &founders(&genesis), |_, _| Ok(((), None)));
    let sightings = compare(&views, None)?;
    Ok(report(&views, &sightings, |_, ()| None))
}

fn stand(report: &NodeReport) -> (Option<u64>, Option<bool>, u64, bool) {
    (report.height, report.agrees, report.behind, report.error.is_some())
}

#[test]
fn nodes_of_one_chain_agree() {
    let (one, two) = (honest(chain(3, 1)), honest(chain(3, 1)));
    let reports = ask(&[one.url(), two.url()]).expect("one chain");
    for report in &reports {
        assert_eq!(stand(report), (Some(3), Some(true), 0, false));
        assert!(!report.is_remarkable());
    }
}

#[test]
fn a_node_that_lags_agrees() {
    let (late, new) = (honest(chain(2, 1)), honest(chain(5, 1)));
    let newborn = honest(chain(0, 1));
    let reports = ask(&[late.url(), new.url(), newborn.url()]).expect("one chain");
    assert_eq!(stand(&reports[0]), (Some(2), Some(true), 3, false));
    assert_eq!(stand(&reports[1]), (Some(5), Some(true), 0, false));
    assert_eq!(stand(&reports[2]), (Some(0), Some(true), 5, false));
    assert!(reports[0].to_string().contains("is 3 blocks behind"), "{}", reports[0]);
}

#[test]
fn a_node_that_does_not_answer_is_a_note() {
    let (down, up) = (FakeNode::absent(), honest(chain(2, 1)));
    let reports = ask(&[&down, up.url()]).expect("one chain");
    assert_eq!(stand(&reports[0]), (None, None, 0, true));
    assert_eq!(stand(&reports[1]), (Some(2), Some(true), 0, false));
    assert!(reports[0].to_string().contains("cannot be compared: it cannot be reached"));
}

#[test]
fn a_node_that_does_not_take_the_question_neither_agrees_nor_contradicts() {
    let busy = node(chain(2, 1), |_, _| Some(Reply::refusal(-32002, "too much waits", "busy")));
    let reports = ask(&[busy.url(), honest(chain(2, 1)).url()]).expect("one chain");
    assert_eq!(stand(&reports[0]), (None, None, 0, true));
    assert!(reports[0].to_string().contains("too much waits"), "{}", reports[0]);
}

#[test]
fn two_proven_blocks_at_one_height_are_a_conflict() {
    let (one, two) = (chain(3, 1), chain(3, 2));
    let mut hashes = [&one, &two].map(|network| network.ledger.root());
    let (one, two) = (honest(one), honest(two));
    let conflict = ask(&[one.url(), two.url()]).expect_err("two chains");
    assert_eq!(conflict.height, 3);
    hashes.sort();
    assert_eq!([conflict.blocks[0].hash, conflict.blocks[1].hash], hashes);
    let text = conflict.to_string();
    for part in ["CONFLICTING FINALITY at height 3", one.url(), two.url()] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for hash in hashes {
        assert!(text.contains(&hash.to_string()), "{text}");
    }
}

#[test]
fn a_node_that_lags_on_another_chain_is_a_conflict_too() {
    let (late, new) = (honest(chain(2, 1)), honest(chain(5, 2)));
    let conflict = ask(&[late.url(), new.url()]).expect_err("two chains");
    assert_eq!(conflict.height, 2, "the one that proves most shows its own block there");
}

#[test]
fn what_nobody_proves_is_a_lie_and_no_conflict() {
    let forger = chain(9, 2);
    let mut block = forger.block(9).expect("it is decided");
    block.finality.as_mut().expect("it is certified").proof = forger.certify(&block.block, &[0, 1]);
    let liar =
        node(forger, move |method, _| (method == "block").then(|| Reply::result(json!(block))));
    let honest = honest(chain(3, 1));
    let reports = ask(&[liar.url(), honest.url()]).expect("no proof, no conflict");
    assert_eq!(stand(&reports[0]), (None, Some(false), 0, true));
    assert!(reports[0].to_string().contains("does not agree: not proven"), "{}", reports[0]);
    assert_eq!(stand(&reports[1]), (Some(3), Some(true), 0, false));
}

#[test]
fn an_earlier_block_does_not_pose_as_the_newest() {
    let network = chain(3, 1);
    let earlier = network.block(2);
    let liar =
        node(network, move |method, _| (method == "block").then(|| Reply::result(json!(earlier))));
    let reports = ask(&[liar.url(), liar.url()]).expect("no proof, no conflict");
    assert_eq!(stand(&reports[0]), (None, Some(false), 0, true));
}

#[test]
fn a_node_on_another_chain_does_not_agree() {
    let mut other = Network::new("another");
    other.decide_transfers(1);
    let (other, ours) = (honest(other), honest(chain(1, 1)));
    let reports = ask(&[other.url(), ours.url()]).expect("no proof, no conflict");
    assert_eq!(stand(&reports[0]), (None, Some(false), 0, true));
}

#[test]
fn whoever_hides_its_block_leaves_the_question_open() {
    let secretive = node(chain(5, 2), |method, params| {
        let asked_late = method == "block" && params["height"] != json!(5);
        asked_late.then(|| Reply::result(Value::Null))
    });
    let late = honest(chain(2, 1));
    let reports = ask(&[secretive.url(), late.url()]).expect("nothing is shown");
    assert_eq!(stand(&reports[0]), (Some(5), Some(true), 0, false));
    assert_eq!(stand(&reports[1]), (Some(2), None, 3, true));
}

#[test]
fn whoever_reads_the_chain_meets_what_was_hidden() {
    let block = |seed| {
        let network = chain(2, seed);
        let finality = network.ledger.finality(2).expect("it is certified");
        certify(&founders(&network.genesis), &finality).expect("all of it is true").block()
    };
    let source = |url: &str| Source::Node(url.parse().expect("a URL"));
    let mut sightings = Sightings::default();
    sightings.add(source("late:1"), block(1));
    sightings.meet(source("secretive:1"), block(1)).expect("one block");
    let conflict = sightings.meet(source("secretive:1"), block(2)).expect_err("two blocks");
    assert_eq!((conflict.height, conflict.blocks.len()), (2, 2));
}
