//! What Eyal and Sirer calculate of SM1.

/// The attacker's share of the main chain (equation 8), for `alpha` below one half.
pub(crate) fn revenue(alpha: f64, gamma: f64) -> f64 {
    let (a, b) = (alpha, 1.0 - alpha);
    (a * b * b * (4.0 * a + gamma * (1.0 - 2.0 * a)) - a * a * a)
        / (1.0 - a * (1.0 + (2.0 - a) * a))
}

/// Above which share of the hashing it gets more than that (observation 1).
pub(crate) fn threshold(gamma: f64) -> f64 {
    (1.0 - gamma) / (3.0 - 2.0 * gamma)
}

#[cfg(test)]
mod tests;
