//! The one canonical encoding, in which values are hashed, signed, stored and sent.
//!
//! The bytes are bincode's legacy layout: integers little-endian at their full width, lengths as
//! `u64`, enum variants as `u32`, fields one after the other. [`decode`] accepts exactly what
//! [`encode`] produces: it demands that all bytes are used and that the value encodes to the same
//! bytes again. So a hash of a value and a hash of its bytes are the same thing, and nobody can
//! send one value under two names.
//!
//! What this asks of a type: sorted vectors instead of hash maps, no zero-sized elements in a
//! sequence (eight hostile bytes could claim 2^60 of them, at no cost in length), and no recursion
//! without a bound of its own (each level would cost stack).

use bincode::config::{self, Config};
use bincode::enc::write::{SizeWriter, Writer};
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// No encoding longer than this is ever decoded, whatever limit the caller names: 16 MiB.
pub const LONGEST: usize = 16 * MIB;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What nearly every message stays below, and so how far a hostile length inside it can reach.
const COMMON: usize = 64 * KIB;

/// Bytes that are not the encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CodecError {
    /// There are more bytes than the caller, or [`LONGEST`], allows.
    #[error("the encoding has {len} bytes, and at most {limit} are allowed")]
    TooLong {
        /// How many bytes there are.
        len: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The bytes do not spell a value of this type.
    #[error("the bytes are no encoding of this type: {0}")]
    Malformed(String),
    /// A value was read, and bytes were left over.
    #[error("{left} bytes are left over after the value")]
    Trailing {
        /// How many bytes follow the value.
        left: usize,
    },
    /// The value has another encoding than these bytes.
    #[error("the bytes are not the canonical encoding of their value")]
    NotCanonical,
}

/// The canonical bytes of a value.
///
/// # Panics
///
/// If the type cannot be serialized at all, for instance because it has sequences of unknown
/// length or its `Serialize` fails. That is our own mistake and never depends on a peer.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    // Counting first is cheaper than growing while writing.
    let mut bytes = vec![0; encoded_len(value)];
    let written = bincode::serde::encode_into_slice(value, &mut bytes, config::legacy())
        .expect("every wire type can be encoded");
    assert_eq!(written, bytes.len(), "a value has one encoding, however often it is asked for");
    bytes
}

/// How many bytes [`encode`] would produce, counted without producing them.
///
/// # Panics
///
/// As [`encode`] does.
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counter = SizeWriter::default();
    write(value, &mut counter).expect("every wire type can be encoded");
    counter.bytes_written
}

/// The value whose canonical encoding is exactly `bytes`.
///
/// Memory is bounded before anything is read. Strings and byte buffers may claim at most 64 KiB,
/// or 16 MiB if the input itself is longer than 64 KiB; any other sequence reserves at most 1 MiB
/// on its claim alone and grows only by elements that are really there.
///
/// # Errors
///
/// See [`CodecError`]. The length is checked first, before anything is allocated.
pub fn decode<T: DeserializeOwned + Serialize>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    let limit = limit.min(LONGEST);
    let len = bytes.len();
    if len > limit {
        return Err(CodecError::TooLong { len, limit });
    }
    // bincode takes its limit as a constant. Two steps keep the claim a hostile length can make
    // in proportion, and every further one would compile each wire type's decoder once more.
    let (value, used) = if len <= COMMON {
        read(bytes, config::legacy().with_limit::<COMMON>())?
    } else {
        read(bytes, config::legacy().with_limit::<LONGEST>())?
    };
    if used < len {
        return Err(CodecError::Trailing { left: len - used });
    }
    if !encodes_to(&value, bytes) {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

fn read<T: DeserializeOwned, C: Config>(bytes: &[u8], config: C) -> Result<(T, usize), CodecError> {
    bincode::serde::decode_from_slice(bytes, config)
        .map_err(|error: DecodeError| CodecError::Malformed(error.to_string()))
}

fn write<T: Serialize + ?Sized>(value: &T, writer: impl Writer) -> Result<(), EncodeError> {
    bincode::serde::encode_into_writer(value, writer, config::legacy())
}

/// Whether `value` encodes to `bytes`, found by comparing while it is written.
fn encodes_to<T: Serialize>(value: &T, bytes: &[u8]) -> bool {
    let mut comparison = Comparison { ahead: bytes };
    write(value, &mut comparison).is_ok() && comparison.ahead.is_empty()
}

/// A writer that accepts only the bytes it expects.
struct Comparison<'a> {
    ahead: &'a [u8],
}

impl Writer for Comparison<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.ahead =
            self.ahead.strip_prefix(bytes).ok_or(EncodeError::Other("the bytes differ"))?;
        Ok(())
    }
}
