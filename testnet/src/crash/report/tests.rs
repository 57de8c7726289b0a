use super::*;
use crate::crash::{trip::Trip, watch::Promise};
use ledger::store::tripwire::Point;
use serde_json::json;

fn summary() -> Summary {
    Summary {
        holds: true,
        consensus: "tendermint".into(),
        replicas: 4,
        seed: 42,
        rounds: 100,
        interrupted: false,
        kills: 151,
        restarts: 151,
        failpoints: BTreeMap::new(),
        untripped: 0,
        transfers: Transfers { sent: 80, settled: 80, is_final: 80 },
        heights: vec![412, 412, 411, 412],
        head_heights: vec![412, 412, 411, 412],
        undone: Undone::default(),
        databases: 4,
        violations: Vec::new(),
        unlisted: 0,
        seconds: 112.34,
        dir: None,
        confirms: false,
    }
}

fn broken() -> Violation {
    Violation {
        promise: Promise::Agreement,
        node: 2,
        round: 17,
        seconds: 20.4,
        what: "at final height 88 it names aa, and node 0 named bb in round 16".into(),
    }
}

#[test]
fn a_person_reads_what_was_done_and_that_it_held() {
    let expected = "\
tendermint, 4 nodes, seed 42: 100 rounds
  processes  151 killed, 151 started again
  transfers  80 sent, 80 final
  heights    412 412 411 412
  databases  4 sound, with all that was final
  time       112.3 s

No promise was broken.";
    assert_eq!(summary().to_string(), expected);
}

#[test]
fn a_person_reads_what_was_broken_when_and_where() {
    let text = Summary {
        holds: false,
        violations: vec![broken()],
        unlisted: 3,
        dir: Some("/tmp/net".into()),
        ..summary()
    }
    .to_string();
    let line = "agreement broken at node 2 in round 17, after 20.4 s: at final height 88";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("and 3 more") && text.contains("are in /tmp/net"), "{text}");
    assert!(text.ends_with("PROMISES WERE BROKEN."), "{text}");
}

#[test]
fn where_nothing_is_certain_heads_and_what_was_undone_are_told_too() {
    let text = Summary {
        confirms: true,
        head_heights: vec![500; 4],
        undone: Undone { blocks: 2, transfers: 1 },
        transfers: Transfers { sent: 80, settled: 78, is_final: 50 },
        ..summary()
    }
    .to_string();
    for line in [
        "transfers  80 sent, 50 final, 28 confirmed",
        "heads      500 500 500 500",
        "undone     2 confirmed blocks, 1 confirmed transfers",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_was_broken_off_says_so_and_claims_nothing_of_databases() {
    let text = Summary { interrupted: true, rounds: 12, ..summary() }.to_string();
    assert!(text.starts_with("tendermint, 4 nodes, seed 42: 12 rounds, broken off"), "{text}");
    assert!(!text.contains("databases") && text.ends_with("broken so far."), "{text}");
}

#[test]
fn a_program_reads_one_object() {
    let value = serde_json::to_value(Summary { violations: vec![broken()], ..summary() }).unwrap();
    assert_eq!(value["transfers"], json!({"sent": 80, "settled": 80, "final": 80}));
    assert_eq!(value["heights"], json!([412, 412, 411, 412]));
    let violation = &value["violations"][0];
    assert_eq!((&violation["promise"], &violation["round"]), (&"agreement".into(), &17.into()));
    assert_eq!(value["undone"], json!({"blocks": 0, "transfers": 0}));
    assert!(value.get("dir").is_none());
}

#[test]
fn a_round_is_one_line() {
    let victim = |id, dead| Victim { id, dead: Duration::from_millis(dead), trip: None };
    let round =
        Round { pause: Duration::from_millis(430), victims: vec![victim(1, 210), victim(3, 90)] };
    assert_eq!(
        line(7, 100, &round, &[88, 88, 87, 90], 212),
        "round   7 of 100  after  430ms killed 1 3          for 210ms  heights 88 88 87 90  \
         final transfers 212"
    );
}

#[test]
fn whoever_died_at_a_failpoint_is_told_with_its_place() {
    let failpoints = BTreeMap::from([("record-torn", 3), ("vote-unsent", 1)]);
    let text = Summary { failpoints, untripped: 1, ..summary() }.to_string();
    let lines = "  failpoints 4 died at 2 of them, 1 never came to theirs\n             \
                 record-torn 3, vote-unsent 1\n";
    assert!(text.contains(lines), "{text}");
    let trip = Some(Trip { point: Point::RecordTorn, passage: 3 });
    let victim = Victim { id: 2, dead: Duration::ZERO, trip };
    let round = Round { pause: Duration::ZERO, victims: vec![victim] };
    assert!(line(1, 1, &round, &[], 0).contains("killed 2@record-torn:3"));
}
