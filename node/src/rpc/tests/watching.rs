//! What watches a node: metrics, health, events.

use super::*;
use crate::runtime::FEED_BUFFER;
use replica::trace::{TraceLine, What};
use std::io::{BufRead, BufReader};

fn line(seq: u64) -> TraceLine {
    let what = What::Committed { height: seq, block: BlockHash::default(), transactions: 0 };
    TraceLine { replica: ReplicaId(2), seq, at: seq * 10, cause: None, what }
}

fn get(bench: &Bench, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    bench.raw(request.as_bytes())
}

/// A listener that has got the head of its answer.
struct Listener(BufReader<TcpStream>);

impl Listener {
    fn new(bench: &Bench) -> Listener {
        let mut stream = TcpStream::connect(bench.server.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let request = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).expect("it takes requests");
        let mut listener = Listener(BufReader::new(stream));
        let head = listener.until("\r\n");
        assert!(head[0].starts_with("HTTP/1.1 200"), "{head:?}");
        let kind = "content-type: text/event-stream\r\n";
        assert!(head.iter().any(|line| line == kind), "{head:?}");
        assert!(!head.concat().to_lowercase().contains("access-control"), "{head:?}");
        listener
    }

    /// The lines up to one that is `end`.
    fn until(&mut self, end: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let length = self.0.read_line(&mut line).expect("in time");
            if length == 0 || line == end {
                return lines;
            }
            lines.push(line);
        }
    }

    /// The fields of the next event; nothing once the server has closed.
    fn event(&mut self) -> Option<(String, Option<String>, Value)> {
        let lines = self.until("\n");
        let field = |name: &str| {
            let found = lines.iter().find_map(|line| line.strip_prefix(name));
            found.map(|value| value.trim().to_owned())
        };
        let data = serde_json::from_str(&field("data:")?).expect("JSON");
        Some((field("event:").expect("a name"), field("id:"), data))
    }
}

#[test]
fn metrics_are_text_and_count_calls() {
    let bench = Bench::new(friendly);
    bench.call("status", json!({})).expect("an answer");
    bench.call("eth_getBalance", json!({})).expect_err("unknown");
    assert_eq!(bench.post(b"[").0, 200);
    let _ = get(&bench, "/nowhere");
    let (status, page) = get(&bench, "/metrics");
    assert_eq!(status, 200);
    let lines = [
        "byzantium_height 17",
        "byzantium_peers 3",
        "byzantium_rpc_calls_total{method=\"status\",code=\"0\"} 1",
        "byzantium_rpc_calls_total{method=\"unknown\",code=\"-32601\"} 1",
        "byzantium_rpc_calls_total{method=\"none\",code=\"-32700\"} 1",
        "byzantium_refused_total{what=\"request\",reason=\"path\"} 1",
        "libp2p_something 1",
        "# EOF",
    ];
    for line in lines {
        assert!(page.contains(&format!("{line}\n")), "{line} is not in\n{page}");
    }
}

#[test]
fn a_mute_replica_leaves_the_other_metrics_and_is_not_healthy() {
    let bench = Bench::new(|_| None);
    let (status, page) = get(&bench, "/metrics");
    assert_eq!((status, page.contains("byzantium_height ")), (200, false));
    assert!(page.contains("byzantium_peers 3"));
    let (status, body) = get(&bench, "/health");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["reason"]), (503, &json!("no_answer")));
}

#[test]
fn health_says_what_ails() {
    // The pretended replica's last block is from 1970.
    let bench = Bench::new(friendly);
    let (status, body) = get(&bench, "/health");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["status"]), (503, &json!("unhealthy")));
    assert_eq!((&body["reason"], &body["height"]), (&json!("stale"), &json!(17)));
}

#[test]
fn events_come_as_they_happen() {
    let bench = Bench::new(friendly);
    bench.feed.tell(&line(1));
    let mut listeners = [Listener::new(&bench), Listener::new(&bench)];
    (2..=4).for_each(|seq| bench.feed.tell(&line(seq)));
    for listener in &mut listeners {
        for seq in 2..=4 {
            let (what, id, data) = listener.event().expect("an event");
            assert_eq!((what.as_str(), id), ("committed", Some(format!("2-{seq}"))));
            assert_eq!(serde_json::from_value::<TraceLine>(data).expect("a line"), line(seq));
        }
    }
}

#[test]
fn a_slow_listener_is_told_what_it_lost() {
    let bench = Bench::new(friendly);
    let mut slow = Listener::new(&bench);
    // More than the buffer and the socket together hold.
    let last = 200 * FEED_BUFFER as u64;
    (1..=last).for_each(|seq| bench.feed.tell(&line(seq)));
    let (mut heard, mut lost) = (0, 0);
    while heard + lost < last {
        let (what, id, data) = slow.event().expect("an event");
        match what.as_str() {
            "dropped" => lost += data["dropped"].as_u64().expect("a number"),
            _ => {
                heard += 1;
                assert_eq!(id, Some(format!("2-{}", heard + lost)), "none is lost in silence");
            }
        }
    }
    assert!(lost > 0);
    assert_eq!(bench.counters.snapshot().events_dropped, lost);
}

#[test]
fn listeners_are_bounded_and_leave_their_places() {
    let bench = Bench::new(friendly);
    let mut listeners: Vec<_> = (0..16).map(|_| Listener::new(&bench)).collect();
    let (status, body) = get(&bench, "/events");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(status, 503);
    assert_eq!(code_and_reason(&body["error"]), (-32600, "busy".into()));
    listeners.pop();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while bench.feed.listeners() == 16 {
        assert!(std::time::Instant::now() < deadline, "it keeps its place");
        // The server learns that it is gone when it next writes.
        bench.feed.tell(&line(1));
        thread::sleep(Duration::from_millis(5));
    }
    let mut next = Listener::new(&bench);
    bench.feed.tell(&line(2));
    assert!(next.event().is_some());
}

#[test]
fn stopping_ends_the_stream() {
    let bench = Bench::new(friendly);
    let mut listener = Listener::new(&bench);
    bench.runtime.block_on(bench.server.stop());
    let rest = listener.until("nothing");
    assert!(
        rest.ends_with(&["0\r\n".into(), "\r\n".into()]),
        "it is not cut off but ends: {rest:?}"
    );
}
