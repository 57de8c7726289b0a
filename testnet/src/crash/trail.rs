//! Accusations in the nodes' traces, read as the files grow.
//!
//! The trace holds what `/events` tells, and a line that was written outlives the node that wrote
//! it. A node that is killed may leave half a line, to which its next life adds: such a line is
//! passed over.

use super::watch::Accusation;
use replica::trace::{TraceLine, What};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::PathBuf,
};

#[cfg(test)]
mod tests;

/// The longest line that is waited for, in bytes. Ours have a few hundred.
const LONGEST_LINE: usize = 64 * 1024;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// Where one trace was read to.
#[derive(Debug)]
pub struct Trail {
    path: PathBuf,
    read: u64,
    /// The beginning of a line whose end is not there yet.
    rest: Vec<u8>,
}

impl Trail {
    /// The trace at `path`, which need not be there yet.
    pub fn new(path: PathBuf) -> Trail {
        Trail { path, read: 0, rest: Vec::new() }
    }

    /// The accusations in what was added since the last time.
    ///
    /// # Errors
    ///
    /// Whatever the disk says.
    pub fn accusations(&mut self) -> io::Result<Vec<Accusation>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut found = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = file.read(&mut chunk)?;
            if count == 0 {
                return Ok(found);
            }
            self.read += count as u64;
            self.take(&chunk[..count], &mut found);
        }
    }

    fn take(&mut self, bytes: &[u8], found: &mut Vec<Accusation>) {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        // There always is a first piece, and it goes on with what was left.
        self.rest.extend_from_slice(lines.next().unwrap_or_default());
        for next in lines {
            found.extend(accusation(&self.rest));
            self.rest.clear();
            self.rest.extend_from_slice(next);
        }
        if self.rest.len() > LONGEST_LINE {
            self.rest.clear();
        }
    }
}

/// What a line accuses somebody of. Most lines do not, and are not even parsed.
fn accusation(line: &[u8]) -> Option<Accusation> {
    const WORD: &[u8] = b"\"accused\"";
    if !line.windows(WORD.len()).any(|window| window == WORD) {
        return None;
    }
    match serde_json::from_slice::<TraceLine>(line).ok()?.what {
        What::Accused { offender, charge, slot } => Some(Accusation { offender, charge, slot }),
        _ => None,
    }
}
