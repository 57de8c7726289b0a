//! What PBFT's replicas say to each other.

use super::proof::Stable;
use crate::protocol::{self, Named, Shown, Topic};
use crypto::Signature;
use ledger::{Block, BlockHash, ReplicaId, Slot};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a sequence number stands for: a batch by its digest, or nothing, the null request.
pub type Value = Option<BlockHash>;

/// The messages of the paper, and two that fetch a batch. Each names all it belongs to, and its
/// signature binds the chain, the sender and the kind besides, so none can be replayed as another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// ⟨PRE-PREPARE, v, n, d⟩ with the batch itself: the primary gives a batch a number.
    PrePrepare {
        /// Whose primary speaks.
        view: u64,
        /// What is ordered; its header's height is the sequence number. See `batch.rs`.
        batch: Arc<Block>,
    },
    /// ⟨PREPARE, v, n, d⟩: a backup agrees that the number stands for this value in this view.
    Prepare {
        /// Of the proposal.
        view: u64,
        /// Of the proposal.
        sequence: u64,
        /// What was proposed.
        value: Value,
    },
    /// ⟨COMMIT, v, n, d⟩: the sender is prepared.
    Commit {
        /// In which it is prepared.
        view: u64,
        /// Of the proposal.
        sequence: u64,
        /// What was proposed.
        value: Value,
    },
    /// ⟨CHECKPOINT, n, d⟩: the sender has executed so far.
    Checkpoint(Checkpoint),
    /// ⟨VIEW-CHANGE, v+1, n, C, P⟩: the sender gives up on the views before.
    ViewChange(ViewChange),
    /// ⟨NEW-VIEW, v+1, V, O⟩: the new primary shows that a quorum gave up, and what follows from it.
    NewView {
        /// The view that begins.
        view: u64,
        /// V: a quorum's view changes, by rising sender.
        changes: Vec<(ReplicaId, ViewChange, Signature)>,
        /// O: the value of every number that may have been decided, without a gap.
        proposals: Vec<(u64, Value)>,
    },
    /// Asks one replica for a batch that a quorum agrees upon and that did not come.
    Fetch {
        /// Its digest.
        batch: BlockHash,
        /// Who is asked, the paper's designated replier. Nobody else answers, so that whoever was asked
        /// cannot show the question to others and spend there what the asker may have of them.
        replier: ReplicaId,
    },
    /// The answer.
    Batch {
        /// As it was proposed.
        batch: Arc<Block>,
    },
}

/// What a replica has reached at a sequence number: the same for all that executed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Up to here everything is executed.
    pub sequence: u64,
    /// Of the block.
    pub height: u64,
    /// The newest block; it names the state after it.
    pub block: BlockHash,
}

/// What a replica brings along into a new view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChange {
    /// The view asked for.
    pub view: u64,
    /// C: its last stable checkpoint; none for the genesis.
    pub stable: Option<Stable>,
    /// P: of each later number that it ever prepared the certificate of the latest view, by rising
    /// number.
    pub prepared: Vec<Prepared>,
}

impl ViewChange {
    /// The sequence number of its stable checkpoint.
    pub fn low(&self) -> u64 {
        self.stable.as_ref().map_or(0, |stable| stable.checkpoint.sequence)
    }
}

/// A prepared certificate: backups who, with the primary, are a quorum for a value.
///
/// The primary's own signature is not part of it. At least one of these backups is honest, and
/// took the value from its primary; and two certificates of one view with different values share
/// an honest signer all the same, as the chapter shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// In which it was prepared.
    pub view: u64,
    /// Of the value.
    pub sequence: u64,
    /// What the number stands for.
    pub value: Value,
    /// Those who said PREPARE, by rising id, with the signatures.
    pub signatures: Vec<(ReplicaId, Signature)>,
}

/// The last field of slots and timers: which message may be signed once, what rings.
pub(super) mod phase {
    /// A pre-prepare.
    pub(in super::super) const PRE_PREPARE: u8 = 0;
    /// A prepare.
    pub(in super::super) const PREPARE: u8 = 1;
    /// A commit.
    pub(in super::super) const COMMIT: u8 = 2;
    /// A checkpoint.
    pub(in super::super) const CHECKPOINT: u8 = 3;
    /// A view change.
    pub(in super::super) const VIEW_CHANGE: u8 = 4;
    /// A new view.
    pub(in super::super) const NEW_VIEW: u8 = 5;
    /// Only a timer: the paper's T.
    pub(in super::super) const PATIENCE: u8 = 6;
    /// Only a timer: an idle chain has paused long enough.
    pub(in super::super) const IDLE: u8 = 7;
    /// Only a timer: a batch that lay in the future no longer does.
    pub(in super::super) const EARLY: u8 = 8;
    /// Only a timer: what was fetched has not come.
    pub(in super::super) const FETCH: u8 = 9;
}

impl protocol::Message for Message {
    fn kind(&self) -> &'static str {
        match self {
            Message::PrePrepare { .. } => "pre-prepare",
            Message::Prepare { .. } => "prepare",
            Message::Commit { .. } => "commit",
            Message::Checkpoint(_) => "checkpoint",
            Message::ViewChange(_) => "view-change",
            Message::NewView { .. } => "new-view",
            Message::Fetch { .. } => "fetch",
            Message::Batch { .. } => "batch",
        }
    }

    fn kinds() -> &'static [&'static str] {
        &[
            "pre-prepare",
            "prepare",
            "commit",
            "checkpoint",
            "view-change",
            "new-view",
            "fetch",
            "batch",
        ]
    }

    /// See the chapter for why these, and why nobody honest needs one twice.
    fn slot(&self) -> Option<Slot> {
        let slot = |height, round, phase| Some(Slot { height, epoch: 0, round, phase });
        match *self {
            Message::PrePrepare { view, ref batch } => {
                slot(batch.header.height, view, phase::PRE_PREPARE)
            }
            Message::Prepare { view, sequence, .. } => slot(sequence, view, phase::PREPARE),
            Message::Commit { view, sequence, .. } => slot(sequence, view, phase::COMMIT),
            Message::Checkpoint(checkpoint) => slot(checkpoint.sequence, 0, phase::CHECKPOINT),
            Message::ViewChange(ref change) => slot(0, change.view, phase::VIEW_CHANGE),
            Message::NewView { view, .. } => slot(0, view, phase::NEW_VIEW),
            Message::Fetch { .. } | Message::Batch { .. } => None,
        }
    }

    fn about(&self) -> Topic {
        let shown = |number, round, value| Shown { number, round, value: Named::from(value) };
        match self {
            Message::PrePrepare { batch, .. } | Message::Batch { batch } => {
                Topic::of(Some(batch.hash()))
            }
            Message::Prepare { value, .. } | Message::Commit { value, .. } => Topic::of(*value),
            Message::Checkpoint(checkpoint) => Topic::of(Some(checkpoint.block)),
            Message::Fetch { batch, .. } => Topic::of(Some(*batch)),
            Message::ViewChange(change) => {
                let prepared = change.prepared.iter();
                let shows = prepared.map(|one| shown(one.sequence, Some(one.view), one.value));
                Topic { shows: shows.collect(), ..Topic::default() }
            }
            Message::NewView { changes, proposals, .. } => {
                let shows = proposals.iter().map(|&(number, value)| shown(number, None, value));
                let brings = changes.iter().map(|(sender, ..)| *sender);
                Topic { shows: shows.collect(), brings: brings.collect(), ..Topic::default() }
            }
        }
    }

    fn block(&self) -> Option<&Arc<Block>> {
        match self {
            Message::PrePrepare { batch, .. } | Message::Batch { batch } => Some(batch),
            _ => None,
        }
    }

    fn block_mut(&mut self) -> Option<&mut Arc<Block>> {
        match self {
            Message::PrePrepare { batch, .. } | Message::Batch { batch } => Some(batch),
            _ => None,
        }
    }
}
