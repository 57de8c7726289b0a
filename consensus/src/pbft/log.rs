//! What was said about each sequence number in the view that is active.

use super::message::{Message, Value};
use crate::quorum::{Signed, Tally};
use ledger::{Block, BlockHash, Committee};
use std::{collections::BTreeMap, sync::Arc};

/// One number in one view.
#[derive(Debug)]
pub(super) struct Entry {
    /// Batches that the primary proposed for it, in the order heard, each sound. Two at most, if it
    /// equivocates.
    pub(super) offers: Vec<Arc<Block>>,
    /// What we agreed that it stands for; it never changes within a view.
    pub(super) value: Option<Value>,
    /// Whether we asked to send our prepare, and our commit.
    pub(super) said_prepare: bool,
    pub(super) said_commit: bool,
    prepares: Tally<Message>,
    commits: Tally<Message>,
}

/// The numbers of one view above the last stable checkpoint.
#[derive(Debug)]
pub(super) struct Log {
    committee: Arc<Committee>,
    entries: BTreeMap<u64, Entry>,
}

impl Log {
    pub(super) fn new(committee: Arc<Committee>) -> Log {
        Log { committee, entries: BTreeMap::new() }
    }

    pub(super) fn entry(&mut self, sequence: u64) -> &mut Entry {
        let committee = &self.committee;
        self.entries.entry(sequence).or_insert_with(|| Entry {
            offers: Vec::new(),
            value: None,
            said_prepare: false,
            said_commit: false,
            prepares: Tally::new(committee.clone()),
            commits: Tally::new(committee.clone()),
        })
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Entry> {
        self.entries.get(&sequence)
    }

    /// By rising number.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(sequence, entry)| (*sequence, entry))
    }

    /// Forgets the numbers up to `low`.
    pub(super) fn prune(&mut self, low: u64) {
        self.entries = self.entries.split_off(&low.saturating_add(1));
    }
}

impl Entry {
    /// Counts a backup's prepare.
    pub(super) fn prepare(&mut self, signed: &Signed<Message>) {
        self.prepares.add(signed);
    }

    /// Counts anybody's commit.
    pub(super) fn commit(&mut self, signed: &Signed<Message>) {
        self.commits.add(signed);
    }

    /// The prepare that at least `needed` backups sent for what we agreed upon.
    pub(super) fn prepared(&self, needed: usize) -> Option<&Tally<Message>> {
        let value = self.value?;
        let enough = |(message, count): (&Message, usize)| {
            count >= needed
                && matches!(message, Message::Prepare { value: found, .. } if *found == value)
        };
        (needed == 0 || self.prepares.counts().any(enough)).then_some(&self.prepares)
    }

    /// What at least `needed` replicas committed.
    pub(super) fn committed(&self, needed: usize) -> Option<Value> {
        self.commits.counts().find_map(|(message, count)| match message {
            Message::Commit { value, .. } if count >= needed => Some(*value),
            _ => None,
        })
    }

    /// The batches it cannot do without: what we agreed upon, and what a quorum committed.
    pub(super) fn named(&self, quorum: usize) -> impl Iterator<Item = BlockHash> {
        self.value.into_iter().chain(self.committed(quorum)).flatten()
    }
}
