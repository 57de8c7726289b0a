use super::*;
use crate::network::MILLION;
use rand_chacha::rand_core::Rng;
use replica::{Answer, Query};

#[test]
fn one_that_crashed_catches_up() {
    for seed in 0..5 {
        let mut world = world(four(seed));
        reach(&mut world, &ALL, 3, seconds(30));
        world.crash(ALL[1]);
        reach(&mut world, &[ALL[0], ALL[2], ALL[3]], 15, seconds(60));
        assert!(world.height(ALL[1]) <= 4, "the dead decide nothing: {world:?}");
        world.restart(ALL[1]);
        let before = world.now();
        reach(&mut world, &[ALL[1]], 15, seconds(5));
        println!("seed {seed}: caught up in {:?}", world.now() - before);
        reach(&mut world, &ALL, 20, seconds(30));
        assert_safe(&world);
    }
}

#[test]
fn with_two_of_four_down_the_height_stands_still_until_one_is_back() {
    for seed in 0..5 {
        let mut world = world(four(seed));
        reach(&mut world, &ALL, 3, seconds(30));
        world.crash(ALL[0]);
        world.crash(ALL[3]);
        // What was under way may still decide one height.
        world.run_for(seconds(5));
        let height = world.height(ALL[1]).max(world.height(ALL[2]));
        world.run_for(seconds(120));
        assert_eq!(world.height(ALL[1]).max(world.height(ALL[2])), height, "{world:?}");
        world.restart(ALL[3]);
        reach(&mut world, &ALL[1..], height + 10, seconds(60));
        assert_safe(&world);
    }
}

#[test]
fn the_dead_do_not_answer() {
    let mut world = world(four(1));
    world.crash(ALL[0]);
    let [dead, alive] = [ALL[0], ALL[1]].map(|id| world.ask(id, Query::Status));
    world.run_for(seconds(1));
    assert!(world.answer(dead).is_none());
    assert!(matches!(world.answer(alive), Some(Answer::Status(_))));
    assert!(world.ledger(ALL[0]).is_none());
}

/// Every disk survives: nobody forgets a lock or a vote, and the height goes on.
#[test]
fn all_four_crash_at_once_and_go_on() {
    for seed in 0..5 {
        let mut world = world(four(seed));
        reach(&mut world, &ALL, 3, seconds(30));
        let height = world.height(ALL[0]);
        ALL.iter().for_each(|id| world.crash(*id));
        world.run_for(seconds(1));
        ALL.iter().for_each(|id| world.restart(*id));
        reach(&mut world, &ALL, height + 5, seconds(30));
        assert_safe(&world);
    }
}

/// Crashes at every kind of moment, with a slow disk, so that much is written and not synced. In
/// the end nobody has signed two values in a slot or taken anything back ([`assert_safe`]).
#[test]
fn crashes_at_random_moments_make_nobody_guilty() {
    for seed in 0..20 {
        let mut setup = four(seed);
        setup.network.loss = MILLION / 20;
        setup.sync_delay = Duration::from_millis(30).into();
        let mut world = world(setup);
        let mut chance = crate::setup::stream(seed, "crashes", 0);
        for _ in 0..40 {
            let id = ALL[chance.next_u32() as usize % 4];
            world.run_for(Duration::from_millis(chance.next_u64() % 2_000));
            world.crash(id);
            world.run_for(Duration::from_millis(chance.next_u64() % 500));
            world.restart(id);
        }
        let height = world.height(ALL[0]);
        reach(&mut world, &ALL, height + 3, seconds(60));
        assert_safe(&world);
        println!("seed {seed}: {world:?}");
    }
}
