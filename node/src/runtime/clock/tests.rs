use super::*;

const HOUR: i64 = 3_600_000;

#[test]
fn a_skew_moves_the_wall_clock_at_once_and_never_the_other() {
    let calendar = Calendar::default();
    let clock = Clock::start(calendar.clone());
    let true_wall = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let (before, wall, after) = (true_wall(), clock.moment().wall, true_wall());
    assert!(before <= wall && wall <= after, "it is right until it is told otherwise");

    for hours in [5, -7] {
        let last = clock.now();
        calendar.tell(Skew { offset_ms: hours * HOUR, drift_ppm: 0 });
        let before = true_wall();
        let moment = clock.moment();
        let after = true_wall();
        let offset = Duration::from_hours(hours.unsigned_abs());
        let (low, high) = match hours > 0 {
            true => (before + offset, after + offset),
            false => (before - offset, after - offset),
        };
        assert!(low <= moment.wall && moment.wall <= high, "{hours}: {moment:?}");
        assert!(moment.now >= last && moment.now < Duration::from_hours(1), "{moment:?}");
    }
}

#[test]
fn a_clock_that_stands_still_stands_from_when_it_was_told() {
    let calendar = Calendar::default();
    let clock = Clock::start(calendar.clone());
    calendar.tell(Skew { offset_ms: 0, drift_ppm: -1_000_000 });
    let first = clock.moment();
    std::thread::sleep(Duration::from_millis(300));
    let second = clock.moment();
    assert!(second.now >= first.now + Duration::from_millis(300));
    // Two clocks are read, one after the other, so a little may lie between them.
    assert!(second.wall.abs_diff(first.wall) < Duration::from_millis(150), "{first:?} {second:?}");
}
