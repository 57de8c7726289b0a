use super::*;
use serde_json::{Value, json};

fn report() -> Report {
    Report {
        consensus: "tendermint".to_owned(),
        replicas: 4,
        rate: Rate::Max,
        accounts: 400,
        block_time_ms: 1_000,
        in_flight: Some(4_096),
        duration_s: Figure(20.003_4),
        interrupted: false,
        cores: 2,
        verify_us: Figure(34.3),
        committed_per_s: Figure(7_288.63),
        limit_per_s: Some(Figure(14_577.26)),
        ratio: Some(Figure(0.5)),
        latency_ms: Some(Latency {
            p50: Figure(12.345),
            p95: Figure(20.0),
            p99: Figure(30.5),
            max: Figure(123.4),
        }),
        blocks_per_s: Figure(48.6),
        empty_blocks_per_s: None,
        transactions_per_block: Some(Figure(150.0)),
        bytes_per_tx: Some(Figure(1_165.491)),
        disk_bytes_per_tx: None,
        cpu_cores: Some(Figure(1.9)),
        cpu_us_per_tx: Some(Figure(260.7)),
        other_cpu_cores: Some(Figure(0.01)),
        rss_mib: Some(Figure(58.2)),
        rss_mib_series: vec![Memory { at_s: Figure(2.0), rss_mib: vec![Figure(58.2)] }],
        submitted: 150_000,
        accepted: 149_999,
        committed: 149_998,
        refused: 0,
        refusals: BTreeMap::new(),
        unsent: 0,
        unfinished: 0,
        generator: Generator {
            cpu_cores: Some(Figure(0.1)),
            cpu_us_per_tx: Some(Figure(25.7)),
            sign_us: Figure(13.1),
        },
    }
}

#[test]
fn programs_get_every_field_and_null_where_nothing_can_be_said() {
    let value = serde_json::to_value(report()).unwrap();
    assert_eq!(value["rate"], "max");
    assert_eq!(value["duration_s"], 20.003);
    assert_eq!(value["latency_ms"], json!({"p50": 12.345, "p95": 20.0, "p99": 30.5, "max": 123.4}));
    assert_eq!(value["disk_bytes_per_tx"], Value::Null);
    assert_eq!(value["rss_mib_series"], json!([{"at_s": 2.0, "rss_mib": [58.2]}]));
    assert_eq!(value["generator"]["cpu_us_per_tx"], 25.7);
    let open = Report { rate: Rate::PerSecond(20), ..report() };
    assert_eq!(serde_json::to_value(open).unwrap()["rate"], 20);
}

#[test]
fn people_get_a_table_that_no_terminal_wraps() {
    let table = report().to_string();
    let expected = "\
network          tendermint, 4 nodes, 2 cores
load             as many transfers as it takes, 20.0 s
committed        7289 per second, 50.0 % of the limit of 14577
latency          12.3 ms, p95 20.0, p99 30.5, longest 123
blocks           48.6 per second, 150 transactions each
network bytes    1165 per transaction, all nodes together
disk bytes       – per transaction and node
processors       nodes 1.90 (261 µs per transaction), load 0.10, others 0.01
memory           58.2 MiB at most in one node
transactions     150000 submitted, 149999 accepted, 149998 committed
";
    assert_eq!(table, expected);
    assert!(table.lines().all(|line| line.chars().count() <= 79));
}

#[test]
fn too_much_load_is_told_of_with_its_reasons() {
    let refusals = BTreeMap::from([("busy".to_owned(), 256), ("pool_full".to_owned(), 44)]);
    let (rate, interrupted) = (Rate::PerSecond(50_000), true);
    let (refused, unsent) = (300, 9_000);
    let report = Report { rate, interrupted, refused, refusals, unsent, ..report() };
    let table = report.to_string();
    assert!(table.contains("50000 transfers per second, 20.0 s, interrupted\n"), "{table}");
    let line = "too much         300 refused (busy 256, pool_full 44), 9000 unsent, 0 lost\n";
    assert!(table.ends_with(line), "{table}");
}

#[test]
fn without_load_there_is_little_to_say() {
    let report = Report {
        rate: Rate::PerSecond(0),
        committed_per_s: Figure(0.0),
        latency_ms: None,
        empty_blocks_per_s: Some(Figure(48.6)),
        transactions_per_block: None,
        ..report()
    };
    let table = report.to_string();
    assert!(table.contains("no transfers, 20.0 s") && !table.contains("latency"), "{table}");
}
