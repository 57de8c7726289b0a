//! Hashes of bytes that differ only at their end, which is what a search for proof-of-work tries.

use super::{Domain, Hash};
use sha2::block_api::compress256;

#[cfg(test)]
mod tests;

/// Bytes that a block of SHA-256 holds.
const BLOCK: usize = 64;

/// Bytes that come last and are different each time.
const LAST: usize = 8;

/// Bytes at the end of the last block that tell how long the message was.
const LENGTH: usize = 8;

/// The state before the first block (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A tagged hash that lacks nothing but its last eight bytes. Every block they do not reach is
/// compressed already, so that finishing costs one compression, or two where the last bytes or the
/// padding reach over the end of a block. [`super::Hasher`] can be copied to the same purpose, but
/// copying and padding its buffer costs as much as the compression.
///
/// ```
/// use crypto::hash::{Domain, Midstate, tagged};
///
/// let midstate = Midstate::new(Domain::Header, b"nonce ");
/// assert_eq!(midstate.finish(*b"00000007"), tagged(Domain::Header, b"nonce 00000007"));
/// ```
#[derive(Clone, Debug)]
pub struct Midstate {
    state: [u32; 8],
    /// What is left of the message, with zeros for the last bytes, and its padding.
    rest: [u8; 2 * BLOCK],
    /// Where the last bytes belong in it.
    place: usize,
    /// How many blocks of it there are: one or two.
    blocks: usize,
}

impl Midstate {
    /// Takes in the tag of `domain` and everything `before` the last eight bytes.
    pub fn new(domain: Domain, before: &[u8]) -> Self {
        let tag = super::sha256(domain.tag().as_bytes());
        let message = [tag.as_ref(), tag.as_ref(), before].concat();
        let (whole, partial) = message.as_chunks::<BLOCK>();
        let mut state = START;
        compress256(&mut state, whole);

        let place = partial.len();
        let end = place + LAST;
        // The padding is a one bit, zeros, and the length of the message in bits (section 5.1.1).
        let blocks = (end + 1 + LENGTH).div_ceil(BLOCK);
        let bits = (message.len() + LAST) as u64 * 8;
        let mut rest = [0; 2 * BLOCK];
        rest[..place].copy_from_slice(partial);
        rest[end] = 0x80;
        rest[blocks * BLOCK - LENGTH..blocks * BLOCK].copy_from_slice(&bits.to_be_bytes());
        Self { state, rest, place, blocks }
    }

    /// The hash with these bytes at the end. The same [`Midstate`] can be finished any number of
    /// times.
    pub fn finish(&self, last: [u8; LAST]) -> Hash {
        let (mut state, mut rest) = (self.state, self.rest);
        rest[self.place..self.place + LAST].copy_from_slice(&last);
        let (blocks, _) = rest.as_chunks::<BLOCK>();
        compress256(&mut state, &blocks[..self.blocks]);
        let mut hash = [0; 32];
        for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        Hash(hash)
    }
}
