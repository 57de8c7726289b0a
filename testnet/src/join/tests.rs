use super::*;
use ledger::TransactionId;

#[test]
fn a_step_is_a_line_of_json_with_its_name_and_time() {
    let step = Step::Proposed { node: 4, height: 17 };
    let line: serde_json::Value = serde_json::from_str(&line(&step, 1.23456)).unwrap();
    assert_eq!(line, json!({"event": "proposed", "node": 4, "height": 17, "seconds": 1.235}));
}

#[test]
fn a_step_is_a_sentence_that_names_block_and_amount() {
    let transaction = TransactionId::default();
    let step = Step::Bonded { node: 4, stake: Amount(1_000), transaction, height: 9 };
    assert_eq!(step.to_string(), "Node 4 has put 1000 at stake in block 9.");
}

#[test]
fn who_is_interrupted_is_told_how_to_go_on() {
    let words = JoinError::Interrupted { node: Some(4) }.to_string();
    assert!(words.contains("`testnet join --node 4` goes on"), "{words}");
    let words = JoinError::Interrupted { node: None }.to_string();
    assert_eq!(words, "interrupted");
    let (what, told) = ("reads the chain", "is at height 3 of 9".to_owned());
    let late = JoinError::Late { node: 4, what, patience: Duration::from_secs(60), told };
    let words = late.to_string();
    assert!(words.contains("after it is at height 3 of 9"), "{words}");
}

#[test]
fn who_is_early_is_told_whom_to_wait_for_and_who_is_late_to_come_anew() {
    assert!(bond::check_turn(6, ReplicaId(6)).is_ok());
    let early = bond::check_turn(6, ReplicaId(5)).unwrap_err().to_string();
    assert!(early.contains("`testnet join --node 5`"), "{early}");
    let late = bond::check_turn(6, ReplicaId(7)).unwrap_err().to_string();
    assert!(late.contains("the number 6 belongs to another key"), "{late}");
    assert!(late.contains("leave --node out") && !late.contains("first"), "{late}");
}
