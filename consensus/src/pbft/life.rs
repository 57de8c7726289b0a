//! What outlives a crash: a journal of places, batches and certificates.

use super::{
    Config, Prepared, Size, Stable, State, Value, batch::Batches, checkpoint::Checkpoints,
    log::Log, message::Message, view::Changes,
};
use crate::{
    Flaw,
    protocol::{Effect, Turn},
    quorum::Signed,
};
use crypto::codec;
use ledger::{Block, BlockHash, block::MAX_BLOCK_BYTES, vote::MAX_COMMITTEE};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// One record of the journal. The last place counts, and of certificates for one number the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Record {
    Place(Place),
    Batch(Arc<Block>),
    Prepared(Prepared),
}

/// Where a replica is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    view: u64,
    target: Option<u64>,
    proposals: Vec<(u64, Value)>,
    covered: u64,
    executed: u64,
    head: BlockHash,
    stable: Option<Stable>,
}

impl Record {
    /// A batch, or a certificate or two of a large committee.
    const MAX_BYTES: usize = MAX_BLOCK_BYTES + MAX_COMMITTEE * (4 + 64) + 64 * 1024;

    /// From our own disk, so anything else than a record is our own fault: to go on without a
    /// certificate that may have been there could fork the chain.
    fn decode(bytes: &[u8]) -> Record {
        codec::decode(bytes, Record::MAX_BYTES).expect("a record is one of PBFT's")
    }
}

/// What a step makes durable.
#[derive(Debug, Default)]
pub(super) struct Journal {
    fresh: Vec<Record>,
    saved: Option<Place>,
    /// How many records there are.
    length: usize,
}

impl Journal {
    /// So many records that are obsolete, and the journal is written anew. Bodies are large, so not
    /// too often; what is obsolete takes room, so not too seldom.
    const MAX_OBSOLETE: usize = 64;

    /// A batch that we are about to prepare.
    pub(super) fn batch(&mut self, batch: &Arc<Block>) {
        self.fresh.push(Record::Batch(Arc::clone(batch)));
    }

    /// A certificate for what we are about to commit.
    pub(super) fn prepared(&mut self, prepared: &Prepared) {
        self.fresh.push(Record::Prepared(prepared.clone()));
    }
}

impl State {
    /// At the genesis, before anything was heard.
    pub(super) fn new(config: Config, flaw: Flaw, turn: &Turn<'_, Message>) -> State {
        let root = turn.app.root();
        let committee = turn.app.committee(root).expect("the root has a committee");
        State {
            config,
            flaw,
            size: Size::of(&committee),
            view: 0,
            target: None,
            proposals: Vec::new(),
            covered: 0,
            log: Log::new(committee.clone()),
            proposed: 0,
            changes: Changes::default(),
            executed: 0,
            head: root,
            stable: None,
            checkpoints: Checkpoints::default(),
            prepared: BTreeMap::new(),
            batches: Batches::default(),
            works: 0,
            began: Duration::ZERO,
            resting: false,
            deadline: None,
            early: None,
            fetched: None,
            given: BTreeMap::new(),
            journal: Journal::default(),
            committee,
        }
    }

    /// A life begins, with what the journal holds and what we said ourselves.
    pub(super) fn wake(
        &mut self,
        records: &[Vec<u8>],
        own: Vec<Signed<Message>>,
        turn: &mut Turn<'_, Message>,
    ) {
        self.journal.length = records.len();
        let (mut batches, mut certificates) = (Vec::new(), Vec::new());
        for record in records.iter().map(|bytes| Record::decode(bytes)) {
            match record {
                Record::Place(place) => self.journal.saved = Some(place),
                Record::Batch(batch) => batches.push(batch),
                Record::Prepared(prepared) => certificates.push(prepared),
            }
        }
        if let Some(place) = self.journal.saved.clone() {
            assert_eq!(place.head, self.head, "what is executed and what says so go together");
            let Place { view, target, proposals, covered, executed, stable, .. } = place;
            (self.covered, self.executed, self.stable) = (covered, executed, stable);
            self.begin_view(view, proposals);
            (self.target, self.works) = (target, view);
        }
        let low = self.low();
        for batch in batches.iter().filter(|batch| batch.header.height > low) {
            self.batches.keep(batch.hash(), batch);
        }
        certificates.retain(|prepared| prepared.sequence > low);
        let prepared = certificates.into_iter().map(|prepared| (prepared.sequence, prepared));
        self.prepared = prepared.collect();
        for signed in own {
            if let Message::NewView { view, .. } = signed.message() {
                self.changes.begun.insert(*view);
            }
            self.hear(signed, turn);
        }
        if self.is_active() {
            self.begin_turn(turn);
        }
    }

    /// Makes this step's changes durable; the replica syncs them before anything of it leaves.
    pub(super) fn persist(&mut self, turn: &mut Turn<'_, Message>) {
        let place = Place {
            view: self.view,
            target: self.target,
            proposals: self.proposals.clone(),
            covered: self.covered,
            executed: self.executed,
            head: self.head,
            stable: self.stable.clone(),
        };
        let mut records = std::mem::take(&mut self.journal.fresh);
        if self.journal.saved.as_ref() != Some(&place) {
            self.journal.saved = Some(place.clone());
            records.push(Record::Place(place.clone()));
        }
        let length = self.journal.length + records.len();
        let alive = 1 + self.batches.len() + self.prepared.len();
        let is_long = !records.is_empty() && length > alive + Journal::MAX_OBSOLETE;
        if is_long {
            records = vec![Record::Place(place)];
            records.extend(self.batches.all().into_iter().map(Record::Batch));
            records.extend(self.prepared.values().cloned().map(Record::Prepared));
            self.journal.length = 0;
        }
        for (at, record) in records.iter().enumerate() {
            let fresh = is_long && at == 0;
            turn.act(Effect::Persist { record: codec::encode(record), fresh });
        }
        self.journal.length += records.len();
    }
}
