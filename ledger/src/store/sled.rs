//! A store on disk, in sled 0.34.
//!
//! # What lies where
//!
//! The directory is sled's: `conf` (its settings), `db` (pages), `snap.*` (hints for a quick start).
//! Nothing may ever appear in `blobs/`, because sled does not sync what it puts there. It does so
//! with pages of 128 KiB or more, and a leaf holds up to 20 entries; so a value longer than
//! `CHUNK` is cut into pieces. (At 8 KiB a test finds blobs, at 6 KiB none.) Everything is in
//! sled's default tree:
//!
//! | key | value |
//! |---|---|
//! | 0, key | 0, value: a short one |
//! | 0, key | 1, length as `u64`: a long one |
//! | 1, length of key as `u16`, key, number as `u32` | a piece of it |
//! | 2 | how many batches were written, as `u64` |
//!
//! One file is ours: `synced` holds how many batches were written when the last sync ended.
//!
//! # What is durable
//!
//! `write` is one `apply_batch`, which sled recovers as a whole or not at all. `sync` is sled's
//! `flush`, which on Linux only asks the kernel to begin writing (`sync_file_range`), and then a
//! `fdatasync` of `db` through a file of our own. The files and directories themselves are synced
//! when the database is opened. sled's own flushing thread is turned off: it would write what no
//! step is waiting for, and a sync in the wrong moment only hides that one is missing.
//!
//! A damaged `db` opens without a complaint, only shorter: sled takes what follows the damage for
//! writes that a crash cut off. A replica that forgot its votes would vote again, and differently.
//! So `synced` is written, lazily, after each sync; a database that counts fewer batches than
//! it says has lost what was durable, and is refused.
//!
//! There are no sled transactions: their lock is one for all databases of the process.

use super::{Batch, Pair, Store, StoreError};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read, Seek, Write},
    panic,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
};

#[cfg(test)]
mod tests;

/// Values longer than this many bytes are cut into pieces of this many.
const CHUNK: usize = 6 * 1024;

/// What sled keeps in memory, in bytes.
const CACHE: u64 = 32 * 1024 * 1024;

const VALUES: u8 = 0;
const PIECES: u8 = 1;
const COUNT: u8 = 2;
const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// A store in a directory, which it locks against other processes.
pub struct SledStore {
    path: PathBuf,
    tree: sled::Db,
    /// A second way to sled's file, to make it durable.
    file: File,
    /// How many batches were written. Held by reads and, alone, by writes, because sled shows a
    /// batch entry by entry.
    written: RwLock<u64>,
    synced: Mutex<Synced>,
}

impl SledStore {
    /// Opens the database in the directory `path`, or makes one there.
    ///
    /// # Errors
    /// See [`SledError`].
    pub fn open(path: impl AsRef<Path>) -> Result<SledStore, SledError> {
        let path = path.as_ref();
        let failed = |error: io::Error| SledError::failed(path, error);
        let (tree, written) = recover(path)?;
        let synced = Synced::open(path).map_err(failed)?;
        if written < synced.count {
            let (path, known) = (path.to_owned(), synced.count);
            let reason = format!("{known} batches were made durable, {written} are left");
            return Err(SledError::Damaged { path, reason });
        }
        let file = File::options().read(true).write(true).open(path.join("db")).map_err(failed)?;
        tree.flush().map_err(|error| SledError::of(path, error))?;
        sync_files(path, &file).map_err(failed)?;
        Ok(SledStore {
            path: path.to_owned(),
            tree,
            file,
            written: RwLock::new(written),
            synced: Mutex::new(synced),
        })
    }

    /// Puts the pieces of a value together again.
    fn whole(&self, key: &[u8], filed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let len = match filed {
            [WHOLE, value @ ..] => return Ok(value.to_vec()),
            _ => cut_len(filed).ok_or_else(|| StoreError::damaged(key, "it has no length"))?,
        };
        let mut value = Vec::new();
        for piece in 0..pieces(len) {
            let piece = self.tree.get(piece_key(key, piece)).map_err(failed)?;
            let piece = piece.ok_or_else(|| StoreError::damaged(key, "a piece is missing"))?;
            value.extend_from_slice(&piece);
        }
        if value.len() == len {
            Ok(value)
        } else {
            Err(StoreError::damaged(key, "its pieces have another length"))
        }
    }

    /// How many pieces the value of a key has now.
    fn pieces_of(&self, key: &[u8]) -> Result<usize, StoreError> {
        let filed = self.tree.get(value_key(key)).map_err(failed)?;
        Ok(filed.and_then(|filed| cut_len(&filed)).map_or(0, pieces))
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let _gate = self.written.read().unwrap_or_else(PoisonError::into_inner);
        let filed = self.tree.get(value_key(key)).map_err(failed)?;
        filed.map(|filed| self.whole(key, &filed)).transpose()
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let _gate = self.written.read().unwrap_or_else(PoisonError::into_inner);
        let pairs = self.tree.scan_prefix(value_key(prefix)).map(|pair| {
            let (key, filed) = pair.map_err(failed)?;
            let key = key[1..].to_vec();
            let value = self.whole(&key, &filed)?;
            Ok((key, value))
        });
        pairs.collect()
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        // Only the last change to a key counts, and what it replaces is what the tree holds.
        let last: BTreeMap<_, _> = batch.changes().iter().map(|(k, v)| (k, v.as_deref())).collect();
        let mut filed = sled::Batch::default();
        for (key, value) in last {
            let mut used = 0;
            match value {
                None => filed.remove(value_key(key)),
                Some(value) if value.len() <= CHUNK => {
                    filed.insert(value_key(key), [&[WHOLE], value].concat());
                }
                Some(value) => {
                    let len = (value.len() as u64).to_be_bytes();
                    filed.insert(value_key(key), [&[CUT][..], &len].concat());
                    for (number, piece) in value.chunks(CHUNK).enumerate() {
                        filed.insert(piece_key(key, number), piece);
                    }
                    used = pieces(value.len());
                }
            }
            for number in used..self.pieces_of(key)? {
                filed.remove(piece_key(key, number));
            }
        }
        filed.insert(&[COUNT], &(*written + 1).to_be_bytes());
        self.tree.apply_batch(filed).map_err(failed)?;
        *written += 1;
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        // Whatever is written from here on may become durable too, but is not promised to.
        let written = *self.written.read().unwrap_or_else(PoisonError::into_inner);
        self.tree.flush().map_err(failed)?;
        self.file.sync_data().map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        synced.note(written).map_err(|error| StoreError::Failed(error.to_string()))
    }
}

/// How many batches are known to be durable. Never more than really are, because it is written
/// after them; after a power cut maybe fewer, because it is not synced itself.
#[derive(Debug)]
struct Synced {
    file: File,
    count: u64,
}

impl Synced {
    fn open(directory: &Path) -> io::Result<Synced> {
        let path = directory.join("synced");
        let file =
            File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::new();
        (&file).take(8).read_to_end(&mut bytes)?;
        file.sync_all()?;
        Ok(Synced { count: number(&bytes), file })
    }

    fn note(&mut self, count: u64) -> io::Result<()> {
        if count > self.count {
            self.file.rewind()?;
            self.file.write_all(&count.to_be_bytes())?;
            self.count = count;
        }
        Ok(())
    }
}

impl fmt::Debug for SledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // sled's own would print every pair there is.
        f.debug_struct("SledStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a database does not open.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SledError {
    /// Another process has it open, or this one closed it a moment ago: sled's threads let go of
    /// it a little later, so whoever reopens it at once must be ready to try again.
    #[error("the database in {} is in use; is another node running on it? stop that first", path.display())]
    Locked {
        /// Its directory.
        path: PathBuf,
    },
    /// It holds what sled cannot read.
    #[error(
        "the database in {} is damaged: {reason}; restore a copy, or remove the directory and sync \
         again",
        path.display()
    )]
    Damaged {
        /// Its directory.
        path: PathBuf,
        /// In sled's words.
        reason: String,
    },
    /// The disk or sled refused.
    #[error("the database in {} cannot be opened: {reason}", path.display())]
    Failed {
        /// Its directory.
        path: PathBuf,
        /// In sled's or the system's words.
        reason: String,
    },
}

impl SledError {
    fn failed(path: &Path, error: io::Error) -> SledError {
        SledError::Failed { path: path.to_owned(), reason: error.to_string() }
    }

    fn of(path: &Path, error: sled::Error) -> SledError {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error {
            sled::Error::Corruption { .. } => SledError::Damaged { path, reason },
            // sled gives this no kind of its own.
            sled::Error::Io(_) if reason.contains("could not acquire lock") => {
                SledError::Locked { path }
            }
            _ => SledError::Failed { path, reason },
        }
    }
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// Opens sled, and counts the batches in it.
fn recover(path: &Path) -> Result<(sled::Db, u64), SledError> {
    let opened = panic::catch_unwind(|| {
        let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
        let tree = config.open()?;
        let count = tree.get([COUNT])?;
        Ok((tree, count.map_or(0, |count| number(&count))))
    });
    // Some damage makes sled panic instead of saying so. Nothing of ours is half done by then.
    let panicked = |_| {
        let reason = "sled stumbled over its own pages".to_owned();
        SledError::Damaged { path: path.to_owned(), reason }
    };
    opened.map_err(panicked)?.map_err(|error| SledError::of(path, error))
}

/// Makes the files themselves durable, and the entries that name them.
fn sync_files(path: &Path, file: &File) -> io::Result<()> {
    file.sync_all()?;
    File::open(path.join("conf"))?.sync_all()?;
    File::open(path)?.sync_all()?;
    File::open(path.canonicalize()?.parent().unwrap_or(path))?.sync_all()
}

fn value_key(key: &[u8]) -> Vec<u8> {
    [&[VALUES], key].concat()
}

/// The length of the key before it keeps the pieces of one key apart from those of a longer one.
fn piece_key(key: &[u8], number: usize) -> Vec<u8> {
    let len = u16::try_from(key.len()).expect("our keys are short").to_be_bytes();
    let number = u32::try_from(number).expect("no value has so many pieces").to_be_bytes();
    [&[PIECES], &len[..], key, &number].concat()
}

/// How many pieces a value of `len` bytes is cut into.
fn pieces(len: usize) -> usize {
    len.div_ceil(CHUNK)
}

/// The length of a value that was cut, in bytes.
fn cut_len(filed: &[u8]) -> Option<usize> {
    let len = filed.strip_prefix(&[CUT])?;
    usize::try_from(u64::from_be_bytes(len.try_into().ok()?)).ok()
}

/// A count as it is stored; zero for anything that is none.
fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}
