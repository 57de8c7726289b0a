//! Merkle trees as in RFC 6962 §2.1, and paths from a leaf to the root.
//!
//! A leaf is hashed with 0x00 before it and an inner node with 0x01, so that neither passes for
//! the other. A node without a neighbour rises unchanged. `rs_merkle` builds the trees; the paths
//! are verified here, one leaf at a time, because its own verifier accepts forged multiproofs and
//! indices that lie outside the tree.

use std::iter;

use rs_merkle::MerkleTree;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hash::{Hash, sha256};

#[cfg(test)]
mod tests;

const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: [u8; 1] = [0x01];

/// The hashes that lead from one leaf to the root.
///
/// A path proves that the leaf is in the tree. That it is leaf number `index` it proves only to
/// someone who knows `count` from elsewhere, since the root does not commit to the number of leaves:
/// leaf 2 of 3 and leaf 1 of 2 can have one and the same path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// Which leaf, counted from zero.
    pub index: u64,
    /// How many leaves the tree has.
    pub count: u64,
    /// The neighbours on the way up, the leaf's own first. A level where the node has no
    /// neighbour has no entry.
    pub siblings: Vec<Hash>,
}

/// Why a path does not lead from a leaf to a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// There is no such leaf in a tree of this size.
    #[error("leaf {index} does not exist in a tree of {count} leaves")]
    IndexOutOfRange {
        /// The leaf the path claims, counted from zero.
        index: u64,
        /// The number of leaves the path claims.
        count: u64,
    },
    /// The path has more or fewer hashes than its index and count call for.
    #[error("the path has {found} hashes, and this leaf's path has {expected}")]
    WrongLength {
        /// How many hashes there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The path leads to another root.
    #[error("the path does not lead to the expected root")]
    WrongRoot,
}

/// The root over these leaves (RFC 6962 §2.1). Without leaves it is SHA-256 of nothing.
pub fn root<L: AsRef<[u8]>>(leaves: &[L]) -> Hash {
    tree(leaves).root().map_or_else(|| sha256(&[]), Hash::from)
}

/// The path of leaf `index`, counted from zero, or `None` if there is no such leaf.
pub fn prove<L: AsRef<[u8]>>(leaves: &[L], index: usize) -> Option<Path> {
    if index >= leaves.len() {
        return None;
    }
    let proof = tree(leaves).proof(&[index]);
    let siblings = proof.proof_hashes().iter().copied().map(Hash::from);
    Some(Path { index: index as u64, count: leaves.len() as u64, siblings: siblings.collect() })
}

impl Path {
    /// Checks that the path leads from `leaf`, given as its unhashed bytes, to `root`
    /// (RFC 9162 §2.1.3.2).
    ///
    /// # Errors
    ///
    /// See [`PathError`].
    pub fn verify(&self, leaf: &[u8], root: Hash) -> Result<(), PathError> {
        let &Self { index, count, .. } = self;
        if index >= count {
            return Err(PathError::IndexOutOfRange { index, count });
        }
        let expected = sides(index, count).count();
        let found = self.siblings.len();
        if found != expected {
            return Err(PathError::WrongLength { expected, found });
        }
        let reached = sides(index, count).zip(&self.siblings).fold(
            leaf_hash(leaf),
            |node, (side, sibling)| match side {
                Side::Left => node_hash(sibling.as_bytes(), &node),
                Side::Right => node_hash(&node, sibling.as_bytes()),
            },
        );
        if reached == *root.as_bytes() { Ok(()) } else { Err(PathError::WrongRoot) }
    }
}

/// On which side of a node its neighbour stands.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Where the neighbours stand on the way up from leaf `index`, which is below `count`. This walks
/// all levels and leaves out those where the node is the last one and even, since it then has no
/// neighbour; RFC 9162 §2.1.3.2 skips the same levels in its step 4.
fn sides(index: u64, count: u64) -> impl Iterator<Item = Side> {
    let levels = iter::successors(Some((index, count - 1)), |(position, last)| {
        Some((position / 2, last / 2))
    });
    levels.take_while(|(_, last)| *last > 0).filter_map(|(position, last)| {
        if position % 2 == 1 {
            Some(Side::Left)
        } else if position < last {
            Some(Side::Right)
        } else {
            None
        }
    })
}

fn tree<L: AsRef<[u8]>>(leaves: &[L]) -> MerkleTree<Rfc6962> {
    let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf.as_ref())).collect();
    MerkleTree::from_leaves(&hashes)
}

fn leaf_hash(leaf: &[u8]) -> [u8; 32] {
    let hasher = Sha256::new_with_prefix(LEAF_PREFIX);
    hasher.chain_update(leaf).finalize().into()
}

fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let hasher = Sha256::new_with_prefix(NODE_PREFIX);
    hasher.chain_update(left).chain_update(right).finalize().into()
}

/// Tells `rs_merkle` to hash as RFC 6962 does.
#[derive(Clone)]
struct Rfc6962;

impl rs_merkle::Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        leaf_hash(data)
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        right.map_or(*left, |right| node_hash(left, right))
    }
}
