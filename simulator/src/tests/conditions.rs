//! Replicas in all kinds of weather.

use super::*;
use crate::{
    Fault, Schedule, Topology,
    clock::Skew,
    delay::Delay,
    latency::Preset,
    network::{Exception, MILLION, Reordering, Unrest},
};

fn milli(milli: u64) -> Duration {
    Duration::from_millis(milli)
}

/// The greatest height anybody has decided.
fn top(world: &World<Tendermint>) -> u64 {
    world.replicas().map(|id| world.height(id)).max().expect("somebody is there")
}

/// Dwork, Lynch and Stockmeyer: until the stabilisation time anything may happen, and soon
/// afterwards everybody decides.
#[test]
fn after_the_stabilisation_time_everybody_decides() {
    for seed in 0..10 {
        let mut setup = four(seed);
        let until = seconds(60);
        let delay = Delay::LogNormal { median: seconds(3), sigma: 1.5 };
        setup.network.unrest = Some(Unrest { until, loss: MILLION / 2, delay });
        let mut world = world(setup);
        world.run_for(until);
        let before = top(&world);
        reach(&mut world, &ALL, before + 3, seconds(30));
        assert_safe(&world);
        println!("seed {seed}: {before} before, three more by {:?}", world.now());
    }
}

/// A side without a quorum decides nothing, one with a quorum goes on, and when the partition heals
/// everybody has the same chain.
#[test]
fn a_partition_stops_the_side_without_a_quorum_until_it_heals() {
    for seed in 0..5 {
        let mut setup = four(seed);
        let sides = vec![ALL[..3].to_vec(), ALL[3..].to_vec()];
        setup.schedule = Schedule::default()
            .at(seconds(10), Fault::Partition(sides))
            .at(seconds(40), Fault::Heal);
        let mut world = world(setup);
        world.run_for(seconds(15));
        let behind = world.height(ALL[3]);
        world.run_for(seconds(24));
        assert_eq!(world.height(ALL[3]), behind, "{world:?}");
        assert!(world.height(ALL[0]) > behind + 10, "{world:?}");
        let before = world.height(ALL[0]);
        reach(&mut world, &ALL, before + 5, seconds(20));
        assert_safe(&world);
    }
}

#[test]
fn a_partition_into_halves_stops_everybody_until_it_heals() {
    for seed in 0..5 {
        let mut setup = four(seed);
        let halves = vec![ALL[..2].to_vec(), ALL[2..].to_vec()];
        setup.schedule = Schedule::default()
            .at(seconds(10), Fault::Partition(halves))
            .at(seconds(70), Fault::Heal);
        let mut world = world(setup);
        world.run_for(seconds(12));
        let before = top(&world);
        world.run_for(seconds(57));
        assert_eq!(top(&world), before, "seed {seed}: {world:?}");
        reach(&mut world, &ALL, before + 5, seconds(20));
        assert_safe(&world);
    }
}

/// What 0 says reaches 1 by way of the others, as messages or as blocks that are final already.
#[test]
fn a_one_way_cut_is_got_around() {
    for seed in 0..5 {
        let mut setup = four(seed);
        setup.schedule =
            Schedule::default().at(Duration::ZERO, Fault::Cut { from: ALL[0], to: ALL[1] });
        let mut world = world(setup);
        reach(&mut world, &ALL, 20, seconds(60));
        assert_safe(&world);
        let counts = world.counts();
        assert!(counts.resends + counts.sync > 0, "seed {seed}: {counts}");
    }
}

#[test]
fn the_eclipsed_stands_still_and_catches_up() {
    let mut setup = four(1);
    setup.schedule = Schedule::default()
        .at(seconds(5), Fault::Eclipse { victim: ALL[2], but: vec![] })
        .at(seconds(35), Fault::Heal);
    let mut world = world(setup);
    world.run_for(seconds(10));
    let height = world.height(ALL[2]);
    world.run_for(seconds(24));
    assert_eq!(world.height(ALL[2]), height);
    let before = top(&world);
    assert!(before > height + 10, "{world:?}");
    reach(&mut world, &ALL, before + 3, seconds(10));
    assert_safe(&world);
}

/// One who still speaks with the eclipsed is enough to keep it on the chain.
#[test]
fn one_honest_neighbour_keeps_the_eclipsed_on_the_chain() {
    let mut setup = four(1);
    let eclipse = Fault::Eclipse { victim: ALL[2], but: vec![ALL[0]] };
    setup.schedule = Schedule::default().at(seconds(5), eclipse);
    let mut world = world(setup);
    world.run_for(seconds(60));
    assert!(world.height(ALL[2]) + 2 >= top(&world) && top(&world) > 20, "{world:?}");
    assert_safe(&world);
}

#[test]
fn the_silenced_follow_and_speak_again() {
    let mut setup = four(2);
    setup.schedule = Schedule::default()
        .at(seconds(5), Fault::Silence(ALL[1]))
        .at(seconds(30), Fault::Speak(ALL[1]));
    let mut world = world(setup);
    world.run_for(seconds(60));
    assert!(ALL.iter().all(|id| world.height(*id) > 25), "{world:?}");
    assert_safe(&world);
}

#[test]
fn duplicates_and_stragglers_do_no_harm() {
    for seed in 0..5 {
        let mut setup = four(seed);
        setup.network.duplication = MILLION / 2;
        setup.network.reordering =
            Reordering { share: MILLION / 5, by: (milli(1)..milli(300)).into() };
        let mut world = world(setup);
        reach(&mut world, &ALL, 20, seconds(60));
        assert_safe(&world);
    }
    let mut setup = four(6);
    setup.network.latency = milli(50).into();
    let mut once = self::world(setup.clone());
    setup.network.duplication = MILLION;
    let mut twice = self::world(setup);
    reach(&mut once, &ALL, 20, seconds(60));
    reach(&mut twice, &ALL, 20, seconds(60));
    let first = |world: &World<Tendermint>| world.counts().first;
    assert_eq!(first(&once), first(&twice), "nobody answers a second copy");
    assert_eq!(once.now(), twice.now());
}

/// Three continents and more: rounds whose timeouts are too short at first still decide.
#[test]
fn replicas_of_all_continents_decide() {
    for (preset, name) in Preset::ALL {
        let mut setup = Setup::new(Tendermint::NAME, 10, 3);
        setup.network.latency = preset.into();
        let mut world = world(setup);
        let everybody: Vec<_> = world.replicas().collect();
        reach(&mut world, &everybody, 20, seconds(60));
        assert_safe(&world);
        println!("{name}: 20 heights in {:?}", world.now());
    }
}

#[test]
fn a_gossip_mesh_decides_and_relays_are_counted_apart() {
    let n = 16;
    let mut setup = Setup::new(Tendermint::NAME, n, 4);
    setup.network.latency = milli(10).into();
    setup.topology = Topology::Gossip { degree: 4 };
    let mut world = world(setup);
    let everybody: Vec<_> = world.replicas().collect();
    reach(&mut world, &everybody, 20, seconds(60));
    assert_safe(&world);
    let counts = world.counts();
    println!("{counts}");
    let n = u64::from(n);
    for height in 1..20 {
        assert_eq!(world.record().first_sends(height, "proposal"), n - 1, "height {height}");
        assert_eq!(world.record().first_sends(height, "prevote"), n * (n - 1), "height {height}");
    }
    // Each of at most n-1 others tells a rumour at most 3 neighbours, and of 2n+1 rumours a height
    // none is told again.
    assert!(counts.relays > 0);
    assert!(counts.relays <= 21 * (2 * n + 1) * (n - 1) * 3, "{counts}");
}

#[test]
fn a_gossip_mesh_survives_loss_and_crashes() {
    for seed in 0..3 {
        let mut setup = Setup::new(Tendermint::NAME, 10, seed);
        setup.topology = Topology::Gossip { degree: 4 };
        setup.network.loss = MILLION / 20;
        setup.schedule = Schedule::default()
            .at(seconds(5), Fault::Crash(ALL[0]))
            .at(seconds(7), Fault::Crash(ALL[1]))
            .at(seconds(20), Fault::Restart(ALL[0]))
            .at(seconds(25), Fault::Restart(ALL[1]));
        let mut world = world(setup);
        let everybody: Vec<_> = world.replicas().collect();
        reach(&mut world, &everybody, 30, seconds(120));
        assert_safe(&world);
    }
}

/// Infect and die: with a fanout of ln n + 3 hardly a rumour misses anybody, with two many do, and what
/// it misses a replica is brought by its peers.
#[test]
fn chance_acquaintances_decide_too_and_what_missed_somebody_is_sent_again() {
    for (fanout, heights) in [(6, 20), (2, 5)] {
        let mut setup = Setup::new(Tendermint::NAME, 16, 4);
        setup.topology = Topology::Random { fanout };
        let mut world = world(setup);
        let everybody: Vec<_> = world.replicas().collect();
        reach(&mut world, &everybody, heights, seconds(300));
        assert_safe(&world);
        let counts = world.counts();
        println!("fanout {fanout}: {counts} in {:?}", world.now());
        assert!(counts.relays > 0, "{counts}");
        assert!(fanout > 2 || counts.resends > 0, "a fifth of all was missed: {counts}");
    }
}

/// Half a second either way, and drifting: less apart than [`Config::clock_skew`].
///
/// [`Config::clock_skew`]: consensus::tendermint::Config::clock_skew
#[test]
fn calendars_may_differ() {
    for seed in 0..5 {
        let mut setup = four(seed);
        for (id, offset_ms, drift_ppm) in [(0, 450, 200), (1, -450, -200), (2, 200, 0), (3, 0, 50)]
        {
            setup.clocks.insert(ReplicaId(id), Skew { offset_ms, drift_ppm });
        }
        let mut world = world(setup);
        reach(&mut world, &ALL, 25, seconds(40));
        assert_safe(&world);
    }
}

/// A calendar that is an hour ahead costs the rounds its owner proposes in, and nothing else: its
/// blocks are from the future, nobody prevotes them.
#[test]
fn a_calendar_far_ahead_costs_only_its_owners_rounds() {
    let mut setup = four(1);
    setup.clocks.insert(ALL[3], Skew { offset_ms: 3_600_000, drift_ppm: 0 });
    let mut world = world(setup);
    reach(&mut world, &ALL, 20, seconds(60));
    assert_safe(&world);
    let ledger = world.ledger(ALL[0]).expect("it is up");
    let header = |height| ledger.committed(height).expect("it is final").header.clone();
    assert!((1..=20).all(|height| header(height).proposer != ALL[3]));
}

#[test]
fn a_slow_disk_only_slows() {
    let time = |sync: Duration, slow: &[ReplicaId]| {
        let mut setup = four(3);
        setup.network.latency = milli(50).into();
        setup.disks.extend(slow.iter().map(|id| (*id, sync.into())));
        let mut world = world(setup);
        reach(&mut world, &ALL[..3], 20, seconds(120));
        assert_safe(&world);
        world.now()
    };
    let usual = time(milli(1), &[]);
    let one = time(milli(200), &ALL[3..]);
    let all = time(milli(200), &ALL);
    println!("20 heights: {usual:?}, with one slow disk {one:?}, with four {all:?}");
    assert!(usual <= one && one < all, "{usual:?} {one:?} {all:?}");
    assert!(all < usual + 20 * 5 * milli(200), "{all:?}");
}

/// Every answer comes later than it is waited for. That is no fault, and who is behind gets on all the same.
#[test]
fn who_is_far_behind_catches_up_over_a_slow_link_and_nobody_is_blamed() {
    for seed in 0..3 {
        let mut setup = four(seed);
        setup.block_time = milli(50);
        let slow = |from, to| Exception {
            from,
            to,
            latency: Some(Delay::Constant(milli(700))),
            loss: None,
        };
        let others = ALL[..3].iter();
        setup.network.links =
            others.flat_map(|other| [slow(*other, ALL[3]), slow(ALL[3], *other)]).collect();
        setup.schedule = Schedule::default()
            .at(seconds(1), Fault::Eclipse { victim: ALL[3], but: vec![] })
            .at(seconds(120), Fault::Heal);
        let mut world = world(setup);
        world.run_for(seconds(120));
        let (behind, before) = (world.height(ALL[3]), top(&world));
        assert!(before > behind + 200, "{world:?}");
        reach(&mut world, &ALL, before, seconds(120));
        assert_safe(&world);
        assert_eq!(world.blamed(), [], "seed {seed}");
    }
}
