//! A lying node, and an honest one, under a header that is known.

use super::*;
use crate::{
    mined::{Mined, transfers},
    network::{Network, poor, rich},
};
use crypto::{Hash, merkle::PathError};
use ledger::{Amount, query::TransactionStatus};

/// A chain whose block 1 holds three transfers, and the middle one.
fn story() -> (Mined, TransactionId) {
    let mut chain = Mined::new("inclusion");
    let payments = transfers(&chain, 0..3, 10);
    let id = payments[1].id();
    chain.mine(payments);
    chain.grow(1);
    (chain, id)
}

fn lie(change: impl FnOnce(&mut TransactionAnswer)) -> NotProven {
    let (chain, id) = story();
    let mut answer = chain.transaction(id);
    change(&mut answer);
    verify_inclusion(&chain.genesis, id, &answer, &chain.header(1)).expect_err("a lie")
}

#[test]
fn an_honest_answer_is_proven_under_its_header() {
    let (chain, id) = story();
    let answer = chain.transaction(id);
    assert_eq!(answer.status, TransactionStatus::Pending);
    let included = verify_inclusion(&chain.genesis, id, &answer, &chain.header(1));
    let included = included.expect("all of it is true");
    assert_eq!((included.id(), included.transaction().id()), (id, id));
    assert_eq!((included.place(), included.spot()), ((1, 3), Spot::of(&chain.header(1))));
}

#[test]
fn under_another_header_nothing_is_proven() {
    let (chain, id) = story();
    let answer = chain.transaction(id);
    let elsewhere = verify_inclusion(&chain.genesis, id, &answer, &chain.header(2));
    assert_eq!(elsewhere, Err(NotProven::Height { claimed: 1, header: 2 }));
    let mut moved = answer;
    moved.height = Some(2);
    let moved = verify_inclusion(&chain.genesis, id, &moved, &chain.header(2));
    assert!(matches!(moved, Err(NotProven::Path { height: 2, .. })), "{moved:?}");
}

#[test]
fn each_link_that_does_not_hold_is_named() {
    let (_, id) = story();
    assert_eq!(lie(|answer| answer.transaction = None), NotProven::Missing("transaction"));
    assert_eq!(lie(|answer| answer.path = None), NotProven::Missing("Merkle path"));
    assert_eq!(lie(|answer| answer.index = Some(0)), NotProven::Index { claimed: 0, path: 1 });
    let forged = lie(|answer| answer.path.as_mut().expect("it is there").siblings[0] = Hash::ZERO);
    assert_eq!(forged, NotProven::Path { height: 1, reason: PathError::WrongRoot });
    let other = Network::new("another").transfer(1, poor(), 10);
    let found = other.id();
    let swapped = lie(|answer| answer.transaction = Some(other));
    assert_eq!(swapped, NotProven::OtherTransaction { asked: id, found });
}

#[test]
fn a_balance_is_proven_under_its_header_only() {
    let (chain, _) = story();
    let answer = chain.account(poor(), 1).expect("it has a state");
    let account = verify_holding(poor(), &answer, &chain.header(1)).expect("it is true");
    assert_eq!(account.balance, Amount(30));
    let later = verify_holding(poor(), &answer, &chain.header(2));
    assert_eq!(later, Err(NotProven::Height { claimed: 1, header: 2 }));
    let mut richer = answer.clone();
    richer.account.balance.0 += 1;
    let richer = verify_holding(poor(), &richer, &chain.header(1));
    assert!(matches!(richer, Err(NotProven::Account(_))), "{richer:?}");
    let rich = rich().public().address();
    let other = verify_holding(rich, &answer, &chain.header(1));
    assert_eq!(other, Err(NotProven::OtherAccount { asked: rich, found: poor() }));
}

#[test]
fn a_body_is_the_one_that_was_asked_for_or_none() {
    let (chain, _) = story();
    let block = chain.ledger.adopted(1).expect("it is there");
    let spot = Spot::of(&block.header);
    verify_body(spot, &block).expect("it is true");
    let mut short = block.as_ref().clone();
    short.transactions.pop();
    assert_eq!(verify_body(spot, &short), Err(NotProven::Body { height: 1 }));
    let asked = Spot::of(&chain.header(2));
    assert_eq!(verify_body(asked, &block), Err(NotProven::OtherBody { asked, found: spot }));
}
