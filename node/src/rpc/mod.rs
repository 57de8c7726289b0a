//! JSON-RPC 2.0 over HTTP, for wallets and people on this machine, and what watches the node.
//!
//! `POST /` with `{"jsonrpc": "2.0", "id": 1, "method": "…", "params": {…}}`; parameters go by
//! name. The methods are in [`methods`], the errors in [`error`]. `GET /metrics` is for Prometheus
//! ([`crate::metrics`]), `GET /health` for whoever starts and stops nodes ([`health`]), and
//! `GET /events` tells what happens as it happens ([`events`]).
//!
//! It knows no passwords, so it must not be reachable by strangers, not even through a browser on
//! this machine. It listens on loopback only; it wants a `Host` that names loopback, or a page
//! could reach it under a name of its own (DNS rebinding); it wants `application/json`, which a
//! page cannot send elsewhere without asking first, and sends no header that would allow it.
//!
//! Everything is bounded: connections and how long they idle, the length of a body, the requests
//! at work, the questions to the replica, and the time for all of it. What finds no room is told
//! that the node is busy.

mod bulk;
mod call;
mod error;
mod events;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod gate;
mod guard;
mod health;
mod methods;
mod scrape;

use crate::{
    network::{Counters as NetworkCounters, Network},
    runtime::{Asker, Counters, Feed, Unanswered},
};
use axum::{
    Router,
    body::{Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use call::Call;
use error::{Code, RpcError};
use gate::Gate;
use guard::{Path, Refusal};
use ledger::ChainId;
use replica::{Answer, Query};
use serde_json::{Value, json};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
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

/// What only the network knows.
pub(crate) trait Neighbours: Send + Sync {
    /// The seats of the connected peers.
    fn connected(&self) -> Vec<u32>;

    /// How many nodes that nobody told us of are connected.
    fn guests(&self) -> usize;

    /// What was carried, refused and dropped.
    fn counters(&self) -> NetworkCounters;

    /// What libp2p counts by itself, as OpenMetrics text without its end.
    fn metrics(&self) -> String;
}

impl Neighbours for Network {
    fn connected(&self) -> Vec<u32> {
        Network::connected(self)
    }

    fn guests(&self) -> usize {
        Network::guests(self)
    }

    fn counters(&self) -> NetworkCounters {
        Network::counters(self)
    }

    fn metrics(&self) -> String {
        crate::metrics::encode(self.registry())
    }
}

/// What requests are answered with.
pub(crate) struct Backend {
    asker: Asker,
    feed: Feed,
    network: Box<dyn Neighbours>,
    chain: ChainId,
    /// How long an idle chain waits between two blocks.
    block_time: Duration,
    at_work: Semaphore,
    listeners: Arc<Semaphore>,
    patience: Duration,
}

impl Backend {
    /// Answers for the replica behind `asker`, which traces to `feed`.
    pub(crate) fn new(
        asker: Asker,
        feed: Feed,
        network: impl Neighbours + 'static,
        chain: ChainId,
        block_time: Duration,
    ) -> Backend {
        Backend {
            asker,
            feed,
            network: Box::new(network),
            chain,
            block_time,
            at_work: Semaphore::new(AT_WORK),
            listeners: Arc::new(Semaphore::new(events::LISTENERS)),
            patience: PATIENCE,
        }
    }

    fn counters(&self) -> &Counters {
        self.asker.counters()
    }

    async fn ask(&self, query: Query) -> Result<Answer, RpcError> {
        match self.put(query).await? {
            Answer::Failed(why) => {
                tracing::error!("the replica could not answer: {why}");
                Err(RpcError::new(Code::Internal, "store", why))
            }
            answer => Ok(answer),
        }
    }

    /// The same where it may be the caller's fault that there is no answer.
    async fn put(&self, query: Query) -> Result<Answer, RpcError> {
        match self.asker.ask(query).await {
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
        let (open, closing) = watch::channel(());
        let shop = Shop { backend: Arc::new(backend), closing: closing.clone() };
        let router =
            Router::new().fallback(serve).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(shop);
        let serving = axum::serve(Gate::new(listener), router);
        let serving = serving.with_graceful_shutdown(closed(closing));
        let task = tokio::spawn(async move { serving.await });
        Server { address, open, task }
    }
}

/// What every request gets.
#[derive(Clone)]
struct Shop {
    backend: Arc<Backend>,
    /// Closes when the server does.
    closing: watch::Receiver<()>,
}

/// Waits until the server closes.
async fn closed(mut closing: watch::Receiver<()>) {
    // Nothing is ever sent, so a change is an error, and that is the end.
    let _ = closing.changed().await;
}

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// Dropped, it closes the server.
    open: watch::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Where it listens, with the port the system chose if none was given.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new requests and gives those at work a moment to finish.
    pub(crate) async fn stop(self) {
        drop(self.open);
        let task = self.task.abort_handle();
        if timeout(FAREWELL, self.task).await.is_err() {
            task.abort();
        }
    }
}

/// Answers one HTTP request, whatever it is.
async fn serve(State(shop): State<Shop>, request: Request) -> Response {
    let patience = shop.backend.patience;
    let answered = timeout(patience, answer(&shop, request)).await;
    answered.unwrap_or(Err(Refusal::TooSlow(patience))).unwrap_or_else(|refusal| {
        shop.backend.counters().refused("request", refusal.reason());
        refuse(&refusal)
    })
}

async fn answer(shop: &Shop, request: Request) -> Result<Response, Refusal> {
    let backend = &shop.backend;
    match guard::check(&request)? {
        Path::Call => answer_call(backend, request).await,
        Path::Metrics => Ok(scrape::answer(backend).await),
        Path::Health => Ok(health::answer(backend).await),
        Path::Events => events::answer(backend, shop.closing.clone()),
    }
}

async fn answer_call(backend: &Backend, request: Request) -> Result<Response, Refusal> {
    // What is announced as too long need not come before it is refused.
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::TooLong(MAX_BODY));
    }
    let body =
        Bytes::from_request(request, &()).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLong(MAX_BODY),
            _ => Refusal::Broken(rejection.body_text()),
        })?;
    let (id, method, outcome) = match Call::parse(&body) {
        Ok(call) => {
            let (id, method) = (call.id.clone(), methods::known(&call.method));
            (id, method, perform(backend, call).await)
        }
        Err((id, error)) => (id, "none", Err(error)),
    };
    let code = outcome.as_ref().err().map_or(0, |error| error.code as i32);
    backend.counters().note(|figures| {
        *figures.calls.entry(method).or_default().entry(code).or_default() += 1;
    });
    let body = match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    };
    Ok(axum::Json(body).into_response())
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
    if let Refusal::Method { allowed, .. } = refusal {
        let allowed = HeaderValue::from_str(allowed.as_str()).expect("a method is a token");
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
