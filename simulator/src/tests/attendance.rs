//! The inactivity leak on the chain itself: blocks tell who took part in their grandparents' decisions, the
//! weight of the absent fades, and comes back with them.

use super::{
    committees::{told, walk},
    *,
};
use crate::{Delay, network::Exception};
use ledger::{Duty, Leak, Share, leak::WHOLE};

/// Replicas on a chain whose blocks tell, four of them in each second.
fn leaking(replicas: u32, seed: u64, more: &[(&str, u64)]) -> Setup {
    let mut setup = Setup::new(Tendermint::NAME, replicas, seed);
    setup.block_time = Duration::from_millis(250);
    let rules = [("ledger.leak", 1), ("ledger.leak_quotient", 64)];
    let settings = rules.iter().chain(more).map(|&(key, value)| (key.to_owned(), value));
    setup.settings.extend(settings);
    setup
}

fn ids(ids: std::ops::Range<u32>) -> Vec<ReplicaId> {
    ids.map(ReplicaId).collect()
}

fn rules(world: &World<Tendermint>) -> Leak {
    world.genesis().leak().expect("it has one")
}

/// The shares of the first `count`, as `id` has them.
fn shares(world: &World<Tendermint>, id: u32, count: u32) -> Vec<Share> {
    let ledger = world.ledger(ReplicaId(id)).expect("it is up");
    let register = ledger.register(ledger.root()).expect("the root has one");
    let share = |id| register.validator(id).expect("a founder").share;
    ids(0..count).into_iter().map(share).collect()
}

fn lefts(world: &World<Tendermint>, id: u32, count: u32) -> Vec<u32> {
    shares(world, id, count).iter().map(|share| share.left).collect()
}

/// Whether those who are up decide anything more in a long time.
fn goes_on(world: &mut World<Tendermint>, up: &[ReplicaId]) -> bool {
    // What is under way when somebody crashes may still be decided.
    world.run_for(seconds(5));
    let before = world.height(up[0]);
    world.run_until(|world| world.height(up[0]) >= before + 20, seconds(120))
}

/// How many of the blocks from the third to `height` name everybody, and what is left at worst of anybody's
/// bond at any of these heights.
fn attendance(world: &World<Tendermint>, height: u64) -> (usize, u32) {
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let everybody = ids(0..world.setup().replicas);
    let (mut complete, mut least) = (0, WHOLE);
    for height in 3..=height {
        let block = ledger.committed(height).unwrap();
        if let [Duty::Participation { height: of, present, .. }] = &block.duties[..] {
            assert_eq!(*of, height - 2);
            complete += usize::from(*present == everybody);
        }
        let committee = ledger.committee(block.hash()).unwrap();
        let left = committee.members().iter().map(|member| member.share.left);
        least = least.min(left.min().unwrap());
    }
    (complete, least)
}

#[test]
fn nobody_fades_who_is_there() {
    for seed in 0..10 {
        let mut world = world(leaking(7, seed, &[]));
        reach(&mut world, &ids(0..7), 40, seconds(60));
        assert_eq!(attendance(&world, 40), (38, WHOLE), "seed {seed}");
        assert_safe(&world);
    }
}

/// Who is far away, on a network that loses things: its precommits come when the others have decided. One
/// height more is long enough to hear of them.
#[test]
fn nobody_fades_who_is_slow() {
    let (mut complete, mut least) = (0, WHOLE);
    for seed in 0..10 {
        let mut setup = leaking(7, seed, &[]);
        let ms = Duration::from_millis;
        setup.network.loss = 10_000;
        setup.network.latency = Delay::Uniform(ms(5)..ms(60)).into();
        let far = |(from, to): (u32, u32)| Exception {
            from: ReplicaId(from),
            to: ReplicaId(to),
            latency: Some(Delay::Uniform(ms(80)..ms(160))),
            loss: None,
        };
        let links = (0..6).flat_map(|id| [(6, id), (id, 6)]);
        setup.network.links = links.map(far).collect();
        let mut world = world(setup);
        reach(&mut world, &ids(0..7), 40, seconds(120));
        let (named, left) = attendance(&world, 40);
        (complete, least) = (complete + named, least.min(left));
        assert_safe(&world);
    }
    println!("{complete} of 380 blocks name everybody; at worst {least} millionths count");
    assert!(complete > 300, "{complete} of 380");
    assert!(least > WHOLE - WHOLE / 10, "{least}");
}

/// Five of seven go on whatever counts of the others. Four of them are no quorum before and none after:
/// 4 of 4 + 3·1, and 4 of 4 + 1 + 2·0.611.
#[test]
fn two_of_seven_fade_to_the_floor_and_a_third_halts_the_chain_all_the_same() {
    let mut world = world(leaking(7, 1, &[]));
    let (all, five) = (ids(0..7), ids(0..5));
    reach(&mut world, &all, 5, seconds(30));
    world.crash(ReplicaId(5));
    world.crash(ReplicaId(6));
    reach(&mut world, &five, 60, seconds(120));
    let floor = rules(&world).floor();
    let expected = [vec![WHOLE; 5], vec![floor; 2]].concat();
    assert_eq!(lefts(&world, 0, 7), expected);
    let changes = |world: &World<_>| world.ledger(ReplicaId(0)).unwrap().changes().len();
    let faded = changes(&world);
    reach(&mut world, &five, 100, seconds(120));
    assert_eq!((lefts(&world, 0, 7), changes(&world)), (expected, faded), "and no further");

    world.crash(ReplicaId(4));
    assert!(!goes_on(&mut world, &ids(0..4)));
    let height = world.height(ReplicaId(0));
    world.restart(ReplicaId(4));
    reach(&mut world, &five, height + 5, seconds(60));
    world.restart(ReplicaId(5));
    world.restart(ReplicaId(6));
    reach(&mut world, &all, height + 60, seconds(120));
    assert_eq!(lefts(&world, 6, 7), vec![WHOLE; 7], "all comes back");
    assert_safe(&world);
}

/// Seven of ten weigh 7 of 8.83 once the others have faded; six are a quorum of that, and not of ten.
#[test]
fn what_has_faded_lets_more_go() {
    let six = ids(0..6);
    let mut sudden = world(leaking(10, 2, &[]));
    reach(&mut sudden, &ids(0..10), 5, seconds(30));
    ids(6..10).into_iter().for_each(|id| sudden.crash(id));
    assert!(!goes_on(&mut sudden, &six));
    assert_eq!(lefts(&sudden, 0, 10), [WHOLE; 10], "who does not decide says nothing");
    assert_safe(&sudden);

    let mut slow = world(leaking(10, 2, &[]));
    reach(&mut slow, &ids(0..10), 5, seconds(30));
    ids(7..10).into_iter().for_each(|id| slow.crash(id));
    reach(&mut slow, &ids(0..7), 60, seconds(120));
    slow.crash(ReplicaId(6));
    assert!(goes_on(&mut slow, &six));
    assert_eq!(lefts(&slow, 0, 10)[6..], [rules(&slow).floor(); 4]);
    assert_safe(&slow);
}

/// Without a floor the chain shrinks as long as it loses less than a third at a time.
#[test]
fn without_a_floor_a_third_after_another_may_go_but_not_at_once() {
    let unbounded = [("ledger.leak_unbounded", 1)];
    let members = |world: &World<Tendermint>| {
        let ledger = world.ledger(ReplicaId(0)).unwrap();
        let committee = ledger.committee(ledger.root()).unwrap();
        committee.members().iter().map(|member| member.id.0).collect::<Vec<_>>()
    };
    let mut slow = world(leaking(7, 3, &unbounded));
    let supply = slow.ledger(ReplicaId(0)).unwrap().supply();
    reach(&mut slow, &ids(0..7), 5, seconds(30));
    for (gone, left) in [(5..7, 5), (4..5, 4), (3..4, 3)] {
        ids(gone).into_iter().for_each(|id| slow.crash(id));
        let up = ids(0..left);
        let shrunk =
            slow.run_until(|world| members(world) == Vec::from_iter(0..left), seconds(240));
        assert!(shrunk, "{left} are left: {slow:?}");
        assert!(goes_on(&mut slow, &up), "{left} are left");
    }
    let ledger = slow.ledger(ReplicaId(0)).unwrap();
    let register = ledger.register(ledger.root()).unwrap();
    assert_eq!((ledger.supply(), register.burned()), (supply, ledger::Amount::ZERO));
    assert_safe(&slow);

    let mut sudden = world(leaking(7, 3, &unbounded));
    reach(&mut sudden, &ids(0..7), 5, seconds(30));
    ids(4..7).into_iter().for_each(|id| sudden.crash(id));
    assert!(!goes_on(&mut sudden, &ids(0..4)));
    assert_eq!(members(&sudden), Vec::from_iter(0..7));
    assert_safe(&sudden);
}

/// Each change of weights is a change of the committee: proven by the one before.
#[test]
fn whoever_holds_the_genesis_can_follow_the_weights() {
    let mut setup = leaking(4, 4, &[]);
    setup.wire = true;
    let mut world = world(setup);
    reach(&mut world, &ALL, 5, seconds(30));
    world.crash(ALL[3]);
    reach(&mut world, &ALL[..3], 30, seconds(120));
    world.restart(ALL[3]);
    let height = world.height(ALL[0]) + 10;
    reach(&mut world, &ALL, height, seconds(120));
    let committees = [ALL[0], ALL[3]].map(|id| {
        let changes = told(&mut world, id);
        assert!(changes.len() > 10, "{id}: {}", changes.len());
        walk(&world, &changes)
    });
    assert_eq!(committees[0], committees[1]);
    let share = committees[0].member(ALL[3]).unwrap().share;
    assert!(share.left < WHOLE && share.left > rules(&world).floor(), "{share:?}");
    assert_safe(&world);
}
