use super::*;
use ledger::{ReplicaId, block::transaction_root};

/// What is found wrong with a block that is put behind three good ones.
fn flaws(forge: &mut Forge, block: Block) -> Vec<Flaw> {
    let block = Arc::new(block);
    forge.report(ONE, &block);
    match &forge.judge()[..] {
        [Violation::InvalidBlock { height: 4, block: named, replicas, flaws }] => {
            assert_eq!((*named, &replicas[..]), (block.hash(), &[ONE][..]));
            flaws.clone()
        }
        other => panic!("one invalid block was expected: {other:?}"),
    }
}

/// Puts a transaction into a block, and everything in order but what it does.
fn smuggle(block: &mut Block, transaction: Transaction) {
    block.transactions.push(transaction);
    block.header.transactions = transaction_root(&block.transactions);
}

fn reasons(flaws: &[Flaw]) -> Vec<&Bad> {
    let reasons = flaws.iter().filter_map(|flaw| match flaw {
        Flaw::Transaction { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.collect()
}

#[test]
fn a_block_that_mints_is_invalid() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![forge.transfer(0, 3, 10)]);
    let mut purses = account::Purses::new();
    let root = forge.ledger.root();
    let accounts = (0..4).map(|number| forge.setup.account(number).public().address());
    let validators = (0..2).map(|id| forge.setup.validator(ReplicaId(id)).public().address());
    for owner in accounts.chain(validators) {
        let account = forge.ledger.account(root, owner).unwrap();
        let balance = u128::from(account.balance.0) + 1;
        purses.insert(
            owner,
            account::Purse { balance, nonce: account.nonce, bonded: account.bonded.0.into() },
        );
    }
    block.header.state =
        account::state_root(&purses, Some(forge.ledger.register(root).unwrap().hash()));
    let flaws = flaws(&mut forge, block);
    assert!(matches!(flaws[..], [Flaw::StateRoot { .. }, Flaw::Replay { .. }]), "{flaws:?}");
}

#[test]
fn a_transaction_signed_by_nobody_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![]);
    let mut transaction = forge.transfer(1, 0, 10);
    transaction.payload = forge.payload(1, 0, 999);
    smuggle(&mut block, transaction);
    let flaws = flaws(&mut forge, block);
    let sender = forge.setup.account(1).public().address();
    assert_eq!(reasons(&flaws), [&Bad::Signature { sender }]);
    assert!(matches!(flaws[..], [_, Flaw::Replay { .. }]), "the state is as before: {flaws:?}");
}

#[test]
fn a_transaction_for_another_chain_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![]);
    let other = Setup::new("tendermint", 2, 99).genesis().chain_id();
    let payload = Payload { chain: other, ..forge.payload(1, 0, 1) };
    smuggle(&mut block, payload.sign(&forge.setup.account(1)));
    let flaws = flaws(&mut forge, block);
    assert_eq!(reasons(&flaws), [&Bad::Chain { named: other }]);
}

#[test]
fn a_transaction_ordered_twice_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![]);
    smuggle(&mut block, forge.transfer(0, 1, 10));
    let flaws = flaws(&mut forge, block);
    assert_eq!(reasons(&flaws), [&Bad::Twice { first: 2 }]);
}

#[test]
fn a_transaction_out_of_turn_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![]);
    smuggle(&mut block, forge.transfer(0, 5, 10));
    let flaws = flaws(&mut forge, block);
    assert_eq!(reasons(&flaws), [&Bad::Nonce { expected: 3, found: 5 }]);
}

#[test]
fn a_transaction_that_nobody_can_pay_for_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![]);
    smuggle(&mut block, forge.transfer(2, 0, u64::MAX));
    let flaws = flaws(&mut forge, block);
    let [Bad::Balance { owned: 1_000_000, needed, .. }] = reasons(&flaws)[..] else {
        panic!("{flaws:?}");
    };
    assert_eq!(*needed, u128::from(u64::MAX) + 1, "nothing wraps");
}

#[test]
fn a_body_that_the_header_does_not_name_is_found() {
    let mut forge = Forge::three();
    let mut block = forge.draft(vec![forge.transfer(0, 3, 10)]);
    block.transactions.clear();
    let flaws = flaws(&mut forge, block);
    assert!(matches!(flaws[0], Flaw::TransactionRoot { .. }), "{flaws:?}");
}

#[test]
fn headers_that_do_not_follow_their_parents_are_found() {
    type Doctor = fn(&mut Block);
    type Expected = fn(&Flaw) -> bool;
    let cases: [(Doctor, Expected); 3] = [
        (|block| block.header.time = 1, |flaw| matches!(flaw, Flaw::Time { stated: 1, .. })),
        (
            |block| block.header.proposer = ReplicaId(7),
            |flaw| matches!(flaw, Flaw::Proposer { proposer: ReplicaId(7) }),
        ),
        (
            |block| block.header.committee = crypto::Hash::ZERO,
            |flaw| matches!(flaw, Flaw::Replay { reason } if reason.contains("committee")),
        ),
    ];
    for (doctor, expected) in cases {
        let mut forge = Forge::three();
        let mut block = forge.draft(vec![]);
        doctor(&mut block);
        let flaws = flaws(&mut forge, block);
        assert!(flaws.iter().any(expected), "{flaws:?}");
    }
}

#[test]
fn a_block_called_by_another_name_is_found() {
    let mut forge = Forge::three();
    let block = Arc::new(forge.draft(vec![]));
    let name = BlockHash(sha256(b"another block"));
    let (at, proof) = (Duration::from_secs(4), Some(Proof(GOOD.to_vec())));
    let commit = Commit { at, height: 4, block: name, proof, recovered: false };
    forge.record.note_commit(ZERO, commit, Some(block.clone()));
    let found = forge.judge();
    let [Violation::InvalidBlock { flaws, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(flaws[..], [Flaw::Name { computed: block.hash() }]);
}

/// Both branches are judged, each by its own state; only the disagreement is wrong.
#[test]
fn two_branches_are_each_judged_by_themselves() {
    let mut one = Forge::three();
    let mut other = Forge::three();
    for nonce in 3..6 {
        let block = one.grow(vec![one.transfer(0, nonce, 10)]);
        one.report(ZERO, &block);
        let block = other.grow(vec![other.transfer(0, nonce, 20)]);
        one.report(ONE, &block);
    }
    let ledgers = vec![Some(&one.ledger), Some(&other.ledger)];
    let found = one.judge_with(Promises::default(), ledgers);
    let [Violation::Disagreement { height: 4, one: (ZERO, _), other: (ONE, _) }] = found[..] else {
        panic!("{found:?}");
    };
}

/// A replica that is behind is judged by the state it has, not by the newest.
#[test]
fn the_state_after_a_block_below_the_tip_is_known_too() {
    let forge = Forge::three();
    let mut chain = Chain::new(&forge.genesis, forge.ledger.keys().clone());
    let blocks = [1, 2, 3].map(|height| forge.ledger.committed(height).expect("it is final"));
    for (block, height) in blocks.iter().zip(1..) {
        assert_eq!(chain.judge(block.hash(), height, Some(block)), []);
    }
    let payer = forge.setup.account(0).public().address();
    for (block, height) in blocks.iter().zip(1..) {
        let purses = chain.purses(block.hash()).expect("it is a good block");
        assert_eq!(purses[&payer].balance, 1_000_000 - height * 11);
    }
}
