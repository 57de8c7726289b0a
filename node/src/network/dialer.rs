//! Who dials whom, and when again.
//!
//! Of two peers the one with the higher identity dials, so a pair seldom opens two connections at once;
//! if it does, the one that this side dialled stays. The other side dials only when nothing has come
//! for a while: a node that has joined since may know where we are while we do not know where it is.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use libp2p::{
    PeerId,
    swarm::dial_opts::{DialOpts, PeerCondition},
};
use tokio::time::Instant;

use super::{Transport, peers::Peer, roster::Roster};

/// The wait after the first failed dial; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two dials, and so about the longest a peer stays alone that the other side
/// alone had cut off.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// How long the side with the lower identity waits for the other to dial, each time. One that was just
/// started is not known to be back: the others dial when their wait is over, and it need not wait for that.
/// No multiple of their waits, so that both sides seldom dial at once.
const PATIENCE: Duration = Duration::from_millis(400);

/// The peers we dial, each with the time of its next attempt.
#[derive(Debug)]
pub(super) struct Dialer {
    own: PeerId,
    transport: Transport,
    targets: BTreeMap<PeerId, Target>,
}

#[derive(Debug)]
struct Target {
    address: SocketAddr,
    /// How much longer than the other side we wait.
    patience: Duration,
    wait: Duration,
    /// `None` while connected or cut off.
    next: Option<Instant>,
}

/// Whether `own` is the side that dials `other`.
pub(super) fn dials(own: PeerId, other: PeerId) -> bool {
    own > other
}

impl Dialer {
    /// Everybody on the roster who can be dialled, due at `now` if that is our part.
    pub(super) fn new(own: PeerId, transport: Transport, roster: &Roster, now: Instant) -> Self {
        let mut dialer = Self { own, transport, targets: BTreeMap::new() };
        dialer.follow(roster, now, |_| false);
        dialer
    }

    /// Dials whoever has come to the roster, where they are, and nobody who has left it.
    pub(super) fn follow(
        &mut self,
        roster: &Roster,
        now: Instant,
        is_connected: impl Fn(&Peer) -> bool,
    ) {
        let members = roster.members();
        self.targets.retain(|peer_id, _| members.iter().any(|peer| peer.peer_id == *peer_id));
        for peer in members {
            let Some(address) = peer.address() else { continue };
            if let Some(target) = self.targets.get_mut(&peer.peer_id) {
                target.address = address;
                continue;
            }
            let ours = dials(self.own, peer.peer_id);
            let patience = if ours { Duration::ZERO } else { PATIENCE };
            let idle = is_connected(&peer) || peer.is_cut();
            let next = (!idle).then_some(now + patience);
            let target = Target { address, patience, wait: FIRST_WAIT, next };
            self.targets.insert(peer.peer_id, target);
        }
    }

    /// When the next attempt is due, if one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.targets.values().filter_map(|target| target.next).min()
    }

    /// The attempts due at `now`. Each is due again after its wait, whatever becomes of it; the
    /// condition makes an attempt beside a pending one a no-op.
    pub(super) fn due(&mut self, now: Instant) -> Vec<DialOpts> {
        let mut attempts = Vec::new();
        for (peer_id, target) in &mut self.targets {
            if target.next.is_none_or(|next| next > now) {
                continue;
            }
            target.next = Some(now + target.patience + target.wait);
            target.wait = (target.wait * 2).min(LONGEST_WAIT);
            let attempt = DialOpts::peer_id(*peer_id)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![self.transport.multiaddr(target.address)]);
            attempts.push(match self.transport {
                // A port of its own for each attempt: the listening port, used again within a
                // minute of the last connection, would meet that one's TIME_WAIT.
                Transport::Tcp => attempt.allocate_new_port().build(),
                // From the listening port, where a peer that we lost in a crash finds us again and
                // learns that we did.
                Transport::Quic => attempt.build(),
            });
        }
        attempts
    }

    /// A connection to the peer stands: no more attempts.
    pub(super) fn connected(&mut self, peer_id: &PeerId) {
        if let Some(target) = self.targets.get_mut(peer_id) {
            target.next = None;
        }
    }

    /// The connection is of use, so when it is lost the waits start small again. A peer that
    /// accepts and hangs up at once never gets here, and is not dialled four times a second.
    pub(super) fn linked(&mut self, peer_id: &PeerId) {
        if let Some(target) = self.targets.get_mut(peer_id) {
            target.wait = FIRST_WAIT;
        }
    }

    /// The peer is not to be dialled until it is [`Dialer::resume`]d.
    pub(super) fn park(&mut self, peer_id: &PeerId) {
        if let Some(target) = self.targets.get_mut(peer_id) {
            target.next = None;
        }
    }

    /// The peer, which is not connected, may be dialled again from `earliest` on.
    pub(super) fn resume(&mut self, peer_id: &PeerId, earliest: Instant) {
        if let Some(target) = self.targets.get_mut(peer_id) {
            target.wait = FIRST_WAIT;
            target.next = Some(earliest + target.patience);
        }
    }

    /// The last connection to the peer is gone, and it is not to be dialled before `earliest`.
    pub(super) fn disconnected(&mut self, peer_id: &PeerId, earliest: Instant) {
        if let Some(target) = self.targets.get_mut(peer_id) {
            target.next = Some(earliest + target.patience + target.wait);
        }
    }
}
