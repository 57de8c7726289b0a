//! What the duties of blocks do on a chain with an inactivity leak.

use super::*;
use crate::{
    Action, Committee, Duty, Share, Stake, Table,
    chain::audit::Audit,
    leak::{BadTable, Row, WHOLE},
    testing::act,
};
use proptest::prelude::*;

mod ejection;

const ON_CHAIN: u64 = 1;
const RECOVERY: u64 = 2;

/// Four validators with a stake of ten each, and whoever has `balances`.
fn leaking(mode: u64, more: &[(&str, u64)], balances: &[(u8, u64)]) -> World {
    let rules = [
        ("ledger.unbonding_blocks", 6),
        ("ledger.evidence_blocks", 4),
        ("ledger.leak", mode),
        ("ledger.leak_quotient", 16),
        ("ledger.leak_grace_rounds", 3),
    ];
    World::with(balances, &[&rules, more].concat())
}

fn ids(ids: &[u32]) -> Vec<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

fn took_part(height: u64, present: &[u32]) -> Duty {
    Duty::Participation { height, present: ids(present), proof: Proof(Vec::new()) }
}

/// In `rows` rounds from the first that counts on, only `present` were heard.
fn heard(rows: u64, present: &[u32]) -> Duty {
    let row = |round| Row { round, present: ids(present) };
    Duty::Leak { round: 3 + rows, table: Table::new((3..3 + rows).map(row).collect()) }
}

/// A child of the root.
fn draft(world: &World, duties: Vec<Duty>) -> Draft {
    let (parent, transactions) = (world.ledger.root(), Vec::new());
    let proposer = world.ledger.proposers(parent).unwrap().step();
    Draft { parent, transactions, time: 0, proposer, duties, seal: Seal::default() }
}

/// A child of the root with these duties, taken in and committed.
fn grow(world: &mut World, duties: Vec<Duty>, transactions: Vec<Transaction>) -> BlockHash {
    let draft = Draft { transactions, ..draft(world, duties) };
    let block = world.ledger.assemble(draft).expect("its duties make sense");
    let tip = world.accept(&block).expect("our own block");
    world.commit_with(tip, b"proof");
    tip
}

/// Why no child of the root has these duties: the same if one is built or comes from somebody else.
fn refused(world: &mut World, duties: Vec<Duty>) -> Invalid {
    let plain = Block::clone(&world.ledger.assemble(draft(world, vec![])).unwrap());
    let mut block = plain.clone();
    block.header.participation = crate::block::duty_root(&duties);
    block.header.leak = crate::block::leak_root(&duties);
    block.duties = duties.clone();
    let Err(Rejected::Invalid(invalid)) = world.accept(&Arc::new(block)) else {
        panic!("{duties:?} is taken")
    };
    assert_eq!(world.ledger.assemble(draft(world, duties)), Err(invalid.clone().into()));
    let again = world.ledger.assemble(draft(world, vec![])).unwrap();
    assert_eq!(*again, plain, "nothing came of it");
    invalid
}

/// What is left of each founder's bond after the root, in thousandths.
fn left(world: &World) -> [u32; 4] {
    let register = world.ledger.register(world.ledger.root()).unwrap();
    [0, 1, 2, 3].map(|id| register.validator(ReplicaId(id)).unwrap().share.left / 1000)
}

fn everything(world: &World) -> u128 {
    let root = world.ledger.root();
    let account = |owner| world.ledger.account(root, address(owner)).unwrap();
    let balances = (0..16).map(|owner| u128::from(account(owner).balance.0)).sum::<u128>();
    balances + world.ledger.register(root).unwrap().held()
}

/// Height by height, with what the block of each height tells of its grandparent.
fn attend(world: &mut World, present: &[u32]) -> BlockHash {
    let height = world.ledger.height() + 1;
    let told = (height > 2).then(|| took_part(height.saturating_sub(2), present));
    grow(world, told.into_iter().collect(), vec![])
}

#[test]
fn who_did_not_take_part_counts_less_from_the_next_height_on() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    attend(&mut world, &[]);
    let two = attend(&mut world, &[]);
    let before = world.ledger.committee(two).unwrap();
    assert_eq!(left(&world), [1000; 4]);
    let three = attend(&mut world, &[0, 1, 2]);
    let after = world.ledger.committee(three).unwrap();
    // 4/4Q of it is gone.
    assert_eq!(left(&world), [1000, 1000, 1000, 937]);
    assert_eq!(world.ledger.root_header().committee, after.root());
    assert_ne!(before.root(), after.root());
    let (full, less) = (u128::from(WHOLE) * 10, 937_500 * 10);
    assert_eq!([0, 3].map(|seat| after.weight(seat)), [full, less]);
    assert_eq!((after.total(), after.bonded()), (3 * full + less, 40));
    assert_eq!(*world.ledger.committee(two).unwrap(), *before, "what was decided stays so");
    assert_eq!(world.ledger.changes(), [3]);
}

#[test]
fn a_precommit_makes_good_what_was_missed() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    for _ in 1..=4 {
        attend(&mut world, &[0, 1, 2]);
    }
    let root = world.ledger.root();
    let share = |world: &World, at| {
        world.ledger.register(at).unwrap().validator(ReplicaId(3)).unwrap().share
    };
    assert_eq!(share(&world, root), Share { left: 820_313, score: 8 });
    let next = attend(&mut world, &[0, 1, 2, 3]);
    assert_eq!(share(&world, next), Share { left: 835_938, score: 0 });
}

#[test]
fn in_recovery_mode_absence_from_a_decision_is_held_against_nobody() {
    let mut world = leaking(RECOVERY, &[], &[]);
    for _ in 1..=6 {
        attend(&mut world, &[0]);
    }
    assert_eq!(left(&world), [1000; 4]);
    assert!(world.ledger.changes().is_empty());
    grow(&mut world, vec![heard(4, &[0, 1, 2])], vec![]);
    let faded = left(&world)[3];
    assert!(faded < 700, "{faded}");
    // What was said before it makes nothing good, and so the quorum it made is not lost again.
    attend(&mut world, &[0, 3]);
    assert_eq!(left(&world)[3], faded);
    attend(&mut world, &[0]);
    assert_eq!(left(&world)[3], faded);
    attend(&mut world, &[0, 3]);
    assert_eq!(left(&world)[3], faded + 15);
}

#[test]
fn a_table_moves_the_weights_of_the_committee_that_followed_it() {
    let mut world = leaking(RECOVERY, &[], &[]);
    let root = world.ledger.root();
    let before = world.ledger.committee(root).unwrap();
    let Duty::Leak { table, .. } = heard(2, &[0, 1, 2]) else { unreachable!() };
    let rules = *world.ledger.leak().unwrap();
    let tip = grow(&mut world, vec![heard(2, &[0, 1, 2])], vec![]);
    assert_eq!(*world.ledger.committee(tip).unwrap(), table.weigh(&before, &rules));
    let header = world.ledger.root_header();
    assert_eq!(
        (header.leak, header.committee),
        (table.hash(), table.weigh(&before, &rules).root())
    );
    assert_eq!(left(&world), [1000, 1000, 1000, 820]);
}

#[test]
fn a_table_comes_first_and_each_duty_once() {
    let mut world = leaking(RECOVERY, &[], &[]);
    attend(&mut world, &[]);
    attend(&mut world, &[]);
    let (table, present) = (heard(2, &[0, 1, 2]), took_part(1, &[3]));
    for twice in [
        vec![present.clone(), table.clone()],
        vec![present.clone(), present.clone()],
        vec![table.clone(), table.clone()],
        vec![table.clone(), present.clone(), present.clone()],
    ] {
        assert_eq!(refused(&mut world, twice), Invalid::DutyOrder);
    }
    grow(&mut world, vec![table, present], vec![]);
    // It missed what the table tells, after it had taken part.
    assert_eq!(left(&world), [1000, 1000, 1000, 820]);
}

#[test]
fn who_took_part_is_told_of_the_grandparent_and_of_its_members() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    let genesis = refused(&mut world, vec![took_part(0, &[])]);
    assert_eq!(genesis, Invalid::Participation { height: 0 });
    attend(&mut world, &[]);
    assert_eq!(
        refused(&mut world, vec![took_part(0, &[])]),
        Invalid::Participation { height: 0 },
        "nobody decided the genesis"
    );
    attend(&mut world, &[]);
    for (height, present) in [
        (0, &[0, 1][..]),
        (2, &[0, 1]),
        (3, &[0, 1]),
        (u64::MAX, &[0, 1]),
        (1, &[0, 4]),
        (1, &[1, 0]),
        (1, &[1, 1]),
        (1, &[u32::MAX]),
    ] {
        let found = refused(&mut world, vec![took_part(height, present)]);
        assert_eq!(found, Invalid::Participation { height }, "{present:?}");
    }
    attend(&mut world, &[0, 1]);
}

#[test]
fn only_those_who_had_a_seat_then_took_part_or_were_absent() {
    let mut world = leaking(ON_CHAIN, &[("ledger.evidence_blocks", 0)], &[(4, 100)]);
    let bond = Action::Bond { amount: Amount(10), validator: ReplicaId(4) };
    let joins = act(&world.genesis, 4, 0, 0, bond);
    grow(&mut world, vec![], vec![joins]);
    let leaves = act(&world.genesis, 3, 0, 0, Action::Unbond { amount: Amount(10) });
    grow(&mut world, vec![], vec![leaves]);
    // Four decides from height 3 on, three up to height 3.
    for (height, present) in [(3, [0, 1]), (4, [0, 1])] {
        let stranger = refused(&mut world, vec![took_part(height - 2, &[0, 4])]);
        assert_eq!(stranger, Invalid::Participation { height: height - 2 });
        grow(&mut world, vec![took_part(height - 2, &present)], vec![]);
        let register = world.ledger.register(world.ledger.root()).unwrap();
        assert_eq!(register.validator(ReplicaId(4)).unwrap().share, Share::FULL);
    }
    grow(&mut world, vec![took_part(3, &[0, 3, 4])], vec![]);
    let gone = refused(&mut world, vec![took_part(4, &[0, 3, 4])]);
    assert_eq!(gone, Invalid::Participation { height: 4 });
    let register = world.ledger.register(world.ledger.root()).unwrap();
    assert_eq!(register.validator(ReplicaId(4)).unwrap().share, Share::FULL);
}

#[test]
fn a_table_that_makes_no_sense_is_refused() {
    let mut world = leaking(RECOVERY, &[], &[]);
    assert_eq!(refused(&mut world, vec![heard(0, &[])]), Invalid::Duties, "it is empty");
    let table = |round, rows: &[(u64, &[u32])]| {
        let row = |&(round, present): &(u64, &[u32])| Row { round, present: ids(present) };
        vec![Duty::Leak { round, table: Table::new(rows.iter().map(row).collect()) }]
    };
    let all = [0, 1, 2];
    let round = |row, next, round| BadTable::Round { row, next, round };
    for (duties, expected) in [
        (table(5, &[(2, &all)]), round(2, 3, 5)),
        (table(5, &[(5, &all)]), round(5, 3, 5)),
        (table(5, &[(4, &all), (3, &all)]), round(3, 5, 5)),
        (table(0, &[(0, &all)]), round(0, 3, 0)),
        (table(u64::MAX, &[(u64::MAX, &all)]), round(u64::MAX, u64::MAX - 512, u64::MAX)),
        (table(5, &[(3, &[])]), BadTable::Disorder { row: 3 }),
        (table(5, &[(3, &[1, 0])]), BadTable::Disorder { row: 3 }),
        (table(5, &[(3, &[0, 9])]), BadTable::Stranger { row: 3, stranger: ReplicaId(9) }),
    ] {
        assert_eq!(refused(&mut world, duties), Invalid::Table(expected));
    }
}

#[test]
fn a_header_that_names_another_table_is_refused() {
    let mut world = leaking(RECOVERY, &[], &[]);
    let root = world.ledger.root();
    let good = world.ledger.assemble(draft(&world, vec![heard(2, &[0, 1, 2])])).unwrap();
    let expected = good.header.leak;
    for found in [Hash::ZERO, Hash::from_bytes([7; 32])] {
        let mut block = Block::clone(&good);
        block.header.leak = found;
        let refused = world.accept(&Arc::new(block));
        assert_eq!(refused, Err(Invalid::Leak { expected, found }.into()));
    }
    let mut block = Block::clone(&world.assemble(root, 0, vec![]));
    block.header.leak = expected;
    let refused = world.accept(&Arc::new(block));
    assert_eq!(refused, Err(Invalid::Leak { expected: Hash::ZERO, found: expected }.into()));
    let mut bare = Block::clone(&good);
    bare.duties.clear();
    assert_eq!(world.accept(&Arc::new(bare)), Err(Invalid::Body.into()));
    assert!(world.accept(&good).is_ok());
}

#[test]
fn a_chain_has_no_use_for_what_its_rules_do_not_know() {
    let mut plain = World::with(&[], &[("ledger.unbonding_blocks", 6)]);
    for _ in 1..=2 {
        grow(&mut plain, vec![], vec![]);
    }
    assert_eq!(refused(&mut plain, vec![took_part(1, &[0])]), Invalid::Duties);
    assert_eq!(refused(&mut plain, vec![heard(1, &[0])]), Invalid::Duties);
    let mut on_chain = leaking(ON_CHAIN, &[], &[]);
    assert_eq!(refused(&mut on_chain, vec![heard(2, &[0, 1, 2])]), Invalid::Duties);
}

#[test]
fn a_restart_finds_the_weights_again() {
    for mode in [ON_CHAIN, RECOVERY] {
        let mut world = leaking(mode, &[], &[]);
        if mode == RECOVERY {
            grow(&mut world, vec![heard(3, &[0, 1, 3])], vec![]);
        }
        for _ in 1..=5 {
            attend(&mut world, &[0, 1, 3]);
        }
        let root = world.ledger.root();
        // One more is known, and not decided.
        let next = draft(&world, vec![took_part(world.ledger.height() - 1, &[0, 1, 2])]);
        let next = world.ledger.assemble(next).unwrap();
        world.accept(&next).unwrap();
        let told = |ledger: &Ledger| {
            let at = [root, next.hash()];
            (
                at.map(|at| ledger.committee(at)),
                at.map(|at| ledger.register(at)),
                ledger.changes().to_vec(),
            )
        };
        let before = told(&world.ledger);
        assert!(before.0[0].as_ref().unwrap().weight(2) < u128::from(WHOLE) * 10);
        world.sync();
        world.crash();
        assert_eq!(told(&world.ledger), before);
        let mut audit = Audit::begin(world.store.clone(), &world.genesis).unwrap();
        while audit.next().is_some() {}
        assert_eq!(audit.finish().unwrap().flaws, vec![]);
    }
}

#[test]
fn every_change_of_weights_is_filed_for_whoever_comes_late() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    for height in 1..=30 {
        attend(&mut world, if height < 10 { &[0, 1, 2] } else { &[0, 1, 2, 3] });
    }
    assert_eq!(left(&world)[3], 939);
    let changes = world.ledger.changes_after(0, 99);
    let heights: Vec<_> = changes.iter().map(|change| change.height).collect();
    let expected: Vec<_> = (3..=6).chain(10..=30).collect();
    assert_eq!(heights, expected);
    for change in changes {
        let committee = Committee::new(change.members).unwrap();
        let [header] = &change.finality.headers[..] else { panic!("each has its own proof") };
        assert_eq!(committee.root(), header.committee);
        let block = world.ledger.committed(change.height).unwrap();
        assert_eq!(committee, *world.ledger.committee(block.hash()).unwrap());
    }
}

#[test]
fn the_proven_register_shows_what_is_left() {
    let mut world = leaking(ON_CHAIN, &[], &[]);
    for _ in 1..=4 {
        attend(&mut world, &[0, 1, 2]);
    }
    let answer = world.ledger.stake_answer().unwrap();
    let state = world.ledger.root_header().state;
    assert_eq!(answer.proof.verify_register(state, &answer.register), Ok(()));
    let share = answer.register.validator(ReplicaId(3)).unwrap().share;
    assert_eq!(share, Share { left: 820_313, score: 8 });
    // Whoever claims that it has all of it is found out.
    let mut claimed = serde_json::to_value(&answer.register).unwrap();
    claimed["validators"][3]["share"]["left"] = WHOLE.into();
    let claimed = serde_json::from_value(claimed).unwrap();
    assert!(answer.proof.verify_register(state, &claimed).is_err());
}

fn duty() -> impl Strategy<Value = Duty> {
    let named = || prop::collection::vec(0..6u32, 0..5);
    let table = prop::collection::vec((0..9u64, named()), 0..4);
    prop_oneof![
        (0..30u64, named()).prop_map(|(height, present)| took_part(height, &present)),
        Just(took_part(0, &[0, 1, 2])),
        (0..9u64, table).prop_map(|(round, rows)| {
            let row = |(round, present): (u64, Vec<u32>)| Row { round, present: ids(&present) };
            Duty::Leak { round, table: Table::new(rows.into_iter().map(row).collect()) }
        }),
        (0..5u64).prop_map(|rows| heard(rows, &[0, 1, 2])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever duties a proposer invents: either they are refused and change nothing, or they move
    /// weights and no money; nobody comes below the floor, and a restart comes to the same.
    #[test]
    fn invented_duties_have_no_effect_or_a_sound_one(
        mode in ON_CHAIN..=RECOVERY,
        unbounded in 0..=1u64,
        blocks in prop::collection::vec((prop::collection::vec(duty(), 0..3), 0..4u8), 1..20),
    ) {
        let mut world = leaking(mode, &[("ledger.leak_unbounded", unbounded)], &[]);
        for (mut duties, kind) in blocks {
            let height = world.ledger.height() + 1;
            // Mostly of the height that it can be of.
            for duty in &mut duties {
                if let Duty::Participation { height: of, .. } = duty && kind > 0 {
                    *of = height.saturating_sub(2);
                }
            }
            let taken = world.ledger.assemble(draft(&world, duties.clone())).is_ok();
            if !taken {
                refused(&mut world, duties);
                duties = vec![];
            }
            let tip = grow(&mut world, duties, vec![]);
            prop_assert_eq!(everything(&world), u128::from(world.ledger.supply().0));
            let floor = world.ledger.leak().unwrap().floor();
            let register = world.ledger.register(tip).unwrap();
            prop_assert!(register.validators().all(|(_, each)| each.share.left >= floor));
            let committee = world.ledger.committee(tip).unwrap();
            prop_assert_eq!(committee.root(), world.ledger.root_header().committee);
            prop_assert_eq!(&register.committee(), &*committee);
            if kind == 3 {
                world.sync();
                world.crash();
                prop_assert_eq!(&*world.ledger.register(tip).unwrap(), &*register);
            }
        }
    }
}
