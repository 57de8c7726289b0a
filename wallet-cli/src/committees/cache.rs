//! Changes of the committee, kept between calls.
//!
//! `DIR/committees/CHAIN.bin` is eight bytes that say what it is, the chain, and every change in order
//! in its canonical encoding. Whoever reads it checks each of them again, from the genesis on, so that
//! neither damage nor somebody who may write here can make the wallet believe in a committee that nobody
//! certified. It is nothing but a way not to ask for changes twice, and may be deleted.

use super::Committees;
use crate::{disk, verify::NotProven};
use crypto::codec;
use ledger::{ChainId, Genesis, query::ChangeAnswer};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// What the file begins with. The number changes with the layout of a header or a proof.
const MAGIC: &[u8; 8] = b"BYZCOM1\n";

/// A longer file is not read, and none is written: a thousand changes among a hundred take some ten
/// megabytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The file of one chain.
#[derive(Clone, Debug)]
pub struct CommitteeFile {
    path: PathBuf,
}

impl CommitteeFile {
    /// The file in a wallet's directory. Nothing is read, and nothing created.
    pub fn new(dir: &Path, genesis: &Genesis) -> CommitteeFile {
        let path = dir.join("committees").join(format!("{}.bin", genesis.chain_id()));
        CommitteeFile { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what is kept into committees that are only the founders yet. What is damaged is of no use,
    /// and the file is removed; the reason is returned, and nothing but the founders is known then.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn load(&self, committees: &mut Committees) -> io::Result<Option<Damage>> {
        let damage = match disk::read_bounded(&self.path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Damage::Foreign,
            bytes => match restore(&bytes?, committees) {
                Ok(restored) => {
                    *committees = restored;
                    return Ok(None);
                }
                Err(damage) => damage,
            },
        };
        fs::remove_file(&self.path)?;
        Ok(Some(damage))
    }

    /// Keeps what is known, if it is more than `kept` changes. Another wallet's file is replaced: what it
    /// knew more is asked for again.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn save(&self, committees: &Committees, kept: usize) -> io::Result<()> {
        if committees.changes() <= kept {
            return Ok(());
        }
        let mut bytes = MAGIC.to_vec();
        let changes: Vec<&ChangeAnswer> = committees.changes.iter().map(AsRef::as_ref).collect();
        bytes.extend(codec::encode(&(committees.chain, changes)));
        if bytes.len() as u64 > LONGEST {
            return Ok(());
        }
        disk::private_dir(self.path.parent().expect("it lies in a directory"))?;
        disk::replace_private(&self.path, &bytes)
    }
}

/// What the bytes of a file say, if all of it follows from the genesis.
fn restore(bytes: &[u8], founders: &Committees) -> Result<Committees, Damage> {
    let body = bytes.strip_prefix(MAGIC).ok_or(Damage::Foreign)?;
    let (chain, changes): (ChainId, Vec<ChangeAnswer>) =
        codec::decode(body, body.len()).map_err(|_| Damage::Torn)?;
    if chain != founders.chain {
        return Err(Damage::OtherChain { kept: chain, genesis: founders.chain });
    }
    let mut committees = founders.clone();
    committees.extend(changes).map_err(Damage::NotProven)?;
    Ok(committees)
}

/// Why what was kept is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// It is something else, or another version's.
    #[error("it is no file of this wallet's committees")]
    Foreign,
    /// It ends too early, or was changed.
    #[error("it cannot be read")]
    Torn,
    /// It is of another chain.
    #[error("it is of chain {kept}, and the genesis in use is that of chain {genesis}")]
    OtherChain {
        /// Which.
        kept: ChainId,
        /// Ours.
        genesis: ChainId,
    },
    /// A change does not follow from the genesis.
    #[error("{0}")]
    NotProven(NotProven),
}
