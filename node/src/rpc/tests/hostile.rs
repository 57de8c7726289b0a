//! Whatever comes, the answer is JSON with a code that blames the sender.

use super::*;

/// Any JSON, three levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9a-f]{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,8}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Calls that are nearly right.
fn any_call() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(methods::METHODS);
    let names = ["height", "hash", "from", "id", "address", "transaction", "transactions", "x"];
    let name = prop::sample::select(names.to_vec());
    let params = prop::collection::btree_map(name, any_json(), 0..3);
    (method, params).prop_map(
        |(method, params)| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
    )
}

/// The code, if the answer is an error; whatever was sent, the status is 200.
fn code(body: &[u8]) -> Option<i64> {
    let (status, answer) = SHARED.post(body);
    assert_eq!(status, 200, "{answer}");
    let error = answer.get("error")?;
    Some(code_and_reason(error).0)
}

fn senders_fault(code: Option<i64>) -> bool {
    // The pretended replica fails on accounts, which only a good address gets to see.
    matches!(code, None | Some(-32700 | -32600 | -32601 | -32602 | -32000))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(senders_fault(code(&bytes)));
    }

    #[test]
    fn any_json_at_all(value in any_json()) {
        prop_assert!(senders_fault(code(value.to_string().as_bytes())));
    }

    #[test]
    fn any_parameters(call in any_call()) {
        prop_assert!(senders_fault(code(call.to_string().as_bytes())));
    }

    #[test]
    fn a_call_with_a_few_bytes_changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "submit",
            "params": { "transaction": digits(&transfer()) },
        });
        let mut bytes = call.to_string().into_bytes();
        for (index, byte) in changes {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        prop_assert!(senders_fault(code(&bytes)));
    }

    #[test]
    fn a_transaction_with_one_bit_changed_is_never_taken(place in any::<prop::sample::Index>()) {
        let mut bytes = crypto::codec::encode(&transfer());
        let bit = place.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let params = json!({ "transaction": hex::encode(bytes) });
        let (code, _) = SHARED.fails("submit", params);
        prop_assert_eq!(code, -32000);
    }
}

#[test]
fn brackets_without_end() {
    assert_eq!(code("[".repeat(500_000).as_bytes()), Some(-32700));
    assert_eq!(code("{\"a\":".repeat(100_000).as_bytes()), Some(-32700));
}
