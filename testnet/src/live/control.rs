//! How a command in another terminal reaches the running net.
//!
//! One request, one answer, one line of JSON each, over a Unix socket that only its owner can open.
//! Whoever connects may say anything: lines are bounded, the wait for them too, and a request
//! that makes no sense is answered, not obeyed.

use super::{
    fleet::{Exit, FleetError, GRACE},
    home::Place,
    liars::Liars,
    partition::{BadGroups, Groups},
    pulse::Pulse,
    registry::Registry,
    sight::NodeView,
};
use consensus::catalogue::Depths;
use crypto::hash;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    io::{Read, Write},
    os::unix::{ffi::OsStrExt, net::UnixStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use thiserror::Error;

pub mod server;

#[cfg(test)]
mod tests;

/// The longest request that is read, in bytes.
pub const LONGEST_REQUEST: usize = 256;

/// The longest answer that is read, in bytes: sixteen nodes need a third of it.
pub const LONGEST_ANSWER: usize = 64 * 1024;

/// The longest path a socket may have. Systems allow 104 to 108 bytes.
const LONGEST_PATH: usize = 100;

/// How long a command waits for its answer: a `stop` may take all of its grace.
const PATIENCE: Duration = GRACE.saturating_add(Duration::from_secs(5));

/// What can be asked of a running net.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// How is everybody?
    Status {},
    /// End a node at once.
    Kill {
        /// Which.
        id: u32,
    },
    /// Ask a node to stop, and wait until it has.
    Stop {
        /// Which.
        id: u32,
    },
    /// Start a node again.
    Start {
        /// Which.
        id: u32,
    },
    /// Let nothing pass between these groups, and everything else again.
    Partition {
        /// By id.
        groups: Groups,
    },
    /// Let everything pass.
    Heal {},
    /// Make one more node, and start it.
    Join {},
}

/// What a running net answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "the large one comes once for each question")]
pub enum Answer {
    /// How everybody is.
    Status(NetView),
    /// A node was killed or has stopped.
    Exited {
        /// Which.
        id: u32,
        /// How.
        exit: Exit,
    },
    /// A node was started.
    Started {
        /// Which.
        id: u32,
        /// Its process.
        pid: u32,
    },
    /// A node was made, and started.
    Joined {
        /// Its number.
        id: u32,
        /// Its process.
        pid: u32,
    },
    /// Nothing passes between these groups.
    Partitioned {
        /// By id.
        groups: Groups,
        /// Who is in none of them, and reaches all.
        free: Vec<u32>,
    },
    /// Everything passes.
    Healed {},
    /// It was not done.
    Refused {
        /// In one word, for exit codes.
        reason: Reason,
        /// In full.
        message: String,
    },
}

/// Why something was not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The request makes no sense here.
    Input,
    /// The node is not in the state for it.
    State,
    /// The system refused.
    Failure,
}

/// A running net at this moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NetView {
    /// The module that orders blocks.
    pub consensus: String,
    /// The chain's name.
    pub chain_id: String,
    /// Where everything lies.
    pub dir: String,
    /// How deep a block must lie to be counted on; left out where it is final at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depths: Option<Depths>,
    /// The groups between which nothing passes; left out while there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Groups>,
    /// Who lies, and how; left out where nobody does.
    #[serde(default, skip_serializing_if = "Liars::is_empty")]
    pub byzantine: Liars,
    /// Whether blocks still become final; none where they are not final at once.
    #[serde(default)]
    pub finality: Option<Pulse>,
    /// Everybody, by id.
    pub nodes: Vec<NodeView>,
}

impl From<BadGroups> for Answer {
    fn from(error: BadGroups) -> Answer {
        Answer::Refused { reason: Reason::Input, message: error.to_string() }
    }
}

impl Answer {
    /// The answer to a request that failed.
    pub fn refuse(error: &FleetError) -> Answer {
        let reason = match error {
            FleetError::Unknown { .. } => Reason::Input,
            FleetError::Running { .. } | FleetError::Dead { .. } | FleetError::Slow { .. } => {
                Reason::State
            }
            FleetError::Spawn { .. } | FleetError::Signal { .. } => Reason::Failure,
        };
        Answer::Refused { reason, message: error.to_string() }
    }
}

/// The running net in `dir`, or the only one there is.
///
/// # Errors
///
/// [`ControlError::NoNet`] and [`ControlError::Nobody`] if there is none, [`ControlError::Several`]
/// if it is not clear which.
pub fn find(dir: Option<&Path>) -> Result<Place, ControlError> {
    if let Some(dir) = dir {
        let place = Place::new(dir.canonicalize().unwrap_or_else(|_| dir.to_owned()));
        return match connect(&place) {
            Ok(_) => Ok(place),
            Err(source) => Err(ControlError::NoNet { dir: dir.to_owned(), source }),
        };
    }
    let registry = Registry::of_user().map_err(ControlError::Registry)?;
    let mut places =
        registry.running(|place| connect(place).is_ok()).map_err(ControlError::Registry)?;
    match places.len() {
        0 => Err(ControlError::Nobody),
        1 => Ok(places.remove(0)),
        _ => Err(ControlError::Several(Dirs(places))),
    }
}

/// Asks the net at `place`.
///
/// # Errors
///
/// [`ControlError::NoNet`] if nobody listens there, [`ControlError::Broken`] if no answer comes.
pub fn ask(place: &Place, request: Request) -> Result<Answer, ControlError> {
    let dir = || place.dir().to_owned();
    let mut stream = connect(place).map_err(|source| ControlError::NoNet { dir: dir(), source })?;
    let deadline = Instant::now() + PATIENCE;
    let mut exchange = || -> io::Result<Answer> {
        stream.set_write_timeout(Some(PATIENCE))?;
        write_line(&mut stream, &request)?;
        let line = read_line(&mut stream, LONGEST_ANSWER, deadline)?;
        Ok(serde_json::from_slice(&line)?)
    };
    exchange().map_err(|source| ControlError::Broken { dir: dir(), source })
}

/// Where the net at `place` listens. Where its own path is too long for a socket, that is a name in
/// the registry, which both sides can compute.
fn socket(place: &Place) -> io::Result<PathBuf> {
    let fits = |path: &Path| path.as_os_str().len() <= LONGEST_PATH;
    let path = place.socket();
    if fits(&path) {
        return Ok(path);
    }
    let name = hash::sha256(path.as_os_str().as_bytes());
    let short = Registry::of_user()?.dir().join(format!("{}.sock", name.short()));
    if fits(&short) {
        return Ok(short);
    }
    let message = format!(
        "neither {} nor {} is short enough for a socket (at most {LONGEST_PATH} bytes); \
         give a shorter --dir or TMPDIR",
        path.display(),
        short.display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

fn connect(place: &Place) -> io::Result<UnixStream> {
    let path = socket(place)?;
    // Connecting through somebody else's link would reach somebody else's net.
    if fs::symlink_metadata(&path)?.is_symlink() {
        return Err(io::Error::other(format!("{} is a link", path.display())));
    }
    UnixStream::connect(path)
}

fn write_line(stream: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads up to the end of a line: at most `limit` bytes, and not beyond `deadline`, however slowly
/// the other side drips.
fn read_line(stream: &mut UnixStream, limit: usize, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut chunk = [0; 512];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no whole line came in time"));
        }
        stream.set_read_timeout(Some(left))?;
        let count = match stream.read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        line.extend_from_slice(&chunk[..count]);
        let end = line.iter().position(|byte| *byte == b'\n');
        if end.unwrap_or(line.len()) > limit {
            let message = format!("the line is longer than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if let Some(end) = end {
            line.truncate(end);
            return Ok(line);
        }
    }
}

/// Some directories, for a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dirs(pub Vec<Place>);

impl std::fmt::Display for Dirs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|place| write!(f, "\n  --dir {}", place.dir().display()))
    }
}

/// Why a running net cannot be asked.
#[derive(Debug, Error)]
pub enum ControlError {
    /// No testnet of this user is running anywhere.
    #[error("no testnet is running; `testnet up` starts one")]
    Nobody,
    /// No testnet is running in this directory.
    #[error("no testnet is running in {0} ({source}); `testnet up --dir {0}` starts one", dir.display())]
    NoNet {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a choice.
    #[error("several testnets are running; choose one of{0}")]
    Several(Dirs),
    /// The exchange broke off.
    #[error("the testnet in {} gave no answer: {source}; is it just ending?", dir.display())]
    Broken {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The registry cannot be read.
    #[error("the list of running testnets cannot be read: {0}; name the net with --dir")]
    Registry(io::Error),
}
