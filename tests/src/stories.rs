//! What the stories share.

use consensus::{catalogue::Module, tendermint::Tendermint};
use ledger::{Genesis, ReplicaId};
use simulator::{
    Fault, Goal, Progress, Promises, checker,
    soak::{Options, Outcome, run_seed},
};

/// Runs one seed of chaos among so many replicas of Tendermint.
///
/// # Panics
/// If a promise is broken: with the whole story, and the command that runs it again.
pub fn survive(replicas: u32, seed: u64) -> Outcome {
    let outcome = run_seed(seed, &Options::new(Tendermint::NAME, replicas), tendermint);
    assert!(
        outcome.holds(),
        "{outcome}\nagain: cargo run --release -- soak --replicas {replicas} --seeds {seed}"
    );
    outcome
}

/// A minute of losses, partitions, cuts, slow disks and wrong calendars, during all of which a third
/// of the replicas is silent. Then they speak, and everybody gets on.
///
/// # Panics
/// If a promise is broken.
pub fn survive_a_silent_third(replicas: u32, seed: u64) {
    let options = Options { faulty: 0, ..Options::new(Tendermint::NAME, replicas) };
    let silent: Vec<_> = (replicas - (replicas - 1) / 3..replicas).map(ReplicaId).collect();
    let mut world = options.world(seed, tendermint);
    silent.iter().for_each(|id| world.apply(&Fault::Silence(*id)));
    world.run_for(options.chaos);
    silent.iter().for_each(|id| world.apply(&Fault::Speak(*id)));
    world.run_for(options.calm);
    let mut promises = Promises::default();
    let (since, within, goal) = (options.chaos, options.calm, Goal::Gain(options.gain));
    promises.progress.push(Progress { since, within, goal });
    let verdict = checker::judge(&world, promises);
    let schedule = &world.setup().schedule;
    assert!(verdict.holds(), "{silent:?} silent, {world:?}: {verdict}\n{schedule}");
}

/// A fresh Tendermint for a replica's life.
///
/// # Panics
/// If the genesis has settings that Tendermint does not know.
pub fn tendermint(genesis: &Genesis) -> Tendermint {
    Module::new(genesis).expect("the settings are good")
}
