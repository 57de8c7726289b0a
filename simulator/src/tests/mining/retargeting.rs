//! SCIENCE S5: how the difficulty follows the hash rate, by ASERT.

use super::*;
use crate::{
    Tracing,
    mining::{Find, interval, spread},
};
use std::f64::consts::LN_2;

/// Short beside a replica's own business of every 150 ms, and long beside a header's milliseconds.
const INTERVAL: Duration = Duration::from_millis(200);

/// One miner with nobody to talk to, who commits at once. The half-life is so many intervals.
///
/// Its targets are as easy as they may be, because every nonce is really searched: at first a block
/// takes `hashes` hashes on average.
fn alone(half_life: u64, hashes: u64, seed: u64) -> Setup {
    let mut setup = pow(1, seed);
    setup.block_time = INTERVAL;
    setup.sync_delay = Duration::ZERO.into();
    setup.tracing = Tracing::Off;
    let bits = consensus::work::Target::for_hashes(hashes).to_bits();
    let settings = [
        ("pow.half_life_ms", half_life * INTERVAL.as_millis() as u64),
        // A header's time is at most half an interval older than its block.
        ("pow.refresh_ms", INTERVAL.as_millis() as u64 / 2),
        ("pow.bits", u64::from(bits)),
        ("pow.irreversible", 1),
        ("ledger.reward", 0),
    ];
    setup.settings.extend(settings.map(|(key, value)| (key.to_owned(), value)));
    setup
}

/// The chain is an autoregressive process: after each block the logarithm of the difficulty falls by
/// a = T·ln 2/τ times the interval's excess over T. It has the standard deviation √(a/2) and
/// forgets within 1/a blocks.
fn difficulty_spreads(half_life: u64, blocks: u64) {
    let a = LN_2 / half_life as f64;
    let warm_up = (5.0 / a) as u64;
    let mut world = miners(alone(half_life, 64, 1));
    world.run_for(INTERVAL * (warm_up + blocks) as u32);
    let chain = &world.main_chain()[warm_up as usize..];
    let count = chain.len() as f64;
    let (interval, found) = (interval(chain) / INTERVAL.as_secs_f64(), spread(chain));
    let expected = (a / 2.0).sqrt();
    // That of a standard deviation that was measured on an autoregressive process.
    let deviation = expected / (2.0 * a * count).sqrt();
    let tolerance = 0.03 * expected + 4.0 * deviation;
    println!(
        "half-life {half_life}: interval {interval:.4} T, spread {found:.4}, by theory \
         {expected:.4} +- {tolerance:.4}, {count} blocks, {} events",
        world.events()
    );
    assert!((found - expected).abs() < tolerance);
    assert!((interval - 1.0).abs() < 4.0 / count.sqrt(), "{interval}");
}

const BLOCKS: u64 = if cfg!(debug_assertions) { 5_000 } else { 60_000 };

#[test]
fn with_a_half_life_of_36_intervals_the_difficulty_spreads_as_computed() {
    difficulty_spreads(36, BLOCKS);
}

#[test]
fn with_a_half_life_of_72_intervals_the_difficulty_spreads_as_computed() {
    difficulty_spreads(72, BLOCKS);
}

#[test]
fn with_a_half_life_of_288_intervals_the_difficulty_spreads_as_computed() {
    difficulty_spreads(288, BLOCKS);
}

const SEEDS: u64 = if cfg!(debug_assertions) { 10 } else { 400 };

/// How many blocks, and how many intervals, it takes until the first block whose difficulty is
/// within 25 % of the new level: at most 1.25 times as high, and at most 1.25 times too low.
fn recovery(half_life: u64, hashes: u64, factor: f64, seed: u64) -> (f64, f64) {
    let mut setup = alone(half_life, hashes, seed);
    setup.schedule =
        Schedule::default().at(Duration::ZERO, Fault::HashRate { replica: ALL[0], factor });
    let mut world = miners(setup);
    let level = hashes as f64 * factor;
    let near = |find: &Find| (0.8..=1.25).contains(&(find.difficulty() / level));
    let there = |world: &World<Nakamoto>| world.record().finds().last().is_some_and(near);
    assert!(world.run_until(there, seconds(100_000)), "seed {seed}: it never recovers");
    let last = world.record().finds().last().expect("it is near");
    (last.height as f64, last.at.as_secs_f64() / INTERVAL.as_secs_f64())
}

/// Means over many seeds, within 5 %.
fn recovers(half_life: u64, factor: f64, (blocks, time): (f64, f64)) {
    // So that neither before nor after a block takes fewer hashes than four.
    let hashes = if factor < 1.0 { 64 } else { 6 };
    let all: Vec<_> = (0..SEEDS).map(|seed| recovery(half_life, hashes, factor, seed)).collect();
    let count = all.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| {
        let mean = all.iter().map(part).sum::<f64>() / count;
        let squares = all.iter().map(|one| (part(one) - mean) * (part(one) - mean));
        (mean, (squares.sum::<f64>() / count).sqrt() / count.sqrt())
    };
    for (what, (found, deviation), expected) in
        [("blocks", mean(|one| one.0), blocks), ("intervals", mean(|one| one.1), time)]
    {
        // In debug builds there are too few seeds for 5 %.
        let tolerance =
            if cfg!(debug_assertions) { 4.0 * deviation } else { 0.0 } + 0.05 * expected;
        println!(
            "half-life {half_life}, hash rate x{factor}: {found:.1} {what} (+- {deviation:.1}), \
             by theory {expected} +- {tolerance:.1}"
        );
        assert!((found - expected).abs() < tolerance, "{what}: {found}, not {expected}");
    }
}

#[test]
fn with_a_half_life_of_72_and_a_tenth_of_the_hashes_it_recovers_as_computed() {
    recovers(72, 0.1, (150.0, 358.0));
}

#[test]
fn with_a_half_life_of_72_and_ten_times_the_hashes_it_recovers_as_computed() {
    recovers(72, 10.0, (372.0, 156.0));
}

#[test]
fn with_a_half_life_of_288_and_a_tenth_of_the_hashes_it_recovers_as_computed() {
    recovers(288, 0.1, (616.0, 1_471.0));
}

#[test]
fn with_a_half_life_of_288_and_ten_times_the_hashes_it_recovers_as_computed() {
    recovers(288, 10.0, (1_484.0, 619.0));
}
