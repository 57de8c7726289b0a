use super::*;
use crypto::SecretKey;
use ledger::{
    Action, ChainId, Payload,
    stake::{EvidenceRefusal, StakeRefusal},
};
use proptest::prelude::*;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn address(seed: u8) -> Address {
    key(seed).public().address()
}

fn transfer(from: u8, nonce: u64, fee: u64, amount: u64) -> VerifiedTransaction {
    let action = Action::Transfer { to: address(99), amount: Amount(amount) };
    let chain = ChainId::default();
    let sender = key(from).public();
    let payload = Payload { chain, sender, nonce, fee: Amount(fee), action };
    payload.sign(&key(from)).verify(chain).expect("it is signed by its sender")
}

fn rich(nonce: u64) -> Account {
    Account { balance: Amount(1_000_000), nonce, ..Account::default() }
}

fn order(pool: &Pool) -> Vec<(Address, u64)> {
    pool.pending(|_| rich(0), &BTreeSet::new(), usize::MAX)
        .iter()
        .map(|transaction| (transaction.payload.sender.address(), transaction.payload.nonce))
        .collect()
}

#[test]
fn order_is_by_fee_then_age_and_within_an_account_by_nonce() {
    let mut pool = Pool::new(10);
    for transaction in
        [transfer(1, 0, 5, 1), transfer(1, 1, 50, 1), transfer(2, 0, 10, 1), transfer(3, 0, 10, 1)]
    {
        pool.insert(transaction, &rich(0)).unwrap();
    }
    let expected = [(2, 0), (3, 0), (1, 0), (1, 1)].map(|(who, nonce)| (address(who), nonce));
    assert_eq!(order(&pool), expected);
}

#[test]
fn a_nonce_gap_is_held_until_it_closes() {
    let mut pool = Pool::new(10);
    pool.insert(transfer(1, 1, 1, 1), &rich(0)).unwrap();
    assert!(order(&pool).is_empty() && !pool.is_ready(|_| rich(0)));
    pool.insert(transfer(1, 0, 1, 1), &rich(0)).unwrap();
    assert_eq!(order(&pool).len(), 2);
    assert_eq!(pool.next_nonce(address(1), &rich(0)), 2);
}

#[test]
fn a_replacement_must_pay_more() {
    let mut pool = Pool::new(10);
    let first = pool.insert(transfer(1, 0, 5, 1), &rich(0)).unwrap();
    let refusal = pool.insert(transfer(1, 0, 5, 2), &rich(0)).unwrap_err();
    assert_eq!(refusal, PoolRefusal::Underpriced { nonce: 0, fee: Amount(5) });
    let second = pool.insert(transfer(1, 0, 6, 2), &rich(0)).unwrap();
    assert!(pool.get(first).is_none() && pool.get(second).is_some());
    assert_eq!(pool.len(), 1);
}

#[test]
fn an_account_that_does_not_exist_cannot_even_send_nothing() {
    let mut pool = Pool::new(10);
    let nobody = Account::default();
    let refusal = pool.insert(transfer(1, 0, 0, 0), &nobody).unwrap_err();
    assert_eq!(refusal, PoolRefusal::NoAccount(address(1)));
    let refusal = pool.insert(transfer(1, 0, 0, 5), &nobody).unwrap_err();
    assert!(matches!(refusal, PoolRefusal::Balance { needed: 5, .. }), "{refusal}");
    // One that has spent everything is there all the same.
    let poor = Account { nonce: 7, ..nobody };
    pool.insert(transfer(1, 7, 0, 0), &poor).unwrap();
}

#[test]
fn what_the_account_cannot_pay_is_refused_with_the_sums() {
    let mut pool = Pool::new(10);
    let poor = Account { balance: Amount(10), ..Account::default() };
    pool.insert(transfer(1, 0, 1, 5), &poor).unwrap();
    let refusal = pool.insert(transfer(1, 1, 1, 5), &poor).unwrap_err();
    assert_eq!(refusal, PoolRefusal::Balance { balance: Amount(10), needed: 12 });
    let refusal = pool.insert(transfer(2, 0, u64::MAX, u64::MAX), &poor).unwrap_err();
    assert!(matches!(refusal, PoolRefusal::Balance { needed, .. } if needed > u64::MAX.into()));
}

#[test]
fn used_known_and_distant_nonces_are_refused() {
    let mut pool = Pool::new(10);
    let refusal = pool.insert(transfer(1, 2, 1, 1), &rich(3)).unwrap_err();
    assert_eq!(refusal, PoolRefusal::Used { expected: 3, found: 2 });
    let far = 3 + MAX_NONCE_GAP + 1;
    let refusal = pool.insert(transfer(1, far, 1, 1), &rich(3)).unwrap_err();
    assert_eq!(refusal, PoolRefusal::TooFarAhead { expected: 3, found: far });
    let id = pool.insert(transfer(1, 3, 1, 1), &rich(3)).unwrap();
    let refusal = pool.insert(transfer(1, 3, 1, 1), &rich(3)).unwrap_err();
    assert_eq!(refusal, PoolRefusal::Known(id));
}

#[test]
fn a_full_pool_drops_the_cheapest_and_what_needs_it() {
    let mut pool = Pool::new(3);
    let cheap = pool.insert(transfer(1, 0, 1, 1), &rich(0)).unwrap();
    let after = pool.insert(transfer(1, 1, 9, 1), &rich(0)).unwrap();
    pool.insert(transfer(2, 0, 5, 1), &rich(0)).unwrap();
    let refusal = pool.insert(transfer(3, 0, 1, 1), &rich(0)).unwrap_err();
    assert_eq!(refusal, PoolRefusal::Full { capacity: 3, fee: Amount(1) });
    pool.insert(transfer(3, 0, 2, 1), &rich(0)).unwrap();
    assert!(pool.get(cheap).is_none() && pool.get(after).is_none());
    assert_eq!(pool.len(), 2);
}

#[test]
fn what_is_in_flight_counts_as_ordered() {
    let mut pool = Pool::new(3);
    let taken = pool.insert(transfer(1, 0, 1, 1), &rich(0)).unwrap();
    pool.insert(transfer(1, 1, 1, 1), &rich(0)).unwrap();
    let pending = pool.pending(|_| rich(0), &BTreeSet::from([taken]), 9);
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].payload.nonce, 1);
}

#[test]
fn used_nonces_are_forgotten() {
    let mut pool = Pool::new(9);
    for nonce in 0..4 {
        pool.insert(transfer(1, nonce, 1, 1), &rich(0)).unwrap();
    }
    pool.settle_all(|_| rich(3));
    assert_eq!(pool.len(), 1);
    assert!(pool.is_ready(|_| rich(3)));
}

#[test]
fn every_refusal_has_its_own_word() {
    let zero = Amount::ZERO;
    let refusals = [
        PoolRefusal::Known(TransactionId::default()),
        PoolRefusal::Used { expected: 0, found: 0 },
        PoolRefusal::TooFarAhead { expected: 0, found: 0 },
        PoolRefusal::Underpriced { nonce: 0, fee: zero },
        PoolRefusal::Balance { balance: zero, needed: 0 },
        PoolRefusal::Full { capacity: 0, fee: zero },
        PoolRefusal::Refused(StakeRefusal::Fixed.into()),
        PoolRefusal::Behind { expected: 0, found: 1 },
        PoolRefusal::Accused(ReplicaId(1)),
        PoolRefusal::Refused(EvidenceRefusal::SelfServing.into()),
        PoolRefusal::Halted(String::new()),
    ];
    let words: BTreeSet<_> = refusals.iter().map(PoolRefusal::reason).collect();
    assert_eq!(words.len(), refusals.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes in, the pool stays within its bound, its three indices agree, and what it
    /// offers is executable in order.
    #[test]
    fn the_pool_is_bounded_and_offers_unbroken_runs(
        incoming in prop::collection::vec((0u8..4, 0u64..6, 0u64..5), 1..60),
    ) {
        let mut pool = Pool::new(8);
        for (from, nonce, fee) in incoming {
            let _ = pool.insert(transfer(from, nonce, fee, 1), &rich(0));
            prop_assert!(pool.len() <= 8);
            prop_assert_eq!(pool.by_fee.len(), pool.ids.len());
            let held: usize = pool.accounts.values().map(BTreeMap::len).sum();
            prop_assert_eq!(held, pool.ids.len());
        }
        let mut next = BTreeMap::new();
        for (address, nonce) in order(&pool) {
            let expected = next.entry(address).or_insert(0);
            prop_assert_eq!(nonce, *expected);
            *expected += 1;
        }
    }
}

fn evidence(from: u8, nonce: u64, against: u32) -> VerifiedTransaction {
    let pair =
        |byte| (crypto::Hash::from_bytes([byte; 32]), crypto::Signature::from_bytes([0; 64]));
    let slot = ledger::Slot { height: 1, ..Default::default() };
    let evidence = ledger::vote::Evidence::new(ReplicaId(against), slot, pair(1), pair(2));
    let (chain, sender) = (ChainId::default(), key(from).public());
    let action = Action::Evidence(Box::new(evidence));
    let payload = Payload { chain, sender, nonce, fee: Amount::ZERO, action };
    payload.sign(&key(from)).verify(chain).expect("it is signed by its sender")
}

#[test]
fn evidence_comes_first_and_is_not_pushed_out() {
    let mut pool = Pool::new(2);
    pool.insert(transfer(1, 0, 50, 1), &rich(0)).unwrap();
    pool.insert(transfer(2, 0, 60, 1), &rich(0)).unwrap();
    pool.insert(evidence(3, 0, 7), &Account::default()).unwrap();
    assert_eq!(order(&pool), [(address(3), 0), (address(2), 0)], "the cheapest gave way");
    assert!(pool.accuses(ReplicaId(7)));
    pool.insert(transfer(4, 0, 70, 1), &rich(0)).unwrap();
    assert_eq!(order(&pool), [(address(3), 0), (address(4), 0)]);
}

#[test]
fn one_piece_of_evidence_is_held_against_each_offender() {
    let mut pool = Pool::new(10);
    pool.insert(evidence(1, 0, 7), &rich(0)).unwrap();
    let again = pool.insert(evidence(2, 0, 7), &rich(0));
    assert_eq!(again, Err(PoolRefusal::Accused(ReplicaId(7))));
    pool.insert(evidence(2, 0, 8), &rich(0)).unwrap();
    let behind = pool.insert(evidence(3, 1, 9), &rich(0));
    assert_eq!(behind, Err(PoolRefusal::Behind { expected: 0, found: 1 }));
    pool.settle_all(|address| rich(u64::from(address == self::address(1))));
    assert!(!pool.accuses(ReplicaId(7)), "it was ordered");
    pool.insert(evidence(3, 0, 7), &rich(0)).unwrap();
}

#[test]
fn what_can_no_longer_be_ordered_is_dropped() {
    let mut pool = Pool::new(10);
    pool.insert(evidence(1, 0, 7), &rich(0)).unwrap();
    pool.insert(evidence(2, 0, 8), &rich(0)).unwrap();
    pool.insert(transfer(3, 0, 1, 1), &rich(0)).unwrap();
    let against = |transaction: &Transaction| match &transaction.payload.action {
        Action::Evidence(evidence) => evidence.offender != ReplicaId(7),
        _ => panic!("a transfer can be ordered while it can be paid for"),
    };
    let all = |all: &[&Transaction]| all.iter().map(|each| against(each)).collect();
    let void = pool.settle_conditional(|_| rich(0), all);
    assert_eq!(void, [evidence(1, 0, 7)]);
    assert_eq!(
        (pool.len(), pool.accuses(ReplicaId(7)), pool.accuses(ReplicaId(8))),
        (2, false, true)
    );
}

/// Each of them is tried again on each block.
#[test]
fn so_many_and_no_more_wait_that_must_be_tried_again() {
    let mut pool = Pool::new(4 * MAX_CONDITIONAL);
    let unbond = |nonce| {
        let (chain, sender) = (ChainId::default(), key(1).public());
        let action = Action::Unbond { amount: Amount(1) };
        let payload = Payload { chain, sender, nonce, fee: Amount(1), action };
        payload.sign(&key(1)).verify(chain).expect("it is signed by its sender")
    };
    for nonce in 0..MAX_CONDITIONAL as u64 {
        pool.insert(unbond(nonce), &rich(0)).unwrap();
    }
    let more = unbond(MAX_CONDITIONAL as u64);
    assert_eq!(pool.insert(more, &rich(0)), Err(PoolRefusal::Crowded));
    pool.insert(evidence(2, 0, 7), &rich(0)).expect("evidence finds room");
    pool.insert(transfer(3, 0, 1, 1), &rich(0)).expect("and so do transfers");
}
