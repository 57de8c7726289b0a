//! The network: carries opaque bytes between this node and its peers, over libp2p.
//!
//! It knows nothing of consensus. Two kinds of traffic share one connection for each pair of nodes, over
//! TCP with noise and yamux or over QUIC (`transport.rs`):
//!
//! - **Frames** go from one node to another, in order, on one long-lived substream for each peer
//!   and direction: [`Network::send`], [`Network::broadcast`], [`NetworkEvent::Frame`].
//! - **Gossip** goes to everyone: [`Network::publish`], [`NetworkEvent::Gossip`],
//!   [`Network::judge`].
//!
//! A task owns the swarm; the rest of the node holds a [`Network`], whose calls never wait, and
//! receives [`Events`]. Every queue is bounded, and what is dropped or refused is counted in
//! [`Counters`]. Frames may be lost when a connection breaks (those already written), and the last
//! few may come twice: the replica's delivery copes with both.
//!
//! Peers are known by their Ed25519 keys: the configured ones, those that the node is told of while it
//! runs ([`Network::admit`], [`Network::recognise`]), and a few guests that nobody told it of, who
//! come to read the chain and perhaps to join it (`guests.rs`). The network never lies and never
//! trusts: a frame's sender is proved by the connection, its content by nobody. Whoever
//! judges the content has a [`Warden`]: a peer that keeps sending what no honest peer sends is shut
//! out for a while.
//!
//! What strangers and peers can make us hold is bounded by budgets, not by watching the process'
//! memory: handshakes under way, connections and substreams for each peer (`service.rs`), received
//! bytes (`peers.rs`) and frames to be sent (`queue.rs`) for each peer, events, unjudged gossip and
//! gossipsub's own queues. At the very worst they add up to
//! some 50 MiB for each peer and guest, most of it gossipsub's; there are [`MAX_GUESTS`] guests at most
//! unless the configuration says otherwise.
//!
//! Read first: [`start`], then `service.rs`, which shows the whole main loop. `behaviour.rs`
//! decides which connections may be, and `cut.rs` which must not; `handler.rs` and `streams.rs` run one of them; `queue.rs` is
//! where frames wait; `roster.rs` knows who is who; `dialer.rs` reconnects; `gossip.rs` sets gossipsub up, and
//! `unheard.rs` keeps what nobody was there to hear.
//! `weather.rs` is what testnet's nodes have between the network and the replica, to study what comes
//! of loss and delay.

mod behaviour;
mod conduct;
mod counters;
mod cut;
mod dialer;
mod events;
mod framing;
mod gossip;
mod guests;
mod handler;
mod peers;
mod queue;
mod roster;
mod service;
mod streams;
mod tasks;
mod transport;
mod unheard;
mod weather;

use std::{net::SocketAddr, sync::Arc};

use libp2p::{
    StreamProtocol,
    identity::Keypair,
    metrics::{Metrics, Registry},
};
use thiserror::Error;
use tokio::{sync::mpsc, time::Instant};
use zeroize::Zeroizing;

pub(crate) use self::weather::Weather;
use self::{
    behaviour::Links,
    counters::Tallies,
    cut::Cutting,
    dialer::Dialer,
    events::Changes,
    queue::Untaken,
    roster::Roster,
    service::{Command, Service},
    tasks::Tasks,
    unheard::Unheard,
};
pub use self::{
    conduct::{BAN, MAX_FAULTS},
    counters::Counters,
    cut::{CutError, Seats},
    events::{Events, NetworkEvent, Room},
    gossip::{MAX_GOSSIP, Ticket, Verdict},
    guests::{MAX_GUESTS, MAX_SEATS},
    queue::{MAX_QUEUED_BYTES, MAX_QUEUED_FRAMES},
    transport::Transport,
};

/// The longest frame, in bytes. All nodes must agree on it.
pub const MAX_FRAME: u32 = 4 * 1024 * 1024;
/// Events that wait for the node; then peers have to wait.
const MAX_EVENTS: usize = 1_024;
/// Gossiped messages the node may hold unjudged.
const MAX_TICKETS: usize = 256;
/// Messages of our own that wait to be published.
const MAX_PUBLICATIONS: usize = 128;
/// Hex digits of the chain id in the name of the consensus protocol.
const SHORT_CHAIN: usize = 16;

/// Who we are, where we listen, whom we know.
#[derive(Clone)]
pub struct Config {
    /// The Ed25519 seed of the node's identity key.
    pub seed: Zeroizing<[u8; 32]>,
    /// Where to listen. Port 0 lets the system choose; see [`Network::address`].
    pub listen: SocketAddr,
    /// What carries the bytes. All nodes must agree on it.
    pub transport: Transport,
    /// The other nodes, without ourselves.
    pub peers: Vec<PeerConfig>,
    /// How many nodes that are not listed may be guests at a time; customarily [`MAX_GUESTS`].
    pub guests: u32,
    /// The chain id in hex: part of every protocol name and topic, so that two chains never mix.
    pub chain: String,
}

/// One other node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerConfig {
    /// Its seat: the replica's id, by which events and [`Network::send`] name it. Below
    /// [`MAX_SEATS`].
    pub id: u32,
    /// Its Ed25519 identity key, the only proof of who it is.
    pub public_key: [u8; 32],
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why the network could not start.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NetworkError {
    /// The chain id is not hex, or too short or long to be one.
    #[error("chain id {0:?} is not 16 to 64 hexadecimal digits")]
    BadChain(String),
    /// A peer's key is no Ed25519 public key.
    #[error("the public key of peer {seat} is not a valid Ed25519 key")]
    BadKey {
        /// The peer's seat.
        seat: u32,
    },
    /// A peer's seat is out of bounds.
    #[error("a peer has the id {seat}; it must be below {MAX_SEATS}")]
    BadSeat {
        /// The seat.
        seat: u32,
    },
    /// Two peers have the same seat.
    #[error("two peers have the id {seat}; give each its own")]
    DuplicateSeat {
        /// The seat.
        seat: u32,
    },
    /// Two peers have the same key.
    #[error("peer {seat} has the public key of another peer; give each its own")]
    DuplicateKey {
        /// The second peer's seat.
        seat: u32,
    },
    /// A peer has our own key.
    #[error("peer {seat} has this node's own key; list only the other nodes")]
    OwnKey {
        /// The peer's seat.
        seat: u32,
    },
    /// We cannot listen where we were told to.
    #[error("cannot listen on {address} for peers, over {transport}: {reason}")]
    Listen {
        /// The configured transport.
        transport: Transport,
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The transport could not be set up.
    #[error("cannot set up the transport: {reason}")]
    Transport {
        /// What libp2p said.
        reason: String,
    },
    /// Gossipsub could not be set up.
    #[error("cannot set up gossip: {reason}")]
    Gossip {
        /// What gossipsub said.
        reason: String,
    },
}

/// A handle to the running network. Cheap to clone; when the last is dropped, the network ends.
#[derive(Clone, Debug)]
pub struct Network {
    roster: Arc<Roster>,
    tallies: Arc<Tallies>,
    commands: mpsc::Sender<Command>,
    transport: Transport,
    address: SocketAddr,
    registry: Arc<Registry>,
}

/// The right to punish peers. Cheap to clone; unlike a [`Network`] it keeps no network alive, so
/// that those who judge what peers send may end after it.
#[derive(Clone, Debug)]
pub struct Warden(Arc<Roster>);

impl Warden {
    /// Holds against a peer that it sent what no honest peer sends: bytes that cannot be decoded,
    /// or a signature that is not its signer's. `reason` is one word, for the log. At the
    /// [`MAX_FAULTS`]th time the peer is disconnected and shut out for [`BAN`].
    pub fn punish(&self, seat: u32, reason: &str) {
        if let Some(peer) = self.0.seated(seat) {
            peer.punish(reason);
        }
    }
}

/// Starts the network on the current tokio runtime. When it returns, it listens.
///
/// # Errors
///
/// [`NetworkError`] if the configuration contradicts itself or the address cannot be listened on.
pub async fn start(config: Config) -> Result<(Network, Events), NetworkError> {
    let protocol = consensus_protocol(&config.chain)?;
    let topic = gossip::topic(&config.chain);
    let keypair = keypair(&config.seed)?;
    let own = keypair.public().to_peer_id();
    let tallies = Arc::new(Tallies::default());
    let roster = Arc::new(Roster::new(own, &config.peers, config.guests, &tallies)?);
    let (event_sender, event_receiver) = mpsc::channel(MAX_EVENTS);
    let (command_sender, commands) = mpsc::channel(MAX_PUBLICATIONS);
    let (places, answers) = mpsc::channel(MAX_TICKETS);
    let links =
        Links::new(own, protocol, Arc::clone(&roster), event_sender.clone(), Arc::clone(&tallies));
    let tasks = Tasks::default();
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    let mut swarm =
        service::swarm(config.transport, keypair, links, &topic, &tasks, &mut registry)?;
    let address = service::listen(&mut swarm, config.transport, config.listen).await?;
    tracing::info!("listening on {address} for peers, over {}", config.transport);
    let service = Service {
        swarm,
        metrics,
        tasks,
        dialer: Dialer::new(own, config.transport, &roster, Instant::now()),
        roster: Arc::clone(&roster),
        tallies: Arc::clone(&tallies),
        listens: (config.transport, address),
        topic,
        commands,
        places,
        answers,
        events: event_sender,
        changes: Changes::default(),
        cutting: Cutting::default(),
        unheard: Unheard::default(),
    };
    tokio::spawn(service.run());
    let registry = Arc::new(registry);
    let (transport, commands) = (config.transport, command_sender);
    let network = Network { roster, tallies, commands, transport, address, registry };
    Ok((network, Events::new(event_receiver)))
}

impl Network {
    /// Queues a frame for one peer, connected or not. Never waits: if the queue is full
    /// ([`MAX_QUEUED_FRAMES`], [`MAX_QUEUED_BYTES`]), the frame too long ([`MAX_FRAME`]) or the peer
    /// [`Network::cut`] off, the frame is dropped and counted.
    pub fn send(&self, to: u32, frame: Arc<[u8]>) {
        match self.roster.seated(to) {
            Some(peer) => self.queue(&peer, frame),
            None => self.tallies.dropped_unknown_peer.increment(),
        }
    }

    /// Queues a frame for every peer that has a seat, each as [`Network::send`] does.
    pub fn broadcast(&self, frame: Arc<[u8]>) {
        for peer in self.roster.members() {
            self.queue(&peer, Arc::clone(&frame));
        }
    }

    /// Gossips up to [`MAX_GOSSIP`] bytes to everyone. Never waits; what cannot be published (too
    /// long, a full queue, content seen in the last seconds) is dropped and counted, and what nobody is
    /// there to hear is kept for some seconds.
    pub fn publish(&self, bytes: Vec<u8>) {
        if bytes.len() > MAX_GOSSIP {
            self.tallies.gossip_oversized.increment();
        } else if self.commands.try_send(Command::Publish(bytes)).is_err() {
            self.tallies.gossip_dropped.increment();
        }
    }

    /// Judges a gossiped message, as [`Ticket::judge`] does.
    pub fn judge(&self, ticket: Ticket, verdict: Verdict) {
        ticket.judge(verdict);
    }

    /// Who may punish peers.
    pub fn warden(&self) -> Warden {
        Warden(Arc::clone(&self.roster))
    }

    /// Tells the network of another node while it runs: it is dialled and let in from now on, as if it
    /// had been configured. To say it again changes nothing but the address.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if the peer contradicts what is known: its seat or its key is another's, or is
    /// no seat or no key. Then nothing changes.
    pub fn admit(&self, peer: &PeerConfig) -> Result<(), NetworkError> {
        self.roster.admit(peer)
    }

    /// Tells the network whom the chain names at present, by seat and key. A guest among them has that
    /// seat from now on, without losing its link, and the room that peers have; and whoever holds a
    /// seat that the chain gives to another key is dismissed. Those that the chain names no more go
    /// when they hang up, unless we were told of them otherwise. Never waits.
    pub fn recognise(&self, members: &[(u32, [u8; 32])]) {
        self.roster.recognise(members);
    }

    /// How many peers with a seat are connected.
    pub fn peers(&self) -> usize {
        self.roster.members().iter().filter(|peer| peer.is_linked()).count()
    }

    /// The seats of the connected peers, ascending, without guests.
    pub fn connected(&self) -> Vec<u32> {
        let members = self.roster.members();
        members.iter().filter(|peer| peer.is_linked()).map(|peer| peer.seat()).collect()
    }

    /// The seats of all peers, connected or not, ascending, without guests.
    pub fn seats(&self) -> Vec<u32> {
        self.roster.members().iter().map(|peer| peer.seat()).collect()
    }

    /// How many guests are connected.
    pub fn guests(&self) -> usize {
        let everybody = self.roster.everybody();
        everybody.iter().filter(|peer| peer.is_guest() && peer.is_linked()).count()
    }

    /// What has been carried, refused and dropped since the start.
    pub fn counters(&self) -> Counters {
        self.tallies.snapshot()
    }

    /// What libp2p counts by itself: connections, and gossipsub's mesh, scores and messages.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Where we listen, with the port the system chose if none was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What carries the bytes.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Ends the network: closes every connection, frees the port and waits until no task is left, about a
    /// second at most, and over QUIC up to six more until the port is free. Frames still queued are dropped. Other handles become useless.
    pub async fn shutdown(self) {
        // An error means that it has ended already.
        let _ = self.commands.send(Command::Shutdown).await;
        self.commands.closed().await;
    }

    fn queue(&self, peer: &peers::Peer, frame: Arc<[u8]>) {
        if frame.len() > MAX_FRAME as usize {
            self.tallies.dropped_oversized.increment();
            return;
        }
        match peer.queue.push(frame) {
            Ok(()) => {}
            Err(Untaken::Full) => self.tallies.dropped_queue_full.increment(),
            Err(Untaken::Shut) => self.tallies.dropped_cut.increment(),
        }
    }
}

/// The name of a chain's consensus protocol. Nodes of another chain do not speak it.
fn consensus_protocol(chain: &str) -> Result<StreamProtocol, NetworkError> {
    let bad = || NetworkError::BadChain(chain.to_owned());
    let is_hex = chain.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex || !(SHORT_CHAIN..=64).contains(&chain.len()) {
        return Err(bad());
    }
    let name = format!("/byzantium/{}/consensus/1", &chain[..SHORT_CHAIN]);
    StreamProtocol::try_from_owned(name).map_err(|_| bad())
}

/// The identity key of a seed.
fn keypair(seed: &Zeroizing<[u8; 32]>) -> Result<Keypair, NetworkError> {
    // libp2p wipes the copy it is given.
    let mut copy = Zeroizing::new(**seed);
    Keypair::ed25519_from_bytes(copy.as_mut_slice())
        .map_err(|error| NetworkError::Transport { reason: error.to_string() })
}

#[cfg(test)]
mod tests;
