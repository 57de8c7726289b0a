//! Questions to a node: JSON-RPC 2.0 over HTTP, with bounds on time and size.
//!
//! Nothing a node says is believed here beyond its shape; see [`crate::verify`] for what is. With
//! several nodes, the next one is asked when one cannot be reached or talks nonsense; a refusal is
//! an answer, and stands.

mod calls;
mod url;

#[cfg(test)]
mod tests;

pub use url::{BadUrl, NodeUrl};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use thiserror::Error;

/// The longest answer that is read, in bytes.
pub const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;

const CONNECT: Duration = Duration::from_secs(2);
const WHOLE_CALL: Duration = Duration::from_secs(10);

/// How much of a node's words an error repeats.
const QUOTED: usize = 200;

/// The only number a request has: each connection carries one question at a time.
const REQUEST_ID: u64 = 1;

/// Somebody to ask: some nodes of one chain. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    nodes: Arc<[NodeUrl]>,
    /// Who answered last is asked first.
    favourite: Arc<AtomicUsize>,
    agent: ureq::Agent,
}

impl Client {
    /// Asks `nodes` in this order.
    ///
    /// # Panics
    ///
    /// If there are none: whoever calls has a default.
    pub fn new(nodes: Vec<NodeUrl>) -> Client {
        assert!(!nodes.is_empty(), "a client needs a node to ask");
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE_CALL))
            .http_status_as_error(false)
            .max_redirects(0)
            // A proxy from the environment would see, and could change, every word.
            .proxy(None)
            .user_agent("byzantium-wallet")
            .build();
        Client {
            nodes: nodes.into(),
            favourite: Arc::new(AtomicUsize::new(0)),
            agent: config.new_agent(),
        }
    }

    /// The node that answered last.
    pub fn node(&self) -> &NodeUrl {
        &self.nodes[self.favourite.load(Ordering::Relaxed)]
    }

    /// Calls `method` and reads its result.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoAnswer`] if no node gives one, [`ClientError::Refused`] if one says no.
    pub fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, ClientError> {
        let request =
            json!({"jsonrpc": "2.0", "id": REQUEST_ID, "method": method, "params": params});
        let request = request.to_string();
        let first = self.favourite.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for index in (0..self.nodes.len()).map(|step| (first + step) % self.nodes.len()) {
            let node = &self.nodes[index];
            match self.ask(node, &request) {
                Ok(answer) => {
                    self.favourite.store(index, Ordering::Relaxed);
                    return answer
                        .map_err(|refusal| ClientError::Refused(refusal.of(node, method)));
                }
                Err(failure) => failures.push(Attempt { node: node.clone(), failure }),
            }
        }
        Err(ClientError::NoAnswer(Attempts(failures)))
    }

    /// One question to one node: an answer, a refusal, or no usable answer at all.
    fn ask<T: DeserializeOwned>(
        &self,
        node: &NodeUrl,
        request: &str,
    ) -> Result<Result<T, RpcError>, Failure> {
        let response = self
            .agent
            .post(node.as_str())
            .header("content-type", "application/json")
            .send(request)
            .map_err(Failure::of)?;
        let status = response.status();
        let mut body = response.into_body();
        let bytes = body.with_config().limit(LONGEST_ANSWER).read_to_vec().map_err(Failure::of)?;
        let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| {
            let answer = quote(&String::from_utf8_lossy(&bytes));
            match status.as_u16() {
                200 => Failure::NotJsonRpc { answer },
                status => Failure::Status { status, answer },
            }
        })?;
        envelope.open()
    }
}

/// What JSON-RPC 2.0 wraps around a result. Our own requests always bear [`REQUEST_ID`], so an
/// answer to another one is somebody else's.
#[derive(Deserialize)]
struct Envelope {
    jsonrpc: String,
    id: Value,
    /// Null is a result: a block that is not known.
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    #[serde(default)]
    error: Option<RpcError>,
}

impl Envelope {
    fn open<T: DeserializeOwned>(self) -> Result<Result<T, RpcError>, Failure> {
        if self.jsonrpc != "2.0" {
            return Err(Failure::Version(quote(&self.jsonrpc)));
        }
        match (self.error, self.result) {
            // A node that could not read the request does not know its id either.
            (Some(error), None | Some(Value::Null))
                if self.id == REQUEST_ID || self.id.is_null() =>
            {
                Ok(Err(error))
            }
            _ if self.id != REQUEST_ID => Err(Failure::WrongId(quote(&self.id.to_string()))),
            (None, Some(result)) => serde_json::from_value(result)
                .map(Ok)
                .map_err(|error| Failure::Shape(quote(&error.to_string()))),
            _ => Err(Failure::Shape("it has not exactly one of result and error".to_owned())),
        }
    }
}

/// Whatever stands there, null as well.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct RpcError {
    code: i64,
    message: String,
    #[serde(default)]
    data: Value,
}

impl RpcError {
    fn of(self, node: &NodeUrl, method: &'static str) -> Refusal {
        let reason = self.data.get("reason").and_then(Value::as_str).map(quote);
        Refusal {
            node: node.clone(),
            method,
            code: self.code,
            message: quote(&self.message),
            reason,
        }
    }
}

/// A node's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who says it.
    pub node: NodeUrl,
    /// To which call.
    pub method: &'static str,
    /// JSON-RPC's number.
    pub code: i64,
    /// In words.
    pub message: String,
    /// In one word, such as `balance` or `nonce`.
    pub reason: Option<String>,
}

impl Refusal {
    /// Whether pool or ledger refuse: the chain's verdict on what was asked, not on how.
    pub fn is_verdict(&self) -> bool {
        matches!(self.code, -32000 | -32001)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { node, method, code, message, .. } = self;
        match code {
            -32001 => write!(f, "the node at {node} is halted: {message}"),
            -32000 => write!(f, "the chain refuses: {message} (says the node at {node})"),
            _ => write!(
                f,
                "the node at {node} does not take our call `{method}`: {message} (code {code}); are node and wallet of one version?"
            ),
        }
    }
}

/// Why there is no result.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No node gave a usable answer.
    #[error("{0}")]
    NoAnswer(Attempts),
    /// A node answered no.
    #[error("{0}")]
    Refused(Refusal),
}

/// One node asked in vain.
#[derive(Debug)]
pub struct Attempt {
    /// Which.
    pub node: NodeUrl,
    /// What happened.
    pub failure: Failure,
}

/// All nodes asked in vain.
#[derive(Debug)]
pub struct Attempts(pub Vec<Attempt>);

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no node gave an answer")?;
        for Attempt { node, failure } in &self.0 {
            write!(f, "; {node}: {failure}")?;
        }
        f.write_str("; is the network running? --node URL, WALLET_NODE or node.url in the wallet's directory name other nodes")
    }
}

/// Why one node gave no usable answer.
#[derive(Debug, Error)]
pub enum Failure {
    /// Nobody listens there, or the connection broke.
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
    /// It took too long.
    #[error("it did not answer in time")]
    Timeout,
    /// It says more than we read.
    #[error("its answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
    /// It speaks HTTP, yet says something else than an answer.
    #[error("it answered with HTTP status {status} and {answer:?}")]
    Status {
        /// The status code.
        status: u16,
        /// The beginning of what it said.
        answer: String,
    },
    /// Its answer is not JSON-RPC.
    #[error("its answer is no JSON-RPC: {answer:?}")]
    NotJsonRpc {
        /// The beginning of what it said.
        answer: String,
    },
    /// It speaks another JSON-RPC.
    #[error("it speaks version {0:?} of JSON-RPC instead of \"2.0\"")]
    Version(String),
    /// It answers another question.
    #[error("it answered request {0}, and ours was {REQUEST_ID}")]
    WrongId(String),
    /// The result is not what this call gives.
    #[error("its answer cannot be understood: {0}")]
    Shape(String),
}

impl Failure {
    fn of(error: ureq::Error) -> Failure {
        match error {
            ureq::Error::Timeout(_) => Failure::Timeout,
            ureq::Error::BodyExceedsLimit(_) => Failure::TooLong,
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Failure::Timeout
            }
            other => Failure::Unreachable(quote(&other.to_string())),
        }
    }
}

/// The beginning of what a node said, without anything that could drive a terminal.
fn quote(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut quoted: String = text.chars().take(QUOTED).map(clean).collect();
    if text.chars().nth(QUOTED).is_some() {
        quoted.push('…');
    }
    quoted
}
