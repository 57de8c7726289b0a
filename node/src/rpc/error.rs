//! What goes wrong, for programs and for people.
//!
//! An error is `{"code": …, "message": …, "data": {"reason": …, …}}`. `code` is JSON-RPC's or one
//! of ours, `reason` is one word in snake_case, and further fields hold the values concerned.

use ledger::transaction::BadTransaction;
use replica::{Refused, pool::PoolRefusal};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// What kind of error it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Code {
    /// The body is no JSON.
    Parse = -32700,
    /// The body is JSON, but no call.
    InvalidRequest = -32600,
    /// There is no such method.
    UnknownMethod = -32601,
    /// A parameter is missing, unknown or wrong.
    InvalidParams = -32602,
    /// We failed.
    Internal = -32603,
    /// The transaction is not taken.
    Refused = -32000,
    /// The replica has stopped voting and takes no transactions.
    Halted = -32001,
    /// Too much to do; nothing was done.
    Busy = -32002,
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(*self as i32)
    }
}

/// An error as it goes out.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct RpcError {
    /// Its kind.
    pub(super) code: Code,
    /// For people: what was wrong, with what value, and what to do.
    pub(super) message: String,
    /// For programs: always a `reason`, and the values concerned.
    pub(super) data: Map<String, Value>,
}

impl RpcError {
    /// An error with its reason, one word in snake_case.
    pub(super) fn new(code: Code, reason: &str, message: impl ToString) -> RpcError {
        let data = Map::from_iter([("reason".to_owned(), Value::from(reason))]);
        RpcError { code, message: message.to_string(), data }
    }

    /// Too much to do.
    pub(super) fn busy(message: impl ToString) -> RpcError {
        RpcError::new(Code::Busy, "busy", message)
    }

    /// Adds a value concerned.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> RpcError {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}

/// Whatever the state, this transaction can never count.
impl From<BadTransaction> for RpcError {
    fn from(bad: BadTransaction) -> RpcError {
        let refused = Refused::from(bad.clone());
        let error = RpcError::new(Code::Refused, refused.reason(), &bad);
        match bad {
            BadTransaction::WrongChain { expected, found } => {
                error.with("expected", expected.to_string()).with("found", found.to_string())
            }
            BadTransaction::TooLong { len } => error.with("found", len),
            BadTransaction::BadSignature { sender } => error.with("sender", sender.to_string()),
        }
    }
}

/// The pool does not take this transaction as things stand.
impl From<PoolRefusal> for RpcError {
    fn from(refusal: PoolRefusal) -> RpcError {
        let code = match refusal {
            PoolRefusal::Halted(_) => Code::Halted,
            _ => Code::Refused,
        };
        let error = RpcError::new(code, refusal.reason(), &refusal);
        match refusal {
            PoolRefusal::Known(id) => error.with("id", id.to_string()),
            PoolRefusal::Used { expected, found }
            | PoolRefusal::Behind { expected, found }
            | PoolRefusal::TooFarAhead { expected, found } => {
                error.with("expected", expected).with("found", found)
            }
            PoolRefusal::Underpriced { nonce, fee } => {
                error.with("nonce", nonce).with("fee", fee.0)
            }
            // A sum of amounts may exceed what JSON's readers can hold, so it goes as text.
            PoolRefusal::Balance { balance, needed } => {
                error.with("balance", balance.0).with("needed", needed.to_string())
            }
            PoolRefusal::Full { capacity, fee } => {
                error.with("capacity", json!(capacity)).with("fee", fee.0)
            }
            PoolRefusal::NoAccount(address) => error.with("address", address.to_string()),
            PoolRefusal::Crowded => error,
            PoolRefusal::Accused(validator) => error.with("validator", validator.0),
            PoolRefusal::Refused(refusal) => error.with("refusal", refusal.to_string()),
            PoolRefusal::Halted(why) => error.with("why", why),
        }
    }
}
