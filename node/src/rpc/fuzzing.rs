//! Requests from anyone, answered as in a node: by [`serve`], in front of a real replica that has no peers.

use super::{Backend, Feed, Neighbours, Shop, methods, serve};
use crate::{
    network::Counters as NetworkCounters,
    runtime::{Asker, Counters, Question, Questions, Reply},
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::Response,
};
use consensus::catalogue::{self, Module, Visitor};
use crypto::SecretKey;
use ledger::{Genesis, Hand, Keys, ReplicaId, store::MemoryStore};
use replica::{Action, Event, Moment, Options, Replica, Setup};
use serde_json::Value;
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::watch};

/// The chain that the corpus speaks of.
const GENESIS: &str = include_str!("../../../fuzz/genesis.json");

/// How long a request may take here: what waits for a block would wait in vain.
const PATIENCE: Duration = Duration::from_millis(50);

/// No answer here is longer, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// A network without anybody.
struct Nobody;

impl Neighbours for Nobody {
    fn connected(&self) -> Vec<u32> {
        Vec::new()
    }

    fn guests(&self) -> usize {
        0
    }

    fn counters(&self) -> NetworkCounters {
        NetworkCounters::default()
    }

    fn metrics(&self) -> String {
        String::new()
    }
}

/// A server without a socket.
struct Bench {
    runtime: Runtime,
    shop: Shop,
    _open: watch::Sender<()>,
}

/// The first byte says whether the rest is the body of a call, or a whole request: method, target, `Host` and
/// `Content-Type` in a line each, and then the body. Whatever it is, the answer is well-formed and blames the
/// sender.
pub fn check(bytes: &[u8]) {
    thread_local! {
        static BENCH: OnceCell<Bench> = const { OnceCell::new() };
    }
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let request = if kind & 1 == 0 { Some(call(bytes)) } else { whole(bytes) };
    let Some(request) = request else { return };
    BENCH.with(|bench| bench.get_or_init(Bench::new).ask(request, bytes, kind & 1 == 0));
}

fn call(body: &[u8]) -> Request {
    let request = Request::post("/").header(header::HOST, "localhost");
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_vec())).expect("a good request")
}

/// None if it is none that HTTP would bring us.
fn whole(bytes: &[u8]) -> Option<Request> {
    let mut lines = bytes.splitn(5, |byte| *byte == b'\n');
    let [method, target, host, kind] = [(); 4].map(|()| lines.next().unwrap_or_default());
    let body = lines.next().unwrap_or_default().to_vec();
    let request = Request::builder().method(method).uri(target).header(header::HOST, host);
    request.header(header::CONTENT_TYPE, kind).body(Body::from(body)).ok()
}

impl Bench {
    fn new() -> Bench {
        let genesis = Genesis::parse(GENESIS).expect("it was written by Genesis::to_json");
        let (chain, pause) = (genesis.chain_id(), genesis.block_time());
        let (asker, questions) = Asker::channel(Arc::new(Counters::default()));
        thread::spawn(move || {
            let module = genesis.consensus.clone();
            catalogue::dispatch(&module, Live { genesis, questions }).expect("a module there is");
        });
        let mut backend = Backend::new(asker, Feed::new(), Nobody, chain, pause);
        backend.patience = PATIENCE;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let (open, closing) = watch::channel(());
        let shop = Shop { backend: Arc::new(backend), closing };
        Bench { runtime: runtime.expect("a runtime"), shop, _open: open }
    }

    fn ask(&self, request: Request, bytes: &[u8], is_call: bool) {
        let is_events = request.uri().path() == "/events";
        let is_text = request.uri().path() == "/metrics";
        let shop = State(self.shop.clone());
        self.runtime.block_on(async {
            let response = serve(shop, request).await;
            let status = response.status();
            assert!(!status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE);
            if status == StatusCode::OK && (is_events || is_text) {
                return;
            }
            let answer = read(response).await;
            match status {
                StatusCode::OK if is_call => is_answer(&answer, bytes),
                // A call that came as a whole request, or how healthy the node is.
                StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => {}
                _ => is_error(&answer["error"]),
            }
        });
    }
}

async fn read(response: Response) -> Value {
    let body = to_bytes(response.into_body(), LONGEST).await.expect("it is in memory");
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{error}: {body:?}"))
}

/// One of result and error, to the number that the call has.
fn is_answer(answer: &Value, call: &[u8]) {
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    let call: Option<Value> = serde_json::from_slice(call).ok();
    let id = call.as_ref().and_then(|call| call.get("id")).filter(|id| {
        let shape = [Value::is_string, Value::is_u64, Value::is_i64, Value::is_null];
        shape.iter().any(|is| is(id))
    });
    assert_eq!(answer.get("id"), Some(id.unwrap_or(&Value::Null)), "{answer}");
    let members: Vec<_> = answer.as_object().expect("an object").keys().collect();
    match answer.get("error") {
        None => {
            assert_eq!(members, ["id", "jsonrpc", "result"]);
            let method = call.as_ref().and_then(|call| call["method"].as_str());
            assert!(method.is_some_and(|method| methods::METHODS.contains(&method)), "{answer}");
        }
        Some(error) => {
            assert_eq!(members, ["error", "id", "jsonrpc"]);
            is_error(error);
        }
    }
}

/// It has a code that is not our own fault, words for people and a word for programs.
fn is_error(error: &Value) {
    let code = error["code"].as_i64();
    assert!(code.is_some_and(|code| code != -32603), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    let reason = error["data"]["reason"].as_str().unwrap_or_default();
    let is_word = reason.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase());
    assert!(is_word && !reason.is_empty(), "{error}");
}

/// The replica behind the door.
struct Live {
    genesis: Genesis,
    questions: Questions,
}

impl Visitor for Live {
    type Output = ();

    fn visit<P: Module>(self) {
        let Live { genesis, questions } = self;
        let committee = genesis.committee().expect("it was checked");
        let (me, chain) = (ReplicaId(0), genesis.chain_id());
        let setup = Setup {
            me,
            protocol: P::new(&genesis).expect("it was checked"),
            // Nobody hears its votes, so it does not matter whose key it has.
            hand: Hand::new(me, chain, SecretKey::from_seed([0; 32])),
            keys: Keys::of(chain, &committee),
            genesis,
            store: Arc::<MemoryStore>::default(),
            seed: [0; 32],
            options: Options { trace: false, ..Options::default() },
        };
        answer(Replica::open(setup).expect("an empty store"), &questions);
    }
}

/// Answers until nobody can ask any more.
fn answer<P: Module>(mut replica: Replica<P>, questions: &Questions) {
    let begin = Instant::now();
    let mut waiting = BTreeMap::new();
    let moment = || Moment { now: begin.elapsed(), wall: begin.elapsed() };
    let mut actions = replica.start(moment()).expect("memory does not fail");
    for id in 0.. {
        while let Some(action) = actions.pop() {
            match action {
                Action::Sync(ticket) => {
                    let more = replica.handle(Event::Synced(ticket), moment());
                    actions.extend(more.expect("memory does not fail"));
                }
                Action::Answer { id, answer } => {
                    if let Some(reply) = waiting.remove(&id) {
                        // Whoever asked may have given up.
                        let _ = Reply::send(reply, Ok(answer));
                    }
                }
                _ => {}
            }
        }
        let Ok(question) = questions.queue().recv() else { return };
        let (_, Question { query, reply }) = question.parts();
        waiting.insert(id, reply);
        let asked = replica.handle(Event::Asked { id, query }, moment());
        actions = asked.expect("memory does not fail");
    }
}
