//! Who loses its seat, and who never does.

use super::*;

#[test]
fn with_a_floor_nobody_is_sent_away_and_a_committee_that_stays_has_one_name() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    for _ in 1..=40 {
        attend(&mut world, &[0, 1, 2]);
        assert_eq!(everything(&world), u128::from(world.ledger.supply().0));
    }
    let floor = world.ledger.leak().unwrap().floor();
    let register = world.ledger.register(world.ledger.root()).unwrap();
    let absent = register.validator(ReplicaId(3)).unwrap();
    assert_eq!((absent.share.left, absent.stake, absent.weight), (floor, Stake(10), Stake(10)));
    assert_eq!(register.unbonding(), []);
    assert_eq!(world.ledger.changes(), [3, 4, 5, 6], "from the floor on nothing changes any more");
}

#[test]
fn without_a_floor_whoever_has_half_left_is_sent_away_with_its_stake() {
    let mut world = leaking(ON_CHAIN, &[("ledger.leak_unbounded", 1)], &[]);
    let stake = |world: &World| {
        let register = world.ledger.register(world.ledger.root()).unwrap();
        let absent = register.validator(ReplicaId(3)).unwrap();
        (absent.stake.0, absent.weight.0)
    };
    for height in 1..=5 {
        attend(&mut world, &[0, 1, 2]);
        assert_eq!(stake(&world), (10, 10), "height {height}: {:?}", left(&world));
    }
    assert_eq!(left(&world)[3], 666);
    attend(&mut world, &[0, 1, 2]);
    assert_eq!((left(&world)[3], stake(&world)), (499, (0, 10)));
    let bonded =
        |world: &World| world.ledger.account(world.ledger.root(), address(3)).unwrap().bonded.0;
    assert_eq!((bonded(&world), world.balance(world.ledger.root(), 3)), (0, 0));
    // The committee of height 8 is the first without it: height 7 names that.
    let six = world.ledger.root();
    assert_eq!(world.ledger.committee(six).unwrap().len(), 4);
    let seven = attend(&mut world, &[0, 1, 2]);
    assert_eq!(world.ledger.committee(seven).unwrap().len(), 3);
    // It sat at heights 6 and 7, and is not held to be there from 8 on.
    for height in 8..=12 {
        assert_eq!(world.balance(world.ledger.root(), 3), 0, "height {height}");
        attend(&mut world, &[0, 1, 2]);
        assert_eq!(everything(&world), u128::from(world.ledger.supply().0));
    }
    assert_eq!(world.balance(world.ledger.root(), 3), 10, "six blocks after it was sent");
    assert_eq!(world.ledger.supply(), Amount(40), "nobody has lost anything");
}

#[test]
fn the_last_who_is_left_is_not_sent_away() {
    let mut world = leaking(ON_CHAIN, &[("ledger.leak_unbounded", 1)], &[]);
    for _ in 1..=20 {
        attend(&mut world, &[]);
    }
    let register = world.ledger.register(world.ledger.root()).unwrap();
    let staked = register.validators().filter(|(_, each)| each.stake.0 > 0);
    assert_eq!(staked.map(|(id, _)| id.0).collect::<Vec<_>>(), [3]);
    assert_eq!(world.ledger.committee(world.ledger.root()).unwrap().len(), 1);
}

#[test]
fn whoever_was_sent_away_has_nothing_to_take_out() {
    let mut world = leaking(ON_CHAIN, &[("ledger.leak_unbounded", 1)], &[]);
    for _ in 1..=5 {
        attend(&mut world, &[0, 1, 2]);
    }
    let unbond = act(&world.genesis, 3, 0, 0, Action::Unbond { amount: Amount(10) });
    let root = world.ledger.root();
    assert_eq!(world.ledger.would_execute(root, &unbond), Ok(()));
    // Duties come before transactions.
    let wish = Draft {
        transactions: vec![unbond.clone()],
        ..draft(&world, vec![took_part(4, &[0, 1, 2])])
    };
    let block = world.ledger.assemble(wish).unwrap();
    assert_eq!(block.transactions, []);
    let tip = world.accept(&block).unwrap();
    let refused = world.ledger.would_execute(tip, &unbond).unwrap_err();
    let nothing = StakeRefusal::NotThatMuch { stake: Stake(0), asked: Amount(10) };
    assert_eq!(refused, Refusal::Stake(nothing));
}

#[test]
fn whoever_was_sent_away_may_come_back_with_its_whole_weight() {
    let mut world = leaking(ON_CHAIN, &[("ledger.leak_unbounded", 1)], &[(3, 50)]);
    for _ in 1..=6 {
        attend(&mut world, &[0, 1, 2]);
    }
    let bond = Action::Bond { amount: Amount(20), validator: ReplicaId(3) };
    let returns = act(&world.genesis, 3, 0, 0, bond);
    grow(&mut world, vec![took_part(5, &[0, 1, 2])], vec![returns]);
    // Of heights 6 and 7, at which it still sat, it is told that it was absent.
    for height in 8..=10 {
        attend(&mut world, &[0, 1, 2]);
        assert!(left(&world)[3] > 800, "height {height}");
    }
    let ten = world.ledger.committee(world.ledger.root()).unwrap();
    assert_eq!(ten.member(ReplicaId(3)).unwrap().stake, Stake(20));
    for _ in 11..=40 {
        attend(&mut world, &[0, 1, 2, 3]);
    }
    assert_eq!(left(&world), [1000; 4]);
    assert_eq!(everything(&world), u128::from(world.ledger.supply().0));
}
