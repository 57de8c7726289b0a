//! What is told of a node on its way.

use crate::lab::print;
use ledger::{Amount, TransactionId};
use serde::Serialize;
use std::{
    fmt,
    io::{self, Write},
    time::Instant,
};

/// A step that is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Step {
    /// The node runs.
    Started {
        /// Which.
        node: u32,
        /// Its process.
        pid: u32,
    },
    /// It has read the chain.
    Synced {
        /// Which.
        node: u32,
        /// Up to here.
        height: u64,
    },
    /// Its account has money.
    Funded {
        /// Which.
        node: u32,
        /// How much it was given.
        amount: Amount,
        /// Who gave it.
        from: String,
        /// By which transaction.
        transaction: TransactionId,
        /// In which block.
        height: u64,
    },
    /// The money is at stake.
    Bonded {
        /// Which.
        node: u32,
        /// How much.
        stake: Amount,
        /// By which transaction.
        transaction: TransactionId,
        /// In which block.
        height: u64,
    },
    /// It is in the committee.
    Seated {
        /// Which.
        node: u32,
        /// The block whose children it decides.
        height: u64,
        /// How many members there are.
        members: usize,
    },
    /// A block of its own is final.
    Proposed {
        /// Which.
        node: u32,
        /// Which block.
        height: u64,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Started { node, pid } => write!(f, "Node {node} runs, as process {pid}."),
            Step::Synced { node, height } => {
                write!(f, "Node {node} has read the chain up to height {height}.")
            }
            Step::Funded { node, amount, from, height, .. } => {
                write!(f, "{from} has given {amount} to node-{node} in block {height}.")
            }
            Step::Bonded { node, stake, height, .. } => {
                write!(f, "Node {node} has put {stake} at stake in block {height}.")
            }
            Step::Seated { node, height, members } => write!(
                f,
                "Node {node} has a seat among {members}: it votes on what follows block {height}."
            ),
            Step::Proposed { node, height } => {
                write!(f, "Node {node} has proposed block {height}, which is final.")
            }
        }
    }
}

/// Tells steps to a person or a program.
#[derive(Debug)]
pub(super) struct Teller {
    json: bool,
    begun: Instant,
}

impl Teller {
    /// Begins to tell now.
    pub(super) fn new(json: bool) -> Teller {
        Teller { json, begun: Instant::now() }
    }

    /// Tells a step, with the time since the beginning.
    pub(super) fn tell(&self, step: &Step) {
        let seconds = self.begun.elapsed().as_secs_f64();
        match self.json {
            true => print(&super::line(step, seconds)),
            false => print(&format_args!("{seconds:6.1} s  {step}")),
        }
    }

    /// Tells a person what a node does meanwhile. Programs are told steps.
    pub(super) fn progress(&self, node: Option<u32>, told: &str) {
        if let (false, Some(node)) = (self.json, node) {
            let seconds = self.begun.elapsed().as_secs_f64();
            // Who does not read it misses nothing.
            let _ = writeln!(io::stderr(), "{seconds:6.1} s  node {node} {told} …");
        }
    }
}
