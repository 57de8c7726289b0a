//! Weak rules where the weight of the absent fades: a leak excuses none of them.

use super::*;
use crate::{
    Scenario, Variant,
    explore::{attempt, general},
};

/// The schedule that shows what a mutant does, in a chain whose floor bears one Byzantine of four.
fn with_leak(text: &str) -> Scenario {
    let mut scenario = Scenario::parse(text).expect("it is a file of ours");
    let leak = general(&Variant::mutant("K3").expect("it is a mutant")).settings;
    scenario.settings.extend(leak);
    scenario
}

/// Whether the mutant ends in two chains, where the sound module does not.
fn forks(id: &str, scenario: &Scenario) -> bool {
    let variant = Variant::mutant(id).expect("it is a mutant");
    let sound = Variant::sound("tendermint").expect("it is a module");
    assert_eq!(attempt::<Tendermint>(scenario, sound), None, "{id}");
    let finding = attempt::<Tendermint>(scenario, variant);
    matches!(finding, Some(found) if matches!(found.violation, Violation::Disagreement { .. }))
}

#[test]
fn k3_decides_another_value_after_a_leak_took_its_locks() {
    let scenario = Scenario::parse(include_str!("../../../../scenarios/mutants/K3.toml")).unwrap();
    assert!(forks("K3", &scenario));
    // Before the leak begins all tables are empty, and the mutant is as good as any.
    let mut late = scenario;
    late.settings.insert("ledger.leak_grace_rounds".into(), 1000);
    assert!(!forks("K3", &late));
}

#[test]
fn who_minds_no_lock_or_prevotes_twice_forks_with_a_leak_too() {
    assert!(forks("T3", &with_leak(include_str!("../../../../scenarios/mutants/T3.toml"))));
    assert!(forks("T6", &with_leak(include_str!("../../../../scenarios/mutants/T6.toml"))));
}
