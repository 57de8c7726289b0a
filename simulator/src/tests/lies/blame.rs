//! Who is to blame where agreement is broken.

use super::*;
use crate::{Violation, checker::Unprovable};
use consensus::nakamoto::Nakamoto;

fn run(lie: &str, replicas: u32, count: u32, seed: u64) -> (World<Tendermint>, Verdict) {
    let mut setup = liars(Tendermint::NAME, replicas, count, lie, seed);
    setup.tracing = Tracing::Off;
    let mut world = world(setup);
    live(&mut world, seconds(15));
    let verdict = checker::judge(&world, Promises::default());
    (world, verdict)
}

fn disagrees(verdict: &Verdict) -> bool {
    verdict.violations.iter().any(|each| matches!(each, Violation::Disagreement { .. }))
}

/// Everybody who is named is a liar, and the evidence is good for whoever knows the keys.
fn assert_just<P: Protocol>(world: &World<P>, verdict: &Verdict) {
    let keys = world.setup().keys(world.genesis());
    for guilt in verdict.blame.iter().flat_map(|blame| &blame.guilty) {
        let liars = &world.setup().byzantine;
        assert!(liars.contains_key(&guilt.replica), "{} is honest: {verdict}", guilt.replica);
        assert_eq!(guilt.evidence.offender, guilt.replica);
        assert!(guilt.evidence.verify(&keys), "{verdict}");
    }
    let blamed = !verdict.blame.is_empty();
    assert_eq!(blamed, disagrees(verdict), "{verdict}");
}

#[test]
fn two_of_four_equivocators_split_the_chain_and_both_are_named_with_proof() {
    let mut split = 0;
    for seed in 0..40 {
        let (world, verdict) = run("equivocate", 4, 2, seed);
        assert_just(&world, &verdict);
        for blame in &verdict.blame {
            let named: Vec<_> = blame.guilty.iter().map(|guilt| guilt.replica).collect();
            assert_eq!(named, [ReplicaId(2), ReplicaId(3)], "seed {seed}: {verdict}");
            assert_eq!((blame.weight, blame.total, &blame.unprovable), (2, 4, &None));
        }
        split += usize::from(disagrees(&verdict));
    }
    println!("{split} of 40 seeds split");
    assert!(split > 0);
}

/// One more than may be, of every lie there is: whoever is honest is never named.
#[test]
fn nobody_honest_is_ever_named() {
    for lie in byzantine::list(Tendermint::NAME).expect("it is a module") {
        for (replicas, seeds) in [(4, 0..4), (7, 0..2)] {
            for seed in seeds {
                let (world, verdict) = run(lie.name, replicas, bound(replicas) + 1, seed);
                assert_just(&world, &verdict);
            }
        }
    }
}

#[test]
fn amnesia_cannot_be_proven_and_the_verdict_says_why() {
    let (world, verdict) = run("amnesia", 4, 2, 0);
    assert!(disagrees(&verdict), "{verdict}");
    assert_just(&world, &verdict);
    for blame in &verdict.blame {
        assert_eq!(blame.guilty, []);
        let Some(Unprovable::Amnesia { slots: [one, other], both }) = &blame.unprovable else {
            panic!("{verdict}");
        };
        assert_ne!(one.round, other.round);
        assert_eq!(*both, [ReplicaId(2), ReplicaId(3)]);
    }
    let text = verdict.to_string();
    assert!(text.contains("no message contradicts another"), "{text}");
    let json = serde_json::to_value(&verdict).expect("it is plain data");
    assert_eq!(json["blame"][0]["unprovable"]["reason"], "amnesia");
}

/// Two halves mine for longer than what they hold irreversible.
#[test]
fn nobody_signs_a_fork_of_work() {
    let mut setup = Setup::new(Nakamoto::NAME, 4, 3);
    setup.settings.insert("pow.irreversible".into(), 6);
    let halves = vec![ALL[..2].to_vec(), ALL[2..].to_vec()];
    setup.schedule = crate::Schedule::default().at(seconds(5), crate::Fault::Partition(halves));
    let mut world =
        World::<Nakamoto>::new(setup, |genesis| Module::new(genesis).expect("settings are good"));
    world.run_for(seconds(60));
    let verdict = checker::judge(&world, Promises { may_revert: true, ..Promises::default() });
    assert!(disagrees(&verdict), "{verdict}");
    assert_just(&world, &verdict);
    let why = verdict.blame.iter().map(|blame| &blame.unprovable);
    assert!(
        why.clone().count() > 0 && why.into_iter().all(|why| *why == Some(Unprovable::NobodySigns))
    );
}

fn censored(verdict: &Verdict) -> usize {
    let censored = |each: &&Violation| matches!(each, Violation::Censored { .. });
    verdict.violations.iter().filter(censored).count()
}

/// A censor among four only delays. Where nobody orders anything, all that was taken is told of.
#[test]
fn what_is_out_for_longer_than_a_bound_is_told() {
    let run = |lie, count, within| {
        let mut world = world(liars(Tendermint::NAME, 4, count, lie, 1));
        live(&mut world, seconds(40));
        let promises = Promises { censorship: Some(within), ..Promises::default() };
        checker::judge(&world, promises)
    };
    for (count, within) in [(0, 2), (1, 4)] {
        let verdict = run("censor", count, seconds(within));
        assert!(verdict.holds(), "{verdict}");
    }
    let halted = run("silent", 2, seconds(5));
    // One a second in the beginning; those of the last seconds may wait.
    assert!((34..=36).contains(&censored(&halted)), "{halted}");
    assert_eq!(halted.violations.len(), censored(&halted));
    assert!(halted.to_string().contains("was not final anywhere within 5s"), "{halted}");
    let world = world(four(1));
    assert_eq!(censored(&checker::judge(&world, Promises::default())), 0);
}
