use super::*;

fn wall(offset_ms: i64, drift_ppm: i32, epoch: u64, now: u64) -> Duration {
    let [epoch, now] = [epoch, now].map(Duration::from_secs);
    Skew { offset_ms, drift_ppm }.wall(epoch, now)
}

#[test]
fn a_right_clock_shows_the_time() {
    assert_eq!(wall(0, 0, 1_700_000_000, 5), Duration::from_secs(1_700_000_005));
}

#[test]
fn offset_and_drift_add_up() {
    assert_eq!(wall(1_500, 0, 100, 10), Duration::from_millis(111_500));
    assert_eq!(wall(-1_500, 0, 100, 10), Duration::from_millis(108_500));
    assert_eq!(wall(0, 1_000, 100, 10), Duration::from_millis(110_010));
    assert_eq!(wall(20, -1_000, 100, 10), Duration::from_millis(110_010));
}

#[test]
fn no_clock_goes_below_zero() {
    assert_eq!(wall(-1_000_000, 0, 100, 10), Duration::ZERO);
}
