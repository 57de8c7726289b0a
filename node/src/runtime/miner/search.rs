//! What one try costs: one compression of SHA-256.
//!
//! A header's hash begins with the 64 bytes of its domain's tag, and the header's 224 bytes follow.
//! The nonce is the last eight of them. So three of the header's blocks are the same for every
//! nonce, and the fourth holds 32 bytes of header and the padding. The state before that fourth
//! block is computed once; a try copies it, adds eight bytes and compresses one block. Bitcoin's
//! double hash of 80 bytes costs two compressions with the same trick.

use crypto::{Domain, Hash, codec, hash::Midstate};
use ledger::Header;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// Nonces that one thread takes at a time: some 50 µs of work.
pub(super) const BATCH: u64 = 1_024;

/// Bytes of the nonce, which ends a header's encoding.
const NONCE: usize = size_of::<u64>();

/// One header to search, shared by the threads that do.
#[derive(Debug)]
pub(super) struct Job {
    header: Header,
    target: Target,
    /// The hash of everything before the nonce, unfinished.
    before_nonce: Midstate,
    /// The first nonce that nobody has taken yet.
    next: AtomicU64,
    over: AtomicBool,
}

/// What became of some nonces.
#[derive(Debug)]
pub(super) struct Batch {
    /// How many were tried.
    pub(super) tries: u64,
    /// The header with the first nonce among them that meets the target.
    pub(super) found: Option<Header>,
}

impl Job {
    /// The search begins at the header's own nonce.
    pub(super) fn new(header: Header, target: [u8; 32]) -> Job {
        let encoded = codec::encode(&header);
        let (before, _nonce) = encoded.split_at(encoded.len() - NONCE);
        Job {
            target: Target::new(target),
            before_nonce: Midstate::new(Domain::Header, before),
            next: AtomicU64::new(header.seal.nonce),
            over: AtomicBool::new(false),
            header,
        }
    }

    /// Tries nonces that nobody else tries.
    pub(super) fn try_batch(&self) -> Batch {
        // Whoever reads the counter after us takes later nonces; nothing else rests on its order.
        let first = self.next.fetch_add(BATCH, Ordering::Relaxed);
        for place in 0..BATCH {
            let nonce = first.wrapping_add(place);
            let hash = self.hash(nonce);
            if self.target.is_met_by(&hash) {
                let mut header = self.header.clone();
                header.seal.nonce = nonce;
                assert_eq!(header.hash().0, hash, "the shortcut gives the header's own hash");
                return Batch { tries: place + 1, found: Some(header) };
            }
        }
        Batch { tries: BATCH, found: None }
    }

    /// Ends the search. Whether this was the call that did: of several threads that find something
    /// at the same time, one has won.
    pub(super) fn end(&self) -> bool {
        !self.over.swap(true, Ordering::Relaxed)
    }

    /// Whether it has ended: somebody has won, or there is a newer header.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// How many nonces have been taken, if the header's own is zero.
    #[cfg(test)]
    pub(super) fn taken(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn hash(&self, nonce: u64) -> Hash {
        self.before_nonce.finish(nonce.to_le_bytes())
    }
}

/// The highest hash that counts as found. Hashes are read as little-endian numbers.
#[derive(Debug)]
struct Target {
    bytes: [u8; 32],
    /// The most significant eight bytes, which decide nearly always.
    top: u64,
}

impl Target {
    fn new(bytes: [u8; 32]) -> Target {
        Target { top: top(&bytes), bytes }
    }

    fn is_met_by(&self, hash: &Hash) -> bool {
        let hash = hash.as_bytes();
        top(hash) <= self.top && hash.iter().rev().le(self.bytes.iter().rev())
    }
}

fn top(number: &[u8; 32]) -> u64 {
    u64::from_le_bytes(*number.last_chunk().expect("it has 32 bytes"))
}
