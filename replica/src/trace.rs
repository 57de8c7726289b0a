//! What happened, one line of JSON at a time.
//!
//! The replica writes it, not the protocol, and the cause of each line is the envelope that was
//! received, named by its sender and number. Lamport and vector clocks are computed from these
//! pairs afterwards, so no liar can poison them. Viewers read only `kind` and notes.

use crate::event::Class;
use consensus::Topic;
use ledger::{BlockHash, ReplicaId, Slot};
use serde::{Deserialize, Serialize};

/// One thing that happened at one replica.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TraceLine {
    /// Where it happened.
    pub replica: ReplicaId,
    /// Counts this replica's lines up from one, in each life.
    pub seq: u64,
    /// When, in microseconds since this life began.
    pub at: u64,
    /// The envelope that made it happen: its sender and number. None for timers and people.
    pub cause: Option<(ReplicaId, u64)>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A life began.
    Started {
        /// The last final height.
        height: u64,
    },
    /// A message was delivered to the protocol.
    Heard {
        /// Who signed it.
        sender: ReplicaId,
        /// The paper's name for it.
        kind: String,
        /// Where it was said.
        slot: Option<Slot>,
        /// What it speaks of.
        #[serde(default, skip_serializing_if = "Topic::is_nothing")]
        about: Topic,
    },
    /// An envelope was handed to the world.
    Sent {
        /// The envelope's number.
        envelope: u64,
        /// What it holds.
        kind: String,
        /// To whom.
        to: Vec<ReplicaId>,
        /// Why.
        class: Class,
        /// Who signed it, if it is a protocol's message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signer: Option<ReplicaId>,
        /// Where it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slot: Option<Slot>,
        /// What it speaks of.
        #[serde(default, skip_serializing_if = "Topic::is_nothing")]
        about: Topic,
    },
    /// Something was thrown away.
    Refused {
        /// What.
        kind: String,
        /// Why.
        reason: String,
    },
    /// Another block is the head of ours for now.
    Adopted {
        /// Its height.
        height: u64,
        /// Its name.
        block: BlockHash,
        /// How many transactions of the branch that was left wait again.
        abandoned: usize,
        /// The height of the newest block that both branches have.
        #[serde(default)]
        fork: u64,
    },
    /// A block is final.
    Committed {
        /// Its height.
        height: u64,
        /// Its name.
        block: BlockHash,
        /// How many transactions it orders.
        transactions: usize,
    },
    /// A protocol's remark.
    Note {
        /// A word that viewers know.
        label: String,
        /// The rest, for people.
        detail: String,
    },
    /// Somebody was caught.
    Accused {
        /// Who.
        offender: ReplicaId,
        /// Of what.
        charge: String,
        /// Where.
        slot: Option<Slot>,
    },
    /// The replica votes no more.
    Halted {
        /// Why.
        reason: String,
    },
}
