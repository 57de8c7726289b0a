//! The validator's key: 64 hexadecimal digits in a file that only its owner can read.

use crypto::SecretKey;
use hex::FromHexError;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// The file's permissions: its owner reads and writes, nobody else does anything.
const MODE: u32 = 0o600;

/// More than digits, a line's end and a few strays; no key is longer.
const MAX_LEN: u64 = 80;

/// Reads the key at `path`.
///
/// # Errors
/// [`KeyError`] if there is none, others may read it, or it is no key.
pub fn load(path: &Path) -> Result<SecretKey, KeyError> {
    let failed = |reason| KeyError::of(path, reason);
    let file = File::open(path).map_err(failed)?;
    // Asked of the open file, so that nobody can put another in its place in between.
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_LEN as usize + 1));
    file.take(MAX_LEN + 1).read_to_end(&mut text).map_err(failed)?;
    let digits = text.trim_ascii();
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(digits, seed.as_mut()).map_err(|fault| KeyError::NoKey {
        path: path.to_owned(),
        digits: digits.len(),
        fault,
    })?;
    Ok(SecretKey::from_seed(*seed))
}

/// Makes a new key and writes it to `path`, durably. Never overwrites anything.
///
/// # Errors
/// [`KeyError`] if the file exists or cannot be written.
pub fn create(path: &Path) -> Result<SecretKey, KeyError> {
    let key = SecretKey::generate();
    write(path, &key)?;
    Ok(key)
}

/// Writes a key to `path`, durably. Never overwrites anything.
///
/// # Errors
/// [`KeyError`] if the file exists or cannot be written.
pub fn write(path: &Path, key: &SecretKey) -> Result<(), KeyError> {
    let failed = |reason| KeyError::of(path, reason);
    let mut text = Zeroizing::new(vec![b'0'; 65]);
    hex::encode_to_slice(key.seed().as_slice(), &mut text[..64]).expect("64 digits for 32 bytes");
    text[64] = b'\n';
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map_err(failed)?;
    file.write_all(&text).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    // The name is durable only once the directory is.
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)
}

/// Why there is no key. What it holds is never repeated: it might be one with a small mistake.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file does not exist.
    #[error("there is no key at {}; `node keys --new` makes one", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file exists although a new key should go there.
    #[error("{} exists and is not overwritten; move it away first if you mean to", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system does not let us.
    #[error("cannot use the key at {}: {reason}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Others may read or change it.
    #[error(
        "{} has mode {mode:04o}, so others on this machine may use it; run `chmod 600 {}`, and \
         make a new key if somebody may have read it",
        path.display(),
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is something else.
    #[error("{} is no key of 64 hexadecimal digits but {digits} bytes: {fault}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Its length without blanks around it, in bytes.
        digits: usize,
        /// What is wrong.
        fault: FromHexError,
    },
}

impl KeyError {
    fn of(path: &Path, reason: io::Error) -> KeyError {
        let path = path.to_owned();
        match reason.kind() {
            io::ErrorKind::NotFound => KeyError::Missing { path },
            io::ErrorKind::AlreadyExists => KeyError::Exists { path },
            _ => KeyError::Failed { path, reason },
        }
    }
}
