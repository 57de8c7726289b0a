//! Three honest nodes, a fourth validator that floods them, and a flood on one's RPC besides.

use super::*;
use crate::{
    network::{Events, MAX_FAULTS, Network},
    testing::{documented_metrics, shown_metrics},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// The fourth validator's network with nothing honest behind it.
struct Flooder {
    network: Network,
    /// A network whose events nobody can receive ends; that nobody does, holds up its peers only.
    _events: Events,
}

impl Flooder {
    async fn start(testnet: &Testnet) -> Flooder {
        let started = network::start(network_config(&testnet.config(3))).await;
        let (network, _events) = started.expect("starts");
        Flooder { network, _events }
    }

    /// Everything that is no envelope, to everyone, as much as its queues take.
    fn flood(&self, wave: u32) {
        for number in 0..40 {
            let seed = wave.wrapping_mul(40).wrapping_add(number);
            let mut bytes = seed.to_le_bytes().repeat(1 + seed as usize % 500);
            // Every other one begins as an envelope with a message does.
            if number % 2 == 0 {
                bytes[..4].fill(0);
            }
            self.network.broadcast(bytes.into());
        }
    }
}

/// Bytes that are no calls, on connections of their own, most of them left open.
fn flood_rpc(address: SocketAddr, stop: &AtomicBool) -> u64 {
    let requests: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00garbage\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n[[[[",
        b"GET /wallet HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{",
    ];
    let mut open = std::collections::VecDeque::new();
    let mut sent = 0;
    while !stop.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        let _ = stream.write_all(requests[sent as usize % requests.len()]);
        let _ = stream.read(&mut [0; 512]);
        sent += 1;
        open.push_back(stream);
        if open.len() > 64 {
            open.pop_front();
        }
    }
    sent
}

fn refused(node: &RunningNode, what: &str) -> u64 {
    node.counters().refused.get(what).map_or(0, |reasons| reasons.values().sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_are_shut_out_and_the_chain_goes_on() {
    let testnet = Testnet::new();
    let mut nodes = Vec::new();
    for id in 0..3 {
        nodes.push(start(testnet.config(id)).await.expect("starts"));
    }
    let flooder = Flooder::start(&testnet).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (address, stopped) = (nodes[0].rpc(), Arc::clone(&stop));
    let client = std::thread::spawn(move || flood_rpc(address, &stopped));

    let start = Instant::now();
    let banned = |node: &RunningNode| node.network_counters().peers_banned >= 1;
    let mut wave = 0;
    while !nodes.iter().all(banned) {
        assert!(start.elapsed() < SOON, "it is put up with");
        flooder.flood(wave);
        wave += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = height(&nodes[0]).await;
    for _ in 0..20 {
        flooder.flood(wave);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    reach(&nodes, before + 5).await;
    submit(&nodes[0], &transfer(0)).await.expect("taken, floods or not");
    check(&finality(&nodes[2], transfer(0).id()).await);
    stop.store(true, Ordering::SeqCst);
    let requests = client.join().expect("no panic");

    for node in &nodes {
        let (figures, network) = (node.counters(), node.network_counters());
        let faults = refused(node, "envelope");
        assert!(faults >= u64::from(MAX_FAULTS), "{figures:?}");
        // Some blocks that nobody asked for are put up with, and there are other faults than envelopes.
        let unasked = figures.refused.get("envelope").and_then(|reasons| reasons.get("unasked"));
        let held = faults - unasked.copied().unwrap_or(0);
        assert!(network.peer_faults >= held, "each is held against somebody: {network:?}");
        // What was on its way when the peer was shut out: a queue of its own and one of ours.
        assert!(faults < 3_000, "{faults} of them were looked at");
        assert!(!node.network.connected().contains(&3), "{network:?}");
        assert_eq!(node.network.connected().len(), 2, "the honest ones stay");
        assert_eq!(network.dropped_oversized, 0);
    }
    assert!(requests > 0 && refused(&nodes[0], "request") > 0);
    assert!(nodes[0].counters().calls["none"][&-32700] > 0);
    let page = page(&nodes[0], "/metrics").await.1;
    assert!(page.contains("byzantium_refused_total{what=\"envelope\",reason=\"malformed\"}"));
    assert!(page.contains("byzantium_network_peers_banned_total 1"), "{page}");
    assert_eq!(page_status(&nodes[0]).await, 200, "three of four are healthy");
    flooder.network.shutdown().await;
    super::stop(nodes).await;
}

/// A GET's status and body.
pub(super) async fn page(node: &RunningNode, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", node.rpc());
    let answer = spawn_blocking(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(url).call().expect("it answers");
        let body = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), body)
    });
    answer.await.expect("no panic")
}

async fn page_status(node: &RunningNode) -> u16 {
    page(node, "/health").await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cut_off_from_its_quorum_says_so() {
    let testnet = Testnet::new();
    let mut nodes = testnet.start().await;
    reach(&nodes, 2).await;
    assert_eq!(page_status(&nodes[0]).await, 200);
    let rest = nodes.split_off(2);
    super::stop(rest).await;
    let start = Instant::now();
    loop {
        let (status, body) = page(&nodes[0], "/health").await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        if (status, &body["reason"]) == (503, &json!("no_quorum")) {
            break;
        }
        assert!(start.elapsed() < SOON, "{body}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    super::stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_events_tell_of_a_running_chain() {
    let testnet = Testnet::new();
    let nodes = testnet.start().await;
    // Whoever fell behind for a moment has heights without votes.
    reach(&nodes, 10).await;
    linked(&nodes).await;
    let (status, text) = page(&nodes[1], "/metrics").await;
    assert_eq!(status, 200);
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).trim();
        value.parse::<f64>().expect("a number")
    };
    assert!(value("byzantium_height ") >= 10.0);
    assert_eq!(value("byzantium_peers "), 3.0);
    assert!(value("byzantium_sent_bytes_total{class=\"first\"} ") > 0.0);
    assert!(value("byzantium_network_frames_received_total ") > 0.0);
    assert!(text.contains("libp2p_swarm_connections_established"), "{text}");
    // What the manual promises is there, but for what only a chain with a leak has.
    let (mut documented, shown) = (documented_metrics(), shown_metrics(&text));
    for leaks in ["weight_permille", "inactivity_score", "recovering"] {
        assert!(documented.remove(&format!("byzantium_{leaks}")), "{leaks}");
    }
    assert_eq!(shown, documented);
    assert!(value("byzantium_height_seconds_count ") >= 2.0);
    for kind in ["proposal", "prevote", "precommit"] {
        assert!(value(&format!("byzantium_heard_messages_total{{kind=\"{kind}\"}} ")) > 0.0);
        assert!(value(&format!("byzantium_received_bytes_total{{kind=\"{kind}\"}} ")) > 0.0);
        let first = format!("byzantium_height_step_seconds_count{{kind=\"{kind}\",at=\"first\"}} ");
        assert!(value(&first) >= 2.0, "{kind}");
    }
    let quorum = "byzantium_height_step_seconds_count{kind=\"precommit\",at=\"quorum\"} ";
    assert!(value(quorum) >= 2.0);
    for histogram in [
        "open_seconds_count{what=\"envelope\"} ",
        "queue_seconds_count{queue=\"frames\"} ",
        "queue_seconds_count{queue=\"opened\"} ",
        "queue_seconds_count{queue=\"questions\"} ",
        "replica_step_seconds_count{event=\"commit\"} ",
        "replica_step_seconds_count{event=\"received\"} ",
        "replica_step_seconds_count{event=\"synced\"} ",
        "carry_out_seconds_count ",
        "store_write_seconds_count ",
        "sync_seconds_count ",
    ] {
        let count = value(&format!("byzantium_{histogram}"));
        let sum = value(&format!("byzantium_{}", histogram.replace("_count", "_sum")));
        assert!(count > 0.0 && sum > 0.0, "{histogram}: {count}, {sum}");
    }
    assert_eq!(value("byzantium_sync_seconds_count "), value("byzantium_syncs_total "));
    assert!(value("byzantium_longest_seconds{of=\"sync\"} ") > 0.0);
    let address = nodes[1].rpc();
    let heard = spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("taken");
        let mut text = String::new();
        let mut buffer = [0; 4_096];
        while !text.contains("event: committed") {
            let length = stream.read(&mut buffer).expect("in time");
            text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    });
    heard.await.expect("a block is heard of");
    super::stop(nodes).await;
}
