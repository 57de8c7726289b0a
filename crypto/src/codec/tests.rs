use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::Hash;

/// A value with a bit of everything that travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Sample {
    Nothing,
    Pair(u8, bool),
    Record {
        height: u64,
        parent: Hash,
        seal: Option<i128>,
        name: String,
        letter: char,
        body: Vec<u8>,
        parts: Vec<Sample>,
    },
}

fn samples() -> impl Strategy<Value = Sample> {
    let leaf = prop_oneof![
        Just(Sample::Nothing),
        any::<(u8, bool)>().prop_map(|(number, flag)| Sample::Pair(number, flag)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let fields = any::<(u64, [u8; 32], Option<i128>, String, char, Vec<u8>)>();
        (fields, prop::collection::vec(inner, 0..4)).prop_map(|(fields, parts)| {
            let (height, parent, seal, name, letter, body) = fields;
            Sample::Record { height, parent: parent.into(), seal, name, letter, body, parts }
        })
    })
}

fn refusal<T: DeserializeOwned + Serialize + std::fmt::Debug>(bytes: &[u8]) -> CodecError {
    decode::<T>(bytes, LONGEST).unwrap_err()
}

#[test]
fn the_layout_is_fixed() {
    let value = (1_u16, Some("ab"), vec![7_u32], Sample::Pair(9, true));
    let bytes = [
        &[1, 0][..],                          // u16, little-endian
        &[1, 2, 0, 0, 0, 0, 0, 0, 0, 97, 98], // present; length as u64; the text
        &[1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0],
        &[1, 0, 0, 0, 9, 1], // variant as u32; its fields
    ];
    assert_eq!(encode(&value), bytes.concat());
    assert_eq!(encoded_len(&value), 2 + 11 + 12 + 6);
    assert_eq!(encode("ab"), encode(&String::from("ab")));
}

#[test]
fn too_long_is_refused_before_it_is_read() {
    let bytes = encode(&vec![0_u8; 92]);
    assert_eq!(decode::<Vec<u8>>(&bytes, 100), Ok(vec![0; 92]));
    assert_eq!(decode::<Vec<u8>>(&bytes, 99), Err(CodecError::TooLong { len: 100, limit: 99 }));
    let limit = LONGEST;
    let len = limit + 1;
    assert_eq!(
        decode::<Vec<u8>>(&vec![0; len], usize::MAX),
        Err(CodecError::TooLong { len, limit })
    );
}

#[test]
fn values_of_any_allowed_length_return() {
    for content in [COMMON - 9, COMMON - 8, COMMON - 7, COMMON, LONGEST - 8] {
        let text = "a".repeat(content);
        assert_eq!(decode(&encode(&text), LONGEST), Ok(text));
    }
    let numbers: Vec<u64> = (0..100_000).collect();
    assert_eq!(decode(&encode(&numbers), LONGEST), Ok(numbers));
}

#[test]
fn what_is_left_over_is_refused() {
    assert_eq!(refusal::<u16>(&[1, 0, 5, 5]), CodecError::Trailing { left: 2 });
}

#[test]
fn a_second_encoding_is_refused() {
    let honest = encode(&BTreeMap::from([(1_u8, 10_u8), (2, 20)]));
    assert!(decode::<BTreeMap<u8, u8>>(&honest, LONGEST).is_ok());
    let entries = honest.len() - 4;
    let unsorted = [&honest[..entries], &[2, 20, 1, 10]].concat();
    let doubled = [&honest[..entries], &[1, 10, 1, 10]].concat();
    for bytes in [unsorted, doubled] {
        assert_eq!(refusal::<BTreeMap<u8, u8>>(&bytes), CodecError::NotCanonical);
    }
}

#[test]
fn bytes_that_spell_no_value_are_refused() {
    let is_malformed = |error| matches!(error, CodecError::Malformed(_));
    assert!(is_malformed(refusal::<bool>(&[2])));
    assert!(is_malformed(refusal::<Option<u8>>(&[2, 0])));
    assert!(is_malformed(refusal::<Sample>(&[3, 0, 0, 0])));
    assert!(is_malformed(refusal::<u64>(&[0; 7])));
    assert!(is_malformed(refusal::<String>(&encode(&vec![0xff_u8, 0xfe]))));
}

#[test]
fn a_hostile_length_cannot_reserve_memory() {
    // Reserving what these lengths claim would abort the process, so returning is the proof.
    for claim in [1 << 60, u64::MAX, 1 << 40] {
        let bytes = encode(&claim);
        assert!(decode::<Vec<u64>>(&bytes, LONGEST).is_err());
        assert!(decode::<Vec<Vec<Hash>>>(&encode(&(2_u64, claim)), LONGEST).is_err());
        assert!(decode::<Vec<u8>>(&bytes, LONGEST).is_err());
        assert!(decode::<String>(&bytes, LONGEST).is_err());
        assert!(decode::<BTreeMap<u8, u8>>(&bytes, LONGEST).is_err());

        // The larger of the two limits is in force for an input beyond the smaller one.
        let padded = [bytes, vec![0; COMMON]].concat();
        assert!(decode::<Vec<u64>>(&padded, LONGEST).is_err());
        assert!(decode::<String>(&padded, LONGEST).is_err());
    }
}

proptest! {
    #[test]
    fn every_value_returns(value in samples()) {
        let bytes = encode(&value);
        prop_assert_eq!(encoded_len(&value), bytes.len());
        prop_assert_eq!(decode(&bytes, bytes.len()), Ok(value));
    }

    #[test]
    fn mutated_bytes_fail_or_are_the_encoding_of_what_they_decode_to(
        value in samples(),
        position: prop::sample::Index,
        replacement: u8,
        cut: prop::sample::Index,
        tail in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let honest = encode(&value);
        let mut replaced = honest.clone();
        replaced[position.index(honest.len())] = replacement;
        let truncated = honest[..cut.index(honest.len())].to_vec();
        let extended = [&honest[..], &tail].concat();
        let spliced = [&honest[..cut.index(honest.len())], &tail].concat();
        for bytes in [replaced, truncated, extended, spliced] {
            if let Ok(decoded) = decode::<Sample>(&bytes, LONGEST) {
                prop_assert_eq!(encode(&decoded), bytes);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        if let Ok(decoded) = decode::<Sample>(&bytes, LONGEST) {
            prop_assert_eq!(encode(&decoded), bytes.clone());
        }
        if let Ok(decoded) = decode::<(Hash, Vec<Option<String>>)>(&bytes, LONGEST) {
            prop_assert_eq!(encode(&decoded), bytes);
        }
    }
}
