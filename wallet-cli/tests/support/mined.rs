//! A chain of proof-of-work, reduced to what a wallet sees of it: real headers that cost real work,
//! though little, real bodies, and the answers of an honest node.

use super::{
    fake_node::Reply,
    network::{poor, rich, validator},
};
use consensus::{nakamoto::Config, work::Target};
use crypto::Address;
use ledger::{
    Action, Amount, Block, BlockHash, Draft, Genesis, Header, Ledger, Payload, Proof, ReplicaId,
    Seal, Stake, Transaction, TransactionId,
    genesis::{Funded, Validator},
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, HeadersAnswer, StatusAnswer, TransactionAnswer,
        TransactionStatus,
    },
    store::{Batch, MemoryStore, Store},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a block earns here.
pub const REWARD: u64 = 50;

/// How long a block should take, in milliseconds.
pub const INTERVAL: u64 = 1000;

/// How many headers an answer has at most.
pub const MAX_HEADERS: usize = 512;

/// One node's chain, and what it knows beside it.
pub struct Mined {
    /// Where it begins.
    pub genesis: Genesis,
    /// What the node knows.
    pub ledger: Ledger,
    /// Who finds the next blocks.
    pub miner: u32,
    config: Config,
    store: Arc<MemoryStore>,
    waiting: Vec<Transaction>,
}

/// A genesis in which a block takes about 256 hashes, three confirmations are enough and the tenth
/// commits.
pub fn mined_genesis(name: &str, settings: &[(&str, u64)]) -> Genesis {
    let seats = (0..4).map(|id| Validator { key: validator(id).public(), stake: Stake(1) });
    let customs = [
        ("ledger.reward", REWARD),
        ("ledger.median_blocks", 5),
        ("pow.confirmations", 3),
        ("pow.irreversible", 10),
    ];
    let settings = customs.iter().chain(settings);
    Genesis {
        name: name.to_owned(),
        time: 1_700_000_000_000,
        consensus: "pow".to_owned(),
        block_time: INTERVAL,
        settings: settings.map(|(key, value)| ((*key).to_owned(), *value)).collect(),
        validators: seats.collect(),
        accounts: vec![Funded { address: rich().public().address(), balance: Amount(1000) }],
    }
}

impl Mined {
    /// The chain called `name`, at its genesis.
    pub fn new(name: &str) -> Mined {
        Mined::from(mined_genesis(name, &[]))
    }

    /// The chain of a genesis.
    pub fn from(genesis: Genesis) -> Mined {
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store.clone(), &genesis).expect("a good genesis");
        let config = Config::from_genesis(&genesis).expect("good settings");
        let waiting = Vec::new();
        Mined { genesis, ledger, miner: 0, config, store, waiting }
    }

    /// Another node, which knows the blocks up to a height.
    pub fn up_to(&self, height: u64) -> Mined {
        let mut other = Mined::from(self.genesis.clone());
        other.learn(self, height);
        other
    }

    /// Takes another node's blocks up to a height, as those of the heaviest chain.
    pub fn learn(&mut self, other: &Mined, height: u64) {
        for height in self.ledger.height() + 1..=height {
            let block = other.ledger.adopted(height).expect("the other has it");
            let head = self.accept(&block);
            if height > self.ledger.head_height() || height == other.ledger.head_height() {
                self.adopt(head);
            }
        }
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

    /// Finds a block with these transactions on a parent, so many milliseconds later, and nothing
    /// else: it is not adopted.
    pub fn find(
        &mut self,
        parent: BlockHash,
        transactions: Vec<Transaction>,
        after: u64,
    ) -> Arc<Block> {
        let before = self.ledger.block(parent).expect("it is known").header.clone();
        let draft = Draft {
            parent,
            transactions,
            time: before.time + after,
            proposer: ReplicaId(self.miner),
            duties: Vec::new(),
            seal: Seal { bits: self.config.required(&before), nonce: 0 },
        };
        let block = self.ledger.assemble(draft).expect("a valid draft");
        let header = sealed(block.header.clone());
        let block = Arc::new(Block { header, ..block.as_ref().clone() });
        self.accept(&block);
        block
    }

    /// Takes a block into the tree.
    pub fn accept(&mut self, block: &Arc<Block>) -> BlockHash {
        let mut batch = Batch::default();
        let hash = self.ledger.accept(block, &mut batch).expect("it is valid");
        self.store.write(&batch).expect("memory does not fail");
        hash
    }

    /// Makes a block the head, and commits what lies deep enough.
    pub fn adopt(&mut self, head: BlockHash) {
        let adopted = self.ledger.adopt(head).expect("it is known");
        self.waiting.retain(|each| !adopted.included.contains(&each.id()));
        self.waiting.extend(adopted.abandoned);
        let deep = (self.ledger.head_height() + 1).checked_sub(self.config.depths.irreversible);
        for height in self.ledger.height() + 1..=deep.unwrap_or(0) {
            let block = self.ledger.adopted(height).expect("it is on the branch").hash();
            // Who checks this proof is not who is tested here.
            let proof = height.is_multiple_of(4).then(|| Proof(vec![1]));
            let mut batch = Batch::default();
            self.ledger.commit(block, proof, &mut batch).expect("it descends from the root");
            self.store.write(&batch).expect("memory does not fail");
        }
    }

    /// Finds a block on the head, in due time, and adopts it.
    pub fn mine(&mut self, transactions: Vec<Transaction>) -> Arc<Block> {
        self.mine_after(transactions, INTERVAL)
    }

    /// Finds a block on the head, so many milliseconds later, and adopts it.
    pub fn mine_after(&mut self, transactions: Vec<Transaction>, after: u64) -> Arc<Block> {
        let block = self.find(self.ledger.head(), transactions, after);
        self.adopt(block.hash());
        block
    }

    /// Finds this many empty blocks, one after the other.
    pub fn grow(&mut self, count: u64) {
        self.grow_after(count, INTERVAL);
    }

    /// Finds this many empty blocks, each so many milliseconds after the one before.
    pub fn grow_after(&mut self, count: u64, after: u64) {
        for _ in 0..count {
            self.mine_after(Vec::new(), after);
        }
    }

    /// Finds a block with all that waits.
    pub fn mine_waiting(&mut self) {
        let waiting = self.waiting.clone();
        self.mine(waiting);
    }

    /// Forgets what waits, as a node that was restarted does.
    pub fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// Leaves the blocks above a height for a branch of so many empty ones.
    pub fn reorganise(&mut self, above: u64, blocks: u64) {
        let mut head = self.ledger.adopted(above).expect("it is there").hash();
        for _ in 0..blocks {
            // A little earlier than in due time, lest it be the block that is there.
            head = self.find(head, Vec::new(), INTERVAL - 1).hash();
        }
        self.adopt(head);
    }

    /// The header at a height.
    pub fn header(&self, height: u64) -> Header {
        self.ledger.adopted(height).expect("it is there").header.clone()
    }

    /// Takes a transaction as a node's pool does.
    pub fn submit(&mut self, transaction: Transaction) -> TransactionId {
        let id = transaction.id();
        self.waiting.push(transaction);
        id
    }

    /// An honest node's answer to `headers`.
    pub fn headers(&self, from: u64) -> HeadersAnswer {
        let head_height = self.ledger.head_height();
        let headers = (from..=head_height).take(MAX_HEADERS).map(|height| self.header(height));
        HeadersAnswer { headers: headers.collect(), head_height }
    }

    fn status(&self) -> StatusAnswer {
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
            time: self.header(self.ledger.head_height()).time,
            state: "running".to_owned(),
            accused: Vec::new(),
            punished: Vec::new(),
            burned: Default::default(),
            weights: None,
        }
    }

    /// An honest node's answer to `account`; none where it has no state.
    pub fn account(&self, address: Address, height: u64) -> Option<AccountAnswer> {
        let block = self.ledger.adopted(height)?.hash();
        let (account, proof) = self.ledger.account_proven_at(block, address).expect("memory")?;
        let newest = self.ledger.account(self.ledger.head(), address).expect("it has a state");
        let mine = |each: &&Transaction| each.payload.sender.address() == address;
        let next_nonce = newest.nonce + self.waiting.iter().filter(mine).count() as u64;
        let finality = self.ledger.finality(height);
        Some(AccountAnswer { address, account, next_nonce, height, proof, finality })
    }

    fn block(&self, block: Arc<Block>) -> BlockAnswer {
        let finality = self.ledger.finality(block.header.height);
        BlockAnswer { hash: block.hash(), block: block.as_ref().clone(), finality }
    }

    fn blocks(&self, from: u64) -> BlocksAnswer {
        let last = self.ledger.proven_height().min(from.saturating_add(63));
        let last = (from..=last).rev().find(|height| self.ledger.proof(*height).is_some());
        let Some(last) = last else { return BlocksAnswer::default() };
        let block = |height| self.ledger.committed(height).expect("it is committed");
        BlocksAnswer {
            blocks: (from..=last).map(|height| block(height).as_ref().clone()).collect(),
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
        let committed = self.ledger.locate(id);
        if let Some((height, index)) = committed.or_else(|| self.ledger.locate_adopted(id)) {
            let block = self.ledger.adopted(height).expect("it is on the branch");
            let depth = self.ledger.head_height() + 1 - height;
            answer.status = match committed {
                Some(_) => TransactionStatus::Final,
                None if depth >= self.config.depths.confirmations => TransactionStatus::Confirmed,
                None => TransactionStatus::Pending,
            };
            answer.transaction = Some(block.transactions[index as usize].clone());
            answer.height = Some(height);
            answer.index = Some(index.into());
            answer.path = block.path(index as usize);
            answer.finality = self.ledger.finality(height);
        }
        answer
    }

    /// An honest node's answer to anything.
    pub fn answer(&mut self, method: &str, params: &Value) -> Reply {
        let number = |key: &str| params[key].as_u64();
        let text = |key: &str| params[key].as_str().expect("a text");
        match method {
            "status" => Reply::result(json!(self.status())),
            "headers" => Reply::result(json!(self.headers(number("from").expect("a height")))),
            "blocks" => Reply::result(json!(self.blocks(number("from").expect("a height")))),
            "block" => {
                let block = match number("height") {
                    Some(height) => self.ledger.adopted(height),
                    None => self.ledger.block(text("hash").parse().expect("a hash")),
                };
                Reply::result(json!(block.map(|block| self.block(block))))
            }
            "account" => {
                let height = number("height").unwrap_or(self.ledger.height());
                match self.account(text("address").parse().expect("an address"), height) {
                    Some(answer) => Reply::result(json!(answer)),
                    None => Reply::refusal(-32602, "there is no state at that height", "no_state"),
                }
            }
            "submit" => {
                let bytes = hex::decode(text("transaction")).expect("hexadecimal");
                let transaction = Transaction::decode(&bytes).expect("canonical");
                Reply::result(json!({"id": self.submit(transaction)}))
            }
            "transaction" => {
                Reply::result(json!(self.transaction(text("id").parse().expect("an id"))))
            }
            other => Reply::refusal(-32601, "no such method", other),
        }
    }
}

/// The header with a nonce that meets its target.
pub fn sealed(mut header: Header) -> Header {
    let target = Target::from_bits(header.seal.bits).expect("a target");
    while !target.is_met_by(header.hash().0.as_bytes()) {
        header.seal.nonce += 1;
    }
    header
}

/// The header with a nonce that does not meet its target.
pub fn unsealed(mut header: Header) -> Header {
    let target = Target::from_bits(header.seal.bits).expect("a target");
    while target.is_met_by(header.hash().0.as_bytes()) {
        header.seal.nonce += 1;
    }
    header
}

/// Transfers of this amount from rich to poor, from a nonce on.
pub fn transfers(chain: &Mined, nonces: std::ops::Range<u64>, amount: u64) -> Vec<Transaction> {
    nonces.map(|nonce| chain.transfer(nonce, poor(), amount)).collect()
}
