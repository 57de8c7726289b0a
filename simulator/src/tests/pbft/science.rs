//! What the papers say, measured to the nanosecond and to the message.

use super::*;
use consensus::pbft::Config;
use replica::trace::What;

/// Castro, Liskov (OSDI 1999), §4.2, of all n replicas: the primary tells n−1 others its
/// pre-prepare, each of n−1 backups tells n−1 others its prepare, and each of n its commit. That is
/// 2n(n−1). Checkpoints are n(n−1) more for each K numbers.
#[test]
fn a_batch_costs_2n_times_n_minus_1_first_sends_and_its_share_of_checkpoints() {
    for (n, expected) in [(4, 24), (7, 84), (10, 180), (31, 1860)] {
        assert_eq!(expected, 2 * n * (n - 1), "the table is the formula's");
        for interval in [1, 4] {
            let setup = with(ideal(n as u32, n), "pbft.checkpoint", interval);
            let mut world = ordering(setup);
            let last = if n > 10 { 12 } else { 30 };
            let everybody = everybody(&world);
            reach(&mut world, &everybody, last, seconds(60));
            assert_safe(&world);
            let first = |number, kind| world.record().first_sends(number, kind);
            for number in 1..last {
                let kinds = ["pre-prepare", "prepare", "commit"].map(|kind| first(number, kind));
                assert_eq!(kinds, [n - 1, (n - 1) * (n - 1), n * (n - 1)], "{number} of {n}");
                assert_eq!(kinds.iter().sum::<u64>(), expected, "{number} of {n}");
                let due = number % interval == 0;
                let checkpoints = if due { n * (n - 1) } else { 0 };
                assert_eq!(first(number, "checkpoint"), checkpoints, "{number} of {n}");
            }
            let counts = world.counts();
            assert_eq!((counts.resends, counts.relays, counts.sync), (0, 0, 0), "{counts}");
        }
    }
}

/// Pre-prepare, prepares, commits: three hops from the proposal to the first decision, and with
/// constant latency to everybody's. Checkpoints delay nothing.
#[test]
fn a_decision_is_three_hops_after_its_pre_prepare() {
    for n in [4, 7, 10] {
        let mut world = ordering(ideal(n, 1));
        let everybody = everybody(&world);
        for height in 1..=20 {
            reach(&mut world, &everybody, height, 3 * DELTA);
            assert_eq!(world.now(), 3 * DELTA * height as u32, "height {height} of {n}");
        }
    }
}

/// How long after the backups know a request it is executed, where the primaries of the first
/// `dead` views are down, with the views that began.
fn time_with_dead_primaries(n: u32, dead: u32) -> Duration {
    let mut setup = ideal(n, 1);
    // Without a request nobody would miss a primary for that long.
    setup.block_time = seconds(3_600);
    setup.tracing = crate::Tracing::Kept;
    (0..dead).for_each(|id| crash(&mut setup, id, Duration::ZERO));
    let mut world = ordering(setup);
    world.run_for(seconds(1));
    let alive: Vec<_> = world.replicas().filter(|id| id.0 >= dead).collect();
    let name = world.submit(alive[0], transfer(0)).1;
    // Each of the living knows it before the clock starts: it is gossiped within a hop, and until
    // then the first of them alone is a hop ahead.
    let knows = world.now() + DELTA;
    reach(&mut world, &alive, 1, seconds(300));
    assert_safe(&world);
    let found = world.now() - knows;
    let ledger = world.ledger(alive[0]).expect("it is up");
    assert_eq!(ledger.locate(name), Some((1, 0)));
    let begins = |line: &What| {
        matches!(line, What::Note { label, detail }
            if label == "view" && detail.starts_with(&format!("{dead} of primary {dead}")))
    };
    assert!(dead == 0 || world.record().lines().iter().any(|line| begins(&line.what)));
    found
}

/// SCIENCE S14: T₀(2^k−1)+(k+3)δ. Each dead primary costs a timeout, twice the last one, and the hop
/// in which its backups tell each other; the living one a hop for its NEW-VIEW, with which its
/// PRE-PREPARE comes, and two for prepares and commits.
#[test]
fn k_dead_primaries_cost_t_times_2_to_the_k_minus_1_and_k_plus_3_hops() {
    let timeout = Config::default().timeout;
    for (n, most) in [(4, 1), (7, 2), (10, 3)] {
        for dead in 1..=most {
            let expected = timeout * (2_u32.pow(dead) - 1) + (dead + 3) * DELTA;
            let found = time_with_dead_primaries(n, dead);
            println!("n = {n}, {dead} dead primaries: {found:?}, expected {expected:?}");
            assert_eq!(found, expected, "{dead} dead of {n}");
        }
    }
}

/// SCIENCE S8: where n is not 3f+1, 2f+1 would be too few; n−f are enough to go on, and one less is not.
#[test]
fn every_size_goes_on_with_f_down_and_stops_with_one_more_than_a_quorum_spares() {
    for n in [4_u32, 5, 6, 7, 8, 9, 10] {
        let f = (n - 1) / 3;
        let quorum = (n + f + 1).div_ceil(2);
        let with_down = |down: u32| {
            let mut setup = ideal(n, 1);
            // The last ones, so that no primary is among them.
            (n - down..n).for_each(|id| crash(&mut setup, id, Duration::ZERO));
            let mut world = ordering(setup);
            world.run_for(seconds(20));
            assert_safe(&world);
            (0..n - down).map(|id| world.height(ReplicaId(id))).min()
        };
        assert!(with_down(f) > Some(50), "{f} down of {n}");
        assert_eq!(with_down(n - quorum + 1), Some(0), "{} up of {n}", quorum - 1);
    }
}
