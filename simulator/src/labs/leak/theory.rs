//! What is calculated of a leak by rows.

use super::super::{Part, ethereum::Rules};
use ledger::leak::{Leak, WHOLE};

/// After how many misses in a row `is_enough` says so of what is left of somebody, in millionths; none if
/// it stops falling before.
pub(crate) fn misses(quotient: u64, floor: u64, is_enough: impl Fn(u64) -> bool) -> Option<u64> {
    let rules = Rules::scaled(WHOLE.into(), quotient, 0);
    let mut absent = rules.validator();
    for misses in 0.. {
        let left = absent.effective.max(floor);
        if is_enough(left) {
            return Some(misses);
        }
        if left == floor {
            break;
        }
        rules.epoch(&mut absent, false);
    }
    None
}

/// After how many rows in which nobody else is heard the active of some equals are more than two thirds
/// of what counts. None if they never are.
pub(crate) fn recovery(leak: &Leak, Part { some, all }: Part) -> Option<u64> {
    let quorum = |left: u64| {
        3 * some * u64::from(WHOLE) > 2 * (some * u64::from(WHOLE) + (all - some) * left)
    };
    let beta = leak.tolerates_permille;
    // (1+β) / 2(1-β), rounded up; and who is no more than (1+β)/2 of all says nothing about others.
    let floor = (u64::from(WHOLE) * (1000 + beta)).div_ceil(2 * (1000 - beta));
    let (floor, speaks) = match leak.bounded {
        true => (floor, 2000 * some > (1000 + beta) * all),
        false => (0, true),
    };
    match speaks {
        true => misses(leak.quotient, floor, quorum),
        false => quorum(WHOLE.into()).then_some(0),
    }
}

/// What must be left of the absent for that at most, as a share: p / 2(1-p).
pub(crate) fn needed(active: Part) -> f64 {
    active.share() / (2.0 - 2.0 * active.share())
}

/// When so much is left, if it falls as e^(-t² / 2Q).
pub(crate) fn closed(quotient: u64, left: f64) -> f64 {
    libm::sqrt((2.0 * quotient as f64 * libm::log(1.0 / left)).max(0.0))
}

/// How far the closed form is from the rows that it takes.
///
/// Our own: after k rows the logarithm of what is left is Σ ln(1 - i/Q) = -k(k+1)/2Q - k³/6Q² - …, so that
/// k = √(t² + 1/4) - 1/2 - t²/6Q, rounded up: what leaves less than a row for small t, and half a row and the
/// last term for great ones. (The square of that is for what is left out of the series.)
pub(crate) fn rounding(quotient: u64, closed: f64) -> f64 {
    let curved = closed * closed / (6.0 * quotient as f64);
    let little = libm::sqrt(closed * closed + 0.25) - closed;
    0.5 + (curved + curved * curved).max(little) + 1e-6
}

#[cfg(test)]
mod tests;
