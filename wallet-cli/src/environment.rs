//! What the surroundings tell the wallet: a few variables, and where its directory is.

use crate::keystore::Passphrase;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The variables the wallet reads, gathered in one place so that everything below can be tested
/// without touching the process.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `WALLET_DIR`: the wallet's directory.
    pub dir: Option<PathBuf>,
    /// `WALLET_NODE`: nodes to ask, separated by spaces or commas.
    pub node: Option<String>,
    /// `WALLET_PASSPHRASE`: set and empty means the empty passphrase.
    pub passphrase: Option<Passphrase>,
    /// `HOME`.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// This process's. An empty `WALLET_DIR`, `WALLET_NODE` or `HOME` counts as none.
    pub fn of_process() -> Environment {
        let filled = |name| env::var_os(name).filter(|value| !value.is_empty());
        Environment {
            dir: filled("WALLET_DIR").map(PathBuf::from),
            node: filled("WALLET_NODE").map(|value| value.to_string_lossy().into_owned()),
            passphrase: env::var("WALLET_PASSPHRASE").ok().map(Passphrase::new),
            home: filled("HOME").map(PathBuf::from),
        }
    }

    /// The wallet's directory: `--dir`, else `WALLET_DIR`, else `~/.byzantium/wallet`.
    ///
    /// # Errors
    ///
    /// [`NoDirectory`] if none of these is known.
    pub fn wallet_dir(&self, option: Option<&Path>) -> Result<PathBuf, NoDirectory> {
        let home = || self.home.as_ref().map(|home| home.join(".byzantium").join("wallet"));
        option.map(Path::to_path_buf).or_else(|| self.dir.clone()).or_else(home).ok_or(NoDirectory)
    }
}

/// Nobody says where the wallet's directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HOME is not set, so the wallet's directory is unknown; name it with --dir or WALLET_DIR")]
pub struct NoDirectory;
