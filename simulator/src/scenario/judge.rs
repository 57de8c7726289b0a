//! Judges a run of a scenario by what was seen of it, whichever world it took place in.

use super::{Agreement, Confirmed, Expect, Latencies, Outcome, Scenario, Unmet, outcome::is_split};
use crate::{
    Counts,
    checker::{
        Checker, Promises, Sight, Together, Verdict, Violation,
        progress::{born, height},
    },
    record::{Milestone, Record},
};
use consensus::catalogue::{self, Depths};
use crypto::Hash;
use ledger::{Genesis, ReplicaId, TransactionId};
use std::{collections::BTreeMap, ops::Range, time::Duration};

/// Judges one run of one module.
#[derive(Debug)]
pub struct Judge<'a> {
    scenario: &'a Scenario,
    module: String,
    expect: &'a Expect,
    depths: Option<Depths>,
    checker: Checker,
}

/// What a judge cannot see in a record.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The seed.
    pub seed: u64,
    /// How long each transfer took.
    pub served: Vec<Served>,
    /// What was sent.
    pub counts: Counts,
    /// How many events were handled.
    pub events: u64,
    /// A hash over the trace.
    pub trace_hash: Hash,
}

/// How long one transfer took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// When somebody wanted it, since the beginning.
    pub submitted: Duration,
    /// When whoever took it showed it as final, or deep enough to be counted on.
    pub settled: Option<Duration>,
}

impl<'a> Judge<'a> {
    /// For a run that begins. `checker` makes a [`Checker`] of what is promised.
    pub fn new(
        scenario: &'a Scenario,
        module: &str,
        genesis: &Genesis,
        checker: impl FnOnce(Promises) -> Checker,
    ) -> Judge<'a> {
        // A module that the catalogue does not know is a test's, and final at once.
        let depths = catalogue::depths(genesis).ok().flatten();
        let expect = scenario.expect(module);
        let but = depths.map_or(0, |depths| depths.confirmations);
        let promises = Promises {
            faulty: scenario.faulty(),
            progress: expect.progress.clone(),
            together: expect.one_chain.map(|since| Together { since, but }),
            ..Promises::default()
        };
        let checker = checker(promises);
        Judge { scenario, module: module.to_owned(), expect, depths, checker }
    }

    /// Whether everything that is expected has come, and nothing more happens.
    pub fn is_over(&mut self, sight: &Sight<'_>) -> bool {
        let Expect { agreement, confirmed, height, .. } = self.expect;
        let reverts = *confirmed == Confirmed::Reverted;
        self.scenario.is_ripe(&self.module, sight.now)
            && height.is_none_or(|wanted| self.low(sight, wanted).is_empty())
            && (!reverts || !sight.record.reversions().is_empty())
            && (*agreement != Agreement::Broken
                || self.checker.look(sight).violations.iter().any(is_split))
    }

    /// What came of the run, which is over.
    pub fn outcome(&mut self, sight: &Sight<'_>, facts: Facts) -> Outcome {
        let verdict = self.checker.look(sight);
        let Facts { seed, served, counts, events, trace_hash } = facts;
        let taken = |each: &Served| Some(each.settled?.saturating_sub(each.submitted));
        let mut settled: Vec<_> = served.iter().filter_map(taken).collect();
        settled.sort();
        let is_late =
            |each: &Violation| matches!(each, Violation::Stalled { .. } | Violation::Apart { .. });
        let unmet = self.unmet(sight, &verdict, &served);
        let blame = verdict.blame;
        let broken = verdict.violations.into_iter().filter(|each| !is_late(each)).collect();
        let heights = self.live(sight).map(|id| height(sight.record, id, sight.now));
        Outcome {
            module: self.module.clone(),
            seed,
            broken,
            blame,
            live: self.is_live(sight),
            unmet,
            height: heights.min().unwrap_or(0),
            latencies: Latencies { submitted: served.len(), settled },
            counts,
            ended: sight.now,
            events,
            trace_hash,
        }
    }

    /// When a replica showed each transaction as final, or deep enough to be counted on.
    pub fn settlements(
        &self,
        sight: &Sight<'_>,
        by: ReplicaId,
    ) -> BTreeMap<TransactionId, Duration> {
        match self.depths {
            None => finals(sight.record, by),
            Some(depths) => confirmed(sight, by, depths),
        }
    }

    /// Who is up, honest, and below a height.
    fn low(&self, sight: &Sight<'_>, wanted: u64) -> Vec<(ReplicaId, u64)> {
        let heights = self.live(sight).map(|id| (id, height(sight.record, id, sight.now)));
        heights.filter(|(_, height)| *height < wanted).collect()
    }

    fn unmet(&self, sight: &Sight<'_>, verdict: &Verdict, served: &[Served]) -> Vec<Unmet> {
        let counts = |each: &&Violation| match each {
            Violation::Stalled { .. } | Violation::Apart { .. } => true,
            Violation::Reverted(_) => self.expect.confirmed == Confirmed::Kept,
            _ => self.expect.agreement == Agreement::Always,
        };
        let broken = verdict.violations.iter().filter(counts);
        let mut unmet: Vec<_> = broken.cloned().map(Box::new).map(Unmet::Broken).collect();
        if let Some(wanted) = self.expect.height {
            let heights = self.low(sight, wanted);
            if !heights.is_empty() || self.live(sight).next().is_none() {
                unmet.push(Unmet::TooLow { wanted, heights });
            }
        }
        unmet
            .extend(self.expect.no_progress.iter().filter_map(|during| self.got_on(sight, during)));
        unmet.extend(self.expect.final_within.and_then(|within| {
            let due = served.iter().filter(|each| each.submitted + within <= sight.now);
            let late = |each: &&Served| {
                each.settled.is_none_or(|settled| settled > each.submitted + within)
            };
            let (of, late) = (due.clone().count(), due.filter(late).count());
            (late > 0).then_some(Unmet::TooSlow { within, late, of })
        }));
        unmet
    }

    fn got_on(&self, sight: &Sight<'_>, during: &Range<Duration>) -> Option<Unmet> {
        let got_on = self.honest().filter_map(|replica| {
            let at = |time| height(sight.record, replica, time);
            let heights = (at(during.start), at(during.end));
            let during = during.clone();
            (heights.1 > heights.0).then_some(Unmet::GotOn { during, replica, heights })
        });
        got_on.take(1).next()
    }

    /// Whether all who were up got on in the last third of the time.
    fn is_live(&self, sight: &Sight<'_>) -> bool {
        let (since, record) = (sight.now * 2 / 3, sight.record);
        let ids: Vec<_> = self.live(sight).filter(|id| born(record, *id) <= since).collect();
        let got_on = |id: &ReplicaId| height(record, *id, sight.now) > height(record, *id, since);
        !ids.is_empty() && ids.iter().all(got_on)
    }

    /// The honest who are up, and have never lost a disk.
    fn live(&self, sight: &Sight<'_>) -> impl Iterator<Item = ReplicaId> {
        let is_up = |id: &ReplicaId| sight.ledgers.get(id.0 as usize).is_some_and(Option::is_some);
        self.honest().filter(is_up)
    }

    fn honest(&self) -> impl Iterator<Item = ReplicaId> {
        let faulty = self.scenario.faulty();
        let ids = (0..self.scenario.replicas).map(ReplicaId);
        ids.filter(move |id| !faulty.contains(id))
    }
}

fn finals(record: &Record, by: ReplicaId) -> BTreeMap<TransactionId, Duration> {
    let mut settled = BTreeMap::new();
    for commit in record.history(by).iter().filter_map(Milestone::commit) {
        for transaction in record.block(commit.block).iter().flat_map(|body| &body.transactions) {
            settled.entry(transaction.id()).or_insert(commit.at);
        }
    }
    settled
}

fn confirmed(
    sight: &Sight<'_>,
    by: ReplicaId,
    Depths { confirmations, .. }: Depths,
) -> BTreeMap<TransactionId, Duration> {
    let (mut settled, record) = (BTreeMap::new(), sight.record);
    let ledger = sight.ledgers.get(by.0 as usize).copied().flatten();
    let Some(ledger) = ledger else { return settled };
    let found: BTreeMap<_, _> = record.finds().iter().map(|find| (find.block, find.at)).collect();
    for height in 1..=(ledger.head_height() + 1).saturating_sub(confirmations) {
        let (Some(body), Some(top)) =
            (ledger.adopted(height), ledger.adopted(height + confirmations - 1))
        else {
            continue;
        };
        // Before that block was found this branch was not as deep, whatever another one was.
        let since = found.get(&top.hash()).copied().unwrap_or_default();
        let when = record.adopted_since(by, top.header.height, since);
        for transaction in &body.transactions {
            settled.extend(when.map(|when| (transaction.id(), when)));
        }
    }
    settled
}
