use super::*;
use crate::hash::tagged;
use proptest::prelude::*;

#[test]
fn at_every_length_it_finishes_like_a_tagged_hash() {
    for length in 0..=3 * BLOCK {
        let before: Vec<u8> = (0..length).map(|place| place as u8).collect();
        let midstate = Midstate::new(Domain::Header, &before);
        for last in [[0; LAST], [0xff; LAST], *b"12345678"] {
            let whole = [&before[..], &last].concat();
            assert_eq!(midstate.finish(last), tagged(Domain::Header, &whole), "length {length}");
        }
    }
}

#[test]
fn one_block_is_left_where_last_bytes_and_padding_fit_into_it() {
    let left = |length| Midstate::new(Domain::Vote, &vec![7; length]).blocks;
    assert_eq!([left(0), left(47), left(48), left(63), left(64)], [1, 1, 2, 2, 1]);
}

proptest! {
    #[test]
    fn each_domain_has_its_own_and_finishing_changes_nothing(
        before in prop::collection::vec(any::<u8>(), 0..400),
        first: [u8; LAST],
        second: [u8; LAST],
    ) {
        for domain in Domain::ALL {
            let midstate = Midstate::new(domain, &before);
            let expected = [first, second, first].map(|last| {
                tagged(domain, &[&before[..], &last].concat())
            });
            let found = [first, second, first].map(|last| midstate.finish(last));
            prop_assert_eq!(found, expected);
        }
    }
}
