//! Carries a scenario out in a simulated world.

use super::{
    Agreement, Confirmed, Expect, Latencies, Outcome, Scenario, Unmet,
    client::{Client, Served},
    outcome::is_split,
};
use crate::{
    checker::{
        Checker, Promises, Sight, Together, Verdict, Violation,
        progress::{born, height},
    },
    record::Tracing,
    world::World,
};
use consensus::{
    Protocol,
    catalogue::{self, Depths},
};
use ledger::{Genesis, ReplicaId};
use std::{ops::Range, time::Duration};

/// How often one looks whether it is over.
const BEAT: Duration = Duration::from_secs(1);

/// Runs one seed of one module to its end and judges it. The world is returned beside what came of
/// it, for those who kept its trace.
///
/// It follows from the arguments alone, but for `tracing`, on which nothing depends but the trace.
///
/// # Panics
/// If the scenario does not name the module, or a replica panics: the seed is the caller's to tell.
pub fn run<P: Protocol>(
    scenario: &Scenario,
    module: &str,
    seed: u64,
    tracing: Tracing,
    make: impl Fn(&Genesis) -> P + 'static,
) -> (Outcome, World<P>) {
    let mut world = World::new(scenario.setup(module, seed, tracing), make);
    let mut run = Run::new(scenario, module, &world);
    run.play(&mut world);
    world.end();
    (run.outcome(&world, module), world)
}

struct Run<'a> {
    scenario: &'a Scenario,
    expect: &'a Expect,
    depths: Option<Depths>,
    client: Client,
    checker: Checker,
}

impl<'a> Run<'a> {
    fn new<P: Protocol>(scenario: &'a Scenario, module: &str, world: &World<P>) -> Run<'a> {
        let depths = catalogue::depths(world.genesis()).ok().flatten();
        let expect = scenario.expect(module);
        let but = depths.map_or(0, |depths| depths.confirmations);
        let promises = Promises {
            progress: expect.progress.clone(),
            together: expect.one_chain.map(|since| Together { since, but }),
            ..Promises::default()
        };
        let client = Client::new(scenario.transfers_per_second, world.setup().seed);
        Run { scenario, expect, depths, client, checker: Checker::of(world, promises) }
    }

    fn play<P: Protocol>(&mut self, world: &mut World<P>) {
        let until = self.scenario.until;
        let mut beat = BEAT;
        while world.now() < until {
            let next = beat.min(until);
            self.client.play(world, next);
            if next == beat {
                beat += BEAT;
                self.client.look(world);
                if self.is_over(world) {
                    return;
                }
            }
        }
    }

    /// Whether everything that is expected has come, and nothing more happens.
    fn is_over<P: Protocol>(&mut self, world: &World<P>) -> bool {
        let Expect { agreement, confirmed, height, final_within, .. } = self.expect;
        let breaks = *agreement == Agreement::Broken;
        let reverts = *confirmed == Confirmed::Reverted;
        let ripe = self.expect.ripe();
        let has_goal = ripe.is_some() || height.is_some() || breaks || reverts;
        let calm = self.scenario.calm().max(ripe.unwrap_or_default());
        if !has_goal || final_within.is_some() || world.now() < calm {
            return false;
        }
        height.is_none_or(|wanted| self.low(world, wanted).is_empty())
            && (!reverts || !world.record().reversions().is_empty())
            && (!breaks || self.look(world).violations.iter().any(is_split))
    }

    fn look<P: Protocol>(&mut self, world: &World<P>) -> Verdict {
        self.checker.look(&Sight::of(world))
    }

    /// Who is up, honest, and below a height.
    fn low<P: Protocol>(&self, world: &World<P>, wanted: u64) -> Vec<(ReplicaId, u64)> {
        let heights = live(world).map(|id| (id, height(world.record(), id, world.now())));
        heights.filter(|(_, height)| *height < wanted).collect()
    }

    fn outcome<P: Protocol>(&mut self, world: &World<P>, module: &str) -> Outcome {
        let verdict = self.look(world);
        let served = self.client.served(world, self.depths);
        let mut settled: Vec<_> = served
            .iter()
            .filter_map(|Served { submitted, settled }| Some((*settled)? - *submitted))
            .collect();
        settled.sort();
        let is_late =
            |each: &Violation| matches!(each, Violation::Stalled { .. } | Violation::Apart { .. });
        let unmet = self.unmet(world, &verdict, &served);
        let blame = verdict.blame;
        let broken = verdict.violations.into_iter().filter(|each| !is_late(each)).collect();
        let heights = live(world).map(|id| height(world.record(), id, world.now()));
        Outcome {
            module: module.to_owned(),
            seed: world.setup().seed,
            broken,
            blame,
            live: is_live(world),
            unmet,
            height: heights.min().unwrap_or(0),
            latencies: Latencies { submitted: served.len(), settled },
            counts: world.counts(),
            ended: world.now(),
            events: world.events(),
            trace_hash: world.trace_hash(),
        }
    }

    fn unmet<P: Protocol>(
        &self,
        world: &World<P>,
        verdict: &Verdict,
        served: &[Served],
    ) -> Vec<Unmet> {
        let counts = |each: &&Violation| match each {
            Violation::Stalled { .. } | Violation::Apart { .. } => true,
            Violation::Reverted(_) => self.expect.confirmed == Confirmed::Kept,
            _ => self.expect.agreement == Agreement::Always,
        };
        let broken = verdict.violations.iter().filter(counts);
        let mut unmet: Vec<_> = broken.cloned().map(Box::new).map(Unmet::Broken).collect();
        if let Some(wanted) = self.expect.height {
            let heights = self.low(world, wanted);
            if !heights.is_empty() || live(world).next().is_none() {
                unmet.push(Unmet::TooLow { wanted, heights });
            }
        }
        unmet.extend(self.expect.no_progress.iter().filter_map(|during| got_on(world, during)));
        unmet.extend(self.expect.final_within.and_then(|within| {
            let due = served.iter().filter(|each| each.submitted + within <= world.now());
            let late = |each: &&Served| {
                each.settled.is_none_or(|settled| settled > each.submitted + within)
            };
            let (of, late) = (due.clone().count(), due.filter(late).count());
            (late > 0).then_some(Unmet::TooSlow { within, late, of })
        }));
        unmet
    }
}

/// The honest who are up.
fn live<P: Protocol>(world: &World<P>) -> impl Iterator<Item = ReplicaId> {
    honest(world).filter(|id| world.is_up(*id))
}

fn honest<P: Protocol>(world: &World<P>) -> impl Iterator<Item = ReplicaId> {
    world.replicas().filter(|id| !world.setup().byzantine.contains_key(id))
}

/// Whether all who were up got on in the last third of the time.
fn is_live<P: Protocol>(world: &World<P>) -> bool {
    let (since, record) = (world.now() * 2 / 3, world.record());
    let ids: Vec<_> = live(world).filter(|id| born(record, *id) <= since).collect();
    let got_on = |id: &ReplicaId| height(record, *id, world.now()) > height(record, *id, since);
    !ids.is_empty() && ids.iter().all(got_on)
}

fn got_on<P: Protocol>(world: &World<P>, during: &Range<Duration>) -> Option<Unmet> {
    let got_on = honest(world).filter_map(|replica| {
        let at = |time| height(world.record(), replica, time);
        let heights = (at(during.start), at(during.end));
        let during = during.clone();
        (heights.1 > heights.0).then_some(Unmet::GotOn { during, replica, heights })
    });
    got_on.take(1).next()
}
