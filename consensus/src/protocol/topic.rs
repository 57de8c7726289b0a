//! What a message speaks of, for those who read traces.

use ledger::{BlockHash, ReplicaId};
use serde::{Deserialize, Serialize};

/// What a message speaks of: enough to tell a story by, not to run a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Topic {
    /// What it speaks for; none if it is for or against nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Named>,
    /// The earlier round whose quorum it appeals to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_round: Option<u64>,
    /// What it shows to have been agreed upon before, or takes over from there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<Shown>,
    /// Whose messages it brings along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brings: Vec<ReplicaId>,
}

/// A value by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// None: nil, a null request.
    Nil,
    /// A block, or a batch, by its hash.
    Block(BlockHash),
}

/// A value that a number stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shown {
    /// The height or sequence number.
    pub number: u64,
    /// In which round or view, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u64>,
    /// What it stood for.
    pub value: Named,
}

impl Topic {
    /// That of a message that is for one value, or for none at all.
    pub fn of(value: Option<BlockHash>) -> Topic {
        Topic { value: Some(Named::from(value)), ..Topic::default() }
    }

    /// Whether it says nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Topic::default()
    }
}

impl From<Option<BlockHash>> for Named {
    fn from(value: Option<BlockHash>) -> Named {
        value.map_or(Named::Nil, Named::Block)
    }
}
