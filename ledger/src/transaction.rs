//! Signed transactions: what an account asks of the ledger.

use crate::{Amount, ChainId, TransactionId, vote::Evidence};
use crypto::{Address, Domain, PublicKey, SecretKey, Signature, codec, hash};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The longest encoding of a transaction that anyone accepts, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 4096;

/// A payload and its sender's signature. Nothing about it is checked yet: see
/// [`Transaction::verify`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transaction {
    /// What is asked.
    pub payload: Payload,
    /// By the payload's sender, over [`Payload::preimage`].
    pub signature: Signature,
}

/// What a sender signs. It is valid on exactly one chain, exactly once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payload {
    /// The only chain on which it counts.
    pub chain: ChainId,
    /// Whose account acts and pays.
    pub sender: PublicKey,
    /// How many transactions of this account precede it.
    pub nonce: u64,
    /// What the proposer of the including block earns, on top of any amount moved.
    pub fee: Amount,
    /// What is done.
    pub action: Action,
}

/// The four things an account can ask for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Moves money to another account.
    Transfer {
        /// Who receives it.
        to: Address,
        /// How much, in addition to the fee.
        amount: Amount,
    },
    /// Turns balance into voting stake.
    Bond {
        /// How much.
        amount: Amount,
    },
    /// Begins to turn voting stake back into balance.
    Unbond {
        /// How much.
        amount: Amount,
    },
    /// Proves that a validator signed two values in one slot.
    Evidence(Box<Evidence>),
}

impl Payload {
    /// The bytes that are signed.
    pub fn preimage(&self) -> [u8; 32] {
        hash::tagged(Domain::Transaction, &codec::encode(self)).to_bytes()
    }

    /// Signs it with the sender's key.
    ///
    /// # Panics
    /// If `key` is not the sender's: nobody else's signature could ever count.
    pub fn sign(self, key: &SecretKey) -> Transaction {
        assert_eq!(self.sender, key.public(), "a payload is signed by its sender");
        let signature = key.sign(&self.preimage());
        Transaction { payload: self, signature }
    }
}

impl Transaction {
    /// Its name: the hash of its encoding, signature included.
    pub fn id(&self) -> TransactionId {
        TransactionId(hash::tagged(Domain::Transaction, &codec::encode(self)))
    }

    /// Decodes bytes from anyone.
    pub fn decode(bytes: &[u8]) -> Result<Transaction, codec::CodecError> {
        codec::decode(bytes, MAX_TRANSACTION_BYTES)
    }

    /// Checks all that needs no state: the chain, the size and the signature.
    pub fn verify(self, chain: ChainId) -> Result<VerifiedTransaction, BadTransaction> {
        if self.payload.chain != chain {
            return Err(BadTransaction::WrongChain { expected: chain, found: self.payload.chain });
        }
        let bytes = codec::encode(&self);
        if bytes.len() > MAX_TRANSACTION_BYTES {
            return Err(BadTransaction::TooLong { len: bytes.len() });
        }
        if self.payload.sender.verify(&self.payload.preimage(), &self.signature).is_err() {
            return Err(BadTransaction::BadSignature { sender: self.payload.sender.address() });
        }
        let id = TransactionId(hash::tagged(Domain::Transaction, &bytes));
        Ok(VerifiedTransaction { id, bytes: bytes.len(), transaction: Arc::new(self) })
    }
}

/// A transaction whose chain, size and signature were checked. Only [`Transaction::verify`] makes
/// one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedTransaction {
    id: TransactionId,
    bytes: usize,
    transaction: Arc<Transaction>,
}

impl VerifiedTransaction {
    /// Its name.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// The length of its encoding, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was signed.
    pub fn payload(&self) -> &Payload {
        &self.transaction.payload
    }

    /// The whole of it.
    pub fn transaction(&self) -> &Arc<Transaction> {
        &self.transaction
    }

    /// The account that acts and pays.
    pub fn sender(&self) -> Address {
        self.transaction.payload.sender.address()
    }
}

/// Why a transaction can never count, whatever the state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTransaction {
    /// It was signed for another chain.
    #[error("the transaction is for chain {found}, this chain is {expected}")]
    WrongChain {
        /// This chain.
        expected: ChainId,
        /// The one it names.
        found: ChainId,
    },
    /// It is longer than [`MAX_TRANSACTION_BYTES`].
    #[error("the transaction has {len} bytes, at most {MAX_TRANSACTION_BYTES} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The signature is not the sender's.
    #[error("the signature is not that of the sender {sender}")]
    BadSignature {
        /// Whose signature it should be.
        sender: Address,
    },
}
