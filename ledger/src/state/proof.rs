//! Proof of what an account holds, and of the register of stake, for those who trust nothing but a state
//! root.

use super::{
    Account,
    tree::{self, TreeHasher},
};
use crate::Register;
use crypto::{Address, Hash, codec};
use jmt::{RootHash, proof::SparseMerkleProof};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A leaf and at most 256 siblings of at most 68 bytes each.
const MAX_PROOF_BYTES: usize = 257 * 72;

/// The way from an account, or from the register, to the state root; or proof that there is no such.
#[derive(Clone, PartialEq, Debug)]
pub struct AccountProof(SparseMerkleProof<TreeHasher>);

impl AccountProof {
    pub(crate) fn new(proof: SparseMerkleProof<TreeHasher>) -> Self {
        AccountProof(proof)
    }

    /// Checks that `account` is what `address` holds in the state with this root. For the default
    /// account that means that the tree has no entry for the address.
    ///
    /// # Errors
    /// [`BadProof`] if the proof shows something else, or nothing.
    pub fn verify(&self, root: Hash, address: Address, account: &Account) -> Result<(), BadProof> {
        let checked =
            self.0.verify(RootHash(root.to_bytes()), tree::key_hash(address), tree::filed(account));
        checked.map_err(|error| BadProof { address, root, reason: error.to_string() })
    }

    /// Checks that `register` is the one of the state with this root.
    ///
    /// # Errors
    /// [`BadRegister`] if the proof shows something else, or nothing.
    pub fn verify_register(&self, root: Hash, register: &Register) -> Result<(), BadRegister> {
        let leaf = tree::filed_register(register);
        let checked =
            self.0.verify_existence(RootHash(root.to_bytes()), tree::register_key(), leaf);
        checked.map_err(|error| BadRegister { root, reason: error.to_string() })
    }
}

/// A proof that does not show that a register is that of a state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this does not prove the register of stake in the state {root}: {reason}")]
pub struct BadRegister {
    /// The state root it was checked against.
    pub root: Hash,
    /// What is wrong.
    pub reason: String,
}

/// A proof that does not show what an account is said to hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this does not prove what {address} holds in the state {root}: {reason}")]
pub struct BadProof {
    /// Whose account was asked about.
    pub address: Address,
    /// The state root it was checked against.
    pub root: Hash,
    /// What is wrong.
    pub reason: String,
}

/// For people it is the hexadecimal form of its encoding, since its hashes mean nothing to them.
impl Serialize for AccountProof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(codec::encode(&self.0)))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for AccountProof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return SparseMerkleProof::deserialize(deserializer).map(AccountProof);
        }
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(text).map_err(D::Error::custom)?;
        codec::decode(&bytes, MAX_PROOF_BYTES).map(AccountProof).map_err(D::Error::custom)
    }
}
