//! Who owns which keys, and how the ledger's are made.
//!
//! The first byte of a key says what it is. Numbers are big-endian, so that keys sort like them.
//!
//! | key | value |
//! |---|---|
//! | `c` | the chain this store belongs to and the layout it is written in |
//! | `s` | where the ledger stands: the root, its height, the newest proven height |
//! | `b` height hash | a block; above the root undecided ones, at most one a height below |
//! | `h` hash | the height of a committed block |
//! | `i` height | how many transactions are in the run of the index that ends there |
//! | `t` height byte | of that run, those whose names begin with the byte, by name |
//! | `p` height | the proof that came with that height, if one did |
//! | `a` key hash | an account after the root |
//! | `n` nibbles | a node of the state tree after the root, with its version |
//! | `v` | the register of stake after the root, where there are rules of stake |
//! | `m` height | the members of the committee that the header at that height is the first to name |
//! | `r` … | the replica's: see [`REPLICA`] |
//!
//! A store pays for each entry (sled about 10 µs), so a block has few: its body once, when it is
//! accepted, and at its commit one for its name, one for where the ledger stands, one for a proof,
//! and what its transactions changed. Transactions are found by name in runs of many thousand
//! (`chain/index.rs`). Nodes of the tree are filed under their place and not their
//! version: only the newest version is kept, so that most updates overwrite instead of deleting.

use crate::BlockHash;

/// The first byte of every key that belongs to the replica. The ledger uses none that begins so.
pub const REPLICA: u8 = b'r';

/// The chain and the layout.
pub(crate) const CHAIN: &[u8] = b"c";

/// Where the ledger stands.
pub(crate) const STAND: &[u8] = b"s";

/// The prefix of all accounts.
pub(crate) const ACCOUNTS: &[u8] = b"a";

/// The prefix of all nodes of the state tree.
pub(crate) const NODES: &[u8] = b"n";

/// The register of stake.
pub(crate) const REGISTER: &[u8] = b"v";

/// The prefix of all changes of the committee.
pub(crate) const CHANGES: &[u8] = b"m";

/// The prefix of all runs of the index of transactions.
pub(crate) const RUNS: &[u8] = b"i";

/// The prefix of all blocks at `height`.
pub(crate) fn blocks(height: u64) -> Vec<u8> {
    join(b'b', &height.to_be_bytes())
}

/// A block.
pub(crate) fn block(height: u64, hash: BlockHash) -> Vec<u8> {
    let mut key = blocks(height);
    key.extend_from_slice(hash.0.as_bytes());
    key
}

/// The height of a committed block.
pub(crate) fn height(hash: BlockHash) -> Vec<u8> {
    join(b'h', hash.0.as_bytes())
}

/// The committee that the header at `height` is the first to name.
pub(crate) fn change(height: u64) -> Vec<u8> {
    join(CHANGES[0], &height.to_be_bytes())
}

/// A run of the index of transactions, by the height of its last block.
pub(crate) fn run(height: u64) -> Vec<u8> {
    join(RUNS[0], &height.to_be_bytes())
}

/// One list of a run. There are as many as bytes.
pub(crate) fn list(run: u64, bucket: usize) -> Vec<u8> {
    let mut key = lists(run);
    key.push(u8::try_from(bucket).expect("lists are numbered by a byte"));
    key
}

/// The prefix of all lists of a run.
pub(crate) fn lists(run: u64) -> Vec<u8> {
    join(b't', &run.to_be_bytes())
}

/// The proof at a height.
pub(crate) fn proof(height: u64) -> Vec<u8> {
    join(b'p', &height.to_be_bytes())
}

/// An account, by the hash the state tree files it under.
pub(crate) fn account(hash: &[u8; 32]) -> Vec<u8> {
    join(b'a', hash)
}

/// A node of the state tree, by the nibbles that lead to it, one in each byte.
pub(crate) fn node(nibbles: impl Iterator<Item = u8>) -> Vec<u8> {
    std::iter::once(b'n').chain(nibbles).collect()
}

fn join(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + rest.len());
    key.push(kind);
    key.extend_from_slice(rest);
    key
}
