//! Who finds how many blocks, and who none.

use super::*;
use crate::clock::Skew;
use replica::Class;

/// Three of four hashes are the first miner's, and so are three of four blocks.
#[test]
fn a_miners_share_of_blocks_is_its_share_of_hashes() {
    let mut setup = with(pow(2, 1), "pow.irreversible", 20);
    setup.hash_rates = [(ALL[0], 192.0), (ALL[1], 64.0)].into();
    let mut world = miners(setup);
    world.run_for(seconds(4_000));
    let summary = world.mining();
    println!("{summary}");
    let share = summary.shares[&ALL[0]].found as f64 / summary.found as f64;
    let tolerance = 4.0 * (0.75 * 0.25 / summary.found as f64).sqrt();
    assert!((share - 0.75).abs() < tolerance, "{share} +- {tolerance}");
    assert!(judge(&world).holds());
}

/// If nothing is said of anybody's hash rate, all together find one block in each block time.
#[test]
fn without_other_word_there_is_a_block_in_each_block_time() {
    for replicas in [1, 4, 7] {
        let mut setup = with(pow(replicas, 2), "pow.irreversible", 20);
        setup.network.latency = Duration::from_millis(1).into();
        let mut world = miners(setup);
        world.run_for(seconds(2_000));
        let found = world.mining().found as f64;
        println!("{replicas} miners: {}", world.mining());
        assert!((found - 2_000.0).abs() < 4.0 * 2_000f64.sqrt(), "{replicas} miners: {found}");
    }
}

#[test]
fn the_dead_find_nothing_and_mine_again_when_they_rise() {
    let mut world = miners(pow(2, 3));
    world.run_for(seconds(20));
    ALL[..2].iter().for_each(|id| world.crash(*id));
    let found = world.mining().found;
    assert!(found > 5, "{found}");
    world.run_for(seconds(60));
    assert_eq!(world.mining().found, found);
    world.restart(ALL[0]);
    world.run_for(seconds(60));
    let summary = world.mining();
    assert!(summary.found > found + 10, "{summary}");
    let before = |id| world.record().finds().iter().filter(|find| find.miner == id).count() as u64;
    assert_eq!(summary.shares[&ALL[1]].found, before(ALL[1]));
}

#[test]
fn a_miner_without_hashes_finds_nothing_until_it_has_some() {
    let mut setup = pow(2, 4);
    setup.schedule = Schedule::default()
        .at(Duration::ZERO, Fault::HashRate { replica: ALL[1], factor: 0.0 })
        .at(seconds(60), Fault::HashRate { replica: ALL[1], factor: 4.0 });
    let mut world = miners(setup);
    world.run_for(seconds(60));
    assert!(world.record().finds().iter().all(|find| find.miner == ALL[0]));
    world.run_for(seconds(60));
    let theirs = world.record().finds().iter().filter(|find| find.miner == ALL[1]).count();
    assert!(theirs > 60, "{theirs}");
    assert!(judge(&world).holds());
}

/// An attacker with a quarter of the hashes mines alone while its calendar runs too fast, so that its
/// blocks seem late and its difficulty falls. The honest are made to think nothing of times in the
/// future. When the attacker is back it shows more blocks than they have.
fn cheap(seed: u64, drift_ppm: i32, irreversible: u64, apart: Duration) -> World<Nakamoto> {
    let mut setup = with(pow(4, seed), "pow.clock_skew_ms", 100_000_000);
    setup.settings.insert("pow.irreversible".into(), irreversible);
    setup.network.latency = Duration::from_millis(5).into();
    setup.clocks.insert(ALL[3], Skew { offset_ms: 0, drift_ppm });
    setup.schedule = Schedule::default()
        .at(Duration::ZERO, Fault::Partition(vec![ALL[..3].to_vec(), ALL[3..].to_vec()]))
        .at(apart, Fault::Heal);
    let mut world = miners(setup);
    world.run_for(apart - Duration::from_millis(1));
    let heights = head_heights(&world);
    println!("seed {seed}: heights {heights:?}");
    assert!(heights[3] > heights[0] + 10, "the attacker's chain is longer: {heights:?}");
    world
}

/// PROTOCOLS N1: the attacker's blocks are many, and light.
#[test]
fn cheap_blocks_do_not_win_however_many_they_are() {
    for seed in 0..3 {
        let mut world = cheap(seed, 6_000_000, 200, seconds(60));
        let [honest, cheap] = [ALL[0], ALL[3]].map(|id| world.ledger(id).expect("it is up").head());
        world.run_for(seconds(30));
        let main: Vec<_> = world.main_chain().iter().map(|find| find.block).collect();
        assert!(main.contains(&honest) && !main.contains(&cheap), "seed {seed}: {world:?}");
        assert_together(&world, 6);
        assert!(world.record().reversions().iter().all(|each| each.replica == ALL[3]));
    }
}

/// Whoever boasts of a chain that is longer and lighter is asked for it now and then, and not again
/// as soon as it has answered.
#[test]
fn a_longer_chain_that_is_not_taken_is_not_asked_for_without_end() {
    let mut world = cheap(1, 9_000_000, 8, seconds(40));
    world.run_for(seconds(5));
    assert_eq!(world.record().halts().map(|(id, ..)| id).collect::<Vec<_>>(), ALL[3..]);
    let asks = |world: &World<Nakamoto>| world.record().sends()[&(Class::Sync, "ask")];
    let before = asks(&world);
    world.run_for(seconds(10));
    let asks = asks(&world) - before;
    // Four replicas look whether they are behind at each of their own summaries, and each hears
    // about as many of the others'.
    assert!(asks < 4 * 2 * 10_000 / 150, "{asks} in ten seconds");
}
