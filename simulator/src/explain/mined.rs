//! Tells of blocks that carry work: which branches grew, which was heavier, what was undone.

use super::{facts::Facts, opening};
use crate::{Scenario, Variant, World, scenario::Outcome};
use consensus::Protocol;

pub(super) fn tell<P: Protocol>(
    scenario: &Scenario,
    variant: Variant,
    _outcome: &Outcome,
    world: &World<P>,
) -> Vec<String> {
    let facts = Facts::of(world);
    let mut sentences = Vec::new();
    opening::tell(&mut sentences, scenario, variant, &facts, None);
    opening::tell_rule(&mut sentences, variant);
    sentences
}
