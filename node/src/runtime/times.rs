//! How long what the runtime does takes, and how long it waits before it is done.

use super::histogram::{Durations, Histogram};
use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

#[cfg(test)]
mod tests;

/// Durations by what took them: words of this program, or a protocol's names for its messages.
pub type ByName = BTreeMap<&'static str, Durations>;

/// How long things took since the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// From one final block to the next; whoever catches up takes little time for many. Not the first
    /// one of a life.
    pub heights: Durations,
    /// From the beginning of a height to the first message of it, by kind.
    pub first: ByName,
    /// From there to the message with which a quorum had spoken in one of its rounds, by kind.
    pub quorum: ByName,
    /// To decode and verify what peers sent, bad or good: an `envelope`, or a gossiped `batch`.
    pub opened: ByName,
    /// What waited before it was looked at, by queue.
    pub queues: ByName,
    /// The replica's steps, by event.
    pub steps: ByName,
    /// To carry out what one of them asked for.
    pub carried_out: Durations,
    /// To put what one of them keeps into the store, not yet durable.
    pub writes: Durations,
    /// To make durable what was written.
    pub syncs: Durations,
}

/// The live [`Times`], for all threads. No lock is taken to count.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    pub(super) heights: Histogram,
    kinds: OnceLock<Vec<Kind>>,
    pub(super) envelopes: Histogram,
    pub(super) batches: Histogram,
    queues: [Histogram; Queue::NAMES.len()],
    steps: [Histogram; Step::NAMES.len()],
    pub(super) carried_out: Histogram,
    pub(super) writes: Histogram,
    pub(super) syncs: Histogram,
}

/// What is known of one kind of messages.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    heard: AtomicU64,
    pub(super) first: Histogram,
    pub(super) quorum: Histogram,
}

impl Kind {
    /// One more was heard.
    pub(super) fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }
}

/// What waits in which queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Queue {
    /// A peer's frame that has come whole, for an opener.
    Frames,
    /// An opened envelope, for the replica.
    Opened,
    /// A gossiped batch, for its opener; decoded meanwhile or not.
    Batches,
    /// A verified batch, for the replica.
    Gossiped,
    /// A question, for the replica.
    Questions,
}

impl Queue {
    const NAMES: [&'static str; 5] = ["frames", "opened", "batches", "gossiped", "questions"];
}

/// What made the replica take a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Whatever it was, a block became final by it.
    Commit,
    Received,
    Gossiped,
    Rang,
    Synced,
    Asked,
    Mined,
}

impl Step {
    const NAMES: [&'static str; 7] =
        ["commit", "received", "gossiped", "rang", "synced", "asked", "mined"];
}

impl Clocks {
    /// Which kinds of messages there are. Only the first word counts: a node runs one protocol.
    pub(super) fn name_kinds(&self, names: &[&'static str]) {
        let kind = |name: &&'static str| Kind {
            name,
            heard: AtomicU64::default(),
            first: Histogram::default(),
            quorum: Histogram::default(),
        };
        self.kinds.get_or_init(|| names.iter().map(kind).collect());
    }

    /// A kind and its number; none that was not named.
    pub(super) fn kind(&self, name: &str) -> Option<(usize, &Kind)> {
        self.kinds().iter().enumerate().find(|(_, kind)| kind.name == name)
    }

    pub(super) fn kinds(&self) -> &[Kind] {
        self.kinds.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn queue(&self, queue: Queue) -> &Histogram {
        &self.queues[queue as usize]
    }

    pub(super) fn step(&self, step: Step) -> &Histogram {
        &self.steps[step as usize]
    }

    /// All times so far.
    pub(super) fn read(&self) -> Times {
        let named = |names: &[&'static str], all: &[Histogram]| {
            names.iter().copied().zip(all.iter().map(Histogram::read)).collect()
        };
        let kinds = |of: fn(&Kind) -> &Histogram| {
            self.kinds().iter().map(|kind| (kind.name, of(kind).read())).collect()
        };
        let opened = [("envelope", self.envelopes.read()), ("batch", self.batches.read())];
        Times {
            heights: self.heights.read(),
            first: kinds(|kind| &kind.first),
            quorum: kinds(|kind| &kind.quorum),
            opened: opened.into(),
            queues: named(&Queue::NAMES, &self.queues),
            steps: named(&Step::NAMES, &self.steps),
            carried_out: self.carried_out.read(),
            writes: self.writes.read(),
            syncs: self.syncs.read(),
        }
    }

    /// How many messages of each kind were heard.
    pub(super) fn heard(&self) -> BTreeMap<&'static str, u64> {
        let count = |kind: &Kind| (kind.name, kind.heard.load(Ordering::Relaxed));
        self.kinds().iter().map(count).collect()
    }
}

/// Something in a queue, with the time at which it came there.
#[derive(Debug)]
pub(crate) struct Waiting<T> {
    since: Instant,
    what: T,
}

impl<T> Waiting<T> {
    /// It begins to wait now.
    pub(crate) fn now(what: T) -> Waiting<T> {
        Waiting::since(Instant::now(), what)
    }

    /// It has waited for a while.
    pub(crate) fn since(since: Instant, what: T) -> Waiting<T> {
        Waiting { since, what }
    }

    /// It waits no more; how long it did is counted.
    pub(crate) fn end(self, queue: Queue, clocks: &Clocks) -> T {
        clocks.queue(queue).observe(self.since.elapsed());
        self.what
    }

    /// Since when, and what.
    pub(crate) fn parts(self) -> (Instant, T) {
        (self.since, self.what)
    }
}
