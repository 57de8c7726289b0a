//! From the network's bytes to events: decoding and signatures, off the replica's thread.
//!
//! A router hands each peer's frames to one of a few opener threads, always the same one, so that
//! they stay in order. Gossiped batches have a thread of their own: one takes milliseconds to
//! verify, and a vote must not stand behind it. All queues are bounded. When frames fill theirs,
//! the router waits, the network's own queue fills and the peers have to wait; when batches fill
//! theirs, batches are dropped, counted and judged `Ignore`.

use super::{
    counters::Counters,
    threads::{Failure, Failures},
};
use crate::network::{Events, NetworkEvent, Ticket, Verdict, Warden};
use consensus::Message;
use crossbeam_channel::{Receiver, Sender, bounded};
use ledger::{Keys, ReplicaId};
use replica::{
    Event, Refused,
    packet::{self, MAX_ENVELOPE_BYTES},
};
use std::{io, sync::Arc, thread::JoinHandle};

#[cfg(test)]
mod tests;

/// Frames that wait for one opener. Each may be as long as an envelope, so together with what
/// [`super::OPENED`] allows this bounds the memory a hostile peer can claim.
const FRAMES: usize = 32;

/// Gossiped batches that wait; each is at most [`crate::network::MAX_GOSSIP`] bytes.
const BATCHES: usize = 256;

/// A frame on its way to be opened.
struct Frame {
    from: ReplicaId,
    bytes: Vec<u8>,
}

/// A gossiped batch on its way to be opened.
struct Batch {
    /// The peer that signed it, whoever passed it on.
    signer: Option<u32>,
    bytes: Vec<u8>,
    ticket: Ticket,
}

/// What all openers share.
pub(super) struct Openers<M> {
    /// What checks signatures.
    pub(super) keys: Arc<Keys>,
    /// Where opened envelopes go, in order for each peer.
    pub(super) opened: Sender<Event<M>>,
    /// Where verified transactions go.
    pub(super) gossiped: Sender<Event<M>>,
    /// Counts what is refused.
    pub(super) counters: Arc<Counters>,
    /// Shuts out who keeps sending it.
    pub(super) warden: Warden,
}

impl<M> Clone for Openers<M> {
    fn clone(&self) -> Self {
        Openers {
            keys: Arc::clone(&self.keys),
            opened: self.opened.clone(),
            gossiped: self.gossiped.clone(),
            counters: Arc::clone(&self.counters),
            warden: self.warden.clone(),
        }
    }
}

impl<M: Message> Openers<M> {
    /// Starts the router and the openers. When the network ends, they hand over what they still
    /// hold and end, too.
    pub(super) fn start(
        self,
        events: Events,
        workers: usize,
        failures: &Failures,
    ) -> io::Result<Vec<JoinHandle<()>>> {
        let mut threads = Vec::new();
        let mut shards = Vec::new();
        for _ in 0..workers.max(1) {
            let (shard, frames) = bounded(FRAMES);
            let opener = self.clone();
            threads.push(failures.watch("opener", move || {
                opener.open_frames(&frames);
                Ok(())
            })?);
            shards.push(shard);
        }
        let (gossip, batches) = bounded(BATCHES);
        let (counters, warden) = (Arc::clone(&self.counters), self.warden.clone());
        let router = Router { shards, gossip, counters, warden };
        threads.push(failures.watch("gossip opener", move || {
            self.open_batches(&batches);
            Ok(())
        })?);
        threads.push(failures.watch("router", move || {
            router.run(events);
            // Whoever stops the network knows, and does not listen any more.
            Err(Failure::NetworkEnded)
        })?);
        Ok(threads)
    }

    fn open_frames(&self, frames: &Receiver<Frame>) {
        for Frame { from, bytes } in frames {
            match packet::open::<M>(&bytes, &self.keys) {
                Ok((seq, opened)) => {
                    self.counters.note(|figures| figures.opened += 1);
                    if self.opened.send(Event::Received { from, seq, opened }).is_err() {
                        return;
                    }
                }
                Err(refused) => self.refuse("envelope", Some(from.0), &refused),
            }
        }
    }

    fn open_batches(&self, batches: &Receiver<Batch>) {
        for Batch { signer, bytes, ticket } in batches {
            match packet::open_transactions(&bytes, &self.keys) {
                Ok(transactions) => {
                    ticket.judge(Verdict::Accept);
                    self.counters.note(|figures| figures.batches_opened += 1);
                    if self.gossiped.send(Event::Gossiped(transactions)).is_err() {
                        return;
                    }
                }
                Err(refused) => {
                    ticket.judge(Verdict::Reject);
                    self.refuse("gossip", signer, &refused);
                }
            }
        }
    }

    /// An honest peer sends only what opens, and gossips only what it verified. So whatever cannot
    /// be opened is held against who sent it, or for gossip, which anyone may pass on, signed it.
    fn refuse(&self, what: &'static str, from: Option<u32>, refused: &Refused) {
        self.counters.refused(what, refused.reason());
        tracing::debug!(?from, what, "refused: {refused}");
        if let Some(peer) = from {
            self.warden.punish(peer, refused.reason());
        }
    }
}

/// Hands out what the network brings.
struct Router {
    shards: Vec<Sender<Frame>>,
    gossip: Sender<Batch>,
    counters: Arc<Counters>,
    warden: Warden,
}

impl Router {
    fn run(self, mut events: Events) {
        while let Some(event) = events.blocking_recv() {
            match event {
                NetworkEvent::Frame { from, bytes } if bytes.len() > MAX_ENVELOPE_BYTES => {
                    self.counters.refused("envelope", "too_long");
                    self.warden.punish(from, "too_long");
                }
                NetworkEvent::Frame { from, bytes } => {
                    let shard = &self.shards[from as usize % self.shards.len()];
                    if shard.send(Frame { from: ReplicaId(from), bytes }).is_err() {
                        return;
                    }
                }
                NetworkEvent::Gossip { from: signer, bytes, ticket } => {
                    // The dropped ticket says `Ignore`.
                    if self.gossip.try_send(Batch { signer, bytes, ticket }).is_err() {
                        self.counters.note(|figures| figures.batches_dropped += 1);
                    }
                }
                NetworkEvent::Connected(peer) => tracing::info!("peer {peer} is connected"),
                NetworkEvent::Disconnected(peer) => tracing::info!("peer {peer} is gone"),
            }
        }
    }
}
