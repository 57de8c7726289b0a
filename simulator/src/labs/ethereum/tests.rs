use super::*;
use crate::labs::ethereum::theory::whole;
use ledger::{
    Leak, Share,
    leak::{Mode, WHOLE},
};
use proptest::prelude::*;

const ETHEREUM: Rules = Rules::ETHEREUM;

/// The leak epoch in which somebody's effective balance is so many ether at most, who is heard in some epochs.
fn falls_to(ether: u64, rules: Rules, is_heard: impl Fn(u64) -> bool) -> Option<u64> {
    rules.until(
        20_000,
        |epoch, _| is_heard(epoch),
        |[one]: &[Validator; 1]| one.effective <= ether * ETHER,
    )
}

fn ejected(rules: Rules, is_heard: impl Fn(u64) -> bool) -> Option<u64> {
    rules.until(20_000, |epoch, _| is_heard(epoch), |[one]: &[Validator; 1]| one.ejected)
}

/// SCIENCE S15: "leak-epoch of EB = k", tolerance zero.
#[test]
fn s15_effective_balances_fall_in_the_epochs_of_the_table() {
    let table = [(31, 512), (28, 1903), (25, 2711), (20, 3831), (16, 4685), (10, 6092)];
    for (ether, epoch) in table {
        assert_eq!(falls_to(ether, ETHEREUM, |_| false), Some(epoch), "{ether}");
    }
}

/// SCIENCE S15: "ejection takes effect at 4686 (pure leak)".
#[test]
fn s15_the_absent_are_ejected_in_epoch_4686() {
    assert_eq!(ejected(ETHEREUM, |_| false), Some(4686));
}

/// SCIENCE S15: "alternate-epoch validator 10820"; the paper's 7652 needs a penalty in every epoch.
#[test]
fn s15_who_misses_every_second_epoch_is_ejected_in_epoch_10820() {
    assert_eq!(ejected(ETHEREUM, |epoch| epoch % 2 == 0), Some(10_820));
    let always = Rules { spares_present: false, ..ETHEREUM };
    assert_eq!(ejected(always, |epoch| epoch % 2 == 0), Some(7652));
}

/// When `active` of `all` have two thirds again.
fn finalises(active: u64, all: u64) -> Option<u64> {
    let enough = |[present, absent]: &[Validator; 2]| {
        let active_weight = u128::from(active) * u128::from(present.effective);
        let rest = u128::from(all - active) * u128::from(absent.effective);
        justifies(active_weight, active_weight + rest)
    };
    ETHEREUM.until(20_000, |_, place| place == 0, enough)
}

/// SCIENCE S15: the row "exact".
#[test]
fn s15_finality_returns_in_the_epochs_of_the_table() {
    for (percent, epoch) in [(66, 512), (60, 2948), (50, 4685), (40, 6092)] {
        assert_eq!(finalises(percent, 100), Some(epoch), "{percent}");
    }
}

/// SCIENCE S15: "exactly 1/3 offline never leaks": two thirds are enough at once.
#[test]
fn s15_exactly_a_third_absent_never_leaks() {
    assert_eq!(finalises(2, 3), Some(0));
    assert_eq!(finalises(200_000, 300_000), Some(0));
    assert_eq!(finalises(199_999, 300_000), Some(512), "one fewer, and one step");
}

#[test]
fn who_is_heard_loses_nothing_and_makes_good_one_of_four() {
    let mut one = ETHEREUM.validator();
    for _ in 0..10 {
        ETHEREUM.epoch(&mut one, false);
    }
    let before = one;
    for _ in 0..50 {
        ETHEREUM.epoch(&mut one, true);
    }
    assert_eq!((before.score, one.score), (40, 0));
    assert_eq!(
        one.balance, before.balance,
        "the chain does not pay in a leak, and does not fine either"
    );
}

#[test]
fn a_balance_that_rises_is_followed_late() {
    let generous = Rules { back: ETHER / 4, ..ETHEREUM };
    let mut one = Validator { balance: 30 * ETHER, effective: 30 * ETHER, ..ETHEREUM.validator() };
    let rises = (1..).find(|_| {
        generous.epoch(&mut one, true);
        one.effective > 30 * ETHER
    });
    assert_eq!((rises, one.effective), (Some(6), 31 * ETHER), "more than a quarter above the next");
    assert!(one.effective < whole() * ETHER);
}

proptest! {
    /// A small net's leak is Ethereum's under scaled constants: whoever misses what.
    #[test]
    fn the_ledgers_leak_is_ethereums_under_other_constants(
        quotient in 1..1_000_000_u64,
        heard in prop::collection::vec(any::<bool>(), 0..300),
    ) {
        let leak = Leak {
            mode: Mode::Recovery, quotient, tolerates_permille: 100, bounded: false, grace_rounds: 5,
        };
        let rules = Rules::scaled(WHOLE.into(), quotient, WHOLE.div_ceil(16).into());
        let (mut share, mut validator) = (Share::FULL, rules.validator());
        for is_heard in heard {
            share = if is_heard { leak.hear(share) } else { leak.miss(share) };
            rules.epoch(&mut validator, is_heard);
            prop_assert_eq!(u64::from(share.left), validator.effective);
            prop_assert_eq!(u64::from(share.score), validator.score);
            prop_assert_eq!(validator.balance, validator.effective);
        }
    }

    /// A floor under it changes nothing until it is reached.
    #[test]
    fn a_floor_stops_it_and_changes_nothing_else(
        quotient in 1..100_000_u64,
        permille in 0..334_u64,
        misses in 0..2_000_u64,
    ) {
        let leak = Leak {
            mode: Mode::Recovery, quotient, tolerates_permille: permille, bounded: true, grace_rounds: 5,
        };
        let rules = Rules::scaled(WHOLE.into(), quotient, 0);
        let (mut share, mut validator) = (Share::FULL, rules.validator());
        for _ in 0..misses {
            share = leak.miss(share);
            rules.epoch(&mut validator, false);
        }
        prop_assert_eq!(u64::from(share.left), validator.effective.max(leak.floor().into()));
    }
}
