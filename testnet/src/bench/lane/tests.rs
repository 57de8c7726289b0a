use super::*;
use serde_json::Value;

fn receipt(value: Value) -> Receipt {
    serde_json::from_value(value).unwrap()
}

fn refusal(reason: &str) -> Receipt {
    let error = json!({ "code": -32_000, "message": "no", "data": { "reason": reason } });
    receipt(json!({ "error": error }))
}

#[test]
fn what_a_node_has_already_is_taken() {
    assert_eq!(judge(&receipt(json!({ "id": "00" }))), Verdict::Taken);
    assert_eq!(judge(&refusal("known")), Verdict::Taken);
    assert_eq!(judge(&refusal("nonce")), Verdict::Taken);
}

#[test]
fn what_finds_no_room_is_handed_over_again() {
    for reason in ["pool_full", "nonce_gap", "busy"] {
        assert_eq!(judge(&refusal(reason)), Verdict::Later(reason));
    }
}

#[test]
fn anything_else_is_trouble() {
    for reason in ["bad_signature", "wrong_chain", "halted", "balance", ""] {
        let never = Verdict::Never { reason: reason.to_owned(), message: "no".to_owned() };
        assert_eq!(judge(&refusal(reason)), never);
    }
    let bare = receipt(json!({ "error": { "code": 1, "message": "no" } }));
    assert!(matches!(judge(&bare), Verdict::Never { .. }));
}
