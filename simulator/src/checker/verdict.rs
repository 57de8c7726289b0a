//! What the checker says, for people and as JSON.

use super::{blame::Blame, flaw::Flaw, progress::Progress};
use crate::{heads::Reversion, record::Uttered};
use crypto::Address;
use ledger::{BlockHash, ReplicaId, Slot, TransactionId};
use serde::Serialize;
use std::{fmt, time::Duration};

/// How many violations people are told of. Where one promise is broken, many more soon are.
const TOLD: usize = 20;

/// Everything that should not have been, in the order in which it was found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Verdict {
    /// None if every promise was kept.
    pub violations: Vec<Violation>,
    /// Who broke agreement, once for each height at which it is broken.
    pub blame: Vec<Blame>,
}

impl Verdict {
    /// Whether every promise was kept.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// One broken promise, with who broke it, and where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "violation", rename_all = "snake_case")]
pub enum Violation {
    /// Agreement: two replicas hold different blocks final at one height. Only the first such
    /// height of a replica is told.
    Disagreement {
        /// Where.
        height: u64,
        /// One of them, and what it holds.
        one: (ReplicaId, BlockHash),
        /// The other.
        other: (ReplicaId, BlockHash),
    },
    /// Finality: a replica held one block final and then another.
    TakenBack {
        /// Who.
        replica: ReplicaId,
        /// Where.
        height: u64,
        /// What it said first.
        first: BlockHash,
        /// What it says now.
        second: BlockHash,
    },
    /// Durability: a replica's ledger stands below what the replica reported final.
    Forgotten {
        /// Who.
        replica: ReplicaId,
        /// When that was seen.
        at: Duration,
        /// The greatest height it reported.
        reported: u64,
        /// Where its ledger stands.
        held: u64,
    },
    /// Integrity: a replica's reports do not count up by one.
    OutOfOrder {
        /// Who.
        replica: ReplicaId,
        /// When.
        at: Duration,
        /// The height that was due.
        due: u64,
        /// The height that was reported.
        reported: u64,
        /// The block it was reported of.
        block: BlockHash,
    },
    /// Integrity: what a replica holds final at one height does not stand on what it holds below.
    Unlinked {
        /// Who.
        replica: ReplicaId,
        /// The upper of the two heights.
        height: u64,
        /// What it holds below.
        below: BlockHash,
        /// What it should hold there: the parent.
        parent: BlockHash,
    },
    /// Validity: a block that could never be final was called final.
    InvalidBlock {
        /// Where.
        height: u64,
        /// The block.
        block: BlockHash,
        /// Who called it final.
        replicas: Vec<ReplicaId>,
        /// All that is wrong with it.
        flaws: Vec<Flaw>,
    },
    /// Validity: a replica's own ledger says something else of an account than its blocks do.
    WrongAccount {
        /// Who.
        replica: ReplicaId,
        /// The height of its ledger.
        height: u64,
        /// Whose account.
        address: Address,
        /// Balance and nonce by the blocks.
        expected: (u128, u64),
        /// Balance and nonce in the ledger.
        found: (u128, u64),
    },
    /// Accountability: somebody was punished who never lied.
    Unjust {
        /// Who.
        replica: ReplicaId,
        /// The height of the block that did it.
        height: u64,
    },
    /// Accountability: an honest replica holds against another one that it broke the rules.
    Accused {
        /// Who does.
        by: ReplicaId,
        /// Against whom.
        offender: ReplicaId,
        /// What it holds against it.
        charge: String,
    },
    /// Validity: a proof that a replica keeps proves nothing.
    BadProof {
        /// Who.
        replica: ReplicaId,
        /// Of which height.
        height: u64,
        /// Of which block.
        block: BlockHash,
        /// What the protocol says to it.
        reason: String,
    },
    /// Validity: a replica holds blocks final without any proof that covers them.
    Unproven {
        /// Who.
        replica: ReplicaId,
        /// The lowest height without.
        from: u64,
        /// The greatest height it holds final.
        to: u64,
    },
    /// Accountability: a replica signed two values in one slot and let both leave.
    Equivocation {
        /// Who.
        signer: ReplicaId,
        /// Where it could have spoken once.
        slot: Slot,
        /// What left first.
        first: Box<Uttered>,
        /// What left then.
        second: Box<Uttered>,
    },
    /// Progress: somebody did not get on within the time that was given.
    Stalled {
        /// What was promised.
        promise: Progress,
        /// Where everybody stood who was up all that time.
        standings: Vec<Standing>,
    },
    /// Confirmation: a replica took back blocks that it had shown as deep enough to be counted on.
    Reverted(Reversion),
    /// Union: replicas are on different chains, deeper down than they may.
    Apart {
        /// Where.
        height: u64,
        /// What each has adopted there.
        adopted: Vec<(ReplicaId, BlockHash)>,
    },
    /// No censorship: a transaction was out for too long.
    Censored {
        /// Its name.
        transaction: TransactionId,
        /// Who took it.
        replica: ReplicaId,
        /// When.
        taken: Duration,
        /// How long it may have waited.
        within: Duration,
    },
    /// A replica votes no more.
    Halted {
        /// Who.
        replica: ReplicaId,
        /// When it said so.
        at: Duration,
        /// Why.
        why: String,
    },
}

/// How a replica got on during a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Standing {
    /// Who.
    pub replica: ReplicaId,
    /// Its height in the beginning.
    pub before: u64,
    /// Its height in the end.
    pub after: u64,
    /// Whether that is too low.
    pub behind: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.violations[..] {
            [] => write!(f, "every promise was kept")?,
            [only] => write!(f, "{only}")?,
            many => {
                write!(f, "{} promises were broken:", many.len())?;
                let mut told = many.iter().take(TOLD);
                told.try_for_each(|violation| write!(f, "\n- {violation}"))?;
                match many.len().saturating_sub(TOLD) {
                    0 => {}
                    more => write!(f, "\n- and {more} more")?,
                }
            }
        }
        self.blame.iter().try_for_each(|blame| write!(f, "\n{blame}"))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Disagreement { height, one, other } => write!(
                f,
                "agreement: at height {height} replica {} holds block {} final, replica {} holds {}",
                one.0,
                one.1.short(),
                other.0,
                other.1.short()
            ),
            Violation::TakenBack { replica, height, first, second } => write!(
                f,
                "finality: replica {replica} took back the final block {} of height {height} for {}",
                first.short(),
                second.short()
            ),
            Violation::Forgotten { replica, at, reported, held } => write!(
                f,
                "durability: replica {replica} had reported height {reported} final, and at {at:?} \
                 its ledger holds {held}"
            ),
            Violation::OutOfOrder { replica, at, due, reported, block } => write!(
                f,
                "integrity: at {at:?} replica {replica} reported height {reported} (block {}) when \
                 {due} was due",
                block.short()
            ),
            Violation::Unlinked { replica, height, below, parent } => write!(
                f,
                "integrity: at replica {replica} the final block of height {height} stands on {}, \
                 but below it {} is final",
                parent.short(),
                below.short()
            ),
            Violation::InvalidBlock { height, block, replicas, flaws } => {
                let names: Vec<_> = replicas.iter().map(ReplicaId::to_string).collect();
                let flaws: Vec<_> = flaws.iter().map(Flaw::to_string).collect();
                let (block, names, flaws) = (block.short(), names.join(", "), flaws.join("; "));
                write!(
                    f,
                    "validity: block {block} at height {height}, final at {names}, is invalid: \
                     {flaws}"
                )
            }
            _ => self.tell_the_rest(f),
        }
    }
}

impl Violation {
    /// What is told of the other kinds.
    fn tell_the_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::WrongAccount { replica, height, address, expected, found } => write!(
                f,
                "validity: in replica {replica}'s ledger at height {height} account {address} has \
                 balance {} and nonce {}, by its blocks it has {} and {}",
                found.0, found.1, expected.0, expected.1
            ),
            Violation::Accused { by, offender, charge } => write!(
                f,
                "accountability: replica {by}, which is honest, accuses replica {offender}, which is \
                 honest, too, of {charge}"
            ),
            Violation::Unjust { replica, height } => write!(
                f,
                "accountability: replica {replica}, which is honest, was punished at height {height}"
            ),
            Violation::BadProof { replica, height, block, reason } => write!(
                f,
                "validity: replica {replica}'s proof of block {} at height {height} is none: \
                 {reason}",
                block.short()
            ),
            Violation::Unproven { replica, from, to } => write!(
                f,
                "validity: replica {replica} holds heights {from} to {to} final without a proof"
            ),
            Violation::Equivocation { signer, slot, first, second } => write!(
                f,
                "accountability: replica {signer} signed two values in the slot of height {}, \
                 epoch {}, round {}, phase {}: {first}, and {second}",
                slot.height, slot.epoch, slot.round, slot.phase
            ),
            Violation::Stalled { promise, standings } => {
                let told: Vec<_> = standings.iter().map(Standing::to_string).collect();
                write!(f, "progress: {promise}; {}", told.join(", "))
            }
            Violation::Reverted(Reversion { replica, at, height, blocks, depth }) => write!(
                f,
                "confirmation: at {at:?} replica {replica} took back {blocks} confirmed blocks from \
                 height {height} up, {depth} blocks in all"
            ),
            Violation::Apart { height, adopted } => {
                let told: Vec<_> = adopted
                    .iter()
                    .map(|(id, block)| format!("replica {id} has adopted {}", block.short()))
                    .collect();
                write!(f, "union: at height {height} {}", told.join(", "))
            }
            Violation::Censored { transaction, replica, taken, within } => write!(
                f,
                "no censorship: transaction {transaction}, which replica {replica} took at \
                 {taken:?}, was not final anywhere within {within:?}"
            ),
            Violation::Halted { replica, at, why } => {
                write!(f, "replica {replica} halted at {at:?}: {why}")
            }
            other => unreachable!("{other:?} was told of before"),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Standing { replica, before, after, behind } = self;
        let behind = if *behind { " and is behind" } else { "" };
        write!(f, "replica {replica} went from {before} to {after}{behind}")
    }
}

impl fmt::Display for Uttered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uttered { kind, value, seq, origin, .. } = self;
        let (carrier, life, at) = (origin.carrier, origin.life, origin.at);
        write!(
            f,
            "a {kind} of {} (envelope {seq} of replica {carrier}'s life {life}, at {at:?})",
            value.short()
        )
    }
}
