//! What the papers say, measured to the nanosecond.

use super::*;
use crate::Fault;
use consensus::tendermint::Config;
use replica::trace::What;

const DELTA: Duration = Duration::from_millis(50);

/// Constant latency, disks that take no time, and no pause: only the protocol's own time passes.
fn ideal(replicas: u32, seed: u64) -> Setup {
    let mut setup = Setup::new(Tendermint::NAME, replicas, seed);
    setup.network.latency = DELTA.into();
    setup.sync_delay = Duration::ZERO.into();
    setup.block_time = Duration::ZERO;
    setup
}

/// Buchman, Kwon, Milosevic (arXiv 1807.04938), Algorithm 1: where the first round decides, its
/// proposer tells n−1 others, and each of n replicas tells n−1 others its prevote and its
/// precommit: (n−1)(2n+1) in all.
#[test]
fn a_height_costs_n_minus_one_times_two_n_plus_one_first_sends() {
    for (n, expected) in [(4, 27), (7, 90), (10, 189), (13, 324)] {
        assert_eq!(expected, (n - 1) * (2 * n + 1), "the table is the formula's");
        let mut world = world(ideal(n as u32, n));
        let everybody: Vec<_> = world.replicas().collect();
        reach(&mut world, &everybody, 30, seconds(60));
        assert_safe(&world);
        for height in 1..30 {
            let kinds = ["proposal", "prevote", "precommit"];
            let first = kinds.map(|kind| world.record().first_sends(height, kind));
            assert_eq!(first.iter().sum::<u64>(), expected, "{first:?} at {height} of {n}");
        }
        let counts = world.counts();
        assert_eq!((counts.resends, counts.relays, counts.transactions), (0, 0, 0), "{counts}");
    }
}

/// Proposal, prevotes, precommits: three hops from the proposal to the first decision, and with
/// constant latency to everybody's.
#[test]
fn a_decision_is_three_hops_after_its_proposal() {
    for n in [4, 7, 10] {
        let mut world = world(ideal(n, 1));
        let everybody: Vec<_> = world.replicas().collect();
        for height in 1..=20 {
            reach(&mut world, &everybody, height, 3 * DELTA);
            assert_eq!(world.now(), 3 * DELTA * height as u32, "height {height} of {n}");
        }
    }
}

/// The time to decide height 1 when the proposers of its first `dead` rounds are down.
fn time_with_dead_proposers(mut setup: Setup, dead: u32) -> Duration {
    // With equal stakes the proposer of height 1, round r is replica r + 1.
    for id in 1..=dead {
        setup.schedule = setup.schedule.at(Duration::ZERO, Fault::Crash(ReplicaId(id)));
    }
    setup.tracing = crate::Tracing::Kept;
    let mut world = world(setup);
    let alive: Vec<_> = world.replicas().filter(|id| !(1..=dead).contains(&id.0)).collect();
    reach(&mut world, &alive, 1, seconds(120));
    assert_safe(&world);
    for round in 0..=dead {
        let expected = format!("1/{round} of proposer {}", round + 1);
        let is_round = |what: &What| matches!(what, What::Note { label, detail } if label == "round" && *detail == expected);
        assert!(world.record().lines().iter().any(|line| is_round(&line.what)), "{expected}");
    }
    world.now()
}

/// SCIENCE S14: each dead proposer costs tPropose + 2δ + tPrecommit of its round, and the living
/// one 3δ. Everybody prevotes nil when tPropose rings, hears a nil polka one hop later (L44), and
/// a quorum of nil precommits another hop later, which arms tPrecommit (L47). None of our deviations
/// touches this: with transactions waiting, or with no pause, nobody rests in round 0.
#[test]
fn a_dead_proposer_costs_its_rounds_timeouts_and_two_hops() {
    let Config { propose, precommit, delta, .. } = Config::default();
    for (n, most) in [(4, 1), (7, 2), (10, 3), (13, 4)] {
        for dead in 0..=most {
            let lost = (0..dead).map(|round| propose + precommit + 2 * round * delta + 2 * DELTA);
            let expected = lost.sum::<Duration>() + 3 * DELTA;
            let found = time_with_dead_proposers(ideal(n, 1), dead);
            println!("n = {n}, {dead} dead proposers: {found:?}");
            assert_eq!(found, expected, "{dead} dead of {n}");
        }
    }
}

/// The same with CometBFT's timers: the very row of SCIENCE S14. (CometBFT itself is quicker, since
/// it skips tPrecommit on a quorum for nil.)
#[test]
fn the_papers_rules_with_cometbfts_timers_take_as_long_as_computed() {
    let row = [150, 4_250, 9_350, 15_450, 22_550];
    for (dead, expected) in (0..).zip(row) {
        let mut setup = ideal(13, 1);
        let timers = [("propose", 3_000), ("prevote", 1_000), ("precommit", 1_000), ("delta", 500)];
        for (name, time) in timers {
            setup.settings.insert(format!("tendermint.{name}_ms"), time);
        }
        let found = time_with_dead_proposers(setup, dead);
        assert_eq!(found, Duration::from_millis(expected), "{dead} dead");
    }
}

/// A waiting transaction is as good as no pause: the rounds of a height that begins with one do not
/// rest.
#[test]
fn with_transactions_waiting_an_idle_chains_pause_does_not_count() {
    let mut setup = ideal(4, 1);
    setup.block_time = seconds(3_600);
    let mut world = world(setup);
    let transfer = crate::Transfer { from: 0, to: 1, amount: 1, fee: 1 };
    // The proposer of height 1.
    world.submit(ALL[1], transfer);
    reach(&mut world, &ALL, 1, seconds(10));
    assert_eq!(world.now(), 3 * DELTA);
}

/// SCIENCE S20: the sequences of CometBFT's weighted round-robin, as the blocks of a chain show
/// them. Height h is decided by the (h+1)th step from zero.
#[test]
fn blocks_are_proposed_in_proportion_to_stake_and_in_the_known_order() {
    for (stakes, sequence) in [
        (vec![1, 3], "babb"),
        (vec![1, 2, 3], "cbacbc"),
        (vec![4, 2, 1, 1], "abacdaba"),
        (vec![5, 1, 1], "aabacaa"),
    ] {
        let mut setup = ideal(stakes.len() as u32, 1);
        setup.stakes = stakes.clone();
        let mut world = world(setup);
        let everybody: Vec<_> = world.replicas().collect();
        let period = sequence.len() as u64;
        reach(&mut world, &everybody, 3 * period, seconds(60));
        assert_safe(&world);
        let ledger = world.ledger(ALL[0]).expect("it is up");
        let proposer = |height| ledger.committed(height).expect("it is final").header.proposer;
        let letter = |height| char::from(b'a' + proposer(height).0 as u8);
        let found: String = (1..=3 * period).map(letter).collect();
        let expected: String = sequence.chars().cycle().skip(1).take(found.len()).collect();
        assert_eq!(found, expected, "stakes {stakes:?}");
    }
}
