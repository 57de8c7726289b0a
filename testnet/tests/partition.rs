//! Whole networks in parts.

mod support;

use ledger::{
    BlockHash, TransactionId,
    query::{HeadersAnswer, TransactionStatus},
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::{Up, text, until};
use wallet_cli::client::Client;

/// How many looks, one a second, have to show the same before it counts as standing still.
const LOOKS: usize = 4;

fn heights(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["height"].as_u64()).collect()
}

fn peers(status: &Value) -> Vec<Option<u64>> {
    let nodes = status["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["peers"].as_u64()).collect()
}

/// Runs a command that has to succeed and answers in JSON.
fn told(up: &Up, args: &[&str]) -> Value {
    let output = up.run(&[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn votes_need_two_thirds_on_one_side_and_go_on_when_it_heals() {
    let mut up = Up::start(&["--block-time", "250ms"]);
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(2)));
    let parted = told(&up, &["partition", "0,1/2,3"]);
    assert_eq!(parted, json!({"event": "partitioned", "groups": [[0, 1], [2, 3]], "free": []}));
    assert_eq!(up.event("partitioned"), parted);
    assert_eq!(told(&up, &["status"])["partition"], json!([[0, 1], [2, 3]]));
    let status = up.event_where("status", |status| peers(status) == [Some(1); 4]);
    let still = heights(&status);
    for _ in 0..LOOKS {
        assert_eq!(heights(&up.event("status")), still, "half of the votes decide nothing");
    }
    assert_eq!(told(&up, &["heal"]), json!({"event": "healed"}));
    let goal = still.iter().max().unwrap().unwrap() + 3;
    up.event_where("status", |status| heights(status).iter().all(|height| *height >= Some(goal)));
    assert!(told(&up, &["status"]).get("partition").is_none());
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().code(), Some(0));
    up.expect_nobody();
}

#[test]
fn a_node_that_is_started_again_in_a_partition_stays_on_its_side() {
    let mut up = Up::start(&["--block-time", "250ms"]);
    told(&up, &["partition", "0,1,2/3"]);
    let status = up.event_where("status", |status| peers(status)[3] == Some(0));
    let goal = heights(&status)[0].unwrap() + 3;
    let three = |status: &Value| heights(status)[..3].iter().all(|height| *height >= Some(goal));
    up.event_where("status", three);

    told(&up, &["kill", "3"]);
    told(&up, &["start", "3"]);
    let back = up.event_where("status", |status| heights(status)[3].is_some());
    let alone = heights(&back)[3];
    assert!(alone < Some(goal), "{back}");
    for _ in 0..LOOKS {
        let status = up.event("status");
        assert_eq!((heights(&status)[3], peers(&status)[3]), (alone, Some(0)), "{status}");
    }
    told(&up, &["heal"]);
    up.event_where("status", |status| heights(status)[3] >= Some(goal));
}

#[test]
fn what_is_no_partition_of_this_net_is_refused() {
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

/// Four miners, and how they are asked.
struct Miners {
    up: Up,
    clients: Vec<Client>,
}

impl Miners {
    fn start() -> Miners {
        // Nothing is ever committed in so short a time, so that either side may lose.
        let flags = ["--consensus", "pow", "--block-time", "500ms", "--miner-share", "0.05"];
        let up = Up::start(&[&flags[..], &["--set", "pow.irreversible=150"]].concat());
        let nodes = up.ready["nodes"].as_array().unwrap();
        let client =
            |node: &Value| Client::new(vec![node["rpc"].as_str().unwrap().parse().unwrap()]);
        let clients = nodes.iter().map(client).collect();
        Miners { up, clients }
    }

    fn head_height(&self, node: usize) -> u64 {
        self.clients[node].status().unwrap().head_height
    }

    /// The block in the node's own branch at a height.
    fn block(&self, node: usize, height: u64) -> Option<BlockHash> {
        let params = json!({"from": height});
        let answer: HeadersAnswer = self.clients[node].call("headers", params).unwrap();
        answer.headers.first().map(|header| header.hash())
    }

    /// Whether all are on one branch, but for the newest few blocks.
    fn agree(&self) -> bool {
        let lowest = (0..4).map(|node| self.head_height(node)).min().unwrap();
        let at = lowest.saturating_sub(2).max(1);
        let blocks: Vec<_> = (0..4).map(|node| self.block(node, at)).collect();
        lowest > 3 && blocks.iter().all(|block| block.is_some() && *block == blocks[0])
    }

    /// Sends a transfer through one node and waits until that node's branch holds it: its name, and
    /// where it is.
    fn pay(&self, from: &str, to: &str, node: usize) -> (TransactionId, u64, BlockHash) {
        let url = self.up.ready["nodes"][node]["rpc"].as_str().unwrap();
        let dir = self.up.ready["wallet_dir"].as_str().unwrap();
        let words = ["wallet", "send", "--from", from, "--to", to, "--amount", "5", "--dir", dir];
        let sent = self.up.run(&[&words[..], &["--node", url, "--json"]].concat());
        assert_eq!(sent.status.code(), Some(0), "{}", text(&sent));
        let sent: Value = serde_json::from_slice(&sent.stdout).unwrap();
        let id: TransactionId = sent["transaction"].as_str().unwrap().parse().unwrap();
        let mut place = None;
        until("the transfer is mined", || {
            place = self.clients[node].transaction(id).unwrap().height;
            place.is_some()
        });
        let height = place.unwrap();
        (id, height, self.block(node, height).unwrap())
    }
}

#[test]
fn work_goes_on_on_both_sides_and_one_chain_is_left_with_the_transfers_of_both() {
    let miners = Miners::start();
    until("all agree", || miners.agree());
    told(&miners.up, &["partition", "0,1/2,3"]);
    let fork = (0..4).map(|node| miners.head_height(node)).max().unwrap();
    let sent = [miners.pay("alice", "bob", 0), miners.pay("carol", "dave", 2)];
    until("both sides grow", || (0..4).all(|node| miners.head_height(node) >= fork + 3));
    assert_ne!(miners.block(0, fork + 2), miners.block(2, fork + 2), "they are two chains");
    let there = miners.clients[0].transaction(sent[1].0).unwrap();
    assert_eq!(there.status, TransactionStatus::Unknown, "the other side's transfer");

    told(&miners.up, &["heal"]);
    until("one chain is left, with both transfers in it", || {
        let places =
            |node: usize| sent.map(|(id, ..)| miners.clients[node].transaction(id).unwrap().height);
        let first = places(0);
        miners.agree()
            && first.iter().all(Option::is_some)
            && (1..4).all(|node| places(node) == first)
            && (0..4)
                .all(|node| miners.head_height(node) > first.iter().flatten().max().unwrap() + 3)
    });
    let stays = sent.map(|(_, height, block)| miners.block(0, height) == Some(block));
    assert_eq!(stays.iter().filter(|stays| **stays).count(), 1, "one side's blocks are undone");
}
