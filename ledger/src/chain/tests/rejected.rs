//! Every reason to refuse a block, and that each is reachable.

use super::*;
use crate::{Action, Duty, Table, block::MAX_BLOCK_BYTES, testing::act};
use crypto::Signature;

/// Bends an otherwise valid child of the root, which holds one transfer, and has it judged.
fn judged(bend: impl FnOnce(&World, &mut Block)) -> Rejected {
    let mut world = World::new(&[(10, 500)]);
    let transfer = world.pay(10, 0, 11, 100, 3);
    let mut block = Block::clone(&world.assemble(world.ledger.root(), 0, vec![transfer]));
    bend(&world, &mut block);
    let rejected = world.accept(&Arc::new(block)).unwrap_err();
    assert!(world.batch.is_empty() && world.ledger.undecided.is_empty(), "it left a trace");
    rejected
}

/// Replaces the transactions, and the root over them.
fn replace(block: &mut Block, transactions: Vec<Transaction>) {
    block.header.transactions = crate::block::transaction_root(&transactions);
    block.transactions = transactions;
}

#[test]
fn on_an_unknown_parent() {
    let nowhere = BlockHash(Hash::from_bytes([7; 32]));
    let rejected = judged(|_, block| block.header.parent = nowhere);
    assert_eq!(rejected, Rejected::UnknownParent(nowhere));
}

#[test]
fn beneath_the_root() {
    assert_eq!(judged(|_, block| block.header.parent = BlockHash::default()).to_string(), {
        Rejected::UnknownParent(BlockHash::default()).to_string()
    });
    let rejected = judged(|_, block| {
        block.header.parent = BlockHash::default();
        block.header.height = 0;
    });
    assert_eq!(rejected, Rejected::BelowRoot);
}

#[test]
fn at_a_wrong_height() {
    for found in [0, 2, u64::MAX] {
        let rejected = judged(|_, block| block.header.height = found);
        assert_eq!(rejected, Invalid::Height { expected: 1, found }.into());
    }
}

#[test]
fn not_later_than_the_parent() {
    for found in [0, 1_000] {
        let rejected = judged(|_, block| block.header.time = found);
        assert_eq!(rejected, Invalid::Time { median: 1_000, found }.into());
    }
}

#[test]
fn by_a_stranger() {
    let rejected = judged(|_, block| block.header.proposer = ReplicaId(4));
    assert_eq!(rejected, Invalid::Proposer(ReplicaId(4)).into());
}

#[test]
fn with_another_body() {
    assert_eq!(judged(|_, block| block.transactions.clear()), Invalid::Body.into());
    let duty = Duty::Leak { round: 7, table: Table::default() };
    assert_eq!(judged(|_, block| block.duties.push(duty)), Invalid::Body.into());
    let participation = Hash::from_bytes([1; 32]);
    let rejected = judged(|_, block| block.header.participation = participation);
    assert_eq!(rejected, Invalid::Body.into());
}

#[test]
fn longer_than_allowed() {
    let rejected = judged(|_, block| {
        let many = MAX_BLOCK_BYTES / codec::encoded_len(&block.transactions[0]) + 1;
        replace(block, vec![block.transactions[0].clone(); many]);
    });
    let Rejected::Invalid(Invalid::TooLong(len)) = rejected else { panic!("{rejected}") };
    assert!(len > MAX_BLOCK_BYTES);
}

#[test]
fn with_a_bad_transaction() {
    let rejected = judged(|_, block| {
        let mut forged = block.transactions[0].clone();
        forged.signature = Signature::from_bytes([1; 64]);
        replace(block, vec![block.transactions[0].clone(), forged]);
    });
    let reason = BadTransaction::BadSignature { sender: address(10) };
    assert_eq!(rejected, Invalid::Transaction { index: 1, reason }.into());

    let elsewhere = genesis(&[]);
    let rejected = judged(|_, block| {
        replace(block, vec![pay(&elsewhere, 10, 0, address(11), 1, 0)]);
    });
    let Rejected::Invalid(Invalid::Transaction {
        index: 0,
        reason: BadTransaction::WrongChain { found, .. },
    }) = rejected
    else {
        panic!("{rejected}")
    };
    assert_eq!(found, elsewhere.chain_id());
}

#[test]
fn with_a_transaction_that_does_not_execute() {
    let refused = |transfer: fn(&World) -> Transaction| {
        let rejected = judged(|world, block| {
            let good = block.transactions[0].clone();
            replace(block, vec![good, transfer(world)]);
        });
        match rejected {
            Rejected::Invalid(Invalid::Execution { index: 1, reason }) => reason,
            other => panic!("{other}"),
        }
    };
    assert_eq!(
        refused(|world| world.pay(10, 0, 11, 1, 0)),
        Refusal::Nonce { expected: 1, found: 0 }
    );
    assert_eq!(
        refused(|world| world.pay(10, 1, 11, u64::MAX, u64::MAX)),
        Refusal::Balance { balance: Amount(397), needed: 2 * u128::from(u64::MAX) }
    );
    let bond = |world: &World| {
        act(&world.genesis, 10, 1, 0, Action::Bond { amount: Amount(1), validator: ReplicaId(4) })
    };
    assert_eq!(refused(bond), Refusal::Stake(StakeRefusal::Fixed));
}

#[test]
fn with_another_state() {
    let rejected = judged(|_, block| block.header.state = Hash::ZERO);
    let Rejected::Invalid(Invalid::State { expected, found: Hash::ZERO }) = rejected else {
        panic!("{rejected}")
    };
    assert_ne!(expected, Hash::ZERO);
}

#[test]
fn with_another_committee() {
    let rejected = judged(|_, block| block.header.committee = Hash::ZERO);
    let Rejected::Invalid(Invalid::Committee { expected, found: Hash::ZERO }) = rejected else {
        panic!("{rejected}")
    };
    assert_eq!(expected, genesis(&[]).committee().unwrap().root());
}

#[test]
fn with_duties_or_a_leak() {
    let rejected = judged(|_, block| {
        block.duties.push(Duty::Participation {
            height: 1,
            present: vec![ReplicaId(0)],
            proof: Proof(vec![]),
        });
        block.header.participation = crate::block::duty_root(&block.duties);
    });
    assert_eq!(rejected, Invalid::Duties.into());
    let found = Hash::from_bytes([1; 32]);
    let rejected = judged(|_, block| block.header.leak = found);
    assert_eq!(rejected, Invalid::Leak { expected: Hash::ZERO, found }.into());
}

#[test]
fn when_the_tree_is_full() {
    let mut world = World::new(&[]);
    let mut tip = world.ledger.root();
    for _ in 0..MAX_UNDECIDED {
        tip = world.grow(tip, 0, vec![]);
    }
    let block = world.assemble(tip, 0, vec![]);
    assert_eq!(world.accept(&block), Err(Rejected::Full(MAX_UNDECIDED)));
    // It is full only until something is committed, also after a restart.
    world.sync();
    world.crash();
    assert_eq!(world.accept(&block), Err(Rejected::Full(MAX_UNDECIDED)));
    assert_eq!(world.commit(tip).unwrap().len(), MAX_UNDECIDED);
    assert!(world.accept(&block).is_ok());
}

#[test]
fn never_twice() {
    let mut world = World::new(&[]);
    let genesis = world.ledger.committed(0).unwrap();
    assert_eq!(world.accept(&genesis), Ok(world.ledger.root()));
    let block = world.assemble(world.ledger.root(), 0, vec![]);
    let hash = world.accept(&block).unwrap();
    world.write();
    assert_eq!(world.accept(&block), Ok(hash));
    assert!(world.batch.is_empty());
    world.commit(hash).unwrap();
    world.write();
    let child = world.grow(hash, 0, vec![]);
    world.commit(child).unwrap();
    assert_eq!(world.accept(&block), Ok(hash));
    assert_eq!(world.accept(&genesis), Ok(genesis.hash()));
    assert!(world.ledger.undecided.is_empty());
}

#[test]
fn assembling_needs_a_parent_a_member_and_no_duties() {
    let world = World::new(&[]);
    let parent = world.ledger.root();
    let draft = Draft {
        parent,
        transactions: vec![],
        time: 5_000,
        proposer: ReplicaId(0),
        duties: vec![],
        seal: Seal { bits: 3, nonce: 4 },
    };
    let assemble = |draft| world.ledger.assemble(draft);
    let block = assemble(draft.clone()).unwrap();
    assert_eq!((block.header.time, block.header.seal), (5_000, draft.seal));
    let early = Draft { time: 3, ..draft.clone() };
    assert_eq!(assemble(early).unwrap().header.time, 1_001, "one past the parent's");
    let nowhere = BlockHash::default();
    let orphan = Draft { parent: nowhere, ..draft.clone() };
    assert_eq!(assemble(orphan), Err(Rejected::UnknownParent(nowhere)));
    let stranger = Draft { proposer: ReplicaId(9), ..draft.clone() };
    assert_eq!(assemble(stranger), Err(Invalid::Proposer(ReplicaId(9)).into()));
    let duty = Duty::Leak { round: 7, table: Table::default() };
    let duties = Draft { duties: vec![duty], ..draft };
    assert_eq!(assemble(duties), Err(Invalid::Duties.into()));
}

#[test]
fn assembling_stops_short_of_the_longest_block() {
    let mut world = World::new(&[(10, 1_000_000)]);
    let transfers: Vec<_> = (0..1_700).map(|nonce| world.pay(10, nonce, 11, 1, 0)).collect();
    let each = codec::encoded_len(&transfers[0]);
    let block = world.assemble(world.ledger.root(), 0, transfers);
    let len = codec::encoded_len(&*block);
    assert!(len <= MAX_BLOCK_BYTES && len + each > MAX_BLOCK_BYTES);
    assert!(world.accept(&block).is_ok());
    assert_eq!(Block::decode(&codec::encode(&*block)).as_ref(), Ok(&*block));
}

#[test]
fn assembling_leaves_out_what_is_not_signed_or_does_not_execute() {
    let mut world = World::new(&[(10, 500)]);
    let good = world.pay(10, 0, 11, 1, 0);
    let mut forged = world.pay(10, 1, 11, 1, 0);
    forged.signature = key(11).sign(b"something else");
    let twice = good.clone();
    let poor = world.pay(12, 0, 11, 1, 0);
    let next = world.pay(10, 1, 11, 2, 0);
    let wished = vec![forged, good.clone(), twice, poor, next.clone()];
    let block = world.assemble(world.ledger.root(), 0, wished);
    assert_eq!(block.transactions, [good, next]);
    assert!(world.accept(&block).is_ok());
}
