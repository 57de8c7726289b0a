use super::*;
use crate::{Conditions, Schedule, Setup, World, network::Unrest, schedule::Step};
use consensus::{catalogue::Module, tendermint::Tendermint};
use crypto::hash::sha256;
use std::collections::BTreeMap;

fn watched(setup: Setup) -> World<Tendermint> {
    let make = |genesis: &ledger::Genesis| Module::new(genesis).unwrap();
    let mut world = World::new(Setup { tracing: Tracing::Kept, ..setup }, make);
    world.run_for(Duration::from_secs(8));
    world.end();
    world
}

fn setup(seed: u64) -> Setup {
    Setup::new(Tendermint::NAME, 4, seed)
}

fn step(seconds: u64, fault: Fault) -> Step {
    Step { time: Duration::from_secs(seconds), fault }
}

#[test]
fn the_trace_hash_is_that_of_the_file_without_asides() {
    let world = watched(setup(3));
    let mut file = Vec::new();
    world.record().write(&mut file).unwrap();
    let text = String::from_utf8(file).unwrap();
    let (asides, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with(MARK));
    assert!(asides.len() > 300 && lines.len() == world.record().lines().len());
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(sha256(lines.as_bytes()), world.trace_hash());
    for line in asides {
        let aside: Aside = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&aside).unwrap(), line, "it is read as it was written");
    }
}

#[test]
fn nobody_pays_for_asides_that_are_not_kept() {
    let make = |genesis: &ledger::Genesis| Module::new(genesis).unwrap();
    let mut world = World::<Tendermint>::new(setup(3), make);
    world.run_for(Duration::from_secs(8));
    assert!(world.record().asides().is_empty());
}

/// Every envelope of a run of a faultless mesh arrives once at each of those it was sent to, and is
/// never said to be lost.
#[test]
fn without_faults_nothing_is_lost() {
    let world = watched(setup(1));
    let asides = world.record().asides().iter().map(|(_, aside)| aside);
    let (mut arrived, mut lost) = (0, 0);
    for aside in asides {
        match aside {
            Aside::Arrived { .. } => arrived += 1,
            Aside::Lost { .. } => lost += 1,
            _ => {}
        }
    }
    assert!(arrived > 200, "{arrived}");
    assert_eq!(lost, 0);
}

#[test]
fn what_is_lost_is_told_with_its_reason() {
    let (one, two) = (vec![ReplicaId(0), ReplicaId(1)], vec![ReplicaId(2), ReplicaId(3)]);
    let unrest = Unrest {
        until: Duration::from_secs(2),
        loss: 300_000,
        delay: Duration::from_millis(10).into(),
    };
    let world = watched(Setup {
        network: Conditions { unrest: Some(unrest), ..Conditions::default() },
        schedule: Schedule::new(vec![
            step(3, Fault::Partition(vec![one, two])),
            step(4, Fault::Heal),
            step(5, Fault::Crash(ReplicaId(2))),
            step(6, Fault::Restart(ReplicaId(2))),
        ]),
        ..setup(2)
    });
    let second = |time: &u64| time / 1_000_000;
    let mut reasons = BTreeMap::new();
    for (_, aside) in world.record().asides() {
        if let Aside::Lost { time, parcel, why } = aside {
            *reasons.entry(format!("{why:?}")).or_insert(0) += 1;
            match why {
                Loss::Chance => assert!(second(time) < 2, "{time}"),
                Loss::Closed => {
                    assert_eq!(second(time), 3);
                    assert_ne!(parcel.from < 2, parcel.to < 2, "it would have crossed");
                }
                Loss::Down => assert!((5..=6).contains(&second(time)) && parcel.to == 2),
            }
        }
    }
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    let told: Vec<_> = world.record().asides().iter().map(|(_, aside)| aside).collect();
    assert!(told.contains(&&Aside::Crashed { time: 5_000_000, lane: 2 }));
    assert!(told.contains(&&Aside::Woke { time: 6_000_000, lane: 2, life: 2 }));
    assert!(matches!(told.last(), Some(Aside::Ended { time: 8_000_000 })));
}
