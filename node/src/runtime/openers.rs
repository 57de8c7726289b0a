//! From the network's bytes to events: decoding and signatures, off the replica's thread.
//!
//! A router hands each peer's frames to one of a few opener threads, always the same one, so that
//! they stay in order. Gossiped batches have a thread of their own: one takes milliseconds to
//! verify, and a vote must not stand behind it. It decodes what comes well before it verifies it,
//! because then a proposal that names these transactions is understood, and whichever thread comes
//! to one first verifies it for both. All queues are bounded. When frames fill theirs, the router
//! waits, the network's own queue fills and the peers have to wait; when batches fill theirs,
//! batches are dropped, counted and judged `Ignore`.

use super::{
    counters::Counters,
    threads::{Failure, Failures},
};
use crate::network::{Events, NetworkEvent, Ticket, Verdict, Warden};
use consensus::Message;
use crossbeam_channel::{Receiver, Sender, bounded};
use ledger::{Keys, ReplicaId, Transaction, VerifiedTransaction};
use replica::{
    Event, Opened, Refused, TransactionCache,
    packet::{self, MAX_ENVELOPE_BYTES},
};
use std::{collections::VecDeque, io, sync::Arc, thread::JoinHandle};

#[cfg(test)]
mod tests;

/// Frames that wait for one opener. Each may be as long as an envelope, so together with what
/// [`super::OPENED`] allows this bounds the memory a hostile peer can claim.
const FRAMES: usize = 32;

/// Gossiped batches that wait to be decoded; each is at most [`crate::network::MAX_GOSSIP`] bytes.
const BATCHES: usize = 192;

/// Decoded batches that wait to be verified.
const DECODED: usize = 64;

/// Transactions that are verified before what has come meanwhile is decoded: about a millisecond.
const STRIDE: usize = 32;

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

/// A batch on its way to be verified.
struct Decoded {
    signer: Option<u32>,
    transactions: Vec<Transaction>,
    ticket: Ticket,
}

/// What all openers share.
pub(super) struct Openers<M> {
    /// What checks signatures.
    pub(super) keys: Arc<Keys>,
    /// What need not be checked again.
    pub(super) transactions: Arc<TransactionCache>,
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
            transactions: Arc::clone(&self.transactions),
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
            match packet::open::<M>(&bytes, &self.keys, &self.transactions) {
                Ok((seq, opened)) => {
                    let incomplete = u64::from(matches!(opened, Opened::Incomplete(_)));
                    self.counters.note(|figures| {
                        figures.opened += 1;
                        figures.incomplete += incomplete;
                    });
                    if self.opened.send(Event::Received { from, seq, opened }).is_err() {
                        return;
                    }
                }
                Err(refused) => self.refuse("envelope", Some(from.0), &refused),
            }
        }
    }

    fn open_batches(&self, batches: &Receiver<Batch>) {
        let mut decoded = VecDeque::new();
        while let Some(first) = self.next_batch(batches, &mut decoded) {
            let Decoded { signer, transactions, ticket } = first;
            match self.verify(&transactions, || self.look_ahead(batches, &mut decoded)) {
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

    /// The next decoded batch; waits for one if need be. None once no more can come.
    fn next_batch(
        &self,
        batches: &Receiver<Batch>,
        decoded: &mut VecDeque<Decoded>,
    ) -> Option<Decoded> {
        loop {
            self.look_ahead(batches, decoded);
            if let Some(first) = decoded.pop_front() {
                return Some(first);
            }
            self.decode(batches.recv().ok()?, decoded);
        }
    }

    /// Decodes what has come, as far as there is room.
    fn look_ahead(&self, batches: &Receiver<Batch>, decoded: &mut VecDeque<Decoded>) {
        while decoded.len() < DECODED
            && let Ok(batch) = batches.try_recv()
        {
            self.decode(batch, decoded);
        }
    }

    fn decode(&self, batch: Batch, decoded: &mut VecDeque<Decoded>) {
        let Batch { signer, bytes, ticket } = batch;
        match packet::decode_transactions(&bytes, &self.transactions) {
            Ok(transactions) => decoded.push_back(Decoded { signer, transactions, ticket }),
            Err(refused) => {
                ticket.judge(Verdict::Reject);
                self.refuse("gossip", signer, &refused);
            }
        }
    }

    /// Verifies a batch, looking up now and then.
    fn verify(
        &self,
        transactions: &[Transaction],
        mut look_up: impl FnMut(),
    ) -> Result<Vec<VerifiedTransaction>, Refused> {
        let mut verified = Vec::with_capacity(transactions.len());
        for stride in transactions.chunks(STRIDE) {
            let checked = packet::verify_transactions(stride, &self.keys, &self.transactions);
            verified.extend(checked.inspect_err(|_| {
                self.transactions.forget_unproven(transactions);
            })?);
            look_up();
        }
        Ok(verified)
    }

    /// An honest peer sends only what opens, and gossips only what it verified. So whatever cannot
    /// be opened is held against who sent it, or for gossip, which anyone may pass on, signed it. Only a
    /// signer whom the chain has not named to us yet is nobody's fault: the peer may be ahead.
    fn refuse(&self, what: &'static str, from: Option<u32>, refused: &Refused) {
        self.counters.refused(what, refused.reason());
        tracing::debug!(?from, what, "refused: {refused}");
        if let Some(peer) = from.filter(|_| refused.is_fault()) {
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
