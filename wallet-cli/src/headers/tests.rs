//! The chain of headers by itself: what it takes in, and what it leaves for what.

use super::*;
use crate::mined::{INTERVAL, Mined, mined_genesis, sealed, unsealed};
use consensus::Unproven;

pub(super) const DEPTHS: Depths = Depths { confirmations: 3, irreversible: 10 };

/// A chain of so many blocks.
fn mined(blocks: u64) -> Mined {
    let mut chain = Mined::new("headers");
    chain.grow(blocks);
    chain
}

/// The wallet's view of it.
fn read(chain: &Mined) -> HeaderChain {
    let mut headers = HeaderChain::new(&chain.genesis, DEPTHS);
    headers.extend(&chain.headers(1).headers, u64::MAX).expect("all of it is true");
    headers
}

/// What is wrong with four honest headers of which the third is changed and all that follows built
/// upon it anew.
fn refused(change: impl FnOnce(&mut Header)) -> BadHeaders {
    let chain = mined(4);
    let mut headers = chain.headers(1).headers;
    change(&mut headers[2]);
    let mut known = HeaderChain::new(&chain.genesis, DEPTHS);
    let before = known.clone();
    let bad = known.extend(&headers, u64::MAX).expect_err("one is forged");
    assert_eq!((known.tip(), known.work()), (before.tip(), before.work()), "all or none");
    bad
}

fn rule(bad: BadHeaders) -> Unproven {
    match bad {
        BadHeaders::Rule(NotFinal::Unproven(reason)) => reason,
        other => panic!("a rule is broken, not this: {other}"),
    }
}

#[test]
fn honest_headers_are_taken_in_and_their_work_adds_up() {
    let chain = mined(5);
    let headers = read(&chain);
    assert_eq!((headers.height(), headers.tip().hash), (5, chain.ledger.head()));
    for height in 0..=5 {
        assert_eq!(headers.spot(height), Some(Spot::of(&chain.header(height))));
        assert_eq!(headers.header(height), Some(&chain.header(height)));
    }
    assert_eq!(headers.spot(6), None);
    // In due time each block takes as much work as the first one.
    let one = headers.work_to(1);
    assert_eq!(headers.work().hashes(), 5.0 * one.hashes());
    assert_eq!(headers.work_upon(4).hashes(), 2.0 * one.hashes());
    assert_eq!(headers.work_upon(0), headers.work());
}

#[test]
fn the_block_itself_is_its_first_confirmation() {
    let headers = read(&mined(5));
    assert_eq!([5, 4, 3, 6, 7].map(|height| headers.confirmations(height)), [1, 2, 3, 0, 0]);
    assert_eq!([5, 4, 3, 1].map(|height| headers.confirms(height)), [false, false, true, true]);
    assert_eq!(headers.confirmed_height(), 3);
    assert_eq!(read(&mined(2)).confirmed_height(), 0, "the genesis may always be counted on");
}

#[test]
fn another_target_than_is_due_is_refused() {
    let reason = rule(refused(|header| {
        header.seal.bits -= 1;
        *header = sealed(header.clone());
    }));
    assert!(matches!(reason, Unproven::Work { height: 3, .. }), "{reason}");
}

#[test]
fn a_hash_that_misses_its_target_is_refused() {
    let reason = rule(refused(|header| *header = unsealed(header.clone())));
    assert!(matches!(reason, Unproven::Work { height: 3, .. }), "{reason}");
}

#[test]
fn a_broken_link_is_refused() {
    let reason = rule(refused(|header| {
        header.parent = BlockHash(crypto::Hash::ZERO);
        *header = sealed(header.clone());
    }));
    assert_eq!(reason, Unproven::BrokenChain(3));
    // What was changed and not built upon breaks the link above.
    let reason = rule(refused(|header| {
        header.state = crypto::Hash::ZERO;
        *header = sealed(header.clone());
    }));
    assert_eq!(reason, Unproven::BrokenChain(4));
}

#[test]
fn a_time_not_after_the_median_is_refused() {
    let reason = rule(refused(|header| {
        header.time -= 2 * INTERVAL;
        *header = sealed(header.clone());
    }));
    assert_eq!(reason, Unproven::Time(3));
}

#[test]
fn a_time_beyond_our_clock_is_refused() {
    let chain = mined(3);
    let mut headers = HeaderChain::new(&chain.genesis, DEPTHS);
    let latest = chain.header(3).time - 1;
    let bad = headers.extend(&chain.headers(1).headers, latest);
    assert_eq!(bad, Err(BadHeaders::Early { height: 3, by: Duration::from_millis(1) }));
    headers.extend(&chain.headers(1).headers, latest + 1).expect("its time has come");
}

#[test]
fn a_branch_takes_over_when_it_is_heavier_and_the_rest_stays_weighable() {
    let mut chain = mined(30);
    let mut headers = read(&chain);
    let shared = headers.spot(22);
    chain.reorganise(22, 9);
    let base = headers.before(22).expect("it is kept");
    assert_eq!(base.len(), 5, "as many as the median asks");
    let mut branch = Branch::new(&headers, base);
    branch.extend(&chain.genesis, &chain.headers(23).headers, u64::MAX).expect("it is honest");
    headers.switch(branch);
    assert_eq!((headers.height(), headers.tip().hash), (31, chain.ledger.head()));
    assert_eq!(headers.spot(22), shared);
    assert_eq!(headers.header(25), Some(&chain.header(25)));
    assert_eq!(headers.unsaved.len(), 31, "nothing of the old branch is saved");
    chain.grow(1);
    headers.extend(&chain.headers(32).headers, u64::MAX).expect("what follows is weighed");
}

#[test]
fn weight_is_work_and_not_length() {
    // What comes early here is soon much harder.
    let genesis = mined_genesis("headers", &[("pow.half_life_ms", INTERVAL)]);
    let mut long = Mined::from(genesis);
    long.grow(2);
    let mut heavy = long.up_to(2);
    long.grow(4);
    heavy.grow_after(3, 1);
    let (mut known, heavy_one) = (read(&long), read(&heavy));
    assert!(known.height() > heavy_one.height() && known.work() < heavy_one.work());
    let base = known.before(2).expect("it is kept");
    let mut branch = Branch::new(&known, base);
    branch.extend(&heavy.genesis, &heavy.headers(3).headers, u64::MAX).expect("it is honest");
    known.switch(branch);
    assert_eq!((known.height(), known.work()), (5, heavy_one.work()));
    assert_eq!(known.spot(6), None);
}
