use super::*;
use simulator::Schedule;

const NOW: Duration = Duration::from_secs(1);

fn sky(more: &str) -> Sky {
    let text = format!("name = \"sky\"\nconsensus = \"tendermint\"\nreplicas = 5\n{more}");
    Sky::new(&Scenario::parse(&text).unwrap(), 7, false)
}

fn ids(numbers: &[u32]) -> Vec<ReplicaId> {
    numbers.iter().copied().map(ReplicaId).collect()
}

/// From whom a node hears nothing.
fn deaf_to(sky: &Sky, id: u32) -> Vec<u32> {
    let links = sky.conditions(ReplicaId(id), NOW).links.into_iter();
    links.filter(|(_, link)| link.lost_ppm == MILLION).map(|(other, _)| other).collect()
}

fn cut_off(sky: &Sky, id: u32) -> Vec<u32> {
    sky.cut_off(ReplicaId(id)).into_iter().collect()
}

#[test]
fn a_partition_cuts_both_ways_and_those_on_no_side_are_together() {
    let mut sky = sky("");
    assert!(sky.apply(&Fault::Partition(vec![ids(&[0, 1]), ids(&[2])])));
    assert_eq!(cut_off(&sky, 0), [2, 3, 4]);
    assert_eq!(cut_off(&sky, 2), [0, 1, 3, 4]);
    assert_eq!(cut_off(&sky, 3), [0, 1, 2]);
    assert_eq!(deaf_to(&sky, 3), [0, 1, 2], "nothing passes before the links are cut either");
    sky.apply(&Fault::Heal);
    assert!((0..5).all(|id| cut_off(&sky, id).is_empty() && deaf_to(&sky, id).is_empty()));
}

#[test]
fn a_one_way_cut_is_deafness_at_one_end() {
    let mut sky = sky("");
    sky.apply(&Fault::Cut { from: ReplicaId(0), to: ReplicaId(1) });
    assert_eq!(deaf_to(&sky, 1), [0]);
    assert!(deaf_to(&sky, 0).is_empty() && cut_off(&sky, 0).is_empty());
    sky.apply(&Fault::Cut { from: ReplicaId(1), to: ReplicaId(0) });
    assert_eq!(cut_off(&sky, 0), [1], "both ways together are a cut");
    sky.apply(&Fault::Mend { from: ReplicaId(0), to: ReplicaId(1) });
    assert_eq!((deaf_to(&sky, 0), deaf_to(&sky, 1)), (vec![1], vec![]));
}

#[test]
fn nobody_hears_the_silent_who_hear_everybody() {
    let mut sky = sky("");
    sky.apply(&Fault::Silence(ReplicaId(4)));
    assert!((0..4).all(|id| deaf_to(&sky, id) == [4]));
    assert!(deaf_to(&sky, 4).is_empty());
    sky.apply(&Fault::Heal);
    assert_eq!(deaf_to(&sky, 0), [4], "that is no cut");
    sky.apply(&Fault::Speak(ReplicaId(4)));
    assert!(deaf_to(&sky, 0).is_empty());
}

#[test]
fn who_is_eclipsed_is_left_with_some() {
    let mut sky = sky("");
    sky.apply(&Fault::Eclipse { victim: ReplicaId(3), but: ids(&[4]) });
    assert_eq!(cut_off(&sky, 3), [0, 1, 2]);
    assert!(cut_off(&sky, 4).is_empty());
}

#[test]
fn delays_are_those_of_the_scenario_and_exceptions_come_first() {
    let sky = sky(
        "network = { latency = \"20ms..80ms\", loss = 0.1, links = [{ from = 0, to = 1, latency = \"5ms\", loss = 0.5 }] }",
    );
    let told = sky.conditions(ReplicaId(1), NOW);
    let (special, usual) = (&told.links[&0], &told.links[&2]);
    assert_eq!((special.lost_ppm, usual.lost_ppm), (500_000, 100_000));
    assert!(special.delay.0.iter().all(|value| *value == 5_000));
    assert!(usual.delay.0.iter().all(|value| (20_000..80_000).contains(value)));
    let mean = usual.delay.0.iter().sum::<u64>() / usual.delay.0.len() as u64;
    assert!((48_000..52_000).contains(&mean), "{mean}");
    assert_eq!(sky.conditions(ReplicaId(0), NOW).links[&1], *usual, "the way back is usual");
}

#[test]
fn before_the_network_stabilises_things_are_lost_or_late_and_then_not() {
    let sky = sky(
        "network = { loss = 0.5, unrest = { until = \"20s\", loss = 0.5, delay = \"0s + exp 5s\" } }",
    );
    let told = sky.conditions(ReplicaId(1), NOW);
    let link = &told.links[&0];
    assert_eq!(link.lost_ppm, 750_000, "each loses half");
    assert_eq!((link.held[0].share_ppm, link.held[0].for_ms), (MILLION, Some(19_000)));
    assert_eq!(sky.stabilises(NOW), Some(Duration::from_secs(20)));
    let calm = Duration::from_secs(20);
    let later = sky.conditions(ReplicaId(1), calm);
    assert_eq!((later.links[&0].lost_ppm, later.links[&0].held.len()), (500_000, 0));
    assert_eq!(sky.stabilises(calm), None);
}

#[test]
fn every_node_understands_what_it_is_told_in_any_chaos() {
    for seed in 0..50 {
        let schedule: Schedule = simulator::chaos(seed, 5, 1, Duration::from_secs(60));
        let mut sky = sky("");
        for step in schedule.steps() {
            sky.apply(&step.fault);
            for id in (0..5).map(ReplicaId) {
                let told = sky.conditions(id, step.time);
                assert!(told.check().is_ok(), "seed {seed}, {}: {:?}", step.fault, told.check());
            }
        }
        assert!((0..5).all(|id| deaf_to(&sky, id).is_empty()), "seed {seed}: it ends whole");
    }
}

#[test]
fn of_two_exceptions_for_a_link_each_counts_in_what_it_says() {
    let links = "[{ from = 0, to = 1, latency = \"1s\" }, { from = 0, to = 1, loss = 0.5 }]";
    let sky = sky(&format!("network = {{ links = {links} }}"));
    let told = sky.conditions(ReplicaId(1), NOW);
    assert_eq!((told.links[&0].lost_ppm, told.links[&0].delay.0[0]), (500_000, 1_000_000));
}

#[test]
fn a_calendar_s_drift_goes_on_however_often_it_is_told() {
    let sky = sky("clocks = [{ replica = 1, offset_ms = 300, drift_ppm = 1000 }]");
    let shown =
        |seconds| sky.conditions(ReplicaId(1), Duration::from_secs(seconds)).clock.offset_ms;
    assert_eq!((shown(0), shown(10), shown(60)), (300, 310, 360));
}
