//! Whoever contradicts itself loses a part of its stake and its seat, and whoever reports it earns.

use super::*;
use ledger::{Amount, Stake};

/// Some replicas with much at stake, of which the last few tell one lie, on a chain that punishes it.
fn punishing(replicas: u32, lie: &str, seed: u64) -> Setup {
    let mut setup = liars(Tendermint::NAME, replicas, bound(replicas), lie, seed);
    setup.settings = Setup::new(Tendermint::NAME, replicas, seed).settings;
    setup.stakes = vec![1_000; replicas as usize];
    setup
}

/// By what an honest replica has committed: who was punished, by which block, and what was burned.
fn sentences(world: &World<Tendermint>, id: ReplicaId) -> (BTreeMap<ReplicaId, u64>, Amount) {
    let ledger = world.ledger(id).expect("it is up");
    let register = ledger.register(ledger.root()).expect("the root has a register");
    let punished = register.validators().filter_map(|(id, each)| Some((id, each.punished?)));
    (punished.collect(), register.burned())
}

/// Who was paid for it, and how much: the balances of validators' accounts, who earned no fees.
fn rewards(world: &World<Tendermint>) -> Vec<Amount> {
    let ledger = world.ledger(ALL[0]).expect("it is up");
    let account = |id| {
        let address = world.setup().validator(id).public().address();
        ledger.account(ledger.root(), address).unwrap_or_default().balance
    };
    world.replicas().map(account).filter(|balance| *balance > Amount::ZERO).collect()
}

fn evidence_in_blocks(world: &World<Tendermint>) -> usize {
    let ledger = world.ledger(ALL[0]).expect("it is up");
    let blocks = (1..=ledger.height()).map(|height| ledger.committed(height).expect("committed"));
    let is_evidence =
        |each: &ledger::Transaction| matches!(each.payload.action, ledger::Action::Evidence(_));
    blocks.map(|block| block.transactions.iter().filter(|each| is_evidence(each)).count()).sum()
}

#[test]
fn a_double_voter_is_punished_once_within_seconds_and_one_reporter_is_paid() {
    for (replicas, seeds) in [(4, 0..20), (7, 0..8)] {
        for seed in seeds {
            for lie in ["double-vote", "equivocate"] {
                let mut world = world(punishing(replicas, lie, seed));
                let guilty: Vec<_> = world.setup().byzantine.keys().copied().collect();
                let is_over = |world: &World<Tendermint>| {
                    let punished = sentences(world, ALL[0]).0;
                    guilty.iter().all(|id| punished.contains_key(id))
                };
                assert!(world.run_until(is_over, seconds(10)), "{lie}, seed {seed}: {world:?}");
                world.run_for(seconds(20));
                let (punished, burned) = sentences(&world, ALL[0]);
                assert_eq!(punished.len(), guilty.len(), "{lie}, seed {seed}: nobody else is");
                // A tenth of the stake of each, and a tenth of that for its reporter.
                let count = guilty.len() as u64;
                assert_eq!(burned, Amount(90 * count), "{lie}, seed {seed}");
                let paid: u64 = rewards(&world).iter().map(|amount| amount.0).sum();
                assert_eq!(paid, 10 * count, "{lie}, seed {seed}: paid once for each");
                assert_eq!(evidence_in_blocks(&world), guilty.len(), "{lie}, seed {seed}");
                let committee = world.ledger(ALL[0]).map(|ledger| ledger.committee(ledger.root()));
                let committee = committee.flatten().expect("the root's committee is known");
                assert!(guilty.iter().all(|id| committee.seat(*id).is_none()), "they are out");
                assert_eq!(committee.stake(0), Stake(1_000));
                for id in world.replicas().filter(|id| !guilty.contains(id)) {
                    assert!(world.docket(id).expect("it is up").is_empty(), "it has done its work");
                }
                let verdict = judge(&world, seconds(12), 3);
                assert!(verdict.holds(), "{lie}, seed {seed}: {verdict}\n{world:?}");
            }
        }
    }
}

/// What comes too late for gossip, crashes and losses included.
#[test]
fn reports_get_through_a_lossy_network_and_crashes() {
    for seed in 0..10 {
        let mut setup = punishing(7, "double-vote", seed);
        setup.network.loss = 100_000;
        let mut world = world(setup);
        world.run_for(seconds(1));
        world.crash(ALL[1]);
        world.run_for(seconds(3));
        world.restart(ALL[1]);
        live(&mut world, seconds(40));
        let (punished, _) = sentences(&world, ALL[0]);
        let guilty: Vec<_> = world.setup().byzantine.keys().copied().collect();
        assert_eq!(punished.keys().copied().collect::<Vec<_>>(), guilty, "seed {seed}: {world:?}");
        assert_eq!(evidence_in_blocks(&world), guilty.len(), "seed {seed}");
        let verdict = judge(&world, seconds(20), 3);
        assert!(verdict.holds(), "seed {seed}: {verdict}\n{world:?}");
    }
}

/// Every lie there is: the honest keep their stake.
#[test]
fn the_honest_are_never_punished() {
    for entry in consensus::byzantine::list(Tendermint::NAME).expect("it is in the catalogue") {
        for seed in 0..2 {
            let mut world = world(punishing(4, entry.name, seed));
            live(&mut world, seconds(15));
            let liars = &world.setup().byzantine;
            let (punished, _) = sentences(&world, ALL[0]);
            assert!(
                punished.keys().all(|id| liars.contains_key(id)),
                "{}: {punished:?}",
                entry.name
            );
            let verdict = judge(&world, seconds(8), 3);
            assert!(verdict.holds(), "{}, seed {seed}: {verdict}\n{world:?}", entry.name);
        }
    }
}

/// On the wire every stub and every report is bytes under real signatures.
#[test]
fn it_is_the_same_on_the_wire() {
    for seed in 0..2 {
        let mut setup = punishing(4, "double-vote", seed);
        setup.wire = true;
        let mut world = world(setup);
        world.run_for(seconds(10));
        let (punished, burned) = sentences(&world, ALL[0]);
        assert_eq!(punished.keys().copied().collect::<Vec<_>>(), [ReplicaId(3)], "seed {seed}");
        assert_eq!(burned, Amount(90));
        assert!(world.record().refused().is_empty(), "{:?}", world.record().refused());
    }
}
