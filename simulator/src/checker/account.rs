//! The checker's own arithmetic: who owns what, and the root that a header must name for it.
//!
//! Nothing here is the ledger's. Money is counted in `u128`, which no sum of a world can fill, and
//! the state root is computed from its definition, over all accounts at once, without the
//! ledger's tree.

use crypto::{Address, Domain, Hash, codec, hash};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// What belongs to an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Purse {
    pub(crate) balance: u128,
    pub(crate) nonce: u64,
    pub(crate) bonded: u128,
}

/// Who owns what, after some block.
pub(crate) type Purses = BTreeMap<Address, Purse>;

/// Everybody's money together.
pub(crate) fn supply(purses: &Purses) -> u128 {
    purses.values().map(|purse| purse.balance).sum()
}

/// The root of the Jellyfish Merkle tree over all accounts, and the leaf that names the register of stake
/// if there is one (Gao, Hu, Wu 2021, section 3): a binary
/// tree by the bits of the hashed address, in which a subtree with one account is its leaf, and one
/// without any is a placeholder. The tree in the ledger branches sixteenfold on disk; the root
/// does not know.
pub(crate) fn state_root(purses: &Purses, register: Option<Hash>) -> Hash {
    let touched = purses.iter().filter(|(_, purse)| **purse != Purse::default());
    let leaf = |(address, purse): (&Address, &Purse)| {
        let key = hash::tagged(Domain::Account, address.as_bytes()).to_bytes();
        let value = codec::encode(&(purse.balance as u64, purse.nonce, purse.bonded as u64));
        (key, digest(&[b"JMT::LeafNode", &key, &Sha256::digest(&value)]))
    };
    let register = register.map(|register| {
        let key = hash::tagged(Domain::Register, &[]).to_bytes();
        (key, digest(&[b"JMT::LeafNode", &key, &Sha256::digest(register.as_bytes())]))
    });
    let mut leaves: Vec<_> = touched.map(leaf).chain(register).collect();
    leaves.sort();
    Hash::from_bytes(subtree(&leaves, 0))
}

/// Leaves that agree in the first `depth` bits of their keys, sorted.
fn subtree(leaves: &[([u8; 32], [u8; 32])], depth: usize) -> [u8; 32] {
    match leaves {
        [] => *b"SPARSE_MERKLE_PLACEHOLDER_HASH__",
        [(_, hash)] => *hash,
        _ => {
            let right = |(key, _): &([u8; 32], _)| key[depth / 8] >> (7 - depth % 8) & 1 == 1;
            let middle = leaves.partition_point(|leaf| !right(leaf));
            let (left, right) = leaves.split_at(middle);
            digest(&[b"JMT::IntrnalNode", &subtree(left, depth + 1), &subtree(right, depth + 1)])
        }
    }
}

fn digest(pieces: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    pieces.iter().for_each(|piece| hasher.update(piece));
    hasher.finalize().into()
}
