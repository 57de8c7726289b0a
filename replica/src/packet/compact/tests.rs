//! What leaves its transactions behind is completed to what it was, or asked for, or refused.

use super::*;
use crate::{
    Opened,
    packet::{Envelope, Packet, Wire, open},
    testing::{self, Cargo, Word, chain, hand, keys, say, transfer},
};
use crypto::codec;
use ledger::Payload;
use proptest::prelude::*;
use std::sync::LazyLock;

/// Enough transactions to be worth it.
static TRANSACTIONS: LazyLock<Vec<Transaction>> =
    LazyLock::new(|| (0..120).map(|nonce| transfer(0, nonce, 1).transaction().clone()).collect());

fn cargo(transactions: &[Transaction]) -> Signed<Cargo> {
    say(&hand(1), Cargo { height: 1, block: testing::block(1, transactions.to_vec()) })
}

/// A node that has met these.
fn met(transactions: &[Transaction]) -> TransactionCache {
    let cache = TransactionCache::default();
    cache.unify(&mut transactions.to_vec());
    cache
}

fn encode(signed: &Signed<Cargo>, is_fresh: impl Fn(TransactionId) -> bool) -> Option<Vec<u8>> {
    Envelope { seq: 1, packet: Packet::Message(signed.clone()) }.encode_compact(is_fresh)
}

fn open_cargo(bytes: &[u8], cache: &TransactionCache) -> Result<Opened<Cargo>, Refused> {
    open::<Cargo>(bytes, &keys(), cache).map(|(_, opened)| opened)
}

/// A compact form that an honest sender would not make.
fn bent(change: impl FnOnce(&mut Compact<Cargo>)) -> Vec<u8> {
    let mut compact = Compact::of(&cargo(&TRANSACTIONS), |_| false).expect("it is worth it");
    change(&mut compact);
    codec::encode(&(1_u64, Wire::Compact(compact)))
}

fn carrier(signed: &Signed<Cargo>) -> Carrier {
    let block = signed.message().block.hash();
    Carrier { sender: signed.sender(), slot: signed.slot(), block }
}

#[test]
fn what_the_receiver_has_met_travels_by_name() {
    let signed = cargo(&TRANSACTIONS);
    let whole = Envelope { seq: 1, packet: Packet::Message(signed.clone()) }.encode();
    let bytes = encode(&signed, |_| false).expect("it is worth it");
    assert!(bytes.len() * 4 < whole.len(), "{} of {}", bytes.len(), whole.len());
    let Ok(Opened::Message(opened)) = open_cargo(&bytes, &met(&TRANSACTIONS)) else { panic!() };
    assert_eq!((&opened, opened.value()), (&signed, signed.value()));
    let known = opened.message().block.transactions.iter().all(Transaction::is_known_good);
    assert!(known, "they are the ones that were verified");
}

#[test]
fn what_is_fresh_travels_with_it() {
    let signed = cargo(&TRANSACTIONS);
    let fresh = &TRANSACTIONS[100..];
    let is_fresh = |id| fresh.iter().any(|each| each.id() == id);
    let bytes = encode(&signed, is_fresh).expect("it is worth it");
    let cache = met(&TRANSACTIONS[..100]);
    let Ok(Opened::Message(opened)) = open_cargo(&bytes, &cache) else { panic!() };
    assert_eq!(opened, signed);
    assert_eq!(cache.len(), 120, "it has met them now");
}

#[test]
fn what_lacks_something_is_named_so_that_it_can_be_asked_for() {
    let signed = cargo(&TRANSACTIONS);
    let bytes = encode(&signed, |_| false).expect("it is worth it");
    for known in [0, 60, 119] {
        let cache = met(&TRANSACTIONS[..known]);
        let Ok(Opened::Incomplete(found)) = open_cargo(&bytes, &cache) else { panic!() };
        assert_eq!(found, carrier(&signed));
        assert!(found.is(&signed) && !found.is(&cargo(&TRANSACTIONS[1..])));
        assert!(!found.is(&say(&hand(2), signed.message().clone())), "another's is another one");
    }
}

#[test]
fn it_must_be_worth_it() {
    assert!(encode(&cargo(&TRANSACTIONS[..10]), |_| false).is_none());
    let word = say(&hand(1), Word { height: 1, round: 0, text: 7 });
    let envelope = Envelope { seq: 1, packet: Packet::Message(word) };
    assert!(envelope.encode_compact(|_| false).is_none());
    let block = Packet::Branch(vec![testing::block(1, TRANSACTIONS.clone())]);
    assert!(Envelope::<Cargo> { seq: 1, packet: block }.encode_compact(|_| false).is_none());
    let long = MAX_BLOCK_BYTES / TRANSACTIONS[0].bytes() + 1;
    let long: Vec<_> = TRANSACTIONS.iter().cycle().take(long).cloned().collect();
    assert!(encode(&cargo(&long), |_| false).is_none(), "nobody would complete it");
}

#[test]
fn other_transactions_than_were_signed_are_a_forgery() {
    let cache = met(&TRANSACTIONS);
    let changes: [fn(&mut Compact<Cargo>); 6] = [
        |it| it.names.swap(3, 4),
        |it| it.names[5] = it.names[6],
        |it| it.names.truncate(119),
        |it| it.names.clear(),
        |it| it.names.push(it.names[0]),
        |it| it.claimed.sender = ReplicaId(2),
    ];
    for change in changes {
        let refused = open_cargo(&bent(change), &cache).expect_err("it is not what was signed");
        assert_eq!(refused.reason(), "forged");
    }
    assert_eq!(cache.len(), 120);
}

#[test]
fn names_of_nothing_are_asked_for_and_nothing_more() {
    let bytes = bent(|it| it.names = vec![TransactionId::default(); 30_000]);
    let opened = open_cargo(&bytes, &met(&TRANSACTIONS));
    assert!(matches!(opened, Ok(Opened::Incomplete(_))), "{opened:?}");
}

#[test]
fn a_few_bytes_do_not_stand_for_more_than_a_block() {
    let bytes = bent(|it| it.names = vec![it.names[0]; 30_000]);
    let refused = open_cargo(&bytes, &met(&TRANSACTIONS)).expect_err("5 MB");
    assert_eq!(
        (refused.reason(), refused),
        ("malformed", Refused::Compact("its block is too long"))
    );
}

#[test]
fn a_block_is_empty_before_it_is_filled() {
    let whole = testing::block(1, TRANSACTIONS.clone());
    let bytes = bent(|it| it.claimed.message.block = whole);
    let refused = open_cargo(&bytes, &met(&TRANSACTIONS)).expect_err("it carries them twice");
    assert_eq!(refused, Refused::Compact("its block is not empty"));
}

#[test]
fn a_message_without_a_block_has_nothing_to_fill() {
    let claimed = say(&hand(1), Word { height: 1, round: 0, text: 7 }).claimed().clone();
    let compact = Compact { claimed, names: Vec::new(), fresh: Vec::new() };
    let bytes = codec::encode(&(1_u64, Wire::Compact(compact)));
    let refused = open::<Word>(&bytes, &keys(), &TransactionCache::default());
    assert_eq!(refused.expect_err("no block"), Refused::Compact("it carries no block"));
}

#[test]
fn what_comes_with_a_forgery_is_not_remembered() {
    let cache = met(&TRANSACTIONS);
    let stranger = transfer(1, 0, 1).transaction().clone();
    let bytes = bent(|it| {
        it.fresh.push(stranger.clone());
        it.names.push(stranger.id());
    });
    assert!(open_cargo(&bytes, &cache).is_err());
    assert_eq!(cache.len(), 120);
    // A spare one beside an honest message is passed over.
    let bytes = bent(|it| it.fresh.push(stranger));
    assert!(matches!(open_cargo(&bytes, &cache), Ok(Opened::Message(_))));
    assert_eq!(cache.len(), 120);
}

#[test]
fn a_bad_transaction_that_was_met_stays_bad() {
    let payload: Payload = transfer(1, 7, 1).payload().clone();
    let forged = Transaction::new(payload, *cargo(&[]).signature());
    let transactions = [&TRANSACTIONS[..], std::slice::from_ref(&forged)].concat();
    let signed = cargo(&transactions);
    let bytes = encode(&signed, |_| false).expect("it is worth it");
    let Ok(Opened::Message(opened)) = open_cargo(&bytes, &met(&transactions)) else { panic!() };
    assert_eq!(opened, signed, "the ledger will reject it, and everybody may see why");
    assert!(!forged.is_known_good() && forged.verify(chain()).is_err());
}

proptest! {
    /// Whatever becomes of the bytes on the way: nothing panics, and no other message comes of it.
    #[test]
    fn changed_bytes_are_survived_and_never_another_message(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        fresh in 0..120_usize,
        known in 0..=120_usize,
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let signed = cargo(&TRANSACTIONS);
        let is_fresh = |id| TRANSACTIONS[..fresh].iter().any(|each| each.id() == id);
        let mut bytes = encode(&signed, is_fresh).expect("it is worth it");
        for (index, byte) in changes {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(Opened::Message(opened)) = open_cargo(&bytes, &met(&TRANSACTIONS[..known])) {
            prop_assert_eq!(opened, signed);
        }
    }
}
