//! Primaries and others that crash, links that fail.

use super::*;
use crate::network::MILLION;
use rand_chacha::rand_core::Rng;

/// Whoever was primary comes back as a backup, and in the end all are together.
#[test]
fn a_primary_that_crashed_is_replaced_and_comes_back_as_a_backup() {
    for seed in 0..5 {
        let mut world = ordering(pbft(4, seed));
        reach(&mut world, &ALL, 3, seconds(30));
        world.crash(ALL[0]);
        reach(&mut world, &ALL[1..], 10, seconds(60));
        world.restart(ALL[0]);
        let height = world.height(ALL[1]);
        reach(&mut world, &ALL, height + 5, seconds(30));
        let since = world.now();
        world.run_for(seconds(10));
        assert_safe(&world);
        assert_promises(&world, since, 5);
    }
}

#[test]
fn with_two_of_four_down_nothing_is_executed_until_one_is_back() {
    for seed in 0..5 {
        let mut world = ordering(pbft(4, seed));
        reach(&mut world, &ALL, 3, seconds(30));
        world.crash(ALL[0]);
        world.crash(ALL[3]);
        world.run_for(seconds(5));
        let height = world.height(ALL[1]).max(world.height(ALL[2]));
        world.run_for(seconds(120));
        assert_eq!(world.height(ALL[1]).max(world.height(ALL[2])), height, "{world:?}");
        world.restart(ALL[3]);
        // The timeouts have doubled for two minutes meanwhile.
        reach(&mut world, &ALL[1..], height + 10, seconds(300));
        assert_safe(&world);
    }
}

/// Every disk survives: nobody forgets what it prepared.
#[test]
fn all_four_crash_at_once_and_go_on() {
    for seed in 0..5 {
        let mut world = ordering(pbft(4, seed));
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
/// the end nobody has signed two values in a slot or taken anything back.
#[test]
fn crashes_at_random_moments_make_nobody_guilty() {
    for seed in 0..20 {
        let mut setup = pbft(4, seed);
        setup.network.loss = MILLION / 20;
        setup.sync_delay = Duration::from_millis(30).into();
        let mut world = ordering(setup);
        let mut chance = crate::setup::stream(seed, "crashes", 0);
        for number in 0..40 {
            let id = ALL[chance.next_u32() as usize % 4];
            world.submit(ALL[(id.0 as usize + 1) % 4], transfer(number));
            world.run_for(Duration::from_millis(chance.next_u64() % 2_000));
            world.crash(id);
            world.run_for(Duration::from_millis(chance.next_u64() % 500));
            world.restart(id);
        }
        let height = world.height(ALL[0]);
        reach(&mut world, &ALL, height + 3, seconds(120));
        assert_safe(&world);
        assert_promises(&world, Duration::ZERO, 3);
        println!("seed {seed}: {world:?}");
    }
}

#[test]
fn with_one_silent_and_loss_the_others_execute_twenty_blocks() {
    for seed in 0..20 {
        let mut setup = pbft(4, seed);
        setup.network.loss = MILLION / 20;
        setup.network.silent = [ReplicaId(seed as u32 % 4)].into();
        let mut world = ordering(setup);
        let others: Vec<_> = ALL.into_iter().filter(|id| id.0 != seed as u32 % 4).collect();
        reach(&mut world, &others, 20, seconds(120));
        assert_safe(&world);
        println!("seed {seed}: {:?}", world.now());
    }
}

#[test]
fn with_heavy_loss_all_four_still_execute_twenty_blocks() {
    for seed in 0..10 {
        let mut setup = pbft(4, seed);
        setup.network.loss = MILLION / 5;
        let mut world = ordering(setup);
        reach(&mut world, &ALL, 20, seconds(240));
        assert_safe(&world);
        println!("seed {seed}: {:?}", world.now());
    }
}

/// Nobody executes on either side, and both go on together.
#[test]
fn a_partition_without_a_quorum_stops_everybody_until_it_heals() {
    for seed in 0..5 {
        let mut setup = pbft(4, seed);
        let sides = vec![vec![ALL[0], ALL[1]], vec![ALL[2], ALL[3]]];
        let schedule = setup.schedule.at(seconds(5), Fault::Partition(sides));
        setup.schedule = schedule.at(seconds(25), Fault::Heal);
        let mut world = ordering(setup);
        world.run_for(seconds(6));
        let heights = ALL.map(|id| world.height(id));
        world.run_for(seconds(19));
        assert_eq!(ALL.map(|id| world.height(id)), heights);
        let highest = *heights.iter().max().unwrap();
        reach(&mut world, &ALL, highest + 5, seconds(120));
        assert_safe(&world);
    }
}

/// A replica alone behind a partition gives up view after view, and hurts nobody on its return.
#[test]
fn one_that_was_cut_off_catches_up_without_stopping_the_others() {
    for seed in 0..5 {
        let mut setup = pbft(4, seed);
        let schedule = setup.schedule.at(seconds(5), Fault::Partition(vec![vec![ALL[2]]]));
        setup.schedule = schedule.at(seconds(65), Fault::Heal);
        let mut world = ordering(setup);
        world.run_for(seconds(66));
        let height = world.height(ALL[0]);
        assert!(height > 45, "three are enough: {world:?}");
        reach(&mut world, &ALL, height + 10, seconds(30));
        assert_safe(&world);
        assert_promises(&world, seconds(66), 9);
        assert!(world.height(ALL[0]) > height + 5, "{world:?}");
    }
}
