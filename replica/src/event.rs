//! What a world and a replica say to each other.

use crate::{
    packet::{Envelope, Opened},
    pool::PoolRefusal,
    trace::TraceLine,
};
use consensus::Timer;
use ledger::{
    Block, BlockHash, Header, ReplicaId, TransactionId, VerifiedTransaction,
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, CommitteeAnswer, CommitteesAnswer,
        ConflictAnswer, ConsensusAnswer, HeadersAnswer, StakeAnswer, StatusAnswer,
        TransactionAnswer,
    },
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// When something happens, by both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moment {
    /// Since this life began; monotonic.
    pub now: Duration,
    /// Since 1970; may jump.
    pub wall: Duration,
}

/// Something that happens to a replica.
#[derive(Debug)]
pub enum Event<M> {
    /// A peer's envelope came, already opened: see [`crate::packet::open`].
    Received {
        /// Which peer handed it to us, by the transport's word.
        from: ReplicaId,
        /// The envelope's number among that peer's.
        seq: u64,
        /// What was in it.
        opened: Opened<M>,
    },
    /// Transactions from the public: their signatures are checked.
    Gossiped(Vec<VerifiedTransaction>),
    /// A timer rang.
    Rang(Alarm),
    /// All that was written up to this ticket is durable.
    Synced(Ticket),
    /// Somebody asks; the answer comes as [`Action::Answer`] under the same number.
    Asked {
        /// The host's number for the question.
        id: u64,
        /// What is asked.
        query: Query,
    },
    /// Proof-of-work found.
    Mined(Box<Header>),
}

/// Something a world is to do for a replica, in order.
#[derive(Debug)]
pub enum Action<M> {
    /// Carry an envelope to each of these peers.
    Send {
        /// Never ourselves, nobody twice.
        to: Vec<ReplicaId>,
        /// What to carry.
        envelope: Arc<Envelope<M>>,
        /// Why it is sent, for counting.
        class: Class,
    },
    /// Tell the public of new transactions.
    Publish(Vec<VerifiedTransaction>),
    /// Ring once, `after` from now; an alarm set again under one name replaces itself.
    SetTimer {
        /// Its name.
        alarm: Alarm,
        /// From now.
        after: Duration,
    },
    /// Sync the store, then tell [`Event::Synced`] with this ticket. The only action that may be
    /// carried out late: what must wait for it is held back by the replica.
    Sync(Ticket),
    /// Replace the header being mined.
    Mine {
        /// Everything but the nonce.
        header: Box<Header>,
        /// The hash, read little-endian, must not exceed it.
        target: [u8; 32],
    },
    /// A block is final and durable.
    Committed {
        /// Its height.
        height: u64,
        /// Its name.
        block: BlockHash,
        /// How many transactions it orders.
        transactions: usize,
    },
    /// The answer to [`Event::Asked`].
    Answer {
        /// The host's number for the question.
        id: u64,
        /// The answer.
        answer: Answer,
    },
    /// A peer did what no honest one does: to be held against it. A replica itself shuts nobody out.
    Blame {
        /// By the transport's word.
        peer: ReplicaId,
        /// What it did, in a word of this program.
        fault: &'static str,
    },
    /// Conflicting finality was seen: the replica votes no more, and says why.
    Halted(String),
    /// One line for the trace.
    Trace(Box<TraceLine>),
}

/// Names a batch written to the store; later batches have greater tickets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Ticket(pub u64);

/// A timer of the replica's, or one of its protocol's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Alarm {
    /// One the protocol set.
    Protocol(Timer),
    /// Time to tell a peer what we hold.
    Gossip,
    /// Time to ask again for what we lack.
    Wants,
}

/// Why an envelope is sent. Protocols are compared by their first sends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A protocol's own message, for the first time.
    First,
    /// The same again, because somebody lacked it.
    Resend,
    /// Another's message passed on at a protocol's word.
    Relay,
    /// What we hold, for one peer.
    Summary,
    /// Catching up: requests and blocks.
    Sync,
}

/// A question to a replica. Answers never run ahead of what is durable.
#[derive(Clone, Debug)]
pub enum Query {
    /// How it stands.
    Status,
    /// A block by its height: a final one, or the one on the adopted branch.
    BlockAt(u64),
    /// A block by its hash.
    Block(BlockHash),
    /// Committed blocks from this height on, as many as one answer holds.
    Blocks(u64),
    /// Headers of the adopted branch from this height on, as many as one answer holds.
    Headers(u64),
    /// Committed and confirmed blocks from this height on, for those who want to know only what is in
    /// them: shared, and without proof.
    Bodies(u64),
    /// What was said about the height being decided.
    Consensus,
    /// A transaction, with its proof once it is final.
    Transaction(TransactionId),
    /// An account at the last final block, with its proof.
    Account(crypto::Address),
    /// An account after the adopted block at a height, which must not lie below the last final one.
    AccountAt(crypto::Address, u64),
    /// Who decides the block after the last final one.
    Committee,
    /// Changes of the committee that headers from this height on announce, as many as one answer holds.
    Committees(u64),
    /// Who has what at stake after the last final block, with its proof.
    Stake,
    /// The conflict for which it is halted.
    Conflict,
    /// Please order this.
    Submit(VerifiedTransaction),
    /// Please order these. The host bounds how many.
    SubmitMany(Vec<VerifiedTransaction>),
}

/// What a replica answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Query::Status`]; the host fills in the number of peers.
    Status(Box<StatusAnswer>),
    /// To [`Query::BlockAt`] and [`Query::Block`]; none if it is not known.
    Block(Option<Box<BlockAnswer>>),
    /// To [`Query::Blocks`].
    Blocks(Box<BlocksAnswer>),
    /// To [`Query::Headers`].
    Headers(HeadersAnswer),
    /// To [`Query::Bodies`]: in a row, oldest first; none past the newest that is committed or
    /// confirmed. What is only confirmed may be undone.
    Bodies(Vec<Arc<Block>>),
    /// To [`Query::Consensus`].
    Consensus(ConsensusAnswer),
    /// To [`Query::Transaction`].
    Transaction(Box<TransactionAnswer>),
    /// To [`Query::Account`] and [`Query::AccountAt`].
    Account(Box<AccountAnswer>),
    /// To [`Query::Committee`].
    Committee(CommitteeAnswer),
    /// To [`Query::Committees`].
    Committees(CommitteesAnswer),
    /// To [`Query::Stake`].
    Stake(Box<StakeAnswer>),
    /// To [`Query::Conflict`]; none if it saw no conflict.
    Conflict(Option<Box<ConflictAnswer>>),
    /// To [`Query::Submit`].
    Submitted(Result<TransactionId, PoolRefusal>),
    /// To [`Query::SubmitMany`]: one result for each, in the same order.
    SubmittedMany(Vec<Result<TransactionId, PoolRefusal>>),
    /// The replica itself failed to look.
    Failed(String),
}
