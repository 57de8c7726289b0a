//! What is calculated of proof-of-work, as far as it is calculated of those who vote, too.

use crate::theory::Theory;

/// Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System", 2008, section 5.
///
/// A block is told to everybody else once. It is never decided, so no hops count, and nobody leads.
/// Without R9: each who adopts a block passes it on to `pow.relay` others besides.
pub(super) const THEORY: Theory = Theory {
    kinds: &["block"],
    messages: |n| n - 1,
    upkeep: None,
    hops: None,
    dead_leaders: None,
    turns: None,
    settings: &[("pow.relay", 0)],
};
