//! What was read of the heaviest chain, kept between calls, where nothing is final.
//!
//! The entries lie in the same file as those of a [`Cache`](super::Cache). The checkpoint has no
//! proof, since there is none: it has marks, which say at some heights which block was read there
//! and how many entries there were then. Whoever opens it has the wallet's own chain of headers, and
//! everything above the highest mark that is on that chain is dropped and read again.
//!
//! There is a mark for each of the newest blocks, and ever fewer below, so that a fork costs about
//! as much again as it is deep, and the marks stay few.

use super::{
    Rewards,
    cache::{CacheError, Damage, Trouble},
    lines::{Addition, Entries, EntryFile, Extent},
    of_block,
};
use crate::{
    disk,
    headers::{HeaderChain, Spot},
};
use crypto::Address;
use ledger::{Block, ChainId, Genesis};
use serde::{Deserialize, Serialize};
use std::{
    io,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// What this program writes and reads. It differs from a certified chain's, lest one pass for the
/// other.
const VERSION: u32 = 2;

/// A mark is about 250 bytes, and there are a thousand at most.
const LONGEST_CHECKPOINT: u64 = 1024 * 1024;

/// So many of the newest blocks have a mark each; twice as deep every second has, and so on.
const DENSE: u64 = 32;

/// The history of one account up to some block of the heaviest chain. While it is open, no other
/// wallet can open it.
#[derive(Debug)]
pub struct BranchCache {
    chain: ChainId,
    address: Address,
    rewards: Rewards,
    checkpoint: PathBuf,
    entries: EntryFile,
    /// By rising height; the genesis first, and never thinned out.
    marks: Vec<Mark>,
}

/// A block up to which was read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(flatten)]
    spot: Spot,
    /// The entries up to there.
    entries: Extent,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    version: u32,
    chain: ChainId,
    address: Address,
    /// Without the genesis.
    marks: Vec<Mark>,
}

/// What became of the history that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is as it was.
    Whole,
    /// The chain has another branch now: what was read above the height is dropped.
    Cut {
        /// How far it was read.
        from: u64,
        /// How far it still holds.
        to: u64,
    },
    /// It is of no use, and dropped.
    Damaged(Damage),
}

impl BranchCache {
    /// Opens the history of `address` in a wallet's directory, or begins one.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the disk refuses or another wallet has it open.
    pub fn open(
        dir: &Path,
        chain: &HeaderChain,
        address: Address,
    ) -> Result<(BranchCache, Kept), CacheError> {
        let entries = EntryFile::open(dir, address)?;
        let genesis: &Genesis = chain.genesis();
        let spot = chain.spot(0).expect("there is a genesis");
        let mut cache = BranchCache {
            chain: genesis.chain_id(),
            address,
            rewards: Rewards::of(genesis),
            checkpoint: entries.checkpoint(),
            entries,
            marks: vec![Mark { spot, entries: Extent::default() }],
        };
        let kept = match cache.restore(chain) {
            Ok(kept) => kept,
            Err(Trouble::Damage(damage)) => {
                cache.marks.truncate(1);
                Kept::Damaged(damage)
            }
            Err(Trouble::Disk(source)) => return Err(cache.entries.failed(source)),
        };
        Ok((cache, kept))
    }

    /// The last block that was read; the genesis if none was.
    pub fn tip(&self) -> Spot {
        self.last().spot
    }

    /// How many entries there are.
    pub fn count(&self) -> u64 {
        self.last().entries.count
    }

    /// The file that says how far it was read.
    pub fn checkpoint(&self) -> &Path {
        &self.checkpoint
    }

    /// Takes in the blocks that follow the tip.
    ///
    /// # Errors
    ///
    /// [`CacheError::Disk`]; then what was there before still holds.
    ///
    /// # Panics
    ///
    /// If the blocks do not follow the tip: whoever calls had them verified.
    pub fn extend(&mut self, blocks: &[Block]) -> Result<(), CacheError> {
        let mut addition = Addition::to(self.last().entries);
        let mut marks = self.marks.clone();
        let mut tip = self.tip();
        for block in blocks {
            assert_eq!(block.header.parent, tip.hash, "blocks are read in a row");
            of_block(block, self.address, &self.rewards).for_each(|entry| addition.push(&entry));
            tip = Spot::of(&block.header);
            marks.push(Mark { spot: tip, entries: addition.extent });
        }
        marks.retain(|mark| is_kept(mark.spot.height, tip.height));
        self.entries
            .append(&addition)
            .and_then(|()| self.write(&marks))
            .map_err(|source| self.entries.failed(source))?;
        self.marks = marks;
        Ok(())
    }

    /// Goes back to the newest block that is still on the chain, which has changed since.
    pub fn rewind(&mut self, chain: &HeaderChain) {
        let stands = self.marks.iter().take_while(|mark| chain.contains(mark.spot)).count();
        self.marks.truncate(stands);
    }

    /// The entries after the first `skip`, oldest first, read one by one.
    ///
    /// # Errors
    ///
    /// [`CacheError::Disk`], also from the iterator.
    pub fn entries(&self, skip: u64) -> Result<Entries<'_>, CacheError> {
        self.entries.entries(self.last().entries, skip)
    }

    fn last(&self) -> &Mark {
        self.marks.last().expect("there is a genesis")
    }

    fn write(&self, marks: &[Mark]) -> io::Result<()> {
        let (chain, address) = (self.chain, self.address);
        let checkpoint =
            Checkpoint { version: VERSION, chain, address, marks: marks[1..].to_vec() };
        let bytes = serde_json::to_vec(&checkpoint).expect("a checkpoint is plain data");
        disk::replace_private(&self.checkpoint, &bytes)
    }

    fn restore(&mut self, chain: &HeaderChain) -> Result<Kept, Trouble> {
        let bytes = match disk::read_bounded(&self.checkpoint, LONGEST_CHECKPOINT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::Whole),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Damage::Unreadable(error.to_string()).into());
            }
            bytes => bytes?,
        };
        let checkpoint: Checkpoint = serde_json::from_slice(&bytes)
            .map_err(|error| Damage::Unreadable(error.to_string()))?;
        let Checkpoint { version, chain: kept, address, marks } = checkpoint;
        if version != VERSION {
            return Err(Damage::Version(version).into());
        }
        if kept != self.chain {
            return Err(Damage::OtherChain { kept, genesis: self.chain }.into());
        }
        if address != self.address {
            return Err(Damage::OtherAccount(address).into());
        }
        if !marks.is_sorted_by(|below, above| below.spot.height < above.spot.height) {
            return Err(Damage::Unreadable("its marks are out of order".to_owned()).into());
        }
        let from = marks.last().map_or(0, |mark| mark.spot.height);
        self.marks.extend(marks.into_iter().filter(|mark| chain.contains(mark.spot)));
        let Mark { spot, entries } = *self.last();
        match self.entries.matches(entries)? {
            true if spot.height < from => Ok(Kept::Cut { from, to: spot.height }),
            true => Ok(Kept::Whole),
            false => Err(Damage::Entries.into()),
        }
    }
}

/// Whether the mark at a height is kept once the chain is read up to `tip`.
fn is_kept(height: u64, tip: u64) -> bool {
    let octaves = ((tip - height) / DENSE).max(1).ilog2();
    height.is_multiple_of(1 << octaves)
}
