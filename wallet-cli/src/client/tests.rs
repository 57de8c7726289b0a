use super::*;
use crate::fake_node::{FakeNode, Reply};

fn client(urls: &[&str]) -> Client {
    Client::new(urls.iter().map(|url| url.parse().expect("a URL")).collect())
}

/// What the client says to a node that always gives this reply.
fn told(reply: impl Fn() -> Reply + Send + 'static) -> Result<u64, ClientError> {
    let node = FakeNode::start(move |_, _| reply());
    client(&[node.url()]).call("status", json!({}))
}

fn failure(reply: impl Fn() -> Reply + Send + 'static) -> String {
    match told(reply) {
        Err(ClientError::NoAnswer(attempts)) => attempts.to_string(),
        other => panic!("no usable answer expected, not {other:?}"),
    }
}

#[test]
fn a_call_names_method_and_params_and_reads_the_result() {
    let node = FakeNode::start(|method, params| {
        assert_eq!(method, "block");
        Reply::result(json!(params["height"].as_u64().expect("a height") + 1))
    });
    let answer: u64 = client(&[node.url()]).call("block", json!({"height": 6})).expect("7");
    assert_eq!(answer, 7);
}

#[test]
fn a_refusal_keeps_its_code_and_reason() {
    let error = told(|| Reply::refusal(-32000, "the balance is 3", "balance")).expect_err("no");
    let ClientError::Refused(refusal) = error else { panic!("a refusal expected: {error}") };
    assert_eq!((refusal.code, refusal.reason.as_deref()), (-32000, Some("balance")));
    assert!(refusal.is_verdict());
    assert!(refusal.to_string().contains("the chain refuses: the balance is 3"), "{refusal}");
}

#[test]
fn a_refusal_of_an_unreadable_request_has_no_id() {
    let error = json!({"code": -32700, "message": "parse error"});
    let error = told(move || Reply::json(json!({"jsonrpc": "2.0", "id": null, "error": error})));
    assert!(matches!(error, Err(ClientError::Refused(refusal)) if !refusal.is_verdict()));
}

#[test]
fn each_kind_of_nonsense_has_its_message() {
    let rpc = |value: Value| failure(move || Reply::json(value.clone()));
    let raw = |body: &'static [u8]| failure(move || Reply { status: 200, body: body.to_vec() });
    for (message, expected) in [
        (raw(b"<html>hello</html>"), "no JSON-RPC: \"<html>hello</html>\""),
        (raw(b"\xff\xfe\x1b[2J"), "no JSON-RPC"),
        (raw(b""), "no JSON-RPC"),
        (raw(b"[1, 2]"), "no JSON-RPC"),
        (failure(|| Reply { status: 502, body: b"bad gateway".to_vec() }), "HTTP status 502"),
        (rpc(json!({"jsonrpc": "2.0", "id": 2, "result": 1})), "answered request 2"),
        (rpc(json!({"jsonrpc": "2.0", "id": null, "result": 1})), "answered request null"),
        (rpc(json!({"jsonrpc": "1.0", "id": 1, "result": 1})), "version \"1.0\""),
        (rpc(json!({"jsonrpc": "2.0", "id": 1})), "exactly one of"),
        (rpc(json!({"jsonrpc": "2.0", "id": 1, "result": "x"})), "cannot be understood"),
    ] {
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
        assert!(!message.contains('\x1b'), "no control characters: {message:?}");
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    let length = LONGEST_ANSWER as usize + 1;
    let message = failure(move || Reply { status: 200, body: vec![b' '; length] });
    assert!(message.contains("longer than"), "{message}");
}

#[test]
fn json_without_end_is_refused_and_not_a_stack_overflow() {
    let message = failure(|| Reply { status: 200, body: vec![b'['; 1_000_000] });
    assert!(message.contains("no JSON-RPC"), "{message}");
}

#[test]
fn the_next_node_is_asked_when_one_does_not_answer() {
    let absent = FakeNode::absent();
    let babbler = FakeNode::start(|_, _| Reply { status: 200, body: b"?".to_vec() });
    let good = FakeNode::start(|_, _| Reply::result(json!(5)));
    let client = client(&[&absent, babbler.url(), good.url()]);
    assert_eq!(client.call::<u64>("status", json!({})).expect("the third answers"), 5);
    assert_eq!(client.node().as_str(), good.url(), "it is asked first from now on");
}

#[test]
fn a_refusal_is_an_answer_and_nobody_else_is_asked() {
    let no = FakeNode::start(|_, _| Reply::refusal(-32000, "no", "nonce"));
    let yes = FakeNode::start(|_, _| Reply::result(json!(5)));
    let answer = client(&[no.url(), yes.url()]).call::<u64>("submit", json!({}));
    assert!(matches!(answer, Err(ClientError::Refused(_))));
}

#[test]
fn when_nobody_answers_all_are_named() {
    let (one, two) = (FakeNode::absent(), FakeNode::absent());
    let error = client(&[&one, &two]).call::<u64>("status", json!({})).expect_err("nobody");
    let text = error.to_string();
    assert!(text.contains(&one) && text.contains(&two) && text.contains("--node"), "{text}");
}

#[test]
fn a_redirect_is_not_followed() {
    let message = failure(|| Reply { status: 307, body: Vec::new() });
    assert!(message.contains("307") || message.contains("reached"), "{message}");
}

#[test]
fn urls_are_read_as_people_write_them() {
    let good = |text: &str| text.parse::<NodeUrl>().expect(text).to_string();
    assert_eq!(good("127.0.0.1:7001"), "http://127.0.0.1:7001");
    assert_eq!(good("http://localhost:7001/"), "http://localhost:7001");
    assert_eq!(good("http://[::1]:7001"), "http://[::1]:7001");
    for bad in ["", "https://node", "ftp://node", "http://", "http://a b", "http://me:pw@node"] {
        assert!(bad.parse::<NodeUrl>().is_err(), "{bad:?}");
    }
    let list =
        NodeUrl::list("# the testnet's\nhttp://a:1\n\nb:2, c:3 # two more\n").expect("three");
    let list: Vec<_> = list.iter().map(NodeUrl::as_str).collect();
    assert_eq!(list, ["http://a:1", "http://b:2", "http://c:3"]);
}
