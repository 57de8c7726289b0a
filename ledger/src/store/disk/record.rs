//! How batches lie in a log: records of whole sectors.
//!
//! A sector has 512 bytes, the unit that a disk writes as a whole or not at all. Its first byte says
//! what it is:
//!
//! | byte | sector | what follows it |
//! |---|---|---|
//! | 0 | never written | zeros |
//! | 1 | the head of a segment | magic, number of the segment, sequence number of its first batch, length of the file, how far the log has come, checksum |
//! | 2 | a record begins | checksum, number of the segment, sequence number of its first batch, how many batches, length of the body, the body |
//! | 3 | a record goes on | the body |
//!
//! Because that byte is ours, nothing a peer has us write can pose as a record. A record starts in
//! a sector of its own, so writing one never touches another that is durable already. It names its
//! segment, so what a segment held in an earlier use is no part of it.
//!
//! The checksum is half a SHA-256. A CRC finds torn writes that happen by chance; but it is linear,
//! so a peer could have us write a sector that counts as much as one never written. On a processor
//! with instructions for it SHA-256 costs less than a tenth of the `fdatasync` that follows.

use crate::store::Batch;
use crypto::hash::sha256;

#[cfg(test)]
mod tests;

/// What a disk writes as a whole, in bytes.
pub(super) const SECTOR: usize = 512;

/// What a sector has room for behind its first byte.
const ROOM: usize = SECTOR - 1;

const HEAD: u8 = 1;
const FIRST: u8 = 2;
const NEXT: u8 = 3;

const MAGIC: [u8; 8] = *b"byzlog 1";

/// Half a SHA-256.
const CHECK: usize = 16;

/// Everything in a record before its body: checksum, segment, first, count, length.
const PREFIX: usize = CHECK + 8 + 8 + 4 + 4;

/// The length that stands for "removed".
const REMOVED: u32 = u32::MAX;

/// No segment and no batch has a higher number. Nobody counts so far, so a file that does is not
/// ours.
pub(super) const LAST: u64 = u64::MAX / 2;

/// A key and what becomes of it: the changes of one batch, in order.
pub(super) type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What the first sector of a segment says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Segments are numbered in the order of their use.
    pub(super) number: u64,
    /// The sequence number of the first batch in it.
    pub(super) first: u64,
    /// The file has at least so many bytes, or it was cut short.
    pub(super) len: u64,
    /// Whichever segment they are in, the log holds or held all batches before this one.
    pub(super) reached: u64,
}

impl Head {
    /// Which of the two files the segment lies in.
    pub(super) fn file(self) -> usize {
        (self.number % 2) as usize
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut said = MAGIC.to_vec();
        let numbers = [self.number, self.first, self.len, self.reached];
        said.extend(numbers.map(u64::to_be_bytes).as_flattened());
        let mut sector = [&[HEAD], &said[..], &check(&said)].concat();
        sector.resize(SECTOR, 0);
        sector
    }

    /// None if the sector is none of these, or not whole.
    pub(super) fn decode(sector: &[u8]) -> Option<Head> {
        let (_, rest) = sector.split_at_checked(1 + MAGIC.len())?;
        let (numbers, _) = rest.split_at_checked(4 * 8)?;
        let mut numbers = numbers.as_chunks().0.iter().map(|bytes| u64::from_be_bytes(*bytes));
        let [number, first, len, reached] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
        let head = Head { number, first, len, reached };
        let is_ours = number.max(first).max(reached) <= LAST && sector.starts_with(&head.encode());
        is_ours.then_some(head)
    }
}

/// Some batches that become durable together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// The segment it lies in.
    pub(super) segment: u64,
    /// The sequence number of its first batch.
    pub(super) first: u64,
    /// How many batches it holds.
    pub(super) count: u32,
    /// The batches, each by [`encode_batch`].
    pub(super) body: Vec<u8>,
}

impl Record {
    /// The sequence number behind its last batch.
    pub(super) fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// What it takes in the log, in bytes.
    pub(super) fn len(&self) -> usize {
        size(self.body.len())
    }

    /// Its sectors.
    pub(super) fn encode(&self) -> Vec<u8> {
        let len = u32::try_from(self.body.len()).expect("a segment is shorter than that");
        let mut plain = vec![0; CHECK];
        plain.extend(self.segment.to_be_bytes());
        plain.extend(self.first.to_be_bytes());
        plain.extend(self.count.to_be_bytes());
        plain.extend(len.to_be_bytes());
        plain.extend(&self.body);
        let check = check(&plain[CHECK..]);
        plain[..CHECK].copy_from_slice(&check);
        let mut sectors = Vec::with_capacity(size(self.body.len()));
        for (number, part) in plain.chunks(ROOM).enumerate() {
            sectors.push(if number == 0 { FIRST } else { NEXT });
            sectors.extend(part);
        }
        sectors.resize(size(self.body.len()), 0);
        sectors
    }

    /// Whether a record of `segment` begins in this sector, whole or not.
    pub(super) fn begins(sector: &[u8], segment: u64) -> bool {
        let segment = segment.to_be_bytes();
        sector.first() == Some(&FIRST)
            && sector.get(1 + CHECK..).is_some_and(|rest| rest.starts_with(&segment))
    }

    /// The record of `segment` that begins in the first of these sectors. None if there is no such,
    /// or not all of it.
    pub(super) fn decode(sectors: &[u8], segment: u64) -> Option<Record> {
        if !Record::begins(sectors, segment) {
            return None;
        }
        let (first, rest) = sectors.get(1 + CHECK + 8..)?.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (len, _) = rest.split_first_chunk()?;
        let len = u32::from_be_bytes(*len) as usize;
        // Nothing is copied by a length that was only read: what lies here may be anything.
        if size(len) > sectors.len() {
            return None;
        }
        let sectors = &sectors[..size(len)];
        if sectors[SECTOR..].chunks(SECTOR).any(|sector| sector[0] != NEXT) {
            return None;
        }
        let mut plain = Vec::with_capacity(sectors.len());
        sectors.chunks(SECTOR).for_each(|sector| plain.extend(&sector[1..]));
        let (told, said) = plain[..PREFIX + len].split_at(CHECK);
        if check(said) != told {
            return None;
        }
        let (first, count) = (u64::from_be_bytes(*first), u32::from_be_bytes(*count));
        let body = said[PREFIX - CHECK..].to_vec();
        (first <= LAST).then_some(Record { segment, first, count, body })
    }

    /// The batches, or none if the body does not hold exactly so many.
    pub(super) fn batches(&self) -> Option<Vec<Changes>> {
        let mut rest = &self.body[..];
        let batches = (0..self.count).map(|_| decode_batch(&mut rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(batches)
    }
}

/// What a record with a body of this length takes in the log, in bytes.
pub(super) fn size(body: usize) -> usize {
    (PREFIX + body).div_ceil(ROOM) * SECTOR
}

/// A batch as it lies in a body: how many changes, then for each the lengths of key and value, the
/// key and the value. All numbers are `u32`, big-endian.
///
/// # Panics
/// If [`batch_len`] is beyond 4 GiB.
pub(super) fn encode_batch(batch: &Batch) -> Vec<u8> {
    let number = |len: usize| u32::try_from(len).expect("a batch is shorter than that");
    let mut bytes = Vec::with_capacity(batch_len(batch));
    bytes.extend(number(batch.changes().len()).to_be_bytes());
    for (key, value) in batch.changes() {
        let len = value.as_ref().map_or(REMOVED, |value| number(value.len()));
        bytes.extend(number(key.len()).to_be_bytes());
        bytes.extend(len.to_be_bytes());
        bytes.extend(key);
        bytes.extend(value.iter().flatten());
    }
    bytes
}

/// How long [`encode_batch`] makes a batch, in bytes.
pub(super) fn batch_len(batch: &Batch) -> usize {
    let changes = batch.changes().iter();
    4 + changes
        .map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, Vec::len))
        .sum::<usize>()
}

fn decode_batch(rest: &mut &[u8]) -> Option<Changes> {
    // Nothing is reserved by a count that was only read.
    (0..take_number(rest)?).map(|_| decode_change(rest)).collect()
}

fn decode_change(rest: &mut &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let key = take_number(rest)? as usize;
    let value = take_number(rest)?;
    let key = rest.split_off(..key)?.to_vec();
    let value = match value {
        REMOVED => None,
        len => Some(rest.split_off(..len as usize)?.to_vec()),
    };
    Some((key, value))
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_be_bytes(*number))
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    *sha256(bytes).as_bytes().first_chunk().expect("a hash is longer")
}
