//! The directory a net lives in.
//!
//! ```text
//! DIR/testnet.json     which ports the nodes have; written last, so its presence means "founded"
//! DIR/testnet.sock     the running testnet listens here for `kill`, `stop`, `start`, `status`
//! DIR/genesis.json     where the chain begins
//! DIR/node-0/          config.toml, validator.key, node.log and, made by the node, db/ and
//!                      control.sock, by which its links are cut
//! DIR/node-3-twin/     the same, of a node that was asked to equivocate: its second process
//! DIR/wallet/          keys of the funded accounts, genesis.json, node.url
//! ```

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// The paths inside a net's directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place(PathBuf);

impl Place {
    /// The place at `dir`, which should be absolute.
    pub fn new(dir: impl Into<PathBuf>) -> Place {
        Place(dir.into())
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// What the testnet remembers of its net.
    pub fn record(&self) -> PathBuf {
        self.0.join("testnet.json")
    }

    /// Where the running testnet listens, if the path is short enough for a socket.
    pub fn socket(&self) -> PathBuf {
        self.0.join("testnet.sock")
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> PathBuf {
        self.0.join("genesis.json")
    }

    /// The wallet with the funded accounts.
    pub fn wallet(&self) -> PathBuf {
        self.0.join("wallet")
    }

    /// The directory of one node.
    pub fn node(&self, id: u32) -> PathBuf {
        self.0.join(format!("node-{id}"))
    }

    /// The directory of the second of twins.
    pub fn twin(&self, id: u32) -> PathBuf {
        self.0.join(format!("node-{id}-twin"))
    }

    /// Where one node's standard error goes.
    pub fn log(&self, id: u32) -> PathBuf {
        self.node(id).join("node.log")
    }
}

/// A net's directory, held by this process alone.
#[derive(Debug)]
pub struct Home {
    place: Place,
    founded: bool,
    temporary: Option<TempDir>,
    /// The lock is on the directory itself: there is no lock file to leave behind, and the system
    /// releases it however the process ends.
    _lock: File,
}

impl Home {
    /// Opens and locks `dir`, or a fresh temporary directory that is removed with the value.
    ///
    /// # Errors
    ///
    /// [`HomeError::NotEmpty`] if something other than a net is there already,
    /// [`HomeError::InUse`] if another testnet runs there, and whatever the disk says.
    pub fn open(dir: Option<&Path>) -> Result<Home, HomeError> {
        let Some(dir) = dir else {
            let fresh = tempfile::Builder::new().prefix("byzantium-testnet-").tempdir();
            let fresh = fresh.map_err(HomeError::at(&std::env::temp_dir()))?;
            let place = fresh.path().canonicalize().map_err(HomeError::at(fresh.path()))?;
            return Home::lock(place, Some(fresh));
        };
        if dir.exists() && !dir.is_dir() {
            return Err(HomeError::NoDirectory(dir.to_owned()));
        }
        fs::create_dir_all(dir).map_err(HomeError::at(dir))?;
        // Nodes and wallet are given this path, and they may stand in other directories.
        let dir = dir.canonicalize().map_err(HomeError::at(dir))?;
        Home::lock(dir, None)
    }

    /// The paths in it.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Whether there is a net to go on with.
    pub fn is_founded(&self) -> bool {
        self.founded
    }

    /// Whether the directory goes away at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Leaves even a temporary directory where it is: after a failure its logs are the clue.
    pub fn leave(mut self) {
        if let Some(temporary) = self.temporary.take() {
            let _path = temporary.keep();
        }
    }

    fn lock(dir: PathBuf, temporary: Option<TempDir>) -> Result<Home, HomeError> {
        let lock = File::open(&dir).map_err(HomeError::at(&dir))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HomeError::InUse(dir)),
            Err(TryLockError::Error(source)) => return Err(HomeError::Disk { path: dir, source }),
        }
        let place = Place(dir);
        // Looked at only under the lock, when nobody else is founding a net here.
        let founded = place.record().exists();
        let empty = fs::read_dir(&place.0).map_err(HomeError::at(&place.0))?.next().is_none();
        if !founded && !empty {
            return Err(HomeError::NotEmpty(place.0));
        }
        Ok(Home { place, founded, temporary, _lock: lock })
    }
}

/// Why a directory cannot be a net's home.
#[derive(Debug, Error)]
pub enum HomeError {
    /// Something else is there.
    #[error("{} is not empty and holds no testnet.json; give --dir a new or empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// It is a file.
    #[error("{} is no directory; give --dir a new or empty directory", .0.display())]
    NoDirectory(PathBuf),
    /// Another testnet is running there.
    #[error("another testnet is running in {}; stop it first (Ctrl-C in its terminal), or give another --dir", .0.display())]
    InUse(PathBuf),
    /// The disk refused.
    #[error("{}: {source}; check that the directory is yours and has room", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HomeError {
    fn at(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
        let path = path.to_owned();
        move |source| HomeError::Disk { path, source }
    }
}
