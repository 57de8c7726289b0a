use super::*;
use crate::{Tracing, Transfer, network::MILLION};
use crypto::hash::sha256;

/// The hash of the trace of [`busy`] with seed 1, which every machine must find, in debug and in
/// release builds alike.
///
/// It changes whenever replicas do anything differently, or merely say it differently. If that was
/// meant to be, put the hash here that the failing test shows; if not, compare the traces
/// ([`Tracing::Kept`]) before and after to see where they part.
const GOLDEN: &str = "b04c7b6ecde3b1530ec205613ea5bfd0d9b6fca4771c799f91848543a157e7d1";

/// Half a busy minute: a lossy network, a crash, a restart and a transfer.
fn busy(seed: u64, tracing: Tracing) -> World<Tendermint> {
    let mut setup = four(seed);
    setup.network.loss = MILLION / 20;
    setup.tracing = tracing;
    let mut world = world(setup);
    world.run_for(seconds(10));
    world.submit(ALL[1], Transfer { from: 0, to: 1, amount: 10, fee: 1 });
    world.crash(ALL[2]);
    world.run_for(seconds(10));
    world.restart(ALL[2]);
    world.run_for(seconds(10));
    assert_safe(&world);
    world
}

#[test]
fn a_seed_gives_the_same_trace_on_every_machine() {
    let found = busy(1, Tracing::Hashed).trace_hash().to_string();
    assert_eq!(found, GOLDEN, "see GOLDEN for what to do");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 2..5 {
        let (one, other) = (busy(seed, Tracing::Hashed), busy(seed, Tracing::Hashed));
        assert_eq!(one.trace_hash(), other.trace_hash(), "seed {seed}");
        assert_eq!(one.events(), other.events(), "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_runs() {
    let hashes: std::collections::BTreeSet<_> =
        (0..5).map(|seed| busy(seed, Tracing::Hashed).trace_hash()).collect();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn the_trace_hash_is_that_of_the_trace_in_a_file() {
    let world = busy(1, Tracing::Kept);
    let lines = world.record().lines().iter();
    let file: String = lines.map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    assert_eq!(sha256(file.as_bytes()), world.trace_hash());
    assert_eq!(world.trace_hash(), busy(1, Tracing::Hashed).trace_hash());
}

#[test]
fn watching_changes_nothing() {
    let (watched, unwatched) = (busy(6, Tracing::Kept), busy(6, Tracing::Off));
    assert_eq!(watched.events(), unwatched.events());
    assert_eq!(watched.record().sends(), unwatched.record().sends());
    assert_eq!(unwatched.trace_hash(), sha256(b""), "nothing was traced");
}
