//! Forks of many small miners with a constant delay, `x` mean times between finds. After the first
//! block of a height the others search for a rival until they hear of it, and find as many as
//! Poisson's distribution says, with the mean x.

/// The share of heights with more than one block.
pub(crate) fn fork(x: f64) -> f64 {
    -libm::expm1(-x)
}

/// The share of blocks that are not in the main chain: of 1 + x at each height one is.
pub(crate) fn stale(x: f64) -> f64 {
    x / (1.0 + x)
}

/// The mean time between blocks of the main chain, in mean times between finds.
pub(crate) fn interval(x: f64) -> f64 {
    1.0 + x
}

#[cfg(test)]
mod tests;
