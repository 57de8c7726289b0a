//! From the network's bytes to events: decoding and signatures, off the replica's thread.
//!
//! A router puts each peer's frames into a line of its own ([`fair`](super::fair)), which a few opener threads
//! serve: each line by one at a time, so that it stays in order, and those first on whom the least time was
//! spent, so that nobody's votes stand behind somebody else's flood. Blocks that nobody asked for are not
//! looked at ([`dealings`](super::dealings)). Gossiped batches have a thread of their own: one takes
//! milliseconds to verify, and a vote must not stand behind it. There, too, each signer has a line. It
//! decodes what comes well before it verifies it, because then a proposal that names these transactions is
//! understood, and whichever thread comes to one first verifies it for both. All queues are bounded: a peer's
//! frames by its budget in the network, which it gets back when they are opened, so that the peer has to
//! wait; when batches fill a line, batches are dropped, counted and judged `Ignore`.

use super::{
    counters::Counters,
    dealings::{Answer, Dealings},
    fair::{Fair, Lines},
    threads::{Failure, Failures},
    times::{Queue, Waiting},
};
use crate::network::{Events, NetworkEvent, Room, Ticket, Verdict, Warden};
use consensus::Message;
use crossbeam_channel::Sender;
use ledger::{Keys, ReplicaId, Transaction, VerifiedTransaction};
use replica::{
    Event, Opened, Refused, TransactionCache,
    packet::{self, MAX_ENVELOPE_BYTES},
};
use std::{
    io,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// Gossiped batches of one signer that wait to be decoded; each is at most
/// [`crate::network::MAX_GOSSIP`] bytes, and all together are no more than there are tickets.
const BATCHES: usize = 192;

/// Decoded batches that wait to be verified, in all and of one signer.
const DECODED: usize = 96;
const DECODED_OF_ONE: usize = 64;

/// In whose line batches wait whose signer is no peer of ours.
const NOBODY: u32 = u32::MAX;

/// Transactions that are verified before what has come meanwhile is decoded: about a millisecond.
const STRIDE: usize = 32;

/// A frame on its way to be opened.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    /// What it takes of its peer's budget until it is opened.
    room: Room,
}

/// A gossiped batch on its way to be opened, in the line of the peer that signed it, whoever passed it on.
struct Batch {
    bytes: Vec<u8>,
    ticket: Ticket,
}

/// A batch on its way to be verified.
struct Decoded {
    transactions: Vec<Transaction>,
    ticket: Ticket,
    /// How long it took to decode it.
    took: Duration,
}

/// Verified transactions on their way to the replica.
#[derive(Debug)]
pub(super) struct Gossiped<M> {
    /// In whose line they waited.
    pub(super) signer: u32,
    /// The transactions.
    pub(super) event: Waiting<Event<M>>,
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
    pub(super) gossiped: Sender<Gossiped<M>>,
    /// What waits to be opened.
    pub(super) frames: Arc<Fair<Waiting<Frame>>>,
    /// What is going on with each peer.
    pub(super) dealings: Arc<Dealings>,
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
            frames: Arc::clone(&self.frames),
            dealings: Arc::clone(&self.dealings),
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
        self.counters.note(|figures| figures.openers = workers.max(1) as u64);
        for _ in 0..workers.max(1) {
            let opener = self.clone();
            threads.push(failures.watch("opener", move || {
                opener.open_frames();
                Ok(())
            })?);
        }
        let batches = Arc::new(Fair::default());
        let (frames, gossip) = (Arc::clone(&self.frames), Arc::clone(&batches));
        let (counters, warden) = (Arc::clone(&self.counters), self.warden.clone());
        let dealings = Arc::clone(&self.dealings);
        let router = Router { frames, gossip, counters, warden, dealings };
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

    fn open_frames(&self) {
        while let Some((from, frame)) = self.frames.take() {
            let Frame { bytes, room } = frame.end(Queue::Frames, &self.counters.clocks);
            let begun = Instant::now();
            let event = self.open_frame(from, &bytes);
            let time = begun.elapsed();
            drop(room);
            let is_heard = event.is_none_or(|event| self.opened.send(Waiting::now(event)).is_ok());
            // Not before it is handed over, or what comes after it could overtake it.
            self.frames.served(from, time);
            if !is_heard {
                return;
            }
        }
    }

    /// None if the replica is not to hear of it.
    fn open_frame(&self, from: u32, bytes: &[u8]) -> Option<Event<M>> {
        if packet::claims_blocks(bytes) && !self.is_owed(from) {
            return None;
        }
        let begun = Instant::now();
        let result = packet::open::<M>(bytes, &self.keys, &self.transactions);
        self.counters.clocks.envelopes.observe(begun.elapsed());
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
            Ok((seq, opened)) => Some(Event::Received { from: ReplicaId(from), seq, opened }),
            Err(refused) => {
                self.refuse("envelope", Some(from), &refused);
                None
            }
        }
    }

    /// Whether a peer that sends blocks was asked for some.
    fn is_owed(&self, from: u32) -> bool {
        let answer = self.dealings.answer(from);
        if answer != Answer::Owed {
            self.counters.refused("envelope", "unasked");
        }
        if answer == Answer::Outrageous {
            self.warden.punish(from, "unasked");
        }
        answer == Answer::Owed
    }

    fn open_batches(&self, batches: &Fair<Waiting<Batch>>) {
        let mut decoded = Lines::default();
        while let Some((signer, first)) = self.next_batch(batches, &mut decoded) {
            let first = first.end(Queue::Batches, &self.counters.clocks);
            let Decoded { transactions, ticket, mut took } = first;
            let look_up = || self.look_ahead(batches, &mut decoded);
            let result = self.verify(&transactions, &mut took, look_up);
            self.counters.clocks.batches.observe(took);
            decoded.charge(signer, took);
            decoded.served(signer);
            match result {
                Ok(transactions) => {
                    ticket.judge(Verdict::Accept);
                    self.counters.note(|figures| figures.batches_opened += 1);
                    let event = Waiting::now(Event::Gossiped(transactions));
                    if self.gossiped.send(Gossiped { signer, event }).is_err() {
                        return;
                    }
                }
                Err(refused) => {
                    ticket.judge(Verdict::Reject);
                    self.refuse("gossip", Some(signer), &refused);
                }
            }
        }
    }

    /// The next decoded batch; waits for one if need be. None once no more can come.
    fn next_batch(
        &self,
        batches: &Fair<Waiting<Batch>>,
        decoded: &mut Lines<Waiting<Decoded>>,
    ) -> Option<(u32, Waiting<Decoded>)> {
        loop {
            self.look_ahead(batches, decoded);
            if let Some(first) = decoded.take() {
                return Some(first);
            }
            let (signer, batch) = batches.take()?;
            self.decode(signer, batch, batches, decoded);
        }
    }

    /// Decodes what has come, as far as there is room.
    fn look_ahead(&self, batches: &Fair<Waiting<Batch>>, decoded: &mut Lines<Waiting<Decoded>>) {
        while decoded.len() < DECODED
            && let Some((signer, batch)) =
                batches.try_take_of(|signer| decoded.waiting(signer) < DECODED_OF_ONE)
        {
            self.decode(signer, batch, batches, decoded);
        }
    }

    fn decode(
        &self,
        signer: u32,
        batch: Waiting<Batch>,
        batches: &Fair<Waiting<Batch>>,
        decoded: &mut Lines<Waiting<Decoded>>,
    ) {
        let (since, Batch { bytes, ticket }) = batch.parts();
        let begun = Instant::now();
        let result = packet::decode_transactions(&bytes, &self.transactions);
        let took = begun.elapsed();
        match result {
            Ok(transactions) => {
                let batch = Decoded { transactions, ticket, took };
                decoded.push(signer, Waiting::since(since, batch));
            }
            Err(refused) => {
                self.counters.clocks.batches.observe(took);
                ticket.judge(Verdict::Reject);
                self.refuse("gossip", Some(signer), &refused);
            }
        }
        batches.served(signer, took);
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
        // Nobody is in the place of those whom we do not know.
        if let Some(peer) = from.filter(|_| refused.is_fault()) {
            self.warden.punish(peer, refused.reason());
        }
    }
}

/// Hands out what the network brings.
struct Router {
    frames: Arc<Fair<Waiting<Frame>>>,
    gossip: Arc<Fair<Waiting<Batch>>>,
    counters: Arc<Counters>,
    warden: Warden,
    dealings: Arc<Dealings>,
}

impl Router {
    fn run(self, mut events: Events) {
        while let Some((since, event, room)) = events.blocking_recv_held() {
            match event {
                NetworkEvent::Frame { from, bytes } if bytes.len() > MAX_ENVELOPE_BYTES => {
                    self.counters.refused("envelope", "too_long");
                    self.warden.punish(from, "too_long");
                }
                NetworkEvent::Frame { from, bytes } => {
                    self.frames.push(from, Waiting::since(since, Frame { bytes, room }));
                }
                NetworkEvent::Gossip { from, bytes, ticket } => {
                    let length = bytes.len() as u64;
                    self.counters.note(|figures| figures.bytes_gossiped += length);
                    let batch = Waiting::since(since, Batch { bytes, ticket });
                    self.gossiped(from.unwrap_or(NOBODY), batch);
                }
                NetworkEvent::Connected(peer) => tracing::info!("peer {peer} is connected"),
                NetworkEvent::Disconnected(peer) => tracing::info!("peer {peer} is gone"),
            }
        }
        self.frames.close();
        self.gossip.close();
    }

    /// A dropped ticket says `Ignore`.
    fn gossiped(&self, signer: u32, batch: Waiting<Batch>) {
        if !self.dealings.is_useful(signer) {
            self.counters.refused("gossip", "useless");
        } else if self.gossip.try_push(signer, batch, BATCHES).is_err() {
            self.counters.note(|figures| figures.batches_dropped += 1);
        }
    }
}
