//! One value, one encoding: whatever decodes encodes to the same bytes, for every type that travels or is
//! stored.

use consensus::{
    nakamoto, pbft,
    tendermint::{self, Commit},
};
use crypto::codec::{self, CodecError};
use ledger::{
    Block, Duty, Genesis, Header, Register, Slot, Transaction,
    query::{Finality, TransactionAnswer},
    state::AccountProof,
    vote::{Evidence, Member},
};
use replica::{
    gossip::Summary,
    packet::{Ask, Chained},
    testimony::{ClaimedStub, Hearsay},
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// The types, in the order of the first byte that chooses one.
pub const TYPES: [fn(&[u8]); 22] = [
    one_encoding::<Transaction>,
    one_encoding::<Block>,
    one_encoding::<Header>,
    one_encoding::<Vec<Transaction>>,
    one_encoding::<Genesis>,
    one_encoding::<Summary>,
    one_encoding::<Hearsay>,
    one_encoding::<Vec<ClaimedStub>>,
    one_encoding::<Ask>,
    one_encoding::<Vec<Chained>>,
    one_encoding::<Finality>,
    one_encoding::<AccountProof>,
    one_encoding::<Vec<Member>>,
    one_encoding::<Evidence>,
    one_encoding::<Register>,
    one_encoding::<Vec<Duty>>,
    one_encoding::<Commit>,
    one_encoding::<tendermint::Message>,
    one_encoding::<pbft::Message>,
    one_encoding::<nakamoto::Message>,
    one_encoding::<(u64, Option<Slot>, String, Vec<Vec<u8>>, [u8; 32], bool)>,
    one_encoding::<TransactionAnswer>,
];

/// The first byte chooses a type, the rest is its encoding, perhaps.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    TYPES[usize::from(*which) % TYPES.len()](bytes);
}

/// Panics if these bytes decode to a value that is not spelt so.
pub fn one_encoding<T: Serialize + DeserializeOwned + Debug>(bytes: &[u8]) {
    let Ok(value) = codec::decode::<T>(bytes, codec::LONGEST) else { return };
    assert_eq!(codec::encode(&value), bytes, "{value:?} has two encodings");
    assert_eq!(codec::encoded_len(&value), bytes.len(), "{value:?} is not as long as it is");
    let Some(limit) = bytes.len().checked_sub(1) else { return };
    let refused = codec::decode::<T>(bytes, limit).err();
    assert_eq!(refused, Some(CodecError::TooLong { len: bytes.len(), limit }));
}
