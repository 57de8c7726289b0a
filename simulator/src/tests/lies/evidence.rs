//! Whoever contradicts itself is found out by everybody, and nobody else ever is.

use super::*;
use consensus::byzantine;
use std::collections::BTreeSet;

/// How soon.
const SOON: Duration = Duration::from_secs(2);

/// The liars who signed two values in one slot, with the time at which the second left.
fn contradictions<P: Protocol>(world: &World<P>) -> BTreeMap<ReplicaId, Duration> {
    let mut first = BTreeMap::new();
    for each in world.record().equivocations() {
        let at = each.first.origin.at.max(each.second.origin.at);
        first.entry(each.signer).or_insert(at);
    }
    first
}

/// Against whom each honest replica that is up holds evidence.
fn held<P: Protocol>(world: &World<P>) -> Vec<BTreeSet<ReplicaId>> {
    let honest = world.replicas().filter(|id| !world.setup().byzantine.contains_key(id));
    let dockets = honest.filter_map(|id| world.docket(id));
    dockets.map(|docket| docket.offenders().into_iter().collect()).collect()
}

/// How long after the first contradiction everybody honest held evidence; none if it took too long.
fn found_within(setup: Setup, busy: bool) -> Option<Duration> {
    let mut world = world(setup);
    let step = Duration::from_millis(20);
    let mut caught = None;
    for turn in 0..500_u32 {
        if busy {
            let transfer = Transfer { from: turn % 4, to: (turn + 1) % 4, amount: 1, fee: 1 };
            world.submit(ReplicaId(0), transfer);
        }
        world.run_for(step);
        let lied = contradictions(&world);
        let Some((liar, at)) = lied.iter().min_by_key(|(_, at)| **at) else { continue };
        if held(&world).iter().all(|held| held.contains(liar)) {
            caught = Some(world.now() - *at);
            break;
        }
        if world.now() > *at + SOON {
            break;
        }
    }
    caught
}

/// A quick chain has short heights: a slot dies some tens of milliseconds after it was spoken in.
fn everybody_finds(lie: &str, replicas: u32, busy: bool, seeds: u64) {
    let mut slow = Vec::new();
    let mut worst = Duration::ZERO;
    for seed in 0..seeds {
        let mut setup = liars(Tendermint::NAME, replicas, bound(replicas), lie, seed);
        setup.tracing = Tracing::Off;
        match found_within(setup, busy) {
            Some(after) => worst = worst.max(after),
            None => slow.push(seed),
        }
    }
    println!("{lie}, {replicas} replicas, busy {busy}: at most {worst:?}; too slow: {slow:?}");
    assert!(20 * slow.len() as u64 <= seeds, "seeds {slow:?} took more than {SOON:?}");
}

#[test]
fn a_double_voter_is_found_by_everybody_on_an_idle_chain() {
    everybody_finds("double-vote", 4, false, 200);
    everybody_finds("double-vote", 7, false, 50);
}

#[test]
fn a_double_voter_is_found_by_everybody_on_a_busy_chain() {
    everybody_finds("double-vote", 4, true, 200);
}

#[test]
fn twins_are_found_by_everybody() {
    everybody_finds("equivocate", 4, false, 100);
    everybody_finds("equivocate", 4, true, 100);
}

/// Every lie there is, and crashes of the honest besides.
#[test]
fn nobody_honest_is_ever_accused() {
    for entry in byzantine::list(Tendermint::NAME).expect("it is in the catalogue") {
        for seed in 0..4 {
            let mut setup = liars(Tendermint::NAME, 4, 1, entry.name, seed);
            setup.network.loss = 50_000;
            let mut world = world(setup);
            live(&mut world, seconds(6));
            world.crash(ALL[1]);
            live(&mut world, seconds(2));
            world.restart(ALL[1]);
            live(&mut world, seconds(6));
            let liars: BTreeSet<_> = world.setup().byzantine.keys().copied().collect();
            for held in held(&world) {
                assert!(held.is_subset(&liars), "{}, seed {seed}: {held:?}", entry.name);
            }
            let accused = world.record().lines().iter().filter_map(|line| match &line.what {
                What::Accused { offender, .. } => Some(*offender),
                _ => None,
            });
            assert!(accused.into_iter().all(|id| liars.contains(&id)), "{}", entry.name);
        }
    }
}

/// What is kept costs nothing but a longer summary where nobody lies.
#[test]
fn without_liars_nothing_more_is_sent() {
    for seed in 0..10 {
        let mut world = world(Setup::new(Tendermint::NAME, 7, seed));
        live(&mut world, seconds(20));
        for kind in ["hearsay", "testimony"] {
            let sent = world.record().sends().iter().filter(|((_, sent), _)| *sent == kind);
            assert_eq!(sent.count(), 0, "{kind}, seed {seed}");
        }
    }
}
