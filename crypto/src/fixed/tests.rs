//! Words are only quicker: the bytes are those of one byte after the other.

use super::*;
use crate::codec::{decode, encode, encoded_len};
use proptest::prelude::*;
use serde::Serialize;

/// Any number of bytes, in the form under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InWords<const N: usize>([u8; N]);

impl<const N: usize> fmt::Display for InWords<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> std::str::FromStr for InWords<N> {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        parse_hex(text, "bytes").map(Self)
    }
}

impl<const N: usize> From<[u8; N]> for InWords<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> Serialize for InWords<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, &self.0, serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for InWords<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer)
    }
}

/// The plain form: one element for each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OneByOne<const N: usize>([u8; N]);

impl<const N: usize> Serialize for OneByOne<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for byte in &self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
}

impl<'de, const N: usize> Deserialize<'de> for OneByOne<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Plain<const N: usize>;

        impl<'de, const N: usize> Visitor<'de> for Plain<N> {
            type Value = OneByOne<N>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{N} bytes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                let mut bytes = [0; N];
                for byte in &mut bytes {
                    *byte = from.next_element()?.ok_or_else(|| A::Error::custom("too few"))?;
                }
                Ok(OneByOne(bytes))
            }
        }

        deserializer.deserialize_tuple(N, Plain::<N>)
    }
}

/// Both forms encode to the same bytes, decode each other's, and refuse the same.
fn agree<const N: usize>(bytes: &[u8]) -> Result<(), TestCaseError> {
    let bytes: [u8; N] = bytes[..N].try_into().expect("just cut");
    let (words, plain) = (InWords(bytes), OneByOne(bytes));
    let encoded = encode(&words);
    prop_assert_eq!(&encoded, &bytes, "its bytes and nothing else");
    prop_assert_eq!(&encoded, &encode(&plain));
    prop_assert_eq!(encoded_len(&words), N);
    prop_assert_eq!(decode::<InWords<N>>(&encoded, N), Ok(words));
    prop_assert_eq!(decode::<OneByOne<N>>(&encoded, N), Ok(plain));
    for short in 0..N {
        prop_assert!(decode::<InWords<N>>(&encoded[..short], N).is_err());
    }
    // In a row and between other values nothing shifts.
    let row = vec![(7_u8, words, 9_u64); 3];
    let plain_row = vec![(7_u8, plain, 9_u64); 3];
    let encoded = encode(&row);
    prop_assert_eq!(&encoded, &encode(&plain_row));
    prop_assert_eq!(decode::<Vec<(u8, InWords<N>, u64)>>(&encoded, encoded.len()), Ok(row));
    Ok(())
}

proptest! {
    #[test]
    fn words_encode_and_decode_as_single_bytes_do(bytes in prop::collection::vec(any::<u8>(), 64)) {
        // What is in use: hashes and keys, signatures, addresses.
        agree::<32>(&bytes)?;
        agree::<64>(&bytes)?;
        agree::<20>(&bytes)?;
        // Every remainder.
        agree::<0>(&bytes)?;
        agree::<1>(&bytes)?;
        agree::<7>(&bytes)?;
        agree::<13>(&bytes)?;
        agree::<23>(&bytes)?;
    }

    #[test]
    fn people_still_get_text(bytes in any::<[u8; 20]>()) {
        let text = serde_json::to_string(&InWords(bytes)).expect("text");
        prop_assert_eq!(&text, &format!("\"{}\"", hex::encode(bytes)));
        prop_assert_eq!(serde_json::from_str::<InWords<20>>(&text).expect("its own"), InWords(bytes));
    }
}
