//! The other way round: where nobody does wrong, nothing is found wrong.

use super::*;
use crate::network::MILLION;
use rand_chacha::rand_core::Rng;

/// Transfers from everybody to everybody.
fn pay(world: &mut World<Tendermint>, number: u32) {
    let (from, to) = (number % 4, (number + 1 + number / 4 % 3) % 4);
    let transfer = Transfer { from, to, amount: number.into(), fee: 2 };
    world.submit(ALL[number as usize * 7 % 4], transfer);
}

#[test]
fn two_hundred_runs_without_faults_keep_every_promise() {
    for seed in 0..200 {
        let mut world = world(four(seed));
        for number in 0..10 {
            pay(&mut world, number);
            world.run_for(Duration::from_millis(500));
        }
        world.run_for(seconds(3));
        let promise = Progress { since: seconds(2), within: seconds(6), goal: Goal::Gain(3) };
        let promises = Promises { progress: vec![promise], ..Promises::default() };
        let verdict = checker::judge(&world, promises);
        assert!(verdict.holds(), "seed {seed}: {verdict}");
    }
}

/// Loss, a slow disk, crashes of everybody, and one checker that looks all the time.
#[test]
fn two_hundred_runs_with_faults_keep_every_promise() {
    for seed in 0..200 {
        let mut setup = four(seed);
        setup.network.loss = MILLION / 20;
        setup.sync_delay = Duration::from_millis(seed % 40).into();
        let mut world = world(setup);
        let mut checker = Checker::of(&world, Promises::default());
        let mut chance = crate::setup::stream(seed, "crashes", 0);
        for number in 0..12 {
            pay(&mut world, number);
            let id = ALL[chance.next_u32() as usize % 4];
            world.run_for(Duration::from_millis(chance.next_u64() % 1_000));
            world.crash(id);
            world.run_for(Duration::from_millis(chance.next_u64() % 500));
            let verdict = checker.look(&Sight::of(&world));
            assert!(verdict.holds(), "seed {seed}: {verdict}");
            world.restart(id);
        }
        let since = world.now() + seconds(5);
        world.run_for(seconds(25));
        let promise = Progress { since, within: seconds(20), goal: Goal::Gain(3) };
        let promises = Promises { progress: vec![promise], ..Promises::default() };
        let [incremental, whole] =
            [checker.look(&Sight::of(&world)), checker::judge(&world, promises)];
        assert!(incremental.holds(), "seed {seed}: {incremental}");
        assert!(whole.holds(), "seed {seed}: {whole}");
    }
}

#[test]
fn runs_on_the_wire_keep_every_promise() {
    for seed in 0..5 {
        let mut world = world(Setup { wire: true, ..four(seed) });
        (0..5).for_each(|number| pay(&mut world, number));
        world.run_for(seconds(8));
        let verdict = checker::judge(&world, Promises::default());
        assert!(verdict.holds(), "seed {seed}: {verdict}");
        assert!(world.height(ALL[0]) > 3);
    }
}

/// The state is larger, and so are quorums.
#[test]
fn seven_replicas_and_many_accounts_keep_every_promise() {
    let mut setup = Setup::new(Tendermint::NAME, 7, 9);
    setup.accounts = 200;
    let mut world = world(setup);
    for number in 0..100 {
        let transfer = Transfer { from: number, to: number + 100, amount: 3, fee: 1 };
        world.submit(ReplicaId(number % 7), transfer);
    }
    world.run_for(seconds(10));
    let verdict = checker::judge(&world, Promises::default());
    assert!(verdict.holds(), "{verdict}");
    let rich = world.setup().account(150).public().address();
    for id in world.replicas() {
        let ledger = world.ledger(id).expect("it is up");
        let account = ledger.account(ledger.root(), rich).expect("the root is known");
        assert_eq!(account.balance.0, 1_000_003, "the transfers are final");
    }
}
