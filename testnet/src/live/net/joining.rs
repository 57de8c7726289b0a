//! Nodes that come to a net after its founding, and that its genesis does not name.

use super::{MOST_REPLICAS, Net, NetError, Ports, ports};
use crypto::{PublicKey, SecretKey};
use node::config::{KEY_FILE, KeyError, key};
use std::{collections::BTreeSet, fs};
use wallet_cli::keystore::{Keystore, KeystoreError};

impl Net {
    /// How many nodes the genesis names.
    pub fn founders(&self) -> u32 {
        u32::try_from(self.genesis.validators.len()).expect("a committee is small")
    }

    /// A node's key.
    pub fn key(&self, id: u32) -> PublicKey {
        match self.genesis.validators.get(id as usize) {
            Some(founder) => founder.key,
            None => self.record.joined[(id - self.founders()) as usize],
        }
    }

    /// What the wallet calls the account of a node that joined, which has the node's key.
    pub fn account_of(id: u32) -> String {
        format!("node-{id}")
    }

    /// Makes one more node, with a key, an account and ports of its own, that knows everybody; and tells
    /// everybody of it for when they are started next. Its number is the next one of this net. What a
    /// broken attempt has left is gone on with.
    ///
    /// # Errors
    ///
    /// [`NetError::Twins`] and [`NetError::Many`] where there can be no more, and whatever the disk
    /// says.
    pub fn join(&mut self) -> Result<u32, NetError> {
        if let Some((twins, _)) = self.record.twins.first_key_value() {
            return Err(NetError::Twins(*twins));
        }
        let id = self.len();
        if id >= MOST_REPLICAS {
            return Err(NetError::Many(id));
        }
        let key = take_or_make(self, id)?;
        let ports = self.other_ports()?;
        let keystore = Keystore::open(self.place.wallet());
        let name = Net::account_of(id).parse().expect("our own names are names");
        match keystore.create_dev(&name, &key) {
            Err(KeystoreError::Exists { .. }) => {
                let there = keystore.account(&name)?.address;
                if there != key.public().address() {
                    return Err(NetError::OtherAccount(name.as_str().to_owned()));
                }
            }
            other => drop(other?),
        }
        self.record.nodes.push(ports);
        self.record.joined.push(key.public());
        let written = self.write_addresses();
        if written.is_err() {
            self.record.nodes.pop();
            self.record.joined.pop();
        }
        written.map(|()| id)
    }

    /// Ports of nobody's: those of a node that is down are free, and it comes back to them.
    fn other_ports(&self) -> Result<Ports, NetError> {
        let known = self.record.nodes.iter().chain(self.record.twins.values());
        let known: BTreeSet<_> = known.flat_map(|ports| [ports.listen, ports.rpc]).collect();
        loop {
            // Each call looks further.
            for found in ports::choose(1).map_err(NetError::Ports)? {
                if ![found.listen, found.rpc].iter().any(|address| known.contains(address)) {
                    return Ok(found);
                }
            }
        }
    }
}

fn take_or_make(net: &Net, id: u32) -> Result<SecretKey, NetError> {
    let dir = net.place.node(id);
    match key::load(&dir.join(KEY_FILE)) {
        Err(KeyError::Missing { .. }) => {
            fs::create_dir_all(&dir)
                .map_err(|source| NetError::Disk { path: dir.clone(), source })?;
            Ok(key::create(&dir.join(KEY_FILE))?)
        }
        there => Ok(there?),
    }
}

#[cfg(test)]
mod tests;
