//! Whatever comes, opening it neither panics nor finds a second encoding of one value.

use super::*;
use crate::{
    gossip::{Dead, SlotSummary},
    testimony::{SlotHearsay, Tag},
    testing::{self, Word, believed, chain, hand, keys, say, transfer},
};
use crypto::Hash;
use ledger::{ReplicaId, Slot};
use proptest::prelude::*;

mod verifying;

fn block(height: u64, transactions: u64) -> Arc<Block> {
    let transactions = (0..transactions).map(|nonce| transfer(0, nonce, 1));
    testing::block(height, transactions.map(|one| one.transaction().clone()).collect())
}

fn slot() -> impl Strategy<Value = Slot> {
    (any::<u64>(), any::<u32>(), any::<u64>(), any::<u8>())
        .prop_map(|(height, epoch, round, phase)| Slot { height, epoch, round, phase })
}

fn summary() -> impl Strategy<Value = Summary> {
    let bitmap = prop::collection::vec(any::<u8>(), 0..40);
    let spoken = (slot(), bitmap, any::<[u8; 32]>()).prop_map(|(slot, spoke, ids)| SlotSummary {
        slot,
        spoke,
        ids: Hash::from_bytes(ids),
    });
    let slots = prop::collection::vec(spoken, 0..5);
    (any::<u64>(), slot(), slot(), slots, dead()).prop_map(|(reach, first, last, slots, dead)| {
        Summary { reach, covers: (first, last), slots, dead: Box::new(dead) }
    })
}

fn tag() -> impl Strategy<Value = Tag> {
    any::<[u8; 32]>().prop_map(|bytes| Tag::of(Hash::from_bytes(bytes)))
}

fn ids() -> impl Strategy<Value = Vec<ReplicaId>> {
    prop::collection::vec(any::<u32>().prop_map(ReplicaId), 0..4)
}

fn dead() -> impl Strategy<Value = Dead> {
    let tags = prop::collection::vec((slot(), tag()), 0..4);
    (tags, ids()).prop_map(|(tags, held)| Dead { tags, held })
}

fn hearsay() -> impl Strategy<Value = Hearsay> {
    let values = prop::collection::vec((tag(), ids()), 0..3);
    let slots = (slot(), values).prop_map(|(slot, values)| SlotHearsay { slot, values });
    let slots = prop::collection::vec(slots, 0..3);
    (slots, ids()).prop_map(|(slots, held)| Hearsay { slots, held })
}

fn packet() -> impl Strategy<Value = Packet<Word>> {
    let word = (0..4_u32, any::<u64>(), any::<u64>(), any::<u64>());
    prop_oneof![
        word.prop_map(|(who, height, round, text)| {
            Packet::Message(say(&hand(who), Word { height, round, text }))
        }),
        summary().prop_map(Packet::Summary),
        hearsay().prop_map(Packet::Hearsay),
        prop::collection::vec((0..4_u32, any::<u64>()), 0..3).prop_map(|words| {
            let said =
                words.into_iter().map(|(who, text)| (who, Word { height: 1, round: 0, text }));
            let stubs = said.filter_map(|(who, word)| Stub::of(&say(&hand(who), word)));
            Packet::Testimony(stubs.collect())
        }),
        any::<u64>().prop_map(|from| Packet::Ask(Ask::Blocks { from })),
        any::<[u8; 32]>().prop_map(|id| Packet::Ask(Ask::Message(id))),
        (any::<u64>(), 0..3_u64)
            .prop_map(|(height, count)| Packet::Branch(vec![block(height, count)])),
        prop::collection::vec((any::<u64>(), 0..2_u64, any::<bool>()), 0..4).prop_map(|blocks| {
            let chained = blocks.into_iter().map(|(height, count, proven)| Chained {
                block: block(height, count),
                proof: proven.then(believed),
            });
            Packet::Blocks(chained.collect())
        }),
    ]
}

fn envelope() -> impl Strategy<Value = Vec<u8>> {
    (any::<u64>(), packet()).prop_map(|(seq, packet)| {
        let envelope = Envelope { seq, packet };
        let bytes = envelope.encode();
        assert_eq!(bytes.len(), envelope.encoded_len(), "counting is as good as encoding");
        bytes
    })
}

fn open_envelope(bytes: &[u8]) -> Result<(u64, Opened<Word>), Refused> {
    open(bytes, &keys(), &TransactionCache::default())
}

fn open_batch(bytes: &[u8]) -> Result<Vec<VerifiedTransaction>, Refused> {
    open_transactions(bytes, &keys(), &TransactionCache::default())
}

/// What was opened, encoded as its receiver would pass it on.
fn again((seq, opened): (u64, Opened<Word>)) -> Vec<u8> {
    let packet = match opened {
        Opened::Message(signed) => Packet::Message(signed),
        Opened::Summary(summary) => Packet::Summary(summary),
        Opened::Ask(ask) => Packet::Ask(ask),
        Opened::Blocks(blocks) => Packet::Blocks(blocks),
        Opened::Branch(blocks) => Packet::Branch(blocks),
        Opened::Hearsay(hearsay) => Packet::Hearsay(hearsay),
        Opened::Testimony(stubs) => Packet::Testimony(stubs),
        Opened::Incomplete(carrier) => panic!("a word carries no block: {carrier:?}"),
    };
    Envelope { seq, packet }.encode()
}

/// Opens bytes as an envelope and as a batch; what opens must be exactly what was sent.
fn has_one_encoding(bytes: &[u8]) -> Result<(), TestCaseError> {
    // Of testimony only what speaks of somebody known is opened.
    if let Ok(opened) = open_envelope(bytes)
        && !matches!(opened.1, Opened::Testimony(_))
    {
        prop_assert_eq!(again(opened), bytes);
    }
    if let Ok(batch) = open_batch(bytes) {
        prop_assert_eq!(transactions_len(&batch), bytes.len());
        prop_assert_eq!(encode_transactions(&batch), bytes);
    }
    Ok(())
}

type Change = (prop::sample::Index, u8);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for (index, byte) in changes {
        let place = index.index(bytes.len());
        bytes[place] = *byte;
    }
    bytes
}

proptest! {
    #[test]
    fn what_is_sent_is_opened_and_is_the_same(bytes in envelope()) {
        let opened = open_envelope(&bytes).expect("an honest envelope");
        prop_assert_eq!(again(opened), bytes);
    }

    /// What nobody asked for is told from the rest without being decoded.
    #[test]
    fn an_answer_with_blocks_says_so_at_its_beginning(packet in packet(), seq in any::<u64>()) {
        let has_blocks = matches!(packet, Packet::Blocks(_) | Packet::Branch(_));
        prop_assert_eq!(claims_blocks(&Envelope { seq, packet }.encode()), has_blocks);
    }

    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        has_one_encoding(&bytes)?;
    }

    /// Random bytes seldom get past the first length, so these begin as an honest envelope.
    #[test]
    fn a_few_changed_bytes_are_survived(bytes in envelope(), changes in changes()) {
        has_one_encoding(&changed(bytes, &changes))?;
    }

    #[test]
    fn a_shortened_or_lengthened_envelope_is_refused(
        bytes in envelope(),
        cut in any::<prop::sample::Index>(),
        more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let short = &bytes[..cut.index(bytes.len())];
        prop_assert!(open_envelope(short).is_err());
        prop_assert!(open_envelope(&[bytes, more].concat()).is_err());
    }

    #[test]
    fn a_batch_with_one_bit_changed_is_refused(
        count in 1..4_u64,
        place in any::<prop::sample::Index>(),
    ) {
        let batch: Vec<_> = (0..count).map(|nonce| transfer(0, nonce, 1)).collect();
        let mut bytes = encode_transactions(&batch);
        prop_assert_eq!(&open_batch(&bytes).expect("honest"), &batch);
        let bit = place.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(open_batch(&bytes).is_err());
    }
}

#[test]
fn a_message_is_nobody_elses() {
    let said = say(&hand(1), Word { height: 1, round: 0, text: 7 });
    let mut claimed = said.claimed().clone();
    claimed.sender = ReplicaId(2);
    let bytes = codec::encode(&(1_u64, Wire::Message(claimed)));
    let refused = open_envelope(&bytes).expect_err("forged");
    assert_eq!(refused.reason(), "forged");
}

#[test]
fn a_signer_whom_nobody_has_named_is_no_fault_of_who_passes_it_on() {
    let mut claimed = say(&hand(1), Word { height: 1, round: 0, text: 7 }).claimed().clone();
    let open = |claimed: &Claimed<Word>, keys: &Keys| {
        let bytes = codec::encode(&(1_u64, Wire::Message(claimed.clone())));
        open::<Word>(&bytes, keys, &TransactionCache::default())
    };
    let member = |id: u32| ledger::vote::Member {
        id: ReplicaId(id),
        key: crypto::SecretKey::from_seed([id as u8 + 1; 32]).public(),
        stake: ledger::Stake(1),
        share: ledger::Share::FULL,
    };
    let committee = ledger::Committee::new((0..4).map(member).collect()).expect("a committee");
    let real = Keys::of(chain(), &committee);
    claimed.sender = ReplicaId(9);
    let refused = open(&claimed, &real).expect_err("nobody knows it");
    assert_eq!((refused.reason(), refused.is_fault()), ("stranger", false));
    // Once the chain has named it there is a key to check with, and it was lying.
    real.learn(ReplicaId(9), &member(9).key);
    let refused = open(&claimed, &real).expect_err("forged");
    assert_eq!((refused.reason(), refused.is_fault()), ("forged", true));
}

#[test]
fn a_length_beyond_all_bounds_allocates_nothing() {
    // A batch that announces 2^64 - 1 transactions, and blocks likewise.
    assert!(open_batch(&[0xff; 8]).is_err());
    let mut bytes = Envelope::<Word> { seq: 1, packet: Packet::Blocks(Vec::new()) }.encode();
    let length = bytes.len() - 8;
    bytes[length..].fill(0xff);
    assert!(open_envelope(&bytes).is_err());
    assert!(open_envelope(&vec![0; MAX_ENVELOPE_BYTES + 1]).is_err());
}

#[test]
fn a_bad_transaction_spoils_a_batch_and_says_why() {
    let good = transfer(0, 0, 1);
    let mut foreign = good.transaction().clone();
    foreign.payload.chain = ledger::ChainId([9; 32].into());
    assert_ne!(foreign.payload.chain, chain());
    let bytes = codec::encode(&vec![good.transaction().clone(), foreign]);
    let refused = open_batch(&bytes).expect_err("another chain's");
    assert_eq!(refused.reason(), "wrong_chain");
}

#[test]
fn a_forged_stub_spoils_its_testimony() {
    let word = say(&hand(1), Word { height: 1, round: 0, text: 5 });
    let good = Stub::of(&word).expect("it has a slot");
    let forged = ClaimedStub { sender: ReplicaId(2), ..good.claimed().clone() };
    let wire = |stubs| codec::encode(&(1_u64, Wire::<Word>::Testimony(stubs)));
    assert!(open_envelope(&wire(vec![good.claimed().clone()])).is_ok());
    let refused = open_envelope(&wire(vec![good.claimed().clone(), forged])).map(drop);
    assert_eq!(refused.unwrap_err().reason(), "forged");
    let many = vec![good.claimed().clone(); MAX_SHOWN + 1];
    assert_eq!(open_envelope(&wire(many)).map(drop).unwrap_err().reason(), "too_many");
}
