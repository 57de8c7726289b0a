//! The mathematics everything else trusts: hashes, Ed25519 keys and signatures, Merkle trees,
//! addresses, and the one canonical encoding in which values are hashed, signed and sent.
//!
//! # What it never does
//!
//! It does no I/O, keeps no clock and iterates nothing in a random order. Randomness is drawn in
//! one place only, [`SecretKey::generate`]. It never verifies signatures in batches or leniently,
//! because replicas that disagree about one signature disagree about a block. It never panics on
//! bytes a stranger sent: whatever comes from outside is answered with a typed error.
//!
//! # What to read first
//!
//! - [`hash`]: why every hash names its [`Domain`].
//! - [`codec`]: why a value has exactly one encoding, and what that asks of its type.
//! - [`keys`]: which public keys and signatures count.
//! - [`merkle`]: what a path proves, and what it does not.
//! - [`address`]: how people write an account.

mod fixed;

pub mod address;
pub mod codec;
pub mod hash;
pub mod keys;
pub mod merkle;

pub use address::Address;
pub use fixed::{HexError, HexFault};
pub use hash::{Domain, Hash};
pub use keys::{KeyRing, PublicKey, SecretKey, Signature, VerifyingKey};
