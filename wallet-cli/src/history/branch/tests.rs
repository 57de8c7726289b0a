use super::*;
use crate::{
    mined::{INTERVAL, Mined},
    network::poor,
};
use consensus::catalogue::Depths;
use std::fs;
use tempfile::TempDir;

const DEPTHS: Depths = Depths { confirmations: 3, irreversible: 200 };

/// A chain with a transfer of 10 in each block, the wallet's view of it, and where to keep it.
fn chain(blocks: u64) -> (TempDir, Mined) {
    let settings = [("pow.irreversible", 200), ("pow.bits", 0x207f_ffff), ("pow.limit_factor", 1)];
    let mut chain = Mined::from(crate::mined::mined_genesis("branch", &settings));
    pay(&mut chain, blocks, INTERVAL);
    (tempfile::tempdir().expect("a temporary directory"), chain)
}

/// So many blocks more, with a transfer each.
fn pay(chain: &mut Mined, blocks: u64, after: u64) {
    for _ in 0..blocks {
        let nonce = chain.ledger.head_height();
        let transfer = chain.transfer(nonce % 90, poor(), 1);
        // What does not execute is left out.
        chain.mine_after(vec![transfer], after);
    }
}

fn headers(chain: &Mined) -> HeaderChain {
    let mut headers = HeaderChain::new(&chain.genesis, DEPTHS);
    while headers.height() < chain.ledger.head_height() {
        let page = chain.headers(headers.height() + 1);
        headers.extend(&page.headers, u64::MAX).expect("all of it is true");
    }
    headers
}

fn open(dir: &TempDir, chain: &Mined) -> (BranchCache, Kept) {
    BranchCache::open(dir.path(), &headers(chain), poor()).expect("a directory of our own")
}

/// Reads what there is.
fn read(cache: &mut BranchCache, chain: &Mined) {
    let heights = cache.tip().height + 1..=chain.ledger.head_height();
    let blocks: Vec<_> =
        heights.map(|height| chain.ledger.adopted(height).unwrap().as_ref().clone()).collect();
    for page in blocks.chunks(7) {
        cache.extend(page).expect("the disk is good");
    }
}

fn seen(cache: &BranchCache) -> Vec<(u64, Option<u64>)> {
    let entries = cache.entries(0).expect("the disk is good");
    entries
        .map(|entry| entry.expect("the disk is good"))
        .map(|each| (each.height, each.nonce))
        .collect()
}

#[test]
fn what_was_read_is_there_the_next_time_and_grows() {
    let (dir, mut chain) = chain(5);
    let (mut cache, kept) = open(&dir, &chain);
    assert_eq!((cache.tip().height, cache.count(), kept), (0, 0, Kept::Whole));
    read(&mut cache, &chain);
    drop(cache);
    pay(&mut chain, 2, INTERVAL);
    let (mut cache, kept) = open(&dir, &chain);
    assert_eq!((cache.tip().height, cache.count(), kept), (5, 5, Kept::Whole));
    read(&mut cache, &chain);
    let expected: Vec<_> = (1..=7).map(|height| (height, Some(height - 1))).collect();
    assert_eq!(seen(&cache), expected);
}

#[test]
fn what_was_undone_is_dropped_and_the_rest_is_kept() {
    let (dir, mut chain) = chain(30);
    read(&mut open(&dir, &chain).0, &chain);
    chain.reorganise(27, 4);
    let (mut cache, kept) = open(&dir, &chain);
    assert_eq!((kept, cache.tip().height, cache.count()), (Kept::Cut { from: 30, to: 27 }, 27, 27));
    read(&mut cache, &chain);
    assert_eq!((cache.tip().height, cache.count()), (31, 27), "the new blocks are empty");
    drop(cache);
    let (cache, kept) = open(&dir, &chain);
    assert_eq!((kept, seen(&cache).len()), (Kept::Whole, 27));
}

#[test]
fn a_chain_that_changes_while_it_is_read_is_gone_back_on() {
    let (dir, mut chain) = chain(30);
    let (mut cache, _) = open(&dir, &chain);
    read(&mut cache, &chain);
    cache.rewind(&headers(&chain));
    assert_eq!(cache.tip().height, 30, "nothing has changed");
    chain.reorganise(25, 6);
    cache.rewind(&headers(&chain));
    assert_eq!((cache.tip().height, cache.count()), (25, 25));
    read(&mut cache, &chain);
    drop(cache);
    let (cache, kept) = open(&dir, &chain);
    assert_eq!((kept, cache.tip().height, cache.count()), (Kept::Whole, 31, 25));
}

#[test]
fn a_deep_fork_costs_about_as_much_again() {
    let (dir, mut chain) = chain(190);
    read(&mut open(&dir, &chain).0, &chain);
    chain.reorganise(40, 160);
    let (cache, kept) = open(&dir, &chain);
    let Kept::Cut { from: 190, to } = kept else { panic!("it was undone: {kept:?}") };
    assert!((36..=40).contains(&to), "cut to {to}");
    assert_eq!(cache.count(), to, "a transfer in each block");
}

#[test]
fn marks_are_dense_above_and_few_in_all() {
    let kept = |tip: u64| (0..=tip).filter(|height| is_kept(*height, tip)).collect::<Vec<_>>();
    assert_eq!(kept(63), (0..=63).collect::<Vec<_>>());
    for tip in [1_000, 100_000, 2_000_000] {
        let marks = kept(tip);
        assert!(marks.len() < 600, "{} marks", marks.len());
        for pair in marks.windows(2) {
            let depth = tip - pair[0];
            assert!(pair[1] - pair[0] <= (depth / 16).max(1), "{pair:?} below {tip}");
        }
        // Whatever is kept later is kept now: nothing has to be read again.
        let later = kept(tip + 1000);
        assert!(later.iter().filter(|height| **height <= tip).all(|height| is_kept(*height, tip)));
    }
}

#[test]
fn files_tampered_with_are_thrown_away() {
    let (dir, chain) = chain(5);
    for (extension, from, to) in [
        ("jsonl", "\"amount\":1,", "\"amount\":9,"),
        ("json", "\"count\":5", "\"count\":4"),
        ("json", "\"version\":2", "\"version\":1"),
        ("json", "{", "("),
        ("json", "\"height\":4", "\"height\":9"),
    ] {
        read(&mut open(&dir, &chain).0, &chain);
        let path = dir.path().join(format!("history/{}.{extension}", poor()));
        let text = fs::read_to_string(&path).expect("it is there");
        fs::write(&path, text.replacen(from, to, 1)).expect("it is ours");
        let (mut cache, kept) = open(&dir, &chain);
        assert!(matches!(kept, Kept::Damaged(_)), "{from}: {kept:?}");
        assert_eq!((cache.tip().height, cache.count()), (0, 0));
        read(&mut cache, &chain);
        assert_eq!(seen(&cache).len(), 5);
    }
}

#[test]
fn a_certified_chains_history_does_not_pass_for_this_one() {
    let (dir, chain) = chain(2);
    let mut network = crate::network::Network::new("certified");
    network.decide_transfers(1);
    let answer = network.blocks(1);
    let genesis = &network.genesis;
    let (mut certified, _) = super::super::Cache::open(
        dir.path(),
        &crate::committees::Committees::of(genesis).unwrap(),
        poor(),
    )
    .unwrap();
    let tip = certified.tip();
    let blocks = crate::verify::blocks::verify_blocks(
        &crate::committees::Committees::of(genesis).unwrap(),
        tip,
        &answer,
    )
    .expect("it is true");
    certified.extend(&blocks).expect("the disk is good");
    drop(certified);
    let (cache, kept) = open(&dir, &chain);
    assert!(matches!(kept, Kept::Damaged(Damage::Unreadable(_))), "{kept:?}");
    assert_eq!(cache.count(), 0);
}
