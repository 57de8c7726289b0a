//! A store on disk: a log in front of sled.
//!
//! # How a batch gets there
//!
//! `write` numbers the batch, puts it into a table in memory and queues it, encoded, for the log;
//! nothing else happens on the caller's thread. `sync` writes what is queued as one record, with
//! one `pwrite` and one `fdatasync` of the log. Batches that were queued meanwhile, and callers who
//! came meanwhile, share the next one. Reads look into the tables and then into sled.
//!
//! The log has two segments of 8 MiB (see [`log`] and [`record`]). When one is full, its table
//! is frozen and the other takes its place, while a thread of the store takes the frozen table over
//! into sled (see [`shelf`]): the last value of each key only, in small durable steps, and then the
//! number of the last batch. If the second segment is full before that is done, `write` waits, so
//! memory is bounded by two segments' tables.
//!
//! # What survives
//!
//! After a killed process everything that was written to the log, after a power cut everything that
//! was synced, each time without a gap and with whole batches only. Opening replays the log over
//! sled. That rests on three things: the disk keeps what it said `fdatasync` made durable, writes
//! sectors of 512 bytes as a whole, and nothing else writes here.
//!
//! A replica that forgot its votes would vote again, and differently. So whatever can be found out
//! about a loss is: the log numbers its batches without gaps, says where its segments begin, and notes
//! how far it has come whenever it is opened or closed; sled counts and sums what it holds. A
//! store that lost what was synced does not open. The one loss that nobody can see is that of the
//! last records before a crash, when the disk breaks its word about all of them.
//!
//! # What lies in the directory
//!
//! `log.0` and `log.1` are ours, everything else is sled's.
//!
//! # Why there is a thread
//!
//! Below `node` nothing has threads, so that a replica does the same thing each time. The one here
//! is out of a replica's sight: a read returns the same before, during and after a checkpoint. It is
//! here and not in `node` because no order of steps is right but one, and the log cannot promise
//! anything if another crate decides when a segment may be used again. `node` alone turns the
//! feature on.

use super::{
    Batch, Pair, Store, StoreError,
    tripwire::{Point, Tripwire},
};
use engine::Engine;
use log::{Fault, Log, Media};
use medium::{Medium, Tripped};
use shelf::Shelf;
use std::{
    fmt,
    fs::{self, File},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

mod engine;
mod log;
mod medium;
mod memtable;
mod record;
mod shelf;
#[cfg(test)]
mod tests;

/// How large things are.
#[derive(Clone, Debug)]
struct Sizes {
    /// A segment of the log, in bytes.
    segment: u64,
    /// What sled is given before it is synced, in bytes.
    step: usize,
    /// A part of sled's file, in bytes.
    sled_segment: usize,
}

const SIZES: Sizes = Sizes { segment: 8 << 20, step: 64 << 10, sled_segment: 2 << 20 };

/// After so many bytes the segments of a store with a tripwire are full, whatever the length of their files:
/// otherwise hours would go by before a checkpoint.
const TRIPPED_SEGMENT: u64 = 32 << 10;

/// A store in a directory, which it locks against other processes.
pub struct DiskStore {
    path: PathBuf,
    engine: Arc<Engine>,
    tripwire: Tripwire,
    checkpoints: Option<JoinHandle<()>>,
}

impl DiskStore {
    /// Opens the database in the directory `path`, or makes one there. Reads all of it once.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn open(path: impl AsRef<Path>) -> Result<DiskStore, DiskError> {
        DiskStore::open_sized(path.as_ref(), &SIZES, Tripwire::NONE)
    }

    /// The same, and tells `tripwire` of every point that is passed, on whatever thread passes it. Checkpoints
    /// come far more often.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn open_tripped(
        path: impl AsRef<Path>,
        tripwire: Tripwire,
    ) -> Result<DiskStore, DiskError> {
        let segment = if tripwire.is_set() { TRIPPED_SEGMENT } else { SIZES.segment };
        DiskStore::open_sized(path.as_ref(), &Sizes { segment, ..SIZES }, tripwire)
    }

    fn open_sized(path: &Path, sizes: &Sizes, tripwire: Tripwire) -> Result<DiskStore, DiskError> {
        let failed = |error| DiskError::failed(path, error);
        let (shelf, complete) = Shelf::open(path, sizes, |db| Ok(Box::new(File::open(db)?)))?;
        tripwire.pass(Point::SledOpened);
        let media = open_log(path, complete.is_none())?;
        let media = media.map(|medium| Tripped::around(medium, &tripwire));
        let engine = Engine::open(shelf.tripped(&tripwire), complete, media, sizes.segment)
            .map_err(|fault| DiskError::fault(path, fault))?;
        let engine = Arc::new(engine);
        let worker = Arc::clone(&engine);
        let thread = thread::Builder::new().name("checkpoints".into());
        let checkpoints = thread.spawn(move || make_checkpoints(&worker)).map_err(failed)?;
        let (path, checkpoints) = (path.to_owned(), Some(checkpoints));
        Ok(DiskStore { path, engine, tripwire, checkpoints })
    }
}

/// The log's files. They must be there unless the store is `new`, and then nothing may be in them.
fn open_log(path: &Path, new: bool) -> Result<Media, DiskError> {
    let open = |number: u32| -> Result<Box<dyn Medium>, DiskError> {
        let file = path.join(format!("log.{number}"));
        let mut options = File::options();
        match options.read(true).write(true).create(new).truncate(false).open(file) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let reason = format!("log.{number} is missing");
                Err(DiskError::Damaged { path: path.to_owned(), reason })
            }
            Err(error) => Err(DiskError::failed(path, error)),
        }
    };
    let media = [open(0)?, open(1)?];
    if new {
        let failed = |error| DiskError::failed(path, error);
        if !Log::is_fresh(&media).map_err(failed)? {
            let reason = "it has a log, but sled is empty".to_owned();
            return Err(DiskError::Damaged { path: path.to_owned(), reason });
        }
        shelf::sync(path).map_err(failed)?;
        let parent = fs::canonicalize(path).map_err(failed)?;
        shelf::sync(parent.parent().unwrap_or(&parent)).map_err(failed)?;
    }
    Ok(media)
}

/// Makes checkpoints until the store closes.
fn make_checkpoints(engine: &Engine) {
    // sled panics over some kinds of damage. Nobody may wait for this thread then.
    let made = catch_unwind(AssertUnwindSafe(|| {
        while let Some(frozen) = engine.await_frozen() {
            engine.checkpoint(&frozen)?;
        }
        Ok(())
    }));
    let panicked = || StoreError::Failed("sled panicked".into());
    if let Err(failure) = made.unwrap_or_else(|_| Err(panicked())) {
        engine.give_up(failure);
    }
}

impl Store for DiskStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.get(key)
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        self.engine.scan(prefix)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        self.engine.write(batch)?;
        self.tripwire.pass(Point::BatchUnsynced);
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.engine.sync()?;
        self.tripwire.pass(Point::SyncUntold);
        Ok(())
    }
}

impl Drop for DiskStore {
    fn drop(&mut self) {
        self.engine.close();
        if let Some(thread) = self.checkpoints.take() {
            // It has caught its own panics.
            let _ = thread.join();
        }
        // Nobody is left to be told. Whatever was synced is safe without it.
        let _ = self.engine.finish();
    }
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its content is long, and it holds locks.
        f.debug_struct("DiskStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a database does not open.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DiskError {
    /// Another process has it open, or this one closed it a moment ago: sled's threads let go of
    /// it a little later, so whoever reopens it at once must be ready to try again.
    #[error("the database in {} is in use; is another node running on it? stop that first", path.display())]
    Locked {
        /// Its directory.
        path: PathBuf,
    },
    /// It lost what was durable, or holds what nobody can read.
    #[error(
        "the database in {} is damaged: {reason}; restore a copy, or remove the directory and sync \
         again",
        path.display()
    )]
    Damaged {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "the database in {} was written by another version of this program: {reason}; remove the \
         directory and sync again, or use the program that wrote it",
        path.display()
    )]
    Layout {
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

impl DiskError {
    fn failed(path: &Path, error: io::Error) -> DiskError {
        DiskError::Failed { path: path.to_owned(), reason: error.to_string() }
    }

    fn fault(path: &Path, fault: Fault) -> DiskError {
        match fault {
            Fault::Failed(error) => DiskError::failed(path, error),
            Fault::Damaged(reason) => DiskError::Damaged { path: path.to_owned(), reason },
        }
    }

    fn of(path: &Path, error: sled::Error) -> DiskError {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error {
            sled::Error::Corruption { .. } => DiskError::Damaged { path, reason },
            // sled says so when the size of the parts of its file differs from ours, which was
            // another before there was a log.
            sled::Error::Unsupported(_) => DiskError::Layout { path, reason },
            // sled gives this no kind of its own.
            sled::Error::Io(_) if reason.contains("could not acquire lock") => {
                DiskError::Locked { path }
            }
            _ => DiskError::Failed { path, reason },
        }
    }
}
