//! One other node: what waits for it, what it may send, and how it has behaved.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use libp2p::PeerId;
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

use super::{
    MAX_FRAME,
    conduct::{BAN, Conduct, Sentence},
    counters::Tallies,
    guests::Stay,
    queue::{MAX_QUEUED_BYTES, Queue},
};

/// Bytes of received frames that one peer may have waiting for the node. Each peer has its own
/// budget, so one that floods us leaves the others theirs. It must hold the longest frame.
const INBOUND_BYTES: usize = 8 * 1024 * 1024;
/// The same for a guest.
const GUEST_INBOUND_BYTES: usize = MAX_FRAME as usize;
/// Bytes that wait to be sent to a guest.
const GUEST_QUEUED_BYTES: usize = MAX_QUEUED_BYTES / 2;

/// One other node that may speak to us.
#[derive(Debug)]
pub(super) struct Peer {
    seat: AtomicU32,
    /// The identity its public key gives it.
    pub(super) peer_id: PeerId,
    /// Where it listens, if that is known.
    address: Mutex<Option<SocketAddr>>,
    /// Frames that wait to be sent to it.
    pub(super) queue: Queue,
    /// Room for frames received from it, in bytes.
    pub(super) inbound: Arc<Semaphore>,
    linked: AtomicBool,
    /// Of a guest only.
    stay: Mutex<Option<Stay>>,
    guest: AtomicBool,
    conduct: Mutex<Conduct>,
    tallies: Arc<Tallies>,
    /// Shared by all peers: see [`super::roster::Roster::next_change`].
    bell: Arc<Notify>,
}

impl Peer {
    /// A peer that has a seat of its own.
    pub(super) fn member(
        seat: u32,
        peer_id: PeerId,
        address: Option<SocketAddr>,
        tallies: &Arc<Tallies>,
        bell: &Arc<Notify>,
    ) -> Self {
        let queue = Queue::new(Arc::clone(tallies), MAX_QUEUED_BYTES);
        Self {
            seat: AtomicU32::new(seat),
            peer_id,
            address: Mutex::new(address),
            queue,
            inbound: Arc::new(Semaphore::new(INBOUND_BYTES)),
            linked: AtomicBool::new(false),
            stay: Mutex::default(),
            guest: AtomicBool::new(false),
            conduct: Mutex::default(),
            tallies: Arc::clone(tallies),
            bell: Arc::clone(bell),
        }
    }

    /// A peer that nobody told us of, on a place of ours.
    pub(super) fn guest(
        place: u32,
        peer_id: PeerId,
        now: Instant,
        tallies: &Arc<Tallies>,
        bell: &Arc<Notify>,
    ) -> Self {
        let queue = Queue::new(Arc::clone(tallies), GUEST_QUEUED_BYTES);
        Self {
            queue,
            inbound: Arc::new(Semaphore::new(GUEST_INBOUND_BYTES)),
            stay: Mutex::new(Some(Stay::begun(now))),
            guest: AtomicBool::new(true),
            ..Self::member(place, peer_id, None, tallies, bell)
        }
    }

    /// The replica's id, or a guest's place.
    pub(super) fn seat(&self) -> u32 {
        self.seat.load(Ordering::Relaxed)
    }

    /// Whether nobody told us of it.
    pub(super) fn is_guest(&self) -> bool {
        self.guest.load(Ordering::Relaxed)
    }

    /// Gives the peer this seat from now on, and a guest the room that peers have.
    pub(super) fn seat_at(&self, seat: u32) {
        self.seat.store(seat, Ordering::Relaxed);
        if self.guest.swap(false, Ordering::Relaxed) {
            *lock(&self.stay) = None;
            self.inbound.add_permits(INBOUND_BYTES - GUEST_INBOUND_BYTES);
            self.queue.widen(MAX_QUEUED_BYTES);
        }
    }

    /// Where it listens, if that is known.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        *lock(&self.address)
    }

    /// Notes where it listens.
    pub(super) fn move_to(&self, address: SocketAddr) {
        *lock(&self.address) = Some(address);
    }

    /// How a guest has spent its time here.
    pub(super) fn stay(&self) -> Option<Stay> {
        *lock(&self.stay)
    }

    /// Notes that a guest has said something.
    pub(super) fn heard(&self, now: Instant) {
        if let Some(stay) = &mut *lock(&self.stay) {
            stay.heard(now);
        }
    }

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
        if lock(&self.conduct).fault(Instant::now()) == Sentence::Banned {
            self.tallies.peers_banned.increment();
            let (seat, seconds) = (self.seat(), BAN.as_secs());
            tracing::warn!(seat, reason, seconds, "a peer is shut out for what it sends");
            self.bell.notify_one();
        }
    }

    /// When the peer may come back, if it is shut out.
    pub(super) fn banned_until(&self) -> Option<Instant> {
        lock(&self.conduct).banned_until(Instant::now())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each of them is changed by assignments that leave it whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
