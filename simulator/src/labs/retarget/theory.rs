//! What is known of rules of retargeting while the hash rate stays, and blocks come at exponential
//! times.

use consensus::nakamoto::retarget::Rule;
use std::f64::consts::LN_2;

/// The mean time between two blocks, in wanted ones. None is known for LWMA.
///
/// Bitcoin: a window's difficulty is in inverse proportion to the time that the N-1 intervals before
/// took, which follows a gamma distribution; the mean of its inverse is 1/(N-2). ASERT never leaves
/// its schedule for good.
pub(crate) fn interval(rule: Rule, window: f64) -> Option<f64> {
    match rule {
        Rule::Bitcoin { .. } => Some(window / (window - 2.0)),
        Rule::Asert => Some(1.0),
        Rule::Lwma { .. } => None,
    }
}

/// The standard deviation of the natural logarithm of the difficulty, nearly.
///
/// Bitcoin: that of the logarithm of N-1 intervals, whose relative deviation is 1/√(N-1), and a
/// little more.
///
/// ASERT: the logarithm is an autoregressive process, which after each block falls by
/// a = ln 2 / half-life times the excess of the interval; its variance is a/2.
///
/// LWMA (our own): to the first order the logarithm after N blocks is the sum of (1/N - w) times each
/// of their logarithms, less w times the excess of each interval, where w are the weights. The squares
/// of what one interval does to all later blocks add up to 1/N (see the test).
pub(crate) fn spread(rule: Rule, window: f64) -> f64 {
    match rule {
        Rule::Bitcoin { .. } => 1.0 / libm::sqrt(window - 3.0),
        Rule::Asert => libm::sqrt(LN_2 / (2.0 * window)),
        Rule::Lwma { .. } => 1.0 / libm::sqrt(window),
    }
}

#[cfg(test)]
mod tests;
