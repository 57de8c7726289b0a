use super::*;
use crate::testing::{World, address};

/// Twelve blocks with a transfer each, the last two undecided, all written.
fn chain() -> World {
    let mut world = World::new(&[(10, 5_000), (11, 100)]);
    let mut tip = world.ledger.root();
    for nonce in 0..12 {
        let transfer = world.pay(10, nonce, 12 + nonce as u8, 7, 1);
        tip = world.grow(tip, nonce as u32 % 4, vec![transfer]);
        if nonce < 10 {
            world.commit_with(tip, b"proof");
        }
    }
    world.sync();
    world
}

fn audit(world: &World) -> Findings {
    let mut audit = Audit::begin(world.store.clone(), &world.genesis).expect("it begins");
    let heights: Vec<_> = audit.by_ref().map(|audited| audited.header.height).collect();
    assert_eq!(heights, (0..heights.len() as u64).collect::<Vec<_>>(), "in order");
    audit.finish().expect("memory does not fail")
}

/// What is found after one change to the store.
fn after(change: impl FnOnce(&World, &mut Batch)) -> Vec<Flaw> {
    let world = chain();
    let mut batch = Batch::default();
    change(&world, &mut batch);
    assert!(!batch.is_empty(), "something is changed");
    world.store.write(&batch).expect("memory");
    audit(&world).flaws
}

fn block_key(world: &World, height: u64) -> Vec<u8> {
    keys::block(height, world.ledger.committed(height).expect("committed").hash())
}

#[test]
fn a_good_store_has_no_flaw() {
    let found = audit(&chain());
    assert_eq!(found.flaws, []);
    assert_eq!((found.height, found.transactions, found.undecided), (10, 10, 2));
    assert_eq!((found.supply, found.accounts), (5_100, 2 + 10 + 4));
}

#[test]
fn a_store_with_rewards_adds_up() {
    let mut world = World::with(&[(10, 50)], &[("ledger.reward", 9)]);
    let mut tip = world.ledger.root();
    for _ in 0..3 {
        tip = world.grow(tip, 1, vec![]);
    }
    world.commit(tip).unwrap();
    world.sync();
    let found = audit(&world);
    assert_eq!((found.flaws, found.supply), (vec![], 50 + 3 * 9));
}

#[test]
fn a_missing_block_is_found() {
    let flaws = after(|world, batch| batch.delete(block_key(world, 4)));
    assert!(matches!(flaws[..], [Flaw::Unreadable { height: 4, .. }]), "{flaws:?}");
}

#[test]
fn a_changed_block_is_found() {
    let flaws = after(|world, batch| {
        let mut block = Block::clone(&world.ledger.committed(4).unwrap());
        block.header.time += 1;
        batch.put(block_key(world, 4), codec::encode(&block));
    });
    assert!(matches!(flaws[..], [Flaw::Name { height: 4, .. }]), "{flaws:?}");
}

#[test]
fn a_changed_body_is_found() {
    let flaws = after(|world, batch| {
        let mut block = Block::clone(&world.ledger.committed(4).unwrap());
        block.transactions.clear();
        batch.put(block_key(world, 4), codec::encode(&block));
    });
    assert!(matches!(flaws[..], [Flaw::Invalid { height: 4, .. }]), "{flaws:?}");
}

#[test]
fn another_block_in_its_place_is_found() {
    let flaws = after(|world, batch| {
        let mut block = Block::clone(&world.ledger.committed(4).unwrap());
        block.header.parent = BlockHash::default();
        batch.delete(block_key(world, 4));
        batch.put(keys::block(4, block.hash()), codec::encode(&block));
    });
    assert!(matches!(flaws[..], [Flaw::Unlinked { height: 4, .. }]), "{flaws:?}");
}

#[test]
fn garbage_for_a_block_is_found() {
    let flaws = after(|world, batch| batch.put(block_key(world, 4), vec![1, 2, 3]));
    assert!(matches!(flaws[..], [Flaw::Unreadable { height: 4, .. }]), "{flaws:?}");
}

#[test]
fn money_from_nowhere_is_found_twice() {
    let flaws = after(|world, batch| {
        let key = world.store.scan(keys::ACCOUNTS).unwrap()[3].0.clone();
        let rich = Account { balance: Amount(1_000_000), ..Account::default() };
        batch.put(key, codec::encode(&rich));
    });
    let [Flaw::State { what: "accounts", count: 1, .. }, Flaw::Supply { .. }] = flaws[..] else {
        panic!("{flaws:?}")
    };
}

#[test]
fn a_missing_node_of_the_state_tree_is_found() {
    let flaws = after(|world, batch| {
        batch.delete(world.store.scan(keys::NODES).unwrap()[5].0.clone());
    });
    assert!(matches!(flaws[..], [Flaw::State { count: 1, .. }]), "{flaws:?}");
}

#[test]
fn missing_index_entries_are_found() {
    let flaws = after(|world, batch| {
        let block = world.ledger.committed(3).unwrap();
        let first = block.transactions[0].id().0.as_bytes()[0];
        batch.delete(keys::list(6, first.into()));
        batch.delete(keys::height(block.hash()));
    });
    let [Flaw::BlockIndex { height: 3 }, Flaw::TransactionIndex { height: 6, count: 1 }] =
        flaws[..]
    else {
        panic!("{flaws:?}")
    };
}

#[test]
fn a_run_of_the_index_that_should_not_be_is_found() {
    let flaws = after(|_, batch| batch.put(keys::run(9), codec::encode(&6_u64)));
    assert_eq!(flaws, [Flaw::TransactionIndex { height: 10, count: 1 }]);
}

#[test]
fn a_stand_that_was_set_back_is_found() {
    let flaws = after(|world, batch| {
        let below = world.ledger.committed(9).unwrap().hash();
        let stand = super::super::Stand { root: below, height: 9, proven: 9 };
        batch.put(keys::STAND.to_vec(), codec::encode(&stand));
    });
    assert!(flaws.iter().any(|flaw| matches!(flaw, Flaw::State { .. })), "{flaws:?}");
}

#[test]
fn a_proof_that_is_gone_is_found() {
    let flaws = after(|_, batch| batch.delete(keys::proof(10)));
    assert_eq!(flaws, [Flaw::Proven { stated: 10, found: 9 }]);
}

#[test]
fn an_undecided_block_under_another_name_is_found() {
    let flaws = after(|world, batch| {
        let (key, value) = world.store.scan(&keys::blocks(11)).unwrap()[0].clone();
        batch.delete(key);
        batch.put(keys::block(11, world.ledger.root()), value);
    });
    assert!(matches!(flaws[..], [Flaw::Closed(_)]), "{flaws:?}");
}

#[test]
fn a_bad_undecided_block_is_found() {
    let flaws = after(|world, batch| {
        let mut block = Block::clone(&world.ledger.committed(10).unwrap());
        (block.header.parent, block.header.height) = (world.ledger.root(), 11);
        batch.put(keys::block(11, block.hash()), codec::encode(&block));
    });
    assert!(matches!(flaws[..], [Flaw::Closed(_)]), "{flaws:?}");
}

#[test]
fn the_store_of_another_chain_is_not_audited() {
    let world = chain();
    let other = World::new(&[(10, 1)]);
    let error = Audit::begin(world.store.clone(), &other.genesis).expect_err("another chain");
    assert!(matches!(error, OpenError::WrongChain { .. }), "{error}");
    let empty: Arc<MemoryStore> = Arc::default();
    assert!(matches!(Audit::begin(empty, &other.genesis), Err(OpenError::Store(_))));
    assert_eq!(world.balance(world.ledger.root(), 10), 5_000 - 80);
    assert_ne!(address(10), address(11));
}
