use super::*;
use crate::setup::stream;

const MILLI: Duration = Duration::from_millis(1);
const DRAWS: usize = 20_000;

/// So many draws, sorted.
fn draws(text: &str) -> Vec<Duration> {
    let delay: Delay = text.parse().unwrap();
    let mut chance = stream(7, "delays", 0);
    let mut draws: Vec<_> = (0..DRAWS).map(|_| delay.draw(Dice::roll(&mut chance))).collect();
    draws.sort();
    draws
}

fn mean(draws: &[Duration]) -> Duration {
    draws.iter().sum::<Duration>() / u32::try_from(draws.len()).unwrap()
}

#[test]
fn a_constant_is_constant() {
    assert!(draws("50ms").iter().all(|draw| *draw == 50 * MILLI));
    assert!(draws("50ms..50ms").iter().all(|draw| *draw == 50 * MILLI));
}

#[test]
fn a_uniform_delay_fills_its_range_evenly() {
    let draws = draws("20ms..80ms");
    assert!(draws.iter().all(|draw| (20 * MILLI..80 * MILLI).contains(draw)));
    // The mean of 20,000 has a standard deviation of 60 ms / sqrt(12 * 20,000) = 0.12 ms.
    assert!(mean(&draws).abs_diff(50 * MILLI) < MILLI / 2, "{:?}", mean(&draws));
}

#[test]
fn an_exponential_delay_has_its_floor_and_its_mean() {
    let draws = draws("20ms + exp 30ms");
    assert!(draws[0] >= 20 * MILLI);
    // The mean has a standard deviation of 30 ms / sqrt(20,000) = 0.21 ms.
    assert!(mean(&draws).abs_diff(50 * MILLI) < MILLI, "{:?}", mean(&draws));
    // P(more than 60 ms above the floor) = e^-2 = .1353; four standard deviations are .0097.
    let late = draws.iter().filter(|draw| **draw > 80 * MILLI).count();
    assert!((late as f64 / DRAWS as f64 - 0.1353).abs() < 0.0097, "{late}");
}

#[test]
fn a_lognormal_delay_has_its_median_and_its_spread() {
    let draws = draws("lognormal 50ms 0.5");
    assert!(draws[DRAWS / 2].abs_diff(50 * MILLI) < MILLI, "{:?}", draws[DRAWS / 2]);
    // One standard deviation up: 84.13 % take less than 50 ms * e^0.5 = 82.4 ms.
    let high = draws[DRAWS * 8413 / 10_000];
    assert!(high.abs_diff(Duration::from_micros(82_436)) < 2 * MILLI, "{high:?}");
    // The mean is 50 ms * e^(0.5^2 / 2) = 56.66 ms.
    assert!(mean(&draws).abs_diff(Duration::from_micros(56_657)) < MILLI, "{:?}", mean(&draws));
}

/// The very numbers, which any machine and any profile must find.
#[test]
fn draws_are_the_same_to_the_nanosecond_everywhere() {
    let few = |text: &str| {
        let delay: Delay = text.parse().unwrap();
        let mut chance = stream(1, "golden", 0);
        [(); 3].map(|()| delay.draw(Dice::roll(&mut chance)).as_nanos())
    };
    let found = ["20ms..80ms", "20ms + exp 30ms", "lognormal 50ms 0.5"].map(few);
    let expected = [
        [63_777_894, 49_227_601, 48_110_035],
        [29_456_466, 41_576_931, 42_746_537],
        [69_481_864, 52_280_740, 92_075_939],
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_extremes_of_chance_stay_in_bounds() {
    for dice in [Dice([0, 0]), Dice([u64::MAX, 0]), Dice([0, u64::MAX / 2]), Dice([u64::MAX; 2])] {
        let exponential = Delay::Exponential { floor: MILLI, mean: MILLI }.draw(dice);
        assert!(exponential >= MILLI && exponential < 38 * MILLI, "{exponential:?}");
        let lognormal = Delay::LogNormal { median: MILLI, sigma: 1.0 }.draw(dice);
        assert!(lognormal < 6_000 * MILLI, "{lognormal:?}");
        assert!(Delay::Uniform(MILLI..2 * MILLI).draw(dice) < 2 * MILLI);
    }
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    for text in ["50ms", "20ms..80ms", "20ms + exp 30ms", "lognormal 50ms 0.5"] {
        let delay: Delay = text.parse().unwrap();
        assert_eq!(delay.to_string(), text);
        let json = serde_json::to_string(&delay).unwrap();
        assert_eq!(json, format!("{text:?}"));
        assert_eq!(serde_json::from_str::<Delay>(&json).unwrap(), delay);
    }
    for text in ["", "fast", "20ms..", "20ms + exp", "lognormal 50ms", "lognormal 50ms -1"] {
        assert!(text.parse::<Delay>().is_err(), "{text:?}");
    }
}

/// What real nodes are told instead of a formula.
#[test]
fn values_that_are_equally_likely_stand_for_the_distribution() {
    for text in ["50ms", "20ms..80ms", "20ms + exp 30ms", "lognormal 50ms 0.5"] {
        let delay: Delay = text.parse().unwrap();
        let values = delay.values(33);
        assert_eq!(values.len(), 33);
        assert!(values.is_sorted(), "{text}");
        let draws = draws(text);
        let (told, drawn) = (mean(&values), mean(&draws));
        // The rarest are cut off: of an exponential tail that is 1.5 % of its mean or so.
        let near = drawn / 25;
        assert!(told.abs_diff(drawn) <= near, "{text}: {told:?} for {drawn:?}");
        let median = draws[draws.len() / 2];
        assert!(values[16].abs_diff(median) <= median / 25, "{text}: {:?}", values[16]);
        assert_eq!(values, delay.values(33), "always the same");
    }
}
