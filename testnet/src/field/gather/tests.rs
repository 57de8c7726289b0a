use super::*;
use crate::field::founding;
use consensus::{catalogue::Module, tendermint::Tendermint};
use simulator::checker::{Checker, Promises, Sight};
use simulator::{Setup, World, record::Milestone};
use std::fs;

/// When the run of these tests began.
const ZERO: i64 = 1_700_000_000_000_000;

fn gatherer(depth: Option<u64>) -> Gatherer {
    Gatherer {
        record: Record::observed(1),
        zero: ZERO,
        ended: Duration::from_secs(60),
        starts: BTreeMap::new(),
        depth,
        counts: Counts::default(),
        lines: 0,
        hash: Sha256::new(),
    }
}

fn life(after_us: i64) -> String {
    format!("{{\"world\":\"life\",\"wall_us\":{}}}\n", ZERO + after_us)
}

fn line(seq: u64, at: u64, what: &str) -> String {
    format!("{{\"replica\":0,\"seq\":{seq},\"at\":{at},\"cause\":null,{what}}}\n")
}

fn told(at: u64, height: u64, block: BlockHash) -> String {
    let line = Aside::Final { at, height, block };
    serde_json::to_string(&line).unwrap() + "\n"
}

fn committed(at: u64, height: u64) -> String {
    told(at, height, BlockHash::default())
}

fn read(text: &str, depth: Option<u64>) -> Gatherer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    fs::write(&path, text).unwrap();
    let mut gatherer = gatherer(depth);
    gatherer.read(ReplicaId(0), &path, None).unwrap();
    gatherer
}

fn times(gatherer: &Gatherer) -> Vec<(u64, u128)> {
    let history = gatherer.record.history(ReplicaId(0)).iter().filter_map(Milestone::commit);
    history.map(|commit| (commit.height, commit.at.as_millis())).collect()
}

#[test]
fn each_life_counts_from_its_own_beginning_on_the_run_s_axis() {
    let started = |height| line(1, 0, &format!("\"event\":\"started\",\"height\":{height}"));
    let text = [
        life(-500_000),
        started(0),
        committed(100_000, 1),
        committed(700_000, 2),
        // Killed within a line.
        "{\"replica\":0,\"seq\":4,\"at\":9\n".to_owned(),
        life(5_000_000),
        started(2),
        committed(250_000, 3),
    ];
    let found = read(&text.concat(), None);
    assert_eq!(times(&found), [(1, 0), (2, 200), (3, 5_250)], "before the beginning is at it");
    assert_eq!(found.lines, 2);
}

#[test]
fn messages_are_counted_once_for_each_recipient() {
    let sent = |seq, class: &str| {
        let what = format!(
            "\"event\":\"sent\",\"envelope\":{seq},\"kind\":\"prevote\",\"to\":[1,2,3],\"class\":\"{class}\""
        );
        line(seq, seq, &what)
    };
    let found = read(&(life(0) + &sent(1, "first") + &sent(2, "first") + &sent(3, "resend")), None);
    assert_eq!((found.counts.first, found.counts.resends), (6, 3));
}

#[test]
fn what_was_confirmed_and_undone_is_a_reversion_unless_a_new_life_began() {
    let adopted = |seq, height: u64, fork: u64| {
        let block = serde_json::to_string(&BlockHash::default()).unwrap();
        let what = format!(
            "\"event\":\"adopted\",\"height\":{height},\"block\":{block},\"abandoned\":0,\"fork\":{fork}"
        );
        line(seq, seq * 1_000, &what)
    };
    let branch: String = (1..=5).map(|height| adopted(height, height, height - 1)).collect();
    let undone = read(&(life(0) + &branch + &adopted(6, 6, 1)), Some(3));
    let [found] = undone.record.reversions() else { panic!("{:?}", undone.record.reversions()) };
    assert_eq!((found.height, found.blocks, found.depth), (2, 2, 4));
    let started = line(1, 0, "\"event\":\"started\",\"height\":0");
    let again = life(9_000) + &started + &adopted(2, 1, 0);
    let reborn = read(&(life(0) + &branch + &again), Some(3));
    assert!(reborn.record.reversions().is_empty());
}

#[test]
fn a_net_that_never_ran_is_judged_as_one_that_did_nothing() {
    let text = "name = \"nothing\"\nconsensus = \"tendermint\"\nexpect = { height = 1 }\n";
    let scenario = Scenario::parse(text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let place = crate::live::home::Place::new(dir.path());
    let net = founding::found(place, &scenario, "tendermint").unwrap();
    let gathered = gather(&net, &scenario, &Played::default()).unwrap();
    let checker = Checker::observing::<Tendermint>(&gathered.genesis, 4, Promises::default());
    let mut checker = checker;
    let sight = Sight { now: gathered.ended, record: &gathered.record, ledgers: vec![None; 4] };
    assert!(checker.look(&sight).holds());
}

/// A chain of some heights, as a node's disk would hold it.
fn chain() -> World<Tendermint> {
    let setup = Setup::new("tendermint", 4, 7);
    let mut world = World::<Tendermint>::new(setup, |genesis| Module::new(genesis).unwrap());
    world.run_for(Duration::from_secs(20));
    assert!(world.ledger(ReplicaId(0)).unwrap().height() > 6);
    world
}

fn read_beside(text: &str, ledger: &Ledger, starts: &[u64]) -> Gatherer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    fs::write(&path, text).unwrap();
    let mut gatherer = gatherer(None);
    let starts = starts.iter().copied().map(Duration::from_secs).collect();
    gatherer.starts.insert(ReplicaId(0), starts);
    gatherer.read(ReplicaId(0), &path, Some(ledger)).unwrap();
    gatherer
}

fn recovered(gatherer: &Gatherer) -> Vec<(u64, bool)> {
    let history = gatherer.record.history(ReplicaId(0)).iter().filter_map(Milestone::commit);
    history.map(|commit| (commit.height, commit.recovered)).collect()
}

fn started(height: u64) -> String {
    line(1, 0, &format!("\"event\":\"started\",\"height\":{height}"))
}

fn told_of(ledger: &Ledger, height: u64) -> String {
    told(height * 1_000_000, height, ledger.committed(height).unwrap().hash())
}

/// Whoever was killed before it could say so holds it all the same, and others are compared with it.
#[test]
fn what_the_disk_holds_final_counts_although_nobody_told_of_it() {
    let world = chain();
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let text = life(0) + &started(0) + &told_of(ledger, 1) + &told_of(ledger, 2);
    let found = recovered(&read_beside(&text, ledger, &[0]));
    let expected: Vec<_> = (1..=ledger.height()).map(|height| (height, height > 2)).collect();
    assert_eq!(found, expected);
}

/// The replica says that it commits before the block is durable; only what the node tells afterwards counts.
#[test]
fn what_was_not_yet_durable_was_never_told() {
    let world = chain();
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let block = serde_json::to_string(&BlockHash::default()).unwrap();
    let early =
        format!("\"event\":\"committed\",\"height\":99,\"block\":{block},\"transactions\":0");
    let text = life(0) + &started(0) + &told_of(ledger, 1) + &line(2, 5, &early);
    let found = recovered(&read_beside(&text, ledger, &[0]));
    assert!(found.iter().all(|(height, _)| *height < 99), "{found:?}");
}

#[test]
fn where_lines_are_missing_the_disk_fills_the_gap_and_elsewhere_a_gap_is_a_fault() {
    let world = chain();
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let note = |seq| line(seq, 9, "\"event\":\"note\",\"label\":\"round\",\"detail\":\"x\"");
    let head = life(0) + &started(0) + &told_of(ledger, 1);
    let dropped = head.clone() + &note(50) + &note(51) + &told_of(ledger, 5);
    let found = recovered(&read_beside(&dropped, ledger, &[0]));
    assert_eq!(found[..5], [(1, false), (2, true), (3, true), (4, true), (5, false)]);
    let skipped = head + &note(2) + &told_of(ledger, 5);
    let found = recovered(&read_beside(&skipped, ledger, &[0]));
    assert_eq!(found[..2], [(1, false), (5, false)]);
}

/// Or nobody would ask what a node does that was started again.
#[test]
fn a_life_begins_when_it_was_ordered_to() {
    let world = chain();
    let ledger = world.ledger(ReplicaId(0)).unwrap();
    let text = life(200_000) + &started(0) + &life(7_300_000) + &started(0);
    let found = read_beside(&text, ledger, &[0, 7]);
    let lives = found.record.history(ReplicaId(0)).iter().filter_map(|milestone| match milestone {
        Milestone::Woke { at, .. } => Some(at.as_millis()),
        Milestone::Final(_) => None,
    });
    assert_eq!(lives.collect::<Vec<_>>(), [0, 7_000]);
}
