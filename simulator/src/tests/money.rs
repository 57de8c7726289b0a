use super::*;
use crate::{Transfer, network::MILLION, setup::BALANCE};
use crypto::Address;
use ledger::{
    Amount,
    query::{TransactionAnswer, TransactionStatus},
};
use replica::{Answer, Query};

/// Everybody who can own anything: the funded, and the validators, who earn fees.
fn owners(world: &World<Tendermint>) -> Vec<Address> {
    let setup = world.setup();
    let funded = (0..setup.accounts).map(|number| setup.account(number));
    let validators = world.replicas().map(|id| setup.validator(id));
    funded.chain(validators).map(|key| key.public().address()).collect()
}

fn balances(world: &World<Tendermint>, id: ReplicaId) -> Vec<u64> {
    let ledger = world.ledger(id).expect("it is up");
    let balance = |owner| ledger.account(ledger.root(), owner).unwrap_or_default().balance.0;
    owners(world).into_iter().map(balance).collect()
}

/// What a replica says of a transaction.
fn look_up(
    world: &mut World<Tendermint>,
    id: ReplicaId,
    name: ledger::TransactionId,
) -> TransactionAnswer {
    let question = world.ask(id, Query::Transaction(name));
    world.run_for(seconds(1));
    match world.answer(question) {
        Some(Answer::Transaction(answer)) => *answer,
        other => panic!("no answer about a transaction: {other:?}"),
    }
}

#[test]
fn a_transfer_becomes_final_everywhere() {
    let mut world = world(four(1));
    world.run_for(seconds(2));
    let (question, name) = world.submit(ALL[2], Transfer { from: 0, to: 1, amount: 500, fee: 7 });
    world.run_for(seconds(5));
    match world.answer(question) {
        Some(Answer::Submitted(Ok(waiting))) => assert_eq!(waiting, name),
        other => panic!("the transfer was not taken: {other:?}"),
    }
    assert!(world.answer(question).is_none(), "an answer is taken once");
    for id in ALL {
        let answer = look_up(&mut world, id, name);
        assert_eq!(answer.status, TransactionStatus::Final, "at replica {id}");
        assert!(answer.finality.is_some_and(|finality| finality.linked()), "at replica {id}");
        let balances = balances(&world, id);
        assert_eq!(balances[..2], [BALANCE.0 - 507, BALANCE.0 + 500], "at replica {id}");
        assert_eq!(balances[4..].iter().sum::<u64>(), 7, "a proposer earned the fee");
    }
    assert_safe(&world);
}

/// A transaction does not wait for the pause of an idle chain to pass.
#[test]
fn a_transfer_wakes_an_idle_chain() {
    let mut setup = four(2);
    setup.block_time = seconds(60);
    let mut world = world(setup);
    world.run_for(seconds(5));
    world.submit(ALL[0], Transfer { from: 0, to: 1, amount: 1, fee: 1 });
    reach(&mut world, &ALL, 1, seconds(2));
}

#[test]
fn a_transfer_beyond_the_balance_is_refused() {
    let mut world = world(four(3));
    let transfer = Transfer { from: 0, to: 1, amount: BALANCE.0, fee: 1 };
    let (question, _) = world.submit(ALL[0], transfer);
    world.run_for(seconds(1));
    assert!(
        matches!(world.answer(question), Some(Answer::Submitted(Err(_)))),
        "more was promised than is owned"
    );
}

/// Money only moves: at every height of every replica everybody's balances add up to the supply.
#[test]
fn money_is_neither_made_nor_lost() {
    for seed in 0..3 {
        let mut setup = four(seed);
        setup.network.loss = MILLION / 20;
        let mut world = world(setup);
        // Four accounts with money, four validators with a stake of one.
        let supply = 4 * BALANCE.0 + 4;
        for number in 0..60 {
            let (from, to) = (number % 4, (number + 1 + number / 4 % 3) % 4);
            let at = ALL[number as usize * 7 % 4];
            world.submit(at, Transfer { from, to, amount: u64::from(number), fee: 3 });
            world.run_for(Duration::from_millis(350));
            for id in ALL {
                let ledger = world.ledger(id).expect("it is up");
                assert_eq!(ledger.supply(), Amount(supply));
                let sum: u64 = balances(&world, id).iter().sum();
                let held = ledger.register(ledger.root()).expect("the root has one").held();
                assert_eq!(
                    u128::from(sum) + held,
                    supply.into(),
                    "seed {seed}, replica {id}: {world:?}"
                );
            }
        }
        world.run_for(seconds(20));
        let fees: u64 = balances(&world, ALL[0])[4..].iter().sum();
        assert_eq!(fees, 60 * 3, "seed {seed}: all sixty transfers are final");
        assert!(ALL.iter().all(|id| balances(&world, *id) == balances(&world, ALL[0])));
        assert_safe(&world);
    }
}
