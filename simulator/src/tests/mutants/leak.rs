//! Weak rules where the weight of the absent fades: a leak excuses none of them.

use super::*;
use crate::{
    Scenario, Variant,
    adversary::{Adversary, Choice, Place, Withhold},
    explore::{attempt, general},
};
use consensus::tendermint::Commit;

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

/// Why K4 would be one: a chain that took the next heights' weights from the certificate, and not from the
/// block, would have two. Here a block of round 0, which tells of no leak, is decided twice: before one replica at
/// once, before the others in round 2, under a table in which that one has missed a round.
#[test]
fn k4_two_certificates_of_one_block_lead_to_one_state() {
    let withhold = |kind: &str, round, from: &[u32], to: &[u32]| {
        let [from, to] = [from, to].map(|ids| ids.iter().copied().map(ReplicaId).collect());
        let what = Place { kind: kind.into(), height: 1, round };
        Choice::Withhold(Withhold { what, from, to, until: None })
    };
    let choices = vec![
        withhold("precommit", 0, &[0, 1, 2, 3], &[1, 2, 3]),
        withhold("proposal", 1, &[2], &[1, 3]),
    ];
    let mut setup = Setup::new(Tendermint::NAME, 4, 1);
    setup.settings.extend(general(&Variant::mutant("K3").expect("it is a mutant")).settings);
    (setup.adversary, setup.catch_up) = (Adversary { choices }, Some(seconds(10)));
    let mut world = world(setup);
    world.run_for(seconds(30));
    let ledger = |id| world.ledger(ReplicaId(id)).expect("it is up");
    let commit = |id| Commit::decode(&ledger(id).finality(1).expect("it is final").proof).unwrap();
    let [one, other] = [0, 1].map(commit);
    assert_eq!((one.block, one.round, other.round), (other.block, 0, 2));
    assert!(one.table.is_empty() && !other.table.is_empty());
    // What follows is that of the block, for both.
    let [headers, others] = [0, 1].map(|id| {
        [1, 2, 3].map(|height| ledger(id).committed(height).expect("it went on").header.clone())
    });
    assert_eq!(headers, others);
    let founders = world.genesis().committee().unwrap();
    assert_eq!((headers[0].leak, headers[0].committee), (crypto::Hash::ZERO, founders.root()));
    let leak = world.genesis().leak().expect("it was set");
    let by_certificate = other.table.matrix().weigh(&founders, &leak);
    assert_ne!(by_certificate.root(), founders.root(), "the mutant's weights are others");
    assert_safe(&world);
}
