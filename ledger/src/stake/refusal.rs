//! Why the register does not do what a transaction asks of it.

use crate::{Amount, ReplicaId, Stake};

/// Why stake stays where it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StakeRefusal {
    /// The genesis has no rules of stake.
    #[error(
        "the validators of this chain are those of its genesis for good: nobody can bond, unbond or be \
         punished by a transaction"
    )]
    Fixed,
    /// The account is a validator already, of another number.
    #[error("this account is validator {own}, the transaction bonds for validator {asked}")]
    OtherNumber {
        /// Its number.
        own: ReplicaId,
        /// The transaction's.
        asked: ReplicaId,
    },
    /// A newcomer gets the next number, and this is another.
    #[error(
        "a new validator gets the number {next} now, the transaction asks for {asked}; its node must \
         be known by that number, too"
    )]
    NotNext {
        /// The next free one.
        next: ReplicaId,
        /// The transaction's.
        asked: ReplicaId,
    },
    /// Less than a validator must have at stake.
    #[error("a stake of {found} would be left, a validator needs {minimum} at least")]
    TooLittle {
        /// What the genesis asks for.
        minimum: Amount,
        /// What there would be.
        found: Amount,
    },
    /// The account has no stake to take out.
    #[error("this account is no validator and has no stake")]
    NoValidator,
    /// It has less than that.
    #[error("the stake is {stake}, and {asked} cannot be taken out of it")]
    NotThatMuch {
        /// What it has.
        stake: Stake,
        /// What it asked for.
        asked: Amount,
    },
    /// Nobody else would have any.
    #[error("the last validator cannot take out its whole stake: nobody would be left to decide")]
    Last,
    /// No seat or no number is left.
    #[error("there is no room for another validator")]
    Full,
    /// It comes and goes too often.
    #[error(
        "validator {validator} has come and gone too often lately; wait until some of that is over"
    )]
    TooOften {
        /// Who.
        validator: ReplicaId,
    },
    /// It was punished, which is for good.
    #[error("validator {validator} was punished at height {height} and cannot come back")]
    Punished {
        /// Who.
        validator: ReplicaId,
        /// By which block.
        height: u64,
    },
    /// The sum exceeds 64 bits.
    #[error("a stake or a height would grow beyond 64 bits")]
    Overflow,
}

/// Why evidence convicts nobody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EvidenceRefusal {
    /// Nobody has that number.
    #[error("there is no validator {0}")]
    Unknown(ReplicaId),
    /// It was punished before, for this or for something else.
    #[error("validator {validator} was punished at height {height} already")]
    Punished {
        /// Who.
        validator: ReplicaId,
        /// By which block.
        height: u64,
    },
    /// Whoever is guilty reports itself.
    #[error("the sender is the guilty validator itself, who must not earn a reporter's share")]
    SelfServing,
    /// The slot has no height, so nobody can say when it was, and who had a seat.
    #[error("the two messages are of no height, so nothing says when they were signed")]
    Undated,
    /// The slot is still to come.
    #[error("the two messages are of height {slot}, which is still to come after {height}")]
    Early {
        /// The slot's height.
        slot: u64,
        /// The block's.
        height: u64,
    },
    /// It happened too long ago.
    #[error(
        "the two messages are of height {slot}; at height {height} evidence counts from {oldest} on"
    )]
    Expired {
        /// The slot's height.
        slot: u64,
        /// The block's.
        height: u64,
        /// The oldest height that still counts.
        oldest: u64,
    },
    /// It had no vote there, so it broke no promise.
    #[error("validator {validator} had no seat at height {slot}")]
    NoSeat {
        /// Who.
        validator: ReplicaId,
        /// The slot's height.
        slot: u64,
    },
    /// It is no proof: equal or disordered values, or a signature that is not the validator's.
    #[error(
        "the two messages are not both signed by validator {0}, or do not contradict each other"
    )]
    Forged(ReplicaId),
}
