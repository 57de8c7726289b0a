//! A node's control socket: how testnet cuts and heals the links of a running node, and tells it what
//! the world around it is like.
//!
//! Only a node that is started with [`crate::Extras::control`] listens there, which testnet's nodes
//! are and the binary `node` never is. The socket is `control.sock` in the node's directory, and
//! nobody but its owner can open it.
//!
//! Whoever connects sends lines, one JSON object each, and gets one line back for each of them:
//!
//! ```text
//! {"cut":[2,3]}    nothing goes to these peers or comes from them from now on, and they alone are cut
//! {"heal":true}    nobody is cut off
//! {"status":true}  changes nothing
//! {"conditions":{"others":{"delay":[20000,80000]}}}
//!                  these conditions and no others from now on; what is left out is fair
//!
//! {"cut":[2,3],"connected":[1],"peers":[1,2,3]}    how it is now
//! {"error":"…"}                      it was not done, and why
//! ```
//!
//! What conditions can say is told in [`crate::conditions`]. [`ask`] is the other end. `control/server.rs` is this one.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod server;

pub(crate) use server::Server;

use crate::conditions::Conditions;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// The socket, in a node's directory.
pub const SOCKET: &str = "control.sock";

/// The longest path a socket may have, in bytes. Systems allow 103 to 107.
pub const LONGEST_PATH: usize = 100;

/// The longest line that is read, in bytes: the conditions of a hundred links need less.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How long [`ask`] waits for its answer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What a node can be asked.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// Have nothing to do with these peers from now on, and with all others again.
    Cut(BTreeSet<u32>),
    /// Cut nobody off.
    Heal,
    /// Live under these conditions from now on, in place of all earlier ones.
    Conditions(Box<Conditions>),
    /// How is it?
    Status,
}

/// How a node's links are.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct View {
    /// The peers that are cut off, ascending.
    pub cut: Vec<u32>,
    /// The peers that are connected, ascending. Who was healed takes about a second to be.
    pub connected: Vec<u32>,
    /// All peers that have a seat, ascending: those that can be cut.
    pub peers: Vec<u32>,
}

/// Asks the node in `dir`, and waits up to [`PATIENCE`] for what it says. A cut is complete when
/// this returns.
///
/// # Errors
///
/// [`ControlError`], which says what to do.
pub fn ask(dir: &Path, request: &Request) -> Result<View, ControlError> {
    let path = socket(dir)?;
    let deadline = Instant::now() + PATIENCE;
    let mut stream = UnixStream::connect(&path)
        .map_err(|reason| ControlError::Unreachable { path: path.clone(), reason })?;
    let line = exchange(&mut stream, request, deadline)
        .map_err(|reason| ControlError::Broken { path: path.clone(), reason })?;
    match serde_json::from_slice(&line) {
        Ok(Answer::Done(view)) => Ok(view),
        Ok(Answer::Refused { error }) => Err(ControlError::Refused { path, error }),
        Err(error) => Err(ControlError::Broken { path, reason: error.into() }),
    }
}

/// Where the node in `dir` listens.
fn socket(dir: &Path) -> Result<PathBuf, ControlError> {
    let path = dir.join(SOCKET);
    match path.as_os_str().len() {
        0..=LONGEST_PATH => Ok(path),
        length => Err(ControlError::TooLong { path, length }),
    }
}

fn exchange(stream: &mut UnixStream, request: &Request, deadline: Instant) -> io::Result<Vec<u8>> {
    stream.set_write_timeout(Some(PATIENCE))?;
    match stream.write_all(request.to_line().as_bytes()) {
        // Who is sent away unheard is told why, all the same.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    let mut line = Vec::new();
    let mut chunk = [0; 1_024];
    // However slowly it drips, it is not waited for beyond the deadline.
    while !line.ends_with(b"\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no whole line came in time"));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => line.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if line.len() > LONGEST_LINE {
            return Err(io::Error::other(format!("it is longer than {LONGEST_LINE} bytes")));
        }
    }
    Ok(line)
}

/// A request as it travels: exactly one of the fields.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<BTreeSet<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heal: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conditions: Option<Box<Conditions>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<bool>,
}

/// An answer as it travels.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Answer {
    /// It was done, and so it is now.
    Done(View),
    /// It was not done.
    Refused {
        /// Why not.
        error: String,
    },
}

impl Request {
    /// As it travels, with the end of the line.
    fn to_line(&self) -> String {
        let line = match self.clone() {
            Request::Cut(seats) => Line { cut: Some(seats), ..Line::default() },
            Request::Heal => Line { heal: Some(true), ..Line::default() },
            Request::Conditions(all) => Line { conditions: Some(all), ..Line::default() },
            Request::Status => Line { status: Some(true), ..Line::default() },
        };
        serde_json::to_string(&line).expect("a request is plain data") + "\n"
    }

    /// Reads a line from whoever connected.
    fn parse(line: &[u8]) -> Result<Request, String> {
        let wrong = |why: &str| {
            let shown: String = String::from_utf8_lossy(line).trim_end().chars().take(80).collect();
            format!(
                "{shown:?} is no request: {why}; say {{\"cut\":[1,2]}}, {{\"heal\":true}}, \
                 {{\"conditions\":{{}}}} or {{\"status\":true}}"
            )
        };
        let line: Line = serde_json::from_slice(line).map_err(|error| wrong(&error.to_string()))?;
        let Line { cut, heal, conditions, status } = line;
        match (cut, heal, conditions, status) {
            (Some(seats), None, None, None) => Ok(Request::Cut(seats)),
            (None, Some(true), None, None) => Ok(Request::Heal),
            (None, None, Some(all), None) => match all.check() {
                Ok(()) => Ok(Request::Conditions(all)),
                Err(error) => Err(wrong(&error.to_string())),
            },
            (None, None, None, Some(true)) => Ok(Request::Status),
            _ => Err(wrong("it must ask for one thing")),
        }
    }
}

/// Why a node could not be asked, or cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The directory's name is too long.
    #[error(
        "{} has {length} bytes, and the path of a socket may have {LONGEST_PATH}; keep the \
         network in a directory with a shorter path",
        path.display()
    )]
    TooLong {
        /// The socket's path.
        path: PathBuf,
        /// How long it is, in bytes.
        length: usize,
    },
    /// Nobody listens there.
    #[error(
        "cannot reach a node at {}: {reason}; is the node running, and was it started by testnet?",
        path.display()
    )]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// No answer came, or one that makes no sense.
    #[error("the node at {} gave no answer: {reason}; is it just ending?", path.display())]
    Broken {
        /// The socket.
        path: PathBuf,
        /// What went wrong.
        reason: io::Error,
    },
    /// The node did not do it.
    #[error("the node at {} refused: {error}", path.display())]
    Refused {
        /// The socket.
        path: PathBuf,
        /// In its own words.
        error: String,
    },
    /// Something else lies where the socket should be.
    #[error("{} is there and is no socket; move it away", path.display())]
    Occupied {
        /// The socket's path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot listen at {}: {reason}", path.display())]
    Listen {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}
