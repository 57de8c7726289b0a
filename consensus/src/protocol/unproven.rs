//! Why a proof proves nothing.

use ledger::{BlockHash, ReplicaId, leak::BadTable};

/// Why a proof does not make a block final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The bytes are no proof of this protocol.
    #[error("the proof is malformed: {0}")]
    Malformed(String),
    /// There is no header to prove.
    #[error("there is no header to prove final")]
    NoHeaders,
    /// The headers do not follow one another.
    #[error("header {0} does not stand on the one before it")]
    BrokenChain(u64),
    /// The header is decided by another committee than the one given.
    #[error("the committee that decides header {0} is not the one given to check the proof")]
    OtherCommittee(u64),
    /// It speaks of another block.
    #[error("the certificate is for block {found}, the header is {expected}")]
    WrongBlock {
        /// The last header's hash.
        expected: BlockHash,
        /// What the proof names.
        found: BlockHash,
    },
    /// It counts on the block before the headers, which is not given.
    #[error("a proof of work needs the block before header {0}")]
    NoParent(u64),
    /// A header does not meet the target it must.
    #[error("header {height} carries too little work: {reason}")]
    Work {
        /// The header's.
        height: u64,
        /// What is wrong with its seal.
        reason: &'static str,
    },
    /// A header's time is not later than it must be.
    #[error("the time of header {0} is not later than the median of those before")]
    Time(u64),
    /// Too few blocks stand upon the last header.
    #[error("{found} blocks stand upon the header, {needed} are needed")]
    TooShallow {
        /// By the proof.
        found: u64,
        /// By the genesis.
        needed: u64,
    },
    /// The module's blocks carry no work.
    #[error("blocks of this module carry no work to weigh")]
    Weightless,
    /// The genesis' settings make no sense.
    #[error("{0}")]
    Settings(String),
    /// It counts by the record of a leak, and the chain has none.
    #[error("the certificate names the record of a leak, and this chain has no recovery rounds")]
    NoLeak,
    /// The record of a leak by which it counts is none.
    #[error("the certificate's record of a leak is none: {0}")]
    Table(#[from] BadTable),
    /// A signer is counted twice.
    #[error("validator {0} is counted twice in the certificate, or its signers are out of order")]
    DuplicateSigner(ReplicaId),
    /// A signer has no seat.
    #[error("signer {0} is not in the committee")]
    NotMember(ReplicaId),
    /// A signature is not the signer's.
    #[error("the signature of validator {0} is wrong")]
    BadSignature(ReplicaId),
    /// The signers weigh too little.
    #[error("the signers hold {weight} of {total} stake, strictly more than two thirds are needed")]
    TooLight {
        /// Of the distinct signers.
        weight: u128,
        /// Of the committee.
        total: u128,
    },
    /// There are too few signers, where each counts the same.
    #[error("{found} validators signed, {needed} are needed")]
    TooFew {
        /// Distinct signers.
        found: usize,
        /// Of the committee.
        needed: usize,
    },
}
