//! What the ledger promises, one promise a test.

use super::*;
use crate::{
    Draft, ReplicaId, Seal,
    block::Invalid,
    stake::StakeRefusal,
    state::Refusal,
    store::{MemoryStore, Store},
    testing::{World, address, genesis, key, pay},
    transaction::BadTransaction,
};
use crypto::Hash;

mod branches;
mod leak;
mod properties;
mod rejected;
mod stake;

#[test]
fn a_fresh_ledger_stands_at_the_genesis() {
    let world = World::new(&[(10, 500), (11, 7)]);
    let header = genesis_header(&world.genesis);
    assert_eq!(world.ledger.root(), header.hash());
    assert_eq!(world.ledger.root_header(), &header);
    assert_eq!((world.ledger.height(), world.ledger.head_height()), (0, 0));
    assert_eq!(world.ledger.head(), world.ledger.root());
    assert_eq!(world.ledger.supply(), Amount(507));
    assert_eq!(world.balance(world.ledger.root(), 10), 500);
    assert_eq!(world.ledger.committed(0).unwrap().hash(), header.hash());
    assert_eq!(world.ledger.finality(0), None);
    assert_eq!(world.ledger.block(BlockHash::default()), None);
    assert_eq!(world.ledger.account(BlockHash::default(), address(10)), None);
}

#[test]
fn a_genesis_without_accounts_begins_a_chain_of_empty_blocks() {
    let mut world = World::new(&[]);
    let mut tip = world.ledger.root();
    let state = world.ledger.root_header().state;
    for _ in 0..3 {
        tip = world.grow(tip, 0, vec![]);
    }
    assert_eq!(world.commit(tip).unwrap().len(), 3);
    assert_eq!(world.ledger.root_header().state, state);
}

#[test]
fn transfers_and_fees_reach_their_owners() {
    let mut world = World::new(&[(10, 500)]);
    let transfer = world.pay(10, 0, 11, 100, 3);
    let block = world.grow(world.ledger.root(), 2, vec![transfer.clone()]);
    assert_eq!(world.balance(block, 10), 397);
    assert_eq!(world.balance(block, 11), 100);
    assert_eq!(world.balance(block, 2), 3, "the fee goes to the proposer's key");
    assert_eq!(world.balance(world.ledger.root(), 10), 500, "the parent's state is untouched");
    world.commit(block).unwrap();
    assert_eq!(world.ledger.locate(transfer.id()), Some((1, 0)));
    assert_eq!(world.balance(block, 10), 397);
}

#[test]
fn a_block_is_at_once_visible_though_its_batch_is_not_written() {
    let mut world = World::new(&[(10, 500)]);
    let mut tip = world.ledger.root();
    for nonce in 0..3 {
        let transfer = world.pay(10, nonce, 11, 1, 0);
        tip = world.grow(tip, 0, vec![transfer.clone()]);
        world.commit_with(tip, &[1]);
        assert_eq!(world.ledger.locate(transfer.id()), Some((nonce + 1, 0)));
        assert_eq!(world.ledger.account_with_proof(address(11)).unwrap().0.balance.0, nonce + 1);
        assert_eq!(world.ledger.committed(nonce + 1).unwrap().hash(), tip);
        assert_eq!(world.ledger.committed(nonce).unwrap().header.height, nonce);
        assert!(world.ledger.finality(nonce + 1).is_some());
    }
    world.sync();
    world.crash();
    assert_eq!(world.ledger.root(), tip);
    assert_eq!(world.balance(tip, 11), 3);
}

#[test]
fn pending_changes_are_forgotten_once_the_store_has_them() {
    let mut world = World::new(&[]);
    let first = world.grow(world.ledger.root(), 0, vec![]);
    world.commit(first).unwrap();
    let second = world.grow(first, 0, vec![]);
    world.commit(second).unwrap();
    assert_eq!(world.ledger.fresh.len(), 2, "nothing was written yet");
    world.write();
    let third = world.grow(second, 0, vec![]);
    world.commit(third).unwrap();
    assert_eq!(world.ledger.fresh.len(), 1);
}

#[test]
fn the_same_blocks_give_the_same_roots() {
    let mut one = World::new(&[(10, 500), (11, 400), (12, 300)]);
    let mut other = World::new(&[(10, 500), (11, 400), (12, 300)]);
    let mut tip = one.ledger.root();
    for nonce in 0..5 {
        let transfers = (10..13).map(|from| one.pay(from, nonce, from + 1, 5, 1)).collect();
        let block = one.assemble(tip, nonce as u32 % 4, transfers);
        tip = one.accept(&block).unwrap();
        assert_eq!(other.accept(&block), Ok(tip));
        // One commits each block, the other all at the end.
        one.commit(tip).unwrap();
        one.write();
    }
    other.commit(tip).unwrap();
    other.write();
    for number in 10..14 {
        let (account, proof) = one.ledger.account_with_proof(address(number)).unwrap();
        assert_eq!(other.ledger.account_with_proof(address(number)).unwrap(), (account, proof));
    }
    // What the tree left behind is the same too, though the two wrote it in different steps.
    assert_eq!(one.store.scan(b"n").unwrap().len(), other.store.scan(b"n").unwrap().len());
    assert_eq!(one.store.scan(b"a").unwrap(), other.store.scan(b"a").unwrap());
}

#[test]
fn empty_blocks_leave_nothing_behind_in_the_state_tree() {
    let mut world = World::new(&[(10, 500), (11, 400)]);
    let before = world.store.scan(b"n").unwrap().len();
    for _ in 0..10 {
        let block = world.grow(world.ledger.root(), 0, vec![]);
        world.commit(block).unwrap();
        world.write();
    }
    assert_eq!(world.store.scan(b"n").unwrap().len(), before);
}

#[test]
fn a_head_moves_between_branches_and_back() {
    let mut world = World::new(&[(10, 500), (11, 500)]);
    let root = world.ledger.root();
    let [both, left, right] =
        [world.pay(10, 0, 12, 1, 0), world.pay(10, 1, 12, 2, 0), world.pay(11, 0, 12, 4, 0)];
    let shared = world.grow(root, 0, vec![both.clone()]);
    let left_one = world.grow(shared, 1, vec![left.clone()]);
    let left_two = world.grow(left_one, 2, vec![right.clone()]);
    let right_one = world.grow(shared, 3, vec![right.clone()]);

    let adopted = world.ledger.adopt(left_two).unwrap();
    assert_eq!(adopted.included, [both.id(), left.id(), right.id()]);
    assert_eq!(adopted.abandoned, []);
    assert_eq!((world.ledger.head(), world.ledger.head_height()), (left_two, 3));

    let adopted = world.ledger.adopt(right_one).unwrap();
    assert_eq!(adopted.included, [right.id()]);
    assert_eq!(
        adopted.abandoned,
        std::slice::from_ref(&left),
        "what both branches hold is not abandoned"
    );

    let adopted = world.ledger.adopt(left_one).unwrap();
    assert_eq!(adopted.included, [left.id()]);
    assert_eq!(adopted.abandoned, std::slice::from_ref(&right));

    let adopted = world.ledger.adopt(root).unwrap();
    assert_eq!(adopted.abandoned, [both, left], "oldest first");
    assert_eq!(adopted.included, []);
    assert_eq!(world.balance(left_two, 12), 7);
    assert_eq!(world.balance(right_one, 12), 5);
}

#[test]
fn a_commit_drops_every_other_branch() {
    let mut world = World::new(&[(10, 500)]);
    let root = world.ledger.root();
    let ours = world.grow(root, 0, vec![]);
    let theirs = world.grow(root, 1, vec![]);
    let above = world.grow(theirs, 1, vec![]);
    let kept = world.grow(ours, 2, vec![]);
    world.ledger.adopt(above).unwrap();
    world.commit(ours).unwrap();

    assert_eq!(world.ledger.block(theirs), None);
    assert_eq!(world.ledger.account(above, address(10)), None);
    assert_eq!(world.ledger.head(), ours, "a dropped head falls back to the root");
    assert_eq!(world.balance(kept, 10), 500);
    assert_eq!(world.ledger.adopt(above), Err(Rejected::BelowRoot));

    world.sync();
    world.crash();
    assert!(world.ledger.block(kept).is_some());
    assert_eq!(world.ledger.block(theirs), None, "gone from the store as well");
}

#[test]
fn committing_a_grandchild_commits_its_ancestors_oldest_first_exactly_once() {
    let mut world = World::new(&[]);
    let one = world.grow(world.ledger.root(), 0, vec![]);
    let two = world.grow(one, 1, vec![]);
    let three = world.grow(two, 2, vec![]);
    let four = world.grow(three, 3, vec![]);
    assert_eq!(world.commit(three), Ok(vec![one, two, three]));
    assert_eq!(world.commit(three), Ok(vec![]));
    assert_eq!(world.commit(one), Ok(vec![]));
    assert_eq!(world.commit(four), Ok(vec![four]));
    assert_eq!(world.ledger.committed(2).unwrap().hash(), two);
}

#[test]
fn conflicting_finality_is_reported() {
    let mut world = World::new(&[]);
    let root = world.ledger.root();
    let ours = world.grow(root, 0, vec![]);
    let theirs = world.assemble(root, 1, vec![]);
    let late = world.assemble(root, 2, vec![]);
    world.accept(&theirs).unwrap();
    world.commit(ours).unwrap();
    let conflict = |asked| Err(CommitError::Conflict { committed: ours, asked });
    assert_eq!(world.commit(theirs.hash()), conflict(theirs.hash()));
    // One that arrives only afterwards is refused, and recognised.
    assert_eq!(world.commit(late.hash()), Err(CommitError::Unknown(late.hash())));
    assert_eq!(world.accept(&late), Err(Rejected::BelowRoot));
    assert_eq!(world.commit(late.hash()), conflict(late.hash()));
    // So is one that stands on what was dropped.
    let mut beyond = Block::clone(&theirs);
    beyond.header.parent = theirs.hash();
    beyond.header.height = 2;
    let beyond = Arc::new(beyond);
    assert_eq!(world.accept(&beyond), Err(Rejected::BelowRoot));
    assert_eq!(world.commit(beyond.hash()), conflict(beyond.hash()));
    assert_eq!(world.ledger.root(), ours);
}

#[test]
fn a_proof_covers_the_blocks_below_it() {
    let mut world = World::new(&[]);
    let mut tips = vec![world.ledger.root()];
    for height in 1..=6 {
        tips.push(world.grow(tips[height - 1], 0, vec![]));
    }
    world.commit_with(tips[2], b"two");
    world.commit_with(tips[5], b"five");
    world.commit(tips[6]).unwrap();
    world.sync();
    world.crash();

    assert_eq!(world.ledger.proven_height(), 5);
    assert_eq!(world.ledger.proof(5), Some(Proof(b"five".to_vec())));
    assert_eq!(world.ledger.proof(4), None);
    let finality = world.ledger.finality(3).unwrap();
    assert!(finality.linked());
    assert_eq!(finality.proof, Proof(b"five".to_vec()));
    let names: Vec<_> = finality.headers.iter().map(Header::hash).collect();
    assert_eq!(names, tips[3..=5]);
    assert_eq!(world.ledger.finality(6), None);
    assert_eq!(world.ledger.finality(7), None);

    // A proof may come late, and the first one stays.
    world.commit_with(tips[6], b"six");
    world.commit_with(tips[6], b"other");
    world.commit_with(tips[1], b"one");
    world.sync();
    world.crash();
    assert_eq!(world.ledger.finality(6).unwrap().proof, Proof(b"six".to_vec()));
    assert_eq!(world.ledger.finality(1).unwrap().headers.len(), 1);
    assert_eq!(world.ledger.proven_height(), 6);
}

#[test]
fn a_crash_loses_what_was_not_synced_and_keeps_the_rest() {
    let mut world = World::new(&[(10, 500)]);
    let transfer = world.pay(10, 0, 11, 1, 0);
    let one = world.grow(world.ledger.root(), 0, vec![transfer]);
    world.sync();
    world.commit(one).unwrap();
    world.write();
    world.crash();
    assert_eq!(world.ledger.height(), 0, "the commit was written but not synced");
    assert_eq!(world.balance(one, 11), 1, "the accepted block was, and is executed again");

    world.commit(one).unwrap();
    world.sync();
    let transfer = world.pay(10, 1, 11, 1, 0);
    let two = world.grow(one, 0, vec![transfer]);
    let three = world.grow(two, 0, vec![]);
    let beside = world.grow(one, 1, vec![]);
    world.sync();
    let lost = world.grow(three, 0, vec![]);
    world.write();
    world.crash();
    assert_eq!((world.ledger.root(), world.ledger.height()), (one, 1));
    assert_eq!(world.balance(three, 11), 2);
    assert!(world.ledger.block(beside).is_some());
    assert_eq!(world.ledger.block(lost), None);
    assert_eq!(world.commit(three), Ok(vec![two, three]));
}

#[test]
fn a_store_of_another_chain_is_refused_by_name() {
    let world = World::new(&[(10, 500)]);
    let mut other = world.genesis.clone();
    other.name = "elsewhere".into();
    let error = Ledger::open(world.store.clone(), &other).unwrap_err();
    assert!(matches!(error, OpenError::WrongChain { .. }));
    let text = error.to_string();
    for part in [
        "\"test\"",
        "\"elsewhere\"",
        &world.genesis.chain_id().to_string(),
        &other.chain_id().to_string(),
        "another data directory",
    ] {
        assert!(text.contains(part), "{text:?} does not say {part}");
    }
}

#[test]
fn a_bad_genesis_opens_nothing() {
    let mut genesis = genesis(&[(10, 1)]);
    genesis.validators.clear();
    let error = Ledger::open(Arc::new(MemoryStore::default()), &genesis).unwrap_err();
    assert!(matches!(error, OpenError::Genesis(_)));
}

#[test]
fn a_damaged_store_is_refused() {
    let damage = |key: Vec<u8>, value: Option<Vec<u8>>| {
        let mut world = World::new(&[(10, 500), (11, 500)]);
        let block = world.grow(world.ledger.root(), 0, vec![]);
        world.sync();
        let mut batch = Batch::default();
        match value {
            Some(value) => batch.put(key, value),
            None => batch.delete(key),
        }
        world.store.write(&batch).unwrap();
        (block, Ledger::open(world.store.clone(), &world.genesis))
    };
    let root = genesis_header(&genesis(&[(10, 500), (11, 500)])).hash();
    let (child, _) = damage(b"unused".to_vec(), None);
    let label = codec::encode(&(7u32, Hash::ZERO, String::new()));
    assert!(matches!(
        damage(keys::CHAIN.to_vec(), Some(label)).1,
        Err(OpenError::Layout { found: 7 })
    ));
    for (key, value) in [
        (keys::STAND.to_vec(), None),
        (keys::STAND.to_vec(), Some(vec![1, 2, 3])),
        (keys::CHAIN.to_vec(), Some(vec![])),
        (keys::block(0, root), None),
        (keys::block(0, BlockHash::default()), Some(vec![])),
        (keys::block(1, child), Some(vec![0; 40])),
        (b"n".to_vec(), None),
        (b"n".to_vec(), Some(vec![9; 9])),
    ] {
        let (_, opened) = damage(key.clone(), value);
        assert!(
            matches!(opened, Err(OpenError::Store(StoreError::Damaged { .. }))),
            "{key:?}: {opened:?}"
        );
    }
}

#[test]
fn the_committee_is_known_for_known_parents() {
    let mut world = World::new(&[]);
    let genesis = world.ledger.root();
    let one = world.grow(genesis, 0, vec![]);
    world.commit(one).unwrap();
    let two = world.grow(one, 0, vec![]);
    for parent in [genesis, one, two] {
        assert_eq!(world.ledger.committee(parent).unwrap().len(), 4);
    }
    assert_eq!(world.ledger.committee(BlockHash(Hash::ZERO)), None);
}

#[test]
fn a_transaction_is_verified_once_and_its_path_leads_to_the_header() {
    let mut world = World::new(&[(10, 500), (11, 500), (12, 500)]);
    let transfers: Vec<_> = (10..13).map(|from| world.pay(from, 0, 9, 1, 0)).collect();
    let block = world.assemble(world.ledger.root(), 0, transfers.clone());
    assert!(transfers.iter().chain(&block.transactions).all(Transaction::is_known_good));
    for (index, transfer) in transfers.iter().enumerate() {
        let path = block.path(index).unwrap();
        let leaf = transfer.id().0.to_bytes();
        assert_eq!(path.verify(&leaf, block.header.transactions), Ok(()));
        let other = transfers[(index + 1) % 3].id().0.to_bytes();
        assert!(path.verify(&other, block.header.transactions).is_err());
        assert!(path.verify(&leaf, block.header.state).is_err());
        let mut tampered = path.clone();
        tampered.siblings[0] = Hash::ZERO;
        assert!(tampered.verify(&leaf, block.header.transactions).is_err());
        let mut tampered = path;
        tampered.index = 3;
        assert!(tampered.verify(&leaf, block.header.transactions).is_err());
    }
    assert_eq!(block.path(3), None);
}

#[test]
fn a_recall_forgets_the_oldest_first() {
    let mut recall = Recall::new(3);
    for item in 0..4 {
        recall.insert(item);
        recall.insert(item);
    }
    assert_eq!([0, 1, 2, 3].map(|item| recall.contains(&item)), [false, true, true, true]);
    let mut nothing = Recall::new(0);
    nothing.insert(1);
    assert!(!nothing.contains(&1));
}
