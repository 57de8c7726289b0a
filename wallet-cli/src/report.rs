//! What the wallet says, to people and to programs.

use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

/// How every command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It holds, or is done.
    Holds = 0,
    /// It does not hold: refused, not proven, not final in time.
    DoesNotHold = 1,
    /// What was asked makes no sense.
    BadInput = 2,
    /// We failed: no node answers, the disk refuses.
    OurFailure = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Where results and remarks go.
///
/// Standard output carries the result and nothing else. Remarks, progress and a person's errors go
/// to standard error; with `--json` errors are one line of JSON on standard output.
pub struct Output {
    json: bool,
    results: Box<dyn Write>,
    remarks: Box<dyn Write>,
    /// Whether a person watches the remarks.
    watched: bool,
}

impl Output {
    /// This process's standard output and error.
    pub fn to_process(json: bool) -> Output {
        let watched = io::stderr().is_terminal();
        Output::new(json, Box::new(io::stdout()), Box::new(io::stderr()), watched)
    }

    /// Anywhere else. `watched` says whether a person sees the remarks.
    pub fn new(
        json: bool,
        results: Box<dyn Write>,
        remarks: Box<dyn Write>,
        watched: bool,
    ) -> Output {
        Output { json, results, remarks, watched }
    }

    /// Whether programs read the results.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person watches the remarks.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// Prints a result: its JSON in one line, or its text.
    pub fn result<R: Serialize + Display>(&mut self, report: &R) {
        let text = match self.json {
            true => serde_json::to_string(report).expect("a report is plain data"),
            false => report.to_string(),
        };
        // Whoever closed the pipe has read enough, as with `head`.
        let _ = writeln!(self.results, "{}", text.trim_end());
    }

    /// Tells a person something beside the result.
    pub fn remark(&mut self, text: impl Display) {
        let _ = writeln!(self.remarks, "{text}");
    }

    /// Shows how far things are, on a line that the next progress replaces. Only for a person who
    /// is not a program's.
    pub fn progress(&mut self, text: impl Display) {
        if self.watched && !self.json {
            let _ = write!(self.remarks, "\r\x1b[K{text}");
            let _ = self.remarks.flush();
        }
    }

    /// Where a result goes that is too long to be held in memory. Whoever writes there keeps to
    /// [`Output::is_json`].
    pub fn results(&mut self) -> &mut dyn Write {
        &mut *self.results
    }

    /// Prints an error. Programs also see the `details`.
    pub fn error(&mut self, code: &str, message: &str, details: Map<String, Value>) {
        if !self.json {
            let _ = writeln!(self.remarks, "error: {message}");
            return;
        }
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        error.insert("message".to_owned(), message.into());
        error.extend(details);
        let _ = writeln!(self.results, "{}", json!({ "error": error }));
    }
}
