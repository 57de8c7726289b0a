//! How ASERT follows a hash rate.

use std::f64::consts::LN_2;

/// How many blocks, and how many wanted intervals, it takes until the difficulty is within a factor
/// `near` of its new level, after the hash rate was multiplied by `factor`: further than that.
///
/// Our own, of the rule alone, without the wavering of the difficulty: at a difficulty of y times the
/// new level an interval is y wanted ones, and the logarithm of y falls by a (y - 1) for each block,
/// where a = ln 2 / half-life. So dn = -dy / (a y (y - 1)) and dt = y dn.
pub(crate) fn response(half_life: f64, factor: f64, near: f64) -> (f64, f64) {
    let from = 1.0 / factor;
    let to = if from > 1.0 { near } else { 1.0 / near };
    let blocks = |y: f64| libm::log(y / (y - 1.0).abs());
    let time = |y: f64| -libm::log((y - 1.0).abs());
    let memory = half_life / LN_2;
    (memory * (blocks(to) - blocks(from)), memory * (time(to) - time(from)))
}

/// The standard deviation of either in one chain.
///
/// Our own, to first order. A find that comes by chance after y E instead of y wanted intervals, E being
/// exponential, moves the logarithm of the difficulty by a y (E - 1). That is made up for by 1 / (a (y - 1))
/// blocks for each unit, so it shifts the end by y (E - 1) / (y - 1) blocks, whose variances add up:
/// the integral of (y / (y - 1))^2 dn = y / (a |y - 1|^3) dy. To it comes the wavering before the change,
/// whose variance is a / 2. The time has the same deviation, but for that wavering, which counts y times as
/// much: ASERT's difficulty tells how many blocks the chain is ahead of time, and nothing else.
pub(crate) fn deviation(half_life: f64, factor: f64, near: f64) -> f64 {
    let from = 1.0 / factor;
    let to = if from > 1.0 { near } else { 1.0 / near };
    let primitive = |y: f64| {
        let off = (y - 1.0).abs();
        let sign = if y > 1.0 { 1.0 } else { -1.0 };
        -sign / off - 0.5 / (off * off)
    };
    let under_way = (primitive(to) - primitive(from)).abs();
    let before = 0.5 * (from.max(1.0) / (from - 1.0)).powi(2);
    libm::sqrt(half_life / LN_2 * (under_way + before))
}

#[cfg(test)]
mod tests;
