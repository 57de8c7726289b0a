//! The one who follows the chain: what is final, or confirmed, and when it was told so.

use super::{
    book::{Book, Phase, Trouble},
    lane::PATIENCE,
};
use ledger::TransactionId;
use serde::Deserialize;
use serde_json::json;
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use wallet_cli::client::Client;

/// How long one question waits for a block, in milliseconds.
const WAIT_MS: u64 = 500;

/// How long to rest after a question that was not answered.
const REST: Duration = Duration::from_millis(50);

/// What a node says is in its final and confirmed blocks.
#[derive(Deserialize)]
struct Blocks {
    blocks: Vec<Block>,
}

#[derive(Deserialize)]
struct Block {
    height: u64,
    ids: Vec<TransactionId>,
}

/// Follows the chain of a node from a height on until all is over. A transaction is final when the
/// node's answer that names it is here, and the node answers only with what is durable. Where blocks
/// are final by depth, it counts from when it has the chain's confirmations.
pub fn follow(client: &Client, node: u32, mut from: u64, book: &Arc<Book>) {
    let mut answered = Instant::now();
    while book.page().phase != Phase::Over {
        let params = json!({ "from": from, "wait": WAIT_MS });
        match client.call::<Blocks>("transaction_ids", params) {
            Ok(Blocks { blocks }) => {
                answered = Instant::now();
                for Block { height, ids } in blocks {
                    book.finish(&ids, answered);
                    from = from.max(height.saturating_add(1));
                }
            }
            Err(error) => {
                if answered.elapsed() >= PATIENCE {
                    let reason = error.to_string();
                    return book.fail(Trouble::Silent { node, patience: PATIENCE, reason });
                }
                thread::sleep(REST);
            }
        }
    }
}
