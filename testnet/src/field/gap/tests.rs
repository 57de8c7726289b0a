use super::*;
use crypto::Hash;
use ledger::{BlockHash, ReplicaId};
use simulator::{
    Counts,
    checker::Violation,
    scenario::{Latencies, Unmet},
};

fn outcome(height: u64, settled: &[u64], first: u64, bytes: u64) -> Outcome {
    let settled: Vec<_> = settled.iter().copied().map(Duration::from_millis).collect();
    Outcome {
        module: "tendermint".to_owned(),
        seed: 0,
        broken: Vec::new(),
        blame: Vec::new(),
        live: true,
        unmet: Vec::new(),
        height,
        latencies: Latencies { submitted: settled.len(), settled },
        counts: Counts { first, bytes, ..Counts::default() },
        ended: Duration::from_secs(20),
        events: 0,
        trace_hash: Hash::default(),
    }
}

fn means() -> Means {
    Means {
        sync_ms: Some(3.0),
        open_ms: Some(0.5),
        wait_ms: Some(0.25),
        step_ms: Some(0.25),
        ..Means::default()
    }
}

#[test]
fn the_gap_is_told_in_milliseconds_and_messages_a_block() {
    let (sim, live) =
        (outcome(10, &[200, 200], 400, 90_000), outcome(20, &[230, 230], 840, 200_000));
    let gap = Gap::of(&sim, &live, &means(), true);
    assert_eq!(gap.p50_ms, Some(30.0));
    assert_eq!(gap.accounted, Some(2.0 * 2.0 + 4.0 * 1.0));
    assert_eq!((gap.sim.messages_per_block, gap.live.messages_per_block), (Some(40.0), Some(42.0)));
    let told = gap.to_string();
    for part in ["same verdict", "200 -> 230 ms (+30)", "+8.0", "40 -> 42", "9.0 -> 10.0 kB"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn another_verdict_is_told_loudly() {
    let (sim, mut live) = (outcome(10, &[], 1, 1), outcome(10, &[], 1, 1));
    live.unmet.push(Unmet::NeverBroken);
    let gap = Gap::of(&sim, &live, &means(), true);
    assert!(!gap.same_verdict && gap.to_string().contains("ANOTHER VERDICT"));
    assert_eq!(gap.p50_ms, None, "nobody paid anything");
}

#[test]
fn a_split_that_seeds_decide_is_no_other_verdict_and_is_told() {
    let (sim, mut live) = (outcome(10, &[], 1, 1), outcome(2, &[], 1, 1));
    let [one, other] =
        [7_u8, 8].map(|byte| (ReplicaId(u32::from(byte)), BlockHash(Hash::from_bytes([byte; 32]))));
    live.broken.push(Violation::Disagreement { height: 2, one, other });
    let gap = Gap::of(&sim, &live, &means(), true);
    assert!(gap.same_verdict && !gap.same_split);
    assert!(gap.to_string().contains("leaves to chance"), "{gap}");
    let mut both = [sim, live];
    both.iter_mut().for_each(|outcome| outcome.unmet.push(Unmet::NeverBroken));
    let gap = Gap::of(&both[0], &both[1], &means(), true);
    assert!(!gap.same_verdict && gap.to_string().contains("ANOTHER VERDICT"), "{gap}");
}

#[test]
fn where_chance_decides_nothing_is_accounted_for() {
    let (sim, live) = (outcome(10, &[200], 1, 1), outcome(10, &[900], 1, 1));
    assert_eq!(Gap::of(&sim, &live, &means(), false).accounted, None);
}
