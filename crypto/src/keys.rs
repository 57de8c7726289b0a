//! Ed25519 keys and signatures (RFC 8032), verified strictly.
//!
//! RFC 8032 leaves verifiers some freedom, and libraries use it differently. Replicas cannot
//! afford that: a signature must count for all of them or for none. So there is one rule here.
//! A public key counts if it is the canonical encoding of a point that is not of small order, and
//! a signature counts if `verify_strict` says so: canonical `S`, an `R` not of small order, and the
//! equation without the cofactor. Small-order keys are refused because one signature by such a key
//! is valid for almost every message. Batches are never used, since a batch can accept what single
//! checks refuse.

use std::fmt;

use ed25519_dalek::SigningKey;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Address;
use crate::fixed::{fixed_bytes, hex_text};
use crate::hash::{Domain, tagged};

mod ring;

pub use ring::KeyRing;

#[cfg(test)]
mod tests;

/// A public key as it travels: 32 bytes that nobody has checked yet. [`PublicKey::verifying`]
/// checks them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

fixed_bytes!(PublicKey, 32);
hex_text!(PublicKey, "a public key");

impl PublicKey {
    /// Checks one signature. This decompresses the key each time; whoever checks many signatures
    /// of one signer keeps its [`VerifyingKey`], and of many signers, a [`KeyRing`].
    ///
    /// # Errors
    ///
    /// [`BadSignature`] if the signature does not count, or the key itself does not.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = self.verifying().map_err(|_| BadSignature)?;
        key.verify(message, signature)
    }

    /// The key as a checked point of the curve, ready to verify with.
    ///
    /// # Errors
    ///
    /// [`BadKey`] if the bytes are no point, a second spelling of one, or a point of small order.
    pub fn verifying(&self) -> Result<VerifyingKey, BadKey> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).map_err(|_| BadKey(*self))?;
        if key.is_weak() || !self.is_canonical() {
            return Err(BadKey(*self));
        }
        Ok(VerifyingKey(key))
    }

    /// The address of the account this key controls.
    pub fn address(&self) -> Address {
        let hash = tagged(Domain::Address, &self.0);
        let first = hash.as_bytes().first_chunk();
        let first = first.expect("a hash is longer than an address");
        Address::from_bytes(*first)
    }

    /// Whether the y-coordinate is below the field's prime, 2^255 - 19, as RFC 8032 §5.1.3 demands.
    /// The decoder beneath does not ask, and would give nineteen values a second spelling each.
    fn is_canonical(&self) -> bool {
        let [lowest, middle @ .., highest] = &self.0;
        let sign_removed = highest & 0x7f;
        *lowest < 0xed || sign_removed != 0x7f || middle.iter().any(|byte| *byte != 0xff)
    }
}

/// A public key that has been checked and decompressed, so that verifying with it is quick.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Checks one signature, strictly.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] if the signature does not count for this key and this message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| BadSignature)
    }

    /// The key as it travels.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({:?})", self.public())
    }
}

/// An Ed25519 signature: 64 bytes, `R` then `S`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

fixed_bytes!(Signature, 64);
hex_text!(Signature, "a signature");

/// A secret key. It is wiped from memory when dropped, prints nothing secret, and cannot be
/// serialized by accident: whoever stores it asks for its [`seed`](SecretKey::seed) by name.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key that grows from 32 secret bytes (RFC 8032 §5.1.5).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// A fresh key from the operating system's randomness. Only the node, the wallet and the
    /// testnet call this: below them every key comes from a seed, so that a run can be repeated.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness to give, since no key made then would be secret.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).expect("the operating system provides randomness");
        Self(SigningKey::from_bytes(&seed))
    }

    /// The 32 secret bytes, wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message. The same key and message always give the same signature (RFC 8032 §5.1.6).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = ed25519_dalek::Signer::sign(&self.0, message);
        Signature(signature.to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey(of {:?})", self.public())
    }
}

/// A signature that does not count for its key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not belong to this message and public key")]
pub struct BadSignature;

/// A public key that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{0} is not a usable Ed25519 public key: \
     it is no point of the curve, a second spelling of one, or of small order"
)]
pub struct BadKey(pub PublicKey);
