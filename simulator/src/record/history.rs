//! The entries of a record: what one replica did, and when, by virtual time since the beginning.

use crypto::{Hash, Signature};
use ledger::{BlockHash, Proof, ReplicaId};
use serde::Serialize;
use std::time::Duration;

/// Something to remember of one replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Milestone {
    /// A life began.
    Woke {
        /// When.
        at: Duration,
        /// The newest final height its disk held.
        height: u64,
    },
    /// A block became final there.
    Final(Commit),
}

impl Milestone {
    /// The block, if that is what it is about.
    pub fn commit(&self) -> Option<&Commit> {
        match self {
            Milestone::Woke { .. } => None,
            Milestone::Final(commit) => Some(commit),
        }
    }
}

/// One replica holds one block final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// When that was known outside.
    pub at: Duration,
    /// The block's height.
    pub height: u64,
    /// The block's name.
    pub block: BlockHash,
    /// The proof that came with it, if any did so far.
    pub proof: Option<Proof>,
    /// Whether it was never reported, because a crash came first, and was found on the disk in the
    /// next life.
    pub recovered: bool,
}

/// Who let an envelope leave, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Origin {
    /// Who sent it, which need not be who signed what is in it.
    pub carrier: ReplicaId,
    /// Which life of the carrier it was, counted from one: envelopes are numbered anew in each.
    pub life: u32,
    /// When it left.
    pub at: Duration,
}

/// A signed value, and the first envelope in which it left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Uttered {
    /// The paper's name for what was said.
    pub kind: &'static str,
    /// The hash of what was said.
    pub value: Hash,
    /// The signer's signature over the slot and that hash.
    pub signature: Signature,
    /// The envelope's number among those of its carrier's life.
    pub seq: u64,
    /// Where it came from.
    pub origin: Origin,
}
