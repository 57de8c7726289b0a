//! What a disk store does, on whatever thread it is asked to.
//!
//! Two locks. `state` guards what reads and writes touch, and is never held while the disk syncs or
//! a checkpoint runs. `log` is held during a sync, so the next one waits and then finds, more often
//! than not, that its batches went out with the last one. Who needs both takes `log` first.

use super::{
    log::{Fault, Log, Media, Replay},
    memtable::Memtable,
    record::{self, Record, SECTOR},
    shelf::Shelf,
};
use crate::store::{Batch, Pair, StoreError, tripwire::Point};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

#[cfg(test)]
pub(super) mod tests;

/// The longest batch, encoded, in bytes.
const MAX_BATCH_BYTES: usize = 1 << 28;

/// The log, what is in memory of it, and sled.
pub(super) struct Engine {
    shelf: Shelf,
    log: Mutex<Log>,
    state: Mutex<State>,
    /// Something in `state` changed that a thread may wait for.
    changed: Condvar,
    /// The usual length of a segment, in bytes.
    capacity: u64,
}

/// What reads and writes touch. A batch is in `active` or `frozen` until sled has it, and in
/// `queue` until the log has it.
struct State {
    /// The batches of the last segment.
    active: Memtable,
    /// Those of the segment before it, until sled has them.
    frozen: Option<Arc<Frozen>>,
    /// What is to be written to the log, at most one record for each of the two segments. A record
    /// comes with what its batches were counted for in `used`.
    queue: VecDeque<(Record, u64)>,
    /// The number of the last segment, which may not be begun on the disk.
    segment: u64,
    /// How long that segment is at most once everything is written, in bytes.
    used: u64,
    /// The sequence number of the next batch.
    next: u64,
    /// The log holds every batch before this one.
    synced: u64,
    /// Why nothing can be written any more.
    failure: Option<StoreError>,
    closing: bool,
}

/// All the batches of a segment, which will not change any more.
#[derive(Debug)]
pub(super) struct Frozen {
    changes: Memtable,
    /// The sequence number of its last batch.
    last: u64,
}

impl Engine {
    /// Opens a log and replays what sled lacks. `complete` is what sled says it holds; if it says
    /// nothing, both are made now.
    pub(super) fn open(
        shelf: Shelf,
        complete: Option<u64>,
        media: Media,
        capacity: u64,
    ) -> Result<Engine, Fault> {
        let complete = match complete {
            Some(complete) => complete,
            None => {
                Log::create(&media, capacity)?;
                shelf.tripwire().pass(Point::LogMade);
                shelf.apply(&Memtable::default(), 0).map_err(io::Error::other)?;
                0
            }
        };
        let (log, Replay { older, younger, next }) = Log::open(media, complete)?;
        shelf.tripwire().pass(Point::LogRead);
        let active = replay(younger, complete)?;
        shelf.tripwire().pass(Point::HalfReplayed);
        let last = older.last().map(|record| record.next() - 1);
        let changes = replay(older, complete)?;
        let state = State {
            active,
            frozen: last.map(|last| Arc::new(Frozen { changes, last })),
            queue: VecDeque::new(),
            segment: log.segment(),
            used: log.end(),
            next,
            synced: next,
            failure: None,
            closing: false,
        };
        let (log, state) = (Mutex::new(log), Mutex::new(state));
        Ok(Engine { shelf, log, state, changed: Condvar::new(), capacity })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let state = self.state();
        let frozen = || state.frozen.as_ref()?.changes.get(key);
        match state.active.get(key).or_else(frozen) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            // The lock stays: what is not frozen now must not begin to be taken over on the way.
            None => self.shelf.get(key),
        }
    }

    pub(super) fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let state = self.state();
        let above = [state.frozen.as_ref().map(|frozen| &frozen.changes), Some(&state.active)];
        let above = above.into_iter().flatten();
        let hidden = |key: &[u8]| above.clone().any(|changes| changes.get(key).is_some());
        let pairs = self.shelf.scan(prefix, hidden)?;
        Ok(above.clone().fold(pairs, |pairs, changes| changes.over(prefix, pairs)))
    }

    /// Waits if the last segment is full and sled has not taken over the one before it.
    pub(super) fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let len = record::batch_len(batch);
        if len > MAX_BATCH_BYTES {
            return Err(StoreError::Failed(format!("a batch of {len} bytes is too long")));
        }
        let bytes = record::encode_batch(batch);
        // More than it takes if others become durable with it, never less.
        let cost = record::size(len) as u64;
        let mut state = self.state();
        loop {
            state.check()?;
            if state.used + cost <= self.capacity || state.used == SECTOR as u64 {
                break;
            }
            if state.frozen.is_none() {
                state.freeze();
                self.changed.notify_all();
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.push(batch, bytes, cost);
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let next = self.state().next;
        self.sync_before(next)
    }

    /// Makes every batch before `next` durable, and what else there is.
    fn sync_before(&self, next: u64) -> Result<(), StoreError> {
        let mut log = self.log();
        let (records, next) = {
            let mut state = self.state();
            state.check()?;
            if state.synced >= next {
                return Ok(());
            }
            (std::mem::take(&mut state.queue), state.next)
        };
        let written = records.iter().try_for_each(|(record, _)| {
            if record.segment != log.segment() {
                self.shelf.tripwire().pass(Point::SegmentTaken);
            }
            log.append(record)
        });
        let mut state = self.state();
        match written {
            Ok(()) => {
                for (record, cost) in records {
                    if record.segment == state.segment {
                        state.used -= cost - record.len() as u64;
                    }
                }
                state.synced = next;
                Ok(())
            }
            // What the disk holds now is anyone's guess: a second fdatasync may succeed and mean
            // nothing.
            Err(error) => Err(self.fail(state, StoreError::Failed(error.to_string()))),
        }
    }

    /// The segment that sled has to take over, once there is one. None when the store closes.
    pub(super) fn await_frozen(&self) -> Option<Arc<Frozen>> {
        let mut state = self.state();
        loop {
            if state.closing {
                return None;
            }
            if let Some(frozen) = &state.frozen {
                return Some(Arc::clone(frozen));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Has sled take over a segment. Only then may the log use its place again.
    pub(super) fn checkpoint(&self, frozen: &Frozen) -> Result<(), StoreError> {
        self.shelf.tripwire().pass(Point::CheckpointBegun);
        // What a crash takes back must not have reached sled.
        self.sync_before(frozen.last + 1)?;
        self.shelf.apply(&frozen.changes, frozen.last)?;
        self.shelf.tripwire().pass(Point::CheckpointMarked);
        self.state().frozen = None;
        self.changed.notify_all();
        Ok(())
    }

    /// From now on nothing can be written.
    pub(super) fn give_up(&self, failure: StoreError) {
        self.fail(self.state(), failure);
    }

    fn fail(&self, mut state: MutexGuard<'_, State>, failure: StoreError) -> StoreError {
        let failure = state.failure.get_or_insert(failure).clone();
        self.changed.notify_all();
        failure
    }

    /// Lets [`Engine::await_frozen`] end.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.changed.notify_all();
    }

    /// Syncs, and notes in the log how far it has come.
    pub(super) fn finish(&self) -> Result<(), StoreError> {
        self.sync()?;
        let mut log = self.log();
        let synced = self.state().synced;
        log.note(synced).map_err(|error| StoreError::Failed(error.to_string()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic under this lock is sled's, in a read, or for want of memory.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), StoreError> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Begins a new segment.
    fn freeze(&mut self) {
        let changes = std::mem::take(&mut self.active);
        self.frozen = Some(Arc::new(Frozen { changes, last: self.next - 1 }));
        self.segment += 1;
        self.used = SECTOR as u64;
    }

    fn push(&mut self, batch: &Batch, bytes: Vec<u8>, cost: u64) {
        self.active.write(batch);
        match self.queue.back_mut().filter(|(record, _)| record.segment == self.segment) {
            Some((record, sum)) => {
                record.body.extend(bytes);
                record.count += 1;
                *sum += cost;
            }
            None => {
                let (segment, first) = (self.segment, self.next);
                self.queue.push_back((Record { segment, first, count: 1, body: bytes }, cost));
            }
        }
        self.used += cost;
        self.next += 1;
    }
}

/// What became of each key in the batches after `complete`.
fn replay(records: Vec<Record>, complete: u64) -> Result<Memtable, Fault> {
    let mut changes = Memtable::default();
    for record in records {
        let damaged = || Fault::Damaged(format!("batch {} cannot be read", record.first));
        let batches = record.batches().ok_or_else(damaged)?;
        let numbered = (record.first..).zip(batches);
        numbered.filter(|(number, _)| *number > complete).for_each(|(_, b)| changes.replay(b));
    }
    Ok(changes)
}
