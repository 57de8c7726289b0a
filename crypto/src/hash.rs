//! SHA-256 (FIPS 180-4), and hashes that say what they are of.
//!
//! Two kinds of value must never share a hash: if the bytes of a vote could also be read as a
//! header, a signature over the one would be a signature over the other. So everything that is
//! signed or named by its hash goes through [`tagged`], whose prefix is different for each
//! [`Domain`]. The construction is BIP-340's tagged hash: `SHA-256(SHA-256(tag) || SHA-256(tag) ||
//! bytes)`. The doubled tag fills exactly one 64-byte block of SHA-256, so its compression is done
//! once for each domain and costs nothing afterwards.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::fixed::{fixed_bytes, hex_text};

mod midstate;

pub use midstate::Midstate;

#[cfg(test)]
mod tests;

/// 32 bytes that name some content: the output of [`sha256`] or [`tagged`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash([u8; 32]);

fixed_bytes!(Hash, 32);
hex_text!(Hash, "a hash");

impl Hash {
    /// Thirty-two zero bytes: the hash of nothing, where a field has no value yet.
    pub const ZERO: Self = Self([0; 32]);

    /// The first eight hexadecimal digits, for logs and traces.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

/// What a hash is of. Hashes of different domains never collide, even over the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A transaction's name, and what its sender signs.
    Transaction,
    /// A block header, which names the block.
    Header,
    /// The genesis, which is also the chain id.
    Genesis,
    /// A committee of voters and their weights.
    Committee,
    /// A vote: the signed preimage of chain, sender, slot and value.
    Vote,
    /// A consensus message as it travels.
    Message,
    /// An account in the state tree.
    Account,
    /// An address, from its public key.
    Address,
    /// The duties a decision lays on committee members.
    Duties,
    /// The simulator's signatures, keyed by a secret of its world.
    Simulated,
    /// What a keystore file authenticates.
    Keystore,
    /// The register of stake in the state tree.
    Register,
    /// The record of an inactivity leak.
    Leak,
}

impl Domain {
    /// Every domain, in the order of declaration, so that `ALL[domain as usize] == domain`.
    const ALL: [Self; 13] = [
        Self::Transaction,
        Self::Header,
        Self::Genesis,
        Self::Committee,
        Self::Vote,
        Self::Message,
        Self::Account,
        Self::Address,
        Self::Duties,
        Self::Simulated,
        Self::Keystore,
        Self::Register,
        Self::Leak,
    ];

    /// The tag of BIP-340. It is part of every hash of this domain and can never change.
    const fn tag(self) -> &'static str {
        match self {
            Self::Transaction => "byzantium/transaction",
            Self::Header => "byzantium/header",
            Self::Genesis => "byzantium/genesis",
            Self::Committee => "byzantium/committee",
            Self::Vote => "byzantium/vote",
            Self::Message => "byzantium/message",
            Self::Account => "byzantium/account",
            Self::Address => "byzantium/address",
            Self::Duties => "byzantium/duties",
            Self::Simulated => "byzantium/simulated",
            Self::Keystore => "byzantium/keystore",
            Self::Register => "byzantium/register",
            Self::Leak => "byzantium/leak",
        }
    }
}

/// A tagged hash of bytes that come in pieces. Where the pieces are cut makes no difference.
///
/// ```
/// use crypto::hash::{Domain, Hasher, tagged};
///
/// let whole = tagged(Domain::Vote, b"height 7");
/// let pieces = Hasher::new(Domain::Vote).update(b"height").update(b" 7").finish();
/// assert_eq!(whole, pieces);
/// ```
#[derive(Clone, Debug)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has taken in the tag of `domain` and nothing else.
    pub fn new(domain: Domain) -> Self {
        Self(MIDSTATES[domain as usize].clone())
    }

    /// Takes in more bytes. Their length is not taken in: pieces of variable length need one of
    /// their own, or two different sequences of pieces share a hash.
    #[must_use]
    pub fn update(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    /// The hash of everything taken in.
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

/// Plain SHA-256 (FIPS 180-4). For what is signed or named by its hash, use [`tagged`].
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// SHA-256 of `bytes` within a domain, by BIP-340's tagged hash.
pub fn tagged(domain: Domain, bytes: &[u8]) -> Hash {
    Hasher::new(domain).update(bytes).finish()
}

/// SHA-256 after the one block that holds a domain's tag twice.
static MIDSTATES: LazyLock<[Sha256; Domain::ALL.len()]> = LazyLock::new(|| {
    Domain::ALL.map(|domain| {
        let tag = sha256(domain.tag().as_bytes());
        Sha256::new().chain_update(tag).chain_update(tag)
    })
});
