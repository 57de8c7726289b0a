//! A network of four validators, reduced to what a wallet sees of it: real blocks, real
//! certificates, and the answers of an honest node.

use consensus::{
    Signed,
    tendermint::{Commit, Message, SignedTable},
};
use crypto::{Address, SecretKey, Signature, merkle};
use ledger::{
    Action, Amount, Block, Committee, Draft, Duty, Genesis, Hand, Ledger, Payload, Proof,
    ReplicaId, Seal, Stake, Transaction, TransactionId,
    genesis::{Funded, Validator},
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, CommitteesAnswer, StakeAnswer, StatusAnswer,
        TransactionAnswer, TransactionStatus,
    },
    store::{Batch, MemoryStore, Store},
};
use std::{collections::BTreeMap, sync::Arc};

/// The round in which every block here is decided.
pub const ROUND: u64 = 2;

/// How many blocks one answer has at most.
const MAX_BLOCKS: u64 = 64;

/// One chain, its validators' keys, and its richest account.
pub struct Network {
    /// Where it begins.
    pub genesis: Genesis,
    /// What a node knows.
    pub ledger: Ledger,
    store: Arc<MemoryStore>,
    waiting: Vec<Transaction>,
}

/// The key of validator `number`.
pub fn validator(number: u8) -> SecretKey {
    SecretKey::from_seed([200 + number; 32])
}

/// The key by which a replica votes: the rich account is the first newcomer.
pub fn key_of(id: u8) -> SecretKey {
    if id < 4 { validator(id) } else { rich() }
}

/// The key of the account that owns 1000 at the start.
pub fn rich() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

/// An address that owns nothing at the start.
pub fn poor() -> Address {
    SecretKey::from_seed([2; 32]).public().address()
}

impl Network {
    /// The chain called `name`, at its genesis.
    pub fn new(name: &str) -> Network {
        Network::rewarding(name, 0)
    }

    /// As [`Network::new`], where a block earns its proposer so much.
    pub fn rewarding(name: &str, reward: u64) -> Network {
        let settings = [("ledger.reward".to_owned(), reward)].into_iter();
        Network::with(name, settings.filter(|(_, reward)| *reward > 0).collect())
    }

    /// As [`Network::new`], where stake moves: it is held back for six blocks, evidence counts for four.
    pub fn staked(name: &str) -> Network {
        let rules = [("ledger.unbonding_blocks", 6), ("ledger.evidence_blocks", 4)];
        Network::with(name, rules.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// As [`Network::staked`], where the votes of the absent fade.
    pub fn leaking(name: &str) -> Network {
        let rules =
            [("ledger.unbonding_blocks", 6), ("ledger.leak", 1), ("ledger.leak_quotient", 16)];
        Network::with(name, rules.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// As [`Network::staked`], where the votes of the absent fade without a floor while nobody can decide.
    pub fn recovering(name: &str) -> Network {
        let rules = [
            ("ledger.unbonding_blocks", 6),
            ("ledger.leak", 2),
            ("ledger.leak_quotient", 16),
            ("ledger.leak_grace_rounds", 3),
            ("ledger.leak_unbounded", 1),
        ];
        Network::with(name, rules.map(|(key, value)| (key.to_owned(), value)).into())
    }

    fn with(name: &str, settings: BTreeMap<String, u64>) -> Network {
        let seats = (0..4).map(|id| Validator { key: validator(id).public(), stake: Stake(1) });
        let funded = Funded { address: rich().public().address(), balance: Amount(1000) };
        let genesis = Genesis {
            name: name.to_owned(),
            time: 1_700_000_000_000,
            consensus: "tendermint".to_owned(),
            block_time: 1000,
            settings,
            validators: seats.collect(),
            accounts: vec![funded],
        };
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store.clone(), &genesis).expect("a good genesis");
        Network { genesis, ledger, store, waiting: Vec::new() }
    }

    /// A transfer from the rich account.
    pub fn transfer(&self, nonce: u64, to: Address, amount: u64) -> Transaction {
        let payload = Payload {
            chain: self.genesis.chain_id(),
            sender: rich().public(),
            nonce,
            fee: Amount(1),
            action: Action::Transfer { to, amount: Amount(amount) },
        };
        payload.sign(&rich())
    }

    /// Decides a block with these transactions. It bears a certificate of validators 0 to 2, or
    /// none until a later block's covers it.
    pub fn decide(&mut self, transactions: Vec<Transaction>, certified: bool) -> Arc<Block> {
        self.decide_with(transactions, Vec::new(), certified)
    }

    /// Decides a block that tells that only these took part two heights ago.
    pub fn decide_as_seen(&mut self, present: &[u32]) -> Arc<Block> {
        let height = self.ledger.height().checked_sub(1).expect("there was somebody to see");
        let present = present.iter().copied().map(ReplicaId).collect();
        let duty = Duty::Participation { height, present, proof: Proof(Vec::new()) };
        self.decide_with(Vec::new(), vec![duty], true)
    }

    fn decide_with(
        &mut self,
        transactions: Vec<Transaction>,
        duties: Vec<Duty>,
        certified: bool,
    ) -> Arc<Block> {
        let draft = Draft {
            parent: self.ledger.root(),
            transactions,
            time: 0,
            proposer: ReplicaId(0),
            duties,
            seal: Seal::default(),
        };
        let mut batch = Batch::default();
        let block = self.ledger.assemble(draft).expect("a valid block");
        let hash = self.ledger.accept(&block, &mut batch).expect("a valid block");
        // The founders without the last are enough; where others may have come all sign.
        let founders = vec![0, 1, 2];
        let signers = match self.ledger.staking() {
            None => founders,
            Some(_) => self.deciding().members().iter().map(|each| each.id.0 as u8).collect(),
        };
        let proof = certified.then(|| self.certify(&block, &signers));
        self.ledger.adopt(hash).expect("it was accepted");
        self.ledger.commit(hash, proof, &mut batch).expect("it was accepted");
        self.store.write(&batch).expect("memory does not fail");
        block
    }

    /// Who decides the next block.
    pub fn deciding(&self) -> Arc<Committee> {
        self.ledger.committee(self.ledger.root()).expect("the root is known")
    }

    /// The precommits of these validators, in this order.
    pub fn certify(&self, block: &Block, signers: &[u8]) -> Proof {
        let signatures = signers.iter().map(|id| self.precommit(block, *id)).collect();
        let table = SignedTable::default();
        Commit { round: ROUND, block: block.hash(), signatures, table }.encode()
    }

    /// What validator `id` signs.
    pub fn precommit(&self, block: &Block, id: u8) -> (ReplicaId, Signature) {
        let me = ReplicaId(id.into());
        let hand = Hand::new(me, self.genesis.chain_id(), key_of(id));
        let value = Some(block.hash());
        let height = block.header.height;
        let signed =
            Signed::by(&hand, Message::Precommit { height, round: ROUND, value, table: None });
        (me, *signed.signature())
    }

    /// Takes a transaction as a node's pool does. It waits for the next [`Network::decide_waiting`].
    pub fn submit(&mut self, transaction: Transaction) -> TransactionId {
        let id = transaction.id();
        self.waiting.push(transaction);
        id
    }

    /// Decides this many blocks with one transfer of 10 from rich to poor each.
    pub fn decide_transfers(&mut self, count: u64) {
        for _ in 0..count {
            let nonce = self.account(rich().public().address()).account.nonce;
            let transfer = self.transfer(nonce, poor(), 10);
            self.decide(vec![transfer], true);
        }
    }

    /// Decides what waits.
    pub fn decide_waiting(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.decide(waiting, true);
    }

    /// An honest node's answer to `status`.
    pub fn status(&self) -> StatusAnswer {
        StatusAnswer {
            chain_id: self.genesis.chain_id(),
            consensus: self.genesis.consensus.clone(),
            replica: ReplicaId(0),
            height: self.ledger.height(),
            head: self.ledger.head(),
            head_height: self.ledger.head_height(),
            round: 0,
            peers: 3,
            pool: self.waiting.len(),
            time: self.ledger.root_header().time,
            state: "running".to_owned(),
            accused: Vec::new(),
            punished: Vec::new(),
            burned: Default::default(),
            weights: None,
        }
    }

    /// An honest node's answer to `account`.
    pub fn account(&self, address: Address) -> AccountAnswer {
        let (account, proof) = self.ledger.account_with_proof(address).expect("memory");
        let height = self.ledger.height();
        let mine = |each: &&Transaction| each.payload.sender.address() == address;
        let waiting = self.waiting.iter().filter(mine).count() as u64;
        AccountAnswer {
            address,
            account,
            next_nonce: account.nonce + waiting,
            height,
            proof,
            finality: self.ledger.finality(height).filter(|_| height > 0),
        }
    }

    /// An honest node's answer to `stake`.
    pub fn stake(&self) -> StakeAnswer {
        let answer = self.ledger.stake_answer().expect("memory");
        let finality = answer.finality.clone().filter(|_| answer.height > 0);
        StakeAnswer { finality, ..answer }
    }

    /// An honest node's answer to `committees`, a change at a time.
    pub fn committees(&self, from: u64) -> CommitteesAnswer {
        let mut changes = self.ledger.changes_after(from.saturating_sub(1), 2);
        let more = changes.len() > 1;
        changes.truncate(1);
        CommitteesAnswer { changes, more }
    }

    /// An honest node's answer to `block`.
    pub fn block(&self, height: u64) -> Option<BlockAnswer> {
        let block = self.ledger.committed(height)?;
        let finality = self.ledger.finality(height);
        Some(BlockAnswer { hash: block.hash(), block: block.as_ref().clone(), finality })
    }

    /// An honest node's answer to `blocks`.
    pub fn blocks(&self, from: u64) -> BlocksAnswer {
        let newest = self.ledger.proven_height();
        let heights = from.max(1)..=newest.min(from.saturating_add(MAX_BLOCKS - 1));
        // No answer ends between a block and the one that proves it.
        let last = heights.clone().rev().find(|height| self.ledger.proof(*height).is_some());
        let Some(last) = last else { return BlocksAnswer::default() };
        let block = |height| self.ledger.committed(height).expect("it is committed");
        BlocksAnswer {
            blocks: (*heights.start()..=last)
                .map(|height| block(height).as_ref().clone())
                .collect(),
            finality: self.ledger.finality(last),
        }
    }

    /// An honest node's answer to `transaction`.
    pub fn transaction(&self, id: TransactionId) -> TransactionAnswer {
        let waiting = self.waiting.iter().find(|each| each.id() == id);
        let mut answer = TransactionAnswer {
            id,
            status: waiting.map_or(TransactionStatus::Unknown, |_| TransactionStatus::Pending),
            transaction: waiting.cloned(),
            height: None,
            index: None,
            path: None,
            finality: None,
        };
        if let Some((height, index)) = self.ledger.locate(id) {
            let block = self.ledger.committed(height).expect("it is committed");
            let path: Option<merkle::Path> = block.path(index as usize);
            answer.status = TransactionStatus::Final;
            answer.transaction = Some(block.transactions[index as usize].clone());
            answer.height = Some(height);
            answer.index = Some(index.into());
            answer.path = path;
            answer.finality = self.ledger.finality(height);
        }
        answer
    }
}
