//! What a decision means: transactions, blocks, state, and the tree of undecided blocks.
//!
//! The ledger executes what consensus orders. It never decides an order, never talks to a peer,
//! and reaches a disk only through [`store::Store`]. Everything here is deterministic integer
//! arithmetic: replicas that execute the same blocks hold the same state, bit for bit.
//!
//! Read [`transaction`] and [`block`] first (the nouns), then [`state`] (what they do), then
//! [`chain`] (the tree of undecided blocks over the committed root). [`vote`] holds what every
//! consensus protocol signs, so that a wallet can check a proof without running a protocol.

pub mod block;
pub mod chain;
pub mod genesis;
pub mod ids;
pub mod leak;
pub mod query;
pub mod stake;
pub mod state;
pub mod store;
#[cfg(test)]
mod testing;
pub mod transaction;
pub mod units;
pub mod vote;

pub use block::{Block, Draft, Duty, Header, Proof, Rejected, Seal};
pub use chain::Ledger;
pub use genesis::Genesis;
pub use ids::{BlockHash, ChainId, ReplicaId, TransactionId};
pub use leak::{Leak, Share, Table};
pub use stake::{Register, Staking};
pub use transaction::{Action, Payload, Transaction, VerifiedTransaction};
pub use units::{Amount, Stake};
pub use vote::{Committee, Hand, Keys, Slot};
