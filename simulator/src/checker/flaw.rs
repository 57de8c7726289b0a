//! What can be wrong with a block that somebody called final.

use crypto::{Address, Hash};
use ledger::{BlockHash, ChainId, ReplicaId, TransactionId};
use serde::Serialize;
use std::fmt;

/// Why a block could never be final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// Nobody who called it final holds it.
    NoBody,
    /// It is not the block it was called.
    Name {
        /// The hash of its header.
        computed: BlockHash,
    },
    /// It stands on a block that nobody called final.
    Parent {
        /// That block.
        parent: BlockHash,
    },
    /// Its height is not one past its parent's.
    Height {
        /// One past the parent's.
        expected: u64,
        /// The header's.
        stated: u64,
    },
    /// It was reported at another height than its header states.
    Reported {
        /// The header's.
        stated: u64,
    },
    /// Its time is not later than the median of some before it.
    Time {
        /// Of the blocks before, in milliseconds since 1970.
        median: u64,
        /// The header's.
        stated: u64,
    },
    /// Its proposer is no validator.
    Proposer {
        /// As the header names it.
        proposer: ReplicaId,
    },
    /// The header names other transactions than the body holds.
    TransactionRoot {
        /// The header's.
        stated: Hash,
        /// Over the body.
        computed: Hash,
    },
    /// The header names other duties than the body holds, or another table.
    Duties,
    /// What the block tells of absence may not stand there.
    Absence {
        /// Why.
        reason: Bad,
    },
    /// A transaction may not stand there.
    Transaction {
        /// Its place in the block.
        index: usize,
        /// Its name.
        id: TransactionId,
        /// Why.
        reason: Bad,
    },
    /// The header names another state than the transactions lead to.
    StateRoot {
        /// The header's.
        stated: Hash,
        /// By the checker's own execution and its own tree.
        computed: Hash,
    },
    /// The header names another committee than stake gives.
    Committee {
        /// The header's.
        stated: Hash,
        /// By the checker's own count.
        computed: Hash,
    },
    /// The ledger's register of stake is not what the transactions lead to.
    Register,
    /// A ledger that begins at the genesis and knows nobody refuses it.
    Replay {
        /// What it says.
        reason: String,
    },
}

/// Why a transaction may not stand where it does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Bad {
    /// It is for another chain.
    Chain {
        /// The chain it names.
        named: ChainId,
    },
    /// Its sender did not sign it.
    Signature {
        /// Whose money it would move.
        sender: Address,
    },
    /// It was ordered before.
    Twice {
        /// The height at which it was.
        first: u64,
    },
    /// It is not its sender's next one.
    Nonce {
        /// The next one's.
        expected: u64,
        /// Its own.
        found: u64,
    },
    /// Its sender cannot pay for it.
    Balance {
        /// Who pays.
        sender: Address,
        /// What the sender owns.
        owned: u128,
        /// The amount and the fee.
        needed: u128,
    },
    /// There are no rules for what it asks.
    Action,
    /// Stake cannot move so: not that much, not under that number, or not after a punishment.
    Stake,
    /// A duty that is none: of another time, of strangers, twice, or not in its order.
    Duty,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::NoBody => write!(f, "nobody who called it final holds it"),
            Flaw::Name { computed } => write!(f, "its header hashes to {}", computed.short()),
            Flaw::Parent { parent } => {
                write!(f, "it stands on {}, which nobody called final", parent.short())
            }
            Flaw::Height { expected, stated } => {
                write!(
                    f,
                    "its header states height {stated}, the child of its parent has {expected}"
                )
            }
            Flaw::Reported { stated } => write!(f, "its header states height {stated}"),
            Flaw::Time { median, stated } => {
                write!(f, "its time {stated} is not later than the median before it, {median}")
            }
            Flaw::Proposer { proposer } => write!(f, "its proposer {proposer} is no validator"),
            Flaw::TransactionRoot { stated, computed } => write!(
                f,
                "its header names transactions {}, its body holds {}",
                stated.short(),
                computed.short()
            ),
            Flaw::Duties => write!(f, "its header does not name the duties of its body"),
            Flaw::Absence { reason } => write!(f, "what it tells of absence {reason}"),
            Flaw::Transaction { index, id, reason } => {
                write!(f, "transaction {index} ({}) {reason}", id.short())
            }
            Flaw::StateRoot { stated, computed } => write!(
                f,
                "its header names state {}, its transactions lead to {}",
                stated.short(),
                computed.short()
            ),
            Flaw::Committee { stated, computed } => write!(
                f,
                "its committee is called {}, stake gives {}",
                stated.short(),
                computed.short()
            ),
            Flaw::Register => {
                write!(f, "its register of stake is not what its transactions lead to")
            }
            Flaw::Replay { reason } => write!(f, "a fresh ledger refuses it: {reason}"),
        }
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bad::Chain { named } => write!(f, "is for chain {}", named.short()),
            Bad::Signature { sender } => write!(f, "is not signed by its sender {sender}"),
            Bad::Twice { first } => write!(f, "was ordered before, at height {first}"),
            Bad::Nonce { expected, found } => {
                write!(f, "has nonce {found}, its sender's next one has {expected}")
            }
            Bad::Balance { sender, owned, needed } => {
                write!(f, "costs {needed}, its sender {sender} owns {owned}")
            }
            Bad::Action => write!(f, "asks for what this chain has no rules for"),
            Bad::Stake => write!(f, "moves stake that cannot move so"),
            Bad::Duty => write!(f, "makes no sense there"),
        }
    }
}
