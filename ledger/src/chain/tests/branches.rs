//! Branches that may still be undone, rewards, and the median of times.

use super::*;

fn draft(parent: BlockHash, time: u64) -> Draft {
    Draft {
        parent,
        transactions: Vec::new(),
        time,
        proposer: ReplicaId(0),
        duties: Vec::new(),
        seal: Seal::default(),
    }
}

#[test]
fn a_block_gives_its_proposer_the_reward_and_the_supply_grows() {
    let mut world = World::with(&[(10, 500)], &[("ledger.reward", 50)]);
    let transfer = world.pay(10, 0, 11, 100, 3);
    let block = world.grow(world.ledger.root(), 2, vec![transfer]);
    assert_eq!(world.balance(block, 2), 53);
    assert_eq!(world.ledger.supply(), Amount(500), "nothing is committed yet");
    world.commit(block).unwrap();
    assert_eq!(world.ledger.supply(), Amount(550));
}

#[test]
fn a_reward_cannot_be_spent_in_its_own_block() {
    let mut world = World::with(&[(10, 500)], &[("ledger.reward", 50)]);
    let spends = pay(&world.genesis, 2, 0, address(11), 50, 0);
    let block = world.assemble(world.ledger.root(), 2, vec![spends.clone()]);
    assert_eq!(block.transactions, [], "left out");
    let first = world.accept(&block).unwrap();
    let second = world.assemble(first, 1, vec![spends]);
    assert_eq!(second.transactions.len(), 1);
}

#[test]
fn rewards_end_where_an_amount_cannot_hold_more() {
    let mut world = World::with(&[(10, u64::MAX - 60)], &[("ledger.reward", 50)]);
    let one = world.grow(world.ledger.root(), 2, vec![]);
    let two = world.grow(one, 2, vec![]);
    let three = world.grow(two, 2, vec![]);
    assert_eq!([one, two, three].map(|at| world.balance(at, 2)), [50, 60, 60]);
}

#[test]
fn a_time_must_exceed_the_median_of_as_many_blocks_as_the_genesis_says() {
    let mut world = World::with(&[], &[("ledger.median_blocks", 5)]);
    let mut tip = world.ledger.root();
    // The genesis is at 1,000.
    for time in [2_000, 9_000, 3_000, 5_000] {
        let block = world.ledger.assemble(draft(tip, time)).unwrap();
        assert_eq!(block.header.time, time, "allowed as it is");
        tip = world.accept(&block).unwrap();
    }
    // Of 1,000, 2,000, 9,000, 3,000 and 5,000.
    let lifted = world.ledger.assemble(draft(tip, 0)).unwrap();
    assert_eq!(lifted.header.time, 3_001);
    let mut late = Block::clone(&lifted);
    late.header.time = 3_000;
    let rejected = world.accept(&Arc::new(late)).unwrap_err();
    assert_eq!(rejected, Invalid::Time { median: 3_000, found: 3_000 }.into());
    world.accept(&lifted).unwrap();
    // The same below the root, and after a restart.
    world.commit(lifted.hash()).unwrap();
    world.sync();
    world.crash();
    let next = world.ledger.assemble(draft(lifted.hash(), 0)).unwrap();
    assert_eq!(next.header.time, 3_002, "of 2,000, 9,000, 3,000, 5,000 and 3,001");
}

#[test]
fn the_adopted_branch_is_seen_by_height_and_by_transaction() {
    let mut world = World::new(&[(10, 500)]);
    let root = world.ledger.root();
    let transfer = world.pay(10, 0, 11, 100, 3);
    let one = world.grow(root, 0, vec![]);
    let two = world.grow(one, 1, vec![transfer.clone()]);
    let rival = world.grow(one, 2, vec![]);
    assert_eq!(world.ledger.adopted(1), None, "nothing is adopted yet");
    world.ledger.adopt(two).unwrap();
    let adopted = |ledger: &Ledger| [0, 1, 2, 3].map(|at| ledger.adopted(at).map(|b| b.hash()));
    assert_eq!(adopted(&world.ledger), [Some(root), Some(one), Some(two), None]);
    assert_eq!(world.ledger.locate_adopted(transfer.id()), Some((2, 0)));
    assert!(world.ledger.excludes(two, rival) && !world.ledger.excludes(two, one));
    world.ledger.adopt(rival).unwrap();
    assert_eq!(world.ledger.locate_adopted(transfer.id()), None);
    world.commit(one).unwrap();
    assert_eq!(adopted(&world.ledger), [Some(root), Some(one), Some(rival), None]);
}

#[test]
fn accounts_are_proven_at_every_block_of_the_tree() {
    let mut world = World::new(&[(10, 500)]);
    let root = world.ledger.root();
    let transfer = world.pay(10, 0, 11, 100, 3);
    let one = world.grow(root, 0, vec![transfer]);
    let two = world.grow(one, 1, vec![]);
    for (at, balance) in [(root, 0), (one, 100), (two, 100)] {
        let found = world.ledger.account_proven_at(at, address(11)).unwrap();
        let (account, proof) = found.expect("in the tree");
        assert_eq!(account.balance.0, balance);
        let state = world.ledger.block(at).unwrap().header.state;
        assert_eq!(proof.verify(state, address(11), &account), Ok(()));
    }
    assert_eq!(world.ledger.account_proven_at(BlockHash::default(), address(11)), Ok(None));
}
