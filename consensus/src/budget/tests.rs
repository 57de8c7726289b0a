use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_debt_is_paid_off_before_anything_else_is_allowed() {
    let mut budget = Budget::full(10, 20);
    assert!(budget.try_spend(Duration::ZERO, 50), "it was full, and one thing may be large");
    assert!(!budget.try_spend(Duration::ZERO, 1));
    assert!(!budget.is_open(SECOND * 3), "30 of 30 are paid: nothing is left");
    assert!(budget.is_open(SECOND * 3 + Duration::from_micros(1)));
    assert!(!budget.is_full(SECOND * 4));
    assert!(budget.is_full(SECOND * 5), "20 more");
    assert!(budget.is_full(SECOND * 50), "and no more than that");
    budget.spend(SECOND * 50, 20);
    assert!(!budget.is_open(SECOND * 50));
}

#[test]
fn a_bounded_debt_is_paid_off_in_the_time_it_takes_to_fill() {
    let mut budget = Budget::full(10, 20);
    budget.spend_bounded(Duration::ZERO, 1_000_000);
    assert!(!budget.is_open(SECOND * 2));
    assert!(budget.is_open(SECOND * 2 + Duration::from_micros(1)));
}

#[test]
fn a_clock_that_stands_still_or_goes_back_gives_nothing() {
    let mut budget = Budget::full(1_000, 5);
    budget.spend(SECOND, 5);
    assert!(!budget.is_open(SECOND));
    assert!(!budget.is_open(Duration::ZERO));
    assert!(!budget.is_open(SECOND), "no second is counted twice");
}

proptest! {
    /// Over any stretch of time nobody spends more than the rate, one full budget and one last thing.
    #[test]
    fn nobody_spends_more_than_rate_and_bound_allow(
        rate in 0u32..1_000_000,
        most in 1u32..1_000_000,
        steps in prop::collection::vec((0u64..2_000_000, 0u64..2_000_000), 1..200),
    ) {
        let mut budget = Budget::full(rate, most);
        let (mut now, mut spent, mut largest) = (Duration::ZERO, 0u128, 0u64);
        for (pause, amount) in steps {
            now += Duration::from_micros(pause);
            if budget.try_spend(now, amount) {
                spent += u128::from(amount);
                largest = largest.max(amount);
            }
        }
        let filled = u128::from(rate) * now.as_micros() / 1_000_000 + 1;
        prop_assert!(spent <= filled + u128::from(most) + u128::from(largest), "{spent}");
    }

    /// Whoever spends no faster than the rate, from any state that is open, is never refused for long:
    /// after each thing of size `a` it waits `a / rate`.
    #[test]
    fn whoever_keeps_to_the_rate_is_never_refused(
        rate in 1u32..1_000_000,
        most in 1u32..1_000_000,
        amounts in prop::collection::vec(1u64..1_000_000, 1..100),
    ) {
        let mut budget = Budget::full(rate, most);
        let mut now = Duration::ZERO;
        for amount in amounts {
            prop_assert!(budget.try_spend(now, amount));
            now += Duration::from_micros(amount * 1_000_000 / u64::from(rate) + 1);
        }
    }
}
