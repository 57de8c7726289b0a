use std::collections::BTreeSet;

use super::*;
use crate::fixed::{HexError, HexFault};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn fips_180_4_examples() {
    let bits_448 = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let bits_896 = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
                    hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    let million = "a".repeat(1_000_000);
    for (message, expected) in [
        ("abc", ABC),
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (bits_448, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        (bits_896, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"),
        (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ] {
        assert_eq!(sha256(message.as_bytes()).to_string(), expected);
    }
}

#[test]
fn a_tagged_hash_is_bip_340s() {
    for domain in Domain::ALL {
        let tag = sha256(domain.tag().as_bytes());
        let spelled_out = [tag.as_ref(), tag.as_ref(), b"abc"].concat();
        assert_eq!(tagged(domain, b"abc"), sha256(&spelled_out), "{domain:?}");
    }
    // Computed with Python's hashlib.
    assert_eq!(
        tagged(Domain::Vote, b"abc").to_string(),
        "36f1ec89eea5e4b2d4f48ed5c17412fc15624ff573a4fdcc8e26a5439f52a851"
    );
}

#[test]
fn every_domain_has_a_hash_of_its_own() {
    let hashes = Domain::ALL.map(|domain| tagged(domain, b""));
    assert_eq!(BTreeSet::from(hashes).len(), Domain::ALL.len());
    for (index, domain) in Domain::ALL.into_iter().enumerate() {
        assert_eq!(domain as usize, index, "{domain:?} is out of order");
        let name = format!("{domain:?}").to_lowercase();
        assert_eq!(domain.tag(), format!("byzantium/{name}"));
    }
}

#[test]
fn pieces_hash_like_the_whole() {
    let whole: Vec<u8> = (0..200).collect();
    for cut in 0..whole.len() {
        let (left, right) = whole.split_at(cut);
        let pieces = Hasher::new(Domain::Header).update(left).update(right);
        assert_eq!(pieces.finish(), tagged(Domain::Header, &whole));
    }
}

#[test]
fn a_hash_is_written_in_hexadecimal() {
    let hash = sha256(b"abc");
    assert_eq!(hash.to_string(), ABC);
    assert_eq!(format!("{hash:?}"), "ba7816bf..");
    assert_eq!(hash.short(), "ba7816bf");
    assert_eq!(ABC.parse(), Ok(hash));
    assert_eq!(ABC.to_uppercase().parse(), Ok(hash));
    assert_eq!(Hash::default(), Hash::ZERO);
}

#[test]
fn wrong_hexadecimal_is_refused_with_its_value() {
    let parse = |text: &str| text.parse::<Hash>().unwrap_err();
    assert_eq!(
        parse("abc").to_string(),
        r#""abc" is not a hash: it has 3 hexadecimal digits instead of 64"#
    );
    assert_eq!(
        parse("0xab").to_string(),
        r#""0xab" is not a hash: 'x' at position 1 is not a hexadecimal digit"#
    );
    let HexError { fault, .. } = parse(&format!("{ABC}00"));
    assert_eq!(fault, HexFault::Length { expected: 64, found: 66 });
    assert!(parse("").to_string().contains("0 hexadecimal digits"));
    assert!(parse(&"é".repeat(32)).to_string().contains("'é' at position 0"));
}

#[test]
fn an_error_repeats_only_the_beginning_of_a_long_value() {
    let error = "0".repeat(1_000_000).parse::<Hash>().unwrap_err();
    assert!(error.value.chars().count() < 200);
    assert!(error.value.ends_with('…'));
}

#[test]
fn serde_writes_text_for_people_and_bytes_for_machines() {
    let hash = sha256(b"abc");
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{ABC}\""));
    assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    assert!(serde_json::from_str::<Hash>("\"abc\"").is_err());
    assert!(serde_json::from_str::<Hash>("7").is_err());

    let bytes = crate::codec::encode(&hash);
    assert_eq!(bytes, hash.as_bytes());
    assert_eq!(crate::codec::decode(&bytes, 32), Ok(hash));
    assert!(crate::codec::decode::<Hash>(&bytes[..31], 32).is_err());
}
