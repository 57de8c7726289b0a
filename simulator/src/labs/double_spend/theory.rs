//! The chance that a payment is undone, by three formulas. In all of them the number of blocks that
//! the attacker finds while the others find z is random, and from k blocks behind it catches up with
//! the chance (q/p)^k, the gambler's ruin. All sums are of positive numbers, so that small chances
//! are as exact as large ones.

/// The paper's (section 11): the attacker's blocks follow Poisson's distribution, as though z
/// blocks always took their average time. A tie counts.
pub(crate) fn nakamoto(q: f64, z: u64) -> f64 {
    let mean = z as f64 * q / (1.0 - q);
    let first = libm::exp(-mean);
    let chances = distribution(first, |found| mean / (found + 1) as f64);
    total(q, z, chances, |found| z.saturating_sub(found))
}

/// Rosenfeld's and Grunspan and Pérez-Marco's: the attacker's blocks follow the negative binomial
/// distribution. A tie counts. Equal to I_{4pq}(z, 1/2).
pub(crate) fn exact(q: f64, z: u64) -> f64 {
    total(q, z, negative_binomial(q, z), |found| z.saturating_sub(found))
}

/// The same, where the attacker must be one block ahead: who sees two branches of one length keeps
/// the first. Nothing is mined before the race.
pub(crate) fn strict(q: f64, z: u64) -> f64 {
    total(q, z, negative_binomial(q, z), |found| (z + 1).saturating_sub(found))
}

/// How many blocks the attacker finds while the others find z.
fn negative_binomial(q: f64, z: u64) -> impl Iterator<Item = f64> {
    let first = libm::pow(1.0 - q, z as f64);
    distribution(first, move |found| q * (z + found) as f64 / (found + 1) as f64)
}

/// The chances of 0, 1, 2 and so on, each of which follows from the one before.
fn distribution(first: f64, next: impl Fn(u64) -> f64) -> impl Iterator<Item = f64> {
    let mut found = 0;
    std::iter::successors(Some(first), move |chance| {
        let following = chance * next(found);
        found += 1;
        Some(following)
    })
}

/// Who found k is `behind(k)` blocks from its aim.
fn total(q: f64, z: u64, chances: impl Iterator<Item = f64>, behind: impl Fn(u64) -> u64) -> f64 {
    let odds = q / (1.0 - q);
    let mut sum = 0.0;
    for (found, chance) in (0..).zip(chances) {
        let part = chance * libm::pow(odds, behind(found) as f64);
        sum += part;
        // Past z the chances fall at least as fast as a geometric series.
        if found > z && part <= sum * f64::EPSILON / 64.0 {
            break;
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests;
