//! A node that says whatever a test wants: one thread, one answer for each connection.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Listens on a free port until the test process ends.
pub struct FakeNode {
    url: String,
}

/// What it says to one request.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, sent as it is.
    pub body: Vec<u8>,
}

impl Reply {
    /// The answer JSON-RPC gives to request 1.
    pub fn result(result: Value) -> Reply {
        Reply::json(json!({"jsonrpc": "2.0", "id": 1, "result": result}))
    }

    /// A refusal, with a reason in one word.
    pub fn refusal(code: i64, message: &str, reason: &str) -> Reply {
        let error = json!({"code": code, "message": message, "data": {"reason": reason}});
        Reply::json(json!({"jsonrpc": "2.0", "id": 1, "error": error}))
    }

    /// Any JSON.
    pub fn json(value: Value) -> Reply {
        Reply { status: 200, body: value.to_string().into_bytes() }
    }
}

impl FakeNode {
    /// Answers each request (method, params) with `answer`.
    pub fn start(mut answer: impl FnMut(&str, &Value) -> Reply + Send + 'static) -> FakeNode {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that gave up is no concern of the node's.
                let _ = stream.map(|stream| serve(stream, &mut answer));
            }
        });
        FakeNode { url }
    }

    /// A URL at which nobody listens.
    pub fn absent() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &mut impl FnMut(&str, &Value) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request: Value = serde_json::from_slice(&body)?;
    let reply = answer(request["method"].as_str().unwrap_or_default(), &request["params"]);
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        reply.status,
        reply.body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&reply.body)
}
