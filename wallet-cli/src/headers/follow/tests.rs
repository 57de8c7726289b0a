//! Nodes that are ahead, behind, beside, and nodes that lie.

use super::*;
use crate::{
    headers::tests::DEPTHS,
    mined::{INTERVAL, Mined, mined_genesis},
};

/// A node, and how it is asked.
struct Asked<F> {
    node: F,
    from: Vec<u64>,
    checked: Vec<(u64, u64)>,
}

impl<F: FnMut(u64) -> HeadersAnswer> Guide for Asked<F> {
    fn headers(&mut self, from: u64) -> Result<HeadersAnswer, Error> {
        self.from.push(from);
        Ok((self.node)(from))
    }

    fn checked(&mut self, _chain: &mut HeaderChain, height: u64, target: u64) {
        self.checked.push((height, target));
    }
}

fn asked<F: FnMut(u64) -> HeadersAnswer>(node: F) -> Asked<F> {
    Asked { node, from: Vec::new(), checked: Vec::new() }
}

/// Follows a node, and says where it was asked from.
fn ask(
    known: &mut HeaderChain,
    node: impl FnMut(u64) -> HeadersAnswer,
) -> (Result<Stand, FollowError>, Option<u64>, Vec<u64>) {
    let mut guide = asked(node);
    let Followed { stand, fork } = follow(known, &mut guide, u64::MAX);
    (stand, fork, guide.from)
}

/// A chain of so many blocks, and a wallet that has read it.
fn read(blocks: u64) -> (Mined, HeaderChain) {
    // Deep forks are wanted here, and blocks that take a hash or two.
    let settings = [("pow.irreversible", 200), ("pow.bits", 0x207f_ffff), ("pow.limit_factor", 1)];
    let mut chain = Mined::from(mined_genesis("follow", &settings));
    chain.grow(blocks);
    let mut known = HeaderChain::new(&chain.genesis, DEPTHS);
    let (stand, fork, _) = ask(&mut known, |from| chain.headers(from));
    assert_eq!((stand.expect("it is honest").shared, fork), (blocks, None));
    assert_eq!(known.tip().hash, chain.ledger.head());
    (chain, known)
}

fn bad(known: &mut HeaderChain, node: impl FnMut(u64) -> HeadersAnswer) -> BadHeaders {
    match ask(known, node).0 {
        Err(FollowError::Bad(bad)) => bad,
        other => panic!("the headers are bad, not this: {other:?}"),
    }
}

#[test]
fn a_node_with_the_same_chain_is_asked_once() {
    let (chain, mut known) = read(7);
    let (stand, fork, from) = ask(&mut known, |from| chain.headers(from));
    let stand = stand.expect("it is honest");
    assert_eq!((stand.tip, stand.shared, stand.work), (known.tip(), 7, known.work()));
    assert_eq!((fork, from), (None, vec![7]));
}

#[test]
fn only_what_is_new_is_asked_for() {
    let (mut chain, mut known) = read(7);
    chain.grow(2);
    let (stand, fork, from) = ask(&mut known, |from| chain.headers(from));
    assert_eq!((stand.expect("it is honest").shared, fork, from), (9, None, vec![7]));
    assert_eq!(known.height(), 9);
}

#[test]
fn a_long_chain_is_read_in_pages() {
    let (mut chain, mut known) = read(3);
    let target = 3 + 2 * MAX_PAGE as u64;
    chain.grow(2 * MAX_PAGE as u64);
    let mut guide = asked(|from| chain.headers(from));
    let followed = follow(&mut known, &mut guide, u64::MAX);
    assert_eq!(followed.stand.expect("it is honest").shared, target);
    assert_eq!(guide.from, [3, 515, 1027]);
    assert_eq!(guide.checked, [(514, target), (1026, target), (1027, target)]);
    // The newest headers only are kept whole, and a fork far below them is found all the same.
    assert_eq!(known.header(2), None);
    let mut beside = chain.up_to(1);
    beside.grow(1);
    let (stand, ..) = ask(&mut known, |from| beside.headers(from));
    assert_eq!(stand.expect("it is honest").shared, 2, "they mine the same in the same time");
    beside.reorganise(1, 3);
    let (stand, fork, _) = ask(&mut known, |from| beside.headers(from));
    assert_eq!((stand.expect("it is honest").shared, fork), (1, None));
}

#[test]
fn a_node_that_lags_stands_on_our_chain() {
    let (chain, mut known) = read(40);
    for height in [0, 1, 5, 39] {
        let late = chain.up_to(height);
        let (stand, fork, _) = ask(&mut known, |from| late.headers(from));
        let stand = stand.expect("it is honest");
        assert_eq!((stand.tip, stand.shared), (known.spot(height).unwrap(), height));
        assert_eq!((fork, known.height()), (None, 40));
    }
}

#[test]
fn a_fork_is_found_in_a_few_questions_however_deep() {
    for depth in [1, 2, 3, 17, 100, 150] {
        let (mut chain, mut known) = read(150);
        chain.reorganise(150 - depth, depth + 1);
        let (stand, fork, from) = ask(&mut known, |from| chain.headers(from));
        assert_eq!(fork, Some(150 - depth), "the longer branch is heavier");
        assert_eq!(stand.expect("it is honest").shared, 151);
        assert_eq!(known.tip().hash, chain.ledger.head());
        assert!(from.len() <= 10, "{depth} deep took {} questions: {from:?}", from.len());
    }
}

#[test]
fn a_lighter_branch_is_told_and_not_followed() {
    let (mut chain, mut known) = read(20);
    let before = known.clone();
    chain.reorganise(12, 5);
    let (stand, fork, _) = ask(&mut known, |from| chain.headers(from));
    let stand = stand.expect("it is honest, and late");
    assert_eq!((stand.tip.hash, stand.tip.height), (chain.ledger.head(), 17));
    assert_eq!((stand.shared, fork), (12, None));
    assert!(stand.work < known.work());
    assert_eq!(known.tip(), before.tip());
}

#[test]
fn among_equals_the_first_one_stays() {
    let (mut chain, mut known) = read(20);
    let before = known.tip();
    // In time, but with another block.
    let parent = chain.ledger.adopted(19).expect("it is there").hash();
    chain.miner = 1;
    let rival = chain.find(parent, Vec::new(), INTERVAL);
    chain.adopt(rival.hash());
    let (stand, fork, _) = ask(&mut known, |from| chain.headers(from));
    let stand = stand.expect("it is honest");
    assert_eq!((stand.work, stand.shared, fork), (known.work(), 19, None));
    assert_eq!(known.tip(), before);
}

#[test]
fn a_node_that_changes_its_chain_while_it_is_read_is_asked_anew() {
    let (mut chain, mut known) = read(3);
    chain.grow(2 * MAX_PAGE as u64);
    let mut other = chain.up_to(490);
    other.grow_after(2 * MAX_PAGE as u64, INTERVAL - 1);
    let mut calls = 0;
    let (stand, ..) = ask(&mut known, |from| {
        calls += 1;
        if calls == 1 { chain.headers(from) } else { other.headers(from) }
    });
    assert_eq!(stand.expect("both are honest").tip.hash, other.ledger.head());
    assert_eq!(known.tip().hash, other.ledger.head());

    let mut calls = 0;
    let (mut known, fresh) = (HeaderChain::new(&chain.genesis, DEPTHS), chain.up_to(90));
    let mut beside = fresh.up_to(1);
    beside.grow_after(89, INTERVAL - 1);
    let restless = bad(&mut known, |from| {
        calls += 1;
        let node = if calls % 2 == 0 { &fresh } else { &beside };
        // A page at a time, so that each is another chain's.
        let mut page = node.headers(from);
        page.headers.truncate(3);
        page
    });
    assert_eq!(restless, BadHeaders::Restless(MAX_CHANGES));
}

#[test]
fn nonsense_is_refused_and_changes_nothing() {
    let (mut chain, mut known) = read(5);
    chain.grow(3);
    let tip = known.tip();
    let others = bad(&mut known, |from| chain.headers(from + 1));
    assert_eq!(others, BadHeaders::Others(5));
    let gap = bad(&mut known, |from| {
        let mut page = chain.headers(from);
        page.headers.remove(1);
        page
    });
    assert_eq!(gap, BadHeaders::Others(5));
    let withheld = bad(&mut known, |_| HeadersAnswer { headers: Vec::new(), head_height: 9 });
    assert_eq!(withheld, BadHeaders::Withheld { shown: 4, claimed: 9 });
    let boast = bad(&mut known, |from| {
        let mut page = chain.headers(from);
        page.head_height = u64::MAX;
        page
    });
    assert_eq!(boast, BadHeaders::Withheld { shown: 8, claimed: u64::MAX });
    let long = bad(&mut known, |from| {
        let header = chain.header(1);
        HeadersAnswer { headers: vec![header; MAX_PAGE + 1], head_height: from }
    });
    assert_eq!(long, BadHeaders::LongPage(MAX_PAGE + 1));
    assert_eq!(known.spot(5), Some(tip));
}

#[test]
fn a_node_that_counts_down_does_not_hold_us_up() {
    let (_, mut known) = read(200);
    let (stand, _, from) =
        ask(&mut known, |from| HeadersAnswer { headers: Vec::new(), head_height: from - 1 });
    assert_eq!(stand.expect("it has nothing").shared, 0);
    assert!(from.len() <= 10, "{from:?}");
}

#[test]
fn another_genesis_is_told_from_a_fork() {
    let (_, mut known) = read(5);
    let mut other = Mined::new("another");
    other.grow(6);
    let found = bad(&mut known, |from| other.headers(from));
    assert!(matches!(found, BadHeaders::OtherGenesis { .. }), "{found}");
    assert!(found.to_string().contains("is it the genesis of this network"), "{found}");
}

#[test]
fn what_was_taken_in_before_a_lie_stays() {
    let (mut chain, mut known) = read(3);
    chain.grow(MAX_PAGE as u64 + 4);
    let rule = bad(&mut known, |from| {
        let mut page = chain.headers(from);
        if from > 3 {
            page.headers[1].time = 0;
        }
        page
    });
    assert!(matches!(rule, BadHeaders::Rule(_)), "{rule}");
    assert_eq!(known.height(), 2 + MAX_PAGE as u64);
}
