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

#[cfg(test)]
mod tests;
