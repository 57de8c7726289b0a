//! Four whole nodes in one process, over real sockets and real disks.

use super::*;
use crate::{
    config::{GENESIS_FILE, Mining, Peer, Settings},
    testing::free_address,
};
use consensus::{Trusted, catalogue};
use crypto::SecretKey;
use ledger::{
    Action, Amount, Genesis, Payload, Stake, Transaction, TransactionId,
    genesis::{Funded, Validator},
    query::{
        AccountAnswer, BlocksAnswer, ConsensusAnswer, StatusAnswer, TransactionAnswer,
        TransactionStatus,
    },
    store::{Batch, MemoryStore, StoreError},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;

mod control;
mod follower;
mod hostile;
mod names;
mod tripped;

const SOON: Duration = Duration::from_secs(60);

fn secret(id: u32) -> SecretKey {
    SecretKey::from_seed([id as u8 + 1; 32])
}

fn alice() -> SecretKey {
    SecretKey::from_seed([99; 32])
}

fn genesis() -> Genesis {
    let validators =
        (0..4).map(|id| Validator { key: secret(id).public(), stake: Stake(10) }).collect();
    let accounts = vec![Funded { address: alice().public().address(), balance: Amount(1_000) }];
    Genesis {
        name: "four nodes".into(),
        time: 1_700_000_000_000,
        consensus: "tendermint".into(),
        block_time: 100,
        settings: [("ledger.unbonding_blocks".to_owned(), 240)].into(),
        validators,
        accounts,
    }
}

/// The four directories, and what is in them.
struct Testnet {
    transport: Transport,
    dirs: Vec<TempDir>,
    listen: Vec<SocketAddr>,
}

impl Testnet {
    fn new() -> Testnet {
        let listen = (0..4).map(|_| free_address()).collect();
        let dirs = (0..4).map(|_| tempfile::tempdir().expect("a directory")).collect();
        Testnet { transport: Transport::Tcp, dirs, listen }
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
            transport: self.transport,
            rpc: "127.0.0.1:0".parse().expect("an address"),
            trace: true,
            guests: network::MAX_GUESTS,
            miner: Mining::default(),
            peers: peers.collect(),
        };
        let dir = self.dirs[id as usize].path();
        NodeConfig::new(dir, settings, genesis(), secret(id)).expect("a good configuration")
    }

    async fn start(&self) -> Vec<RunningNode> {
        let mut nodes = Vec::new();
        for id in 0..4 {
            nodes.push(start(self.config(id)).await.expect("starts"));
        }
        nodes
    }
}

/// A call's result, or its error.
async fn call(node: &RunningNode, method: &str, params: Value) -> Result<Value, Value> {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let url = format!("http://{}/", node.rpc());
    let answer = spawn_blocking(move || {
        let mut response = ureq::post(url).send_json(call).expect("the RPC answers");
        response.body_mut().read_json::<Value>().expect("JSON")
    });
    let mut answer = answer.await.expect("no panic");
    match answer.get_mut("error") {
        Some(error) => Err(error.take()),
        None => Ok(answer["result"].take()),
    }
}

async fn get<T: DeserializeOwned>(node: &RunningNode, method: &str, params: Value) -> T {
    let result = call(node, method, params).await.expect("no error");
    serde_json::from_value(result).expect("the answer's type")
}

async fn height(node: &RunningNode) -> u64 {
    get::<StatusAnswer>(node, "status", json!({})).await.height
}

/// Waits until every node is at least so high.
async fn reach(nodes: &[RunningNode], wanted: u64) {
    let start = Instant::now();
    for node in nodes {
        loop {
            let status: StatusAnswer = get(node, "status", json!({})).await;
            assert_eq!(status.state, "running");
            if status.height >= wanted {
                break;
            }
            let figures = (node.counters(), node.network_counters());
            assert!(start.elapsed() < SOON, "{wanted} not reached: {status:?} {figures:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until every one of four nodes tells of three peers.
async fn linked(nodes: &[RunningNode]) {
    let start = Instant::now();
    for node in nodes {
        while get::<StatusAnswer>(node, "status", json!({})).await.peers < 3 {
            assert!(start.elapsed() < SOON, "{:?}", node.network_counters());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn stop(nodes: Vec<RunningNode>) {
    for node in nodes {
        let stopped = tokio::time::timeout(Duration::from_secs(20), node.stop()).await;
        stopped.expect("in time").expect("without a failure");
    }
}

fn transfer(nonce: u64) -> Transaction {
    let to = secret(0).public().address();
    let action = Action::Transfer { to, amount: Amount(30) };
    let (chain, sender, fee) = (genesis().chain_id(), alice().public(), Amount(2));
    Payload { chain, sender, nonce, fee, action }.sign(&alice())
}

async fn submit(node: &RunningNode, transaction: &Transaction) -> Result<Value, Value> {
    let digits = hex::encode(crypto::codec::encode(transaction));
    call(node, "submit", json!({ "transaction": digits })).await
}

/// Waits until the node can prove that the transaction is final.
async fn finality(node: &RunningNode, id: TransactionId) -> TransactionAnswer {
    let start = Instant::now();
    loop {
        let params = json!({ "id": id.to_string() });
        let answer: TransactionAnswer = get(node, "transaction", params).await;
        if answer.finality.is_some() {
            return answer;
        }
        assert!(start.elapsed() < SOON, "not final: {answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a wallet does that trusts the genesis and nothing else.
fn check(answer: &TransactionAnswer) {
    let genesis = genesis();
    let committee = genesis.committee().expect("a committee");
    let keys = ledger::Keys::of(genesis.chain_id(), &committee);
    let finality = answer.finality.as_ref().expect("waited for");
    assert_eq!(answer.status, TransactionStatus::Final);
    assert!(finality.linked());
    let headers = &finality.headers;
    let trusted = Trusted { genesis: &genesis, parent: None, committee: &committee, keys: &keys };
    catalogue::verify(headers, &finality.proof, trusted).expect("final");
    let path = answer.path.as_ref().expect("a path");
    path.verify(answer.id.0.as_bytes(), headers[0].transactions).expect("included");
    assert_eq!(answer.height, Some(headers[0].height));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_agree_are_stopped_and_go_on() {
    let testnet = Testnet::new();
    let nodes = testnet.start().await;
    reach(&nodes, 3).await;

    let address = alice().public().address().to_string();
    let account: AccountAnswer = get(&nodes[0], "account", json!({ "address": address })).await;
    assert_eq!((account.account.balance, account.next_nonce), (Amount(1_000), 0));
    let id = transfer(0).id();
    assert_eq!(submit(&nodes[1], &transfer(0)).await, Ok(json!({ "id": id.to_string() })));
    for node in &nodes {
        check(&finality(node, id).await);
        let account: AccountAnswer = get(node, "account", json!({ "address": address })).await;
        assert_eq!(account.account.balance, Amount(1_000 - 30 - 2));
        let finality = account.finality.expect("a block is final");
        let root = finality.headers[0].state;
        account.proof.verify(root, alice().public().address(), &account.account).expect("proven");
    }
    let again = submit(&nodes[2], &transfer(0)).await.expect_err("a nonce counts once");
    assert_eq!((&again["code"], &again["data"]["reason"]), (&json!(-32000), &json!("nonce")));
    linked(&nodes).await;

    let blocks: BlocksAnswer = get(&nodes[3], "blocks", json!({ "from": 1 })).await;
    assert_eq!(blocks.blocks[0].header.height, 1);
    assert!(blocks.finality.is_some_and(|finality| finality.linked()));
    let consensus: ConsensusAnswer = get(&nodes[3], "consensus", json!({})).await;
    assert!(consensus.height > 3);

    let mut heights = Vec::new();
    for node in &nodes {
        heights.push(height(node).await);
        let figures = node.counters();
        assert!(figures.syncs > 0 && figures.opened > 0 && figures.blocks >= 3, "{figures:?}");
        assert!(figures.refused.is_empty(), "{figures:?}");
    }
    stop(nodes).await;

    let nodes = testnet.start().await;
    for (node, before) in nodes.iter().zip(&heights) {
        let now = height(node).await;
        assert!(now >= *before, "from {before} back to {now}");
    }
    reach(&nodes, heights.iter().max().expect("four") + 2).await;
    check(&finality(&nodes[3], id).await);
    let second = transfer(1).id();
    submit(&nodes[3], &transfer(1)).await.expect("taken");
    check(&finality(&nodes[0], second).await);
    stop(nodes).await;
    for dir in &testnet.dirs {
        let trace = std::fs::read_to_string(dir.path().join(TRACE_FILE)).expect("a trace");
        let lives = trace.lines().filter(|line| line.contains("\"event\":\"started\"")).count();
        assert_eq!(lives, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_four_go_on_and_the_fourth_catches_up() {
    let testnet = Testnet::new();
    let mut nodes = testnet.start().await;
    reach(&nodes, 1).await;
    let last = nodes.pop().expect("four");
    stop(vec![last]).await;
    let before = height(&nodes[0]).await;
    reach(&nodes, before + 4).await;
    nodes.push(start(testnet.config(3)).await.expect("starts again"));
    reach(&nodes, before + 6).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_dropped_leaves_its_directory_and_its_ports() {
    let testnet = Testnet::new();
    drop(start(testnet.config(0)).await.expect("starts"));
    let dropped = Instant::now();
    let node = loop {
        match start(testnet.config(0)).await {
            Ok(node) => break node,
            Err(error) => assert!(dropped.elapsed() < SOON, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    stop(vec![node]).await;
}

/// It waits as long as it takes somebody who is on the way out, and not much longer.
#[test]
fn a_database_that_is_about_to_be_let_go_is_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(DATABASE);
    let held = open(&path, &Tripwire::NONE).expect("ours alone");
    assert!(matches!(open(&path, &Tripwire::NONE), Err(DiskError::Locked { .. })));
    let leaving = std::thread::spawn(move || {
        std::thread::sleep(LET_GO / 4);
        drop(held);
    });
    let opened = (0..20).find_map(|_| open(&path, &Tripwire::NONE).ok());
    opened.expect("a slow machine may take some of these seconds");
    leaving.join().expect("no panic");
}

/// A disk that fails at a given moment.
#[derive(Debug, Default)]
struct Failing {
    store: MemoryStore,
    broken: AtomicBool,
}

impl Store for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.store.scan(prefix)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.store.write(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(StoreError::Failed("no space left on device".into())),
            false => self.store.sync(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_disk_fails_stops_and_the_others_go_on() {
    let testnet = Testnet::new();
    let mut nodes = Vec::new();
    for id in 0..3 {
        nodes.push(start(testnet.config(id)).await.expect("starts"));
    }
    let disk = Arc::new(Failing::default());
    let config = testnet.config(3);
    let door = rpc::Door::open(config.settings().rpc).await.expect("a port");
    let (mut failing, _) = start_on(Arc::clone(&disk) as _, door, config, Plain, Beside::default())
        .await
        .expect("starts");
    reach(&nodes, 2).await;
    disk.broken.store(true, Ordering::SeqCst);
    let failure = tokio::time::timeout(SOON, failing.failed()).await.expect("in time");
    let full = Failure::Store(StoreError::Failed("no space left on device".into()));
    assert_eq!(failure, full);
    assert_eq!(failing.stop().await, Err(full), "it cannot stop cleanly");
    let before = height(&nodes[0]).await;
    reach(&nodes, before + 3).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_agree_over_quic() {
    let testnet = Testnet { transport: Transport::Quic, ..Testnet::new() };
    let mut nodes = testnet.start().await;
    reach(&nodes, 3).await;
    assert!(nodes.iter().all(|node| node.transport() == Transport::Quic));
    let id = transfer(0).id();
    assert_eq!(submit(&nodes[1], &transfer(0)).await, Ok(json!({ "id": id.to_string() })));
    check(&finality(&nodes[3], id).await);
    // One of them is stopped and comes back to its port.
    stop(vec![nodes.remove(2)]).await;
    let left = height(&nodes[0]).await;
    reach(&nodes, left + 2).await;
    nodes.push(start(testnet.config(2)).await.expect("starts"));
    reach(&nodes, left + 4).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_in_use_is_refused_and_so_is_a_port() {
    let testnet = Testnet::new();
    let node = start(testnet.config(0)).await.expect("starts");
    let error = start(testnet.config(0)).await.expect_err("in use");
    assert!(matches!(error, StartError::Database(_)), "{error}");
    assert!(!error.is_bad_input());
    let config = testnet.config(1);
    let mut settings = config.settings().clone();
    settings.rpc = node.rpc();
    let config = NodeConfig::new(config.dir(), settings, genesis(), secret(1)).expect("good");
    let error = start(config).await.expect_err("in use");
    assert!(error.is_bad_input() && error.to_string().contains("config.toml"), "{error}");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_genesis_with_an_unknown_module_is_refused_by_name() {
    let testnet = Testnet::new();
    let mut genesis = genesis();
    genesis.consensus = "paxos".into();
    let settings = testnet.config(0).settings().clone();
    let dir = testnet.dirs[0].path();
    let config = NodeConfig::new(dir, settings, genesis, secret(0)).expect("good");
    let error = start(config).await.expect_err("unknown");
    assert!(error.is_bad_input());
    assert!(error.to_string().contains("paxos") && error.to_string().contains("tendermint"));
    let node = start(testnet.config(0)).await.expect("the refused one left nothing running");
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_of_another_chain_is_refused_by_both_names() {
    let testnet = Testnet::new();
    stop(vec![start(testnet.config(0)).await.expect("starts")]).await;
    let mut other = genesis();
    other.name = "another chain".into();
    let settings = testnet.config(0).settings().clone();
    let config = NodeConfig::new(testnet.dirs[0].path(), settings, other, secret(0)).expect("good");
    let error = start(config).await.expect_err("refused");
    assert!(error.is_bad_input());
    let words = error.to_string();
    assert!(words.contains("another chain") && words.contains("four nodes"), "{words}");
}
