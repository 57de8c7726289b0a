//! Many transactions at a time: what goes in, and what comes out.

use super::{
    super::bulk::{MAX_BATCH, MAX_WAIT},
    *,
};
use ledger::{Block, Header, Seal};
use replica::trace::{TraceLine, What};
use std::sync::atomic::{AtomicUsize, Ordering};

fn numbered(nonce: u64) -> Transaction {
    let key = SecretKey::from_seed([3; 32]);
    Payload { nonce, ..transfer().payload.clone() }.sign(&key)
}

fn batch(bench: &Bench, transactions: &[String]) -> Value {
    let answer = bench.call("submit_batch", json!({ "transactions": transactions }));
    answer.expect("an answer")["results"].clone()
}

fn block(height: u64, transactions: Vec<Transaction>) -> Arc<Block> {
    let header = Header {
        parent: BlockHash::default(),
        height,
        time: height,
        proposer: ReplicaId(0),
        transactions: ledger::block::transaction_root(&transactions),
        state: crypto::Hash::ZERO,
        committee: crypto::Hash::ZERO,
        participation: crypto::Hash::ZERO,
        leak: crypto::Hash::ZERO,
        seal: Seal::default(),
    };
    Arc::new(Block { header, transactions, duties: Vec::new() })
}

#[test]
fn a_batch_is_one_question_and_is_answered_in_order() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let bench = Bench::new(|query| {
        let Query::SubmitMany(many) = query else { panic!("{query:?}") };
        ASKED.fetch_add(1, Ordering::Relaxed);
        let judge = |transaction: &ledger::VerifiedTransaction| match transaction.payload().nonce {
            1 => Err(PoolRefusal::Known(transaction.id())),
            2 => Err(PoolRefusal::Full { capacity: 9, fee: Amount(2) }),
            _ => Ok(transaction.id()),
        };
        Some(Answer::SubmittedMany(many.iter().map(judge).collect()))
    });
    let mut forged = numbered(4);
    forged.payload.fee = Amount(2);
    let sent: Vec<_> = [digits(&forged), "no digits".into(), String::new()]
        .into_iter()
        .chain((0..4).map(|nonce| digits(&numbered(nonce))))
        .collect();
    let results = batch(&bench, &sent);
    let told: Vec<_> = results
        .as_array()
        .expect("a list")
        .iter()
        .map(|result| match result.get("error") {
            Some(error) => code_and_reason(error).1,
            None => result["id"].as_str().expect("an id").to_owned(),
        })
        .collect();
    let id = |nonce| numbered(nonce).id().to_string();
    let expected = ["bad_signature", "bad_param", "malformed"].map(str::to_owned);
    let expected: Vec<_> =
        expected.into_iter().chain([id(0), "known".into(), "pool_full".into(), id(3)]).collect();
    assert_eq!(told, expected);
    assert_eq!(results[4]["error"]["data"]["id"], id(1));
    assert_eq!(ASKED.load(Ordering::Relaxed), 1);
}

#[test]
fn a_batch_in_which_nothing_is_good_asks_nobody() {
    let bench = Bench::new(|query| panic!("{query:?}"));
    assert_eq!(batch(&bench, &[]), json!([]));
    let key = SecretKey::from_seed([3; 32]);
    let foreign =
        Payload { chain: ChainId([9; 32].into()), ..transfer().payload.clone() }.sign(&key);
    let results = batch(&bench, &[digits(&foreign), "00".repeat(5_000)]);
    let reasons: Vec<_> = results
        .as_array()
        .expect("a list")
        .iter()
        .map(|result| code_and_reason(&result["error"]))
        .collect();
    assert_eq!(reasons, [(-32000, "wrong_chain".into()), (-32000, "too_long".into())]);
}

#[test]
fn a_batch_has_a_limit_and_is_a_list_of_strings() {
    let bench = Bench::new(friendly);
    let one = digits(&transfer());
    let most = vec![one.clone(); MAX_BATCH];
    assert_eq!(batch(&bench, &most).as_array().map(Vec::len), Some(MAX_BATCH));
    let more = json!({ "transactions": vec![one; MAX_BATCH + 1] });
    let error = bench.call("submit_batch", more).expect_err("too many");
    assert_eq!(code_and_reason(&error), (-32602, "too_many".into()));
    assert_eq!((&error["data"]["limit"], &error["data"]["found"]), (&json!(256), &json!(257)));
    for (params, reason) in [
        (json!({}), "missing_param"),
        (json!({ "transactions": "00" }), "bad_param"),
        (json!({ "transactions": [7] }), "bad_param"),
        (json!({ "transactions": [], "wait": 1 }), "unknown_param"),
    ] {
        let failed = bench.fails("submit_batch", params.clone());
        assert_eq!(failed, (-32602, reason.into()), "{params}");
    }
}

#[test]
fn a_replica_that_answers_too_few_is_our_own_failure() {
    let bench = Bench::new(|_| Some(Answer::SubmittedMany(Vec::new())));
    let params = json!({ "transactions": [digits(&transfer())] });
    assert_eq!(bench.fails("submit_batch", params), (-32603, "internal".into()));
}

#[test]
fn blocks_are_told_as_their_transactions_names() {
    let bench = Bench::new(|query| match query {
        Query::Bodies(5) => {
            let full = block(5, vec![numbered(0), numbered(1)]);
            Some(Answer::Bodies(vec![full, block(6, Vec::new())]))
        }
        other => friendly(other),
    });
    let answer = bench.call("transaction_ids", json!({ "from": 5 })).expect("an answer");
    let ids = [numbered(0).id(), numbered(1).id()];
    let expected = json!([{ "height": 5, "ids": ids }, { "height": 6, "ids": [] }]);
    assert_eq!(answer["blocks"], expected);
    let none = bench.call("transaction_ids", json!({ "from": 7 })).expect("an answer");
    assert_eq!(none["blocks"], json!([]), "without a wait nobody waits");
    for (params, reason) in [
        (json!({}), "missing_param"),
        (json!({ "from": "1" }), "bad_param"),
        (json!({ "from": 1, "wait": -1 }), "bad_param"),
        (json!({ "from": 1, "height": 1 }), "unknown_param"),
    ] {
        let failed = bench.fails("transaction_ids", params.clone());
        assert_eq!(failed, (-32602, reason.into()), "{params}");
    }
}

#[test]
fn who_waits_for_a_block_is_told_of_it_when_it_is_committed() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let bench = Bench::new(|query| match query {
        Query::Bodies(5) => {
            let earlier = ASKED.fetch_add(1, Ordering::Relaxed);
            let bodies = if earlier == 0 { Vec::new() } else { vec![block(5, Vec::new())] };
            Some(Answer::Bodies(bodies))
        }
        other => friendly(other),
    });
    let feed = bench.feed.clone();
    // Lines come all the while; only a commit makes the call ask again.
    let talking = thread::spawn(move || {
        let line = |what| TraceLine { replica: ReplicaId(2), seq: 1, at: 1, cause: None, what };
        // It listens before it asks.
        while ASKED.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        feed.tell(&line(What::Started { height: 4 }));
        let block = BlockHash::default();
        feed.tell(&line(What::Committed { height: 5, block, transactions: 0 }));
    });
    let answer = bench.call("transaction_ids", json!({ "from": 5, "wait": 600_000 }));
    assert_eq!(answer.expect("an answer")["blocks"], json!([{ "height": 5, "ids": [] }]));
    assert_eq!(ASKED.load(Ordering::Relaxed), 2);
    talking.join().expect("it does not panic");
    assert_eq!(bench.feed.listeners(), 0, "nobody goes on listening");
}

#[test]
fn who_waits_in_vain_is_answered_when_the_wait_is_over() {
    let bench = Bench::new(friendly);
    let answer = bench.call("transaction_ids", json!({ "from": 5, "wait": 20 }));
    assert_eq!(answer.expect("an answer")["blocks"], json!([]));
    assert!(MAX_WAIT < super::super::FAREWELL, "a stopping server waits for those who wait");
}
