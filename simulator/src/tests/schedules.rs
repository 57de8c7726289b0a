use super::*;
use crate::{Fault, Schedule, clock::Skew, network::MILLION};

fn story() -> Schedule {
    let halves = vec![ALL[..2].to_vec(), ALL[2..].to_vec()];
    Schedule::default()
        .at(seconds(3), Fault::Loss(MILLION / 10))
        .at(seconds(5), Fault::Crash(ALL[1]))
        .at(seconds(9), Fault::Restart(ALL[1]))
        .at(seconds(12), Fault::Partition(halves))
        .at(seconds(15), Fault::Heal)
        .at(seconds(16), Fault::Silence(ALL[2]))
        .at(seconds(17), Fault::Cut { from: ALL[0], to: ALL[3] })
        .at(seconds(18), Fault::Latency((seconds(1) / 20..seconds(1) / 10).into()))
        .at(
            seconds(19),
            Fault::Skew { replica: ALL[0], skew: Skew { offset_ms: 90, drift_ppm: 5 } },
        )
        .at(seconds(20), Fault::Disk { replica: ALL[0], sync: (seconds(1) / 50).into() })
        .at(seconds(25), Fault::Speak(ALL[2]))
}

#[test]
fn steps_happen_at_their_time() {
    let mut setup = four(1);
    setup.schedule = story();
    let mut world = world(setup);
    let mut up = Vec::new();
    for second in 1..=10 {
        world.run_for(seconds(1));
        assert_eq!(world.now(), seconds(second));
        up.push(world.is_up(ALL[1]));
    }
    assert_eq!(up, [true, true, true, true, false, false, false, false, true, true]);
}

#[test]
fn a_schedule_is_the_same_as_its_faults_by_hand() {
    for seed in 0..3 {
        let scheduled = Setup { schedule: story(), ..four(seed) };
        let [mut scheduled, mut by_hand] = [scheduled, four(seed)].map(world);
        scheduled.run_for(seconds(40));
        for step in story().steps() {
            by_hand.run_for(step.time - by_hand.now());
            by_hand.apply(&step.fault);
        }
        by_hand.run_for(seconds(40) - by_hand.now());
        assert_safe(&scheduled);
        assert_eq!(scheduled.events(), by_hand.events(), "seed {seed}");
        assert_eq!(scheduled.trace_hash(), by_hand.trace_hash(), "seed {seed}");
    }
}

/// So that any part of a schedule is a schedule too.
#[test]
fn what_is_so_already_changes_nothing() {
    let again = [
        Fault::Restart(ALL[0]),
        Fault::Heal,
        Fault::Mend { from: ALL[0], to: ALL[1] },
        Fault::Speak(ALL[0]),
        Fault::Loss(0),
    ];
    let [mut one, mut other] = [four(1), four(1)].map(world);
    again.iter().for_each(|fault| other.apply(fault));
    for world in [&mut one, &mut other] {
        world.run_for(seconds(5));
        world.apply(&Fault::Crash(ALL[3]));
    }
    other.apply(&Fault::Crash(ALL[3]));
    one.run_for(seconds(5));
    other.run_for(seconds(5));
    assert_eq!(one.trace_hash(), other.trace_hash());
}

/// A fault that is due together with something else comes first: at the very moment at which a
/// proposal would arrive, its recipients are gone.
#[test]
fn a_fault_comes_before_what_is_due_with_it() {
    let hop = Duration::from_millis(50);
    let mut setup = four(1);
    setup.network.latency = hop.into();
    setup.sync_delay = Duration::ZERO.into();
    setup.block_time = Duration::ZERO;
    for id in ALL {
        setup.schedule = setup.schedule.at(3 * hop, Fault::Crash(id));
    }
    let mut world = world(setup);
    world.run_for(seconds(1));
    assert!(ALL.iter().all(|id| world.height(*id) == 0 && !world.is_up(*id)), "{world:?}");
}

/// Nothing is lost: what came meanwhile is heard afterwards, and timers ring late.
#[test]
fn who_stands_still_goes_on_where_it_was() {
    for seed in 0..5 {
        let mut setup = four(seed);
        setup.schedule = Schedule::default()
            .at(seconds(5), Fault::Pause(ALL[2]))
            .at(seconds(12), Fault::Resume(ALL[2]));
        let mut world = world(setup);
        world.run_for(seconds(6));
        let before = world.height(ALL[2]);
        world.run_for(seconds(6) - Duration::from_millis(1));
        assert_eq!(world.height(ALL[2]), before, "seed {seed}: it does nothing");
        assert!(world.is_up(ALL[2]), "seed {seed}: and is not down");
        assert!(world.height(ALL[0]) > before + 2, "seed {seed}: three of four go on");
        let now = world.height(ALL[0]);
        reach(&mut world, &ALL, now + 3, seconds(10));
        assert_safe(&world);
    }
}

#[test]
fn a_pause_ends_with_the_life_it_began_in() {
    let mut setup = four(3);
    setup.schedule = Schedule::default()
        .at(seconds(5), Fault::Pause(ALL[1]))
        .at(seconds(6), Fault::Crash(ALL[1]))
        .at(seconds(7), Fault::Restart(ALL[1]));
    let mut world = world(setup);
    reach(&mut world, &ALL, 12, seconds(60));
    assert_safe(&world);
}

/// What it signed before it has forgotten, so it says nothing before it knows how far it may have been.
#[test]
fn who_lost_its_disk_reads_the_chain_again_and_signs_nothing_twice() {
    for seed in 0..5 {
        let mut setup = four(seed);
        setup.schedule = Schedule::default()
            .at(seconds(6), Fault::Wipe(ALL[1]))
            .at(seconds(8), Fault::Restart(ALL[1]));
        let mut world = world(setup);
        world.run_for(seconds(7));
        assert!(!world.is_up(ALL[1]), "seed {seed}");
        world.run_for(Duration::from_millis(1_001));
        assert_eq!(world.ledger(ALL[1]).unwrap().height(), 0, "seed {seed}: nothing is left");
        reach(&mut world, &ALL, 20, seconds(60));
        assert_eq!(world.record().equivocations(), [], "seed {seed}");
    }
}
