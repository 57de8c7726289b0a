//! Who of some replicas is which: all ways there are, or some that chance chooses.

use crate::{setup::stream, topology::shuffled};
use ledger::ReplicaId;
use std::collections::BTreeSet;

/// In how many ways so many can be chosen out of `all`; saturating.
pub(super) fn ways(all: u32, chosen: u32) -> u64 {
    let mut ways: u64 = 1;
    for step in 0..u64::from(chosen.min(all)) {
        // In this order each division leaves no rest.
        let more = u128::from(ways) * u128::from(u64::from(all) - step) / u128::from(step + 1);
        ways = u64::try_from(more).unwrap_or(u64::MAX);
    }
    if chosen > all { 0 } else { ways }
}

/// The `number`th way to choose so many out of some, in lexical order, counted from zero.
pub(super) fn way(of: &[ReplicaId], chosen: u32, mut number: u64) -> BTreeSet<ReplicaId> {
    let mut picked = BTreeSet::new();
    let mut left = chosen;
    for (at, id) in of.iter().enumerate() {
        if left == 0 {
            break;
        }
        let after = (of.len() - at - 1) as u32;
        let with = ways(after, left - 1);
        if number < with {
            picked.insert(*id);
            left -= 1;
        } else {
            number -= with;
        }
    }
    picked
}

/// So many out of all replicas, each choice as likely as any other.
pub(super) fn drawn(replicas: u32, chosen: u32, seed: u64, number: u64) -> Vec<ReplicaId> {
    let mut ids = shuffled(replicas, &mut stream(seed, "labs/placement", number));
    ids.truncate(chosen as usize);
    ids
}

#[cfg(test)]
mod tests;
