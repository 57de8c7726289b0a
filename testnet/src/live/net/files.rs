//! The files a node and a wallet begin with.

use super::{Actor, Net, NetError, Ports};
use crypto::PublicKey;
use node::{
    config::{CONFIG_FILE, KEY_FILE, Peer, Settings, key},
    network::MAX_GUESTS,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Makes a validator's directory with a fresh key, and tells the key's public half.
pub(super) fn validator(node: &Path) -> Result<PublicKey, NetError> {
    fs::create_dir_all(node).map_err(|source| NetError::Disk { path: node.to_owned(), source })?;
    Ok(key::create(&node.join(KEY_FILE))?.public())
}

/// Gives the second of twins the first one's key.
pub(super) fn copy_key(from: &Path, to: &Path) -> Result<(), NetError> {
    let copy = || {
        fs::create_dir_all(to)?;
        // The permissions go with it.
        fs::copy(from.join(KEY_FILE), to.join(KEY_FILE))
    };
    copy().map(drop).map_err(|source| NetError::Disk { path: to.to_owned(), source })
}

/// Writes the settings of one process.
pub(super) fn configure(net: &Net, actor: Actor) -> Result<(), NetError> {
    let dir = match actor.second {
        true => net.place.twin(actor.id),
        false => net.place.node(actor.id),
    };
    write(&dir.join(CONFIG_FILE), &settings(net, actor).to_toml())
}

/// The settings of one process: itself, and everybody it has to do with.
pub(super) fn settings(net: &Net, actor: Actor) -> Settings {
    let Ports { listen, rpc } = net.ports(actor);
    let peers = net.met_by(actor).into_iter().map(|peer| Peer {
        id: peer.id,
        public_key: net.key(peer.id),
        address: net.ports(peer).listen,
    });
    // The genesis is named relatively, so that the directory can be moved and copied.
    let genesis = "../genesis.json".into();
    let (trace, miner) = (net.record.trace, net.record.miner.unwrap_or_default());
    let (id, guests, transport) = (actor.id, MAX_GUESTS, net.record.transport);
    let peers = peers.collect();
    Settings { id, genesis, listen, transport, rpc, trace, guests, miner, peers }
}

/// Writes a file whole or not at all: beside its place first, and moved there when it is on disk.
pub(super) fn write(path: &Path, text: &str) -> Result<(), NetError> {
    let attempt = || -> io::Result<()> {
        fs::create_dir_all(path.parent().expect("a file lies in a directory"))?;
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    attempt().map_err(|source| NetError::Disk { path: path.to_owned(), source })
}
