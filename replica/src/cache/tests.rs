use super::*;
use crate::testing::{chain, transfer};
use crypto::codec;
use proptest::prelude::*;

/// A transfer as it comes off the wire: equal to others, known to nobody.
fn arrived(nonce: u64) -> Transaction {
    let bytes = codec::encode(transfer(0, nonce, 1).transaction());
    Transaction::decode(&bytes).expect("it was just encoded")
}

fn held(cache: &TransactionCache, nonces: impl Iterator<Item = u64>) -> Vec<u64> {
    let known = |nonce: &u64| {
        let mut asked = [arrived(*nonce)];
        cache.recognise(&mut asked);
        asked[0].is_known_good()
    };
    nonces.filter(known).collect()
}

/// Comes in, and is found good.
fn met(cache: &TransactionCache, nonce: u64) {
    let mut transactions = [arrived(nonce)];
    cache.unify(&mut transactions);
    let [transaction] = transactions;
    transaction.verify(chain()).expect("it is signed by its sender");
}

#[test]
fn what_was_checked_once_is_known_whenever_it_comes_again() {
    let cache = TransactionCache::default();
    met(&cache, 1);
    let mut again = [arrived(1), arrived(2)];
    assert!(!again[0].is_known_good());
    cache.unify(&mut again);
    assert_eq!([again[0].is_known_good(), again[1].is_known_good()], [true, false]);
    // The second was unknown, but is one with whatever comes later, too.
    again[1].clone().verify(chain()).expect("it is good");
    assert_eq!(held(&cache, 1..4), [1, 2]);
    assert_eq!(cache.len(), 2);
}

#[test]
fn recognising_remembers_nothing() {
    let cache = TransactionCache::default();
    let mut stranger = [arrived(1)];
    cache.recognise(&mut stranger);
    assert!(cache.is_empty());
}

#[test]
fn the_oldest_goes_when_there_are_too_many() {
    let cache = TransactionCache::new(3, usize::MAX);
    (0..5).for_each(|nonce| met(&cache, nonce));
    assert_eq!(held(&cache, 0..5), [2, 3, 4]);
    let nothing = TransactionCache::new(0, usize::MAX);
    met(&nothing, 0);
    assert!(nothing.is_empty());
}

#[test]
fn the_oldest_goes_when_they_are_too_long() {
    let one = size(&arrived(0));
    let cache = TransactionCache::new(usize::MAX, 2 * one + one / 2);
    (0..5).for_each(|nonce| met(&cache, nonce));
    assert_eq!(held(&cache, 0..5), [3, 4]);
}

#[test]
fn what_is_forgotten_and_comes_again_is_as_young_as_any() {
    let cache = TransactionCache::new(3, usize::MAX);
    (0..3).for_each(|nonce| met(&cache, nonce));
    cache.forget_unproven(&[arrived(0), arrived(9)]);
    assert_eq!(held(&cache, 0..3), [1, 2]);
    met(&cache, 0);
    met(&cache, 3);
    assert_eq!(held(&cache, 0..4), [0, 2, 3], "its first arrival counts no more");
}

proptest! {
    /// Whatever comes and goes, the bounds hold and the sums are right.
    #[test]
    fn it_stays_within_its_bounds(
        steps in prop::collection::vec((any::<bool>(), 0..12_u64), 1..80),
        count in 0..6_usize,
    ) {
        let bytes = 4 * size(&arrived(0));
        let cache = TransactionCache::new(count, bytes);
        for (comes, nonce) in steps {
            match comes {
                true => cache.unify(&mut [arrived(nonce)]),
                false => cache.forget_unproven(&[arrived(nonce)]),
            }
            let held = cache.lock();
            prop_assert!(held.transactions.len() <= count.min(4));
            prop_assert!(held.order.len() <= count);
            let sum: usize = held.transactions.values().map(|(_, each)| size(each)).sum();
            prop_assert_eq!(held.bytes, sum);
        }
    }
}
