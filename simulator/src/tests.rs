//! Stories of whole replicas: of Tendermint, in `mining` of proof-of-work, and in `pbft` of PBFT.
//! Whoever fails tells its seed.

mod adversary;
mod attendance;
mod committees;
mod conditions;
mod crashes;
mod faultless;
mod faults;
mod lies;
mod mining;
mod money;
mod mutants;
mod pbft;
mod recovery;
mod repeatable;
mod schedules;
mod science;
mod soak;
mod stragglers;
mod wire;

use crate::{Setup, World};
use consensus::{Protocol, catalogue::Module, tendermint::Tendermint};
use ledger::ReplicaId;
use std::time::Duration;

const ALL: [ReplicaId; 4] = [ReplicaId(0), ReplicaId(1), ReplicaId(2), ReplicaId(3)];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Four replicas without faults.
fn four(seed: u64) -> Setup {
    Setup::new(Tendermint::NAME, 4, seed)
}

fn world(setup: Setup) -> World<Tendermint> {
    World::new(setup, |genesis| Module::new(genesis).expect("the settings are good"))
}

/// Runs until each of `ids` has decided up to `height`.
fn reach<P: Protocol>(world: &mut World<P>, ids: &[ReplicaId], height: u64, limit: Duration) {
    let reached = world.run_until(|world| ids.iter().all(|id| world.height(*id) >= height), limit);
    assert!(reached, "height {height} is not reached within {limit:?}: {world:?}");
}

/// Nobody has decided what another decided otherwise, nor signed two values in a slot, nor sent
/// what could not be read, nor stopped.
fn assert_safe<P: Protocol>(world: &World<P>) {
    let mut chain = std::collections::BTreeMap::new();
    for id in world.replicas() {
        for (height, block) in world.decided(id) {
            let first = *chain.entry(*height).or_insert(*block);
            assert_eq!(first, *block, "replica {id} disagrees at height {height}: {world:?}");
        }
        assert_eq!(world.record().halted(id), None, "{world:?}");
    }
    let equivocations = world.record().equivocations();
    assert!(equivocations.is_empty(), "{equivocations:?} {world:?}");
    assert!(world.record().refused().is_empty(), "{:?} {world:?}", world.record().refused());
}
