//! Lies that know Tendermint.

use super::{
    faults::{survive_all, survive_in},
    *,
};
use crate::{Violation, delay::Delay, network::Conditions};

/// A network on which rounds fail now and then: late beside the timeouts, and lossy.
fn rough() -> Conditions {
    let latency = Delay::Uniform(Duration::from_millis(20)..Duration::from_millis(140));
    Conditions { latency: latency.into(), loss: 100_000, ..Conditions::default() }
}

fn survive_roughly(lie: &str) -> Vec<World<Tendermint>> {
    survive_in(lie, |setup| setup.network = rough())
}

fn splits(lie: &str, replicas: u32, seeds: std::ops::Range<u64>) -> Vec<World<Tendermint>> {
    let split = |seed| {
        let mut world = world(liars(Tendermint::NAME, replicas, bound(replicas) + 1, lie, seed));
        live(&mut world, seconds(20));
        let verdict = checker::judge(&world, Promises::default());
        let split = |each: &Violation| matches!(each, Violation::Disagreement { .. });
        verdict.violations.iter().any(split).then_some(world)
    };
    seeds.filter_map(split).collect()
}

#[test]
fn double_voters_are_outvoted_and_convicted() {
    for world in survive_all("double-vote") {
        for kind in ["proposal", "prevote", "precommit"] {
            let told = times(&world, &format!("says two {kind}s"));
            assert!(told > 2, "{kind}: {:?}", told);
            let convicted = world.record().equivocations().iter();
            assert!(convicted.filter(|each| each.first.kind == kind).count() > 0, "{kind}");
        }
        let liars = &world.setup().byzantine;
        let convicted = world.record().equivocations().iter();
        assert!(convicted.map(|each| each.signer).all(|signer| liars.contains_key(&signer)));
    }
}

#[test]
fn one_more_double_voter_than_may_be_splits_everybody() {
    for replicas in [4, 7] {
        let split = splits("double-vote", replicas, 0..5).len();
        println!("of {replicas}: {split} of 5 seeds split");
        assert!(split > 0);
    }
}

#[test]
fn the_forgetful_convince_nobody() {
    for world in survive_all("amnesia") {
        assert!(times(&world, "forgets its lock") > 2, "{:?}", told(&world));
        assert_eq!(world.record().equivocations(), [], "nothing is said twice");
    }
}

/// What makes amnesia worse than equivocation: the chain is split, and no two messages contradict.
#[test]
fn one_more_forgetful_than_may_be_splits_everybody_without_contradicting_itself() {
    let split = splits("amnesia", 4, 0..5);
    println!("{} of 5 seeds split", split.len());
    assert!(!split.is_empty());
    for world in split {
        assert_eq!(world.record().equivocations(), []);
    }
}

#[test]
fn hidden_polkas_stop_nobody() {
    let mut alone = 0;
    for world in survive_roughly("withhold") {
        assert!(times(&world, "shows its prevote to") > 5, "{:?}", told(&world));
        assert!(times(&world, "keeps its precommit") > 5);
        alone += remarks(&world, "timeout", "precommit");
    }
    assert!(alone > 10, "rounds failed and were got over: {alone}");
}

#[test]
fn relabelled_votes_are_forgeries() {
    let (mut told, mut dropped) = (0, 0);
    for world in survive_roughly("relabel") {
        told += times(&world, "passes off");
        dropped += remarks(&world, "dropped", "a prevote of its polka is forged");
        assert_eq!(remarks(&world, "dropped", "does not bring the polka"), 0);
    }
    println!("told {told} times, dropped {dropped} times");
    assert!(told > 10 && dropped > 10, "told {told} times, dropped {dropped} times");
}

#[test]
fn nobody_follows_into_a_far_round() {
    for world in survive_all("far-future") {
        assert!(times(&world, "speaks of round 1") > 10, "{:?}", told(&world));
        assert_eq!(remarks(&world, "skip", " to 1"), 0);
        assert!(remarks(&world, "dropped", "too many rounds") > 10, "they are not kept");
    }
}

/// All rounds succeed, and the chain is slower.
#[test]
fn a_slow_leader_keeps_its_turn() {
    let mut late = 0;
    let steady = |setup: &mut Setup| setup.network.latency = Duration::from_millis(20).into();
    for world in survive_in("slow-leader", steady) {
        let told = times(&world, "proposes 400 ms late");
        assert!(told > 3);
        late += remarks(&world, "timeout", "propose");
        let liars = world.setup().byzantine.len() as u64;
        let ledger = world.ledger(ALL[0]).expect("it is up");
        let theirs = |height: &u64| {
            let block = ledger.committed(*height).expect("it is committed");
            world.setup().byzantine.contains_key(&block.header.proposer)
        };
        let theirs = (1..=ledger.height()).filter(theirs).count() as u64;
        let fair = ledger.height() * liars / u64::from(world.setup().replicas);
        assert!(theirs.abs_diff(fair) < 3, "{theirs} blocks are theirs, not {fair}");
    }
    assert_eq!(late, 0);
}

/// What it can do where weights fade without a floor, the lab `leak-partition` measures.
#[test]
fn who_straddles_is_outvoted_and_never_contradicts_itself() {
    for world in survive_all("straddle") {
        assert!(times(&world, "leaves its ") > 2, "{:?}", told(&world));
        assert_eq!(world.record().equivocations(), [], "nothing is said twice");
    }
}
