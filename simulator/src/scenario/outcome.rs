//! What came of a scenario, and whether it is what was expected.

use super::{Agreement, Confirmed, Scenario};
use crate::{
    Counts,
    checker::{Blame, Violation},
    span,
};
use crypto::Hash;
use ledger::ReplicaId;
use std::{fmt, ops::Range, time::Duration};

/// What came of one module and one seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The module.
    pub module: String,
    /// The seed.
    pub seed: u64,
    /// Every promise of safety that honest replicas broke, whatever was expected.
    pub broken: Vec<Violation>,
    /// Who is to blame where honest replicas hold different final blocks, and what proves it.
    pub blame: Vec<Blame>,
    /// Whether every honest replica that was up got on in the last third of the run.
    pub live: bool,
    /// What was expected of every seed and did not come true in this one.
    pub unmet: Vec<Unmet>,
    /// The lowest height that an honest replica holds final which was up in the end; adopted, where
    /// blocks are final by depth.
    pub height: u64,
    /// How long transfers took.
    pub latencies: Latencies,
    /// What was sent.
    pub counts: Counts,
    /// When the run ended.
    pub ended: Duration,
    /// How many events were handled.
    pub events: u64,
    /// See [`Record::trace_hash`](crate::Record::trace_hash).
    pub trace_hash: Hash,
}

/// How long the transfers of the load took, from their submission until they were final, or deep
/// enough to be counted on: at the replica that took them, in virtual time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Latencies {
    /// How many there were.
    pub submitted: usize,
    /// Of those that were settled, in rising order.
    pub settled: Vec<Duration>,
}

/// An expectation that did not come true.
#[derive(Clone, PartialEq, Debug)]
pub enum Unmet {
    /// A promise was broken.
    Broken(Box<Violation>),
    /// Somebody did not come far enough.
    TooLow {
        /// How far everybody was to come.
        wanted: u64,
        /// Who did not, and how far it came.
        heights: Vec<(ReplicaId, u64)>,
    },
    /// Somebody got on when nobody should.
    GotOn {
        /// When.
        during: Range<Duration>,
        /// Who.
        replica: ReplicaId,
        /// Its height in the beginning and in the end.
        heights: (u64, u64),
    },
    /// Transfers took too long.
    TooSlow {
        /// How long they were to take at most.
        within: Duration,
        /// How many took longer.
        late: usize,
        /// How many there were.
        of: usize,
    },
    /// No seed broke agreement.
    NeverBroken,
    /// No seed took back what was counted on.
    NeverReverted,
}

impl Outcome {
    /// Whether no honest replica broke a promise of safety.
    pub fn is_safe(&self) -> bool {
        self.broken.is_empty()
    }

    /// Whether honest replicas hold different final blocks, or one took its own back.
    pub fn is_split(&self) -> bool {
        self.broken.iter().any(is_split)
    }

    /// Whether an honest replica took back what was deep enough to be counted on.
    pub fn has_reverted(&self) -> bool {
        self.broken.iter().any(|each| matches!(each, Violation::Reverted(_)))
    }
}

pub(super) fn is_split(violation: &Violation) -> bool {
    matches!(violation, Violation::Disagreement { .. } | Violation::TakenBack { .. })
}

impl Latencies {
    /// The nearest-rank percentile of those that were settled.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let rank = (self.settled.len() * percent).div_ceil(100);
        self.settled.get(rank.max(1) - 1).copied()
    }
}

/// What is expected of some seed of a module, and came true in none of these. What is expected of
/// every seed is in [`Outcome::unmet`].
pub fn judge(scenario: &Scenario, module: &str, outcomes: &[Outcome]) -> Vec<Unmet> {
    let expect = scenario.expect(module);
    let mut unmet = Vec::new();
    if expect.agreement == Agreement::Broken && !outcomes.iter().any(Outcome::is_split) {
        unmet.push(Unmet::NeverBroken);
    }
    if expect.confirmed == Confirmed::Reverted && !outcomes.iter().any(Outcome::has_reverted) {
        unmet.push(Unmet::NeverReverted);
    }
    unmet
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unmet::Broken(violation) => write!(f, "{violation}"),
            Unmet::TooLow { wanted, heights } => {
                write!(f, "height: all who are up were to reach {wanted}")?;
                if heights.is_empty() {
                    write!(f, ", and nobody is up")?;
                }
                heights.iter().try_for_each(|(id, at)| write!(f, ", replica {id} is at {at}"))
            }
            Unmet::GotOn { during, replica, heights: (before, after) } => {
                let [from, to] = [during.start, during.end].map(span::show);
                write!(
                    f,
                    "no_progress: nobody was to get on from {from} to {to}, and replica {replica} \
                     came from height {before} to {after}"
                )
            }
            Unmet::TooSlow { within, late, of } => write!(
                f,
                "final_within: {late} of {of} transfers were not final within {}",
                span::show(*within)
            ),
            Unmet::NeverBroken => {
                write!(f, "agreement: it was expected to break, and held in every seed")
            }
            Unmet::NeverReverted => {
                write!(f, "confirmed: no seed took back what was deep enough to be counted on")
            }
        }
    }
}
