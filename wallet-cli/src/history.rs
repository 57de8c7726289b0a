//! Every final transaction that touches an account, read from the chain and kept beside the keys.
//!
//! A node is not asked for a history, since nothing could prove that it is complete. It is asked
//! for the blocks themselves, from the genesis on, and
//! [`verify_blocks`](crate::verify::blocks::verify_blocks) proves that they are final and that none
//! is left out. What touches the account is kept in a [`Cache`], with the proof of the block up to
//! which it was read, so that the next call reads on from there. That proof is checked again each
//! time: what was kept has to follow from the genesis just as what a node says.
//!
//! An account is touched as the sender or the recipient. The fees a validator earns are no
//! transactions and are not listed.

mod cache;
mod entry;

pub use cache::{Cache, CacheError, Damage, Entries};
pub use entry::{Direction, Entry, Kind, of_block};
