use super::*;
use proptest::prelude::*;

proptest! {
    /// It is taken in one piece and not byte by byte, and nobody can tell from what is written.
    #[test]
    fn a_proof_is_encoded_as_a_list_of_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let proof = Proof(bytes.clone());
        let encoded = codec::encode(&proof);
        prop_assert_eq!(&encoded, &codec::encode(&bytes));
        prop_assert_eq!(codec::decode::<Proof>(&encoded, 1_000), Ok(proof.clone()));
        let json = serde_json::to_string(&proof).unwrap();
        prop_assert_eq!(serde_json::from_str::<Proof>(&json).unwrap(), proof);
    }
}

#[test]
fn a_proof_that_claims_more_than_there_is_is_refused() {
    for claimed in [1, 65, 1 << 16, 1 << 40, u64::MAX] {
        let mut bytes = claimed.to_le_bytes().to_vec();
        assert!(codec::decode::<Proof>(&bytes, 1 << 20).is_err(), "{claimed} of nothing");
        bytes.extend([7; 64]);
        assert!(codec::decode::<Proof>(&bytes, 1 << 20).is_err(), "{claimed} of 64");
    }
}
