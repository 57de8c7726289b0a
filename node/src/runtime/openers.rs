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
    times::{Queue, Waiting},
};
use crate::network::{Events, NetworkEvent, Ticket, Verdict, Warden};
use consensus::Message;
use crossbeam_channel::{Receiver, Sender, bounded};
use ledger::{Keys, ReplicaId, Transaction, VerifiedTransaction};
use replica::{
    Event, Opened, Refused, TransactionCache,
    packet::{self, MAX_ENVELOPE_BYTES},
};
use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

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
    /// How long it took to decode it.
    took: Duration,
}

/// What all openers share.
pub(super) struct Openers<M> {
    /// What checks signatures.
    pub(super) keys: Arc<Keys>,
    /// What need not be checked again.
    pub(super) transactions: Arc<TransactionCache>,
    /// Where opened envelopes go, in order for each peer.
    pub(super) opened: Sender<Waiting<Event<M>>>,
    /// Where verified transactions go.
    pub(super) gossiped: Sender<Waiting<Event<M>>>,
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
        self.counters.note(|figures| figures.openers = workers.max(1) as u64);
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

    fn open_frames(&self, frames: &Receiver<Waiting<Frame>>) {
        let clocks = &self.counters.clocks;
        for frame in frames {
            let Frame { from, bytes } = frame.end(Queue::Frames, clocks);
            let begun = Instant::now();
            let result = packet::open::<M>(&bytes, &self.keys, &self.transactions);
            clocks.envelopes.observe(begun.elapsed());
            let what = result.as_ref().map_or("refused", |(_, opened)| opened.kind());
            let incomplete = matches!(result, Ok((_, Opened::Incomplete(_))));
            self.counters.note(|figures| {
                figures.opened += u64::from(result.is_ok());
                figures.incomplete += u64::from(incomplete);
                let received = figures.received.entry(what).or_default();
                received.envelopes += 1;
                received.bytes += bytes.len() as u64;
            });
            match result {
                Ok((seq, opened)) => {
                    let event = Waiting::now(Event::Received { from, seq, opened });
                    if self.opened.send(event).is_err() {
                        return;
                    }
                }
                Err(refused) => self.refuse("envelope", Some(from.0), &refused),
            }
        }
    }

    fn open_batches(&self, batches: &Receiver<Waiting<Batch>>) {
        let mut decoded = VecDeque::new();
        while let Some(first) = self.next_batch(batches, &mut decoded) {
            let first = first.end(Queue::Batches, &self.counters.clocks);
            let Decoded { signer, transactions, ticket, mut took } = first;
            let look_up = || self.look_ahead(batches, &mut decoded);
            let result = self.verify(&transactions, &mut took, look_up);
            self.counters.clocks.batches.observe(took);
            match result {
                Ok(transactions) => {
                    ticket.judge(Verdict::Accept);
                    self.counters.note(|figures| figures.batches_opened += 1);
                    let event = Waiting::now(Event::Gossiped(transactions));
                    if self.gossiped.send(event).is_err() {
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
        batches: &Receiver<Waiting<Batch>>,
        decoded: &mut VecDeque<Waiting<Decoded>>,
    ) -> Option<Waiting<Decoded>> {
        loop {
            self.look_ahead(batches, decoded);
            if let Some(first) = decoded.pop_front() {
                return Some(first);
            }
            self.decode(batches.recv().ok()?, decoded);
        }
    }

    /// Decodes what has come, as far as there is room.
    fn look_ahead(
        &self,
        batches: &Receiver<Waiting<Batch>>,
        decoded: &mut VecDeque<Waiting<Decoded>>,
    ) {
        while decoded.len() < DECODED
            && let Ok(batch) = batches.try_recv()
        {
            self.decode(batch, decoded);
        }
    }

    fn decode(&self, batch: Waiting<Batch>, decoded: &mut VecDeque<Waiting<Decoded>>) {
        let (since, Batch { signer, bytes, ticket }) = batch.parts();
        let begun = Instant::now();
        let result = packet::decode_transactions(&bytes, &self.transactions);
        let took = begun.elapsed();
        match result {
            Ok(transactions) => {
                let batch = Decoded { signer, transactions, ticket, took };
                decoded.push_back(Waiting::since(since, batch));
            }
            Err(refused) => {
                self.counters.clocks.batches.observe(took);
                ticket.judge(Verdict::Reject);
                self.refuse("gossip", signer, &refused);
            }
        }
    }

    /// Verifies a batch, looking up now and then. That does not count in how long it `took`.
    fn verify(
        &self,
        transactions: &[Transaction],
        took: &mut Duration,
        mut look_up: impl FnMut(),
    ) -> Result<Vec<VerifiedTransaction>, Refused> {
        let mut verified = Vec::with_capacity(transactions.len());
        for stride in transactions.chunks(STRIDE) {
            let begun = Instant::now();
            let checked = packet::verify_transactions(stride, &self.keys, &self.transactions);
            *took += begun.elapsed();
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
    shards: Vec<Sender<Waiting<Frame>>>,
    gossip: Sender<Waiting<Batch>>,
    counters: Arc<Counters>,
    warden: Warden,
}

impl Router {
    fn run(self, mut events: Events) {
        while let Some((since, event)) = events.blocking_recv_since() {
            match event {
                NetworkEvent::Frame { from, bytes } if bytes.len() > MAX_ENVELOPE_BYTES => {
                    self.counters.refused("envelope", "too_long");
                    self.warden.punish(from, "too_long");
                }
                NetworkEvent::Frame { from, bytes } => {
                    let shard = &self.shards[from as usize % self.shards.len()];
                    let frame = Frame { from: ReplicaId(from), bytes };
                    if shard.send(Waiting::since(since, frame)).is_err() {
                        return;
                    }
                }
                NetworkEvent::Gossip { from: signer, bytes, ticket } => {
                    let length = bytes.len() as u64;
                    let batch = Waiting::since(since, Batch { signer, bytes, ticket });
                    // The dropped ticket says `Ignore`.
                    let dropped = self.gossip.try_send(batch).is_err();
                    self.counters.note(|figures| {
                        figures.bytes_gossiped += length;
                        figures.batches_dropped += u64::from(dropped);
                    });
                }
                NetworkEvent::Connected(peer) => tracing::info!("peer {peer} is connected"),
                NetworkEvent::Disconnected(peer) => tracing::info!("peer {peer} is gone"),
            }
        }
    }
}
