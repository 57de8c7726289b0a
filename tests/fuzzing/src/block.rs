//! A block from anyone, and the execution of whatever it orders.
//!
//! The first byte chooses a chain and what the rest is:
//!
//! - a block as it travels, for a ledger that stands on the genesis;
//! - [`Wish`]es, which are signed here, so that the bytes reach execution: a proposer builds blocks of them,
//!   everybody else has to take those blocks, and afterwards the money is counted.

use crate::fixture::{Chain, chain, sign, signer};
use crypto::codec;
use ledger::{
    Action, Block, Draft, Duty, Ledger, ReplicaId, Seal, Transaction,
    chain::audit::Audit,
    store::{Batch, MemoryStore, Store},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many blocks one input may have.
const BLOCKS: usize = 4;

/// How many transactions each of them may have.
const WISHES: usize = 16;

/// A transaction that somebody is made to sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wish {
    /// Whose: see [`signer`].
    pub signer: u8,
    /// How many of theirs precede it, it says.
    pub nonce: u64,
    /// What its proposer is to earn.
    pub fee: u64,
    /// What it asks for.
    pub action: Action,
}

/// A block that somebody proposes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// When, it says.
    pub time: u64,
    /// By whom, it says.
    pub proposer: ReplicaId,
    /// Of what.
    pub wishes: Vec<Wish>,
    /// Telling what besides.
    pub duties: Vec<Duty>,
}

/// See the module's documentation.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let chain = chain(which >> 1);
    if which & 1 == 0 {
        hostile(chain, bytes);
    } else if let Ok(proposals) = codec::decode::<Vec<Proposal>>(bytes, 16 * 1024) {
        wished(chain, proposals);
    }
}

/// A ledger that stands on the genesis.
fn fresh(chain: &Chain) -> (Arc<MemoryStore>, Ledger) {
    let store = Arc::new(MemoryStore::default());
    let ledger = Ledger::open_with(store.clone(), &chain.genesis, chain.keys.clone());
    (store, ledger.expect("a fresh store"))
}

fn hostile(chain: &Chain, bytes: &[u8]) {
    let Ok(block) = Block::decode(bytes) else { return };
    one_name(&block, bytes);
    let (store, mut ledger) = fresh(chain);
    let block = Arc::new(block);
    let mut batch = Batch::default();
    let accepted = ledger.accept(&block, &mut batch);
    // The genesis is there already.
    if let Ok(name) = accepted
        && name != ledger.root()
    {
        assert!(block.body_matches(), "a body that its header does not name");
        ledger.commit(name, None, &mut batch).expect("it was accepted");
        store.write(&batch).expect("memory does not fail");
        is_sound(chain, store);
        // Whoever builds the same gets the same.
        let (_, other) = fresh(chain);
        let Block { header, transactions, duties } = &*block;
        let draft = Draft {
            parent: header.parent,
            transactions: transactions.clone(),
            time: header.time,
            proposer: header.proposer,
            duties: duties.clone(),
            seal: header.seal,
        };
        assert_eq!(other.assemble(draft).as_ref(), Ok(&block), "two replicas, two blocks");
    }
}

/// Bytes, block and name belong together.
fn one_name(block: &Block, bytes: &[u8]) {
    assert_eq!(codec::encode(block), bytes, "{block:?} has two encodings");
    let again = Block::decode(bytes).expect("it did before");
    assert_eq!((again.hash(), &again), (block.hash(), block));
    for index in 0..block.transactions.len() {
        let path = block.path(index).expect("it is in the block");
        let leaf = block.transactions[index].id().0;
        let root = ledger::block::transaction_root(&block.transactions);
        path.verify(leaf.as_bytes(), root).expect("every transaction can be shown");
    }
}

fn wished(chain: &Chain, proposals: Vec<Proposal>) {
    let (store, mut ledger) = fresh(chain);
    for proposal in proposals.into_iter().take(BLOCKS) {
        let Proposal { time, proposer, wishes, duties } = proposal;
        let transactions = wishes.into_iter().take(WISHES).map(|wish| {
            let Wish { signer: number, nonce, fee, action } = wish;
            sign(chain.id(), &signer(number), nonce, fee, action)
        });
        let transactions: Vec<Transaction> = transactions.collect();
        let (parent, seal) = (ledger.root(), Seal::default());
        let draft = Draft { parent, transactions, time, proposer, duties, seal };
        let Ok(block) = ledger.assemble(draft) else { continue };
        let bytes = codec::encode(&*block);
        let Ok(again) = Block::decode(&bytes) else { panic!("we build what nobody can read") };
        one_name(&again, &bytes);
        let mut batch = Batch::default();
        let name = ledger.accept(&Arc::new(again), &mut batch);
        let name = name.unwrap_or_else(|error| panic!("we build what nobody takes: {error}"));
        let committed = ledger.commit(name, None, &mut batch).expect("it was accepted");
        assert_eq!(committed, [block], "one block was committed");
        store.write(&batch).expect("memory does not fail");
    }
    is_sound(chain, store);
}

/// Everything is computed again, and the money is counted.
fn is_sound(chain: &Chain, store: Arc<MemoryStore>) {
    let mut audit = Audit::begin(store, &chain.genesis).expect("the store is this chain's");
    audit.by_ref().for_each(drop);
    let findings = audit.finish().expect("memory does not fail");
    assert_eq!(findings.flaws, [], "height {}", findings.height);
}
