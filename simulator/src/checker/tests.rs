//! Records that were doctored, one promise at a time: each breach is found, and named.
//!
//! Runs of mutated replicas are in `tests/mutants`.

use super::*;
use crate::{
    Setup, Tracing,
    record::{Commit, Milestone, Origin},
};
use ledger::{
    Action, Amount, Block, Draft, Payload, Seal, Transaction,
    store::{Batch, MemoryStore, Store},
};
use std::sync::Arc;

mod absence;
mod blocks;
mod mined;
mod reports;

const ZERO: ReplicaId = ReplicaId(0);
const ONE: ReplicaId = ReplicaId(1);

/// What the verifier in these tests takes for a proof.
const GOOD: &[u8] = b"a good proof";

/// A chain without consensus: whoever holds the pen says what is final.
struct Forge {
    setup: Setup,
    genesis: Genesis,
    ledger: Ledger,
    store: Arc<MemoryStore>,
    record: Record,
}

impl Forge {
    /// Two replicas, who have woken.
    fn new() -> Forge {
        Forge::of(Setup::new("tendermint", 2, 1))
    }

    fn of(setup: Setup) -> Forge {
        let genesis = setup.genesis();
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store.clone(), &genesis).expect("memory takes it");
        let mut record = Record::new(setup.replicas, Tracing::Off);
        let replicas = (0..setup.replicas).map(ReplicaId);
        replicas.for_each(|id| record.note_life(id, Duration::ZERO, 0));
        Forge { setup, genesis, ledger, store, record }
    }

    /// With three good blocks, each with a transfer, that both report.
    fn three() -> Forge {
        let mut forge = Forge::new();
        for nonce in 0..3 {
            let block = forge.grow(vec![forge.transfer(0, nonce, 10)]);
            [ZERO, ONE].iter().for_each(|id| forge.report(*id, &block));
        }
        forge
    }

    fn transfer(&self, from: u32, nonce: u64, amount: u64) -> Transaction {
        let key = self.setup.account(from);
        self.payload(from, nonce, amount).sign(&key)
    }

    fn payload(&self, from: u32, nonce: u64, amount: u64) -> Payload {
        Payload {
            chain: self.genesis.chain_id(),
            sender: self.setup.account(from).public(),
            nonce,
            fee: Amount(1),
            action: Action::Transfer {
                to: self.setup.account(from + 1).public().address(),
                amount: Amount(amount),
            },
        }
    }

    /// A good block on the newest one.
    fn draft(&self, transactions: Vec<Transaction>) -> Block {
        let draft = Draft {
            parent: self.ledger.root(),
            transactions,
            time: 0,
            proposer: ONE,
            duties: Vec::new(),
            seal: Seal::default(),
        };
        let block = self.ledger.assemble(draft);
        Arc::unwrap_or_clone(block.expect("nothing is wrong with it"))
    }

    /// A good block is final in the forge's ledger.
    fn grow(&mut self, transactions: Vec<Transaction>) -> Arc<Block> {
        let block = self.draft(transactions);
        self.take(block)
    }

    fn take(&mut self, block: Block) -> Arc<Block> {
        let block = Arc::new(block);
        let mut batch = Batch::default();
        self.ledger.accept(&block, &mut batch).expect("it is good");
        let proof = Some(Proof(GOOD.to_vec()));
        self.ledger.commit(block.hash(), proof, &mut batch).expect("it was accepted");
        self.store.write(&batch).expect("memory takes it");
        block
    }

    /// A replica reports a block at its own height, with a proof.
    fn report(&mut self, id: ReplicaId, block: &Arc<Block>) {
        let height = block.header.height;
        self.report_as(id, block, height, Some(GOOD));
    }

    fn report_as(&mut self, id: ReplicaId, block: &Arc<Block>, height: u64, proof: Option<&[u8]>) {
        let at = Duration::from_secs(height);
        let proof = proof.map(|proof| Proof(proof.to_vec()));
        let commit = Commit { at, height, block: block.hash(), proof, recovered: false };
        self.record.note_commit(id, commit, Some(block.clone()));
    }

    /// What the checker says if the ledgers of all who report are gone.
    fn judge(&self) -> Vec<Violation> {
        self.judge_with(Promises::default(), vec![None; self.setup.replicas as usize])
    }

    fn judge_with(&self, promises: Promises, ledgers: Vec<Option<&Ledger>>) -> Vec<Violation> {
        let sight = Sight { now: Duration::from_secs(100), record: &self.record, ledgers };
        let verify: Verify = Box::new(|headers, proof, below, _| {
            assert!(!headers.is_empty() && below.is_some(), "there is something to prove");
            match proof.0 == GOOD {
                true => Ok(()),
                false => Err(Unproven::Malformed("it is not the good one".into())),
            }
        });
        let mut checker = Checker::new(&self.genesis, promises, verify, self.ledger.keys().clone());
        let verdict = checker.look(&sight);
        assert_eq!(checker.look(&sight), verdict, "looking twice changes nothing");
        println!("{verdict}");
        serde_json::to_string(&verdict).expect("a verdict is plain data");
        verdict.violations
    }
}

#[test]
fn a_good_record_is_good() {
    let forge = Forge::three();
    assert_eq!(forge.judge(), []);
    let both = vec![Some(&forge.ledger), Some(&forge.ledger)];
    assert_eq!(forge.judge_with(Promises::default(), both), []);
}
