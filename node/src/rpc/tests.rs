//! The whole way in over a socket, before a replica that only pretends.

use super::*;
use crate::{
    network::Counters as NetworkCounters,
    runtime::{Counters, Question},
};
use crypto::SecretKey;
use ledger::{
    Action, Amount, BlockHash, Genesis, Ledger, Payload, ReplicaId, Stake, Transaction,
    genesis::Validator, query, store::MemoryStore,
};
use proptest::prelude::*;
use replica::pool::PoolRefusal;
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::LazyLock,
    thread,
};
use tokio::runtime::Runtime;

mod bulk;
mod hostile;
mod http;
mod watching;

/// What the pretended replica does with a question: answer it, or keep it waiting for ever.
type Behaviour = fn(Query) -> Option<Answer>;

/// A pretended network with three peers.
struct Three;

impl Neighbours for Three {
    fn connected(&self) -> Vec<u32> {
        vec![0, 1, 3]
    }

    fn guests(&self) -> usize {
        1
    }

    fn counters(&self) -> NetworkCounters {
        NetworkCounters::default()
    }

    fn metrics(&self) -> String {
        "libp2p_something 1\n".to_owned()
    }
}

struct Bench {
    runtime: Runtime,
    counters: Arc<Counters>,
    feed: Feed,
    server: Server,
}

impl Bench {
    fn new(behaviour: Behaviour) -> Bench {
        Bench::with(behaviour, |_| {})
    }

    fn with(behaviour: Behaviour, change: impl FnOnce(&mut Backend)) -> Bench {
        let counters = Arc::new(Counters::default());
        let (asker, questions) = Asker::channel(Arc::clone(&counters));
        thread::spawn(move || {
            let mut kept = Vec::new();
            for question in questions.queue() {
                let Question { query, reply } = question.parts().1;
                match behaviour(query) {
                    Some(answer) => drop(reply.send(Ok(answer))),
                    None => kept.push(reply),
                }
            }
        });
        let block_time = Duration::from_secs(1);
        let feed = Feed::new();
        let mut backend = Backend::new(asker, feed.clone(), Three, ChainId::default(), block_time);
        change(&mut backend);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let server = runtime.block_on(async {
            let door = Door::open("127.0.0.1:0".parse().expect("an address")).await;
            door.expect("a port").serve(backend)
        });
        Bench { runtime, counters, feed, server }
    }

    /// Sends these bytes and reads until the server closes: the status and the body.
    fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.server.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        // The server may close before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        assert!(!head.to_lowercase().contains("access-control"), "no page may read it: {head}");
        (status, body.to_owned())
    }

    /// Posts a body as a wallet does.
    fn post(&self, body: &[u8]) -> (u16, Value) {
        let mut request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend(body);
        let (status, body) = self.raw(&request);
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    /// Makes a call: its result, or its error.
    fn call(&self, method: &str, params: Value) -> Result<Value, Value> {
        let call = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (status, answer) = self.post(call.to_string().as_bytes());
        assert_eq!((status, &answer["id"], &answer["jsonrpc"]), (200, &json!(7), &json!("2.0")));
        match answer.get("error") {
            None => Ok(answer["result"].clone()),
            Some(error) => Err(error.clone()),
        }
    }

    /// The code and reason of a call that fails.
    fn fails(&self, method: &str, params: Value) -> (i64, String) {
        code_and_reason(&self.call(method, params).expect_err("an error"))
    }
}

fn code_and_reason(error: &Value) -> (i64, String) {
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    let reason = error["data"]["reason"].as_str().expect("a reason").to_owned();
    assert!(reason.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{reason}");
    (error["code"].as_i64().expect("a code"), reason)
}

fn friendly(query: Query) -> Option<Answer> {
    Some(match query {
        Query::Status => Answer::Status(Box::new(query::StatusAnswer {
            chain_id: ChainId::default(),
            consensus: "tendermint".into(),
            replica: ReplicaId(2),
            height: 17,
            head: BlockHash::default(),
            head_height: 17,
            round: 0,
            peers: 0,
            pool: 5,
            time: 1,
            state: "running".into(),
            accused: Vec::new(),
            punished: Vec::new(),
            burned: Default::default(),
            weights: None,
        })),
        Query::BlockAt(_) | Query::Block(_) => Answer::Block(None),
        Query::Transaction(id) => Answer::Transaction(Box::new(query::TransactionAnswer {
            id,
            status: query::TransactionStatus::Unknown,
            transaction: None,
            height: None,
            index: None,
            path: None,
            finality: None,
        })),
        Query::Blocks(_) => Answer::Blocks(Box::default()),
        Query::Conflict => Answer::Conflict(None),
        Query::Consensus => {
            let (height, slots) = (18, Vec::new());
            Answer::Consensus(query::ConsensusAnswer { height, round: 0, slots })
        }
        Query::Headers(_) => Answer::Headers(query::HeadersAnswer::default()),
        Query::Account(_) | Query::AccountAt(..) => {
            Answer::Failed("the pretended replica has no accounts".into())
        }
        Query::Committee => Answer::Committee(query::CommitteeAnswer {
            height: 17,
            members: Vec::new(),
            recovery: None,
        }),
        Query::Committees(_) => Answer::Committees(query::CommitteesAnswer::default()),
        Query::Stake => Answer::Stake(Box::new(founding_stake())),
        Query::Submit(transaction) => Answer::Submitted(Ok(transaction.id())),
        Query::SubmitMany(many) => {
            Answer::SubmittedMany(many.iter().map(|transaction| Ok(transaction.id())).collect())
        }
        Query::Bodies(_) => Answer::Bodies(Vec::new()),
    })
}

/// What a ledger says at its genesis.
fn founding_stake() -> query::StakeAnswer {
    let validator = Validator { key: SecretKey::from_seed([3; 32]).public(), stake: Stake(5) };
    let genesis = Genesis {
        name: "stake".into(),
        time: 0,
        consensus: "tendermint".into(),
        block_time: 1_000,
        settings: [("ledger.unbonding_blocks".to_owned(), 9)].into(),
        validators: vec![validator],
        accounts: Vec::new(),
    };
    let ledger = Ledger::open(Arc::new(MemoryStore::default()), &genesis).expect("a good genesis");
    ledger.stake_answer().expect("memory")
}

fn transfer() -> Transaction {
    let key = SecretKey::from_seed([3; 32]);
    let action = Action::Transfer { to: key.public().address(), amount: Amount(5) };
    let (chain, sender) = (ChainId::default(), key.public());
    Payload { chain, sender, nonce: 0, fee: Amount(1), action }.sign(&key)
}

fn digits(transaction: &Transaction) -> String {
    hex::encode(crypto::codec::encode(transaction))
}

#[test]
fn every_method_answers() {
    let bench = Bench::new(friendly);
    let status = bench.call("status", json!({})).expect("an answer");
    assert_eq!((&status["height"], &status["peers"]), (&json!(17), &json!(3)));
    let zero = "00".repeat(32);
    assert_eq!(bench.call("block", json!({ "height": 3 })), Ok(Value::Null));
    assert_eq!(bench.call("block", json!({ "hash": zero })), Ok(Value::Null));
    let transaction = bench.call("transaction", json!({ "id": zero })).expect("an answer");
    assert_eq!(transaction["status"], "unknown");
    let committee = bench.call("committee", json!({})).expect("an answer");
    assert_eq!(committee["height"], 17);
    let committees = bench.call("committees", json!({ "from": 1 })).expect("an answer");
    assert_eq!(committees, json!({ "changes": [], "more": false }));
    assert_eq!(bench.call("conflict", json!({})), Ok(Value::Null));
    let stake = bench.call("stake", json!({})).expect("an answer");
    assert_eq!((&stake["height"], &stake["supply"]), (&json!(0), &json!(5)));
    let consensus = bench.call("consensus", json!({})).expect("an answer");
    assert_eq!(consensus["height"], 18);
    let blocks = bench.call("blocks", json!({ "from": 1 })).expect("an answer");
    assert_eq!(blocks["blocks"], json!([]));
    let submitted = bench.call("submit", json!({ "transaction": digits(&transfer()) }));
    assert_eq!(submitted, Ok(json!({ "id": transfer().id().to_string() })));
}

#[test]
fn the_id_comes_back_and_parameters_may_be_left_out() {
    let bench = Bench::new(friendly);
    for id in ["\"a word\"", "null", "-3", "18446744073709551615"] {
        let call = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"status\",\"id\":{id}}}");
        let (status, answer) = bench.post(call.as_bytes());
        assert_eq!(status, 200);
        assert_eq!(answer["id"].to_string(), id);
        assert_eq!(answer["result"]["replica"], 2);
    }
}

#[test]
fn what_is_no_call_is_told_why() {
    let bench = Bench::new(friendly);
    let cases = [
        ("", -32700, "parse"),
        ("{\"jsonrpc\":", -32700, "parse"),
        ("[]", -32600, "batch"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"status"}]"#, -32600, "batch"),
        ("7", -32600, "not_an_object"),
        (r#"{"jsonrpc":"2.0","method":"status"}"#, -32600, "id"),
        (r#"{"jsonrpc":"2.0","method":"status","id":{}}"#, -32600, "id"),
        (r#"{"jsonrpc":"2.0","method":"status","id":1e75}"#, -32600, "id"),
        (r#"{"jsonrpc":"1.0","method":"status","id":1}"#, -32600, "version"),
        (r#"{"method":"status","id":1}"#, -32600, "version"),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"block","params":[1]}"#, -32602, "not_named"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"block","params":null}"#, -32602, "not_named"),
    ];
    for (body, code, reason) in cases {
        let (status, answer) = bench.post(body.as_bytes());
        assert_eq!(status, 200, "{body}");
        assert_eq!(code_and_reason(&answer["error"]), (code, reason.into()), "{body}");
    }
}

#[test]
fn an_unknown_method_lists_the_known_ones() {
    let bench = Bench::new(friendly);
    let error = bench.call("eth_getBalance", json!({})).expect_err("an error");
    assert_eq!(code_and_reason(&error), (-32601, "unknown_method".into()));
    assert_eq!(error["data"]["methods"], json!(methods::METHODS));
}

#[test]
fn wrong_parameters_are_named_with_their_values() {
    let bench = Bench::new(friendly);
    let zero = "00".repeat(32);
    let cases = [
        ("block", json!({}), "missing_param"),
        ("block", json!({ "height": 1, "hash": zero }), "bad_param"),
        ("block", json!({ "height": -1 }), "bad_param"),
        ("block", json!({ "height": 1.5 }), "bad_param"),
        ("block", json!({ "height": "1" }), "bad_param"),
        ("block", json!({ "hash": "abc" }), "bad_param"),
        ("block", json!({ "heigth": 1 }), "unknown_param"),
        ("status", json!({ "verbose": true }), "unknown_param"),
        ("committee", json!({ "height": 1 }), "unknown_param"),
        ("committees", json!({}), "missing_param"),
        ("stake", json!({ "height": 1 }), "unknown_param"),
        ("blocks", json!({}), "missing_param"),
        ("blocks", json!({ "from": "first" }), "bad_param"),
        ("consensus", json!({ "height": 1 }), "unknown_param"),
        ("transaction", json!({}), "missing_param"),
        ("transaction", json!({ "id": 7 }), "bad_param"),
        ("account", json!({}), "missing_param"),
        ("account", json!({ "address": "byz1qqqq" }), "bad_param"),
        ("submit", json!({}), "missing_param"),
        ("submit", json!({ "transaction": {} }), "bad_param"),
        ("submit", json!({ "transaction": "xyz" }), "bad_param"),
        ("submit", json!({ "transaction": "abc" }), "bad_param"),
    ];
    for (method, params, reason) in cases {
        let failed = bench.fails(method, params.clone());
        assert_eq!(failed, (-32602, reason.into()), "{method} {params}");
    }
    let error = bench.call("block", json!({ "height": "1" })).expect_err("an error");
    assert_eq!(
        (&error["data"]["name"], &error["data"]["value"]),
        (&json!("height"), &json!("\"1\""))
    );
    let long = "9".repeat(100_000);
    let error = bench.call("account", json!({ "address": long })).expect_err("an error");
    assert!(error.to_string().len() < 1_000, "a wrong value is repeated in part only");
}

#[test]
fn bad_transactions_are_refused_before_the_replica_sees_them() {
    let bench = Bench::new(|query| match query {
        Query::Submit(_) => panic!("the replica was asked"),
        other => friendly(other),
    });
    let mut forged = transfer();
    forged.payload.fee = Amount(2);
    let key = SecretKey::from_seed([3; 32]);
    let foreign =
        Payload { chain: ChainId([9; 32].into()), ..transfer().payload.clone() }.sign(&key);
    let trailing = format!("{}00", digits(&transfer()));
    let cases = [
        (digits(&forged), "bad_signature"),
        (digits(&foreign), "wrong_chain"),
        (trailing, "malformed"),
        (String::new(), "malformed"),
        ("00".repeat(5_000), "too_long"),
    ];
    for (digits, reason) in cases {
        let failed = bench.fails("submit", json!({ "transaction": digits }));
        assert_eq!(failed, (-32000, reason.into()));
    }
}

#[test]
fn the_pools_refusals_come_with_their_figures() {
    fn refuse(refusal: PoolRefusal) -> Option<Answer> {
        Some(Answer::Submitted(Err(refusal)))
    }
    let cases: [(Behaviour, i64, Value); 5] = [
        (
            |_| refuse(PoolRefusal::Used { expected: 4, found: 0 }),
            -32000,
            json!({ "reason": "nonce", "expected": 4, "found": 0 }),
        ),
        (
            |_| refuse(PoolRefusal::Balance { balance: Amount(3), needed: 1 << 100 }),
            -32000,
            json!({ "reason": "balance", "balance": 3, "needed": (1u128 << 100).to_string() }),
        ),
        (
            |_| refuse(PoolRefusal::Full { capacity: 9, fee: Amount(2) }),
            -32000,
            json!({ "reason": "pool_full", "capacity": 9, "fee": 2 }),
        ),
        (
            |_| refuse(PoolRefusal::Known(transfer().id())),
            -32000,
            json!({ "reason": "known", "id": transfer().id().to_string() }),
        ),
        (
            |_| refuse(PoolRefusal::Halted("two blocks at height 3".into())),
            -32001,
            json!({ "reason": "halted", "why": "two blocks at height 3" }),
        ),
    ];
    for (behaviour, code, data) in cases {
        let bench = Bench::new(behaviour);
        let params = json!({ "transaction": digits(&transfer()) });
        let error = bench.call("submit", params).expect_err("refused");
        assert_eq!((&error["code"], &error["data"]), (&json!(code), &data));
    }
}

#[test]
fn a_replica_that_fails_to_look_is_an_internal_error() {
    let bench = Bench::new(friendly);
    let address = SecretKey::from_seed([3; 32]).public().address().to_string();
    assert_eq!(bench.fails("account", json!({ "address": address })), (-32603, "store".into()));
    // A height without a state is the caller's own fault.
    let asked = json!({ "address": address, "height": 99 });
    assert_eq!(bench.fails("account", asked), (-32602, "no_state".into()));
    let bench = Bench::new(|_| Some(Answer::Block(None)));
    assert_eq!(bench.fails("status", json!({})), (-32603, "internal".into()));
}

#[test]
fn a_replica_that_is_gone_is_an_internal_error() {
    let (asker, questions) = Asker::channel(Arc::new(Counters::default()));
    drop(questions);
    let bench = Bench::with(friendly, |backend| backend.asker = asker);
    assert_eq!(bench.fails("status", json!({})), (-32603, "stopping".into()));
}

#[test]
fn more_requests_than_places_are_told_to_come_back() {
    let bench = Bench::with(friendly, |backend| backend.at_work = Semaphore::new(0));
    assert_eq!(bench.fails("status", json!({})), (-32002, "busy".into()));
}

#[test]
fn a_full_queue_of_questions_is_busy() {
    let counters = Arc::new(Counters::default());
    let (asker, _questions) = Asker::channel(Arc::clone(&counters));
    let bench = Bench::with(friendly, |backend| backend.asker = asker.clone());
    let waiting: Vec<_> = (0..crate::runtime::QUESTIONS)
        .map(|_| {
            let asker = asker.clone();
            bench.runtime.spawn(async move { asker.ask(Query::Status).await.map(drop) })
        })
        .collect();
    let busy = (-32002, "busy".to_owned());
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    // The spawned ones take their places at some point; until then a call would wait with them.
    while asker.waiting() < waiting.len() {
        assert!(std::time::Instant::now() < deadline);
        thread::yield_now();
    }
    assert_eq!(bench.fails("status", json!({})), busy);
    assert_eq!(counters.snapshot().questions_refused, 1);
}

#[test]
fn an_answer_that_does_not_come_ends_in_a_timeout() {
    let short = Duration::from_millis(50);
    let bench = Bench::with(|_| None, |backend| backend.patience = short);
    let (status, answer) = bench.post(br#"{"jsonrpc":"2.0","id":1,"method":"status"}"#);
    assert_eq!(status, 408);
    assert_eq!(code_and_reason(&answer["error"]), (-32600, "timeout".into()));
}

#[test]
fn stopping_closes_the_door() {
    let bench = Bench::new(friendly);
    let address = bench.server.address();
    assert!(bench.call("status", json!({})).is_ok());
    bench.runtime.block_on(bench.server.stop());
    assert!(TcpStream::connect(address).is_err());
}

/// One server for many hostile requests.
static SHARED: LazyLock<Bench> = LazyLock::new(|| Bench::new(friendly));
