//! The file of entries, one a line, which grows behind a checkpoint and never moves.

use super::{CacheError, Entry};
use crate::disk;
use crypto::{Address, Hash, hash::sha256};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// An entry is a few hundred bytes; more than this is something else.
const LONGEST_LINE: u64 = 4096;

/// Which entries belong to a checkpoint: all from the first one on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    /// How many.
    pub(super) count: u64,
    /// How long they are together.
    pub(super) bytes: u64,
    /// The chain of SHA-256 over them, line by line.
    checksum: Hash,
}

impl Extent {
    fn add(&mut self, line: &[u8]) {
        self.count += 1;
        self.bytes += line.len() as u64;
        self.checksum = sha256(&[self.checksum.as_bytes().as_slice(), line].concat());
    }
}

/// Lines that are to follow an extent, and what it becomes with them.
#[derive(Debug)]
pub(super) struct Addition {
    from: u64,
    lines: Vec<u8>,
    /// With them.
    pub(super) extent: Extent,
}

impl Addition {
    /// Nothing, to follow what `extent` covers.
    pub(super) fn to(extent: Extent) -> Addition {
        Addition { from: extent.bytes, lines: Vec::new(), extent }
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: &Entry) {
        let start = self.lines.len();
        serde_json::to_writer(&mut self.lines, entry).expect("an entry is plain data");
        self.lines.push(b'\n');
        self.extent.add(&self.lines[start..]);
    }
}

/// `DIR/history/ADDRESS.jsonl`. While it is open, no other wallet can open it.
#[derive(Debug)]
pub(super) struct EntryFile {
    path: PathBuf,
    /// Locked until it is dropped.
    file: File,
}

impl EntryFile {
    /// Opens the entries of an account, or makes the file for them.
    pub(super) fn open(dir: &Path, address: Address) -> Result<EntryFile, CacheError> {
        let dir = dir.join("history");
        let path = dir.join(format!("{address}.jsonl"));
        let failed = |source| CacheError::Disk { path: path.clone(), source };
        disk::private_dir(&dir).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(EntryFile { path, file }),
            Err(TryLockError::WouldBlock) => Err(CacheError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(CacheError::Disk { path, source }),
        }
    }

    /// The file that vouches for the entries: `DIR/history/ADDRESS.json`.
    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.with_extension("json")
    }

    /// Makes an addition durable. It means nothing before a checkpoint covers it.
    pub(super) fn append(&mut self, addition: &Addition) -> io::Result<()> {
        if addition.lines.is_empty() {
            return Ok(());
        }
        // Here rather than at the end, where an interrupted call may have left something.
        self.file.seek(SeekFrom::Start(addition.from))?;
        self.file.write_all(&addition.lines)?;
        self.file.sync_data()
    }

    /// Whether the entries are those that `extent` covers.
    pub(super) fn matches(&self, extent: Extent) -> io::Result<bool> {
        let mut found = Extent::default();
        let mut lines = self.lines(extent.bytes)?;
        while let Some(line) = lines.next()? {
            found.add(line);
            if serde_json::from_slice::<Entry>(line).is_err() {
                return Ok(false);
            }
        }
        Ok(found == extent)
    }

    /// Forgets all entries.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// The entries of an extent after the first `skip`, oldest first, read one by one.
    pub(super) fn entries(&self, extent: Extent, skip: u64) -> Result<Entries<'_>, CacheError> {
        let mut lines = self.lines(extent.bytes).map_err(|source| self.failed(source))?;
        for _ in 0..skip {
            lines.next().map_err(|source| self.failed(source))?;
        }
        Ok(Entries { file: self, lines })
    }

    /// What the disk said, about this file.
    pub(super) fn failed(&self, source: io::Error) -> CacheError {
        CacheError::Disk { path: self.path.clone(), source }
    }

    fn lines(&self, bytes: u64) -> io::Result<Lines> {
        // A handle of its own, since this one's place in the file is no concern of the writer's.
        let file = File::open(&self.path)?;
        Ok(Lines { file: BufReader::new(file).take(bytes), line: Vec::new() })
    }
}

/// Lines of the file, one in memory at a time.
struct Lines {
    file: io::Take<BufReader<File>>,
    line: Vec<u8>,
}

impl Lines {
    /// The next one with its line break. One that is too long comes in pieces, which match no
    /// checksum.
    fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        Ok((read > 0).then_some(&self.line))
    }
}

/// The entries of a history, oldest first.
pub struct Entries<'a> {
    file: &'a EntryFile,
    lines: Lines,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, CacheError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next().transpose()?;
        let entry = line.and_then(|line| Ok(serde_json::from_slice(line)?));
        Some(entry.map_err(|source| self.file.failed(source)))
    }
}
