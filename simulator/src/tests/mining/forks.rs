//! SCIENCE S3: how often blocks meet rivals when they take time to spread.

use super::*;
use crate::{Tracing, mining::Summary};

const MINERS: u32 = 100;

const INTERVAL: Duration = Duration::from_millis(50);

/// How many worlds are run for each delay, and for how many intervals. A whole replica takes a good
/// 40 microseconds for a block, and there are a hundred.
const WORLDS: u64 = if cfg!(debug_assertions) { 1 } else { 4 };
const INTERVALS: u32 = if cfg!(debug_assertions) { 200 } else { 2_000 };

/// Equal miners, a constant delay of `x` intervals to everybody else, and a difficulty that stays.
fn delayed(x: f64, seed: u64) -> Setup {
    let mut setup = pow(MINERS, seed);
    setup.block_time = INTERVAL;
    setup.network.latency = INTERVAL.mul_f64(x).into();
    setup.sync_delay = Duration::ZERO.into();
    setup.tracing = Tracing::Off;
    let unchanged = [
        ("pow.half_life_ms", 1 << 50),
        // Far more than is ever reorganised, and no more than that: it costs time.
        ("pow.irreversible", 20),
        // Blocks go straight to everybody.
        ("pow.relay", 0),
        ("pow.refresh_ms", 1_000),
        ("ledger.reward", 0),
    ];
    setup.settings.extend(unchanged.map(|(key, value)| (key.to_owned(), value)));
    setup
}

/// What was mined in some worlds together, and the mean time between blocks of their main chains.
fn mined(x: f64) -> (Summary, f64) {
    let (mut sum, mut time) = (Summary::default(), 0.0);
    // Each delay has its own luck.
    let first = (x * 1_000.0) as u64;
    for seed in first..first + WORLDS {
        let mut world = miners(delayed(x, seed));
        world.run_for(INTERVAL * INTERVALS);
        let one = world.mining();
        println!("x = {x}, seed {seed}: {one}, {} events", world.events());
        sum.found += one.found;
        sum.main += one.main;
        sum.contested += one.contested;
        time += one.interval * one.main as f64;
    }
    let interval = time / sum.main as f64;
    (sum, interval)
}

/// Within 3 % and four standard deviations of a share of so many.
fn assert_share(what: &str, found: f64, expected: f64, count: u64) {
    let deviation = (expected * (1.0 - expected) / count as f64).sqrt();
    let tolerance = 0.03 * expected + 4.0 * deviation;
    println!("{what}: {found:.4}, by theory {expected:.4} +- {tolerance:.4}");
    assert!((found - expected).abs() < tolerance, "{what}: {found}, not {expected} +- {tolerance}");
}

/// The finder itself has no delay, so that of n equal miners only n-1 can find a rival.
fn forks_follow_the_delay(x: f64) {
    let (mined, interval) = mined(x);
    let n = f64::from(MINERS);
    let x = x * (n - 1.0) / n;
    assert_share("stale", mined.stale(), x / (1.0 + x), mined.found);
    assert_share("with a rival", mined.forks(), 1.0 - (-x).exp(), mined.main);
    let (interval, expected) = (interval / INTERVAL.as_secs_f64(), 1.0 + x);
    // The standard deviation of an interval is T.
    let tolerance = 0.03 * expected + 4.0 / (mined.main as f64).sqrt();
    println!("interval: {interval:.4} T, by theory {expected:.4} +- {tolerance:.4}");
    assert!((interval - expected).abs() < tolerance, "{interval} T, not {expected} T");
}

#[test]
fn a_delay_of_a_tenth_of_the_interval_makes_as_many_forks_as_computed() {
    forks_follow_the_delay(0.1);
}

#[test]
fn a_delay_of_half_the_interval_makes_as_many_forks_as_computed() {
    forks_follow_the_delay(0.5);
}

#[test]
fn a_delay_of_the_whole_interval_makes_as_many_forks_as_computed() {
    forks_follow_the_delay(1.0);
}
