//! What the world knows of a run and no replica can: who was without power, what was lost on the way.
//!
//! A trace in a file holds such lines between those of the replicas, each before what came after it.
//! They all begin with [`MARK`], and are not in the [trace hash](super::Record::trace_hash): it is that
//! of the other lines, as they are without these.

use super::{Record, Tracing};
use crate::schedule::Fault;
use ledger::{BlockHash, ReplicaId, Slot};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write},
    time::Duration,
};

/// How each aside in a file begins, and no line of a replica does.
pub const MARK: &str = "{\"world\":";

/// One remark of the world's. Times are microseconds of virtual time since the beginning. A lane is
/// a place where a replica lives: its own number, and for the second of Twins one past all replicas.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "world", rename_all = "snake_case")]
pub enum Aside {
    /// What this is a trace of.
    Scenario {
        /// The scenario's name.
        name: String,
        /// The module, and which rule of it is weak.
        module: String,
    },
    /// Who takes part.
    Run {
        /// All chance grew from it.
        seed: u64,
        /// Who lives in each lane.
        lanes: Vec<ReplicaId>,
        /// Who lies, and how.
        liars: Vec<(ReplicaId, String)>,
    },
    /// Something is so from the beginning until a time.
    Until {
        /// Until when.
        time: u64,
        /// What, for people.
        words: String,
    },
    /// A life begins.
    Woke {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
        /// Which of its lives, counted from one. Envelopes are numbered anew in each.
        life: u32,
    },
    /// A real node began a life: the lines that follow in its file count from there.
    Life {
        /// When, by its machine's clock: in microseconds since 1970.
        wall_us: u64,
    },
    /// It told of a final block, which is durable since: its replica's own line comes before that.
    Final {
        /// When, in microseconds since its life began.
        at: u64,
        /// The block's height.
        height: u64,
        /// The block's name.
        block: BlockHash,
    },
    /// A replica loses power.
    Crashed {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
    },
    /// The next line of a replica was written in this lane, and not in the one of its number.
    Here {
        /// Where.
        lane: u32,
    },
    /// Something changes for the worse or the better.
    Fault {
        /// When.
        time: u64,
        /// What.
        fault: Fault,
        /// The same for people.
        words: String,
    },
    /// A protocol's timer rings.
    Rang {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
        /// What it was set for.
        slot: Slot,
    },
    /// A client asks a replica to order a transaction.
    Asked {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
    },
    /// A miner finds a block.
    Found {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
        /// At which height.
        height: u64,
        /// Its name.
        block: BlockHash,
        /// The block it stands on.
        parent: BlockHash,
    },
    /// An envelope leaves: all that it rests on is durable.
    Left {
        /// When.
        time: u64,
        /// Where.
        lane: u32,
        /// In which life there.
        life: u32,
        /// Its number among the envelopes of that life.
        envelope: u64,
        /// How long it is, encoded.
        bytes: u64,
    },
    /// An envelope comes to where it was sent.
    Arrived {
        /// When.
        time: u64,
        /// Which.
        #[serde(flatten)]
        parcel: Under,
    },
    /// An envelope will never come. If nobody is there to take it, that is seen when it would have
    /// arrived, and otherwise when it is sent.
    Lost {
        /// When.
        time: u64,
        /// Which.
        #[serde(flatten)]
        parcel: Under,
        /// Why.
        why: Loss,
    },
    /// It was watched until now.
    Ended {
        /// When.
        time: u64,
    },
    /// Something did not turn out as it should.
    Broken {
        /// What.
        words: String,
    },
}

/// A copy of an envelope, under way to one replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Under {
    /// The lane it left.
    pub from: u32,
    /// In which life there.
    pub life: u32,
    /// Its number among the envelopes of that life.
    pub envelope: u64,
    /// The lane it is for.
    pub to: u32,
}

/// Why an envelope does not arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// By chance.
    Chance,
    /// Nothing passes there: a partition, a cut, a silence.
    Closed,
    /// The life it was sent to is over.
    Down,
}

impl Record {
    /// What the world has to say, each with the number of trace lines before it. Empty unless the
    /// trace is [`Tracing::Kept`].
    pub fn asides(&self) -> &[(usize, Aside)] {
        &self.asides
    }

    /// Writes the trace as it is in a file, a line of JSON for each event, with asides between them.
    ///
    /// # Errors
    /// If `out` takes no more.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut asides = self.asides.iter().peekable();
        for (number, line) in self.lines.iter().enumerate() {
            while let Some((_, aside)) = asides.next_if(|(before, _)| *before <= number) {
                aside.write(out)?;
            }
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")?;
        }
        asides.try_for_each(|(_, aside)| aside.write(out))
    }

    /// Somebody may want to know.
    pub(crate) fn aside(&mut self, aside: impl FnOnce() -> Aside) {
        if self.tracing == Tracing::Kept {
            self.asides.push((self.lines.len(), aside()));
        }
    }
}

impl Aside {
    /// Writes it as a line of a trace.
    ///
    /// # Errors
    /// If `out` takes no more.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// A time as asides tell it.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
