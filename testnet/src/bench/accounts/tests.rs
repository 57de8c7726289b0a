use super::*;
use ledger::Transaction;
use std::collections::BTreeSet;

fn keys(count: u8) -> Vec<SecretKey> {
    (1..=count).map(|number| SecretKey::from_seed([number; 32])).collect()
}

fn transaction(transfer: &Transfer) -> Transaction {
    Transaction::decode(&hex::decode(&transfer.digits).unwrap()).unwrap()
}

#[test]
fn every_transfer_verifies_and_is_called_what_the_chain_calls_it() {
    let chain = ChainId([7; 32].into());
    let mut purses = deal(&keys(5), 2, chain);
    for transfer in (0..20).map(|turn| purses[turn % 2].sign()) {
        let verified = transaction(&transfer).verify(chain).unwrap();
        assert_eq!(verified.id(), transfer.id);
    }
}

#[test]
fn each_account_is_in_one_purse_and_counts_its_nonces_from_zero() {
    let keys = keys(5);
    let mut purses = deal(&keys, 2, ChainId::default());
    let mut senders = Vec::new();
    for purse in &mut purses {
        let accounts = purse.accounts.len();
        let payloads: Vec<_> =
            (0..3 * accounts).map(|_| transaction(&purse.sign()).payload.clone()).collect();
        let nonces: Vec<_> = payloads.iter().map(|payload| payload.nonce).collect();
        let expected: Vec<_> = (0..3).flat_map(|nonce| vec![nonce; accounts]).collect();
        assert_eq!(nonces, expected);
        senders.extend(payloads[..accounts].iter().map(|payload| payload.sender));
    }
    let distinct: BTreeSet<_> = senders.iter().copied().collect();
    assert_eq!((senders.len(), distinct.len()), (5, 5));
    assert_eq!(distinct, keys.iter().map(SecretKey::public).collect());
}

#[test]
fn all_accounts_are_funded_and_pay_each_other() {
    let keys = keys(3);
    let funded: Vec<_> = funded(&keys).iter().map(|funded| funded.address).collect();
    let mut purse = deal(&keys, 1, ChainId::default()).remove(0);
    for paid in [1, 2, 0] {
        match transaction(&purse.sign()).payload.action.clone() {
            Action::Transfer { to, .. } => assert_eq!(to, funded[paid]),
            other => panic!("{other:?}"),
        }
    }
}
