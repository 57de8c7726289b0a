//! A history on paper: one entry in memory at a time.

use crate::{
    error::Error,
    history::{CacheError, Entry},
    interrupt::Stopped,
    report::Output,
};
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};

/// What is printed around the entries.
pub(super) struct Page {
    /// The first members of the JSON, an object with some.
    pub(super) head: Value,
    /// Its last members, an object.
    pub(super) tail: Value,
    /// The last line for people.
    pub(super) closing: String,
    /// Above this height nothing is confirmed yet, where nothing is final.
    pub(super) unconfirmed: Option<u64>,
}

impl Page {
    /// Prints the entries. `height` is how far the chain was read, for whoever stops it.
    pub(super) fn print(
        &self,
        output: &mut Output,
        entries: impl Iterator<Item = Result<Entry, CacheError>>,
        pause: impl Fn() -> Result<(), Stopped>,
        height: u64,
    ) -> Result<(), Error> {
        let json = output.is_json();
        let mut paper = BufWriter::new(output.results());
        // Whoever closes the pipe has read enough, so only our own failures are failures.
        let mut open = !json || self.begin(&mut paper).is_ok();
        let mut separator = "";
        for entry in entries {
            let entry = entry?;
            if !open {
                return Ok(());
            }
            pause().map_err(|_| Error::Stopped { height })?;
            let written = match json {
                true => write!(paper, "{separator}{}", json!(entry)),
                false => self.line(&mut paper, &entry),
            };
            open = written.is_ok();
            separator = ",";
        }
        let _ = self.end(&mut paper, json).and_then(|()| paper.flush());
        Ok(())
    }

    fn line(&self, paper: &mut dyn Write, entry: &Entry) -> io::Result<()> {
        writeln!(paper, "{entry}")?;
        match self.unconfirmed {
            Some(height) if entry.height > height => {
                writeln!(paper, "{:>10}not confirmed yet", "")
            }
            _ => Ok(()),
        }
    }

    /// The JSON is put together by hand, since its list may be too long for the memory.
    fn begin(&self, paper: &mut dyn Write) -> io::Result<()> {
        let head = self.head.to_string();
        let open = head.strip_suffix('}').expect("it is an object");
        write!(paper, "{open},\"transactions\":[")
    }

    fn end(&self, paper: &mut dyn Write, json: bool) -> io::Result<()> {
        if !json {
            return writeln!(paper, "{}", self.closing);
        }
        let tail = self.tail.to_string();
        match tail.strip_prefix('{').expect("it is an object") {
            "}" => writeln!(paper, "]}}"),
            members => writeln!(paper, "],{members}"),
        }
    }
}
