//! Where secret keys rest: one sealed file for each account.
//!
//! `DIR/keys/NAME.json` holds an account's public half in the clear and its Ed25519 seed sealed
//! with ChaCha20-Poly1305 (RFC 8439) under a key that Argon2id (RFC 9106) derives from the
//! passphrase. Version, name, address, public key and the `dev` mark are authenticated with it,
//! so a file that was renamed or edited does not open.
//!
//! A `dev` account is one whose key is *not* secret: the testnet makes them with the empty
//! passphrase and the cheapest parameters, so that a whole network starts in a blink.
//!
//! A file is written beside its place, made durable and then linked into it, so that an account is
//! there whole or not at all, and an existing one is never overwritten. Nothing here asks a person
//! anything; see [`crate::secrets`] for that.

mod seal;

#[cfg(test)]
mod tests;

use crate::{
    disk,
    name::{AccountName, NameError},
};
use crypto::{Address, PublicKey, SecretKey};
use seal::{KeyFile, Strength};
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;
use zeroize::Zeroizing;

/// A key file is a few hundred bytes; more than this is something else.
const LONGEST_FILE: u64 = 64 * 1024;

/// The accounts of one wallet directory.
#[derive(Clone, Debug)]
pub struct Keystore {
    keys: PathBuf,
}

/// What a key file tells without its passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// What it is called here.
    pub name: AccountName,
    /// What the chain calls it.
    pub address: Address,
    /// Its public key.
    pub public_key: PublicKey,
    /// Whether its key is no secret: it opens with the empty passphrase.
    pub dev: bool,
}

/// The accounts in a directory, and the files there that are none.
#[derive(Debug, Default)]
pub struct Listing {
    /// By name.
    pub accounts: Vec<Account>,
    /// One error for each file that should be an account and cannot be read.
    pub damaged: Vec<KeystoreError>,
}

impl Keystore {
    /// The keystore of a wallet directory. Nothing is read, and nothing created before the first
    /// account.
    pub fn open(dir: impl AsRef<Path>) -> Keystore {
        Keystore { keys: dir.as_ref().join("keys") }
    }

    /// Where an account's file is, or would be.
    pub fn path(&self, name: &AccountName) -> PathBuf {
        self.keys.join(format!("{name}.json"))
    }

    /// Seals a key under a passphrase.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Exists`] if there is an account of this name, and whatever the disk says.
    pub fn create(
        &self,
        name: &AccountName,
        key: &SecretKey,
        passphrase: &str,
    ) -> Result<Account, KeystoreError> {
        self.write(name, key, passphrase, Strength::Secret)
    }

    /// Stores a key that is no secret: it opens with the empty passphrase, and quickly.
    ///
    /// # Errors
    ///
    /// As [`Keystore::create`].
    pub fn create_dev(
        &self,
        name: &AccountName,
        key: &SecretKey,
    ) -> Result<Account, KeystoreError> {
        self.write(name, key, "", Strength::Dev)
    }

    /// [`KeystoreError::Exists`] if there is such an account: to be asked before a person is asked
    /// for a passphrase. [`Keystore::create`] looks again.
    pub fn expect_free(&self, name: &AccountName) -> Result<(), KeystoreError> {
        let path = self.path(name);
        match path.symlink_metadata() {
            Ok(_) => Err(KeystoreError::Exists { name: name.clone(), path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(KeystoreError::Disk { path, source }),
        }
    }

    /// Every account, by name. A directory that does not exist yet has none.
    ///
    /// # Errors
    ///
    /// Whatever the disk says about the directory; damaged files are part of the listing.
    pub fn list(&self) -> Result<Listing, KeystoreError> {
        let failed = |source| KeystoreError::Disk { path: self.keys.clone(), source };
        let entries = match fs::read_dir(&self.keys) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
            entries => entries.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            files.push(entry.map_err(failed)?.path());
        }
        files.sort();
        let mut listing = Listing::default();
        for path in files {
            // Hidden files are unfinished writes of ours or somebody else's.
            let Some(stem) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"))
            else {
                continue;
            };
            if stem.starts_with('.') {
                continue;
            }
            let account = match stem.parse() {
                Ok(name) => self.account(&name),
                Err(reason) => Err(KeystoreError::BadFileName { path: path.clone(), reason }),
            };
            match account {
                Ok(account) => listing.accounts.push(account),
                Err(error) => listing.damaged.push(error),
            }
        }
        Ok(listing)
    }

    /// The public half of an account.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Unknown`], [`KeystoreError::Damaged`], or whatever the disk says.
    pub fn account(&self, name: &AccountName) -> Result<Account, KeystoreError> {
        self.read(name).map(|file| file.account())
    }

    /// The secret half of an account.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Locked`] if the passphrase is wrong, and as [`Keystore::account`].
    pub fn unlock(&self, name: &AccountName, passphrase: &str) -> Result<SecretKey, KeystoreError> {
        let file = self.read(name)?;
        file.unseal(passphrase).map_err(|fault| fault.at(name, self.path(name)))
    }

    fn write(
        &self,
        name: &AccountName,
        key: &SecretKey,
        passphrase: &str,
        strength: Strength,
    ) -> Result<Account, KeystoreError> {
        self.expect_free(name)?;
        let file = KeyFile::seal(name, key, passphrase, strength);
        let path = self.path(name);
        disk::private_dir(&self.keys)
            .map_err(|source| KeystoreError::Disk { path: self.keys.clone(), source })?;
        match disk::create_private(&path, file.to_json().as_bytes()) {
            Ok(()) => Ok(file.account()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeystoreError::Exists { name: name.clone(), path })
            }
            Err(source) => Err(KeystoreError::Disk { path, source }),
        }
    }

    fn read(&self, name: &AccountName) -> Result<KeyFile, KeystoreError> {
        let path = self.path(name);
        let bytes = match disk::read_bounded(&path, LONGEST_FILE) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.unknown(name));
            }
            Err(source) => return Err(KeystoreError::Disk { path, source }),
        };
        KeyFile::parse(name, &bytes).map_err(|fault| fault.at(name, path))
    }

    fn unknown(&self, name: &AccountName) -> KeystoreError {
        let known = self.list().unwrap_or_default().accounts;
        let known: Vec<_> = known.iter().map(|account| account.name.as_str()).collect();
        let remedy = match known.as_slice() {
            [] => format!("there are none yet; `wallet new {name}` makes it"),
            _ => format!("there are: {}", known.join(", ")),
        };
        KeystoreError::Unknown { name: name.clone(), keys: self.keys.clone(), remedy }
    }
}

/// A passphrase, wiped from memory when dropped.
pub type Passphrase = Zeroizing<String>;

/// Why the keystore does not do as asked.
#[derive(Debug, Error)]
pub enum KeystoreError {
    /// There is an account of this name already.
    #[error("the account {name} exists already, in {}; choose another name, since an account is never overwritten", path.display())]
    Exists {
        /// Its name.
        name: AccountName,
        /// Its file.
        path: PathBuf,
    },
    /// There is no account of this name.
    #[error("no account is called {name} in {}: {remedy}", keys.display())]
    Unknown {
        /// The name asked for.
        name: AccountName,
        /// Where it was looked for.
        keys: PathBuf,
        /// Which there are, or how to make one.
        remedy: String,
    },
    /// The seal does not open. Whether the passphrase or the file is at fault cannot be told.
    #[error("the passphrase of {name} is wrong (or {} was altered; then restore it from a copy or `wallet import` the phrase)", path.display())]
    Locked {
        /// The account.
        name: AccountName,
        /// Its file.
        path: PathBuf,
    },
    /// The file is not one that this wallet wrote.
    #[error("{} is damaged: {reason}; restore it from a copy, or move it away and `wallet import` the phrase", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file whose name cannot name an account.
    #[error("{} is not an account's file: {reason}", path.display())]
    BadFileName {
        /// The file.
        path: PathBuf,
        /// What is wrong with its name.
        reason: NameError,
    },
    /// The disk refused.
    #[error("{}: {source}; check that the directory exists, is yours and has room", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
