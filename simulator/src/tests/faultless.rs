use super::*;
use replica::Class;

#[test]
fn four_replicas_decide_the_same_twenty_heights() {
    let mut world = world(four(1));
    reach(&mut world, &ALL, 20, seconds(60));
    assert_safe(&world);
    for id in ALL {
        let heights: Vec<u64> = world.decided(id).keys().copied().collect();
        assert!(heights.iter().copied().eq(1..=world.height(id)), "replica {id}: {heights:?}");
    }
}

/// Buchman, Kwon, Milosevic (arXiv 1807.04938), Algorithm 1: where the first round decides, its
/// proposer tells n−1 others, and each of n replicas tells n−1 others its prevote and its
/// precommit: (n−1)(2n+1) in all.
#[test]
fn a_height_costs_what_the_paper_says() {
    for n in [1, 2, 4, 7, 10] {
        let mut setup = Setup::new(Tendermint::NAME, n, 2);
        // Two slow hops are quicker than three fast ones, or else a replica could see a decision
        // before the polka, and would then not precommit any more.
        setup.network.latency = (Duration::from_millis(45)..Duration::from_millis(60)).into();
        let mut world = world(setup);
        let everybody: Vec<_> = world.replicas().collect();
        reach(&mut world, &everybody, 20, seconds(60));
        assert_safe(&world);
        let n = u64::from(n);
        for height in 1..20 {
            let first = |kind| world.record().first_sends(height, kind);
            assert_eq!(first("proposal"), n - 1, "proposals at height {height} of {n}");
            assert_eq!(first("prevote"), n * (n - 1), "prevotes at height {height} of {n}");
            assert_eq!(first("precommit"), n * (n - 1), "precommits at height {height} of {n}");
        }
        let again = |(class, _): &&_| matches!(class, Class::Resend | Class::Relay | Class::Sync);
        let again: Vec<_> = world.record().sends().keys().filter(again).collect();
        assert!(again.is_empty(), "without faults nothing is sent again: {again:?}");
    }
}

/// The pause of an idle chain, and three hops: proposal, prevotes, precommits. Each is preceded by
/// a sync.
#[test]
fn an_idle_height_takes_the_block_time_and_three_hops() {
    let mut setup = four(3);
    let hop = Duration::from_millis(50);
    setup.network.latency = hop.into();
    let mut world = world(setup);
    reach(&mut world, &ALL, 1, seconds(60));
    let first = world.now();
    assert_eq!(first, seconds(1) + 3 * hop + Duration::from_millis(4));
}
