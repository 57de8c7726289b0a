//! Lies that fit every protocol, told about Tendermint.

use super::*;

/// Half a minute with as many liars as may be: the honest agree, and all of them get on.
fn survive(lie: &str, replicas: u32, seed: u64, arrange: impl Fn(&mut Setup)) -> World<Tendermint> {
    let count = bound(replicas);
    let mut setup = liars(Tendermint::NAME, replicas, count, lie, seed);
    arrange(&mut setup);
    let mut world = world(setup);
    live(&mut world, seconds(30));
    let verdict = judge(&world, seconds(10), 3);
    assert!(verdict.holds(), "{count} of {replicas} {lie}, seed {seed}: {verdict}\n{world:?}");
    world
}

pub(super) fn survive_all(lie: &str) -> Vec<World<Tendermint>> {
    survive_in(lie, |_| ())
}

/// The same in worlds that are arranged otherwise.
pub(super) fn survive_in(lie: &str, arrange: impl Fn(&mut Setup)) -> Vec<World<Tendermint>> {
    let runs = [(4, 0..12), (7, 0..6)];
    let runs =
        runs.into_iter().flat_map(|(replicas, seeds)| seeds.map(move |seed| (replicas, seed)));
    runs.map(|(replicas, seed)| survive(lie, replicas, seed, &arrange)).collect()
}

const LIAR: ReplicaId = ReplicaId(3);

/// How many first sends came from a replica.
fn first_sends(world: &World<Tendermint>, id: ReplicaId) -> usize {
    let first = |what: &What| matches!(what, What::Sent { class: replica::Class::First, .. });
    world.record().lines().iter().filter(|line| line.replica == id && first(&line.what)).count()
}

#[test]
fn the_silent_say_nothing() {
    for world in survive_all("silent") {
        for liar in world.setup().byzantine.keys() {
            assert_eq!(first_sends(&world, *liar), 0);
        }
        assert!(times(&world, "keeps its prevote") > 10);
    }
}

#[test]
fn the_crashed_stop_at_some_time() {
    for world in survive_all("crash") {
        let (count, liars) = (times(&world, "takes no step any more"), &world.setup().byzantine);
        assert_eq!(count, liars.len());
        let spoke = liars.keys().filter(|id| first_sends(&world, **id) > 0).count();
        assert_eq!(spoke, liars.len(), "they spoke before");
        let late = Duration::from_secs(11).as_micros() as u64;
        let heard = |line: &&replica::trace::TraceLine| {
            line.at > late && matches!(line.what, What::Sent { class: replica::Class::First, .. })
        };
        let lines = world.record().lines().iter().filter(|line| liars.contains_key(&line.replica));
        assert_eq!(lines.filter(heard).count(), 0);
    }
}

#[test]
fn the_late_say_everything_late() {
    for world in survive_all("delay") {
        assert!(times(&world, "says its prevote") > 10);
        // What is later than its height the signer refuses.
        assert!(first_sends(&world, *world.setup().byzantine.keys().next().unwrap()) > 0);
    }
}

#[test]
fn the_forgetful_say_half_of_it_to_some() {
    for world in survive_all("drop") {
        assert!(times(&world, "drops its prevote") > 5 && times(&world, "says its prevote") > 5);
    }
}

#[test]
fn what_is_repeated_is_heard_once() {
    for world in survive_all("replay") {
        assert!(times(&world, "repeats a") > 50);
        assert!(world.counts().relays > 100, "{}", world.counts());
        assert_eq!(world.record().equivocations(), [], "nothing new is said");
    }
}

#[test]
fn the_stale_hear_late() {
    for world in survive_all("stale") {
        assert!(times(&world, "hears a prevote") > 20);
    }
}

#[test]
fn garbage_is_signed_and_convicts_its_author() {
    for world in survive_all("garbage") {
        assert!(times(&world, "makes a") > 50, "{:?}", told(&world));
        let equivocations = world.record().equivocations();
        assert!(!equivocations.is_empty());
        assert!(
            equivocations.iter().all(|each| world.setup().byzantine.contains_key(&each.signer))
        );
    }
}

/// The others order what the censor leaves out.
#[test]
fn the_censored_are_served_by_the_others() {
    for world in survive_all("censor") {
        assert!(times(&world, "leaves out") > 0, "{:?}", told(&world));
        let ledger = world.ledger(ALL[0]).expect("it is up");
        for account in 0..4 {
            let address = world.setup().account(account).public().address();
            let nonce = ledger.account(ledger.root(), address).unwrap_or_default().nonce;
            assert!(nonce >= 5, "account {account} had {nonce} transfers ordered");
        }
    }
}

#[test]
fn invalid_blocks_are_voted_down() {
    for world in survive_all("invalid-block") {
        assert!(times(&world, "builds a block that names a wrong state") > 0);
        let notes = world.record().lines().iter();
        let refused = notes.filter(|line| {
            line.replica == ALL[0]
                && matches!(&line.what, What::Note { label, .. } if label == "invalid")
        });
        assert!(refused.count() > 0, "an honest replica saw it");
    }
}

/// Silence at f and at one more: the others halt, and say nothing wrong.
#[test]
fn one_more_silent_than_may_be_stops_everybody_and_harms_nobody() {
    for replicas in [4, 7] {
        let count = bound(replicas) + 1;
        let mut world = world(liars(Tendermint::NAME, replicas, count, "silent", 1));
        live(&mut world, seconds(30));
        assert_eq!(top(&world), 0);
        assert!(checker::judge(&world, Promises::default()).holds());
        assert!(!judge(&world, seconds(10), 1).holds(), "the checker sees that they stand still");
    }
}

fn top(world: &World<Tendermint>) -> u64 {
    world.replicas().map(|id| world.height(id)).max().expect("there are some")
}

/// Without a lie a liar is what it wraps, to the byte.
#[test]
fn nobody_lies_without_being_told_to() {
    let run = |byzantine: &[(ReplicaId, &str)]| {
        let mut setup = four(5);
        setup.byzantine = byzantine.iter().map(|(id, lie)| (*id, (*lie).to_owned())).collect();
        let mut world = world(setup);
        live(&mut world, seconds(10));
        world.trace_hash()
    };
    assert_eq!(run(&[]), run(&[]));
    assert_ne!(run(&[]), run(&[(LIAR, "silent")]));
    for lie in byzantine::list(Tendermint::NAME).expect("it is a module") {
        assert_eq!(run(&[(LIAR, lie.name)]), run(&[(LIAR, lie.name)]), "{}", lie.name);
    }
}

/// Loss, crashes and partitions beside the lies.
#[test]
fn liars_and_chaos_together_are_survived() {
    for (seed, lie) in (0..).zip(["drop", "garbage", "replay", "stale", "equivocate"]) {
        let mut options = crate::soak::Options::new(Tendermint::NAME, 7);
        options.faulty = 1;
        options.chaos = seconds(30);
        options.setup.byzantine = [(ReplicaId(6), lie.to_owned())].into();
        let outcome = crate::soak::run_seed::<Tendermint>(seed, &options, |genesis| {
            Module::new(genesis).expect("the settings are good")
        });
        assert!(outcome.holds(), "{lie}: {outcome}");
    }
}

#[test]
#[should_panic(expected = "there is no lie called \"lazy\"; there are: silent, crash")]
fn an_unknown_lie_is_told_before_anything_happens() {
    world(liars(Tendermint::NAME, 4, 1, "lazy", 1));
}
