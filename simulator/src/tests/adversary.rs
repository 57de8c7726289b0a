//! What an adversary chooses, in worlds of whole replicas.

use super::*;
use crate::adversary::{Adversary, Choice, Crash, Place, SCRIPT, Withhold};
use consensus::byzantine::{
    mutants,
    script::{Line, Word},
};
use std::collections::BTreeSet;

fn precommit() -> Place {
    Place { kind: "precommit".into(), height: 1, round: 0 }
}

fn ids(ids: &[u32]) -> BTreeSet<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

/// Four replicas whose adversary has its way for three seconds.
fn with(seed: u64, choices: Vec<Choice>) -> Setup {
    Setup { adversary: Adversary { choices }, catch_up: Some(seconds(3)), ..four(seed) }
}

#[test]
fn who_does_not_hear_the_precommits_learns_of_the_decision_when_the_adversary_lets_go() {
    for seed in 0..5 {
        let (from, to) = (ids(&[0, 1, 2]), ids(&[3]));
        let withhold = Withhold { what: precommit(), from, to, until: None };
        let mut world = world(with(seed, vec![Choice::Withhold(withhold)]));
        world.run_for(Duration::from_millis(2_950));
        let heights: Vec<_> = ALL.iter().map(|id| world.height(*id)).collect();
        assert_eq!(heights[3], 0, "seed {seed}: nobody may tell it otherwise: {heights:?}");
        assert!(heights[..3].iter().all(|height| *height > 0), "seed {seed}: {heights:?}");
        reach(&mut world, &ALL, heights[0] + 2, seconds(10));
        assert_safe(&world);
    }
}

#[test]
fn what_is_withheld_until_a_time_comes_then() {
    let (from, to) = (ids(&[0, 1, 2, 3]), ids(&[0, 1, 2, 3]));
    let until = Some(Duration::from_millis(2_000));
    let withhold = Withhold { what: precommit(), from, to, until };
    let mut world = world(with(1, vec![Choice::Withhold(withhold)]));
    world.run_for(Duration::from_millis(1_990));
    assert!(ALL.iter().all(|id| world.height(*id) == 0));
    world.run_for(Duration::from_millis(200));
    assert!(ALL.iter().all(|id| world.height(*id) == 1), "{world:?}");
    assert_safe(&world);
}

/// Once, and right after what it names; then the replica goes on from what it knows.
#[test]
fn a_replica_crashes_after_what_it_said_and_lives_again() {
    let crash = Crash { replica: ALL[2], after: precommit(), down: Duration::from_millis(300) };
    let mut world = world(with(2, vec![Choice::Crash(crash)]));
    assert!(world.run_until(|world| !world.is_up(ALL[2]), seconds(3)), "it never crashed");
    assert_eq!(world.height(ALL[2]), 0, "its precommit left, and it heard no quorum of them");
    world.run_for(Duration::from_millis(299));
    assert!(!world.is_up(ALL[2]));
    world.run_for(Duration::from_millis(2));
    assert!(world.is_up(ALL[2]));
    reach(&mut world, &ALL, 4, seconds(20));
    assert!(world.is_up(ALL[2]), "it does not crash again");
    assert_safe(&world);
}

/// With its lock and its votes gone, the same replica votes anew in a round it had voted in.
#[test]
fn a_mutant_that_forgets_has_nothing_on_its_disk_after_a_crash() {
    let crash = Crash { replica: ALL[2], after: precommit(), down: Duration::from_millis(20) };
    let (_, about) = mutants::find("T9").unwrap();
    let signed_twice = |mutant| {
        let mut setup = with(3, vec![Choice::Crash(crash.clone())]);
        setup.mutant = mutant;
        let mut world = world(setup);
        world.run_for(seconds(3));
        let twice = world.record().equivocations().iter().map(|each| each.signer);
        twice.collect::<BTreeSet<_>>()
    };
    assert_eq!(signed_twice(None), BTreeSet::new());
    assert_eq!(signed_twice(Some(about)), ids(&[2]));
}

/// Who is named hears the line, the others what an honest replica would say.
#[test]
fn a_scripted_liar_says_its_lines_in_place_of_the_truth() {
    let line = Line {
        kind: "prevote".into(),
        height: 1,
        round: 0,
        value: Word::Nil,
        to: vec![ALL[0]],
        ..Line::default()
    };
    let mut setup = with(4, vec![Choice::Say { by: ALL[3], line }]);
    setup.byzantine.insert(ALL[3], SCRIPT.into());
    let mut world = world(setup);
    reach(&mut world, &ALL[..3], 3, seconds(20));
    let twice = world.record().equivocations();
    let twice: Vec<_> = twice.iter().map(|each| (each.signer, each.slot.height)).collect();
    assert_eq!(twice, [(ALL[3], 1)], "one slot, two values");
}

/// A script is the honest protocol but for its lines; without any it changes nothing but whose it is.
#[test]
fn a_script_without_lines_is_the_truth() {
    for seed in 0..5 {
        let heights = |lie: Option<&str>| {
            let mut setup = four(seed);
            setup.byzantine.extend(lie.map(|lie| (ALL[3], lie.to_owned())));
            let mut world = world(setup);
            world.run_for(seconds(10));
            ALL.map(|id| world.decided(id).clone())
        };
        assert_eq!(heights(None), heights(Some(SCRIPT)), "seed {seed}");
    }
}
