//! What was read of the chain, kept between calls.
//!
//! `DIR/history/ADDRESS.jsonl` has one [`Entry`] a line and only grows. `DIR/history/ADDRESS.json`,
//! the checkpoint, says how far the chain was read, why the block there is final, and which bytes of
//! the other file belong to that. New entries are made durable first and the checkpoint replaced in
//! one step after them, so that a crash or Ctrl-C costs at most the last piece.
//!
//! Neither file is believed. The checkpoint's certificate has to follow from the genesis, and the
//! entries have to match its checksum; what does not is thrown away, and the chain read again. The
//! checksum finds damage. It cannot find somebody who may write here and computes it anew: but
//! whoever may write here may also exchange `genesis.json`.

use super::{
    Rewards,
    lines::{Addition, Entries, EntryFile, Extent},
    of_block,
};
use crate::{
    committees::Committees,
    disk,
    verify::{
        NotProven,
        blocks::{FinalBlock, FinalBlocks},
        certify,
    },
};
use crypto::Address;
use ledger::{ChainId, query::Finality};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// What this program writes and reads.
const VERSION: u32 = 1;

/// A checkpoint is little more than a certificate; more than this is something else.
const LONGEST_CHECKPOINT: u64 = 16 * 1024 * 1024;

/// The history of one account up to some block. While it is open, no other wallet can open it.
#[derive(Debug)]
pub struct Cache {
    chain: ChainId,
    address: Address,
    rewards: Rewards,
    checkpoint: PathBuf,
    entries: EntryFile,
    kept: Kept,
}

/// What the checkpoint vouches for.
#[derive(Clone, Copy, Debug)]
struct Kept {
    block: FinalBlock,
    extent: Extent,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    version: u32,
    chain: ChainId,
    address: Address,
    entries: Extent,
    /// Of the last block that was read, which it names by height and hash.
    finality: Finality,
}

impl Cache {
    /// Opens the history of `address` in a wallet's directory, or begins one. If what was kept is
    /// of no use, it is thrown away, and the reason is returned.
    ///
    /// # Errors
    ///
    /// [`CacheError`] if the disk refuses or another wallet has it open.
    pub fn open(
        dir: &Path,
        committees: &Committees,
        address: Address,
    ) -> Result<(Cache, Option<Damage>), CacheError> {
        let entries = EntryFile::open(dir, address)?;
        let genesis = committees.genesis();
        let mut cache = Cache {
            chain: genesis.chain_id(),
            address,
            rewards: Rewards::of(genesis),
            checkpoint: entries.checkpoint(),
            entries,
            kept: Kept { block: FinalBlock::genesis(genesis), extent: Extent::default() },
        };
        let damage = match cache.restore(committees) {
            Ok(()) => None,
            Err(Trouble::Damage(damage)) => {
                cache.forget().map_err(|source| cache.entries.failed(source))?;
                Some(damage)
            }
            Err(Trouble::Disk(source)) => return Err(cache.entries.failed(source)),
        };
        Ok((cache, damage))
    }

    /// The last block that was read; the genesis if none was.
    pub fn tip(&self) -> FinalBlock {
        self.kept.block
    }

    /// How many entries there are.
    pub fn count(&self) -> u64 {
        self.kept.extent.count
    }

    /// The file that proves [`Cache::tip`].
    pub fn proof(&self) -> &Path {
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
    /// If the blocks do not follow the tip: whoever calls had them verified against it.
    pub fn extend(&mut self, read: &FinalBlocks<'_>) -> Result<(), CacheError> {
        let first = read.each().next().expect("there is a block");
        assert_eq!(first.height(), self.kept.block.height() + 1, "blocks are read in a row");
        let mut addition = Addition::to(self.kept.extent);
        for block in read.blocks() {
            of_block(block, self.address, &self.rewards).for_each(|entry| addition.push(&entry));
        }
        let checkpoint = Checkpoint {
            version: VERSION,
            chain: self.chain,
            address: self.address,
            entries: addition.extent,
            finality: read.finality().clone(),
        };
        let checkpoint = serde_json::to_vec(&checkpoint).expect("a checkpoint is plain data");
        self.entries
            .append(&addition)
            .and_then(|()| disk::replace_private(&self.checkpoint, &checkpoint))
            .map_err(|source| self.entries.failed(source))?;
        self.kept = Kept { block: read.last(), extent: addition.extent };
        Ok(())
    }

    /// The entries after the first `skip`, oldest first, read one by one.
    ///
    /// # Errors
    ///
    /// [`CacheError::Disk`], also from the iterator.
    pub fn entries(&self, skip: u64) -> Result<Entries<'_>, CacheError> {
        self.entries.entries(self.kept.extent, skip)
    }

    fn restore(&mut self, committees: &Committees) -> Result<(), Trouble> {
        let bytes = match disk::read_bounded(&self.checkpoint, LONGEST_CHECKPOINT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Damage::Unreadable(error.to_string()).into());
            }
            bytes => bytes?,
        };
        let checkpoint: Checkpoint = serde_json::from_slice(&bytes)
            .map_err(|error| Damage::Unreadable(error.to_string()))?;
        let Checkpoint { version, chain, address, entries, finality } = checkpoint;
        if version != VERSION {
            return Err(Damage::Version(version).into());
        }
        if chain != self.chain {
            return Err(Damage::OtherChain { kept: chain, genesis: self.chain }.into());
        }
        if address != self.address {
            return Err(Damage::OtherAccount(address).into());
        }
        let block = certify(committees, &finality).map_err(Damage::NotProven)?.block();
        if !self.entries.matches(entries)? {
            return Err(Damage::Entries.into());
        }
        self.kept = Kept { block, extent: entries };
        Ok(())
    }

    /// Forgets everything. The checkpoint goes first: without it the entries mean nothing.
    fn forget(&mut self) -> io::Result<()> {
        match fs::remove_file(&self.checkpoint) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.entries.clear()
    }
}

pub(super) enum Trouble {
    Damage(Damage),
    Disk(io::Error),
}

impl From<Damage> for Trouble {
    fn from(damage: Damage) -> Trouble {
        Trouble::Damage(damage)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Disk(error)
    }
}

/// Why what was kept is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// The checkpoint is none.
    #[error("its checkpoint cannot be read: {0}")]
    Unreadable(String),
    /// Another program wrote it.
    #[error("its checkpoint has version {0}, and this wallet writes version {VERSION}")]
    Version(u32),
    /// It is of another chain.
    #[error("it is of chain {kept}, and the genesis in use is that of chain {genesis}")]
    OtherChain {
        /// Which.
        kept: ChainId,
        /// Ours.
        genesis: ChainId,
    },
    /// It is of another account.
    #[error("it is of the account {0}")]
    OtherAccount(Address),
    /// Its last block does not follow from the genesis.
    #[error("its last block is not proven: {0}")]
    NotProven(NotProven),
    /// The entries are not those that were written.
    #[error("its entries do not match their checksum")]
    Entries,
}

/// Why a history cannot be kept.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The disk refused.
    #[error("{}: {source}; check that the directory exists, is yours and has room", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another wallet is at it.
    #[error("another wallet is reading this history into {}; wait until it is done", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}
