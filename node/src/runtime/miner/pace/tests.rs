use super::*;
use crate::runtime::miner::{
    search,
    search::{BATCH, Job},
    tests::{Pretend, header},
};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

/// What floating point may cost.
const DUST: Duration = Duration::from_micros(1);

fn hopeless() -> [Job; 1] {
    [Job::new(header(1), [0; 32])]
}

/// Searches for some slices: how long it worked and slept, once it has paid for the last.
fn run(share: f64, clock: &Pretend<'_>, job: &Job, slices: u32) -> (Duration, Duration) {
    let mut count = 0;
    let found = search(job, &mut Pace::new(share), clock, |tries| {
        assert!(tries > 0 && tries % BATCH == 0);
        count += 1;
        if count == slices {
            job.end();
        }
    });
    assert_eq!((found, count), (None, slices));
    (clock.worked(), clock.slept())
}

#[test]
fn a_whole_core_never_sleeps() {
    let jobs = hopeless();
    let clock = Pretend::new(&jobs, MS / 4);
    assert_eq!(run(1.0, &clock, &jobs[0], 100), (100 * SLICE, Duration::ZERO));
    assert_eq!(clock.sleeps(), 0);
}

#[test]
fn a_tenth_of_a_core_sleeps_nine_times_as_long_as_it_works() {
    let jobs = hopeless();
    let clock = Pretend::new(&jobs, MS / 4);
    let (worked, slept) = run(0.1, &clock, &jobs[0], 100);
    assert_eq!((worked, clock.sleeps()), (100 * SLICE, 100), "one pause after each slice");
    assert!(slept.abs_diff(900 * SLICE) < DUST, "{slept:?}");
}

#[test]
fn what_counts_is_the_time_really_used() {
    // A slice cannot be shorter than a batch, however long that takes.
    let jobs = hopeless();
    let clock = Pretend::new(&jobs, 7 * MS);
    let (worked, slept) = run(0.5, &clock, &jobs[0], 10);
    assert_eq!(worked, 70 * MS);
    assert!(slept.abs_diff(70 * MS) < DUST, "{slept:?}");
}

#[test]
fn too_long_a_sleep_shortens_the_next_ones() {
    let jobs = hopeless();
    let clock = Pretend::new(&jobs, MS / 4).oversleeping(MS / 2);
    let (worked, slept) = run(0.8, &clock, &jobs[0], 100);
    // A quarter of a millisecond is due for each slice, and each sleep brings half of one more.
    assert_eq!(worked, 100 * SLICE);
    assert!(slept.abs_diff(25 * MS) <= MS, "{slept:?}");
    assert!(clock.sleeps() < 50, "{}", clock.sleeps());
}

#[test]
fn a_night_asleep_is_not_made_up_for() {
    let clock = Pretend::new(&[], MS).oversleeping(Duration::from_secs(36_000));
    let mut pace = Pace::new(0.5);
    pace.worked(MS);
    pace.rest(&clock);
    assert_eq!(clock.sleeps(), 1);
    pace.worked(CREDIT - DUST);
    pace.rest(&clock);
    assert_eq!(clock.sleeps(), 1, "the credit covers this");
    pace.worked(2 * DUST);
    pace.rest(&clock);
    assert_eq!(clock.sleeps(), 2, "and no more");
}

#[test]
fn short_jobs_pay_for_their_time_too() {
    let jobs: Vec<_> = (0..50).map(|height| Job::new(header(height), [0xff; 32])).collect();
    let clock = Pretend::new(&jobs, MS);
    let mut pace = Pace::new(0.1);
    for job in &jobs {
        assert!(search(job, &mut pace, &clock, |tries| assert_eq!(tries, 1)).is_some());
    }
    assert_eq!((clock.worked(), clock.sleeps()), (50 * MS, 49), "each waits for the one before");
    assert!(clock.slept().abs_diff(49 * 9 * MS) < DUST, "{:?}", clock.slept());
}

proptest! {
    #[test]
    fn any_share_that_the_settings_allow_is_kept(
        share in 1e-3..=1.0,
        slices in 1..60_u32,
        late in 0..2_000_u64,
    ) {
        let jobs = hopeless();
        let late = Duration::from_micros(late);
        let clock = Pretend::new(&jobs, MS / 2).oversleeping(late);
        let (worked, slept) = run(share, &clock, &jobs[0], slices);
        let due = worked.mul_f64(1.0 / share - 1.0);
        prop_assert!(slept + DUST >= due, "never more than the share");
        prop_assert!(slept <= due + late + DUST, "nor less, but for the last sleep: {slept:?} {due:?}");
    }

    #[test]
    fn however_small_a_share_the_pause_is_finite(exponent in -320..=0_i32, used: u64) {
        let clock = Pretend::new(&[], MS);
        let mut pace = Pace::new(10_f64.powi(exponent).max(f64::from_bits(1)));
        pace.worked(Duration::from_nanos(used));
        pace.rest(&clock);
        prop_assert!(clock.slept() <= LONGEST);
    }
}
