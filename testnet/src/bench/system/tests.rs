use super::*;

#[test]
fn processor_time_is_found_behind_whatever_the_program_is_called() {
    let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 900 0 0 0 150 50 3 4 20 0 9 0 100 1 2";
    assert_eq!(of_stat(stat), Some(2.0));
    for broken in ["", "7 (node) S 1", "7 (node) S 1 7 7 0 -1 4194560 900 0 0 0 x 50"] {
        assert_eq!(of_stat(broken), None, "{broken:?}");
    }
}

#[test]
fn all_processor_time_is_what_was_not_idle() {
    let stat = "cpu  100 20 30 9000 800 1 2 47 0 0\ncpu0 50 10 15 4500 400 1 1 23 0 0\nctxt 1\n";
    assert_eq!(of_whole_stat(stat), Some(2.0));
    assert_eq!(of_whole_stat("cpu  1 2 3"), None);
    assert_eq!(of_whole_stat("intr 1"), None);
}

#[test]
fn memory_is_told_in_kibibytes() {
    assert_eq!(of_status("Name:\tnode\nVmHWM:\t 99 kB\nVmRSS:\t    1234 kB\n"), Some(1_263_616));
    assert_eq!(of_status("Name:\tkthreadd\n"), None);
}

#[test]
fn this_very_process_has_memory_and_has_used_time() {
    assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 0));
    assert!(cpu_seconds("self").is_some());
    assert!(all_cpu_seconds() >= cpu_seconds("self"));
    assert_eq!(cpu_seconds("no-process"), None);
}

#[test]
fn a_directory_takes_what_is_in_it_at_any_depth() {
    let temp = tempfile::tempdir().unwrap();
    let empty = disk_bytes(temp.path()).unwrap();
    let inner = temp.path().join("db/blobs");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("1"), vec![7; 100_000]).unwrap();
    std::fs::File::open(inner.join("1")).unwrap().sync_all().unwrap();
    let full = disk_bytes(temp.path()).unwrap();
    assert!(full >= empty + 100_000, "{empty}, {full}");
    assert_eq!(disk_bytes(&temp.path().join("gone")).unwrap(), 0);
}

#[test]
fn sent_bytes_are_those_of_frames_and_of_gossip() {
    let metrics = "\
# HELP byzantium_network_bytes_sent Bytes of those frames.
# TYPE byzantium_network_bytes_sent counter
byzantium_network_bytes_sent_total 6619
byzantium_network_batch_bytes_sent_total 1000
byzantium_network_bytes_received_total 5
byzantium_sent_bytes_total{class=\"first\"} 4239
gossipsub_topic_msg_sent_bytes_total{hash=\"byzantium/d4/transactions\"} 400
gossipsub_topic_msg_recv_bytes_total{hash=\"byzantium/d4/transactions\"} 7
byzantium_network_bytes_sent_total nonsense
# EOF
";
    assert_eq!(sent_bytes(&Page::parse(metrics)), 8_019);
    assert_eq!(sent_bytes(&Page::default()), 0);
}
