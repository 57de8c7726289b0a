//! Calls for programs that handle many transactions.
//!
//! - `submit_batch`, `transactions`: a list of what `submit` takes one of. The result has
//!   `results`, one for each and in the same order: `{"id": …}`, or `{"error": …}` as `submit`
//!   would have answered. One transaction that is refused does not touch the others.
//! - `transaction_ids`, `from`: a height, and perhaps `wait`: milliseconds. The result has
//!   `blocks`: the final blocks from that height on, oldest first, each as its `height` and the
//!   `ids` of its transactions in order; where blocks are confirmed long before they are final, the
//!   confirmed ones, too. If there is none, the answer comes when there is one, or when the wait is
//!   over.

use super::{
    Backend,
    call::Params,
    error::{Code, RpcError},
    methods::{mismatch, to_json, verify},
};
use ledger::{Block, ChainId, Transaction, TransactionId, VerifiedTransaction};
use replica::{
    Answer, Query, TransactionCache,
    trace::{TraceLine, What},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout_at},
};

/// Transactions in one batch. A body of [`super::MAX_BODY`] holds that many of the usual length;
/// of longer ones it holds fewer.
pub(super) const MAX_BATCH: usize = 256;

/// How long one call may wait for a block: less than the server waits for open requests when it
/// stops.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(1);

/// Hands over many transactions.
pub(super) async fn submit_batch(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let batch: Vec<String> = params.required("transactions")?;
    params.finish()?;
    if batch.len() > MAX_BATCH {
        let found = batch.len();
        let message = format!("there are {found} transactions, at most {MAX_BATCH} go together");
        let error = RpcError::new(Code::InvalidParams, "too_many", message);
        return Err(error.with("limit", MAX_BATCH).with("found", found));
    }
    let (chain, met) = (backend.chain, Arc::clone(backend.asker.transactions()));
    // Milliseconds of work, so it is done beside the thread that serves everyone, as for `submit`.
    let checked = beside(move || check_all(&batch, chain, &met)).await?;
    let good: Vec<_> = checked.iter().filter_map(|each| each.as_ref().ok().cloned()).collect();
    let submitted = match good.is_empty() {
        true => Vec::new(),
        false => match backend.ask(Query::SubmitMany(good)).await? {
            Answer::SubmittedMany(results) => results,
            other => return Err(mismatch(&other)),
        },
    };
    let mut submitted = submitted.into_iter();
    let results: Result<Vec<_>, RpcError> = checked
        .into_iter()
        .map(|checked| match checked {
            Ok(_) => match submitted.next() {
                Some(result) => receipt(result.map_err(RpcError::from)),
                None => Err(RpcError::new(Code::Internal, "internal", "an answer is missing")),
            },
            Err(error) => receipt(Err(error)),
        })
        .collect();
    Ok(json!({ "results": results? }))
}

fn check_all(
    batch: &[String],
    chain: ChainId,
    met: &TransactionCache,
) -> Vec<Result<VerifiedTransaction, RpcError>> {
    batch.iter().map(|digits| verify(digits, chain, met)).collect()
}

/// What became of one transaction.
fn receipt(result: Result<TransactionId, RpcError>) -> Result<Value, RpcError> {
    match result {
        Ok(id) => Ok(json!({ "id": id.to_string() })),
        Err(error) => Ok(json!({ "error": to_json(&error)? })),
    }
}

/// One block as `transaction_ids` names it.
#[derive(Serialize)]
struct Named {
    height: u64,
    ids: Vec<TransactionId>,
}

/// Tells what is in the final and confirmed blocks from a height on.
pub(super) async fn transaction_ids(
    backend: &Backend,
    mut params: Params,
) -> Result<Value, RpcError> {
    let from = params.required("from")?;
    let wait = Duration::from_millis(params.optional("wait")?.unwrap_or(0)).min(MAX_WAIT);
    params.finish()?;
    let until = Instant::now() + wait;
    // Listens before it asks, so that no block can come in between unheard.
    let mut lines = (!wait.is_zero()).then(|| backend.feed.listen());
    let bodies = loop {
        let bodies = match backend.ask(Query::Bodies(from)).await? {
            Answer::Bodies(bodies) => bodies,
            other => return Err(mismatch(&other)),
        };
        match &mut lines {
            Some(lines) if bodies.is_empty() && Instant::now() < until => {
                // In vain or not, whoever waited is answered with what there is now.
                let _ = timeout_at(until, settled(lines)).await;
            }
            _ => break bodies,
        }
    };
    // Thousands of hashes, perhaps.
    let blocks = beside(move || names(&bodies)).await?;
    Ok(json!({ "blocks": to_json(&blocks)? }))
}

/// Waits until a block is committed or confirmed, or may have been.
async fn settled(lines: &mut Receiver<Arc<TraceLine>>) {
    loop {
        match lines.recv().await.as_deref() {
            Ok(TraceLine { what: What::Committed { .. } | What::Adopted { .. }, .. })
            | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // The replica has ended; whoever asks it is told so.
            Err(RecvError::Closed) => return,
        }
    }
}

fn names(bodies: &[Arc<Block>]) -> Vec<Named> {
    let named = |block: &Arc<Block>| Named {
        height: block.header.height,
        ids: block.transactions.iter().map(Transaction::id).collect(),
    };
    bodies.iter().map(named).collect()
}

/// Does what takes long beside the thread that serves everyone.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RpcError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!("a call's work failed: {error}");
        RpcError::new(Code::Internal, "internal", "the call's work failed")
    })
}
