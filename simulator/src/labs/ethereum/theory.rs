//! The leak of a long partition as people calculate it: with derivatives instead of steps.

use super::{ETHER, Rules};

/// 2Q: what is left of a balance after t missed epochs is e^(-t² / 2^25).
const SPREAD: f64 = (1_u64 << 25) as f64;

/// How long it takes until a share `left` of a balance is left whose owner is always absent; zero if it is all.
pub(crate) fn missed_until(left: f64) -> f64 {
    libm::sqrt((SPREAD * libm::log(1.0 / left)).max(0.0))
}

/// The share that is left after so many missed epochs.
pub(crate) fn left_after(epochs: f64) -> f64 {
    libm::exp(-epochs * epochs / SPREAD)
}

/// The effective balance to which the absent must fall, in whole ether, until a share `active` of all
/// validators has two thirds: 32 p ≥ 2 k (1 - p). All 32 if it has them anyway.
pub(crate) fn needed(active: u64, all: u64) -> u64 {
    match all - active {
        0 => whole(),
        absent => (16 * active / absent).min(whole()),
    }
}

/// When the effective balance of one who is always absent has fallen to `ether`, within an epoch.
///
/// Our own. An effective balance follows when a quarter is missing, and until then penalties stay as they are
/// but for the score: while it is k, a whole ether goes in the time in which t(t+1) grows by 2²⁵/k. (Of 32 a
/// quarter is enough.)
pub(crate) fn stepped_until(ether: u64) -> f64 {
    let steps = (ether..whole()).map(|below| match below + 1 == whole() {
        true => 0.25 / whole() as f64,
        false => 1.0 / (below + 1) as f64,
    });
    libm::sqrt(SPREAD * steps.sum::<f64>() + 0.25) - 0.5
}

/// Balance and effective balance, in ether, after so many missed epochs: by the same steps.
pub(crate) fn stepped_after(epochs: f64) -> (f64, f64) {
    let mut rest = epochs.max(0.0) * (epochs.max(0.0) + 1.0) / SPREAD;
    let (mut balance, mut effective) = (whole() as f64, whole() as f64);
    while effective > 0.0 {
        let step = (balance - effective + 0.25) / effective;
        if rest < step {
            return (balance - effective * rest, effective);
        }
        rest -= step;
        (balance, effective) = (effective - 0.25, effective - 1.0);
    }
    (balance, effective)
}

/// 32.
pub(crate) fn whole() -> u64 {
    Rules::ETHEREUM.whole / ETHER
}

/// What a Byzantine validator does that both halves of a partition hear now and then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Straddling {
    /// It votes on both branches in every epoch, which is slashable.
    Double,
    /// On one branch in every second epoch, on the other in those between, and pays in the epochs it misses.
    Alternating,
    /// The same where it pays in every epoch, as a paper calculates.
    AlwaysCharged,
}

impl Straddling {
    /// The share of its balance that is left on either branch after so many epochs. Its score grows by 3 in
    /// two epochs, where that of the absent grows by 8.
    pub(crate) fn left_after(self, epochs: f64) -> f64 {
        let part = match self {
            Straddling::Double => 0.0,
            Straddling::Alternating => 3.0 / 16.0,
            Straddling::AlwaysCharged => 3.0 / 8.0,
        };
        libm::exp(-part * epochs * epochs / SPREAD)
    }
}

/// After how many epochs both of two equal honest halves have two thirds on their branch, with the help of a
/// share `byzantine` of all: ½(1-β) + β y(t) = (1-β) e^(-t² / 2^25). What is left of the Byzantine and of the
/// absent may be `off` by so much of a whole balance. Without the end that ejection makes.
pub(crate) fn both_finalise(byzantine: f64, how: Straddling, off: (f64, f64)) -> f64 {
    let honest = 1.0 - byzantine;
    let lacks = |epochs| {
        let (ours, theirs) = (how.left_after(epochs) + off.0, left_after(epochs) + off.1);
        honest / 2.0 + byzantine * ours < honest * theirs
    };
    let (mut from, mut to) = (0.0, 1e5);
    for _ in 0..60 {
        let middle = (from + to) / 2.0;
        *(if lacks(middle) { &mut from } else { &mut to }) = middle;
    }
    to
}

/// The Byzantine share of a branch after so many epochs, once its absent have left.
pub(crate) fn share_without_absent(byzantine: f64, how: Straddling, epochs: f64) -> f64 {
    let ours = byzantine * how.left_after(epochs);
    ours / (ours + (1.0 - byzantine) / 2.0)
}

#[cfg(test)]
mod tests;
