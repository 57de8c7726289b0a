//! From a body's bytes to a call: JSON-RPC 2.0, one call each, parameters by name.

use super::error::{Code, RpcError};
use serde_json::{Map, Value};

/// How much of a wrong value an error repeats, in characters.
const SHOWN: usize = 80;

/// A call that is well-formed; nothing in it is known to make sense.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Call {
    /// Given back with the answer.
    pub(super) id: Value,
    /// What is to be done.
    pub(super) method: String,
    /// With what.
    pub(super) params: Params,
}

/// Whether this can be returned as it came. Of other numbers some digits would be lost.
fn is_id(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Null => true,
        Value::Number(number) => number.is_u64() || number.is_i64(),
        _ => false,
    }
}

impl Call {
    /// Parses a body. An error comes with the id to answer to: the caller's if it can be told,
    /// otherwise null.
    pub(super) fn parse(body: &[u8]) -> Result<Call, (Value, RpcError)> {
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let message = format!("the body is no JSON: {error}");
            (Value::Null, RpcError::new(Code::Parse, "parse", message))
        })?;
        let mut members = match value {
            Value::Object(members) => members,
            Value::Array(_) => {
                let message = "batches are not supported; send each call in a request of its own";
                return Err((Value::Null, invalid("batch", message)));
            }
            other => {
                let message = format!("a call is an object, not {}", shown(&other));
                return Err((Value::Null, invalid("not_an_object", message)));
            }
        };
        let id = match members.remove("id") {
            Some(id) if is_id(&id) => id,
            Some(other) => {
                let message = format!(
                    "an id is a string, a whole number of 64 bits or null, not {}",
                    shown(&other)
                );
                return Err((Value::Null, invalid("id", message)));
            }
            None => {
                let message = "the call has no id; notifications are not supported";
                return Err((Value::Null, invalid("id", message)));
            }
        };
        match Call::members(members) {
            Ok((method, params)) => Ok(Call { id, method, params }),
            Err(error) => Err((id, error)),
        }
    }

    fn members(mut members: Map<String, Value>) -> Result<(String, Params), RpcError> {
        if members.get("jsonrpc") != Some(&Value::from("2.0")) {
            return Err(invalid("version", "the call must have \"jsonrpc\": \"2.0\""));
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            Some(other) => {
                let message = format!("a method is a string, not {}", shown(&other));
                return Err(invalid("method", message));
            }
            None => return Err(invalid("method", "the call names no method")),
        };
        let params = match members.remove("params") {
            Some(Value::Object(params)) => Params(params),
            None => Params(Map::new()),
            Some(other) => {
                let message = format!(
                    "parameters go by name, as in {{\"height\": 7}}, not as {}",
                    shown(&other)
                );
                return Err(RpcError::new(Code::InvalidParams, "not_named", message));
            }
        };
        Ok((method, params))
    }
}

fn invalid(reason: &str, message: impl ToString) -> RpcError {
    RpcError::new(Code::InvalidRequest, reason, message)
}

/// Parameters, taken one by one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Params(Map<String, Value>);

impl Params {
    /// Takes a parameter that must be there.
    pub(super) fn required<T>(&mut self, name: &str) -> Result<T, RpcError>
    where
        T: Param,
    {
        let missing = || {
            let message = format!("the parameter `{name}` is missing; it is {}", T::WHAT);
            RpcError::new(Code::InvalidParams, "missing_param", message).with("name", name)
        };
        self.optional(name)?.ok_or_else(missing)
    }

    /// Takes a parameter that may be there.
    pub(super) fn optional<T: Param>(&mut self, name: &str) -> Result<Option<T>, RpcError> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        T::read(&value).map(Some).map_err(|why| {
            let value = shown(&value);
            let message = format!("the parameter `{name}` is {}, not {value}{why}", T::WHAT);
            RpcError::new(Code::InvalidParams, "bad_param", message)
                .with("name", name)
                .with("value", value)
        })
    }

    /// Nothing may be left: a misspelt parameter must not be ignored.
    pub(super) fn finish(self) -> Result<(), RpcError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => {
                let name = shorten(name);
                let message = format!("there is no parameter `{name}` here");
                Err(RpcError::new(Code::InvalidParams, "unknown_param", message).with("name", name))
            }
        }
    }
}

/// What a parameter can be.
pub(super) trait Param: Sized {
    /// For people.
    const WHAT: &'static str;

    /// Reads it, or says more about why it cannot: nothing, or something after a colon.
    fn read(value: &Value) -> Result<Self, String>;
}

impl Param for u64 {
    const WHAT: &'static str = "a whole number from 0";

    fn read(value: &Value) -> Result<u64, String> {
        value.as_u64().ok_or_else(String::new)
    }
}

impl Param for String {
    const WHAT: &'static str = "a string";

    fn read(value: &Value) -> Result<String, String> {
        value.as_str().map(str::to_owned).ok_or_else(String::new)
    }
}

impl Param for Vec<String> {
    const WHAT: &'static str = "a list of strings";

    fn read(value: &Value) -> Result<Vec<String>, String> {
        let words = value.as_array().ok_or_else(String::new)?;
        let words = words.iter().map(|word| word.as_str().map(str::to_owned));
        words.collect::<Option<_>>().ok_or_else(String::new)
    }
}

/// Parameters that are strings with a meaning.
macro_rules! spelt {
    ($($type:ty: $what:literal,)+) => {
        $(impl Param for $type {
            const WHAT: &'static str = $what;

            fn read(value: &Value) -> Result<$type, String> {
                let text = value.as_str().ok_or_else(String::new)?;
                text.parse().map_err(|error| format!(": {error}"))
            }
        })+
    };
}

spelt! {
    ledger::BlockHash: "a block's hash, 64 hexadecimal digits",
    ledger::TransactionId: "a transaction's id, 64 hexadecimal digits",
    crypto::Address: "an address, as in byz1…",
}

/// A value as an error repeats it. Whoever sent it chose its length.
fn shown(value: &Value) -> String {
    shorten(&value.to_string())
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
