//! A node that nobody told the others of, and that has no seat: it follows.

use super::*;

const NEWCOMER: u32 = 4;

/// A node with a key of its own that knows the founders, who do not know it.
fn newcomer(testnet: &Testnet, dir: &TempDir, listen: SocketAddr) -> NodeConfig {
    let founder = |id: u32| Peer {
        id,
        public_key: secret(id).public(),
        address: testnet.listen[id as usize],
    };
    let settings = Settings {
        id: NEWCOMER,
        listen,
        peers: (0..4).map(founder).collect(),
        ..testnet.config(0).settings().clone()
    };
    NodeConfig::new(dir.path(), settings, genesis(), secret(NEWCOMER))
        .expect("a good configuration")
}

async fn health(node: &RunningNode) -> (u16, String) {
    hostile::page(node, "/health").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_seat_stays_close_to_the_head_and_takes_transactions() {
    let testnet = Testnet::new();
    let founders = testnet.start().await;
    reach(&founders, 5).await;

    let (dir, listen) = (tempfile::tempdir().expect("a directory"), free_address());
    let follower = [start(newcomer(&testnet, &dir, listen)).await.expect("starts")];
    reach(&follower, 5).await;
    let begun = Instant::now();
    for founder in &founders {
        while founder.network.guests() < 1 {
            assert!(begun.elapsed() < SOON, "it reaches the others");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(founder.network.guests(), 1);
        assert_eq!(founder.network.connected().len(), 3, "a guest is no peer");
    }
    let (code, body) = health(&follower[0]).await;
    assert!(code == 200 && body.contains("follows; has no seat"), "{body}");

    // It asks six times a second, so it is some blocks of a tenth of a second behind at most.
    let mut worst = 0;
    for _ in 0..20 {
        let head = height(&founders[0]).await;
        worst = worst.max(head.saturating_sub(height(&follower[0]).await));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("it was {worst} blocks of 100 ms behind at most");

    let id = transfer(0).id();
    submit(&follower[0], &transfer(0)).await.expect("taken");
    check(&finality(&follower[0], id).await);
    let sent = follower[0].counters().sent;
    assert_eq!(sent.get(&replica::Class::First), None, "it says nothing of its own");
    for founder in &founders {
        assert_eq!(founder.network_counters().peer_faults, 0, "and nobody is blamed");
    }

    // Both sides may go and come back.
    let [follower] = follower;
    stop(vec![follower]).await;
    let before = height(&founders[0]).await;
    let again = [start(newcomer(&testnet, &dir, listen)).await.expect("starts")];
    reach(&again, before + 3).await;
    stop(founders).await;
    let before = height(&again[0]).await;
    let founders = testnet.start().await;
    reach(&founders, before + 3).await;
    reach(&again, before + 3).await;
    stop(founders).await;
    stop(again.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_reaches_no_member_says_so() {
    let testnet = Testnet::new();
    let dir = tempfile::tempdir().expect("a directory");
    let lonely = start(newcomer(&testnet, &dir, free_address())).await.expect("starts");
    let (code, body) = health(&lonely).await;
    assert!(code == 503 && body.contains("no_member"), "{body}");
    stop(vec![lonely]).await;
}
