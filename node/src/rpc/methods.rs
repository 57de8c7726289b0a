//! What can be called.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `status` | none | [`StatusAnswer`](ledger::query::StatusAnswer) |
//! | `block` | `height` or `hash` | [`BlockAnswer`](ledger::query::BlockAnswer), or null |
//! | `blocks` | `from`: a height | [`BlocksAnswer`](ledger::query::BlocksAnswer) |
//! | `headers` | `from`: a height | [`HeadersAnswer`](ledger::query::HeadersAnswer) |
//! | `transaction` | `id` | [`TransactionAnswer`](ledger::query::TransactionAnswer) |
//! | `account` | `address`, or `address` and `height` | [`AccountAnswer`](ledger::query::AccountAnswer) |
//! | `submit` | `transaction`: hexadecimal, canonical encoding | `{"id": …}` |
//! | `committee` | none | [`CommitteeAnswer`](ledger::query::CommitteeAnswer) |
//! | `conflict` | none | [`ConflictAnswer`](ledger::query::ConflictAnswer), or null |
//! | `committees` | `from`: a height | [`CommitteesAnswer`](ledger::query::CommitteesAnswer) |
//! | `stake` | none | [`StakeAnswer`](ledger::query::StakeAnswer) |
//! | `consensus` | none | [`ConsensusAnswer`](ledger::query::ConsensusAnswer) |
//! | `submit_batch`, `transaction_ids` | see [`super::bulk`] | |

use super::{
    Backend, bulk,
    call::{Call, Params},
    error::{Code, RpcError},
};
use ledger::{ChainId, Transaction, VerifiedTransaction, transaction::MAX_TRANSACTION_BYTES};
use replica::{Answer, Query, Refused, TransactionCache};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Every method there is.
pub(super) const METHODS: &[&str] = &[
    "status",
    "block",
    "blocks",
    "headers",
    "transaction",
    "account",
    "submit",
    "committee",
    "committees",
    "stake",
    "conflict",
    "consensus",
    "submit_batch",
    "transaction_ids",
];

/// A method's name as counters know it: whoever calls chooses the words, but not how many there
/// are to remember.
pub(super) fn known(method: &str) -> &'static str {
    METHODS.iter().find(|known| **known == method).copied().unwrap_or("unknown")
}

/// Performs a call.
pub(super) async fn perform(backend: &Backend, call: Call) -> Result<Value, RpcError> {
    let Call { method, params, .. } = call;
    match method.as_str() {
        "status" => status(backend, params).await,
        "block" => block(backend, params).await,
        "blocks" => blocks(backend, params).await,
        "headers" => headers(backend, params).await,
        "transaction" => transaction(backend, params).await,
        "account" => account(backend, params).await,
        "submit" => submit(backend, params).await,
        "committee" => committee(backend, params).await,
        "conflict" => conflict(backend, params).await,
        "committees" => committees(backend, params).await,
        "stake" => stake(backend, params).await,
        "consensus" => consensus(backend, params).await,
        "submit_batch" => bulk::submit_batch(backend, params).await,
        "transaction_ids" => bulk::transaction_ids(backend, params).await,
        _ => {
            let message = format!("there is no such method; there are: {}", METHODS.join(", "));
            let error = RpcError::new(Code::UnknownMethod, "unknown_method", message);
            Err(error.with("methods", METHODS))
        }
    }
}

async fn status(backend: &Backend, params: Params) -> Result<Value, RpcError> {
    params.finish()?;
    match backend.ask(Query::Status).await? {
        Answer::Status(mut status) => {
            status.peers = backend.network.connected().len();
            to_json(&status)
        }
        other => Err(mismatch(&other)),
    }
}

async fn block(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let (height, hash) = (params.optional("height")?, params.optional("hash")?);
    params.finish()?;
    let query = match (height, hash) {
        (Some(height), None) => Query::BlockAt(height),
        (None, Some(hash)) => Query::Block(hash),
        (None, None) => return params_error("missing_param", "give a `height` or a `hash`"),
        (Some(_), Some(_)) => {
            return params_error("bad_param", "give a `height` or a `hash`, not both");
        }
    };
    match backend.ask(query).await? {
        Answer::Block(block) => to_json(&block),
        other => Err(mismatch(&other)),
    }
}

async fn blocks(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let from = params.required("from")?;
    params.finish()?;
    match backend.ask(Query::Blocks(from)).await? {
        Answer::Blocks(blocks) => to_json(&blocks),
        other => Err(mismatch(&other)),
    }
}

async fn headers(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let from = params.required("from")?;
    params.finish()?;
    match backend.ask(Query::Headers(from)).await? {
        Answer::Headers(headers) => to_json(&headers),
        other => Err(mismatch(&other)),
    }
}

async fn transaction(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let id = params.required("id")?;
    params.finish()?;
    match backend.ask(Query::Transaction(id)).await? {
        Answer::Transaction(transaction) => to_json(&transaction),
        other => Err(mismatch(&other)),
    }
}

async fn account(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let (address, height) = (params.required("address")?, params.optional("height")?);
    params.finish()?;
    let answer = match height {
        Some(height) => backend.put(Query::AccountAt(address, height)).await?,
        None => backend.ask(Query::Account(address)).await?,
    };
    match answer {
        Answer::Account(account) => to_json(&account),
        Answer::Failed(why) if height.is_some() => {
            Err(RpcError::new(Code::InvalidParams, "no_state", why))
        }
        other => Err(mismatch(&other)),
    }
}

async fn submit(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let digits: String = params.required("transaction")?;
    params.finish()?;
    let (chain, met) = (backend.chain, Arc::clone(backend.asker.transactions()));
    // A signature takes tens of microseconds, too long for the thread that serves everyone. How
    // many wait there is bounded by how many requests are at work.
    let verified = tokio::task::spawn_blocking(move || verify(&digits, chain, &met));
    let verified = verified.await.map_err(|error| {
        tracing::error!("verifying a transaction failed: {error}");
        RpcError::new(Code::Internal, "internal", "the transaction could not be verified")
    })??;
    match backend.ask(Query::Submit(verified)).await? {
        Answer::Submitted(Ok(id)) => Ok(json!({ "id": id.to_string() })),
        Answer::Submitted(Err(refusal)) => Err(refusal.into()),
        other => Err(mismatch(&other)),
    }
}

async fn committee(backend: &Backend, params: Params) -> Result<Value, RpcError> {
    params.finish()?;
    match backend.ask(Query::Committee).await? {
        Answer::Committee(committee) => to_json(&committee),
        other => Err(mismatch(&other)),
    }
}

async fn conflict(backend: &Backend, params: Params) -> Result<Value, RpcError> {
    params.finish()?;
    match backend.ask(Query::Conflict).await? {
        Answer::Conflict(conflict) => to_json(&conflict),
        other => Err(mismatch(&other)),
    }
}

async fn committees(backend: &Backend, mut params: Params) -> Result<Value, RpcError> {
    let from = params.required("from")?;
    params.finish()?;
    match backend.ask(Query::Committees(from)).await? {
        Answer::Committees(committees) => to_json(&committees),
        other => Err(mismatch(&other)),
    }
}

async fn stake(backend: &Backend, params: Params) -> Result<Value, RpcError> {
    params.finish()?;
    match backend.ask(Query::Stake).await? {
        Answer::Stake(stake) => to_json(&stake),
        other => Err(mismatch(&other)),
    }
}

async fn consensus(backend: &Backend, params: Params) -> Result<Value, RpcError> {
    params.finish()?;
    match backend.ask(Query::Consensus).await? {
        Answer::Consensus(consensus) => to_json(&consensus),
        other => Err(mismatch(&other)),
    }
}

/// Decodes a transaction that anybody may have sent, and checks all that needs no state, unless the
/// node has `met` it before.
pub(super) fn verify(
    digits: &str,
    chain: ChainId,
    met: &TransactionCache,
) -> Result<VerifiedTransaction, RpcError> {
    let mut submitted = [decode(digits)?];
    met.recognise(&mut submitted);
    let [transaction] = &submitted;
    Ok(met.verify(transaction, chain)?)
}

/// Decodes a transaction that anybody may have sent.
fn decode(digits: &str) -> Result<Transaction, RpcError> {
    if digits.len() > 2 * MAX_TRANSACTION_BYTES {
        let len = digits.len().div_ceil(2);
        return Err(ledger::transaction::BadTransaction::TooLong { len }.into());
    }
    let bytes = hex::decode(digits).map_err(|error| {
        let message = format!("the parameter `transaction` is no hexadecimal: {error}");
        RpcError::new(Code::InvalidParams, "bad_param", message).with("name", "transaction")
    })?;
    Transaction::decode(&bytes).map_err(|error| {
        let refused = Refused::from(error);
        let message = format!("the bytes are no transaction: {refused}");
        RpcError::new(Code::Refused, refused.reason(), message)
    })
}

pub(super) fn params_error(reason: &str, message: &str) -> Result<Value, RpcError> {
    Err(RpcError::new(Code::InvalidParams, reason, message))
}

pub(super) fn to_json(answer: &impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(answer).map_err(|error| {
        tracing::error!("an answer cannot be written as JSON: {error}");
        RpcError::new(Code::Internal, "internal", "the answer cannot be written as JSON")
    })
}

/// The replica answered another question: our own mistake, but no reason to stop.
pub(super) fn mismatch(answer: &Answer) -> RpcError {
    tracing::error!("the replica answered another question: {answer:?}");
    RpcError::new(Code::Internal, "internal", "the replica answered another question")
}
