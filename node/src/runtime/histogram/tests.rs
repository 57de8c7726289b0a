use super::*;
use proptest::prelude::*;

#[test]
fn bounds_rise() {
    assert!(BOUNDS.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn nothing_observed_has_no_mean() {
    let read = Histogram::default().read();
    assert_eq!((read, read.count(), read.mean()), (Durations::default(), 0, None));
}

#[test]
fn a_bound_belongs_to_its_own_bucket() {
    let histogram = Histogram::default();
    histogram.observe(Duration::from_millis(1));
    histogram.observe(Duration::from_millis(1) + Duration::from_nanos(1));
    histogram.observe(Duration::from_secs(3_600));
    let buckets = histogram.read().buckets();
    let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(filled, [&(0.001, 1), &(0.002, 1), &(f64::INFINITY, 1)]);
}

proptest! {
    #[test]
    fn nothing_is_lost_and_everything_is_in_its_bucket(
        all in prop::collection::vec(0..200_000_000_000_u64, 1..50)
    ) {
        let histogram = Histogram::default();
        all.iter().for_each(|took| histogram.observe(Duration::from_nanos(*took)));
        let read = histogram.read();
        prop_assert_eq!(read.count(), all.len() as u64);
        prop_assert_eq!(read.sum, Duration::from_nanos(all.iter().sum()));
        prop_assert_eq!(Some(read.longest), all.iter().max().map(|max| Duration::from_nanos(*max)));
        let mean = read.mean().expect("something was observed");
        prop_assert!(mean <= read.longest);
        let mut below = 0.0;
        for (bound, count) in read.buckets() {
            let inside = all.iter().map(|took| Duration::from_nanos(*took).as_secs_f64());
            let inside = inside.filter(|took| *took > below && *took <= bound);
            let at_zero = if below == 0.0 { all.iter().filter(|took| **took == 0).count() } else { 0 };
            prop_assert_eq!(inside.count() + at_zero, count as usize, "up to {}", bound);
            below = bound;
        }
    }
}
