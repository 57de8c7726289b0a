use super::*;
use crate::{
    store::{MemoryStore, ahead::Ahead},
    testing::{act, address, genesis, key, pay},
    vote::Evidence,
};
use std::sync::Arc;

const PROPOSER: u8 = 0;

/// Executes the transfers on these balances, the last of which must be refused if any is.
fn execute(
    balances: &[(u8, Account)],
    transfers: &[crate::Transaction],
) -> (Result<(), Refusal>, BTreeMap<Address, Account>) {
    let disk = Ahead::new(Arc::new(MemoryStore::default()));
    let parent = View::new(Vec::new(), &disk);
    let genesis = genesis(&[]);
    let keys = Keys::of(genesis.chain_id(), &genesis.committee().unwrap());
    let terms =
        Terms { height: 1, proposer: address(PROPOSER), staking: None, leak: None, keys: &keys };
    let register = Arc::new(Register::founding(&genesis));
    let mut execution = Execution::new(&parent, register, terms);
    execution.accounts = balances.iter().map(|(who, what)| (address(*who), *what)).collect();
    let mut result = Ok(());
    for transfer in transfers {
        result = execution.apply(transfer);
    }
    (result, execution.accounts)
}

fn account(balance: u64, nonce: u64) -> Account {
    Account { balance: Amount(balance), nonce, bonded: Stake(0) }
}

#[test]
fn a_transfer_may_involve_one_account_in_several_roles() {
    let genesis = genesis(&[]);
    let to_self = pay(&genesis, 10, 0, address(10), 100, 5);
    let (result, after) = execute(&[(10, account(105, 0))], &[to_self]);
    assert_eq!(result, Ok(()));
    assert_eq!(after[&address(10)], account(100, 1));
    assert_eq!(after[&address(PROPOSER)], account(5, 0));

    let by_proposer = pay(&genesis, PROPOSER, 0, address(10), 100, 5);
    let (result, after) = execute(&[(PROPOSER, account(105, 0))], &[by_proposer]);
    assert_eq!(result, Ok(()));
    assert_eq!(after[&address(PROPOSER)], account(5, 1));

    let all_in_one = pay(&genesis, PROPOSER, 0, address(PROPOSER), 100, 5);
    let (result, after) = execute(&[(PROPOSER, account(105, 0))], &[all_in_one]);
    assert_eq!(result, Ok(()));
    assert_eq!(after[&address(PROPOSER)], account(105, 1));
}

#[test]
fn what_is_refused_changes_nothing() {
    let genesis = genesis(&[]);
    let before = [(10, account(100, 3)), (11, account(u64::MAX, 0)), (12, account(9, u64::MAX))];
    let same: BTreeMap<_, _> = before.iter().map(|(who, what)| (address(*who), *what)).collect();
    let bond = Action::Bond { amount: Amount(1), validator: crate::ReplicaId(4) };
    let unbond = Action::Unbond { amount: Amount(1) };
    let said = || (crypto::Hash::ZERO, key(1).sign(b""));
    let evidence = Evidence::new(crate::ReplicaId(1), crate::Slot::default(), said(), said());
    for (transaction, reason) in [
        (pay(&genesis, 10, 2, address(11), 1, 0), Refusal::Nonce { expected: 3, found: 2 }),
        (pay(&genesis, 10, 4, address(11), 1, 0), Refusal::Nonce { expected: 3, found: 4 }),
        (
            pay(&genesis, 10, 3, address(12), 100, 1),
            Refusal::Balance { balance: Amount(100), needed: 101 },
        ),
        (
            pay(&genesis, 10, 3, address(10), 100, 1),
            Refusal::Balance { balance: Amount(100), needed: 101 },
        ),
        (
            pay(&genesis, 10, 3, address(12), u64::MAX, u64::MAX),
            Refusal::Balance { balance: Amount(100), needed: u128::from(u64::MAX) * 2 },
        ),
        (
            pay(&genesis, 20, 0, address(12), 0, 1),
            Refusal::Balance { balance: Amount(0), needed: 1 },
        ),
        (pay(&genesis, 10, 3, address(11), 1, 0), Refusal::Overflow),
        (pay(&genesis, 12, u64::MAX, address(10), 1, 0), Refusal::Overflow),
        (act(&genesis, 10, 3, 0, bond), StakeRefusal::Fixed.into()),
        (act(&genesis, 10, 3, 0, unbond), StakeRefusal::Fixed.into()),
        (act(&genesis, 10, 3, 0, Action::Evidence(Box::new(evidence))), StakeRefusal::Fixed.into()),
    ] {
        let (result, after) = execute(&before, &[transaction]);
        assert_eq!(result, Err(reason));
        assert_eq!(after, same);
    }
}

#[test]
fn the_refusal_for_want_of_money_says_what_is_there_and_what_is_needed() {
    let refusal = account(10, 0).pay(0, Amount(8), Amount(3)).unwrap_err();
    assert_eq!(refusal.to_string(), "the account holds 10, the transfer and its fee need 11");
}

#[test]
fn an_empty_address_may_send_nothing_for_nothing() {
    let (result, after) = execute(&[], &[pay(&genesis(&[]), 20, 0, address(21), 0, 0)]);
    assert_eq!(result, Ok(()));
    assert_eq!(after[&address(20)], account(0, 1));
    assert_eq!(after[&address(21)], Account::default());
}
