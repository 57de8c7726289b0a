//! Each transaction's signature is checked once, by whatever way it comes.

use super::*;
use crate::testing::Cargo;
use crypto::Signature;

fn transfers(nonces: std::ops::Range<u64>) -> Vec<VerifiedTransaction> {
    nonces.map(|nonce| transfer(0, nonce, 1)).collect()
}

/// A block of transactions that nobody has checked, as after a journey.
fn fresh(verified: &[VerifiedTransaction]) -> Arc<Block> {
    let plain: Vec<Transaction> = verified
        .iter()
        .map(VerifiedTransaction::transaction)
        .map(|each| Transaction::new(each.payload.clone(), each.signature))
        .collect();
    testing::block(1, plain)
}

fn forged(nonce: u64) -> Transaction {
    let payload = transfer(0, nonce, 1).payload().clone();
    Transaction::new(payload, Signature::from_bytes([1; 64]))
}

fn proposal(block: Arc<Block>) -> Vec<u8> {
    let signed = say(&hand(1), Cargo { height: 1, block });
    Envelope { seq: 1, packet: Packet::Message(signed) }.encode()
}

fn open_proposal(bytes: &[u8], cache: &TransactionCache) -> Arc<Block> {
    match open::<Cargo>(bytes, &keys(), cache).expect("an honest envelope") {
        (_, Opened::Message(signed)) => Arc::clone(&signed.message().block),
        other => panic!("{other:?}"),
    }
}

fn known(transactions: &[Transaction]) -> Vec<bool> {
    transactions.iter().map(Transaction::is_known_good).collect()
}

/// Which of the transactions of this block are known to `cache` to be good.
fn known_to(cache: &TransactionCache, block: &Block) -> Vec<bool> {
    let mut asked = block.transactions.clone();
    cache.recognise(&mut asked);
    known(&asked)
}

#[test]
fn a_batch_that_is_known_costs_no_verification() {
    let cache = TransactionCache::default();
    let bytes = encode_transactions(&transfers(0..5));
    let first = decode_transactions(&bytes, &cache).expect("an honest batch");
    assert_eq!(known(&first), [false; 5]);
    verify_transactions(&first, &keys(), &cache).expect("an honest batch");
    let again = decode_transactions(&bytes, &cache).expect("the same batch");
    assert_eq!(known(&again), [true; 5], "before anything is verified");
}

#[test]
fn a_proposal_of_gossiped_transactions_costs_none_either() {
    let cache = TransactionCache::default();
    let gossiped = transfers(0..5);
    open_transactions(&encode_transactions(&gossiped), &keys(), &cache).expect("an honest batch");
    let block = fresh(&transfers(2..7));
    assert_eq!(known_to(&cache, &block), [true, true, true, false, false]);
    let opened = open_proposal(&proposal(block), &cache);
    assert_eq!(known(&opened.transactions), [true; 5], "the rest was verified while it was opened");
    assert_eq!(known_to(&cache, &fresh(&transfers(0..7))), [true; 7], "and is remembered");
}

#[test]
fn gossip_that_waits_is_spared_what_a_proposal_brings() {
    let cache = TransactionCache::default();
    let waiting = decode_transactions(&encode_transactions(&transfers(0..5)), &cache);
    let waiting = waiting.expect("an honest batch");
    open_proposal(&proposal(fresh(&transfers(0..3))), &cache);
    assert_eq!(known(&waiting), [true, true, true, false, false]);
}

#[test]
fn a_bad_transaction_does_not_spoil_the_proposal_and_is_not_remembered() {
    let cache = TransactionCache::default();
    let mut block = Arc::unwrap_or_clone(fresh(&transfers(0..4)));
    block.transactions[2] = forged(2);
    let block = testing::block(1, block.transactions);
    let opened = open_proposal(&proposal(Arc::clone(&block)), &cache);
    assert_eq!(known(&opened.transactions), [true, true, false, true]);
    assert_eq!(known_to(&cache, &block), [true, true, false, false]);
    assert_eq!(cache.len(), 2, "what comes before it");
}

#[test]
fn nothing_is_remembered_of_a_forged_proposal() {
    let cache = TransactionCache::default();
    let signed = say(&hand(1), Cargo { height: 1, block: fresh(&transfers(0..4)) });
    let mut claimed = signed.claimed().clone();
    claimed.sender = ReplicaId(2);
    let bytes = codec::encode(&(1_u64, Wire::Message(claimed)));
    assert!(open::<Cargo>(&bytes, &keys(), &cache).is_err());
    assert!(cache.is_empty());
}

#[test]
fn blocks_are_verified_before_the_replica_sees_them() {
    let cache = TransactionCache::default();
    let bytes = |packet| Envelope::<Word> { seq: 1, packet }.encode();
    let block = fresh(&transfers(0..3));
    let open = |bytes: &[u8]| open::<Word>(bytes, &keys(), &cache).expect("honest").1;
    let branch = Packet::Branch(vec![Arc::clone(&block)]);
    let Opened::Branch(one) = open(&bytes(branch)) else { panic!() };
    assert_eq!(known(&one[0].transactions), [true; 3]);
    let chained = |block: &Arc<Block>| Chained { block: Arc::clone(block), proof: None };
    let blocks = vec![chained(&block), chained(&fresh(&transfers(3..5)))];
    let Opened::Blocks(two) = open(&bytes(Packet::Blocks(blocks))) else { panic!() };
    let all: Vec<_> = two.iter().flat_map(|each| known(&each.block.transactions)).collect();
    assert_eq!(all, [true; 5]);
    assert!(cache.is_empty(), "history takes nobody's place");
}

#[test]
fn a_block_whose_body_is_not_its_headers_is_not_worth_verifying() {
    let mut block = Arc::unwrap_or_clone(fresh(&transfers(0..3)));
    block.header.transactions = Hash::default();
    let packet = Packet::Branch(vec![Arc::new(block)]);
    let bytes = Envelope::<Word> { seq: 1, packet }.encode();
    let Ok((_, Opened::Branch(blocks))) = open_envelope(&bytes) else { panic!() };
    assert_eq!(known(&blocks[0].transactions), [false; 3]);
}

#[test]
fn a_spoilt_batch_leaves_only_what_was_good_before() {
    let cache = TransactionCache::default();
    open_transactions(&encode_transactions(&transfers(0..1)), &keys(), &cache).expect("honest");
    let mut spoilt = fresh(&transfers(0..4)).transactions.clone();
    spoilt[2] = forged(2);
    let refused = open_transactions(&codec::encode(&spoilt), &keys(), &cache);
    assert_eq!(refused.expect_err("one is forged").reason(), "bad_signature");
    assert_eq!(cache.len(), 2, "the known one and the one before the bad one");
}
