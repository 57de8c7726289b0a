//! Two real networks: one peer speaks, the other's openers listen.

use super::*;
use crate::network::{self, Config, MAX_FAULTS, Network, PeerConfig};
use crate::{runtime::Received, testing::free_address};
use consensus::{Protocol, tendermint::Tendermint};
use crossbeam_channel::{Receiver, bounded};
use crypto::SecretKey;
use ledger::{
    Action, Amount, ChainId, Committee, Payload, Stake, VerifiedTransaction, vote::Member,
};
use replica::{Envelope, Opened, Packet, packet::Ask};
use std::{net::SocketAddr, time::Duration};

type M = <Tendermint as Protocol>::Message;

const SOON: Duration = Duration::from_secs(20);

struct Bench {
    runtime: tokio::runtime::Runtime,
    peer: Network,
    /// A network whose events nobody can receive ends.
    _peer_events: Events,
    node: Network,
    opened: Receiver<Waiting<Event<M>>>,
    gossiped: Receiver<Gossiped<M>>,
    dealings: Arc<Dealings>,
    counters: Arc<Counters>,
    threads: Vec<JoinHandle<()>>,
    reports: tokio::sync::mpsc::Receiver<Failure>,
}

fn secret(id: u32) -> SecretKey {
    SecretKey::from_seed([id as u8 + 1; 32])
}

fn config(id: u32, listen: SocketAddr, other: SocketAddr) -> Config {
    let peer = 1 - id;
    let public_key = secret(peer).public().to_bytes();
    Config {
        seed: secret(id).seed(),
        listen,
        peers: vec![PeerConfig { id: peer, public_key, address: other }],
        guests: 0,
        chain: ChainId::default().to_string(),
    }
}

fn bench(workers: usize) -> Bench {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (here, there) = (free_address(), free_address());
    let (peer, peer_events) =
        runtime.block_on(network::start(config(1, there, here))).expect("starts");
    let (node, events) = runtime.block_on(network::start(config(0, here, there))).expect("starts");
    let members = (0..2).map(|id| {
        let key = secret(id).public();
        Member::new(ReplicaId(id), key, Stake(1))
    });
    let committee = Committee::new(members.collect()).expect("a committee");
    let (to_opened, opened) = bounded(4);
    let (to_gossiped, gossiped) = bounded(4);
    let (counters, dealings) = (Arc::new(Counters::default()), Arc::new(Dealings::default()));
    let openers = Openers {
        keys: Arc::new(Keys::of(ChainId::default(), &committee)),
        transactions: Arc::default(),
        opened: to_opened,
        gossiped: to_gossiped,
        frames: Arc::default(),
        dealings: Arc::clone(&dealings),
        counters: Arc::clone(&counters),
        warden: node.warden(),
    };
    let (failures, reports) = Failures::channel();
    let threads = openers.start(events, workers, &failures).expect("threads");
    let _peer_events = peer_events;
    Bench {
        runtime,
        peer,
        _peer_events,
        node,
        opened,
        gossiped,
        dealings,
        counters,
        threads,
        reports,
    }
}

fn ask(seq: u64) -> Arc<[u8]> {
    let packet = Packet::Ask(Ask::Blocks { from: seq });
    Envelope::<M> { seq, packet }.encode().into()
}

fn transfer(nonce: u64) -> VerifiedTransaction {
    let key = secret(7);
    let action = Action::Transfer { to: key.public().address(), amount: Amount(1) };
    let (chain, sender, fee) = (ChainId::default(), key.public(), Amount(1));
    let payload = Payload { chain, sender, nonce, fee, action };
    payload.sign(&key).verify(chain).expect("a good transaction")
}

impl Bench {
    fn wait_for(&self, what: &str, condition: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !condition() {
            assert!(start.elapsed() < SOON, "{what}: {:?}", self.counters.snapshot());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The next envelope, opened.
    fn opened(&self) -> Event<M> {
        self.opened.recv_timeout(SOON).expect("opened").parts().1
    }

    fn refused(&self, what: &str, reason: &str) -> u64 {
        let refused = self.counters.snapshot().refused;
        refused.get(what).and_then(|reasons| reasons.get(reason)).copied().unwrap_or(0)
    }

    /// Ends the network and sees that the threads end with it.
    fn end(mut self) {
        self.runtime.block_on(self.peer.shutdown());
        self.runtime.block_on(self.node.shutdown());
        self.threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(self.reports.try_recv(), Ok(Failure::NetworkEnded));
        assert!(self.reports.try_recv().is_err());
    }
}

#[test]
fn a_peers_envelopes_stay_in_order_and_wait_for_a_slow_replica() {
    let bench = bench(3);
    (1..=300).for_each(|seq| bench.peer.send(0, ask(seq)));
    for expected in 1..=300 {
        match bench.opened() {
            Event::Received { from, seq, opened: Opened::Ask(Ask::Blocks { from: height }) } => {
                assert_eq!((from, seq, height), (ReplicaId(1), expected, expected));
            }
            other => panic!("{other:?}"),
        }
    }
    let figures = bench.counters.snapshot();
    assert_eq!((figures.opened, figures.openers), (300, 3));
    let bytes = (1..=300).map(|seq| ask(seq).len() as u64).sum();
    assert_eq!(figures.received, [("ask", Received { envelopes: 300, bytes })].into());
    assert_eq!(figures.times.opened["envelope"].count(), 300);
    // The first of them waited while the replica took nothing, and so did all behind it.
    assert_eq!(figures.times.queues["frames"].count(), 300);
    bench.end();
}

#[test]
fn hostile_bytes_are_counted_and_what_follows_is_heard() {
    let bench = bench(1);
    bench.peer.send(0, vec![0xff; 100].into());
    bench.peer.send(0, Vec::new().into());
    bench.peer.send(0, vec![0; MAX_ENVELOPE_BYTES + 1].into());
    let mut trailing = ask(9).to_vec();
    trailing.push(0);
    let trailing_length = trailing.len() as u64;
    bench.peer.send(0, trailing.into());
    bench.peer.send(0, ask(1));
    let event = bench.opened();
    assert!(matches!(event, Event::Received { seq: 1, .. }), "{event:?}");
    assert_eq!(bench.refused("envelope", "malformed"), 3);
    assert_eq!(bench.refused("envelope", "too_long"), 1);
    let figures = bench.counters.snapshot();
    let bytes = 100 + trailing_length;
    assert_eq!(figures.received["refused"], Received { envelopes: 3, bytes });
    assert_eq!(figures.times.opened["envelope"].count(), 4, "to refuse takes time, too");
    assert_eq!(bench.node.counters().peer_faults, 4);
    bench.end();
}

#[test]
fn gossiped_batches_are_judged_as_a_whole() {
    let bench = bench(1);
    // Before a peer knows our topic, nobody is there to hear.
    bench.wait_for("a batch is gossiped", || {
        bench.peer.publish(packet::encode_transactions(&[transfer(0)]));
        std::thread::sleep(Duration::from_millis(50));
        bench.counters.snapshot().batches_opened == 1
    });
    let Gossiped { signer, event } = bench.gossiped.recv_timeout(SOON).expect("opened");
    let (_, event) = event.parts();
    assert!(matches!(&event, Event::Gossiped(batch) if batch == &[transfer(0)]), "{event:?}");
    assert_eq!(signer, 1);

    let mut forged = packet::encode_transactions(&[transfer(1), transfer(2)]);
    *forged.last_mut().expect("bytes") ^= 1;
    bench.peer.publish(forged);
    bench.wait_for("a forged batch is refused", || bench.refused("gossip", "bad_signature") == 1);
    bench.wait_for("and rejected", || bench.node.counters().gossip_rejected == 1);
    assert_eq!(bench.node.counters().gossip_accepted, 1);
    assert!(bench.gossiped.is_empty());
    let figures = bench.counters.snapshot();
    assert!(figures.bytes_gossiped > 0);
    assert_eq!(figures.times.opened["batch"].count(), 2);
    assert_eq!(figures.times.queues["batches"].count(), 2);
    bench.end();
}

#[test]
fn a_peer_that_sends_garbage_again_and_again_is_shut_out() {
    let bench = bench(2);
    bench.wait_for("they are linked", || bench.node.peers() == 1);
    for seq in 1..u64::from(MAX_FAULTS) {
        bench.peer.send(0, vec![0xff; 100].into());
        bench.peer.send(0, ask(seq));
        bench.opened.recv_timeout(SOON).expect("good ones are heard in between");
    }
    assert_eq!((bench.node.peers(), bench.node.counters().peers_banned), (1, 0));
    bench.peer.send(0, Vec::new().into());
    bench.wait_for("it is shut out", || bench.node.counters().peers_banned == 1);
    bench.wait_for("it is disconnected", || bench.node.peers() == 0);
    assert_eq!(bench.refused("envelope", "malformed"), u64::from(MAX_FAULTS));
    // It tries again, as peers do, and nothing it says is heard.
    let opened = bench.counters.snapshot().opened;
    bench.peer.send(0, ask(99));
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!((bench.node.peers(), bench.counters.snapshot().opened), (0, opened));
    bench.end();
}

fn blocks(seq: u64) -> Arc<[u8]> {
    Envelope::<M> { seq, packet: Packet::Blocks(Vec::new()) }.encode().into()
}

#[test]
fn blocks_that_nobody_asked_for_are_not_opened() {
    let bench = bench(2);
    bench.peer.send(0, blocks(1));
    bench.peer.send(0, ask(2));
    let (_, event) = bench.opened.recv_timeout(SOON).expect("opened").parts();
    assert!(matches!(event, Event::Received { seq: 2, .. }), "{event:?}");
    assert_eq!(bench.refused("envelope", "unasked"), 1);
    assert_eq!(bench.node.counters().peer_faults, 0, "it happens");
    bench.dealings.ask(1);
    bench.peer.send(0, blocks(3));
    let (_, event) = bench.opened.recv_timeout(SOON).expect("opened").parts();
    assert!(matches!(event, Event::Received { seq: 3, .. }), "{event:?}");
    (0..500).for_each(|seq| bench.peer.send(0, blocks(seq)));
    bench.wait_for("whoever goes on is shut out", || bench.node.counters().peers_banned == 1);
    bench.end();
}

#[test]
fn a_signer_whose_transactions_are_of_no_use_is_not_listened_to() {
    let bench = bench(1);
    bench.dealings.was_useless(1, u64::from(u32::MAX));
    let nonce = std::cell::Cell::new(0);
    bench.wait_for("a batch is refused unseen", || {
        bench.peer.publish(packet::encode_transactions(&[transfer(nonce.get())]));
        nonce.set(nonce.get() + 1);
        std::thread::sleep(Duration::from_millis(50));
        bench.refused("gossip", "useless") > 0
    });
    assert_eq!(bench.counters.snapshot().batches_opened, 0);
    assert_eq!(bench.node.counters().peer_faults, 0, "we may be the ones who lag behind");
    bench.end();
}
