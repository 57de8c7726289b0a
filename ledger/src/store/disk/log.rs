//! The log: two segments that take turns.
//!
//! Segment `n` lies in file `n % 2`, written full of zeros when it was made and used again and
//! again, so that `fdatasync` has no length and no blocks to record. A segment is begun, in the
//! place of the one before the last, once sled has taken over everything that lay there. Its head
//! goes out together with its first record.
//!
//! A record is written only after the one before it is durable. So a crash can tear the last one
//! and no other: the first place where no record can be read is the end, and if a record of the
//! same segment can be read anywhere behind it, the disk has lost something in between. What it
//! lost at the very end looks like a write that was never promised. So whenever the log is opened
//! or closed, the head of the other segment notes how far it has come; what is left is the last
//! records before a crash, when the disk breaks its word about all of them.

use super::{
    medium::Medium,
    record::{Head, Record, SECTOR},
};
use std::io;

#[cfg(test)]
mod tests;

/// The files a log lies in.
pub(super) type Media = [Box<dyn Medium>; 2];

/// Why a log does not open.
#[derive(Debug)]
pub(super) enum Fault {
    /// The disk refused.
    Failed(io::Error),
    /// It lost something, and what.
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Failed(error)
    }
}

/// What a log holds.
#[derive(Debug)]
pub(super) struct Replay {
    /// From the segment before the last; nothing if sled has all of it.
    pub(super) older: Vec<Record>,
    /// From the last segment, also what sled has already.
    pub(super) younger: Vec<Record>,
    /// The sequence number of the next batch.
    pub(super) next: u64,
}

/// A log that can be written.
#[derive(Debug)]
pub(super) struct Log {
    media: Media,
    /// How long the files are, in bytes.
    lens: [u64; 2],
    /// The head of the segment before the last.
    older: Head,
    /// The head of the last segment.
    head: Head,
    /// Where the next record goes in it, in bytes.
    end: u64,
}

impl Log {
    /// Makes an empty log, durable but for the files' names.
    pub(super) fn create(media: &Media, capacity: u64) -> io::Result<()> {
        for (medium, number) in media.iter().zip(0..) {
            let mut bytes = Head { number, first: 1, len: capacity, reached: 1 }.encode();
            bytes.resize(capacity as usize, 0);
            medium.write_at(0, &bytes)?;
            medium.sync_data()?;
        }
        Ok(())
    }

    /// Whether nothing was ever written after [`Log::create`], which need not have ended.
    pub(super) fn is_fresh(media: &Media) -> io::Result<bool> {
        for (medium, number) in media.iter().zip(0..) {
            let bytes = medium.read()?;
            let is_used = |head: Head| head.number != number || head.reached != 1;
            let behind = bytes.get(SECTOR..).unwrap_or_default();
            if Head::decode(&bytes).is_some_and(is_used) || Record::begins(behind, number) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads a log, for a sled that holds everything up to the batch `complete`, and prepares it
    /// for more.
    pub(super) fn open(media: Media, complete: u64) -> Result<(Log, Replay), Fault> {
        // A killed process may have written what was not synced. It is read now and shall not be
        // gone after a power cut.
        media.iter().try_for_each(|medium| medium.sync_data())?;
        let [even, odd] = [Segment::read(&media, 0)?, Segment::read(&media, 1)?];
        let lens = [even.bytes.len() as u64, odd.bytes.len() as u64];
        let (old, young) = match even.head.number < odd.head.number {
            true => (even, odd),
            false => (odd, even),
        };
        let (replay, end) = replay(&old, &young, complete)?;
        let mut log = Log { media, lens, older: old.head, head: young.head, end: end as u64 };
        if Record::begins(young.bytes.get(end..).unwrap_or_default(), young.head.number) {
            // What is torn must not become whole when a crash tears the record in its place.
            log.write(log.head, log.end, &[0; SECTOR])?;
        }
        log.note(replay.next)?;
        Ok((log, replay))
    }

    /// The number of the last segment.
    pub(super) fn segment(&self) -> u64 {
        self.head.number
    }

    /// Where its next record goes, in bytes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Writes a record and makes it durable. If it is of the next segment, begins that.
    ///
    /// After an error nothing may be written any more: what is on the disk is not known.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut bytes = record.encode();
        if record.segment != self.head.number {
            assert_eq!(record.segment, self.head.number + 1, "segments follow each other");
            let (number, first) = (record.segment, record.first);
            let head = Head { number, first, len: 0, reached: first };
            let len = self.lengthen(head, (SECTOR + bytes.len()) as u64)?;
            self.older = std::mem::replace(&mut self.head, Head { len, ..head });
            self.end = 0;
            bytes.splice(..0, self.head.encode());
        }
        self.write(self.head, self.end, &bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Notes, durably, that all batches before `next` are in the log. They must be.
    pub(super) fn note(&mut self, next: u64) -> io::Result<()> {
        if self.older.reached < next {
            self.older.reached = next;
            self.write(self.older, 0, &self.older.encode())?;
        }
        Ok(())
    }

    /// Fills the file of a segment with zeros up to the length `needed`, so that it has that before
    /// the head says so. Returns what it has then.
    fn lengthen(&mut self, head: Head, needed: u64) -> io::Result<u64> {
        let len = &mut self.lens[head.file()];
        if let Some(more) = needed.checked_sub(*len).filter(|more| *more > 0) {
            let from = std::mem::replace(len, needed);
            self.write(head, from, &vec![0; more as usize])?;
        }
        Ok(self.lens[head.file()])
    }

    fn write(&self, head: Head, at: u64, bytes: &[u8]) -> io::Result<()> {
        let medium = &self.media[head.file()];
        medium.write_at(at, bytes)?;
        medium.sync_data()
    }
}

/// What two segments hold, the older one first, and where the records of the younger one end.
fn replay(old: &Segment, young: &Segment, complete: u64) -> Result<(Replay, usize), Fault> {
    let damaged = |reason| Err(Fault::Damaged(reason));
    let first = young.head.first;
    if young.head.number != old.head.number + 1 {
        let numbers = (old.head.number, young.head.number);
        return damaged(format!("its log has the segments {numbers:?}"));
    }
    if complete + 1 < old.head.first {
        let (from, to) = (complete + 1, old.head.first - 1);
        return damaged(format!("neither sled nor the log has the batches {from} to {to}"));
    }
    let older = match complete + 1 < first {
        true => old.records()?.0,
        false => Vec::new(),
    };
    let end = older.last().map_or(old.head.first, Record::next);
    if complete + 1 < first && end != first {
        return damaged(format!("the log lacks the batches {end} to {}", first - 1));
    }
    let (younger, end) = young.records()?;
    let next = younger.last().map_or(first, Record::next);
    let had = old.head.reached.max(young.head.reached).max(complete + 1);
    if next < had {
        return damaged(format!("batch {} was durable, the log ends with {}", had - 1, next - 1));
    }
    Ok((Replay { older, younger, next }, end))
}

/// A segment as it was found.
struct Segment {
    head: Head,
    bytes: Vec<u8>,
}

impl Segment {
    fn read(media: &Media, file: usize) -> Result<Segment, Fault> {
        let bytes = media[file].read()?;
        let Some(head) = Head::decode(&bytes).filter(|head| head.file() == file) else {
            return Err(Fault::Damaged(format!("the head of log.{file} is unreadable")));
        };
        let len = bytes.len() as u64;
        if len < head.len {
            let reason = format!("log.{file} is cut short: {len} of {} bytes", head.len);
            return Err(Fault::Damaged(reason));
        }
        Ok(Segment { head, bytes })
    }

    /// Its records, and where they end.
    fn records(&self) -> Result<(Vec<Record>, usize), Fault> {
        let decode = |at| Record::decode(self.bytes.get(at..)?, self.head.number);
        let (mut records, mut at, mut next) = (Vec::new(), SECTOR, self.head.first);
        while let Some(record) = decode(at) {
            if record.first != next {
                let reason = format!("after batch {} the log has {}", next - 1, record.first);
                return Err(Fault::Damaged(reason));
            }
            next = record.next();
            at += record.len();
            records.push(record);
        }
        match (at..self.bytes.len()).step_by(SECTOR).find_map(decode) {
            None => Ok((records, at)),
            Some(later) => {
                let later = later.first;
                let reason = format!("the log lost batch {next} and has batch {later} behind it");
                Err(Fault::Damaged(reason))
            }
        }
    }
}
