//! Proposals that name their transactions, between real nodes.

use super::*;
use ledger::VerifiedTransaction;
use replica::packet;

/// Enough for a proposal that is worth shortening.
const COUNT: u64 = 200;

fn coin(nonce: u64) -> VerifiedTransaction {
    let to = secret(1).public().address();
    let action = Action::Transfer { to, amount: Amount(1) };
    let (chain, sender) = (genesis().chain_id(), alice().public());
    let payload = Payload { chain, sender, nonce, fee: Amount(1), action };
    payload.sign(&alice()).verify(chain).expect("it is alice's")
}

/// Two nodes know two hundred transactions and a third, without which nothing is decided, does not:
/// it asks for what it cannot complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lacks_what_a_proposal_names_asks_for_all_of_it() {
    let testnet = Testnet::new();
    let mut nodes = Vec::new();
    for id in 0..2 {
        nodes.push(start(testnet.config(id)).await.expect("starts"));
    }
    // The first nonce is missing, so that they wait.
    let waiting: Vec<_> = (1..COUNT).map(coin).collect();
    let (public, _events) =
        network::start(network_config(&testnet.config(3))).await.expect("starts");
    let start_time = Instant::now();
    let mut first = 0;
    for node in &nodes {
        while get::<StatusAnswer>(node, "status", json!({})).await.pool < waiting.len() {
            assert!(start_time.elapsed() < SOON, "gossiped: {:?}", node.counters());
            // Each time in another order: the same bytes twice are one message.
            first = (first + 1) % waiting.len();
            let turned = [&waiting[first..], &waiting[..first]].concat();
            public.publish(packet::encode_transactions(&turned));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    public.shutdown().await;
    // Gossipsub offers newcomers what is younger than five heartbeats of a second.
    tokio::time::sleep(Duration::from_secs(6)).await;

    nodes.push(start(testnet.config(2)).await.expect("starts"));
    reach(&nodes, 1).await;
    submit(&nodes[0], coin(0).transaction()).await.expect("taken");
    for node in &nodes {
        finality(node, coin(COUNT - 1).id()).await;
    }
    let figures: Vec<_> = nodes.iter().map(RunningNode::counters).collect();
    assert!(figures[0].compacted + figures[1].compacted > 0, "{figures:?}");
    assert!(figures[2].incomplete > 0, "{figures:?}");
    assert!(figures.iter().all(|node| !node.refused.contains_key("envelope")), "{figures:?}");
    stop(nodes).await;
}
