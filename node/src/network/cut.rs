//! Links that are cut on purpose: a partition, to study what becomes of it.
//!
//! A cut is symmetrical from where we stand: nothing goes to the peer and nothing comes from it. It
//! says nothing of third parties: what a cut peer gossips still reaches us through a peer of both.
//! The state lies in the peer's queue, which is shut while the peer is cut off, so that a frame is
//! either lost and counted or leaves after the cut has been healed.

use std::{collections::BTreeSet, fmt, time::Duration};

use thiserror::Error;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

use super::{
    Network,
    peers::Peer,
    service::{Command, Service},
};

/// How long a cut waits for connections to close. Nothing is sent or taken meanwhile.
const CLOSING: Duration = Duration::from_secs(2);

/// Why nothing was cut.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CutError {
    /// There is no such peer, or it is this node itself.
    #[error("{seat} is no peer of this node, whose peers are {peers}; name only those")]
    NotAPeer {
        /// The seat.
        seat: u32,
        /// Those there are.
        peers: Seats,
    },
    /// The network has ended.
    #[error("the node is stopping")]
    Ended,
}

/// Some seats, for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seats(pub Vec<u32>);

impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seats: Vec<_> = self.0.iter().map(u32::to_string).collect();
        match seats.is_empty() {
            true => f.write_str("none"),
            false => f.write_str(&seats.join(", ")),
        }
    }
}

impl Network {
    /// Has nothing to do with the peers in `seats` from now on, and with all others again: an empty
    /// set heals every cut. Frames for a cut peer are dropped and counted, those that wait
    /// included; its connections are closed, new ones refused, and it is not dialled. A healed peer
    /// is connected again within about a second, if it is there and has not cut us off.
    ///
    /// It returns when the connections to the cut peers are closed, or after two seconds. Nothing
    /// more is sent or taken even if one of them does not close.
    ///
    /// # Errors
    ///
    /// [`CutError::NotAPeer`] if one of the seats is none of a peer's that we know; then nothing
    /// changes. [`CutError::Ended`] if the network has ended.
    pub async fn cut(&self, seats: &BTreeSet<u32>) -> Result<(), CutError> {
        if let Some(&seat) = seats.iter().find(|seat| self.roster.seated(**seat).is_none()) {
            let peers = Seats(self.roster.members().iter().map(|peer| peer.seat()).collect());
            return Err(CutError::NotAPeer { seat, peers });
        }
        let (begun, has_begun) = oneshot::channel();
        let (done, is_done) = oneshot::channel();
        let cut = Cut { seats: seats.clone(), begun, done };
        self.commands.send(Command::Cut(cut)).await.map_err(|_| CutError::Ended)?;
        has_begun.await.map_err(|_| CutError::Ended)?;
        // An error means that the network has ended, which cuts everybody; and a connection that
        // does not close carries nothing.
        let _ = timeout(CLOSING, is_done).await;
        Ok(())
    }

    /// The seats of the peers that are cut off, ascending.
    pub fn cut_off(&self) -> Vec<u32> {
        let everybody = self.roster.everybody();
        everybody.iter().filter(|peer| peer.is_cut()).map(|peer| peer.seat()).collect()
    }
}

/// What the service is asked.
#[derive(Debug)]
pub(super) struct Cut {
    seats: BTreeSet<u32>,
    /// Told when nothing is sent or taken any more.
    begun: oneshot::Sender<()>,
    /// Told when the connections are closed.
    done: oneshot::Sender<()>,
}

/// Those who wait for connections to close. Bounded by those who asked and still wait.
#[derive(Debug, Default)]
pub(super) struct Cutting(Vec<oneshot::Sender<()>>);

impl Service {
    pub(super) fn cut(&mut self, Cut { seats, begun, done }: Cut) {
        for peer in self.roster.everybody() {
            match (peer.is_cut(), seats.contains(&peer.seat())) {
                (false, true) => {
                    tracing::info!(seat = peer.seat(), "cut off, as told");
                    peer.cut();
                    self.dialer.park(&peer.peer_id);
                    // An error means that it is not connected.
                    let _ = self.swarm.disconnect_peer_id(peer.peer_id);
                }
                (true, false) => {
                    tracing::info!(seat = peer.seat(), "healed, as told");
                    peer.heal();
                    // What was said meanwhile is lost to whom we had cut off, as frames are.
                    self.tallies.gossip_dropped.add(self.unheard.clear() as u64);
                    // While its last connection is being closed, that is what brings the next dial.
                    if !self.swarm.is_connected(&peer.peer_id) {
                        let earliest = peer.banned_until().unwrap_or_else(Instant::now);
                        self.dialer.resume(&peer.peer_id, earliest);
                    }
                }
                _ => {}
            }
        }
        // Whoever asked may have given up.
        let _ = begun.send(());
        self.cutting.0.retain(|waiting| !waiting.is_closed());
        self.cutting.0.push(done);
        self.tell_who_is_cut_off();
    }

    /// Tells those who wait, if no cut peer is connected any more.
    pub(super) fn tell_who_is_cut_off(&mut self) {
        // The link's end is noticed a moment after the connection's, and is shown to people.
        let open = |peer: &Peer| self.swarm.is_connected(&peer.peer_id) || peer.is_linked();
        if !self.roster.everybody().iter().any(|peer| peer.is_cut() && open(peer)) {
            for waiting in self.cutting.0.drain(..) {
                let _ = waiting.send(());
            }
        }
    }
}
