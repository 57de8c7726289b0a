use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_round_kills_somebody_once_and_nobody_else(
        seed: u64, replicas in 1_u32..=16, rounds in 0_u32..40,
    ) {
        let plan = plan(seed, replicas, rounds, Share::USUAL);
        prop_assert_eq!(plan.len(), rounds as usize);
        for Round { pause, victims } in plan {
            prop_assert!(pause <= Duration::from_millis(LONGEST_PAUSE));
            prop_assert!(!victims.is_empty());
            prop_assert!(victims.windows(2).all(|pair| pair[0].id < pair[1].id));
            for victim in victims {
                prop_assert!(victim.id < replicas);
                prop_assert!(victim.dead <= Duration::from_millis(LONGEST_DEATH));
            }
        }
    }

    #[test]
    fn the_same_seed_plans_the_same_and_a_longer_plan_begins_with_the_shorter(
        seed: u64, replicas in 1_u32..=16, rounds in 0_u32..20, more in 0_u32..20,
    ) {
        let long = plan(seed, replicas, rounds + more, Share::USUAL);
        prop_assert_eq!(&plan(seed, replicas, rounds, Share::USUAL)[..], &long[..rounds as usize]);
    }
}

/// How many die in each of many rounds.
fn deaths(replicas: u32) -> Vec<u32> {
    let rounds = (0..100).flat_map(|seed| plan(seed, replicas, 100, Share::USUAL));
    rounds.map(|round| u32::try_from(round.victims.len()).unwrap()).collect()
}

#[test]
fn mostly_as_many_die_as_is_tolerated_sometimes_more_and_sometimes_all() {
    for replicas in [4, 7, 10] {
        let deaths = deaths(replicas);
        let share = |holds: &dyn Fn(u32) -> bool| {
            100 * deaths.iter().filter(|count| holds(**count)).count() / deaths.len()
        };
        let few = tolerated(replicas);
        let (all, some) = (share(&|count| count == replicas), share(&|count| count <= few));
        assert!((8..=12).contains(&all), "{replicas} nodes: all die in {all} %");
        assert!((67..=73).contains(&some), "{replicas} nodes: no more than {few} in {some} %");
    }
}

#[test]
fn everybody_is_killed_at_some_time() {
    for replicas in 1..=16 {
        let mut spared: Vec<u32> = (0..replicas).collect();
        for round in plan(7, replicas, 200, Share::USUAL) {
            spared.retain(|id| round.victims.iter().all(|victim| victim.id != *id));
        }
        assert!(spared.is_empty(), "{replicas} nodes: {spared:?} live for ever");
    }
}

#[test]
fn a_node_alone_is_its_own_victim() {
    assert!(deaths(1).iter().all(|count| *count == 1));
}

#[test]
fn some_are_killed_before_they_have_quite_come_back() {
    let hurried = plan(1, 4, 1_000, Share::USUAL)
        .iter()
        .filter(|round| round.pause <= Duration::from_millis(HURRIED))
        .count();
    assert!((200..300).contains(&hurried), "{hurried}");
}

#[test]
fn fewer_than_a_third_are_tolerated() {
    assert_eq!([1, 3, 4, 6, 7, 10, 16].map(tolerated), [0, 0, 1, 1, 2, 3, 5]);
}

proptest! {
    #[test]
    fn exactly_the_share_of_the_rounds_ends_at_failpoints_and_nothing_else_depends_on_it(
        seed: u64, replicas in 1_u32..=16, rounds in 0_u32..200, share in 0_u32..=1_000,
    ) {
        let tripped = plan(seed, replicas, rounds, Share(share));
        let count = tripped.iter().filter(|round| round.victims[0].trip.is_some()).count();
        prop_assert_eq!(count as u64, u64::from(rounds) * u64::from(share) / 1_000);
        for (round, plain) in tripped.iter().zip(plan(seed, replicas, rounds, Share(0))) {
            prop_assert_eq!(round.pause, plain.pause);
            let first = round.victims[0].trip.is_some();
            prop_assert!(round.victims.iter().all(|victim| victim.trip.is_some() == first));
            let spared = round.victims.iter().map(|victim| Victim { trip: None, ..*victim });
            prop_assert_eq!(spared.collect::<Vec<_>>(), plain.victims);
            for trip in round.victims.iter().filter_map(|victim| victim.trip) {
                prop_assert!((1..=passages(trip.point)).contains(&trip.passage));
            }
        }
    }
}

#[test]
fn two_hundred_rounds_end_fifty_times_at_failpoints_and_miss_few_of_them() {
    for seed in 0..50 {
        let plan = plan(seed, 4, 200, Share::USUAL);
        let trips: Vec<_> =
            plan.iter().flat_map(|round| &round.victims).flat_map(|it| it.trip).collect();
        assert!(trips.len() >= 50, "seed {seed}: {}", trips.len());
        let drawn = points().filter(|point| trips.iter().any(|trip| trip.point == *point)).count();
        assert!(drawn + 6 >= points().count(), "seed {seed}: only {drawn}");
    }
}
