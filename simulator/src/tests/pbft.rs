//! Stories of whole replicas that number batches: PBFT.

mod crashes;
mod faultless;
mod science;
mod soak;

use super::*;
use crate::{Fault, Goal, Progress, Promises, Transfer, checker};
use consensus::pbft::Pbft;

/// How long a message takes where that is constant.
const DELTA: Duration = Duration::from_millis(50);

/// So many replicas without faults.
fn pbft(replicas: u32, seed: u64) -> Setup {
    Setup::new(Pbft::NAME, replicas, seed)
}

/// Constant latency, disks that take no time, and no pause: only the protocol's own time passes.
fn ideal(replicas: u32, seed: u64) -> Setup {
    let mut setup = pbft(replicas, seed);
    setup.network.latency = DELTA.into();
    setup.sync_delay = Duration::ZERO.into();
    setup.block_time = Duration::ZERO;
    setup
}

fn ordering(setup: Setup) -> World<Pbft> {
    World::new(setup, |genesis| Module::new(genesis).expect("the settings are good"))
}

/// With one setting more.
fn with(mut setup: Setup, key: &str, value: u64) -> Setup {
    setup.settings.insert(key.into(), value);
    setup
}

fn everybody(world: &World<Pbft>) -> Vec<ReplicaId> {
    world.replicas().collect()
}

/// A transfer between two of the four funded accounts.
fn transfer(number: u32) -> Transfer {
    Transfer { from: number % 4, to: (number + 1) % 4, amount: 1, fee: 1 }
}

/// No promise was broken, and whoever is up has gained so many heights since `since`.
fn assert_promises(world: &World<Pbft>, since: Duration, heights: u64) {
    let within = world.now() - since;
    let progress = vec![Progress { since, within, goal: Goal::Gain(heights) }];
    let verdict = checker::judge(world, Promises { progress, ..Promises::default() });
    assert!(verdict.holds(), "{verdict} {world:?}");
}

fn crash(setup: &mut Setup, id: u32, time: Duration) {
    setup.schedule = setup.schedule.clone().at(time, Fault::Crash(ReplicaId(id)));
}
