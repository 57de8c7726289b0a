//! sled 0.34, beneath the log.
//!
//! # What lies where
//!
//! `conf` holds sled's settings, `db` its pages, `snap.*` hints for a quick start. Nothing may ever
//! appear in `blobs/`, because sled does not sync what it puts there. It does so with pages of a
//! quarter of [`Sizes::sled_segment`] or more, and a leaf holds up to 20 entries; so a value longer
//! than [`CHUNK`] is cut into pieces. Everything is in sled's default tree:
//!
//! | key | value |
//! |---|---|
//! | 0, key | 0, value: a short one |
//! | 0, key | 1, length as `u64`: a long one |
//! | 1, length of key as `u16`, key, number as `u32` | a piece of it |
//! | 3 | the mark: what is complete, and the sum of all other entries |
//!
//! # What sled cannot be trusted with
//!
//! Its `flush` is `sync_file_range`: it survives a killed process, not a power cut. So each step of
//! a checkpoint is one sled batch, a `flush` and a `fdatasync` of `db` through a file of our own.
//! The steps are small for a reason of their own. sled reuses a part of its file once what lay there
//! has been written elsewhere *and flushed*, which is no promise; what it wrote two parts earlier
//! must have been synced by then. A step is far shorter than a part, so it has.
//!
//! When a page in the middle of `db` is unreadable, sled opens with a part of the entries and says
//! nothing. So the mark carries the number and the sum of all entries, in the same sled batch as
//! the entries themselves, and opening counts and sums them again: about a second for a million.
//!
//! There are no sled transactions: their lock is one for all databases of the process. sled's own
//! flushing thread is turned off: a sync in the wrong moment only hides that one is missing.

use super::{DiskError, Sizes, medium::Medium, memtable::Memtable, record::LAST};
use crate::store::{
    Pair, StoreError,
    tripwire::{Point, Tripwire},
};
use crypto::hash::sha256;
use std::{
    fs::File,
    io, panic,
    path::Path,
    sync::{Mutex, PoisonError},
};

#[cfg(test)]
mod tests;

/// Values longer than this many bytes are cut into pieces of this many.
pub(super) const CHUNK: usize = 6 * 1024;

/// What sled keeps in memory, in bytes.
const CACHE: u64 = 32 * 1024 * 1024;

const VALUES: u8 = 0;
const PIECES: u8 = 1;
/// A count that an earlier layout kept had number 2.
const MARK: u8 = 3;
const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// A database on disk, up to some batch of the log.
pub(super) struct Shelf {
    tree: sled::Db,
    /// A second way to sled's file, to make it durable.
    file: Box<dyn Medium>,
    step: usize,
    mark: Mutex<Mark>,
    tripwire: Tripwire,
}

/// What sled says about its own content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Mark {
    /// Every batch up to this one is in it, and maybe something of later ones.
    complete: u64,
    /// How many entries it has.
    entries: u64,
    /// The sum of their hashes, which does not depend on their order.
    sum: u128,
}

impl Shelf {
    /// Opens sled in the directory `path`, or makes it there. `file` opens a way to sync `db`.
    pub(super) fn open(
        path: &Path,
        sizes: &Sizes,
        file: impl Fn(&Path) -> io::Result<Box<dyn Medium>>,
    ) -> Result<(Shelf, Option<u64>), DiskError> {
        let failed = |error| DiskError::failed(path, error);
        let db = path.join("db");
        if db.exists() {
            // A killed process may have written what was not synced. sled reads it now, and notes
            // where it found it in a file that it does sync.
            file(&db).and_then(|file| file.sync_data()).map_err(failed)?;
        }
        let (tree, mark) = recover(path, sizes)?;
        tree.flush().map_err(|error| DiskError::of(path, error))?;
        sync(&path.join("conf")).map_err(failed)?;
        let file = file(&db).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        let complete = mark.map(|mark| mark.complete);
        let mark = Mutex::new(mark.unwrap_or_default());
        Ok((Shelf { tree, file, step: sizes.step, mark, tripwire: Tripwire::NONE }, complete))
    }

    /// From now on this is told.
    #[must_use]
    pub(super) fn tripped(self, tripwire: &Tripwire) -> Shelf {
        Shelf { tripwire: tripwire.clone(), ..self }
    }

    /// What is told.
    pub(super) fn tripwire(&self) -> &Tripwire {
        &self.tripwire
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let filed = self.tree.get(value_key(key)).map_err(failed)?;
        filed.map(|filed| self.whole(key, &filed)).transpose()
    }

    /// Every pair whose key begins with `prefix` and is not `hidden`, in the order of keys.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
        hidden: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Pair>, StoreError> {
        let mut pairs = Vec::new();
        for pair in self.tree.scan_prefix(value_key(prefix)) {
            let (key, filed) = pair.map_err(failed)?;
            let key = key[1..].to_vec();
            if !hidden(&key) {
                let value = self.whole(&key, &filed)?;
                pairs.push((key, value));
            }
        }
        Ok(pairs)
    }

    /// Takes over every change, durably, and then notes that everything up to the batch `complete`
    /// is in.
    ///
    /// A crash on the way leaves some of the changes. Applied once more, together with whatever
    /// came later, they leave nothing behind that is not theirs.
    pub(super) fn apply(&self, changes: &Memtable, complete: u64) -> Result<(), StoreError> {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        let mut step = Step::new(*mark);
        for (key, value) in changes.changes() {
            for (key, value) in filed(key, value, self.pieces_of(key)?) {
                step.set(&self.tree, key, value)?;
                if step.bytes >= self.step {
                    *mark = self.take(step)?;
                    step = Step::new(*mark);
                }
            }
        }
        if step.bytes > 0 {
            *mark = self.take(step)?;
        }
        self.tripwire.pass(Point::CheckpointUnmarked);
        let mut last = Step::new(*mark);
        last.mark.complete = complete;
        *mark = self.take(last)?;
        Ok(())
    }

    /// Makes a step durable.
    fn take(&self, step: Step) -> Result<Mark, StoreError> {
        let Step { mut batch, mark, .. } = step;
        batch.insert(&[MARK], mark.encode());
        self.tree.apply_batch(batch).map_err(failed)?;
        self.tripwire.pass(Point::StepApplied);
        self.tree.flush().map_err(failed)?;
        self.tripwire.pass(Point::StepFlushed);
        self.file.sync_data().map_err(|error| StoreError::Failed(error.to_string()))?;
        self.tripwire.pass(Point::StepSynced);
        Ok(mark)
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

/// Some changes to sled's entries that become durable together.
struct Step {
    batch: sled::Batch,
    /// How long keys and values in it are, together.
    bytes: usize,
    /// What sled says once it has them.
    mark: Mark,
}

impl Step {
    fn new(mark: Mark) -> Step {
        Step { batch: sled::Batch::default(), bytes: 0, mark }
    }

    /// Sets an entry that no earlier call of this step did.
    fn set(
        &mut self,
        tree: &sled::Tree,
        key: Vec<u8>,
        value: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let old = tree.get(&key).map_err(failed)?;
        if old.as_deref() == value.as_deref() {
            return Ok(());
        }
        // Even the smallest entry changes a page.
        self.bytes += ENTRY + key.len() + value.as_ref().map_or(0, Vec::len);
        if let Some(old) = old {
            self.mark.remove(&key, &old);
        }
        match value {
            None => self.batch.remove(key),
            Some(value) => {
                self.mark.add(&key, &value);
                self.batch.insert(key, value);
            }
        }
        Ok(())
    }
}

/// What an entry counts in a step beside key and value, in bytes.
const ENTRY: usize = 256;

impl Mark {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.sum = self.sum.wrapping_add(digest(key, value));
    }

    fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.entries -= 1;
        self.sum = self.sum.wrapping_sub(digest(key, value));
    }

    fn encode(self) -> Vec<u8> {
        let Mark { complete, entries, sum } = self;
        [&complete.to_be_bytes()[..], &entries.to_be_bytes(), &sum.to_be_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Mark> {
        let (complete, rest) = bytes.split_first_chunk()?;
        let (entries, sum) = rest.split_first_chunk()?;
        let [complete, entries] = [complete, entries].map(|number| u64::from_be_bytes(*number));
        let sum = u128::from_be_bytes(sum.try_into().ok()?);
        (complete <= LAST).then_some(Mark { complete, entries, sum })
    }
}

/// Half a SHA-256 of an entry.
fn digest(key: &[u8], value: &[u8]) -> u128 {
    let hash = sha256(&[&(key.len() as u64).to_be_bytes(), key, value].concat());
    let half = hash.as_bytes().first_chunk().expect("a hash is longer");
    u128::from_be_bytes(*half)
}

/// Opens sled and compares its content with its mark. None if it is empty.
fn recover(path: &Path, sizes: &Sizes) -> Result<(sled::Db, Option<Mark>), DiskError> {
    let damaged =
        |reason: &str| DiskError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let opened = panic::catch_unwind(|| {
        let config = sled::Config::new().path(path).cache_capacity(CACHE).flush_every_ms(None);
        let tree = config.segment_size(sizes.sled_segment).open()?;
        let (mut told, mut found) = (None, Mark::default());
        for entry in &*tree {
            let (key, value) = entry?;
            match &*key {
                [MARK] => told = Some(value),
                key => found.add(key, &value),
            }
        }
        Ok((tree, told, found))
    });
    // Some damage makes sled panic instead of saying so. Nothing of ours is half done by then.
    let opened = opened.map_err(|_| damaged("sled stumbled over its own pages"))?;
    let (tree, told, found) = opened.map_err(|error| DiskError::of(path, error))?;
    let Some(told) = told else {
        return match found.entries {
            0 => Ok((tree, None)),
            _ => Err(damaged("sled has entries and does not say which")),
        };
    };
    let told = Mark::decode(&told).ok_or_else(|| damaged("sled's mark is unreadable"))?;
    match (Mark { complete: told.complete, ..found }) == told {
        true => Ok((tree, Some(told))),
        false => {
            let (told, found) = (told.entries, found.entries);
            Err(damaged(&format!("sled had {told} entries and has {found}, or others")))
        }
    }
}

/// What is to be filed for a key whose value had so many pieces.
///
/// The order matters: sled may be left with the first of these changes only, and then the number of
/// pieces that its value entry stands for must be no less than there are.
fn filed(key: &[u8], value: Option<&[u8]>, had: usize) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let cut = value.filter(|value| value.len() > CHUNK).unwrap_or_default();
    let gone = (pieces(cut.len())..had).map(|number| (piece_key(key, number), None));
    let entry = value.map(|value| match value.len() > CHUNK {
        true => [&[CUT][..], &(value.len() as u64).to_be_bytes()].concat(),
        false => [&[WHOLE], value].concat(),
    });
    let new = cut.chunks(CHUNK).map(<[u8]>::to_vec).zip(0..);
    let new = new.map(|(piece, number)| (piece_key(key, number), Some(piece)));
    gone.chain([(value_key(key), entry)]).chain(new).collect()
}

/// Makes a file durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Failed(error.to_string())
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
