//! The configured peers: who may speak to us, and what waits for each.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use libp2p::{Multiaddr, PeerId, identity, multiaddr::Protocol};
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

use super::{
    NetworkError, PeerConfig,
    conduct::{BAN, Conduct, Sentence},
    counters::Tallies,
    queue::Queue,
};

/// Bytes of received frames that one peer may have waiting for the node. Each peer has its own
/// budget, so one that floods us leaves the others theirs. It must hold the longest frame.
const INBOUND_BYTES: usize = 8 * 1024 * 1024;

/// One configured peer.
#[derive(Debug)]
pub(super) struct Peer {
    /// The seat: the replica's id.
    pub(super) seat: u32,
    /// The identity its public key gives it.
    pub(super) peer_id: PeerId,
    /// Where it listens.
    pub(super) address: Multiaddr,
    /// Frames that wait to be sent to it.
    pub(super) queue: Queue,
    /// Room for frames received from it, in bytes.
    pub(super) inbound: Arc<Semaphore>,
    linked: AtomicBool,
    conduct: Mutex<Conduct>,
    tallies: Arc<Tallies>,
    /// Shared by all peers: see [`Roster::next_ban`].
    bell: Arc<Notify>,
}

impl Peer {
    /// Whether we have a substream on which to send to it.
    pub(super) fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Relaxed)
    }

    /// Notes whether we have one.
    pub(super) fn set_linked(&self, linked: bool) {
        self.linked.store(linked, Ordering::Relaxed);
    }

    /// Neither sends to the peer nor takes anything from it. What waits for it is lost and counted.
    pub(super) fn cut(&self) {
        self.tallies.dropped_cut.add(self.queue.shut() as u64);
    }

    /// Sends to it and hears it again.
    pub(super) fn heal(&self) {
        self.queue.open();
    }

    /// Whether we are told to have nothing to do with it.
    pub(super) fn is_cut(&self) -> bool {
        self.queue.is_shut()
    }

    /// Holds a fault against the peer: something no honest peer does. Enough of them shut it out.
    pub(super) fn punish(&self, reason: &str) {
        self.tallies.peer_faults.increment();
        if self.conduct().fault(Instant::now()) == Sentence::Banned {
            self.tallies.peers_banned.increment();
            let seconds = BAN.as_secs();
            tracing::warn!(
                seat = self.seat,
                reason,
                seconds,
                "a peer is shut out for what it sends"
            );
            self.bell.notify_one();
        }
    }

    /// When the peer may come back, if it is shut out.
    pub(super) fn banned_until(&self) -> Option<Instant> {
        self.conduct().banned_until(Instant::now())
    }

    fn conduct(&self) -> std::sync::MutexGuard<'_, Conduct> {
        // A record is changed by assignments that leave it whole.
        self.conduct.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All configured peers, by seat and by identity.
#[derive(Debug)]
pub(super) struct Roster {
    by_seat: BTreeMap<u32, Arc<Peer>>,
    by_identity: BTreeMap<PeerId, Arc<Peer>>,
    bell: Arc<Notify>,
}

impl Roster {
    /// Checks the configuration: seats and keys are unique, and none is our own.
    pub(super) fn new(
        own: PeerId,
        configured: &[PeerConfig],
        tallies: &Arc<Tallies>,
    ) -> Result<Self, NetworkError> {
        let bell = Arc::new(Notify::new());
        let mut by_seat = BTreeMap::new();
        let mut by_identity = BTreeMap::new();
        for config in configured {
            let seat = config.id;
            let peer_id = identify(seat, &config.public_key)?;
            if peer_id == own {
                return Err(NetworkError::OwnKey { seat });
            }
            let peer = Arc::new(Peer {
                seat,
                peer_id,
                address: multiaddr(config.address),
                queue: Queue::new(Arc::clone(tallies)),
                inbound: Arc::new(Semaphore::new(INBOUND_BYTES)),
                linked: AtomicBool::new(false),
                conduct: Mutex::default(),
                tallies: Arc::clone(tallies),
                bell: Arc::clone(&bell),
            });
            if by_seat.insert(seat, Arc::clone(&peer)).is_some() {
                return Err(NetworkError::DuplicateSeat { seat });
            }
            if by_identity.insert(peer_id, peer).is_some() {
                return Err(NetworkError::DuplicateKey { seat });
            }
        }
        Ok(Self { by_seat, by_identity, bell })
    }

    /// The peer in a seat.
    pub(super) fn seated(&self, seat: u32) -> Option<&Arc<Peer>> {
        self.by_seat.get(&seat)
    }

    /// The peer with an identity.
    pub(super) fn identified(&self, peer_id: &PeerId) -> Option<&Arc<Peer>> {
        self.by_identity.get(peer_id)
    }

    /// Waits until a peer has been shut out since this was last asked. Cancel-safe.
    pub(super) async fn next_ban(&self) {
        self.bell.notified().await;
    }

    /// Every peer, by ascending seat.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.by_seat.values()
    }
}

/// The libp2p identity of an Ed25519 public key.
fn identify(seat: u32, public_key: &[u8; 32]) -> Result<PeerId, NetworkError> {
    let key = identity::ed25519::PublicKey::try_from_bytes(public_key)
        .map_err(|_| NetworkError::BadKey { seat })?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

/// A TCP address in libp2p's notation.
pub(super) fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Protocol::Tcp(address.port()))
}
