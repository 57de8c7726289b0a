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

/// The standard deviation of the attacker's share of a main chain of N blocks, times the square root
/// of N.
///
/// Our own: the chain is a sequence of independent cycles, from nothing hidden to nothing hidden. In
/// one of them the attacker has A blocks of M, and the share of a long chain has the variance
/// E\[(A - R M)^2\] / (E\[M\] N), as ratios of sums over cycles have.
pub(crate) fn deviation(alpha: f64, gamma: f64) -> f64 {
    let share = revenue(alpha, gamma);
    let (mut squares, mut length) = (0.0, 0.0);
    for (chance, attacker, honest) in short_cycles(alpha, gamma) {
        let excess = (1.0 - share) * attacker - share * honest;
        squares += chance * excess * excess;
        length += chance * (attacker + honest);
    }
    let (chance, mean, square) = long_cycle(alpha);
    squares += chance * (1.0 - share) * (1.0 - share) * square;
    length += chance * mean;
    libm::sqrt(squares / length)
}

/// Chance, the attacker's blocks and the others' of each cycle in which at most one block is hidden.
fn short_cycles(alpha: f64, gamma: f64) -> [(f64, f64, f64); 4] {
    let (a, b) = (alpha, 1.0 - alpha);
    let race = a * b;
    [
        (b, 0.0, 1.0),
        (race * a, 2.0, 0.0),
        (race * b * gamma, 1.0, 1.0),
        (race * b * (1.0 - gamma), 0.0, 2.0),
    ]
}

/// The chance that two are hidden, and the mean and the mean square of the attacker's blocks then; the
/// others have none.
///
/// From two ahead the lead is a random walk until it is one. Of the X steps up that it takes, the
/// generating function is G(s) = b + a s G(s)^2.
fn long_cycle(alpha: f64) -> (f64, f64, f64) {
    let drift = 1.0 - 2.0 * alpha;
    let mean = alpha / drift;
    let square = (4.0 * alpha * mean + 2.0 * alpha * mean * mean) / drift + mean;
    (alpha * alpha, 2.0 + mean, 4.0 + 4.0 * mean + square)
}

#[cfg(test)]
mod tests;
