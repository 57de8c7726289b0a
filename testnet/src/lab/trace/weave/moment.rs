//! What happened at one replica at once.

use consensus::Topic;
use ledger::Slot;
use replica::Class;
use simulator::record::aside::Loss;

/// What one replica does upon one thing. Numbers are those of lanes, moments and sent envelopes.
#[derive(Clone, PartialEq, Debug)]
pub struct Moment {
    /// Where.
    pub lane: usize,
    /// When, in microseconds; never before the moment above it in its lane.
    pub time: u64,
    /// What made it happen.
    pub why: Why,
    /// What happened.
    pub items: Vec<Item>,
}

/// What makes something happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// An envelope arrives: the number of what was sent.
    Envelope(usize),
    /// An envelope of this replica, with this number, that nobody is seen to send.
    Stranger(u32, u64),
    /// The protocol's timer rings.
    Timer(Slot),
    /// A client asks for something.
    Client,
    /// A miner finds a block.
    Found,
    /// A life begins.
    Birth,
    /// The power goes.
    Crash,
    /// Its own clock, or somebody who asks.
    Itself,
}

/// One thing that happened in a moment.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// A life began, with so high a final height.
    Started(u64),
    /// A message was delivered to the protocol.
    Heard {
        /// Who signed it.
        sender: u32,
        /// The paper's name for it.
        kind: String,
        /// Where it was said.
        slot: Option<Slot>,
        /// What it speaks of.
        about: Topic,
    },
    /// An envelope left: its number.
    Sent(usize),
    /// Something was thrown away, and why.
    Refused(String, String),
    /// Another block is the head for now.
    Adopted {
        /// Its height.
        height: u64,
        /// Its name.
        block: String,
        /// How many transactions wait again.
        abandoned: usize,
    },
    /// A block is final.
    Committed {
        /// Its height.
        height: u64,
        /// Its name.
        block: String,
        /// How many transactions it orders.
        transactions: usize,
    },
    /// A remark: its label and the rest.
    Note(String, String),
    /// Somebody was caught.
    Accused(u32, String, Option<Slot>),
    /// The replica votes no more.
    Halted(String),
    /// A block was found at a height.
    Found(u64, String),
    /// The power went.
    Crashed,
}

/// An envelope that left.
#[derive(Clone, PartialEq, Debug)]
pub struct Sent {
    /// The moment in which it did.
    pub moment: usize,
    /// Its number in that life.
    pub envelope: u64,
    /// What it holds.
    pub kind: String,
    /// Why it was sent.
    pub class: Class,
    /// Who signed it, if it is a protocol's message.
    pub signer: Option<u32>,
    /// Where it is said.
    pub slot: Option<Slot>,
    /// What it speaks of.
    pub about: Topic,
    /// How long it is, encoded, if the world has measured it.
    pub bytes: Option<u64>,
    /// Its copies, one for each recipient, more where the network doubled it.
    pub arrows: Vec<Arrow>,
}

/// A copy of an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// The lane it is for.
    pub to: usize,
    /// What became of it.
    pub end: End,
}

/// What becomes of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The moment in which it arrived.
    Arrived(usize),
    /// It never will.
    Lost(Loss),
    /// It was still under way at the end, or nobody wrote down what became of it.
    Open,
}
