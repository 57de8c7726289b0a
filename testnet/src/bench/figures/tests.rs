use super::*;

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

#[test]
fn transactions_are_due_evenly_and_are_dealt_out_in_turn() {
    let schedule = Schedule { rate: 8, lanes: 4 };
    let due = |lane, number| schedule.due(lane, number).as_millis();
    assert_eq!([due(0, 0), due(1, 0), due(2, 0), due(3, 0)], [0, 125, 250, 375]);
    assert_eq!([due(0, 1), due(1, 1), due(0, 2)], [500, 625, 1_000]);
}

#[test]
fn what_is_due_is_counted_to_the_nanosecond() {
    for (rate, lanes) in [(1, 1), (3, 4), (20, 4), (7, 10), (9_999, 16), (1_000_000, 3)] {
        let schedule = Schedule { rate, lanes };
        for lane in 0..lanes {
            for number in [0, 1, 2, 3, 1_000, 123_456] {
                let due = schedule.due(lane, number);
                let place = format!("{rate} a second, lane {lane} of {lanes}, number {number}");
                assert_eq!(schedule.count(lane, due), number + 1, "{place}");
                if let Some(before) = due.checked_sub(Duration::from_nanos(1)) {
                    assert_eq!(schedule.count(lane, before), number, "{place}");
                }
            }
        }
    }
}

#[test]
fn a_second_holds_exactly_its_rate() {
    for (rate, lanes) in [(1, 4), (20, 4), (999, 7), (12_345, 4)] {
        let schedule = Schedule { rate, lanes };
        assert_eq!(schedule.before(Duration::ZERO), 0);
        assert_eq!(schedule.before(Duration::from_secs(1)), u64::from(rate));
        assert_eq!(schedule.before(Duration::from_secs(20)), 20 * u64::from(rate));
    }
}

#[test]
fn the_limit_is_what_all_cores_can_verify_for_all_replicas() {
    // 34.3 µs on two cores for four replicas.
    let limit = limit_per_s(2, 4, Duration::from_nanos(34_300)).unwrap();
    assert!((limit - 14_577.26).abs() < 0.01, "{limit}");
    assert_eq!(limit_per_s(2, 4, Duration::ZERO), None);
    assert_eq!(limit_per_s(2, 0, micros(1)), None);
    assert_eq!(limit_per_s(0, 4, micros(1)), None);
}

#[test]
fn nothing_is_shared_among_nobody() {
    assert_eq!(each(6.0, 4.0), Some(1.5));
    assert_eq!(each(6.0, 0.0), None);
}

#[test]
fn the_median_is_the_middle_one() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![micros(9), micros(1), micros(4)]), Some(micros(4)));
    assert_eq!(median(vec![micros(9), micros(1)]), Some(micros(9)));
}

#[test]
fn of_nothing_there_is_no_percentile() {
    let none = Latencies::default();
    assert!(none.is_empty());
    assert_eq!((none.percentile(50), none.greatest()), (None, None));
}

#[test]
fn percentiles_are_those_of_the_nearest_rank() {
    let mut latencies = Latencies::default();
    for micro in (1..=100).rev() {
        latencies.record(micros(micro));
    }
    assert_eq!(latencies.len(), 100);
    for percent in [1, 50, 95, 99, 100] {
        assert_eq!(latencies.percentile(percent), Some(micros(u64::from(percent))));
    }
    assert_eq!(latencies.percentile(0), Some(micros(1)));
    let mut one = Latencies::default();
    one.record(micros(7));
    assert_eq!([1, 50, 99].map(|percent| one.percentile(percent)), [Some(micros(7)); 3]);
}

#[test]
fn a_percentile_is_never_less_than_the_truth_and_hardly_more() {
    let mut value = 1u64;
    while value < u64::MAX / 3 {
        for near in [value - 1, value, value + 1, value + value / 3] {
            let (bucket, end) = (bucket(near), last_of(bucket(near)));
            assert!(end >= near && (end - near) as f64 <= 0.008 * near as f64, "{near}, {end}");
            assert_eq!(super::bucket(end), bucket, "{near}");
            assert_eq!(super::bucket(end + 1), bucket + 1, "buckets leave no gap after {near}");
        }
        value *= 2;
    }
    let mut latencies = Latencies::default();
    latencies.record(Duration::MAX);
    assert_eq!(latencies.percentile(50), Some(micros(u64::MAX)));
    latencies.record(micros(1_000_003));
    assert_eq!(latencies.percentile(100), latencies.greatest());
}
