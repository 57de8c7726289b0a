//! What a node is told: its directory, with `config.toml`, the genesis and the validator's key.
//!
//! ```toml
//! id = 0                      # our place among the genesis' validators, or the number we are to have
//! genesis = "genesis.json"    # relative to this directory
//! listen = "127.0.0.1:7000"   # for peers
//! transport = "tcp"           # or "quic": what carries the bytes, the same at all nodes of a net
//! rpc = "127.0.0.1:8000"      # for wallets on this machine
//! trace = false               # write trace.jsonl
//! guests = 8                  # how many nodes that are not listed may read from us at a time
//!
//! [miner]                     # only where the consensus is proof-of-work; may be left out
//! threads = 1                 # how many threads search, 1 to 256
//! share = 0.1                 # how much of one core each of them uses: above 0, at most 1
//!
//! [[peers]]
//! id = 1
//! public_key = "…"            # 64 hexadecimal digits; a founder's as the genesis has it
//! address = "127.0.0.1:7001"
//! ```
//!
//! Where the genesis has rules of stake, a node may have a number that the genesis does not name, and a
//! key of its own. It follows the chain, and takes part once the chain gives its key a seat. Elsewhere
//! the validators are those of the genesis for good, and so are the nodes.
//!
//! Everything is checked before anything starts, and an error names the file, the value and what
//! to do about it.

pub mod key;

pub use key::KeyError;

use crate::network::{MAX_GUESTS, MAX_SEATS, Transport};
use crypto::{PublicKey, SecretKey};
use ledger::{Genesis, Keys, ReplicaId, genesis::BadGenesis};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// The settings, in a node's directory.
pub const CONFIG_FILE: &str = "config.toml";

/// Where a chain begins, in a node's directory unless its settings say otherwise.
pub const GENESIS_FILE: &str = "genesis.json";

/// The validator's key, in a node's directory.
pub const KEY_FILE: &str = "validator.key";

/// The database, in a node's directory.
pub const DATABASE: &str = "db";

/// The trace, in a node's directory.
pub const TRACE_FILE: &str = "trace.jsonl";

/// The most threads that may search for proof-of-work.
pub const MAX_MINER_THREADS: u32 = 256;

/// No settings or genesis longer than this are read, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The content of `config.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Our place among the genesis' validators, or, for a node that joins later, the number that the
    /// chain is to know it by.
    pub id: u32,
    /// Where the genesis lies, relative to the node's directory.
    pub genesis: PathBuf,
    /// Where peers reach us.
    pub listen: SocketAddr,
    /// What carries the bytes between peers, the same at all nodes of a net.
    #[serde(default, skip_serializing_if = "Transport::is_default")]
    pub transport: Transport,
    /// Where wallets on this machine reach us; never anywhere else.
    pub rpc: SocketAddr,
    /// Whether to write a trace.
    #[serde(default)]
    pub trace: bool,
    /// How many nodes that are not listed may be guests at a time: they read the chain from us, and may
    /// join it.
    #[serde(default = "customary_guests", skip_serializing_if = "is_customary")]
    pub guests: u32,
    /// How hard to search for proof-of-work.
    #[serde(default, skip_serializing_if = "Mining::is_default")]
    pub miner: Mining,
    /// The other nodes that we know of.
    #[serde(default)]
    pub peers: Vec<Peer>,
}

/// How hard to search for proof-of-work: the section `[miner]`. Nothing is searched where the
/// consensus is another.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mining {
    /// How many threads search, at most [`MAX_MINER_THREADS`].
    pub threads: u32,
    /// How much of one core each of them uses: above 0, at most 1.
    pub share: f64,
}

impl Default for Mining {
    fn default() -> Mining {
        Mining { threads: 1, share: 1.0 }
    }
}

impl Mining {
    fn is_default(&self) -> bool {
        *self == Mining::default()
    }

    fn check(self) -> Result<(), Fault> {
        let Mining { threads, share } = self;
        if !(1..=MAX_MINER_THREADS).contains(&threads) {
            return Err(Fault::MinerThreads(threads));
        }
        // Written so that what is not a number is refused, too.
        if !(share > 0.0 && share <= 1.0) {
            return Err(Fault::MinerShare(share));
        }
        Ok(())
    }
}

/// Another node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its place among the genesis' validators, or the number of one that joined later.
    pub id: u32,
    /// Its key; a founder's as the genesis has it.
    pub public_key: PublicKey,
    /// Where it listens.
    pub address: SocketAddr,
}

fn customary_guests() -> u32 {
    MAX_GUESTS
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_customary(guests: &u32) -> bool {
    *guests == MAX_GUESTS
}

impl Settings {
    /// What [`NodeConfig::load`] reads.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are plain data")
    }
}

/// All that a node needs to run, checked.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    dir: PathBuf,
    settings: Settings,
    genesis: Genesis,
    keys: Keys,
    key: SecretKey,
}

impl NodeConfig {
    /// Reads and checks a node's directory.
    ///
    /// # Errors
    /// [`ConfigError`], which says what is wrong where, and what to do.
    pub fn load(dir: &Path) -> Result<NodeConfig, ConfigError> {
        let path = dir.join(CONFIG_FILE);
        let text = read_text(&path)?;
        let settings: Settings = toml::from_str(&text).map_err(|error| {
            let reason = error.to_string().trim_end().to_owned();
            ConfigError::Malformed { path: path.clone(), reason }
        })?;
        let genesis = load_genesis(&dir.join(&settings.genesis))?;
        let key = key::load(&dir.join(KEY_FILE))?;
        NodeConfig::new(dir, settings, genesis, key)
    }

    /// Checks that settings, genesis and key fit together.
    ///
    /// # Errors
    /// [`ConfigError`], which says what does not fit.
    pub fn new(
        dir: &Path,
        settings: Settings,
        genesis: Genesis,
        key: SecretKey,
    ) -> Result<NodeConfig, ConfigError> {
        let path = dir.join(CONFIG_FILE);
        let wrong = |fault| ConfigError::Wrong { path: path.clone(), fault };
        let committee = genesis.committee().map_err(|error| ConfigError::Genesis {
            path: dir.join(&settings.genesis),
            reason: error.into(),
        })?;
        check_settings(&settings, &genesis).map_err(wrong)?;
        check_key(dir, &settings, &genesis, key.public())?;
        let keys = Keys::of(genesis.chain_id(), &committee);
        Ok(NodeConfig { dir: dir.to_owned(), settings, genesis, keys, key })
    }

    /// The node's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which number the node goes by.
    pub fn id(&self) -> ReplicaId {
        ReplicaId(self.settings.id)
    }

    /// Whether the genesis names it.
    pub fn is_founder(&self) -> bool {
        (self.settings.id as usize) < self.genesis.validators.len()
    }

    /// The settings, checked.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the founding validators' votes verify with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The validator's key, which is the node's identity among its peers, too.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }
}

/// Reads a genesis and checks that a chain can begin with it.
///
/// # Errors
/// [`ConfigError`], which names the file.
pub fn load_genesis(path: &Path) -> Result<Genesis, ConfigError> {
    let text = read_text(path)?;
    Genesis::parse(&text).map_err(|reason| ConfigError::Genesis { path: path.to_owned(), reason })
}

/// A founder has the key that the genesis gives it, and nobody else has.
fn check_key(
    dir: &Path,
    settings: &Settings,
    genesis: &Genesis,
    found: PublicKey,
) -> Result<(), ConfigError> {
    let (id, key) = (settings.id, dir.join(KEY_FILE));
    if let Some(founder) = genesis.validators.get(id as usize) {
        let expected = founder.key;
        return match found == expected {
            true => Ok(()),
            false => Err(ConfigError::OtherKey { key, id, expected, found }),
        };
    }
    match founder_with(genesis, found) {
        None => Ok(()),
        Some(founder) => Err(ConfigError::FounderKey { key, id, founder, found }),
    }
}

/// Which of the genesis' validators has this key.
fn founder_with(genesis: &Genesis, key: PublicKey) -> Option<u32> {
    (0..).zip(&genesis.validators).find(|(_, founder)| founder.key == key).map(|(id, _)| id)
}

fn check_settings(settings: &Settings, genesis: &Genesis) -> Result<(), Fault> {
    let validators = genesis.validators.len();
    let is_out = |id: u32| genesis.staking().is_none() && id as usize >= validators;
    if is_out(settings.id) {
        return Err(Fault::NoSuchValidator { id: settings.id, validators });
    }
    if settings.id >= MAX_SEATS {
        return Err(Fault::BadNumber(settings.id));
    }
    if !settings.rpc.ip().is_loopback() {
        return Err(Fault::PublicRpc(settings.rpc));
    }
    settings.miner.check()?;
    let mut seen = vec![settings.id];
    for peer in &settings.peers {
        let id = peer.id;
        if is_out(id) {
            return Err(Fault::NoSuchPeer { id, validators });
        }
        if id >= MAX_SEATS {
            return Err(Fault::BadPeerNumber(id));
        }
        if seen.contains(&id) {
            return Err(Fault::SamePeer(id));
        }
        let found = peer.public_key;
        match (genesis.validators.get(id as usize), founder_with(genesis, found)) {
            (Some(founder), _) if founder.key != found => {
                return Err(Fault::OtherPeerKey { id, expected: founder.key, found });
            }
            (None, Some(founder)) => return Err(Fault::FounderPeer { id, founder, found }),
            _ => {}
        }
        seen.push(id);
    }
    Ok(())
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let unreadable =
        |error: io::Error| ConfigError::Unreadable { path: path.to_owned(), reason: error };
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE {
        let long = io::Error::other(format!("it is longer than {MAX_FILE} bytes"));
        return Err(unreadable(long));
    }
    Ok(text)
}

/// Why a node cannot run as it is told.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {reason}; `node init` writes a node's directory", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// `config.toml` is no settings.
    #[error("{} cannot be understood: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it went wrong and how.
        reason: String,
    },
    /// A chain cannot begin so.
    #[error("{}: {reason}", path.display())]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: BadGenesis,
    },
    /// A setting is wrong.
    #[error("{}: {fault}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Which setting, and why.
        fault: Fault,
    },
    /// There is no usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is not the one the genesis gives this validator.
    #[error(
        "{} holds the key {found}, but the genesis gives validator {id} the key {expected}; put \
         that key's file there, change `id`, or build the genesis with this key",
        key.display()
    )]
    OtherKey {
        /// The key's file.
        key: PathBuf,
        /// Which validator we are to be.
        id: u32,
        /// The genesis' key.
        expected: PublicKey,
        /// Ours.
        found: PublicKey,
    },
    /// A node that is to join later has a founder's key.
    #[error(
        "{} holds the key {found} of the genesis' validator {founder}, but `id = {id}` is a number \
         that the genesis does not name; write `id = {founder}`, or give the node a key of its own",
        key.display()
    )]
    FounderKey {
        /// The key's file.
        key: PathBuf,
        /// The number we are to go by.
        id: u32,
        /// Whose key it is.
        founder: u32,
        /// The key.
        found: PublicKey,
    },
}

/// What can be wrong with a setting.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Fault {
    /// We are to be a validator that does not exist, on a chain that nobody can join.
    #[error(
        "`id = {id}`, but the genesis names {validators} validators, and this chain keeps them for good; \
         choose 0 to {}",
        validators - 1
    )]
    NoSuchValidator {
        /// The one we are to be.
        id: u32,
        /// How many there are.
        validators: usize,
    },
    /// A peer is a validator that does not exist, on a chain that nobody can join.
    #[error(
        "there is a peer with `id = {id}`, but the genesis names {validators} validators, and this chain \
         keeps them for good; remove it"
    )]
    NoSuchPeer {
        /// The peer's.
        id: u32,
        /// How many there are.
        validators: usize,
    },
    /// No validator ever has such a number.
    #[error("`id = {0}` is no number of a validator; the highest is {highest}", highest = MAX_SEATS - 1)]
    BadNumber(u32),
    /// The RPC would be reachable from other machines.
    #[error(
        "`rpc = \"{0}\"` is reachable from other machines, which is refused because the RPC knows no passwords; use 127.0.0.1"
    )]
    PublicRpc(SocketAddr),
    /// Too few threads are to search for proof-of-work, or too many.
    #[error(
        "`threads = {0}` in [miner], which is not 1 to {MAX_MINER_THREADS}; one thread for each core is as fast as it gets"
    )]
    MinerThreads(u32),
    /// The share of a core is none.
    #[error(
        "`share = {0}` in [miner], which is no share of a core; choose a number above 0 and at most 1, such as 0.1 for a tenth"
    )]
    MinerShare(f64),
    /// No validator ever has such a number.
    #[error("there is a peer with `id = {0}`, which is no number of a validator; the highest is {highest}", highest = MAX_SEATS - 1)]
    BadPeerNumber(u32),
    /// A peer that joined later has a founder's key.
    #[error(
        "peer {id} has the public key {found} of the genesis' validator {founder}; correct one of them"
    )]
    FounderPeer {
        /// The peer.
        id: u32,
        /// Whose key it is.
        founder: u32,
        /// The key.
        found: PublicKey,
    },
    /// A peer is listed twice, or is us.
    #[error("peer {0} is listed twice or is this node itself; remove it")]
    SamePeer(u32),
    /// A peer's key is not the one the genesis gives it.
    #[error(
        "peer {id} has the public key {found}, but the genesis gives it {expected}; correct it"
    )]
    OtherPeerKey {
        /// The peer.
        id: u32,
        /// The genesis' key.
        expected: PublicKey,
        /// The one in the settings.
        found: PublicKey,
    },
}
