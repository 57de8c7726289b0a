//! Signed transactions: what an account asks of the ledger.

use crate::{Amount, ChainId, ReplicaId, TransactionId, vote::Evidence};
use crypto::{
    Address, Domain, KeyRing, PublicKey, SecretKey, Signature, codec, hash, keys::BadSignature,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{Arc, OnceLock},
};

#[cfg(test)]
mod tests;

/// The longest encoding of a transaction that anyone accepts, in bytes.
pub const MAX_TRANSACTION_BYTES: usize = 4096;

/// A payload and its sender's signature. Nothing about it is checked yet: see
/// [`Transaction::verify`].
///
/// A clone is another handle on the same transaction, and what follows from its content is found
/// out once for all of them: its name, its length, its sender's address, and that its signature is
/// good, which costs more than everything else that is ever done with a transaction. Whoever
/// changes one gets a copy of which none of that is known.
#[derive(Clone)]
pub struct Transaction(Arc<Inner>);

/// What a transaction consists of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Content {
    /// What is asked.
    pub payload: Payload,
    /// By the payload's sender, over [`Payload::preimage`].
    pub signature: Signature,
}

#[derive(Clone)]
struct Inner {
    content: Content,
    facts: OnceLock<Facts>,
    /// Whether the signature is the sender's, once somebody has looked.
    good: OnceLock<bool>,
}

/// What follows from the content by hashing.
#[derive(Clone, Copy)]
struct Facts {
    id: TransactionId,
    bytes: usize,
    sender: Address,
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
    /// Turns balance into voting stake of the validator whose key is the sender's.
    Bond {
        /// How much.
        amount: Amount,
        /// Its number, or the one that it is going to have: the next one that nobody has had. Its node
        /// must know beforehand what it will be called, so one that somebody else got first is refused.
        validator: ReplicaId,
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
        Transaction::new(self, signature)
    }
}

impl Transaction {
    /// Puts a signature, whoever's it is, beside a payload.
    pub fn new(payload: Payload, signature: Signature) -> Transaction {
        let content = Content { payload, signature };
        Transaction(Arc::new(Inner { content, facts: OnceLock::new(), good: OnceLock::new() }))
    }

    /// Its name: the hash of its encoding, signature included.
    pub fn id(&self) -> TransactionId {
        self.facts().id
    }

    /// The length of its encoding, in bytes.
    pub fn bytes(&self) -> usize {
        self.facts().bytes
    }

    /// The account that acts and pays.
    pub fn sender(&self) -> Address {
        self.facts().sender
    }

    /// Decodes bytes from anyone.
    pub fn decode(bytes: &[u8]) -> Result<Transaction, codec::CodecError> {
        codec::decode(bytes, MAX_TRANSACTION_BYTES)
    }

    /// Checks all that needs no state: the chain, the size and the signature. The signature is
    /// checked once for all clones.
    ///
    /// # Errors
    /// [`BadTransaction`]: the first of these that is wrong.
    pub fn verify(self, chain: ChainId) -> Result<VerifiedTransaction, BadTransaction> {
        self.verify_by(chain, PublicKey::verify)
    }

    /// The same, with the key of a sender whom `ring` knows.
    ///
    /// # Errors
    /// As [`Transaction::verify`].
    pub fn verify_with(
        self,
        chain: ChainId,
        ring: &KeyRing,
    ) -> Result<VerifiedTransaction, BadTransaction> {
        self.verify_by(chain, |signer, message, signature| ring.verify(signer, message, signature))
    }

    fn verify_by(
        self,
        chain: ChainId,
        check: impl Fn(&PublicKey, &[u8], &Signature) -> Result<(), BadSignature>,
    ) -> Result<VerifiedTransaction, BadTransaction> {
        if self.payload.chain != chain {
            return Err(BadTransaction::WrongChain { expected: chain, found: self.payload.chain });
        }
        if self.bytes() > MAX_TRANSACTION_BYTES {
            return Err(BadTransaction::TooLong { len: self.bytes() });
        }
        // Whoever comes while another thread is at it waits for the result.
        let good = self.0.good.get_or_init(|| {
            check(&self.payload.sender, &self.payload.preimage(), &self.signature).is_ok()
        });
        if !good {
            return Err(BadTransaction::BadSignature { sender: self.sender() });
        }
        Ok(VerifiedTransaction(self))
    }

    /// Whether the signature of this transaction, of whatever chain, was checked before and found
    /// good. Nothing but time may ever depend on it.
    pub fn is_known_good(&self) -> bool {
        self.0.good.get() == Some(&true)
    }

    fn facts(&self) -> &Facts {
        self.0.facts.get_or_init(|| {
            let bytes = codec::encode(self);
            Facts {
                id: TransactionId(hash::tagged(Domain::Transaction, &bytes)),
                bytes: bytes.len(),
                sender: self.payload.sender.address(),
            }
        })
    }
}

impl Deref for Transaction {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.0.content
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Content {
        let inner = Arc::make_mut(&mut self.0);
        inner.facts = OnceLock::new();
        inner.good = OnceLock::new();
        &mut inner.content
    }
}

impl PartialEq for Transaction {
    fn eq(&self, other: &Transaction) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for Transaction {}

impl fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { payload, signature } = &**self;
        let mut shown = formatter.debug_struct("Transaction");
        shown.field("payload", payload).field("signature", signature).finish()
    }
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Transaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Transaction, D::Error> {
        let Content { payload, signature } = Content::deserialize(deserializer)?;
        Ok(Transaction::new(payload, signature))
    }
}

/// A transaction whose chain, size and signature were checked. Only [`Transaction::verify`] makes
/// one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedTransaction(Transaction);

impl VerifiedTransaction {
    /// Its name.
    pub fn id(&self) -> TransactionId {
        self.0.id()
    }

    /// The length of its encoding, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// What was signed.
    pub fn payload(&self) -> &Payload {
        &self.0.payload
    }

    /// The whole of it.
    pub fn transaction(&self) -> &Transaction {
        &self.0
    }

    /// The account that acts and pays.
    pub fn sender(&self) -> Address {
        self.0.sender()
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
