//! Carries a scenario out in a simulated world.

use super::{
    Outcome, Scenario,
    client::Client,
    judge::{Facts, Judge},
};
use crate::{
    checker::{Checker, Sight},
    record::Tracing,
    world::World,
};
use consensus::Protocol;
use ledger::Genesis;
use std::time::Duration;

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
    let checker = |promises| Checker::of(&world, promises);
    let mut judge = Judge::new(scenario, module, world.genesis(), checker);
    let mut client = Client::new(scenario.transfers_per_second, seed);
    play(scenario, &mut world, &mut client, &mut judge);
    world.end();
    let facts = Facts {
        seed,
        served: client.served(&world, &judge),
        counts: world.counts(),
        events: world.events(),
        trace_hash: world.trace_hash(),
    };
    (judge.outcome(&Sight::of(&world), facts), world)
}

fn play<P: Protocol>(
    scenario: &Scenario,
    world: &mut World<P>,
    client: &mut Client,
    judge: &mut Judge<'_>,
) {
    let mut beat = BEAT;
    while world.now() < scenario.until {
        let next = beat.min(scenario.until);
        client.play(world, next);
        if next == beat {
            beat += BEAT;
            client.look(world);
            if judge.is_over(&Sight::of(world)) {
                return;
            }
        }
    }
}
