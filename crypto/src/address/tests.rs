use proptest::prelude::*;

use super::*;
use crate::PublicKey;

/// The address of RFC 8032's first public key, computed in Python by the pseudocode of BIP-350.
const FIRST: &str = "byz12aza2ftcl7yrdpe97vaamlt2p75v940dxxpyfs";

/// The same bytes with BIP-173's checksum.
const FIRST_IN_PLAIN_BECH32: &str = "byz12aza2ftcl7yrdpe97vaamlt2p75v940dn63gvj";

fn first() -> Address {
    let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    key.parse::<PublicKey>().unwrap().address()
}

fn fault(text: &str) -> AddressFault {
    let error = text.parse::<Address>().unwrap_err();
    assert_eq!(error.value, text);
    error.fault
}

#[test]
fn a_key_has_the_address_an_independent_encoder_gives_it() {
    assert_eq!(hex::encode(first().as_bytes()), "5745d52578ff88368725f33bddfd6a0fa8c2d5ed");
    assert_eq!(first().to_string(), FIRST);
    assert_eq!(format!("{:?}", first()), FIRST);
    assert_eq!(FIRST.len(), LENGTH);
}

#[test]
fn capitals_are_accepted_and_mixtures_refused() {
    assert_eq!(FIRST.to_uppercase().parse(), Ok(first()));
    assert_eq!(fault(&FIRST.replace("byz", "Byz")), AddressFault::MixedCase);
    assert_eq!(fault(&FIRST.replace("byz", "BYZ")), AddressFault::MixedCase);
}

#[test]
fn a_wrong_address_is_refused_in_words_a_person_understands() {
    let bitcoin = "bc12aza2ftcl7yrdpe97vaamlt2p75v940d86xpca";
    assert_eq!(fault(bitcoin), AddressFault::WrongPrefix);
    assert_eq!(fault(""), AddressFault::WrongPrefix);
    assert_eq!(fault("éééé"), AddressFault::WrongPrefix);
    assert_eq!(fault(FIRST_IN_PLAIN_BECH32), AddressFault::PlainBech32);
    assert_eq!(fault(&FIRST[..41]), AddressFault::WrongLength { found: 41 });
    assert_eq!(fault("byz1"), AddressFault::WrongLength { found: 4 });
    assert_eq!(fault(&FIRST.replace("xx", "bx")), AddressFault::WrongCharacter('b'));
    assert_eq!(fault(&FIRST.replace("xx", "1x")), AddressFault::WrongCharacter('1'));
    assert_eq!(fault(&FIRST.replace("xx", "éx")), AddressFault::WrongCharacter('é'));
    assert_eq!(fault(&FIRST.replace("xx", "xq")), AddressFault::BadChecksum);
    assert_eq!(
        FIRST[..41].parse::<Address>().unwrap_err().to_string(),
        format!(
            "{:?} is not an address: it has 41 characters instead of 42; \
             was it copied completely?",
            &FIRST[..41]
        )
    );
}

#[test]
fn a_valid_string_of_another_length_is_refused() {
    for length in [0, 19, 21, 32] {
        let text = bech32::encode::<Bech32m>(HRP, &vec![7; length]).unwrap();
        let found = text.len();
        assert_eq!(fault(&text), AddressFault::WrongLength { found });
    }
}

#[test]
fn serde_writes_text_for_people_and_bytes_for_machines() {
    let json = serde_json::to_string(&first()).unwrap();
    assert_eq!(json, format!("\"{FIRST}\""));
    assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), first());
    let bytes = crate::codec::encode(&first());
    assert_eq!(bytes, first().as_bytes());
    assert_eq!(crate::codec::decode(&bytes, 20), Ok(first()));
}

proptest! {
    #[test]
    fn every_address_returns(bytes: [u8; 20]) {
        let address = Address::from_bytes(bytes);
        prop_assert_eq!(address.to_string().parse(), Ok(address));
    }

    #[test]
    fn one_wrong_character_is_refused(
        bytes: [u8; 20],
        position in 0..LENGTH,
        character in "[ -~]",
    ) {
        let honest = Address::from_bytes(bytes).to_string();
        let mut mistyped = honest.clone();
        mistyped.replace_range(position..=position, &character);
        prop_assume!(mistyped != honest);
        prop_assert!(mistyped.parse::<Address>().is_err(), "{}", mistyped);
    }

    #[test]
    fn one_lost_or_added_or_swapped_character_is_refused(
        bytes: [u8; 20],
        position in 0..LENGTH - 1,
    ) {
        let honest = Address::from_bytes(bytes).to_string();
        let (head, tail) = honest.split_at(position);
        let lost = format!("{head}{}", &tail[1..]);
        let added = format!("{head}q{tail}");
        prop_assert!(lost.parse::<Address>().is_err());
        prop_assert!(added.parse::<Address>().is_err());
        let swapped = format!("{head}{}{}{}", &tail[1..2], &tail[..1], &tail[2..]);
        if swapped != honest {
            prop_assert!(swapped.parse::<Address>().is_err());
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text: String) {
        prop_assert!(text.parse::<Address>().is_err());
        let prefixed = PREFIX.to_owned() + &text;
        prop_assert!(prefixed.parse::<Address>().is_err());
    }
}
