//! One miner on a table with its own ledger, and a forge where blocks are made for it.

use crate::{
    Flaw,
    catalogue::Module,
    nakamoto::{Config, Message, Nakamoto},
    protocol::{Application, Effect, Input, Protocol, Timer, To, Turn, Want},
    quorum::Signed,
    work::{Target, Work},
};
use crypto::SecretKey;
use ledger::{
    Action, Amount, Block, BlockHash, Committee, Draft, Genesis, Hand, Header, Keys, Ledger,
    Payload, Proof, Rejected, ReplicaId, Seal, Stake, Transaction, TransactionId,
    chain::CommitError,
    genesis::{Funded, Validator},
    stake::Rotation,
    store::{Batch, MemoryStore, Store},
    vote::SimulatedSecret,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

const SECRET: SimulatedSecret = SimulatedSecret([7; 32]);

/// When the chain begins, in milliseconds since 1970.
pub(super) const BEGAN: u64 = 1_000_000_000;

/// The interval between blocks, in milliseconds.
pub(super) const T: u64 = 10_000;

pub(super) fn key(id: u8) -> SecretKey {
    SecretKey::from_seed([id + 1; 32])
}

/// Five miners, each with a thousand coins; irreversible at a depth of ten, confirmed at three.
pub(super) fn genesis(settings: &[(&str, u64)]) -> Genesis {
    let validators = (0..5).map(|id| Validator { key: key(id).public(), stake: Stake(1) });
    let accounts =
        (0..5).map(|id| Funded { address: key(id).public().address(), balance: Amount(1_000) });
    let usual = [("pow.confirmations", 3), ("pow.irreversible", 10)];
    let all = Nakamoto::customs().iter().chain(&usual).chain(settings);
    Genesis {
        name: "mine".into(),
        time: BEGAN,
        consensus: Nakamoto::NAME.into(),
        block_time: T,
        settings: all.map(|&(key, value)| (key.to_owned(), value)).collect(),
        validators: validators.collect(),
        accounts: accounts.collect(),
    }
}

pub(super) fn pay(genesis: &Genesis, from: u8, nonce: u64, amount: u64) -> Transaction {
    let action = Action::Transfer { to: key(4).public().address(), amount: Amount(amount) };
    let (chain, sender) = (genesis.chain_id(), key(from).public());
    Payload { chain, sender, nonce, fee: Amount(1), action }.sign(&key(from))
}

/// Turns the nonce until the seal is met.
pub(super) fn sealed(mut header: Header) -> Header {
    let target = Target::from_bits(header.seal.bits).expect("a target");
    while !target.is_met_by(header.hash().0.as_bytes()) {
        header.seal.nonce += 1;
    }
    header
}

/// Turns the nonce until the seal is *not* met.
pub(super) fn unsealed(mut header: Header) -> Header {
    let target = Target::from_bits(header.seal.bits).expect("a target");
    while target.is_met_by(header.hash().0.as_bytes()) {
        header.seal.nonce += 1;
    }
    header
}

/// Makes valid blocks on any block it made, and knows them all.
pub(super) struct Forge {
    pub(super) genesis: Genesis,
    pub(super) config: Config,
    ledger: Ledger,
}

impl Forge {
    pub(super) fn new(settings: &[(&str, u64)]) -> Forge {
        let genesis = genesis(settings);
        let config = Config::from_genesis(&genesis).expect("good settings");
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(store, &genesis).expect("a fresh store");
        Forge { genesis, config, ledger }
    }

    pub(super) fn root(&self) -> BlockHash {
        self.ledger.root()
    }

    pub(super) fn header(&self, hash: BlockHash) -> Header {
        self.ledger.block(hash).expect("made here").header.clone()
    }

    /// A valid block, mined by `miner`, whose time is `time` intervals after the beginning.
    pub(super) fn block(
        &mut self,
        parent: BlockHash,
        miner: u32,
        time: f64,
        transactions: Vec<Transaction>,
    ) -> Arc<Block> {
        let draft = Draft {
            parent,
            transactions,
            time: BEGAN + (time * T as f64) as u64,
            proposer: ReplicaId(miner),
            duties: Vec::new(),
            seal: Seal { bits: self.config.required(&self.header(parent)), nonce: 0 },
        };
        let block = self.ledger.assemble(draft).expect("a valid draft");
        let block = Block { header: sealed(block.header.clone()), ..(*block).clone() };
        let block = Arc::new(block);
        self.ledger.accept(&block, &mut Batch::default()).expect("valid");
        block
    }

    /// A branch of empty blocks by `miner`, on schedule.
    pub(super) fn branch(&mut self, on: BlockHash, miner: u32, length: usize) -> Vec<Arc<Block>> {
        let mut parent = on;
        let mut branch = Vec::new();
        for _ in 0..length {
            let time = self.header(parent).height as f64 + 1.0;
            let block = self.block(parent, miner, time, Vec::new());
            parent = block.hash();
            branch.push(block);
        }
        branch
    }
}

pub(super) fn work(blocks: &[Arc<Block>]) -> Work {
    let target = |block: &Arc<Block>| Target::from_bits(block.header.seal.bits).expect("a target");
    blocks.iter().map(|block| target(block).work()).sum()
}

/// What lies under the miner.
struct Desk<'a> {
    ledger: &'a mut Ledger,
    batch: &'a mut Batch,
    pool: &'a [Transaction],
}

impl Application for Desk<'_> {
    fn root(&self) -> BlockHash {
        self.ledger.root()
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.ledger.block(hash)
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        self.ledger.committee(parent)
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        self.ledger.proposers(parent)
    }

    fn pending(
        &self,
        parent: BlockHash,
        taken: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let fits = |each: &&Transaction| {
            let sender = each.payload.sender.address();
            let account = self.ledger.account(parent, sender).unwrap_or_default();
            account.nonce == each.payload.nonce && !taken.contains(&each.id())
        };
        self.pool.iter().filter(fits).take(limit).cloned().collect()
    }

    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        self.ledger.assemble(draft)
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        self.ledger.accept(block, self.batch)
    }
}

/// A miner called 0, and what it did.
pub(super) struct Rig {
    pub(super) genesis: Genesis,
    store: Arc<MemoryStore>,
    pub(super) ledger: Ledger,
    protocol: Nakamoto,
    rng: ChaCha8Rng,
    keys: Keys,
    pub(super) wall: u64,
    pub(super) pool: Vec<Transaction>,
    pub(super) records: Vec<Vec<u8>>,
    pub(super) wants: Vec<Want>,
    pub(super) relayed: Vec<(Vec<ReplicaId>, BlockHash)>,
    pub(super) sent: Vec<Arc<Block>>,
    pub(super) mining: Option<(Header, Target)>,
    pub(super) notes: Vec<(&'static str, String)>,
    pub(super) timers: BTreeMap<Timer, Duration>,
    pub(super) commits: Vec<(BlockHash, Option<Proof>)>,
    pub(super) conflict: Option<CommitError>,
    pub(super) adopted: usize,
}

impl Rig {
    /// A life has begun, long after the beginning, so that no block is early.
    pub(super) fn new(settings: &[(&str, u64)]) -> Rig {
        Rig::weak(settings, Flaw::default())
    }

    /// One of whose rules may be weak.
    pub(super) fn weak(settings: &[(&str, u64)], flaw: Flaw) -> Rig {
        let genesis = genesis(settings);
        let store = Arc::new(MemoryStore::default());
        let mut rig = Rig {
            ledger: Ledger::open(store.clone(), &genesis).expect("a fresh store"),
            protocol: Nakamoto::new(&genesis).expect("good settings").weaken(flaw),
            rng: ChaCha8Rng::from_seed([1; 32]),
            keys: Keys::simulated(genesis.chain_id(), SECRET, 5),
            store,
            genesis,
            wall: BEGAN + 1_000 * T,
            pool: Vec::new(),
            records: Vec::new(),
            wants: Vec::new(),
            relayed: Vec::new(),
            sent: Vec::new(),
            mining: None,
            notes: Vec::new(),
            timers: BTreeMap::new(),
            commits: Vec::new(),
            conflict: None,
            adopted: 0,
        };
        rig.feed(Input::Start { records: Vec::new(), own: Vec::new() });
        rig
    }

    pub(super) fn head(&self) -> BlockHash {
        self.ledger.head()
    }

    pub(super) fn signed(&self, sender: u32, block: &Arc<Block>) -> Signed<Message> {
        let hand = Hand::simulated(ReplicaId(sender), self.genesis.chain_id(), SECRET);
        Signed::by(&hand, Message::Block(Arc::clone(block)))
    }

    /// The block comes from its miner.
    pub(super) fn hear(&mut self, block: &Arc<Block>) {
        let signed = self.signed(block.header.proposer.0, block);
        self.feed(Input::Heard(signed));
    }

    pub(super) fn hear_all(&mut self, blocks: &[Arc<Block>]) {
        blocks.iter().for_each(|block| self.hear(block));
    }

    pub(super) fn noted(&self, label: &str) -> usize {
        self.notes.iter().filter(|(each, _)| *each == label).count()
    }

    /// Power fails once all is synced, and another life begins.
    pub(super) fn restart(&mut self) {
        self.store.sync().expect("memory");
        self.ledger = Ledger::open(self.store.clone(), &self.genesis).expect("a kept store");
        self.protocol = Nakamoto::new(&self.genesis).expect("good settings");
        let records = self.records.clone();
        self.feed(Input::Start { records, own: Vec::new() });
    }

    /// The replica's sync commits up to `block`, all of which the ledger gets to know first.
    pub(super) fn advance(&mut self, blocks: &[Arc<Block>]) {
        let mut batch = Batch::default();
        for block in blocks {
            self.ledger.accept(block, &mut batch).expect("valid");
        }
        let block = blocks.last().expect("some").hash();
        self.ledger.commit(block, None, &mut batch).expect("known");
        self.store.write(&batch).expect("memory");
        self.feed(Input::Advanced { block, proof: Proof(Vec::new()) });
    }

    /// One step, and those that follow from what is heard back.
    pub(super) fn feed(&mut self, input: Input<Message>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut batch = Batch::default();
            let (ledger, pool) = (&mut self.ledger, &self.pool[..]);
            let mut desk = Desk { ledger, batch: &mut batch, pool };
            let (wall, me) = (Duration::from_millis(self.wall), ReplicaId(0));
            let mut turn = Turn::new(wall, wall, me, &mut self.rng, &mut desk, &self.keys);
            self.protocol.step(input, &mut turn);
            for effect in turn.into_effects() {
                self.carry_out(effect, &mut batch, &mut inputs);
            }
            self.store.write(&batch).expect("memory");
        }
    }

    fn carry_out(
        &mut self,
        effect: Effect<Message>,
        batch: &mut Batch,
        inputs: &mut VecDeque<Input<Message>>,
    ) {
        match effect {
            Effect::Send { to, message: Message::Block(block) } => {
                assert_eq!(to, To::All);
                inputs.push_back(Input::Heard(self.signed(0, &block)));
                self.sent.push(block);
            }
            Effect::Relay { to: To::Some(to), message } => {
                let Message::Block(block) = message.message();
                self.relayed.push((to, block.hash()));
            }
            Effect::Relay { .. } => panic!("a block is passed on to some"),
            Effect::SetTimer { timer, after } => {
                self.timers.insert(timer, after);
            }
            Effect::Persist { record, fresh } => {
                if fresh {
                    self.records.clear();
                }
                self.records.push(record);
            }
            Effect::Mine { header, target } => {
                self.mining = Some((*header, Target::from_le_bytes(target)));
            }
            Effect::Want(want) => self.wants.push(want),
            Effect::Adopt { head } => {
                self.ledger.adopt(head).expect("it was accepted");
                self.adopted += 1;
            }
            Effect::Commit { block, proof } => {
                match self.ledger.commit(block, proof.clone(), batch) {
                    Ok(_) => self.commits.push((block, proof)),
                    Err(conflict) => self.conflict = Some(conflict),
                }
            }
            Effect::Horizon { .. } => {}
            Effect::Note { label, detail } => self.notes.push((label, detail)),
            Effect::Defer(_) | Effect::Accuse { .. } => panic!("it never does that"),
        }
    }
}
