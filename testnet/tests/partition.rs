//! Whole networks in parts.

mod support;

use ledger::{
    Action, Amount, BlockHash, Payload, TransactionId,
    query::{TransactionAnswer, TransactionStatus},
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};
use support::{Up, text, until};
use wallet_cli::{client::Client, keystore::Keystore};

/// How many looks, one a second, show that nothing goes on: a dozen blocks' time.
const LOOKS: usize = 4;

/// Two cores carry one net at its pace, and not four at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    // If another test has failed, this one need not.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn heights(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["height"].as_u64()).collect()
}

fn peers(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["peers"].as_u64()).collect()
}

/// How the nodes are asked, by id.
fn clients(up: &Up) -> Vec<Client> {
    let nodes = up.ready["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| Client::new(vec![node["rpc"].as_str().unwrap().parse().unwrap()]))
        .collect()
}

/// The block in a node's own branch at a height.
fn block(client: &Client, height: u64) -> Option<BlockHash> {
    client.headers(height).unwrap().headers.first().map(|header| header.hash())
}

/// Runs a command that has to succeed and answers in JSON.
fn told(up: &Up, args: &[&str]) -> Value {
    let output = up.run(&[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn half_of_the_votes_decide_nothing_and_it_goes_on_when_the_net_heals() {
    let _alone = alone();
    let mut up = Up::start(&["--block-time", "250ms"]);
    let clients = clients(&up);
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(3)));
    let parted = told(&up, &["partition", "0,1/2,3"]);
    assert_eq!(parted, json!({"event": "partitioned", "groups": [[0, 1], [2, 3]], "free": []}));
    assert_eq!(up.event("partitioned"), parted);
    assert_eq!(told(&up, &["status"])["partition"], json!([[0, 1], [2, 3]]));
    // More than two thirds had to be at the height before to vote on one. So at most one height is
    // under way that nobody shows, and its votes may all have arrived somewhere before the cut.
    let top = clients.iter().map(|client| client.status().unwrap().height).max().unwrap();
    up.event_where("status", |status| peers(status) == [Some(1); 4]);
    for _ in 0..LOOKS {
        let status = up.event("status");
        assert!(heights(&status).iter().all(|height| *height <= Some(top + 1)), "{status}");
    }
    assert_eq!(told(&up, &["heal"]), json!({"event": "healed"}));
    let goal = top + 4;
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(goal)));
    for height in 1..=goal {
        let blocks: Vec<_> = clients.iter().map(|client| block(client, height)).collect();
        assert!(blocks[0].is_some() && blocks.iter().all(|block| *block == blocks[0]), "{height}");
    }
    assert!(told(&up, &["status"]).get("partition").is_none());
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn a_node_that_is_started_again_in_a_partition_stays_on_its_side() {
    let _alone = alone();
    let mut up = Up::start(&["--block-time", "250ms"]);
    // Whoever came late is silent at the heights that were being decided then (decision 8), and counts
    // among the faulty there: with node 3 cut off besides, nothing more could be decided.
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(3)));
    told(&up, &["partition", "0,1,2/3"]);
    let status = up.event_where("status", |status| peers(status)[3] == Some(0));
    let goal = heights(&status)[0].unwrap() + 3;
    let three = |status: &Value| heights(status)[..3].iter().all(|height| *height >= Some(goal));
    up.event_where("status", three);

    told(&up, &["kill", "3"]);
    up.event("exited");
    told(&up, &["start", "3"]);
    // What was told before does not speak of its new life.
    up.event("started");
    for _ in 0..LOOKS {
        let status = up.event_where("status", |status| peers(status)[3].is_some());
        assert_eq!(peers(&status)[3], Some(0), "{status}");
        assert!(heights(&status)[3] < Some(goal), "{status}");
    }
    told(&up, &["heal"]);
    up.event_where("status", |status| heights(status)[3] >= Some(goal));
}

#[test]
fn what_is_no_partition_of_this_net_is_refused() {
    let _alone = alone();
    let up = Up::start(&["--replicas", "2"]);
    for (groups, words) in [
        ("0,1/2", "there is no node 2; the 2 nodes"),
        ("0,1", "one group is no partition"),
        ("0/0,1", "node 0 is named twice"),
        ("0/x", "\"x\" is no node"),
    ] {
        let refused = up.run(&["partition", groups]);
        assert_eq!(refused.status.code(), Some(2), "{groups}: {}", text(&refused));
        assert!(text(&refused).contains(words), "{}", text(&refused));
    }
    assert!(told(&up, &["status"]).get("partition").is_none());
    let heal = up.run(&["heal"]);
    assert_eq!(text(&heal), "Everything passes again.\n", "which does no harm");
}

#[test]
fn a_net_whose_path_is_too_long_for_sockets_says_so_and_stays_whole() {
    let _alone = alone();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().join("deep".repeat(25));
    let up = Up::start(&["--replicas", "2", "--dir", dir.to_str().unwrap()]);
    let refused = up.run(&["partition", "0/1"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(text(&refused).contains("directory with a shorter path"), "{}", text(&refused));
    assert!(told(&up, &["status"]).get("partition").is_none());
}

/// Four miners, and how they are asked.
struct Miners {
    up: Up,
    clients: Vec<Client>,
}

impl Miners {
    fn start() -> Miners {
        // Nothing is ever committed in so short a time, so that either side may lose.
        let flags = ["--consensus", "pow", "--block-time", "500ms", "--miner-share", "0.05"];
        let depths = ["--set", "pow.confirmations=3", "--set", "pow.irreversible=150"];
        // On a busy machine, and with half of the miners, blocks are soon as frequent again.
        let half_life = ["--set", "pow.half_life_ms=5000"];
        let up = Up::start(&[&flags[..], &depths, &half_life].concat());
        let clients = clients(&up);
        Miners { up, clients }
    }

    fn head_height(&self, node: usize) -> u64 {
        self.clients[node].status().unwrap().head_height
    }

    /// Whether all are on one branch, but for the newest few blocks.
    fn agree(&self) -> bool {
        let lowest = (0..4).map(|node| self.head_height(node)).min().unwrap();
        let at = lowest.saturating_sub(2).max(1);
        let blocks: Vec<_> = self.clients.iter().map(|client| block(client, at)).collect();
        lowest > 3 && blocks.iter().all(|block| block.is_some() && *block == blocks[0])
    }

    /// Hands a transfer to one node.
    fn pay(&self, from: &str, to: &str, node: usize) -> TransactionId {
        let keystore = Keystore::open(Path::new(self.up.ready["wallet_dir"].as_str().unwrap()));
        let key = keystore.unlock(&from.parse().unwrap(), "").unwrap();
        let to = keystore.account(&to.parse().unwrap()).unwrap().address;
        let chain = self.up.ready["chain_id"].as_str().unwrap().parse().unwrap();
        let action = Action::Transfer { to, amount: Amount(5) };
        let sender = key.public();
        let payload = Payload { chain, sender, nonce: 0, fee: Amount(1), action };
        self.clients[node].submit(&payload.sign(&key)).unwrap()
    }

    /// The block that holds a transfer, the same for all these nodes, once each of them counts on it.
    fn settled(&self, id: TransactionId, nodes: &[usize]) -> Option<BlockHash> {
        let place = |node: &usize| {
            let TransactionAnswer { status, height, .. } =
                self.clients[*node].transaction(id).unwrap();
            let counted = status == TransactionStatus::Confirmed;
            height.filter(|_| counted).and_then(|height| block(&self.clients[*node], height))
        };
        let places: Vec<_> = nodes.iter().map(place).collect();
        places[0].filter(|_| places.iter().all(|place| *place == places[0]))
    }
}

#[test]
fn work_goes_on_on_both_sides_and_one_chain_is_left_with_the_transfers_of_both() {
    let _alone = alone();
    let mut miners = Miners::start();
    until("all agree", || miners.agree());
    told(&miners.up, &["partition", "0,1/2,3"]);
    let fork = (0..4).map(|node| miners.head_height(node)).max().unwrap();
    let sent = [miners.pay("alice", "bob", 0), miners.pay("carol", "dave", 2)];
    until("both sides grow", || (0..4).all(|node| miners.head_height(node) >= fork + 3));
    let mut before = [None; 2];
    until("each side counts on its own transfer", || {
        before = [miners.settled(sent[0], &[0, 1]), miners.settled(sent[1], &[2, 3])];
        before.iter().all(Option::is_some)
    });
    let sides = [0, 2].map(|node| block(&miners.clients[node], fork + 2).unwrap());
    assert_ne!(sides[0], sides[1], "they are two chains");
    for (id, others) in [(sent[0], [2, 3]), (sent[1], [0, 1])] {
        for node in others {
            let there = miners.clients[node].transaction(id).unwrap();
            assert_eq!(there.status, TransactionStatus::Unknown, "the other side's transfer");
        }
    }

    told(&miners.up, &["heal"]);
    let mut after = [None; 2];
    until("one chain is left, with both transfers in it", || {
        after = sent.map(|id| miners.settled(id, &[0, 1, 2, 3]));
        after.iter().all(Option::is_some) && miners.agree()
    });
    let stays = before.iter().zip(&after).filter(|(before, after)| before == after).count();
    assert_eq!(stays, 1, "one side's blocks are undone, and its transfer is mined again");
    miners.up.signal(Signal::SIGINT);
    assert_eq!(miners.up.wait().code(), Some(0));
    miners.up.expect_nobody();
}
