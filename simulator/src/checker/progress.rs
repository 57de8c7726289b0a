//! Whether everybody who could get on did.

use super::{Sight, Standing, Violation};
use crate::record::{Milestone, Record};
use ledger::ReplicaId;
use serde::Serialize;
use std::{collections::BTreeSet, fmt, time::Duration};

/// The world is calm from some time on; then everybody who is up gets on within a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Progress {
    /// From when on it is calm, in virtual time.
    pub since: Duration,
    /// How long they have.
    pub within: Duration,
    /// How far they are to come.
    pub goal: Goal,
}

/// How far replicas are to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// To this height.
    Reach(u64),
    /// This many heights further than they were.
    Gain(u64),
}

impl Progress {
    /// Says so if somebody is behind. Nothing is said before the time is over, nor of the faulty,
    /// the dead, and those who rose after it had become calm.
    pub(super) fn judge(
        self,
        sight: &Sight<'_>,
        faulty: &BTreeSet<ReplicaId>,
    ) -> Option<Violation> {
        let until = self.since + self.within;
        if sight.now < until {
            return None;
        }
        let live = sight.live().map(|(id, _)| id);
        let live = live.filter(|id| !faulty.contains(id) && born(sight.record, *id) <= self.since);
        let standings: Vec<_> = live.map(|id| self.standing(sight.record, id, until)).collect();
        let behind = standings.iter().any(|standing| standing.behind);
        behind.then_some(Violation::Stalled { promise: self, standings })
    }

    fn standing(self, record: &Record, replica: ReplicaId, until: Duration) -> Standing {
        let [before, after] = [self.since, until].map(|at| height(record, replica, at));
        let goal = match self.goal {
            Goal::Reach(height) => height,
            Goal::Gain(heights) => before + heights,
        };
        Standing { replica, before, after, behind: after < goal }
    }
}

/// When a replica's present life began.
pub(crate) fn born(record: &Record, id: ReplicaId) -> Duration {
    let lives = record.history(id).iter().rev();
    let lives = lives.filter_map(|milestone| match milestone {
        Milestone::Woke { at, .. } => Some(*at),
        Milestone::Final(_) => None,
    });
    lives.take(1).next().unwrap_or(Duration::ZERO)
}

/// The height of what a replica had adopted at a time; where nothing is adopted that is not final,
/// the greatest that it held final, as far as anybody could know.
pub(crate) fn height(record: &Record, id: ReplicaId, time: Duration) -> u64 {
    if let Some(height) = record.adopted_height(id, time) {
        return height;
    }
    let commits = record.history(id).iter().filter_map(Milestone::commit);
    let by_then = commits.filter(|commit| commit.at <= time);
    by_then.map(|commit| commit.height).max().unwrap_or(0)
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Progress { since, within, goal } = self;
        match goal {
            Goal::Reach(height) => write!(f, "everybody was to reach height {height}")?,
            Goal::Gain(heights) => write!(f, "everybody was to gain {heights} heights")?,
        }
        write!(f, " within {within:?} of {since:?}")
    }
}
