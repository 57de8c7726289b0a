//! Twins: a liar is two honest replicas with one key. Who meets which of the two, and how everybody is
//! split round by round, is counted through.
//!
//! Of two splits that differ only by which side is called left, one is tried: that is the symmetry
//! there is, since replicas take turns to lead and are no two alike.

use super::{Dice, faulty, rounds::withheld};
use crate::Scenario;
use consensus::byzantine::script::Part;
use ledger::ReplicaId;
use std::collections::BTreeSet;

/// How many rounds are split.
const ROUNDS: u32 = 3;

/// Makes up the `number`-th schedule.
pub(super) fn vary(scenario: &mut Scenario, parts: &[Part], number: u64, dice: &mut Dice) {
    let replicas = scenario.replicas;
    let mut number = number;
    let mut next = |bound: u64| {
        let digit = number % bound.max(1);
        number /= bound.max(1);
        digit
    };
    let first = next(replicas.into()) as u32;
    let liars: BTreeSet<_> =
        (0..faulty(replicas)).map(|more| ReplicaId((first + more) % replicas)).collect();
    let honest: Vec<_> = (0..replicas).map(ReplicaId).filter(|id| !liars.contains(id)).collect();
    // The first honest replica is always on the left.
    let splits = 1 << (honest.len() - 1);
    let right = |bits: u64| -> BTreeSet<ReplicaId> {
        let others = honest.iter().skip(1).enumerate();
        others.filter(|(at, _)| bits >> at & 1 == 1).map(|(_, id)| *id).collect()
    };
    scenario.byzantine = liars.iter().map(|id| (*id, "equivocate".to_owned())).collect();
    scenario.faces = Some(right(next(splits)));
    let mut choices = Vec::new();
    for round in 0..u64::from(ROUNDS) {
        let right = right(next(splits));
        let left: BTreeSet<_> = honest.iter().copied().filter(|id| !right.contains(id)).collect();
        // Everything of a round, or, by chance, what is said last in it only.
        let kinds = if dice.chance(50) { parts } else { &parts[parts.len().min(2)..] };
        for part in kinds {
            choices.extend(withheld(part, 1, round, left.clone(), right.clone()));
            choices.extend(withheld(part, 1, round, right.clone(), left.clone()));
        }
    }
    scenario.adversary.choices = choices;
}
