//! Whole networks on the loopback interface.
//!
//! Seats are given out in the order of identities and nodes are started in that order. A node
//! dials the lower seats only, so it needs no address that is not known yet.

use std::{cell::Cell, future::Future, net::SocketAddr, time::Duration};

use libp2p::identity;

use super::*;
use crate::testing::free_address;

const CHAIN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// A bound on waiting, not an expectation: a loaded machine may be slow.
const PATIENCE: Duration = Duration::from_secs(30);

thread_local! {
    /// What the networks of a test are made over, on its own thread.
    static OVER: Cell<Transport> = const { Cell::new(Transport::Tcp) };
}

/// Runs a test, which starts its networks on this thread, over QUIC.
fn over_quic(test: impl FnOnce()) {
    OVER.set(Transport::Quic);
    test();
    // A thread may have another test to run.
    OVER.set(Transport::Tcp);
}

/// The same tests over QUIC.
macro_rules! over_quic_too {
    ($($test:ident,)+) => {
        mod quic {
            $(
            #[test]
            fn $test() { super::over_quic(super::$test) }
            )+
        }
    };
}

mod cut;
mod frames;
mod gossip;
mod guests;
mod lifecycle;
mod weather;

struct Node {
    network: Network,
    events: Events,
}

/// Seeds whose identities ascend.
fn seeds(count: u8) -> Vec<[u8; 32]> {
    let mut seeds: Vec<_> = (1..=count).map(|number| [number; 32]).collect();
    seeds.sort_by_key(|seed| public(seed).to_peer_id());
    seeds
}

fn public(seed: &[u8; 32]) -> identity::PublicKey {
    Keypair::ed25519_from_bytes(*seed).unwrap().public()
}

fn peer(seat: usize, seed: &[u8; 32], address: SocketAddr) -> PeerConfig {
    PeerConfig {
        id: seat as u32,
        public_key: public(seed).try_into_ed25519().unwrap().to_bytes(),
        address,
    }
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// The configuration of one seat; `None` stands for the address of a peer that we do not dial.
fn config(
    seat: usize,
    seeds: &[[u8; 32]],
    addresses: &[Option<SocketAddr>],
    linked: impl Fn(usize, usize) -> bool,
) -> Config {
    let peers = (0..seeds.len())
        .filter(|&other| other != seat && linked(seat, other))
        .map(|other| {
            let address = addresses.get(other).copied().flatten();
            peer(other, &seeds[other], address.unwrap_or(loopback(1)))
        })
        .collect();
    Config {
        seed: Zeroizing::new(seeds[seat]),
        transport: OVER.get(),
        listen: addresses.get(seat).copied().flatten().unwrap_or_else(free_address),
        peers,
        guests: MAX_GUESTS,
        chain: CHAIN.to_owned(),
    }
}

async fn launch(config: Config) -> Node {
    let (network, events) = start(config).await.unwrap();
    Node { network, events }
}

/// Nodes in a graph, once every edge of it is linked on both sides.
async fn graph(count: u8, linked: fn(usize, usize) -> bool) -> Vec<Node> {
    let seeds = seeds(count);
    let mut nodes: Vec<Node> = Vec::new();
    for seat in 0..seeds.len() {
        let addresses: Vec<_> = nodes.iter().map(|node| Some(node.network.address())).collect();
        nodes.push(launch(config(seat, &seeds, &addresses, linked)).await);
    }
    for node in &nodes {
        let peers = node.network.roster.members().len();
        until("all links are up", || node.network.peers() == peers).await;
    }
    nodes
}

async fn full_mesh(count: u8) -> Vec<Node> {
    graph(count, |_, _| true).await
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    within(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

impl Node {
    async fn frame(&mut self) -> (u32, Vec<u8>) {
        within("a frame", async {
            loop {
                match self.events.recv().await {
                    Some(NetworkEvent::Frame { from, bytes }) => break (from, bytes),
                    Some(_) => {}
                    None => panic!("the network ended"),
                }
            }
        })
        .await
    }

    async fn gossip(&mut self) -> (Option<u32>, Vec<u8>, Ticket) {
        within("gossip", async {
            loop {
                match self.events.recv().await {
                    Some(NetworkEvent::Gossip { from, bytes, ticket }) => {
                        break (from, bytes, ticket);
                    }
                    Some(_) => {}
                    None => panic!("the network ended"),
                }
            }
        })
        .await
    }
}

fn numbered(number: usize) -> Arc<[u8]> {
    number.to_le_bytes().into()
}

async fn shut_down(nodes: Vec<Node>) {
    for node in nodes {
        within("a shutdown", node.network.shutdown()).await;
    }
}

/// Publishes until somebody hears: the nodes tell each other their topics a moment after they are linked.
async fn publish(node: &Node, bytes: &[u8]) {
    let published = || node.network.counters().gossip_published;
    let before = published();
    within("somebody listens", async {
        while published() == before {
            node.network.publish(bytes.to_vec());
            // What nobody heard is not kept for ever, and a loaded machine may be slow.
            for _ in 0..2_000 {
                if published() > before {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    })
    .await;
}
