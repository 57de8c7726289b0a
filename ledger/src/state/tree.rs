//! The state tree: a Jellyfish Merkle tree (Gao, Hu, Wu 2021; the crate `jmt`) over all accounts, and
//! one leaf that names the register of stake, where there is one.
//!
//! An update costs O(changed · log accounts). The version of a root is its block's height. What an
//! undecided block changes stays in memory, in an [`Overlay`]; a [`View`] reads through the overlays
//! of a branch down to the store, which holds the newest committed version only.

use super::{Account, AccountProof};
use crate::{
    Register,
    store::{Batch, StoreError, ahead::Ahead, keys},
};
use crypto::{Address, Domain, Hash, codec, hash};
use jmt::{
    JellyfishMerkleTree, KeyHash, OwnedValue, RootHash, SimpleHasher, Version,
    storage::{LeafNode, NibblePath, Node, NodeBatch, NodeKey, TreeReader, TreeUpdateBatch},
};
use sha2::Digest;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Three integers.
const MAX_ACCOUNT_BYTES: usize = 64;

/// The state after one undecided block, as the difference to its parent's.
#[derive(Debug)]
pub(crate) struct Overlay {
    root: Hash,
    height: u64,
    accounts: BTreeMap<KeyHash, Account>,
    /// What names the register, if the block changed it.
    register: Option<OwnedValue>,
    nodes: NodeBatch,
    /// Nodes of the parent's tree that are not in this one.
    stale: Vec<NodeKey>,
}

impl Overlay {
    /// The root of the state tree after the block.
    pub(crate) fn root(&self) -> Hash {
        self.root
    }
}

/// Writes what the committed state becomes when `overlays`, oldest first, lie upon it.
pub(crate) fn commit(overlays: &[&Overlay], batch: &mut Batch) {
    // A node is filed under its place: what one block adds the next one may replace, and every
    // entry spared is time spared.
    let mut changes = BTreeMap::new();
    for overlay in overlays {
        for key in &overlay.stale {
            changes.insert(node_key(key), None);
        }
        for (key, node) in overlay.nodes.nodes() {
            changes.insert(node_key(key), Some(filed_node(key.version(), node)));
        }
        for (key, account) in &overlay.accounts {
            changes.insert(keys::account(&key.0), filed(account));
        }
    }
    for (key, value) in changes {
        match value {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        }
    }
}

/// The state after one block: what its branch changed, over what is committed.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// Newest first.
    layers: Vec<&'a Overlay>,
    disk: &'a Ahead,
}

impl<'a> View<'a> {
    /// Sees `layers`, newest first, over what is committed to `disk`.
    pub(crate) fn new(layers: Vec<&'a Overlay>, disk: &'a Ahead) -> Self {
        View { layers, disk }
    }

    /// An account; the default one for an address never seen.
    ///
    /// # Panics
    /// If the store fails: a replica that cannot read what it committed must stop, not guess.
    pub(crate) fn account(&self, address: Address) -> Account {
        let account = self.find(key_hash(address));
        account.unwrap_or_else(|error| panic!("reading the state of {address}: {error}"))
    }

    /// The state of the block at `height`, which gives these accounts these contents, and the register
    /// this one if it is another than before.
    ///
    /// # Panics
    /// If the store fails, as [`View::account`] does.
    pub(crate) fn update(
        &self,
        height: u64,
        accounts: BTreeMap<Address, Account>,
        register: Option<&Register>,
    ) -> Overlay {
        let new = accounts.into_iter().filter(|(address, new)| self.account(*address) != *new);
        let accounts: BTreeMap<_, _> = new.map(|(at, new)| (key_hash(at), new)).collect();
        let register = register.map(filed_register);
        let leaf = register.iter().map(|leaf| (register_key(), Some(leaf.clone())));
        let values = accounts.iter().map(|(key, new)| (*key, filed(new))).chain(leaf);
        let update = self.put(height, values.collect());
        let (root, update) = update.unwrap_or_else(|error| {
            panic!("updating the state: {}", failure(error));
        });
        let stale = update.stale_node_index_batch.into_iter().map(|index| index.node_key);
        // A root that is empty, or that an empty block copied, jmt never calls stale; each would
        // stay for good. Naming another one twice does no harm.
        let root_before = height.checked_sub(1).map(root_key);
        Overlay {
            root: Hash::from_bytes(root.0),
            height,
            accounts,
            register,
            nodes: update.node_batch,
            stale: stale.chain(root_before).collect(),
        }
    }

    /// Sets and removes leaves. As one batch, which jmt has for what is set only and never for nothing, each
    /// inner node is hashed once.
    fn put(
        &self,
        height: u64,
        values: Vec<(KeyHash, Option<OwnedValue>)>,
    ) -> anyhow::Result<(RootHash, TreeUpdateBatch)> {
        let tree = Tree::new(self);
        let set: Option<Vec<_>> =
            values.iter().map(|(key, value)| Some((*key, value.clone()?))).collect();
        let (roots, update) = match set {
            Some(set) if !set.is_empty() => tree.batch_put_value_sets(vec![set], None, height)?,
            _ => tree.put_value_sets([values], height)?,
        };
        Ok((roots[0], update))
    }

    /// The root of the state tree at `height`, which must be that of the newest block seen.
    pub(crate) fn root(&self, height: u64) -> Result<Hash, StoreError> {
        let root = Tree::new(self).get_root_hash(height).map_err(failure)?;
        Ok(Hash::from_bytes(root.0))
    }

    /// An account and the proof that it is so, at the height of the newest block seen.
    pub(crate) fn prove(
        &self,
        height: u64,
        address: Address,
    ) -> Result<(Account, AccountProof), StoreError> {
        let key = key_hash(address);
        let (_, proof) = Tree::new(self).get_with_proof(key, height).map_err(failure)?;
        Ok((self.find(key)?, AccountProof::new(proof)))
    }

    /// The proof of the register, or that there is none, at the height of the newest block seen.
    pub(crate) fn prove_register(&self, height: u64) -> Result<AccountProof, StoreError> {
        let (_, proof) = Tree::new(self).get_with_proof(register_key(), height).map_err(failure)?;
        Ok(AccountProof::new(proof))
    }

    fn find(&self, key: KeyHash) -> Result<Account, StoreError> {
        if let Some(account) = self.layers.iter().find_map(|layer| layer.accounts.get(&key)) {
            return Ok(*account);
        }
        let account = self.disk.read(&keys::account(&key.0), MAX_ACCOUNT_BYTES)?;
        Ok(account.unwrap_or_default())
    }

    fn register(&self) -> Result<Option<OwnedValue>, StoreError> {
        if let Some(leaf) = self.layers.iter().find_map(|layer| layer.register.as_ref()) {
            return Ok(Some(leaf.clone()));
        }
        let register = self.disk.get(keys::REGISTER)?;
        Ok(register.map(|bytes| hash::tagged(Domain::Register, &bytes).to_bytes().to_vec()))
    }
}

impl TreeReader for View<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let in_memory = self.layers.iter().find(|layer| layer.height == key.version());
        if let Some(layer) = in_memory {
            return Ok(layer.nodes.get_node(key).cloned());
        }
        let place = node_key(key);
        let Some(filed) = self.disk.get(&place)? else { return Ok(None) };
        let (version, node): (Version, Node) =
            borsh::from_slice(&filed).map_err(|error| StoreError::damaged(&place, error))?;
        Ok((version == key.version()).then_some(node))
    }

    fn get_value_option(
        &self,
        _newest: Version,
        key: KeyHash,
    ) -> anyhow::Result<Option<OwnedValue>> {
        if key == register_key() {
            return Ok(self.register()?);
        }
        Ok(filed(&self.find(key)?))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("only a restored tree is asked for its rightmost leaf, and we restore none")
    }
}

type Tree<'a> = JellyfishMerkleTree<'a, View<'a>, TreeHasher>;

/// SHA-256 for the tree. jmt knows the traits of an older `digest` than the one we use.
#[derive(Debug)]
pub(crate) struct TreeHasher(sha2::Sha256);

impl SimpleHasher for TreeHasher {
    fn new() -> Self {
        TreeHasher(sha2::Sha256::new())
    }

    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Where the tree files an account. Hashed, so that nobody can choose neighbours and grow a deep
/// path.
pub(crate) fn key_hash(address: Address) -> KeyHash {
    KeyHash(hash::tagged(Domain::Account, address.as_bytes()).to_bytes())
}

/// What the tree holds for an account: nothing for the default one.
pub(crate) fn filed(account: &Account) -> Option<OwnedValue> {
    (*account != Account::default()).then(|| codec::encode(account))
}

/// Where the tree files the register: no account is there, since the domains differ.
pub(crate) fn register_key() -> KeyHash {
    KeyHash(hash::tagged(Domain::Register, &[]).to_bytes())
}

/// What the tree holds for the register.
pub(crate) fn filed_register(register: &Register) -> OwnedValue {
    register.hash().to_bytes().to_vec()
}

/// A node as the store has it. No peer ever sees these bytes, so they need not be the canonical
/// ones; jmt's own are written four times as fast.
fn filed_node(version: Version, node: &Node) -> Vec<u8> {
    borsh::to_vec(&(version, node)).expect("memory takes everything")
}

fn root_key(height: u64) -> NodeKey {
    NodeKey::new(height, std::iter::empty().collect::<NibblePath>())
}

fn node_key(key: &NodeKey) -> Vec<u8> {
    let nibbles = key.nibble_path().nibbles();
    keys::node(nibbles.map(|nibble| u8::try_from(nibble.as_usize()).expect("a nibble is below 16")))
}

/// jmt wraps our own errors; whatever else it says means that nodes are missing.
fn failure(error: anyhow::Error) -> StoreError {
    match error.downcast() {
        Ok(ours) => ours,
        Err(other) => StoreError::damaged(b"n", other),
    }
}
