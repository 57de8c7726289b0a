use super::*;
use crypto::Hash;

fn purse() -> Purse {
    Purse::new(SecretKey::from_seed([1; 32]), ChainId(Hash::from_bytes([7; 32])))
}

#[test]
fn transfers_of_an_account_are_valid_and_follow_each_other() {
    let (mut purse, to) = (purse(), SecretKey::from_seed([2; 32]).public().address());
    let transfers: Vec<_> = (0..3).map(|_| purse.pay(to)).collect();
    for (nonce, transfer) in (0..).zip(&transfers) {
        assert_eq!(transfer.payload.nonce, nonce);
        assert!(transfer.clone().verify(purse.chain).is_ok());
    }
    assert_eq!(purse.last, Some(transfers[2].id()));
    let waiting: Vec<_> = purse.waiting.iter().map(|waiting| waiting.id).collect();
    assert_eq!(waiting, transfers.iter().map(Transaction::id).collect::<Vec<_>>());
}

#[test]
fn what_waits_too_long_is_handed_over_again_in_order_and_not_at_once_again() {
    let (mut purse, to) = (purse(), SecretKey::from_seed([2; 32]).public().address());
    let transfers = [purse.pay(to), purse.pay(to)];
    let now = Instant::now();
    assert_eq!(purse.late(now), []);
    let later = now + 2 * RESEND;
    assert_eq!(purse.late(later), transfers);
    assert_eq!(purse.late(later), []);
    assert_eq!(purse.late(later + RESEND), transfers);
}

#[test]
fn nothing_waits_too_long_where_nothing_waits() {
    assert_eq!(purse().late(Instant::now()), []);
}

#[test]
fn what_is_counted_on_is_watched_until_it_is_final_and_waits_again_if_it_was_undone() {
    let (mut purse, to) = (purse(), SecretKey::from_seed([2; 32]).public().address());
    let ids: Vec<_> = (0..4).map(|_| purse.pay(to).id()).collect();
    let queues = |purse: &Purse| {
        [&purse.confirmed, &purse.waiting]
            .map(|queue| queue.iter().map(|w| w.id).collect::<Vec<_>>())
    };
    purse.heard(ids[0], TransactionStatus::Pending);
    assert_eq!(queues(&purse), [vec![], ids.clone()]);
    purse.heard(ids[0], TransactionStatus::Confirmed);
    purse.heard(ids[1], TransactionStatus::Confirmed);
    purse.heard(ids[0], TransactionStatus::Confirmed);
    assert_eq!(queues(&purse), [ids[..2].to_vec(), ids[2..].to_vec()]);
    purse.heard(ids[0], TransactionStatus::Final);
    assert_eq!(queues(&purse), [ids[1..2].to_vec(), ids[2..].to_vec()]);
    purse.heard(ids[1], TransactionStatus::Pending);
    assert_eq!(queues(&purse), [vec![], ids[1..].to_vec()], "in their order");
    for id in &ids[1..] {
        purse.heard(*id, TransactionStatus::Final);
    }
    assert_eq!(queues(&purse), [vec![], vec![]]);
}
