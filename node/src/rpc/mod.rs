//! JSON-RPC 2.0 over HTTP, for wallets and people on this machine.
//!
//! `POST /` with `{"jsonrpc": "2.0", "id": 1, "method": "…", "params": {…}}`; parameters go by
//! name. The methods are in [`methods`], the errors in [`error`].
//!
//! It knows no passwords, so it must not be reachable by strangers, not even through a browser on
//! this machine. It listens on loopback only; it wants a `Host` that names loopback, or a page
//! could reach it under a name of its own (DNS rebinding); it wants `application/json`, which a
//! page cannot send elsewhere without asking first, and sends no header that would allow it.
//!
//! Everything is bounded: connections and how long they idle, the length of a body, the requests
//! at work, the questions to the replica, and the time for all of it. What finds no room is told
//! that the node is busy.

mod call;
mod error;
mod gate;
mod guard;
mod methods;

use crate::runtime::{Asker, Unanswered};
use axum::{
    Router,
    body::{Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use call::Call;
use error::{Code, RpcError};
use gate::Gate;
use guard::Refusal;
use ledger::ChainId;
use replica::{Answer, Query};
use serde_json::{Value, json};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::timeout,
};

#[cfg(test)]
mod tests;

/// The longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// How long a request may take, from its headers to its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests at work at one time.
const AT_WORK: usize = 64;

/// How long open requests may take when the node stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the methods work with.
pub(crate) struct Backend {
    asker: Asker,
    chain: ChainId,
    /// How many peers are connected, which only the network knows.
    peers: Box<dyn Fn() -> usize + Send + Sync>,
    at_work: Semaphore,
    patience: Duration,
}

impl Backend {
    /// Answers for the replica behind `asker`.
    pub(crate) fn new(
        asker: Asker,
        chain: ChainId,
        peers: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Backend {
        let (peers, at_work) = (Box::new(peers), Semaphore::new(AT_WORK));
        Backend { asker, chain, peers, at_work, patience: PATIENCE }
    }

    async fn ask(&self, query: Query) -> Result<Answer, RpcError> {
        match self.asker.ask(query).await {
            Ok(Answer::Failed(why)) => {
                tracing::error!("the replica could not answer: {why}");
                Err(RpcError::new(Code::Internal, "store", why))
            }
            Ok(answer) => Ok(answer),
            Err(why @ Unanswered::Busy) => Err(RpcError::busy(why)),
            Err(why @ Unanswered::Stopping) => Err(RpcError::new(Code::Internal, "stopping", why)),
        }
    }
}

/// A place to serve at, taken before there is anything to serve.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Takes `address`, which must be on loopback. Callers wait until it is served.
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Door> {
        assert!(address.ip().is_loopback(), "the settings were checked");
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Door { listener, address })
    }

    /// Serves from now on.
    pub(crate) fn serve(self, backend: Backend) -> Server {
        let Door { listener, address } = self;
        let router = Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(Arc::new(backend));
        let (stop, stopped) = oneshot::channel();
        let serving = axum::serve(Gate::new(listener), router).with_graceful_shutdown(async {
            // An error means that the server was dropped, which stops it, too.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move { serving.await });
        Server { address, stop, task }
    }
}

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Where it listens, with the port the system chose if none was given.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new requests and gives those at work a moment to finish.
    pub(crate) async fn stop(self) {
        // An error means that it has stopped already.
        let _ = self.stop.send(());
        let task = self.task.abort_handle();
        if timeout(FAREWELL, self.task).await.is_err() {
            task.abort();
        }
    }
}

/// Answers one HTTP request, whatever it is.
async fn serve(State(backend): State<Arc<Backend>>, request: Request) -> Response {
    match timeout(backend.patience, answer(&backend, request)).await {
        Ok(Ok(body)) => (StatusCode::OK, axum::Json(body)).into_response(),
        Ok(Err(refusal)) => refuse(&refusal),
        Err(_) => refuse(&Refusal::TooSlow(backend.patience)),
    }
}

async fn answer(backend: &Backend, request: Request) -> Result<Value, Refusal> {
    guard::check(&request)?;
    // What is announced as too long need not come before it is refused.
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::TooLong(MAX_BODY));
    }
    let body =
        Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLong(MAX_BODY),
            _ => Refusal::Broken(rejection.body_text()),
        })?;
    let (id, outcome) = match Call::parse(&body) {
        Ok(call) => (call.id.clone(), perform(backend, call).await),
        Err((id, error)) => (id, Err(error)),
    };
    Ok(match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    })
}

async fn perform(backend: &Backend, call: Call) -> Result<Value, RpcError> {
    let _at_work = backend
        .at_work
        .try_acquire()
        .map_err(|_| RpcError::busy("too many requests are at work; try again in a moment"))?;
    methods::perform(backend, call).await
}

/// A request that is no call at all: the status tells HTTP, the body tells people.
fn refuse(refusal: &Refusal) -> Response {
    let error = RpcError::new(Code::InvalidRequest, refusal.reason(), refusal);
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    let mut response = (refusal.status(), axum::Json(body)).into_response();
    if let Refusal::Method(_) = refusal {
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    }
    response
}
