use super::*;
use crate::runtime::{Durations, Histogram, Received, Sent, Times};
use crate::testing::{documented_metrics, shown_metrics};
use ledger::{BlockHash, ChainId, ReplicaId};
use replica::Class;

fn snapshot() -> Snapshot {
    let mut figures =
        Figures { blocks: 17, syncs: 40, hashes: 9_000, blocks_mined: 3, ..Figures::default() };
    figures.sent.insert(Class::First, Sent { envelopes: 5, copies: 15, bytes: 1_500 });
    figures.refused.entry("envelope").or_default().insert("malformed", 3);
    figures.declined.insert(("transaction", "nonce"), 2);
    figures.received.insert("ask", Received { envelopes: 6, bytes: 99 });
    figures.heard.insert("prevote", 31);
    figures.alarms.insert("protocol", 4);
    figures.extra_rounds = 2;
    figures.times = times();
    figures.calls.entry("status").or_default().extend([(0, 9), (-32602, 1)]);
    let member = |id, left, score| WeightAnswer { id: ReplicaId(id), left, score };
    let members = vec![member(0, 1_000_000, 0), member(4, 719_999, 28)];
    let status = StatusAnswer {
        chain_id: ChainId::default(),
        consensus: "tendermint".into(),
        replica: ReplicaId(2),
        height: 17,
        head: BlockHash::default(),
        head_height: 19,
        round: 1,
        peers: 0,
        pool: 5,
        time: 1_500,
        state: "halted: two blocks".into(),
        accused: Vec::new(),
        punished: Vec::new(),
        burned: Default::default(),
        weights: Some(WeightsAnswer { height: 18, round: 1, recovering: true, members }),
    };
    let network = NetworkCounters { bytes_sent: 77, ..NetworkCounters::default() };
    let process = Process { resident_bytes: Some(4_096), cpu_seconds: Some(1.5) };
    Snapshot { status: Some(status), figures, peers: 3, guests: 1, network, listeners: 1, process }
}

/// One of each.
fn times() -> Times {
    let histogram = Histogram::default();
    histogram.observe(Duration::from_millis(15));
    histogram.observe(Duration::from_millis(25));
    let each = histogram.read();
    Times {
        heights: each,
        first: [("prevote", each)].into(),
        quorum: [("prevote", Durations::default())].into(),
        opened: [("batch", each), ("envelope", each)].into(),
        queues: [("opened", each)].into(),
        steps: [("commit", each)].into(),
        carried_out: each,
        writes: each,
        syncs: each,
    }
}

#[test]
fn every_figure_has_a_line() {
    let page = page(snapshot(), "# TYPE another gauge\nanother 1\n");
    let lines = [
        "byzantium_height 17",
        "byzantium_head_height 19",
        "byzantium_last_block_timestamp_seconds 1.5",
        "byzantium_round 1",
        "byzantium_pool_transactions 5",
        "byzantium_halted 1",
        "byzantium_weight_permille{validator=\"0\"} 1000",
        "byzantium_weight_permille{validator=\"4\"} 719",
        "byzantium_inactivity_score{validator=\"4\"} 28",
        "byzantium_recovering 1",
        "byzantium_peers 3",
        "byzantium_blocks_total 17",
        "byzantium_syncs_total 40",
        "byzantium_hashes_total 9000",
        "byzantium_blocks_mined_total 3",
        "byzantium_sent_envelopes_total{class=\"first\"} 5",
        "byzantium_sent_copies_total{class=\"first\"} 15",
        "byzantium_sent_bytes_total{class=\"first\"} 1500",
        "byzantium_gossip_batches_total{fate=\"dropped\"} 0",
        "byzantium_received_envelopes_total{kind=\"ask\"} 6",
        "byzantium_received_bytes_total{kind=\"ask\"} 99",
        "byzantium_heard_messages_total{kind=\"prevote\"} 31",
        "byzantium_alarms_total{alarm=\"protocol\"} 4",
        "byzantium_extra_rounds_total 2",
        "byzantium_refused_total{what=\"envelope\",reason=\"malformed\"} 3",
        "byzantium_refused_total{what=\"transaction\",reason=\"nonce\"} 2",
        "byzantium_rpc_calls_total{method=\"status\",code=\"0\"} 9",
        "byzantium_rpc_calls_total{method=\"status\",code=\"-32602\"} 1",
        "byzantium_event_listeners 1",
        "byzantium_network_bytes_sent_total 77",
        "byzantium_network_peers_banned_total 0",
        "byzantium_process_resident_memory_bytes 4096",
        "byzantium_process_cpu_seconds_total 1.5",
        "another 1",
    ];
    for line in lines {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(page.ends_with("another 1\n# EOF\n"));
}

#[test]
fn a_histogram_has_a_sum_a_count_and_buckets_that_add_up() {
    let page = page(snapshot(), "");
    let lines = [
        "byzantium_sync_seconds_sum 0.04",
        "byzantium_sync_seconds_count 2",
        "byzantium_sync_seconds_bucket{le=\"0.01\"} 0",
        "byzantium_sync_seconds_bucket{le=\"0.02\"} 1",
        "byzantium_sync_seconds_bucket{le=\"0.05\"} 2",
        "byzantium_sync_seconds_bucket{le=\"+Inf\"} 2",
        "byzantium_height_step_seconds_sum{kind=\"prevote\",at=\"first\"} 0.04",
        "byzantium_height_step_seconds_count{kind=\"prevote\",at=\"quorum\"} 0",
        "byzantium_open_seconds_count{what=\"envelope\"} 2",
        "byzantium_queue_seconds_bucket{le=\"60.0\",queue=\"opened\"} 2",
        "byzantium_replica_step_seconds_sum{event=\"commit\"} 0.04",
        "byzantium_carry_out_seconds_count 2",
        "byzantium_store_write_seconds_count 2",
        "byzantium_height_seconds_count 2",
        "byzantium_longest_seconds{of=\"replica_step\"} 0.025",
    ];
    for line in lines {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    // A bucket that ends at a round figure is called by it.
    assert!(page.contains("{le=\"0.0001\"}"), "{page}");
}

/// What is shown to Prometheus is what `docs/rpc.md` says.
#[test]
fn every_metric_is_in_the_manual_and_the_manual_has_no_other() {
    let (documented, shown) = (documented_metrics(), shown_metrics(&page(snapshot(), "")));
    assert_eq!(shown.difference(&documented).collect::<Vec<_>>(), [""; 0], "not in docs/rpc.md");
    assert_eq!(documented.difference(&shown).collect::<Vec<_>>(), [""; 0], "on no page");
    assert!(shown.len() > 50, "{shown:?}");
}

#[test]
fn every_metric_is_explained_once() {
    let page = page(snapshot(), "");
    let help: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("# HELP ")).collect();
    let mut names: Vec<_> = help.iter().map(|line| line.split_once(' ').expect("a text")).collect();
    assert!(names.iter().all(|(_, text)| text.len() > 10), "{names:?}");
    let count = names.len();
    names.sort_unstable();
    names.dedup_by_key(|(name, _)| *name);
    assert_eq!(names.len(), count);
    let each = NetworkCounters::default().each();
    assert_eq!(each.count(), 32, "none of the network's is left out");
}

#[test]
fn a_replica_that_does_not_answer_leaves_its_lines_out() {
    let page = page(Snapshot { status: None, ..snapshot() }, "");
    assert!(!page.contains("byzantium_height ") && !page.contains("byzantium_weight"));
    assert!(page.contains("byzantium_peers 3"));
}

#[test]
fn a_chain_without_a_leak_has_no_weights_to_show() {
    let Snapshot { status, .. } = snapshot();
    let status = status.map(|status| StatusAnswer { weights: None, ..status });
    let page = page(Snapshot { status, ..snapshot() }, "");
    assert!(page.contains("byzantium_height 17"));
    for name in ["byzantium_weight", "byzantium_inactivity", "byzantium_recovering"] {
        assert!(!page.contains(name), "{page}");
    }
}

#[test]
fn the_systems_words_are_read() {
    let status = "Name:\tnode\nVmRSS:\t    2048 kB\nThreads:\t9\n";
    assert_eq!(process::resident_bytes(status), Some(2_097_152));
    assert_eq!(process::resident_bytes("Name:\tnode\n"), None);
    assert_eq!(process::resident_bytes("VmRSS: 18446744073709551615 kB"), None);
    let stat = "7 (a (bad) name) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 9";
    assert_eq!(process::cpu_seconds(stat), Some(2.0));
    assert_eq!(process::cpu_seconds("7 (node) S 1"), None);
    #[cfg(target_os = "linux")]
    assert!(Process::now().resident_bytes.is_some_and(|bytes| bytes > 100_000));
}
