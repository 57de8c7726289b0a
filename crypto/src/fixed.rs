//! What all values of a fixed number of bytes share: their text, and their two forms in serde.
//!
//! In a human-readable format such a value is its text. In a binary format it is its bytes and
//! nothing else, without a length before them, because its type already fixes the length.
//!
//! Nearly every byte we sign, hash or send belongs to such a value, and serde hands a serializer
//! one element at a time. So the bytes go in words as wide as there are, read little-endian, which
//! [`crate::codec`] writes little-endian: the same bytes as one by one, several times as fast.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serializer};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// How much of a wrong value an error repeats. Whoever sent the value chose its length, and a log
/// line should not be theirs to fill.
const SHOWN: usize = 140;

/// A text that should have been hexadecimal and is not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{value:?} is not {what}: {fault}")]
pub struct HexError {
    /// What was expected, with its article: "a hash", "a public key", "a signature".
    pub what: &'static str,
    /// The value as it was given, shortened if it is very long.
    pub value: String,
    /// What is wrong with it.
    pub fault: HexFault,
}

/// What can be wrong with hexadecimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HexFault {
    /// A character outside `0-9`, `a-f` and `A-F`.
    #[error("{character:?} at position {position} is not a hexadecimal digit")]
    Digit {
        /// The character found.
        character: char,
        /// Its position in characters, counted from zero.
        position: usize,
    },
    /// Too few or too many digits.
    #[error("it has {found} hexadecimal digits instead of {expected}")]
    Length {
        /// How many digits there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

/// The `N` bytes that `text` spells in exactly `2 * N` hexadecimal digits of either case.
pub(crate) fn parse_hex<const N: usize>(
    text: &str,
    what: &'static str,
) -> Result<[u8; N], HexError> {
    let refuse = |fault| HexError { what, value: shorten(text), fault };
    let mut characters = text.chars().enumerate();
    if let Some((position, character)) = characters.find(|(_, c)| !c.is_ascii_hexdigit()) {
        return Err(refuse(HexFault::Digit { character, position }));
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| refuse(HexFault::Length { expected: 2 * N, found: text.len() }))?;
    Ok(bytes)
}

/// The value as an error message repeats it.
pub(crate) fn shorten(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Serializes `bytes` as `text` for people and as themselves for machines.
pub(crate) fn serialize<const N: usize, S: Serializer>(
    text: &impl fmt::Display,
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return serializer.collect_str(text);
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let (halves, rest) = rest.as_chunks::<4>();
    let mut tuple = serializer.serialize_tuple(elements::<N>())?;
    for word in words {
        tuple.serialize_element(&u64::from_le_bytes(*word))?;
    }
    for half in halves {
        tuple.serialize_element(&u32::from_le_bytes(*half))?;
    }
    for byte in rest {
        tuple.serialize_element(byte)?;
    }
    tuple.end()
}

/// How many elements `N` bytes make: words, at most one half of a word, and what is left.
const fn elements<const N: usize>() -> usize {
    N / 8 + N % 8 / 4 + N % 4
}

/// Reads back what [`serialize`] wrote.
pub(crate) fn deserialize<'de, const N: usize, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err: fmt::Display> + From<[u8; N]>,
    D: Deserializer<'de>,
{
    if deserializer.is_human_readable() {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    } else {
        deserializer.deserialize_tuple(elements::<N>(), BytesVisitor::<N>).map(T::from)
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: std::str::FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

struct BytesVisitor<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for BytesVisitor<N> {
    type Value = [u8; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<[u8; N], A::Error> {
        let mut bytes = [0; N];
        let (words, rest) = bytes.as_chunks_mut::<8>();
        let (halves, rest) = rest.as_chunks_mut::<4>();
        for word in words {
            *word = next::<N, u64, A>(&mut sequence)?.to_le_bytes();
        }
        for half in halves {
            *half = next::<N, u32, A>(&mut sequence)?.to_le_bytes();
        }
        for byte in rest {
            *byte = next::<N, u8, A>(&mut sequence)?;
        }
        Ok(bytes)
    }
}

fn next<'de, const N: usize, T, A>(sequence: &mut A) -> Result<T, A::Error>
where
    T: Deserialize<'de>,
    A: SeqAccess<'de>,
{
    sequence.next_element()?.ok_or_else(|| A::Error::custom(format_args!("fewer than {N} bytes")))
}

/// Gives a newtype over `[u8; N]` its conversions and its two forms in serde. The type brings its
/// own `Display` and `FromStr`.
macro_rules! fixed_bytes {
    ($name:ident, $length:literal) => {
        impl $name {
            /// Wraps these bytes as they are.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes, borrowed.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// The bytes, copied.
            pub const fn to_bytes(self) -> [u8; $length] {
                self.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::fixed::serialize(self, &self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::fixed::deserialize::<$length, _, _>(deserializer)
            }
        }
    };
}

/// Gives a newtype over `[u8; N]` its hexadecimal text: lowercase in full for `Display`, the first
/// eight digits for `Debug`, and `FromStr` for exactly `2 * N` digits of either case.
macro_rules! hex_text {
    ($name:ident, $what:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut text = [0; 2 * size_of::<$name>()];
                hex::encode_to_slice(self.0, &mut text).expect("the text has just that room");
                formatter.pad(std::str::from_utf8(&text).expect("digits are text"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}..", hex::encode(&self.0[..4]))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::fixed::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::fixed::parse_hex(text, $what).map(Self)
            }
        }
    };
}

pub(crate) use {fixed_bytes, hex_text};
