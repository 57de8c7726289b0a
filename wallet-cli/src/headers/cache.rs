//! Checked headers, kept between calls.
//!
//! `DIR/headers/CHAIN.bin` is eight bytes that say what it is, and then one header after the other
//! from height 1 on, each in its canonical encoding, which is equally long for all. Whoever reads it
//! checks every header again, so that neither damage nor somebody who may write here can make the
//! wallet believe in work that was not done. It is nothing but a way not to ask for headers twice,
//! and may be deleted.
//!
//! Several wallets may share the file: it is locked only while it is read or written. A branch that
//! was left is cut off, and the new one written in its place. What a crash leaves half written is
//! found out by the next reader, who cuts it off.

use super::{BadHeaders, HeaderChain, Spot};
use crate::disk;
use crypto::codec;
use ledger::{Genesis, Header, chain::genesis_header};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// What the file begins with. The number changes with the layout of a header.
const MAGIC: &[u8; 8] = b"BYZHDR1\n";

/// How many headers are read at once.
const PAGE: u64 = 512;

/// The file of one chain.
#[derive(Clone, Debug)]
pub struct HeaderFile {
    path: PathBuf,
    /// The length of one header, in bytes.
    record: u64,
}

impl HeaderFile {
    /// The file in a wallet's directory. Nothing is read, and nothing created.
    pub fn new(dir: &Path, genesis: &Genesis) -> HeaderFile {
        let path = dir.join("headers").join(format!("{}.bin", genesis.chain_id()));
        let record = codec::encoded_len(&genesis_header(genesis)) as u64;
        HeaderFile { path, record }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what is kept into a chain that has only its genesis. `read` hears after each page how
    /// many headers are read, of how many. What is damaged is cut off, and the reason is returned.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or another wallet has the file locked for long.
    pub fn load(
        &self,
        chain: &mut HeaderChain,
        read: &mut dyn FnMut(u64, u64),
    ) -> io::Result<Option<Damage>> {
        let mut file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        disk::lock(&file)?;
        let total = file.metadata()?.len().saturating_sub(self.offset(1)) / self.record;
        let damage = self.read(&mut file, chain, &mut |height| read(height, total))?;
        if damage.is_some() {
            let sound = if chain.height() == 0 { 0 } else { self.offset(chain.height() + 1) };
            file.set_len(sound)?;
        }
        Ok(damage)
    }

    fn read(
        &self,
        file: &mut File,
        chain: &mut HeaderChain,
        read: &mut dyn FnMut(u64),
    ) -> io::Result<Option<Damage>> {
        if !is_ours(file)? {
            return Ok(Some(Damage::Foreign));
        }
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            file.take(PAGE * self.record).read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let record = usize::try_from(self.record).expect("a header fits the memory");
            let mut headers = Vec::new();
            let mut torn = None;
            for each in bytes.chunks(record) {
                match codec::decode::<Header>(each, record) {
                    Ok(header) => headers.push(header),
                    Err(_) => {
                        torn = Some(Damage::Torn(chain.height() + headers.len() as u64 + 1));
                        break;
                    }
                }
            }
            // Our clock may have been set back since, which is no reason to distrust them.
            if let Err(bad) = chain.extend(&headers, u64::MAX) {
                return Ok(Some(Damage::Rule(bad)));
            }
            chain.unsaved.clear();
            read(chain.height());
            if torn.is_some() {
                return Ok(torn);
            }
        }
    }

    /// Keeps what the chain has taken in since it was loaded or last saved. If another wallet has
    /// meanwhile kept another branch, that one stays: it was checked as well.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or another wallet has the file locked for long.
    pub fn save(&self, chain: &mut HeaderChain) -> io::Result<()> {
        if chain.unsaved.is_empty() {
            return Ok(());
        }
        disk::private_dir(self.path.parent().expect("it lies in a directory"))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&self.path)?;
        disk::lock(&file)?;
        if !is_ours(&mut file)? {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(MAGIC)?;
        }
        let saved = chain.height() - chain.unsaved.len() as u64;
        if self.has(&mut file, chain, saved)? {
            let end = self.offset(saved + 1);
            file.set_len(end)?;
            file.seek(SeekFrom::Start(end))?;
            let bytes: Vec<u8> = chain.unsaved.iter().flat_map(codec::encode).collect();
            file.write_all(&bytes)?;
        }
        chain.unsaved.clear();
        Ok(())
    }

    /// Whether the file's header at a height is the chain's.
    fn has(&self, file: &mut File, chain: &HeaderChain, height: u64) -> io::Result<bool> {
        if height == 0 {
            return Ok(true);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset(height)))?;
        file.take(self.record).read_to_end(&mut bytes)?;
        let header = codec::decode::<Header>(&bytes, bytes.len());
        Ok(header.is_ok_and(|header| chain.contains(Spot::of(&header))))
    }

    /// Where the header at a height begins.
    fn offset(&self, height: u64) -> u64 {
        MAGIC.len() as u64 + (height - 1) * self.record
    }
}

/// Whether the file begins as ours do. It is read as far as that.
fn is_ours(file: &mut File) -> io::Result<bool> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(MAGIC.len() as u64).read_to_end(&mut bytes)?;
    Ok(bytes == MAGIC)
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// It is something else, or another version's.
    #[error("it is no file of this wallet's headers")]
    Foreign,
    /// Something that is no header, at this height.
    #[error("header {0} cannot be read")]
    Torn(u64),
    /// A header that was not checked before, or was changed since.
    #[error("{0}")]
    Rule(BadHeaders),
}
