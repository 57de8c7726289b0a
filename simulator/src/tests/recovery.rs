//! A chain whose absent fade: stories of Tendermint's recovery rounds (LEAK §6).

use super::*;
use crate::{Fault, Schedule};
use consensus::Protocol as _;
use ledger::{Duty, Share, leak::WHOLE};

/// How long rounds last, and how soon and how fast the absent fade.
#[derive(Clone, Copy)]
struct Profile {
    epoch: u64,
    growth: u64,
    grace: u64,
    quotient: u64,
}

/// Quick, for tests.
const QUICK: Profile = Profile { epoch: 900, growth: 10, grace: 3, quotient: 16 };

/// What `testnet up --leak recovery` begins with.
const STUDY: Profile = Profile { epoch: 1500, growth: 20, grace: 5, quotient: 256 };

fn leaking(replicas: u32, profile: Profile, seed: u64) -> Setup {
    let mut setup = Setup::new(Tendermint::NAME, replicas, seed);
    let settings = [
        ("ledger.leak", 2),
        ("ledger.leak_quotient", profile.quotient),
        ("ledger.leak_grace_rounds", profile.grace),
        ("tendermint.leak_epoch_ms", profile.epoch),
        ("tendermint.leak_growth_ms", profile.growth),
    ];
    setup.settings.extend(settings.map(|(name, value)| (name.to_owned(), value)));
    setup.network.latency = (Duration::from_millis(1)..Duration::from_millis(20)).into();
    setup
}

fn ids(numbers: &[u32]) -> Vec<ReplicaId> {
    numbers.iter().copied().map(ReplicaId).collect()
}

fn crash(world: &mut World<Tendermint>, numbers: &[u32]) {
    ids(numbers).into_iter().for_each(|id| world.crash(id));
}

fn restart(world: &mut World<Tendermint>, numbers: &[u32]) {
    ids(numbers).into_iter().for_each(|id| world.restart(id));
}

/// What is left of everybody's bond, as `id` has it decided.
fn shares(world: &World<Tendermint>, id: u32) -> Vec<Share> {
    let ledger = world.ledger(ReplicaId(id)).expect("it is up");
    let register = ledger.register(ledger.root()).expect("the root has one");
    register.validators().map(|(_, validator)| validator.share).collect()
}

/// The table of the block at this height: in which round it was first proposed, and the rows before.
fn told(world: &World<Tendermint>, id: u32, height: u64) -> Option<(u64, usize)> {
    let block = world.ledger(ReplicaId(id))?.committed(height)?;
    block.duties.iter().find_map(|duty| match duty {
        Duty::Leak { round, table } => Some((*round, table.rows().len())),
        Duty::Participation { .. } => None,
    })
}

/// Those who are up disagree about nothing, states included.
fn assert_agreed(world: &World<Tendermint>) {
    assert_safe(world);
    let up: Vec<_> = world.replicas().filter(|id| world.is_up(*id)).collect();
    let lowest = up.iter().map(|id| world.height(*id)).min().expect("somebody is up");
    for height in 1..=lowest {
        let state = |id: &ReplicaId| world.ledger(*id)?.committed(height).map(|b| b.header.state);
        let states: std::collections::BTreeSet<_> = up.iter().map(state).collect();
        assert_eq!(states.len(), 1, "height {height}: {world:?}");
    }
}

/// LEAK §4: three of five go on, in the time that the model took.
#[test]
fn three_of_five_go_on_by_themselves() {
    let profiles = [(QUICK, 3, 5..13, 12), (STUDY, 12, 33..43, 2)];
    for (profile, rows, time, seeds) in profiles {
        for seed in 0..seeds {
            let mut world = world(leaking(5, profile, seed));
            reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
            crash(&mut world, &[3, 4]);
            world.run_for(seconds(1));
            let (stopped, height) = (world.now(), world.height(ReplicaId(0)));
            reach(&mut world, &ids(&[0, 1, 2]), height + 1, seconds(120));
            let halted = (world.now() - stopped).as_secs();
            assert!(time.contains(&halted), "seed {seed}: {halted} s");
            // The threshold row, and two dead proposers' after it at most.
            let (round, told) =
                told(&world, 0, height + 1).expect("it could not be decided otherwise");
            assert!((rows..rows + 3).contains(&told), "seed {seed}: {told} rows by round {round}");
            // From there on every height has its quorum again, if it has a living proposer.
            reach(&mut world, &ids(&[0, 1, 2]), height + 10, seconds(60));
            let again =
                (height + 2..=height + 10).find(|height| self::told(&world, 0, *height).is_some());
            assert_eq!(again, None, "seed {seed}: the quorum was lost again");
            assert_agreed(&world);
        }
    }
}

#[test]
fn two_of_four_wait_for_ever() {
    let mut world = world(leaking(4, QUICK, 1));
    reach(&mut world, &ALL, 3, seconds(60));
    crash(&mut world, &[2, 3]);
    world.run_for(seconds(1));
    let height = world.height(ReplicaId(0));
    world.run_for(seconds(600));
    assert_eq!(world.height(ReplicaId(0)), height);
    // Once one is back, it goes on.
    restart(&mut world, &[2]);
    reach(&mut world, &ids(&[0, 1, 2]), height + 5, seconds(60));
    assert_agreed(&world);
}

/// Who comes back counts in full again, by and by, and nobody's money has moved.
#[test]
fn who_comes_back_is_weighed_again_and_has_earned_nothing() {
    let mut world = world(leaking(5, QUICK, 2));
    reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
    let supply = world.ledger(ReplicaId(0)).unwrap().supply();
    crash(&mut world, &[3, 4]);
    world.run_for(seconds(20));
    let left = shares(&world, 0);
    assert!(left[..3].iter().all(|share| share.left == WHOLE), "{left:?}");
    assert!(left[3..].iter().all(|share| share.left < 700_000 && share.score > 0), "{left:?}");
    restart(&mut world, &[3, 4]);
    world.run_for(seconds(60));
    assert_eq!(shares(&world, 0), [Share::FULL; 5]);
    let ledger = world.ledger(ReplicaId(3)).unwrap();
    assert_eq!(ledger.supply(), supply);
    let register = ledger.register(ledger.root()).unwrap();
    assert!(register.validators().all(|(_, validator)| validator.stake.0 == 1));
    assert_agreed(&world);
}

/// LEAK X6: weights that only ever fell would not let the others go, when the first are back.
#[test]
fn after_two_are_back_two_others_may_leave() {
    for seed in 0..4 {
        let mut world = world(leaking(5, QUICK, seed));
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
        crash(&mut world, &[0, 1]);
        world.run_for(seconds(20));
        restart(&mut world, &[0, 1]);
        world.run_for(seconds(8));
        crash(&mut world, &[3, 4]);
        world.run_for(seconds(1));
        let height = world.height(ReplicaId(2));
        reach(&mut world, &ids(&[0, 1, 2]), height + 3, seconds(120));
        assert_agreed(&world);
    }
}

/// The greater side of a partition goes on; the smaller one waits, and takes over what was decided.
#[test]
fn a_majority_goes_on_and_the_minority_follows_when_it_heals() {
    let mut setup = leaking(5, QUICK, 3);
    let sides = vec![ids(&[0, 1, 2]), ids(&[3, 4])];
    setup.schedule =
        Schedule::default().at(seconds(10), Fault::Partition(sides)).at(seconds(60), Fault::Heal);
    let mut world = world(setup);
    world.run_for(seconds(59));
    let (majority, minority) = (world.height(ReplicaId(0)), world.height(ReplicaId(3)));
    assert!(majority > minority + 10, "{majority} and {minority}");
    reach(&mut world, &ids(&[0, 1, 2, 3, 4]), majority + 5, seconds(60));
    assert_agreed(&world);
}

/// Whoever crashes in the middle of a recovery, lock and all, takes up its place again.
#[test]
fn a_crash_in_the_middle_of_a_recovery_changes_nothing() {
    for seed in 0..10 {
        let mut world = world(leaking(5, QUICK, seed));
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
        crash(&mut world, &[3, 4]);
        for victim in [0, 1, 2, 0, 1] {
            world.run_for(Duration::from_millis(1100 + 170 * seed));
            crash(&mut world, &[victim]);
            world.run_for(Duration::from_millis(300));
            restart(&mut world, &[victim]);
        }
        let height = world.height(ReplicaId(0));
        reach(&mut world, &ids(&[0, 1, 2]), height + 3, seconds(120));
        assert_agreed(&world);
    }
}

/// All begin when they like.
#[test]
fn who_is_up_first_waits_for_a_majority() {
    let mut setup = leaking(5, QUICK, 4);
    for (after, id) in [(0, 1), (5, 2), (20, 3)] {
        let id = ReplicaId(id);
        setup.schedule = setup.schedule.at(Duration::from_millis(1), Fault::Crash(id));
        setup.schedule =
            setup.schedule.at(seconds(after) + Duration::from_millis(2), Fault::Restart(id));
    }
    let mut world = world(setup);
    reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 5, seconds(60));
    assert_agreed(&world);
}

/// Where messages take longer than D1, rounds grow until they do not.
#[test]
fn growth_meets_any_delay() {
    for seed in 0..3 {
        let mut setup = leaking(5, QUICK, seed);
        setup.network.latency = (Duration::from_millis(400)..Duration::from_millis(700)).into();
        let mut world = world(setup);
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 2, seconds(600));
        crash(&mut world, &[3, 4]);
        world.run_for(seconds(5));
        let height = world.height(ReplicaId(0));
        reach(&mut world, &ids(&[0, 1, 2]), height + 2, seconds(1200));
        assert_agreed(&world);
    }
}

/// The smallest chain that goes on with a Byzantine member and two crashed ones.
#[test]
fn five_honest_of_eight_go_on_although_one_is_silent_and_two_are_off() {
    for seed in 0..3 {
        let mut setup = leaking(8, QUICK, seed);
        setup.settings.insert("ledger.leak_tolerates_permille".into(), 125);
        setup.byzantine.insert(ReplicaId(7), "silent".into());
        let mut world = world(setup);
        reach(&mut world, &ids(&[0, 1, 2, 3, 4, 5, 6]), 3, seconds(60));
        crash(&mut world, &[5, 6]);
        world.run_for(seconds(1));
        let height = world.height(ReplicaId(0));
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), height + 3, seconds(120));
        assert_agreed(&world);
    }
}

/// LEAK X2: whoever withholds its ALIVE from some, and says it to others at the last moment, leaks nobody
/// who is up.
#[test]
fn nobody_who_is_up_fades_because_of_a_liar() {
    for (seed, lie) in ["withhold", "double-vote", "delay", "equivocate"].into_iter().enumerate() {
        let mut setup = leaking(8, QUICK, seed as u64);
        setup.settings.insert("ledger.leak_tolerates_permille".into(), 125);
        setup.settings.insert("ledger.leak_quotient".into(), 64);
        setup.byzantine.insert(ReplicaId(7), lie.into());
        let mut world = world(setup);
        reach(&mut world, &ids(&[0, 1, 2]), 3, seconds(60));
        crash(&mut world, &[5, 6]);
        world.run_for(seconds(1));
        let height = world.height(ReplicaId(0));
        reach(&mut world, &ids(&[0, 1, 2, 3, 4]), height + 1, seconds(180));
        let left = shares(&world, 0);
        assert!(left[..5].iter().all(|share| share.left == WHOLE), "{lie}: {left:?}");
    }
}

/// LEAK §5: without a floor two halves that part for long end in two chains, and nobody signed two values
/// in a slot.
#[test]
fn without_a_floor_a_short_partition_heals_and_a_long_one_forks() {
    for (rows, forks) in [(8_u32, false), (20, true)] {
        let profile = Profile { quotient: 64, ..QUICK };
        let mut setup = leaking(4, profile, 5);
        setup.settings.insert("ledger.leak_unbounded".into(), 1);
        let halves = vec![ids(&[0, 1]), ids(&[2, 3])];
        let epochs = (0..rows + 3).map(|round| 900 + 30 * u64::from(round)).sum();
        setup.schedule = Schedule::default()
            .at(seconds(5), Fault::Partition(halves))
            .at(seconds(5) + Duration::from_millis(epochs), Fault::Heal);
        let mut world = world(setup);
        world.run_for(seconds(120));
        let differ = |height| {
            let at = |id| world.decided(ReplicaId(id)).get(&height).copied();
            let (one, other): (Option<_>, Option<_>) = (at(0), at(2));
            one.is_some() && other.is_some() && one != other
        };
        assert_eq!((1..200).any(differ), forks, "{rows} rows: {world:?}");
        let equivocations = world.record().equivocations();
        assert!(equivocations.is_empty(), "{equivocations:?}");
    }
}

/// All that a light client is shown of a height that was decided under a table convinces it.
#[test]
fn a_recovered_height_is_proven_to_whoever_knows_the_genesis() {
    let mut world = world(leaking(5, QUICK, 6));
    reach(&mut world, &ids(&[0, 1, 2, 3, 4]), 3, seconds(60));
    crash(&mut world, &[3, 4]);
    world.run_for(seconds(20));
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let recovered = (1..=ledger.height()).filter(|height| told(&world, 0, *height).is_some());
    let recovered: Vec<_> = recovered.collect();
    assert_eq!(recovered.len(), 1, "after it every height has its quorum at once");
    let height = recovered[0];
    let finality = ledger.finality(height).expect("it is proven");
    let committee = ledger.committee(finality.headers[0].parent).unwrap();
    let trusted = consensus::Trusted {
        genesis: world.genesis(),
        parent: None,
        committee: &committee,
        keys: ledger.keys(),
    };
    assert_eq!(Tendermint::verify(&finality.headers, &finality.proof, trusted), Ok(()));
}
