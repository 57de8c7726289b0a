//! Every transaction that touches an account, read from the chain and kept beside the keys.
//!
//! A node is not asked for a history, since nothing could prove that it is complete. It is asked
//! for the blocks themselves, from the genesis on, and
//! [`verify_blocks`](crate::verify::blocks::verify_blocks) proves that they are final and that none
//! is left out. What touches the account is kept in a [`Cache`], with the proof of the block up to
//! which it was read, so that the next call reads on from there. That proof is checked again each
//! time: what was kept has to follow from the genesis just as what a node says.
//!
//! Where blocks are found by work nothing is final: there a [`BranchCache`] keeps what was read of the
//! heaviest chain, and goes back when that chain does.
//!
//! An account is touched as the sender or the recipient, and, on a chain that rewards blocks, as the
//! proposer of a block, which earns the reward and the fees. Where blocks are not rewarded the fees
//! that a validator earns are not listed.

mod branch;
mod cache;
mod entry;
mod lines;

pub use branch::{BranchCache, Kept};
pub use cache::{Cache, CacheError, Damage};
pub use entry::{Direction, Entry, Kind, Rewards, of_block};
pub use lines::Entries;
