//! Requests that are no calls.

use super::*;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"status"}"#;

fn request(line: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!("{line}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

/// The status, and the reason in the body.
fn refused(request: &str) -> (u16, String) {
    let (status, body) = SHARED.raw(request.as_bytes());
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["id"], Value::Null);
    let (code, reason) = code_and_reason(&answer["error"]);
    assert_eq!(code, -32600);
    (status, reason)
}

const JSON: &str = "Content-Type: application/json";

#[test]
fn a_host_that_is_not_loopback_is_forbidden() {
    let foreign = [
        "Host: evil.example",
        "Host: localhost.evil.example",
        "Host: 127.0.0.1.evil.example",
        "Host: 127.0.0.1:80:80",
        "Host: localhost:",
        "Host: localhost:99999",
        "Host: 10.0.0.1",
        "Host: ",
    ];
    for host in foreign {
        let answer = refused(&request("POST / HTTP/1.1", &[host, JSON], CALL));
        if host == "Host: localhost:" {
            // An empty port is none, and hyper's own parser may say so, too.
            assert_eq!(answer.0, 403);
            continue;
        }
        assert_eq!(answer, (403, "host".into()), "{host}");
    }
    assert_eq!(refused(&request("POST / HTTP/1.0", &[JSON], CALL)), (403, "host".into()));
    let twice = ["Host: localhost", "Host: localhost", JSON];
    assert_eq!(refused(&request("POST / HTTP/1.1", &twice, CALL)), (403, "host".into()));
    let elsewhere = request("POST http://evil.example/ HTTP/1.1", &["Host: localhost", JSON], CALL);
    assert_eq!(refused(&elsewhere), (403, "host".into()));
}

#[test]
fn loopbacks_names_are_welcome_on_any_port() {
    for host in ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:1", "[::1]", "[::1]:8000"] {
        let host = format!("Host: {host}");
        let (status, _) = SHARED.raw(request("POST / HTTP/1.1", &[&host, JSON], CALL).as_bytes());
        assert_eq!(status, 200, "{host}");
    }
}

#[test]
fn only_posts_to_the_root_are_calls() {
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let line = format!("{method} / HTTP/1.1");
        let answer = refused(&request(&line, &["Host: localhost", JSON], ""));
        assert_eq!(answer, (405, "method".into()), "{method}");
    }
    let answer = refused(&request("POST /status HTTP/1.1", &["Host: localhost", JSON], CALL));
    assert_eq!(answer, (404, "path".into()));
    for path in ["/metrics", "/health", "/events"] {
        let line = format!("POST {path} HTTP/1.1");
        let answer = refused(&request(&line, &["Host: localhost", JSON], CALL));
        assert_eq!(answer, (405, "method".into()), "{path}");
        let line = format!("GET {path} HTTP/1.1");
        let answer = refused(&request(&line, &["Host: evil.example"], ""));
        assert_eq!(answer, (403, "host".into()), "{path}");
        let answer = refused(&request(&format!("GET {path}/ HTTP/1.1"), &["Host: localhost"], ""));
        assert_eq!(answer, (404, "path".into()), "{path}");
    }
}

#[test]
fn what_a_page_could_send_without_asking_is_refused() {
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"] {
        let kind = format!("Content-Type: {kind}");
        let answer = refused(&request("POST / HTTP/1.1", &["Host: localhost", &kind], CALL));
        assert_eq!(answer, (415, "content_type".into()), "{kind}");
    }
    let answer = refused(&request("POST / HTTP/1.1", &["Host: localhost"], CALL));
    assert_eq!(answer, (415, "content_type".into()));
    let kind = "Content-Type: Application/JSON; charset=utf-8";
    let call = request("POST / HTTP/1.1", &["Host: localhost", kind], CALL);
    assert_eq!(SHARED.raw(call.as_bytes()).0, 200);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let announced = format!("{head}{JSON}\r\nContent-Length: {}\r\n\r\n", MAX_BODY + 1);
    assert_eq!(refused(&announced), (413, "body_too_long".into()));
    // One that is longer than it says must be counted while it comes.
    let mut chunked = format!("{head}{JSON}\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..=MAX_BODY / 65_536 {
        chunked += &format!("10000\r\n{}\r\n", " ".repeat(65_536));
    }
    assert_eq!(refused(&chunked), (413, "body_too_long".into()));
}

#[test]
fn a_body_at_the_limit_is_read() {
    let call = format!("{CALL}{}", " ".repeat(MAX_BODY - CALL.len()));
    assert_eq!(SHARED.post(call.as_bytes()).0, 200);
}

#[test]
fn a_body_that_never_comes_ends_in_a_timeout() {
    let bench = Bench::with(friendly, |backend| backend.patience = Duration::from_millis(50));
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 10\r\n";
    let (status, _) = bench.raw(format!("{head}{JSON}\r\n\r\n{{").as_bytes());
    assert_eq!(status, 408);
}
