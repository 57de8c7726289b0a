//! Failpoints: places between the steps of persisting and sending, where a crash would hurt most.
//!
//! Whoever studies a node gives it a [`Tripwire`] and is told whenever one of these is passed; it may end the
//! process there. Nobody else gives one, and then nothing is told and nothing costs anything.

use std::{fmt, str::FromStr, sync::Arc};

#[cfg(test)]
mod tests;

/// Writes [`Point`] with what names it and tells it.
macro_rules! points {
    ($($point:ident, $name:literal, $what:literal;)+) => {
        /// A place where a crash would hurt most. What lies behind it has happened, what lies ahead has not.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Point {
            $(#[doc = $what] $point,)+
        }

        impl Point {
            /// Every one, from the opening of a store to what leaves a node.
            pub const ALL: &[Point] = &[$(Point::$point),+];

            /// What people call it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Point::$point => $name,)+
                }
            }

            /// Where it is, in a line.
            pub fn what(self) -> &'static str {
                match self {
                    $(Point::$point => $what,)+
                }
            }
        }
    };
}

points! {
    SledOpened, "sled-opened", "Opening: sled was checked, the log was not read.";
    LogMade, "log-made", "Opening for the first time: the log is made, sled does not say so.";
    LogRead, "log-read", "Opening: the log was read, nothing of it was replayed.";
    HalfReplayed, "half-replayed", "Opening: one segment of the log was replayed, the other was not.";
    RecordUnwritten, "record-unwritten", "Something is to be written to the log, nothing of it is.";
    RecordTorn, "record-torn", "Half of it is written, up to a whole sector.";
    RecordWritten, "record-written", "It is written, and not synced.";
    RecordSynced, "record-synced", "It is durable, and nobody knows.";
    SegmentTaken, "segment-taken", "The log takes the place of an older segment: nothing there is overwritten.";
    CheckpointBegun, "checkpoint-begun", "A checkpoint begins: sled got nothing of it.";
    StepApplied, "step-applied", "A step of a checkpoint is given to sled, and not flushed.";
    StepFlushed, "step-flushed", "A step of a checkpoint is flushed by sled, and not synced.";
    StepSynced, "step-synced", "A step of a checkpoint is durable.";
    CheckpointUnmarked, "checkpoint-unmarked", "Sled has all of a checkpoint, and does not say so.";
    CheckpointMarked, "checkpoint-marked", "Sled says it has all of a checkpoint, the log does not know.";
    BatchUnsynced, "batch-unsynced", "A batch is written and queued, its sync is not asked for.";
    SyncUntold, "sync-untold", "A sync is over, whoever asked for it was not told.";
    ActionsUnsent, "actions-unsent", "The replica's thread hears that a step is durable, nothing of it has left.";
    VoteUnsent, "vote-unsent", "The signer's record of a message is durable, the message has not left.";
    SendsBetween, "sends-between", "A message was sent to one of several peers.";
    CommitUntold, "commit-untold", "A block is final and durable, nobody was told.";
    AnswerUnsent, "answer-unsent", "A question is answered, the answer has not left.";
}

impl Point {
    /// Whether a life passes it again and again; the others are passed while it opens.
    pub fn recurs(self) -> bool {
        self > Point::HalfReplayed
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Point {
    type Err = UnknownPoint;

    fn from_str(name: &str) -> Result<Point, UnknownPoint> {
        let found = Point::ALL.iter().find(|point| point.name() == name);
        found.copied().ok_or_else(|| UnknownPoint { name: name.to_owned() })
    }
}

/// There is no such point.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no failpoint {name:?}; there are {}", names())]
pub struct UnknownPoint {
    /// As it was asked for.
    pub name: String,
}

fn names() -> String {
    Point::ALL.iter().map(|point| point.name()).collect::<Vec<_>>().join(", ")
}

/// Told whenever a point is passed, on whatever thread passes it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tripwire(Option<Arc<dyn Fn(Point) + Send + Sync>>);

impl Tripwire {
    /// Nobody is told.
    pub const NONE: Tripwire = Tripwire(None);

    /// Calls `told` at each point.
    pub fn new(told: impl Fn(Point) + Send + Sync + 'static) -> Tripwire {
        Tripwire(Some(Arc::new(told)))
    }

    /// Whether there is anybody to tell.
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// This point is passed now.
    pub fn pass(&self, point: Point) {
        if let Some(told) = &self.0 {
            told(point);
        }
    }
}

impl fmt::Debug for Tripwire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Tripwire(set)" } else { "Tripwire(none)" })
    }
}
