use super::*;
use crate::{field::founding, lab::trace::read as reader, live::home::Place};
use simulator::schedule::Fault;
use std::fs;

const ZERO: i64 = 1_700_000_000_000_000;

fn life(after_us: i64) -> String {
    format!("{{\"world\":\"life\",\"wall_us\":{}}}\n", ZERO + after_us)
}

fn note(replica: u32, seq: u64, at: u64) -> String {
    format!(
        "{{\"replica\":{replica},\"seq\":{seq},\"at\":{at},\"cause\":null,\"event\":\"note\",\"label\":\"word\",\
         \"detail\":\"{at}\"}}\n"
    )
}

/// The order of time across nodes, lives, deaths and faults, as `testnet trace` reads it.
#[test]
fn traces_of_all_nodes_become_one_in_the_order_of_time() {
    let text = "name = \"two\"\nconsensus = \"tendermint\"\nreplicas = 2\n";
    let scenario = Scenario::parse(text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let net = founding::found(Place::new(dir.path()), &scenario, "tendermint").unwrap();
    let write_node = |id: u32, text: String| {
        fs::write(net.place.node(id).join(TRACE_FILE), text).unwrap();
    };
    write_node(0, life(-100) + &note(0, 1, 50) + &note(0, 2, 900) + &life(5_000) + &note(0, 1, 10));
    write_node(1, life(-300) + &note(1, 1, 100) + "half a li\n" + &note(1, 2, 2_000));
    let played = Played {
        zero: ZERO,
        ended: Duration::from_micros(9_000),
        deaths: vec![(Duration::from_micros(4_000), ReplicaId(0))],
        faults: vec![(Duration::from_micros(3_000), Fault::Heal)],
        ..Played::default()
    };
    let path = dir.path().join("all.jsonl");
    write(&net, &scenario, "tendermint", 7, &played, &path).unwrap();
    let told = fs::read_to_string(&path).unwrap();
    let expected = [
        "\"scenario\"",
        "\"run\"",
        "\"woke\",\"time\":0,\"lane\":1",
        "\"at\":100",
        "\"woke\",\"time\":200,\"lane\":0",
        "\"at\":50",
        "\"at\":900",
        "\"at\":2000",
        "\"fault\",\"time\":3300",
        "\"crashed\",\"time\":4300",
        "\"woke\",\"time\":5300",
        "\"at\":10,",
        "\"ended\",\"time\":9300",
    ];
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{told}");
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{part} in {line}");
    }
    reader::read(told.as_bytes()).unwrap();
}
