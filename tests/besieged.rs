//! Real nodes in one process, and a peer that does every kind of harm to them.
//!
//! A *member* has the key of the fourth validator, whose node does not run; each way of doing harm meets three
//! fresh nodes then. A *stranger* meets four, and comes under a new name each time. What has to be is always
//! the same: blocks go on, and nobody but the attacker is blamed.

use clap::Parser;
use crypto::SecretKey;
use ledger::{
    Amount, Genesis, Stake,
    genesis::{Funded, Validator},
};
use node::{
    NodeConfig, RunningNode,
    config::{GENESIS_FILE, Mining, Peer, Settings, key},
    network::{MAX_FAULTS, MAX_GUESTS},
};
use serde_json::json;
use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use testnet::live::ports;
use tests::hostile::{self, Order, behaviours, tally::Report};
use wallet_cli::client::Client;

/// Within which everything has to happen, far longer than it takes.
const SOON: Duration = Duration::from_secs(90);

/// How long an attack lasts at first. It is longer each time that it was in vain.
const AT_FIRST: Duration = Duration::from_millis(1_500);

/// Blocks that have to come while and after somebody attacks.
const PROGRESS: u64 = 3;

/// The most memory that four nodes, the attacker and the test may use together, in bytes.
const MOST_MEMORY: u64 = 4 * 512 * 1024 * 1024;

struct Net {
    genesis: Genesis,
    dirs: Vec<TempDir>,
    listen: Vec<SocketAddr>,
    nodes: Vec<RunningNode>,
    clients: Vec<Client>,
}

fn secret(id: u32) -> SecretKey {
    SecretKey::from_seed([id as u8 + 1; 32])
}

/// Whose money the attacker spends.
fn purse() -> SecretKey {
    SecretKey::from_seed([77; 32])
}

impl Net {
    /// Starts the first so many of four nodes.
    async fn start(running: u32) -> Net {
        let validators =
            (0..4).map(|id| Validator { key: secret(id).public(), stake: Stake(10) }).collect();
        let funded = Funded { address: purse().public().address(), balance: Amount(1_000_000) };
        let genesis = Genesis {
            name: "besieged".into(),
            time: 1_700_000_000_000,
            consensus: "tendermint".into(),
            block_time: 50,
            settings: [("ledger.unbonding_blocks".to_owned(), 240)].into(),
            validators,
            accounts: vec![funded],
        };
        let dirs = (0..4).map(|_| tempfile::tempdir().expect("a directory")).collect();
        let ports = ports::choose(4).expect("free ports");
        let listen = ports.into_iter().map(|ports| ports.listen).collect();
        let mut net = Net { genesis, dirs, listen, nodes: Vec::new(), clients: Vec::new() };
        for id in 0..running {
            let node = node::start(net.config(id)).await.expect("starts");
            let url = format!("http://{}", node.rpc()).parse().expect("an address");
            net.clients.push(Client::new(vec![url]));
            net.nodes.push(node);
        }
        net
    }

    fn config(&self, id: u32) -> NodeConfig {
        let others = (0..4).filter(|other| *other != id);
        let peers = others.map(|id| Peer {
            id,
            public_key: secret(id).public(),
            address: self.listen[id as usize],
        });
        let settings = Settings {
            id,
            genesis: GENESIS_FILE.into(),
            listen: self.listen[id as usize],
            rpc: "127.0.0.1:0".parse().expect("an address"),
            trace: false,
            guests: MAX_GUESTS,
            transport: Default::default(),
            miner: Mining::default(),
            peers: peers.collect(),
        };
        let dir = self.dirs[id as usize].path();
        NodeConfig::new(dir, settings, self.genesis.clone(), secret(id)).expect("a good one")
    }

    /// The order for an attack on all nodes for so long, as the fourth validator or as nobody.
    fn order(&self, behaviour: &str, member: bool, time: Duration) -> Order {
        let purse_file = self.file("purse");
        let seed = hex::encode(*purse().seed());
        std::fs::write(&purse_file, seed + "\n").expect("the disk takes it");
        let time = format!("{}ms", time.as_millis());
        let mut arguments: Vec<String> =
            ["hostile-peer", "--for", &time, "--behaviour", behaviour].map(str::to_owned).into();
        arguments.extend(["--chain".to_owned(), self.genesis.chain_id().to_string()]);
        arguments.extend(["--accounts".to_owned(), purse_file.display().to_string()]);
        for address in &self.listen[..self.nodes.len()] {
            arguments.extend(["--target".to_owned(), address.to_string()]);
        }
        if member {
            let key_file = self.file("key");
            if !key_file.exists() {
                key::write(&key_file, &secret(3)).expect("the disk takes it");
            }
            let key_file = key_file.display().to_string();
            arguments.extend(["--seat", "3", "--key", &key_file].map(str::to_owned));
        }
        Order::parse_from(arguments)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dirs[3].path().join(name)
    }

    async fn height(&self, node: usize) -> u64 {
        let client = self.clients[node].clone();
        let status = tokio::task::spawn_blocking(move || client.status());
        status.await.expect("no panic").expect("the node answers").height
    }

    /// Waits until every node is so high.
    async fn reach(&self, wanted: u64) {
        let start = Instant::now();
        for node in 0..self.nodes.len() {
            while self.height(node).await < wanted {
                assert!(start.elapsed() < SOON, "{wanted} is not reached: {}", self.figures());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    async fn attack(&self, behaviour: &str, member: bool, time: Duration) -> Report {
        let order = self.order(behaviour, member, time);
        let attack = tokio::task::spawn_blocking(move || hostile::attack(&order));
        attack.await.expect("no panic").expect("it can begin")
    }

    fn bans(&self) -> u64 {
        self.nodes.iter().map(|node| node.network_counters().peers_banned).sum()
    }

    fn faults(&self) -> u64 {
        self.nodes.iter().map(|node| node.network_counters().peer_faults).sum()
    }

    fn refused(&self, what: &str, reason: &str) -> u64 {
        let refused = |node: &RunningNode| {
            let figures = node.counters();
            let unread = figures.refused.get(what).and_then(|reasons| reasons.get(reason)).copied();
            let declined = figures.declined.iter();
            let declined = declined.filter(|((kind, why), _)| (*kind, *why) == (what, reason));
            unread.unwrap_or(0) + declined.map(|(_, count)| count).sum::<u64>()
        };
        self.nodes.iter().map(refused).sum()
    }

    fn figures(&self) -> String {
        let figures = |node: &RunningNode| {
            let (counters, network) = (node.counters(), node.network_counters());
            format!("{:?} {:?} {network:?}\n", counters.refused, counters.declined)
        };
        self.nodes.iter().map(figures).collect()
    }

    /// All have the same blocks, and every node is linked with every other that runs.
    async fn end(self) {
        let mut least = u64::MAX;
        for node in 0..self.nodes.len() {
            least = least.min(self.height(node).await);
        }
        let header = move |client: Client| {
            let page = client.call::<serde_json::Value>("headers", json!({ "from": least }));
            page.expect("the node answers")["headers"][0].clone()
        };
        let clients = self.clients.clone();
        let headers = tokio::task::spawn_blocking(move || {
            clients.into_iter().map(header).collect::<Vec<_>>()
        });
        let headers = headers.await.expect("no panic");
        assert!(headers.iter().all(|header| *header == headers[0]), "{headers:?}");
        for node in self.nodes {
            node.stop().await.expect("nothing has failed");
        }
        let memory = testnet::bench::system::resident_bytes(std::process::id());
        assert!(memory.is_none_or(|bytes| bytes < MOST_MEMORY), "{memory:?} bytes");
    }
}

/// What has to come of an attack besides.
enum Outcome {
    /// The attacker is shut out.
    ShutOut,
    /// Something is refused, for this reason.
    Refused(&'static str, &'static str),
    /// It is within its rights, or nobody can tell that it is not.
    Borne,
    /// It may be too much of what is no fault by itself.
    Either,
}

/// One attack as a member on three fresh nodes, again and again until it has the outcome.
fn withstand(behaviour: &str, outcome: Outcome) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let net = Net::start(3).await;
        net.reach(1).await;
        let (before, start) = (net.height(0).await, Instant::now());
        let mut time = AT_FIRST;
        loop {
            let report = net.attack(behaviour, true, time).await;
            let done = match outcome {
                Outcome::ShutOut => net.bans() >= 1,
                Outcome::Refused(what, reason) => net.refused(what, reason) > 0,
                Outcome::Borne | Outcome::Either => report.connections > 0,
            };
            if done {
                break;
            }
            // Where the machine is slow it had no time to harm anybody, and may have hardly more again.
            time *= 2;
            assert!(start.elapsed() < SOON, "it goes unpunished: {report}\n{}", net.figures());
        }
        if let Outcome::ShutOut = outcome {
            assert!(net.faults() >= u64::from(MAX_FAULTS), "{}", net.figures());
        }
        if let Outcome::Borne = outcome {
            assert_eq!(net.bans(), 0, "{}", net.figures());
        }
        net.reach(before + PROGRESS).await;
        let others = |node: &RunningNode| {
            let network = node.network_counters();
            network.peers_banned <= 1 + start.elapsed().as_secs() / 30
        };
        assert!(net.nodes.iter().all(others), "somebody else was shut out: {}", net.figures());
        net.end().await;
    });
}

macro_rules! withstands {
    ($($test:ident: $behaviour:literal, $outcome:expr;)+) => {
        $(#[test]
        fn $test() {
            withstand($behaviour, $outcome);
        })+

        /// So that a new behaviour is not forgotten here.
        #[test]
        fn every_behaviour_is_tried() {
            let mut tried = [$($behaviour),+];
            tried.sort_unstable();
            let all: Vec<_> = behaviours::ALL.iter().map(|behaviour| behaviour.name).collect();
            assert_eq!(tried.as_slice(), all);
        }
    };
}

withstands! {
    a_flood_of_summaries: "flood", Outcome::ShutOut;
    a_flood_of_questions: "asks", Outcome::ShutOut;
    frames_without_end: "oversized", Outcome::ShutOut;
    frames_of_noise: "malformed", Outcome::ShutOut;
    gossip_of_noise: "gossip-garbage", Outcome::ShutOut;
    another_chains_messages: "wrong-chain", Outcome::ShutOut;
    blocks_that_prove_nothing: "bad-blocks", Outcome::Refused("blocks", "unlinked");
    blocks_nobody_asked_for: "unasked", Outcome::Refused("envelope", "unasked");
    transactions_of_nobody: "unfunded", Outcome::Refused("transaction", "no_account");
    transactions_that_pay_nothing: "low-fee", Outcome::Borne;
    promises_that_are_not_kept: "heights", Outcome::Borne;
    what_was_said_before: "replay", Outcome::Either;
    silence_in_the_middle: "stall", Outcome::Borne;
    a_frame_byte_by_byte: "drip", Outcome::Borne;
    connections_without_end: "connections", Outcome::Borne;
    substreams_without_end: "substreams", Outcome::Borne;
}

/// Everything at once would say little, so it is one after the other, each under a name nobody knows.
#[test]
fn strangers() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let net = Net::start(4).await;
        net.reach(1).await;
        for behaviour in behaviours::ALL {
            let before = net.height(0).await;
            let (mut time, start) = (AT_FIRST, Instant::now());
            while net.attack(behaviour.name, false, time).await.connections == 0 {
                assert!(start.elapsed() < SOON, "{} reaches nobody", behaviour.name);
                time *= 2;
            }
            net.reach(before + PROGRESS).await;
        }
        for node in &net.nodes {
            assert!(node.network_counters().links_opened >= 3, "{}", net.figures());
        }
        net.end().await;
    });
}
