//! Nodes whose links are cut while they run.

use super::*;
use crate::{
    conditions,
    control::{ControlError, Request, SOCKET, View, ask},
};
use std::{os::unix::fs::PermissionsExt, path::Path};

const CONTROLLED: Extras = Extras { control: true, tripwire: Tripwire::NONE };

async fn tell(testnet: &Testnet, id: u32, request: Request) -> View {
    let dir = testnet.dirs[id as usize].path().to_owned();
    spawn_blocking(move || ask(&dir, &request)).await.expect("no panic").expect("done")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_cut_in_half_stand_still_and_go_on_once_they_are_healed() {
    let testnet = Testnet::new();
    let mut nodes = Vec::new();
    for id in 0..4 {
        nodes.push(start_with(testnet.config(id), CONTROLLED).await.expect("starts"));
    }
    reach(&nodes, 2).await;
    for (id, others) in [(0, [2, 3]), (1, [2, 3]), (2, [0, 1]), (3, [0, 1])] {
        let view = tell(&testnet, id, Request::Cut(others.into())).await;
        assert_eq!(view.cut, others);
        assert!(view.connected.iter().all(|peer| !others.contains(peer)), "{view:?}");
    }
    let mut highest = 0;
    for node in &nodes {
        highest = height(node).await.max(highest);
    }
    // Votes that had crossed before the cut may still decide one height. The next would need a vote
    // from across that was cast after it, however long one waits.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for node in &nodes {
        let now = height(node).await;
        assert!(now <= highest + 1, "from {highest} to {now} without a quorum");
        assert!(node.network_counters().dropped_cut > 0, "the replica went on speaking");
    }

    for id in 0..4 {
        assert!(tell(&testnet, id, Request::Heal).await.cut.is_empty());
    }
    reach(&nodes, highest + 4).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_opened_only_if_it_is_asked_for_and_is_gone_at_the_end() {
    let testnet = Testnet::new();
    let path = testnet.dirs[0].path().join(SOCKET);
    let node = start(testnet.config(0)).await.expect("starts");
    assert!(!path.exists());
    stop(vec![node]).await;

    let node = start_with(testnet.config(0), CONTROLLED).await.expect("starts");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(tell(&testnet, 0, Request::Status).await.cut.is_empty());
    stop(vec![node]).await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_too_long_for_a_socket_costs_the_socket_and_no_more() {
    let testnet = Testnet::new();
    let long = testnet.dirs[0].path().join("x".repeat(100));
    std::fs::create_dir(&long).expect("made");
    let config = testnet.config(0);
    let config = NodeConfig::new(&long, config.settings().clone(), genesis(), secret(0));
    let node = start_with(config.expect("good"), CONTROLLED).await.expect("starts");
    let asked = |dir: &Path| ask(dir, &Request::Status).expect_err("no socket");
    assert!(matches!(asked(&long), ControlError::TooLong { .. }));
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_the_sockets_place_is_refused_and_nothing_is_left_running() {
    let testnet = Testnet::new();
    let path = testnet.dirs[0].path().join(SOCKET);
    std::fs::write(&path, "precious").expect("written");
    let error = start_with(testnet.config(0), CONTROLLED).await.expect_err("refused");
    assert!(error.is_bad_input() && error.to_string().contains("control.sock"), "{error}");
    let node = start(testnet.config(0)).await.expect("the refused one left nothing running");
    stop(vec![node]).await;
    assert_eq!(std::fs::read(&path).expect("there"), b"precious");
}

/// Writes what a node is to begin under.
fn foresee(testnet: &Testnet, id: u32, text: &str) {
    let path = testnet.dirs[id as usize].path().join(conditions::FILE);
    std::fs::write(path, text).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_in_the_directory_are_obeyed_from_the_first_message_on() {
    let testnet = Testnet::new();
    // Nodes 2 and 3 hear of nobody, so that no quorum hears of anything but its own proposals.
    for deaf in [2, 3] {
        foresee(&testnet, deaf, r#"{"others":{"lost_ppm":1000000}}"#);
    }
    foresee(&testnet, 0, r#"{"others":{"delay":[1000,5000]},"sync":[1000]}"#);
    let mut nodes = Vec::new();
    for id in 0..4 {
        nodes.push(start_with(testnet.config(id), CONTROLLED).await.expect("starts"));
    }
    let lost = |node: &RunningNode| node.network_counters().weather_lost;
    let start = Instant::now();
    while lost(&nodes[2]) < 50 || lost(&nodes[3]) < 50 {
        assert!(start.elapsed() < SOON, "they are spoken to");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for deaf in &nodes[2..] {
        assert_eq!(height(deaf).await, 0, "and heard nothing, not even the first message");
        assert_eq!(deaf.counters().opened, 0);
    }
    assert!(nodes[0].network_counters().weather_waiting > 0);
    assert_eq!(lost(&nodes[0]) + lost(&nodes[1]), 0);
    let others: Vec<u32> = vec![0, 1, 3];
    let view = tell(&testnet, 2, Request::Conditions(Box::default())).await;
    assert_eq!((view.cut, view.peers), (vec![], others));
    reach(&nodes[..3], 3).await;
    tell(&testnet, 3, Request::Conditions(Box::default())).await;
    reach(&nodes, 5).await;
    stop(nodes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_conditions_are_refused_by_file_and_value_and_matter_to_testnets_nodes_alone() {
    let testnet = Testnet::new();
    foresee(&testnet, 0, r#"{"links":{"1":{"lost_ppm":1000001}}}"#);
    let error = start_with(testnet.config(0), CONTROLLED).await.expect_err("refused");
    let words = error.to_string();
    assert!(error.is_bad_input() && words.contains(conditions::FILE), "{words}");
    assert!(words.contains("`links.1.lost_ppm`: 1000001"), "{words}");
    let node = start(testnet.config(0)).await.expect("it is no node's own business");
    assert_eq!(node.network_counters().weather_lost, 0);
    stop(vec![node]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stops_at_once_however_bad_the_world() {
    let testnet = Testnet::new();
    let bad = r#"{"others":{"delay":[600000000]},"sync":[600000000],"miner_share":0}"#;
    foresee(&testnet, 0, bad);
    let node = start_with(testnet.config(0), CONTROLLED).await.expect("starts");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = tokio::time::timeout(SOON, node.stop()).await;
    stopped.expect("long before the ten minutes are over").expect("in good order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skewed_calendar_dates_the_blocks() {
    let testnet = Testnet::new();
    let mut nodes = Vec::new();
    for id in 0..4 {
        foresee(&testnet, id, r#"{"clock":{"offset_ms":86400000}}"#);
        nodes.push(start_with(testnet.config(id), CONTROLLED).await.expect("starts"));
    }
    reach(&nodes, 2).await;
    let blocks: BlocksAnswer = get(&nodes[0], "blocks", json!({ "from": 2 })).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis() as u64;
    let time = blocks.blocks[0].header.time;
    assert!(time > now + 86_400_000 - 120_000, "{time} is a day ahead of {now}");
    stop(nodes).await;
}
