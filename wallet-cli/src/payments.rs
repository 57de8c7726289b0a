//! What the wallet has called confirmed, so that it can tell when that is undone.
//!
//! On a chain of proof-of-work a confirmed payment may still be reverted by a heavier branch. The
//! wallet remembers in `DIR/payments/CHAIN.json` each payment it has called confirmed, with its
//! block, and every later command that follows the chain looks whether that block still stands.
//!
//! That a block is missing means nothing by itself: nodes that lag, or a wallet that lost its
//! headers, may not have come so far yet. So the work of the whole chain is remembered, too, as it
//! was then. Only a chain with as much work, and without the block, reverts it.

use crate::{
    disk,
    headers::{HeaderChain, Spot},
};
use consensus::work::Work;
use ledger::{BlockHash, ChainId, TransactionId, query::TransactionStatus};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// How many payments are remembered. The one confirmed longest ago is forgotten first.
pub const MAX_PAYMENTS: usize = 500;

/// What this program writes and reads.
const VERSION: u32 = 1;

/// An entry is about 300 bytes; a file longer than this is something else.
const LONGEST_FILE: u64 = 1024 * 1024;

/// A payment that was called confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The transaction.
    pub tx: TransactionId,
    /// The height of its block.
    pub height: u64,
    /// Its block.
    pub block: BlockHash,
    /// When it was called confirmed, in milliseconds since 1970.
    pub confirmed_at: u64,
    /// All the work of the chain that was the heaviest then, highest byte first.
    #[serde(with = "hex::serde")]
    work: [u8; 32],
}

impl Payment {
    /// A payment in a block of the chain, as of `now`, in milliseconds since 1970.
    pub fn of(tx: TransactionId, spot: Spot, chain: &HeaderChain, now: u64) -> Payment {
        let work = chain.work().to_be_bytes();
        Payment { tx, height: spot.height, block: spot.hash, confirmed_at: now, work }
    }

    /// The block that holds it.
    pub fn spot(&self) -> Spot {
        Spot { height: self.height, hash: self.block }
    }

    /// Whether its block still stands.
    pub fn standing(&self, chain: &HeaderChain) -> Standing {
        if chain.contains(self.spot()) {
            Standing::Stands
        } else if chain.work() >= Work::from_be_bytes(self.work) {
            Standing::Reverted
        } else {
            Standing::Unseen
        }
    }
}

/// What the heaviest chain that is known says of a payment's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is on it.
    Stands,
    /// It is not on it, and the chain carries as much work as the one that held it.
    Reverted,
    /// It is not on it, but the wallet has seen a chain with more work.
    Unseen,
}

/// A payment that was called confirmed and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reverted {
    /// The transaction.
    pub tx: TransactionId,
    /// The height of the block that was undone.
    pub height: u64,
    /// That block.
    pub block: BlockHash,
    /// When the wallet called it confirmed, in milliseconds since 1970.
    pub confirmed_at: u64,
    /// What became of it; none if no node tells.
    pub status: Option<TransactionStatus>,
    /// The height of the block that holds it now, if one does.
    pub now_height: Option<u64>,
    /// How deep that lies, itself counted.
    pub confirmations: u64,
}

impl fmt::Display for Reverted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reverted { tx, height, confirmations, .. } = self;
        write!(
            f,
            "WARNING: payment {tx}, confirmed at height {height}, was REVERTED: its block is not \
             on the heaviest chain any more. "
        )?;
        match (self.status, self.now_height) {
            (Some(TransactionStatus::Confirmed), Some(now)) => {
                write!(f, "It was mined again at height {now}, and is confirmed there.")
            }
            (Some(_), Some(now)) => {
                let deep = if *confirmations == 1 { "confirmation" } else { "confirmations" };
                write!(f, "It was mined again at height {now}: {confirmations} {deep}.")
            }
            (Some(TransactionStatus::Unknown), None) => f.write_str(
                "It is gone: no node that was asked knows it. What it paid for is not paid.",
            ),
            (Some(_), None) => f.write_str("It is pending: it waits to be mined again."),
            (None, _) => f.write_str("No node tells what became of it."),
        }
    }
}

/// The payments of one chain that were called confirmed, oldest first.
#[derive(Clone, Debug)]
pub struct Payments {
    path: PathBuf,
    chain: ChainId,
    list: Vec<Payment>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    chain: ChainId,
    payments: Vec<Payment>,
}

impl Payments {
    /// What a wallet's directory remembers. A file that cannot be understood is set aside, and the
    /// reason is returned.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn load(dir: &Path, chain: ChainId) -> io::Result<(Payments, Option<io::Error>)> {
        let path = dir.join("payments").join(format!("{chain}.json"));
        let (list, damage) = match read(&path, chain) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                fs::rename(&path, path.with_extension("damaged"))?;
                (Vec::new(), Some(error))
            }
            list => (list?, None),
        };
        Ok((Payments { path, chain, list }, damage))
    }

    /// Where they are kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Each of them, oldest first.
    pub fn each(&self) -> impl Iterator<Item = &Payment> {
        self.list.iter()
    }

    /// Remembers payments durably, in place of what was known of the same transactions.
    ///
    /// # Errors
    ///
    /// If the disk refuses; then nothing has changed.
    pub fn remember(&mut self, payments: &[Payment]) -> io::Result<()> {
        let known = |new: &Payment| {
            self.list.iter().any(|known| (known.tx, known.spot()) == (new.tx, new.spot()))
        };
        if payments.iter().all(known) {
            return Ok(());
        }
        let dir = self.path.parent().expect("it lies in a directory");
        disk::private_dir(dir)?;
        // Another wallet may remember something at this moment, too.
        let door = File::open(dir)?;
        disk::lock(&door)?;
        let mut list = read(&self.path, self.chain)?;
        list.retain(|known| payments.iter().all(|new| new.tx != known.tx));
        list.extend_from_slice(payments);
        list.drain(..list.len().saturating_sub(MAX_PAYMENTS));
        let content = Content { version: VERSION, chain: self.chain, payments: list };
        let bytes = serde_json::to_vec(&content).expect("it is plain data");
        disk::replace_private(&self.path, &bytes)?;
        self.list = content.payments;
        Ok(())
    }
}

fn read(path: &Path, chain: ChainId) -> io::Result<Vec<Payment>> {
    let bytes = match disk::read_bounded(path, LONGEST_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let damaged = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let content: Content =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if content.version != VERSION {
        let found = content.version;
        return Err(damaged(format!("it has version {found}, and this wallet reads {VERSION}")));
    }
    if content.chain != chain {
        return Err(damaged(format!("it is of chain {}", content.chain)));
    }
    Ok(content.payments)
}
