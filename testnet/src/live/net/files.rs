//! The files a node and a wallet begin with.

use super::{Net, NetError};
use crypto::PublicKey;
use node::config::{CONFIG_FILE, KEY_FILE, Peer, Settings, key};
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

/// Writes the settings of one node.
pub(super) fn configure(net: &Net, id: u32) -> Result<(), NetError> {
    write(&net.place.node(id).join(CONFIG_FILE), &settings(net, id).to_toml())
}

/// The settings of one node: itself, and everybody else.
pub(super) fn settings(net: &Net, id: u32) -> Settings {
    let mine = net.record.nodes[id as usize];
    let everybody = net.ids().zip(&net.genesis.validators).zip(&net.record.nodes);
    let peers = everybody
        .filter(|((peer, _), _)| *peer != id)
        .map(|((id, validator), ports)| Peer {
            id,
            public_key: validator.key,
            address: ports.listen,
        })
        .collect();
    // The genesis is named relatively, so that the directory can be moved and copied.
    let genesis = "../genesis.json".into();
    let (trace, miner) = (net.record.trace, net.record.miner.unwrap_or_default());
    Settings { id, genesis, listen: mine.listen, rpc: mine.rpc, trace, miner, peers }
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
