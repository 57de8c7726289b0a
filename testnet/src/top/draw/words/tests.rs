use super::*;
use proptest::prelude::*;

#[test]
fn figures_are_short() {
    let counts = [0.0, 999.4, 999.5, 1_240.0, 9_960.0, 34_400.0, 999_600.0, 5_600_000.0, 1e13];
    let counts = counts.map(count);
    assert_eq!(counts, ["0", "999", "1.0k", "1.2k", "10k", "34k", "1.0M", "5.6M", "10T"]);
    let times = [0, 85, 999, 1_000, 8_500, 9_999, 850_000, 999_600, 1_200_000, 34_000_000];
    let times = times.map(|micros| seconds(Duration::from_micros(micros)));
    assert_eq!(
        times,
        ["0µs", "85µs", "999µs", "1.0ms", "8.5ms", "10ms", "850ms", "1.0s", "1.2s", "34s"]
    );
    assert_eq!(
        [0, 99, 100, 7_200].map(|each| ago(Duration::from_secs(each))),
        ["0 s", "99 s", "1 min", "2 h"]
    );
    assert_eq!([0.0, 0.123, 1.04, 77.0].map(percent), ["0%", "12%", "104%", "999%"]);
}

#[test]
fn only_the_first_line_is_shown_and_it_drives_no_terminal() {
    assert_eq!(first_line("one\u{1b}[2J\ttwo\nthree"), "one[2Jtwo");
    assert_eq!(first_line(""), "");
}

proptest! {
    #[test]
    fn no_figure_is_too_wide(value in any::<f64>(), micros in any::<u64>()) {
        prop_assert!(count(value).chars().count() <= 5, "{}", count(value));
        let time = Duration::from_micros(micros);
        prop_assert!(seconds(time).chars().count() <= 5, "{}", seconds(time));
        prop_assert!(ago(time).chars().count() <= 6, "{}", ago(time));
        prop_assert!(percent(value).chars().count() <= 4, "{}", percent(value));
    }
}
