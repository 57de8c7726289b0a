//! A node that is told of the points between persisting and sending.

use super::*;
use ledger::store::tripwire::Point;
use std::{collections::BTreeSet, sync::Mutex};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_passes_every_point() {
    let testnet = Testnet::new();
    let passed = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = Arc::clone(&passed);
    let tripwire = Tripwire::new(move |point| {
        sink.lock().expect("no panic").insert(point);
    });
    let studied = Extras { control: false, tripwire };
    let mut nodes = vec![start_with(testnet.config(0), studied).await.expect("starts")];
    for id in 1..4 {
        nodes.push(start(testnet.config(id)).await.expect("starts"));
    }
    let deadline = Instant::now() + SOON;
    loop {
        // Somebody has to ask something, or nothing is answered.
        height(&nodes[0]).await;
        let passed = passed.lock().expect("no panic").clone();
        let missing: Vec<_> = Point::ALL.iter().filter(|point| !passed.contains(point)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "never passed: {missing:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop(nodes).await;
}
