//! What is known of rules of retargeting, for blocks that come at exponential times.

use consensus::nakamoto::retarget::Rule;
use std::f64::consts::LN_2;

/// The mean interval in wanted ones, and the standard deviation of the logarithm of the difficulty,
/// while the hash rate stays. None is known for LWMA.
///
/// Bitcoin: a window's difficulty is in inverse proportion to the time that the N-1 intervals before
/// took, which follows a gamma distribution. The mean of its inverse is 1/(N-2), the variance of its
/// logarithm nearly 1/(N-3/2).
///
/// ASERT: the chain never leaves its schedule for good, and the logarithm of the difficulty is an
/// autoregressive process, which after each block falls by a = ln 2 / half-life times the excess of
/// the interval.
pub(crate) fn evenness(rule: Rule, window: f64) -> Option<(f64, f64)> {
    match rule {
        Rule::Bitcoin { .. } => Some((window / (window - 2.0), 1.0 / libm::sqrt(window - 3.0))),
        Rule::Asert => Some((1.0, libm::sqrt(LN_2 / (2.0 * window)))),
        Rule::Lwma { .. } => None,
    }
}

/// How many blocks, and how many wanted intervals, it takes until the difficulty is within a factor
/// `near` of its new level, after the hash rate was multiplied by `factor`. Known for ASERT alone, and
/// without the wavering of the difficulty, which makes it a little shorter.
///
/// Our own: at a difficulty of y times the new level an interval is y wanted ones, and the logarithm
/// of y falls by a (y - 1) for each block. So dn = -dy / (a y (y - 1)) and dt = y dn.
pub(crate) fn response(rule: Rule, half_life: f64, factor: f64, near: f64) -> Option<(f64, f64)> {
    if rule != Rule::Asert {
        return None;
    }
    let from = 1.0 / factor;
    let to = if from > 1.0 { near } else { 1.0 / near };
    let blocks = |y: f64| libm::log(y / (y - 1.0).abs());
    let time = |y: f64| -libm::log((y - 1.0).abs());
    let memory = half_life / LN_2;
    Some((memory * (blocks(to) - blocks(from)), memory * (time(to) - time(from))))
}

#[cfg(test)]
mod tests;
