//! `node init`: a directory with everything `node run` needs.

use super::CliError;
use crate::{
    config::{
        self, CONFIG_FILE, GENESIS_FILE, KEY_FILE, KeyError, Mining, NodeConfig, Peer, Settings,
        key,
    },
    network::{MAX_GUESTS, Transport},
};
use clap::Args;
use crypto::SecretKey;
use ledger::Genesis;
use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Arguments of `node init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The directory to make
    #[arg(long)]
    pub dir: PathBuf,
    /// The chain's genesis; it is copied into the directory
    #[arg(long)]
    pub genesis: PathBuf,
    /// Which of the genesis' validators the node is, counted from 0; where stake can be bonded, a node
    /// that is to join takes the next number that nobody has (`wallet stake` shows it)
    #[arg(long)]
    pub id: u32,
    /// Where peers reach the node
    #[arg(long, default_value = "127.0.0.1:7000")]
    pub listen: SocketAddr,
    /// What carries the bytes between peers; all nodes of a net must use the same
    #[arg(long, value_enum, default_value_t)]
    pub transport: Transport,
    /// Where wallets on this machine reach the node
    #[arg(long, default_value = "127.0.0.1:8000")]
    pub rpc: SocketAddr,
    /// Write a trace
    #[arg(long)]
    pub trace: bool,
    /// Another of the genesis' validators and where it listens, such as 1@127.0.0.1:7001; once for
    /// each. Who joined later is found by itself, or listed in config.toml with its key
    #[arg(long = "peer", value_name = "ID@ADDRESS")]
    pub peers: Vec<PeerAddress>,
}

/// A validator and where it listens, as one writes it on a command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerAddress {
    /// Its place among the genesis' validators.
    pub id: u32,
    /// Where it listens.
    pub address: SocketAddr,
}

impl FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<PeerAddress, String> {
        let form = || "a peer is ID@ADDRESS, such as 1@127.0.0.1:7001".to_owned();
        let (id, address) = text.split_once('@').ok_or_else(form)?;
        let id = id.parse().map_err(|_| form())?;
        let address = address.parse().map_err(|_| form())?;
        Ok(PeerAddress { id, address })
    }
}

impl Init {
    /// Checks everything first, so that a mistake leaves no half of a directory: only a key that
    /// was made stays, because the genesis is yet to be built with it.
    pub(super) fn run(self) -> Result<(), CliError> {
        let genesis = config::load_genesis(&self.genesis)?;
        let path = self.dir.join(CONFIG_FILE);
        if path.exists() {
            return Err(occupied(&path));
        }
        let settings = self.settings(&genesis)?;
        make_dir(&self.dir)?;
        let key = take_or_make(&self.dir.join(KEY_FILE))?;
        let config = NodeConfig::new(&self.dir, settings.clone(), genesis.clone(), key)?;
        write_genesis(&self.dir.join(GENESIS_FILE), &genesis)?;
        write_new(&path, &settings.to_toml())?;
        let what = if config.is_founder() { "validator" } else { "node" };
        println!("{what} {} is ready: node run --dir {}", self.id, self.dir.display());
        Ok(())
    }

    fn settings(&self, genesis: &Genesis) -> Result<Settings, CliError> {
        let peer = |peer: &PeerAddress| {
            let validator = genesis.validators.get(peer.id as usize).ok_or_else(|| {
                let validators = genesis.validators.len();
                CliError::Argument(format!(
                    "--peer {}@{}: the genesis names {validators} validators, counted from 0",
                    peer.id, peer.address
                ))
            })?;
            Ok(Peer { id: peer.id, public_key: validator.key, address: peer.address })
        };
        Ok(Settings {
            id: self.id,
            genesis: GENESIS_FILE.into(),
            listen: self.listen,
            transport: self.transport,
            rpc: self.rpc,
            trace: self.trace,
            guests: MAX_GUESTS,
            miner: Mining::default(),
            peers: self.peers.iter().map(peer).collect::<Result<_, CliError>>()?,
        })
    }
}

/// Makes a directory, if it is not there, that only its owner can look into.
pub(super) fn make_dir(dir: &Path) -> Result<(), CliError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|reason| CliError::Write { path: dir.to_owned(), reason })
}

fn take_or_make(path: &Path) -> Result<SecretKey, KeyError> {
    match key::load(path) {
        Err(KeyError::Missing { .. }) => key::create(path),
        other => other,
    }
}

/// A genesis that is there already must be this one.
fn write_genesis(path: &Path, genesis: &Genesis) -> Result<(), CliError> {
    if !path.exists() {
        return write_new(path, &genesis.to_json());
    }
    match config::load_genesis(path)?.chain_id() == genesis.chain_id() {
        true => Ok(()),
        false => Err(occupied(path)),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|reason| match reason.kind() {
        io::ErrorKind::AlreadyExists => occupied(path),
        _ => CliError::Write { path: path.to_owned(), reason },
    })
}

fn occupied(path: &Path) -> CliError {
    let path = path.display();
    CliError::Argument(format!(
        "{path} exists and is not overwritten; choose another --dir, or move it away first"
    ))
}
