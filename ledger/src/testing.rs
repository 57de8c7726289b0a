//! A small chain for the tests of this crate.

use crate::{
    Action, Amount, Block, BlockHash, Draft, Genesis, Ledger, Payload, Proof, Rejected, ReplicaId,
    Seal, Stake, Transaction,
    chain::CommitError,
    genesis::{Funded, Validator},
    store::{Batch, MemoryStore, Store},
};
use crypto::{Address, SecretKey};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

pub(crate) fn address(number: u8) -> Address {
    key(number).public().address()
}

/// A chain with four validators, whose keys are 0 to 3, and these balances.
pub(crate) fn genesis(balances: &[(u8, u64)]) -> Genesis {
    let validator = |number| Validator { key: key(number).public(), stake: Stake(10) };
    let funded = balances
        .iter()
        .map(|(owner, balance)| Funded { address: address(*owner), balance: Amount(*balance) });
    Genesis {
        name: "test".into(),
        time: 1_000,
        consensus: "tendermint".into(),
        block_time: 500,
        settings: BTreeMap::from([("propose".into(), 300)]),
        validators: (0..4).map(validator).collect(),
        accounts: funded.collect(),
    }
}

pub(crate) fn pay(
    genesis: &Genesis,
    from: u8,
    nonce: u64,
    to: Address,
    amount: u64,
    fee: u64,
) -> Transaction {
    act(genesis, from, nonce, fee, Action::Transfer { to, amount: Amount(amount) })
}

pub(crate) fn act(
    genesis: &Genesis,
    from: u8,
    nonce: u64,
    fee: u64,
    action: Action,
) -> Transaction {
    let key = key(from);
    let chain = genesis.chain_id();
    let payload = Payload { chain, sender: key.public(), nonce, fee: Amount(fee), action };
    payload.sign(&key)
}

/// A ledger with all it needs around it.
pub(crate) struct World {
    pub(crate) genesis: Genesis,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) ledger: Ledger,
    /// Not yet written: see [`World::write`].
    pub(crate) batch: Batch,
}

impl World {
    pub(crate) fn new(balances: &[(u8, u64)]) -> World {
        World::with(balances, &[])
    }

    /// The same with settings of the ledger's.
    pub(crate) fn with(balances: &[(u8, u64)], settings: &[(&str, u64)]) -> World {
        let mut genesis = genesis(balances);
        genesis.settings.extend(settings.iter().map(|&(key, value)| (key.to_owned(), value)));
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store.clone(), &genesis).expect("a fresh store");
        World { genesis, store, ledger, batch: Batch::default() }
    }

    pub(crate) fn pay(&self, from: u8, nonce: u64, to: u8, amount: u64, fee: u64) -> Transaction {
        pay(&self.genesis, from, nonce, address(to), amount, fee)
    }

    /// What `proposer` would build on `parent`.
    pub(crate) fn assemble(
        &mut self,
        parent: BlockHash,
        proposer: u32,
        transactions: Vec<Transaction>,
    ) -> Arc<Block> {
        let draft = Draft {
            parent,
            transactions,
            time: 0,
            proposer: ReplicaId(proposer),
            duties: Vec::new(),
            seal: Seal::default(),
        };
        self.ledger.assemble(draft).expect("a valid draft")
    }

    pub(crate) fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        self.ledger.accept(block, &mut self.batch)
    }

    /// Builds a block and takes it into the tree.
    pub(crate) fn grow(
        &mut self,
        parent: BlockHash,
        proposer: u32,
        transactions: Vec<Transaction>,
    ) -> BlockHash {
        let block = self.assemble(parent, proposer, transactions);
        self.accept(&block).expect("our own block")
    }

    /// Commits and returns the names of the newly committed blocks.
    pub(crate) fn commit(&mut self, block: BlockHash) -> Result<Vec<BlockHash>, CommitError> {
        let committed = self.ledger.commit(block, None, &mut self.batch)?;
        Ok(committed.iter().map(|block| block.hash()).collect())
    }

    pub(crate) fn commit_with(&mut self, block: BlockHash, proof: &[u8]) {
        let proof = Some(Proof(proof.to_vec()));
        self.ledger.commit(block, proof, &mut self.batch).expect("a known block");
    }

    /// Writes what was put into the batch, without a sync.
    pub(crate) fn write(&mut self) {
        self.store.write(&std::mem::take(&mut self.batch)).expect("memory does not fail");
    }

    pub(crate) fn sync(&mut self) {
        self.write();
        self.store.sync().expect("memory does not fail");
    }

    /// Loses power and starts again.
    pub(crate) fn crash(&mut self) {
        self.store.crash();
        self.batch = Batch::default();
        self.ledger = Ledger::open(self.store.clone(), &self.genesis).expect("a kept store");
    }

    pub(crate) fn balance(&self, at: BlockHash, of: u8) -> u64 {
        self.ledger.account(at, address(of)).expect("a block with a state").balance.0
    }
}
