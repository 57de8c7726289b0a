//! Reads a trace as lines. Whoever wrote the file may be hostile: everything is bounded.

use replica::trace::TraceLine;
use simulator::record::{Aside, aside::MARK};
use std::io::{self, BufRead};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The longest line that is read, in bytes. A view change that shows a great deal has some thousand.
pub const MAX_LINE: usize = 1 << 20;

/// How many lines are read.
pub const MAX_LINES: usize = 2_000_000;

/// How many bytes are read.
pub const MAX_BYTES: usize = 512 << 20;

/// How many replicas there may be, counting the second of Twins.
pub const MAX_LANES: usize = 1_000;

/// The latest time there may be, in microseconds: thirty years.
pub const MAX_TIME: u64 = 30 * 365 * 24 * 3_600_000_000;

/// How many faults there may be.
pub const MAX_FAULTS: usize = 20_000;

/// To how many recipients all envelopes together may go.
pub const MAX_ARROWS: usize = 10_000_000;

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub enum Line {
    /// A replica wrote it.
    Replica(TraceLine),
    /// The world wrote it, which knows more.
    World(Aside),
}

/// Why a file is no trace. Lines are counted from one.
#[derive(Debug, Error)]
pub enum BadTrace {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is no line of a trace.
    #[error("line {line} is no line of a trace: {reason}; it begins with {begin:?}")]
    NotALine {
        /// Which.
        line: usize,
        /// What is wrong with it.
        reason: String,
        /// Its first characters.
        begin: String,
    },
    /// Nobody wrote so long a line.
    #[error("line {line} is longer than {MAX_LINE} bytes; is this a trace?")]
    LongLine {
        /// Which.
        line: usize,
    },
    /// A figure in it cannot be.
    #[error("line {line}: {what} is {value}, and can be {most} at most")]
    TooMuch {
        /// Which.
        line: usize,
        /// Which figure.
        what: &'static str,
        /// What it is.
        value: u64,
        /// What it can be.
        most: u64,
    },
    /// It names a lane that there is not, or that is somebody else's.
    #[error(
        "line {line} is about lane {lane}, which is not among those of the line `{{\"world\":\"run\"`, or another replica's"
    )]
    NoLane {
        /// Which.
        line: usize,
        /// Which lane.
        lane: u32,
    },
    /// It is too long.
    #[error(
        "it is longer than {MAX_LINES} lines or {MAX_BYTES} bytes; cut it with `head -n {MAX_LINES}`"
    )]
    TooLong,
    /// There are too many arrows.
    #[error("it holds more than {MAX_ARROWS} messages; cut it with `head` or --until")]
    TooManyArrows,
    /// There is nothing in it.
    #[error("it is empty; `testnet run FILE --trace OUT` writes one")]
    Empty,
}

/// Reads all lines with their numbers. Empty ones are passed over.
///
/// # Errors
/// [`BadTrace`], naming the line.
pub fn read(mut from: impl BufRead) -> Result<Vec<(usize, Line)>, BadTrace> {
    let (mut lines, mut all, mut number) = (Vec::new(), 0, 0);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        number += 1;
        let length = take_line(&mut from, &mut bytes, number)?;
        if length == 0 {
            break;
        }
        all += length;
        if all > MAX_BYTES || lines.len() >= MAX_LINES {
            return Err(BadTrace::TooLong);
        }
        if !bytes.trim_ascii().is_empty() {
            lines.push((number, parse(&bytes, number)?));
        }
    }
    match lines.is_empty() {
        true => Err(BadTrace::Empty),
        false => Ok(lines),
    }
}

/// The next line, with its line feed, and no more of it than may be.
fn take_line(
    from: &mut impl BufRead,
    bytes: &mut Vec<u8>,
    number: usize,
) -> Result<usize, BadTrace> {
    let most = MAX_LINE as u64 + 1;
    io::Read::take(from, most).read_until(b'\n', bytes)?;
    match bytes.len() > MAX_LINE {
        true => Err(BadTrace::LongLine { line: number }),
        false => Ok(bytes.len()),
    }
}

fn parse(bytes: &[u8], line: usize) -> Result<Line, BadTrace> {
    let read = match bytes.starts_with(MARK.as_bytes()) {
        true => serde_json::from_slice(bytes).map(Line::World),
        false => serde_json::from_slice(bytes).map(Line::Replica),
    };
    let read = read.map_err(|error| BadTrace::NotALine {
        line,
        reason: match error.is_eof() {
            true => format!("it breaks off ({error})"),
            // It may quote the file.
            false => error.to_string().replace(char::is_control, " "),
        },
        begin: String::from_utf8_lossy(bytes).trim_end().chars().take(40).collect(),
    })?;
    match time(&read) {
        Some(at) if at > MAX_TIME => {
            Err(BadTrace::TooMuch { line, what: "the time", value: at, most: MAX_TIME })
        }
        _ => Ok(read),
    }
}

fn time(line: &Line) -> Option<u64> {
    match line {
        Line::Replica(line) => Some(line.at),
        Line::World(aside) => match aside {
            Aside::Until { time, .. }
            | Aside::Woke { time, .. }
            | Aside::Crashed { time, .. }
            | Aside::Fault { time, .. }
            | Aside::Rang { time, .. }
            | Aside::Asked { time, .. }
            | Aside::Found { time, .. }
            | Aside::Left { time, .. }
            | Aside::Arrived { time, .. }
            | Aside::Lost { time, .. }
            | Aside::Ended { time } => Some(*time),
            Aside::Scenario { .. }
            | Aside::Run { .. }
            | Aside::Life { .. }
            | Aside::Final { .. }
            | Aside::Here { .. }
            | Aside::Broken { .. } => None,
        },
    }
}
