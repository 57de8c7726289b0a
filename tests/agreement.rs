//! Whatever goes wrong for a while, nobody disagrees, and once it is over everybody gets on.
//!
//! Each seed makes up its own minute of chaos: up to a third of the replicas silent or crashing
//! and losing what was not synced, one parcel in twenty lost, partitions, one-way cuts, slow disks,
//! wrong calendars. The checker then judges every block, vote and balance. These are a twentieth
//! of the seeds that `cargo run --release -- soak --seeds 0..1000` runs.

use tests::{survive, survive_a_silent_third};

#[test]
fn four_replicas_survive_a_minute_of_chaos() {
    (0..50).for_each(|seed| drop(survive(4, seed)));
}

#[test]
fn seven_replicas_survive_a_minute_of_chaos() {
    (0..20).for_each(|seed| drop(survive(7, seed)));
}

#[test]
fn ten_replicas_survive_a_minute_of_chaos() {
    (0..10).for_each(|seed| drop(survive(10, seed)));
}

#[test]
fn a_third_may_be_silent_all_the_while() {
    for replicas in [4, 7, 10] {
        (0..5).for_each(|seed| survive_a_silent_third(replicas, seed));
    }
}

#[test]
fn an_outcome_does_not_depend_on_the_thread_that_finds_it() {
    let here: Vec<_> = (0..4).map(|seed| survive(4, seed).trace_hash).collect();
    let threads: Vec<_> =
        (0..4).map(|seed| std::thread::spawn(move || survive(4, seed).trace_hash)).collect();
    let there: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(here, there);
}
