//! Stake on a chain: blocks that change who decides the blocks after them.

use super::*;
use crate::{
    Action, Hand, Slot, Stake,
    chain::audit::Audit,
    stake::{EvidenceRefusal, Register},
    testing::act,
    vote::Evidence,
};
use proptest::prelude::*;

const RULES: [(&str, u64); 2] = [("ledger.unbonding_blocks", 6), ("ledger.evidence_blocks", 4)];

fn staked(balances: &[(u8, u64)]) -> World {
    World::with(balances, &RULES)
}

fn bond(world: &World, from: u8, nonce: u64, amount: u64, id: u32) -> Transaction {
    let action = Action::Bond { amount: Amount(amount), validator: ReplicaId(id) };
    act(&world.genesis, from, nonce, 1, action)
}

fn unbond(world: &World, from: u8, nonce: u64, amount: u64) -> Transaction {
    act(&world.genesis, from, nonce, 1, Action::Unbond { amount: Amount(amount) })
}

fn report(world: &World, from: u8, nonce: u64, offender: u32, height: u64) -> Transaction {
    let hand = Hand::new(ReplicaId(offender), world.genesis.chain_id(), key(offender as u8));
    let slot = Slot { height, epoch: 0, round: 0, phase: 1 };
    let signed = |what| {
        let value = Hash::from_bytes([what; 32]);
        (value, hand.sign(Some(slot), value))
    };
    let evidence = Evidence::new(ReplicaId(offender), slot, signed(1), signed(2));
    act(&world.genesis, from, nonce, 0, Action::Evidence(Box::new(evidence)))
}

/// Everything that anybody has, or is about to get back.
fn everything(world: &World, at: BlockHash) -> u128 {
    let account = |owner| world.ledger.account(at, address(owner)).unwrap();
    let balances = (0..16).map(|owner| u128::from(account(owner).balance.0)).sum::<u128>();
    balances + world.ledger.register(at).unwrap().held()
}

fn grow(world: &mut World, transactions: Vec<Transaction>) -> BlockHash {
    let parent = world.ledger.root();
    let proposer = world.ledger.proposers(parent).unwrap().step();
    let tip = world.grow(parent, proposer.0, transactions);
    world.commit_with(tip, b"proof");
    tip
}

#[test]
fn a_newcomer_gets_a_seat_two_heights_on_and_the_header_between_names_it() {
    let mut world = staked(&[(4, 500)]);
    let founders = world.ledger.root_header().committee;
    let joins = bond(&world, 4, 0, 100, 4);
    let one = grow(&mut world, vec![joins]);
    assert_eq!(world.ledger.root_header().committee, founders);
    assert_eq!(world.ledger.committee(one).unwrap().len(), 4);
    let held = world.ledger.account(one, address(4)).unwrap();
    assert_eq!((held.balance, held.bonded), (Amount(399), Stake(100)));

    let two = grow(&mut world, vec![]);
    let five = world.ledger.committee(two).unwrap();
    assert_eq!(world.ledger.root_header().committee, five.root());
    assert_eq!((five.len(), five.member(ReplicaId(4)).unwrap().stake), (5, Stake(100)));
    assert!(world.ledger.keys().knows(ReplicaId(4)));
    assert_eq!(world.ledger.changes(), [2]);
    // The one before is still known, for whoever comes late.
    assert_eq!(world.ledger.committee(one).unwrap().len(), 4);

    let three = world.grow(two, 4, vec![]);
    world.commit_with(three, b"proof");
    let [change] = &world.ledger.changes_after(0, 9)[..] else { panic!("one change") };
    assert_eq!((change.height, &change.members[..]), (2, five.members()));
    assert_eq!(change.finality.headers[0].committee, five.root());
    assert_eq!(world.ledger.changes_after(2, 9), []);
}

#[test]
fn a_proposer_without_a_seat_is_refused() {
    let mut world = staked(&[(4, 500)]);
    let joins = bond(&world, 4, 0, 100, 4);
    let one = grow(&mut world, vec![joins]);
    let mut early = Block::clone(&world.assemble(one, 0, vec![]));
    early.header.proposer = ReplicaId(4);
    let refused = Err(Invalid::Proposer(ReplicaId(4)).into());
    assert_eq!(world.accept(&Arc::new(early)), refused);
}

#[test]
fn a_header_with_the_committee_of_before_is_refused() {
    let mut world = staked(&[(4, 500)]);
    let joins = bond(&world, 4, 0, 100, 4);
    let one = grow(&mut world, vec![joins]);
    let mut stale = Block::clone(&world.assemble(one, 0, vec![]));
    let expected = stale.header.committee;
    let found = world.ledger.root_header().committee;
    stale.header.committee = found;
    assert_eq!(world.accept(&Arc::new(stale)), Err(Invalid::Committee { expected, found }.into()));
}

#[test]
fn a_double_vote_is_punished_once_and_its_reporter_is_paid_once() {
    let mut world = staked(&[(9, 0)]);
    let supply = world.ledger.supply();
    let (first, again) = (report(&world, 9, 0, 3, 1), report(&world, 9, 1, 3, 1));
    let other = report(&world, 8, 0, 3, 1);
    let block = world.assemble(world.ledger.root(), 0, vec![first, other.clone(), again.clone()]);
    assert_eq!(block.transactions.len(), 1, "the other two convict nobody any more");
    let tip = world.accept(&block).unwrap();
    world.commit_with(tip, b"proof");
    for late in [again, other] {
        let refused = world.ledger.would_execute(tip, &late).unwrap_err();
        let punished = EvidenceRefusal::Punished { validator: ReplicaId(3), height: 1 };
        assert_eq!(refused, Refusal::Evidence(punished));
    }
    // Of a stake of ten a tenth; a tenth of one is nothing.
    assert_eq!(world.ledger.supply().0, supply.0 - 1);
    assert_eq!(everything(&world, tip), u128::from(world.ledger.supply().0));
    let guilty = world.ledger.account(tip, address(3)).unwrap();
    assert_eq!((guilty.bonded, guilty.balance), (Stake(0), Amount(0)));
    let mut tip = grow(&mut world, vec![]);
    assert_eq!(world.ledger.committee(tip).unwrap().len(), 3);
    for _ in 3..=7 {
        tip = grow(&mut world, vec![]);
    }
    assert_eq!(world.balance(tip, 3), 9, "what it did not lose, six blocks later");
}

#[test]
fn the_register_is_proven_by_the_state_root() {
    let mut world = staked(&[(4, 500)]);
    let joins = bond(&world, 4, 0, 100, 4);
    grow(&mut world, vec![joins]);
    let answer = world.ledger.stake_answer().unwrap();
    let root = world.ledger.root_header().state;
    assert_eq!(answer.proof.verify_register(root, &answer.register), Ok(()));
    let founding = Register::founding(&world.genesis);
    assert!(answer.proof.verify_register(root, &founding).is_err());
    assert_eq!((answer.supply, answer.height), (Amount(540), 1));
    // Where stake does not move there is no register to prove.
    let fixed = World::new(&[(4, 500)]).ledger;
    let answer = fixed.stake_answer().unwrap();
    assert_eq!(answer.rules, None);
    assert!(answer.proof.verify_register(fixed.root_header().state, &answer.register).is_err());
}

#[derive(Clone, Debug)]
enum Deed {
    Pay(u8, u8, u64),
    Bond(u8, u32, u64),
    Unbond(u8, u64),
    Report(u8, u32, u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..8u8, 0..8u8, 0..200u64).prop_map(|(from, to, much)| Deed::Pay(from, to, much)),
        (0..8u8, 0..8u32, 0..200u64).prop_map(|(from, id, much)| Deed::Bond(from, id, much)),
        (0..8u8, 0..60u64).prop_map(|(from, much)| Deed::Unbond(from, much)),
        (0..8u8, 0..8u32, 0..20u64).prop_map(|(from, id, slot)| Deed::Report(from, id, slot)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Through any bonds, withdrawals, punishments and crashes: the supply is conserved at every height,
    /// accounts and register agree, a replay and a restart come to the same.
    #[test]
    fn money_and_stake_add_up_at_every_height(
        blocks in prop::collection::vec((prop::collection::vec(deed(), 0..6), any::<bool>()), 1..24),
        reward in 0..20u64,
    ) {
        let funded: Vec<_> = (0..8).map(|owner| (owner, 300)).collect();
        let mut world = World::with(&funded, &[RULES[0], RULES[1], ("ledger.reward", reward)]);
        for (deeds, crashes) in blocks {
            let root = world.ledger.root();
            let nonce = |from| world.ledger.account(root, address(from)).unwrap().nonce;
            let wish = |deed| match deed {
                Deed::Pay(from, to, much) => world.pay(from, nonce(from), to, much, 1),
                Deed::Bond(from, id, much) => bond(&world, from, nonce(from), much, id),
                Deed::Unbond(from, much) => unbond(&world, from, nonce(from), much),
                Deed::Report(from, id, slot) => report(&world, from, nonce(from), id, slot),
            };
            let wishes = deeds.into_iter().map(wish).collect();
            let tip = grow(&mut world, wishes);
            prop_assert_eq!(everything(&world, tip), u128::from(world.ledger.supply().0));
            let register = world.ledger.register(tip).unwrap();
            for owner in 0..16 {
                let bonded = world.ledger.account(tip, address(owner)).unwrap().bonded;
                let number = register.number(&key(owner).public());
                let stake = number.map_or(Stake(0), |id| register.validator(id).unwrap().stake);
                prop_assert_eq!(bonded, stake);
            }
            let named = world.ledger.root_header().committee;
            prop_assert_eq!(world.ledger.committee(tip).unwrap().root(), named);
            prop_assert_eq!(&register.committee(), &*world.ledger.committee(tip).unwrap());
            if crashes {
                world.sync();
                world.crash();
                prop_assert_eq!(world.ledger.root(), tip);
                prop_assert_eq!(&*world.ledger.register(tip).unwrap(), &*register);
            }
        }
        world.sync();
        let mut audit = Audit::begin(world.store.clone(), &world.genesis).unwrap();
        while audit.next().is_some() {}
        prop_assert_eq!(audit.finish().unwrap().flaws, vec![]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whoever signs a transaction may put anything into it: bent evidence, absurd bonds. It is left out of a
    /// block, refused in one, and the state is as if it had never been.
    #[test]
    fn bent_evidence_and_absurd_bonds_have_no_effect(
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        amount in prop_oneof![Just(0), 501..u64::MAX],
        id in any::<u32>(),
    ) {
        let mut world = staked(&[(9, 500)]);
        let root = world.ledger.root();
        let good = report(&world, 9, 0, 3, 1);
        let Action::Evidence(evidence) = &good.payload.action else { unreachable!() };
        let mut bytes = codec::encode(&**evidence);
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let bent = codec::decode::<Evidence>(&bytes, bytes.len());
        let bent = bent.into_iter().map(|bent| Action::Evidence(Box::new(bent)));
        let wishes = [
            Action::Bond { amount: Amount(amount), validator: ReplicaId(id) },
            Action::Bond { amount: Amount(5), validator: ReplicaId(id | 8) },
            Action::Unbond { amount: Amount(amount) },
        ];
        let empty = world.assemble(root, 0, vec![]);
        for action in bent.chain(wishes) {
            let wish = act(&world.genesis, 9, 0, 0, action);
            prop_assert!(world.ledger.would_execute(root, &wish).is_err());
            prop_assert_eq!(&world.assemble(root, 0, vec![wish.clone()]), &empty);
            let mut block = Block::clone(&empty);
            block.transactions.push(wish);
            block.header.transactions = crate::block::transaction_root(&block.transactions);
            let refused = world.accept(&Arc::new(block));
            let refused = matches!(refused, Err(Rejected::Invalid(Invalid::Execution { index: 0, .. })));
            prop_assert!(refused);
        }
        prop_assert_eq!(world.ledger.would_execute(root, &good), Ok(()));
    }
}
