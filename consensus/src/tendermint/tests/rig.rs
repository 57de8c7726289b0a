//! One replica on a table: a pretend ledger under it, and whatever the test says around it.

use crate::{
    Flaw,
    catalogue::Module,
    protocol::{Application, Effect, Input, Protocol, Timer, Trusted, Turn, Want},
    quorum::Signed,
    tendermint::{Config, Message, Tendermint, attendance, message::phase},
};
use crypto::{Hash, PublicKey, SecretKey, Signature};
use ledger::{
    Action, Amount, Block, BlockHash, ChainId, Committee, Draft, Genesis, Hand, Header, Keys,
    Payload, Proof, Rejected, ReplicaId, Seal, Slot, Stake, Transaction, TransactionId,
    block::{Invalid, duty_root, leak_root, transaction_root},
    stake::Rotation,
    vote::{Member, SimulatedSecret},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

pub(super) const SECRET: SimulatedSecret = SimulatedSecret([7; 32]);

/// When the pretend world began, since 1970.
pub(super) const EPOCH: Duration = Duration::from_secs(1_000_000);

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// No pause, so that a height begins with its proposal.
pub(super) fn brisk() -> Config {
    Config { block_time: Duration::ZERO, ..Config::default() }
}

pub(super) fn committee(stakes: &[u64]) -> Arc<Committee> {
    let members = stakes.iter().zip(0u8..).map(|(&stake, id)| Member {
        id: ReplicaId(u32::from(id)),
        key: SecretKey::from_seed([id + 1; 32]).public(),
        stake: Stake(stake),
        share: ledger::Share::FULL,
    });
    Arc::new(Committee::new(members.collect()).unwrap())
}

pub(super) fn chain() -> ChainId {
    ChainId(Hash::from_bytes([9; 32]))
}

pub(super) fn hand(id: u32) -> Hand {
    Hand::simulated(ReplicaId(id), chain(), SECRET)
}

pub(super) fn keys() -> Keys {
    Keys::simulated(chain(), SECRET, 100)
}

/// Hands over what a newcomer trusts who knows this committee. No parent is among it.
pub(super) fn trusting<R>(committee: &Committee, check: impl FnOnce(Trusted<'_>) -> R) -> R {
    let genesis = Genesis {
        name: "table".into(),
        time: 0,
        consensus: "tendermint".into(),
        block_time: 1000,
        settings: BTreeMap::new(),
        validators: Vec::new(),
        accounts: Vec::new(),
    };
    check(Trusted { genesis: &genesis, parent: None, committee, keys: &keys() })
}

pub(super) fn by(sender: u32, message: Message) -> Signed<Message> {
    Signed::by(&hand(sender), message)
}

/// A fresh proposal.
pub(super) fn proposal(height: u64, round: u64, block: &Arc<Block>) -> Message {
    let block = Arc::clone(block);
    Message::Proposal { height, round, valid_round: None, polka: Vec::new(), tables: None, block }
}

/// A proposal with the polka of `valid_round`, which `voters` signed.
pub(super) fn again(
    height: u64,
    round: u64,
    valid_round: u64,
    voters: &[u32],
    block: &Arc<Block>,
) -> Message {
    let vote = prevote(height, valid_round, Some(block.hash()));
    let polka = voters.iter().map(|&voter| {
        let signed = by(voter, vote.clone());
        (signed.sender(), *signed.signature())
    });
    let polka = polka.collect();
    let block = Arc::clone(block);
    Message::Proposal { height, round, valid_round: Some(valid_round), polka, tables: None, block }
}

pub(super) fn prevote(height: u64, round: u64, value: Option<BlockHash>) -> Message {
    Message::Prevote { height, round, value, table: None }
}

pub(super) fn precommit(height: u64, round: u64, value: Option<BlockHash>) -> Message {
    Message::Precommit { height, round, value, table: None }
}

/// A transaction that only the pretend ledger believes in.
pub(super) fn payment(nonce: u64) -> Transaction {
    let sender = PublicKey::from_bytes([1; 32]);
    let action = Action::Transfer { to: sender.address(), amount: Amount(1) };
    let payload = Payload { chain: chain(), sender, nonce, fee: Amount(1), action };
    Transaction::new(payload, Signature::from_bytes([0; 64]))
}

/// A ledger that believes everything but what it is told not to.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) root: BlockHash,
    pub(super) blocks: BTreeMap<BlockHash, Arc<Block>>,
    pub(super) committee: Arc<Committee>,
    /// Who decides the children of certain blocks.
    pub(super) changes: BTreeMap<BlockHash, Arc<Committee>>,
    pub(super) pool: Vec<Transaction>,
    /// What `accept` says to certain blocks.
    pub(super) refusals: BTreeMap<BlockHash, Rejected>,
    pub(super) accepted: Vec<BlockHash>,
    /// Whether `assemble` works.
    pub(super) builds: bool,
}

impl Book {
    pub(super) fn new(committee: Arc<Committee>) -> Book {
        let header = Header {
            parent: BlockHash::default(),
            height: 0,
            time: 0,
            proposer: ReplicaId(0),
            transactions: transaction_root(&[]),
            state: Hash::ZERO,
            committee: committee.root(),
            participation: Hash::ZERO,
            leak: Hash::ZERO,
            seal: Seal::default(),
        };
        let genesis = Block { header, transactions: Vec::new(), duties: Vec::new() };
        let root = genesis.hash();
        Book {
            root,
            blocks: BTreeMap::from([(root, Arc::new(genesis))]),
            committee,
            changes: BTreeMap::new(),
            pool: Vec::new(),
            refusals: BTreeMap::new(),
            accepted: Vec::new(),
            builds: true,
        }
    }

    /// Has a block as if it were accepted before.
    pub(super) fn hold(&mut self, block: &Arc<Block>) {
        self.blocks.insert(block.hash(), Arc::clone(block));
    }

    /// A block that anybody could have built; `salt` makes it differ from its siblings.
    pub(super) fn child(&self, parent: BlockHash, proposer: u32, salt: u64) -> Arc<Block> {
        let time = self.blocks[&parent].header.time + 1 + salt;
        self.assemble(Draft {
            parent,
            transactions: Vec::new(),
            time,
            proposer: ReplicaId(proposer),
            duties: Vec::new(),
            seal: Seal::default(),
        })
        .unwrap()
    }
}

impl Application for Book {
    fn root(&self) -> BlockHash {
        self.root
    }

    fn block(&self, hash: BlockHash) -> Option<Arc<Block>> {
        self.blocks.get(&hash).cloned()
    }

    fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        self.blocks.get(&parent)?;
        Some(self.changes.get(&parent).unwrap_or(&self.committee).clone())
    }

    fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        let height = self.blocks.get(&parent)?.header.height + 1;
        Some(Rotation::at(self.committee(parent)?, height))
    }

    fn pending(
        &self,
        parent: BlockHash,
        _: &BTreeSet<TransactionId>,
        limit: usize,
    ) -> Vec<Transaction> {
        let mut included = Vec::new();
        let mut at = self.blocks.get(&parent);
        while let Some(block) = at {
            included.extend(&block.transactions);
            at = self.blocks.get(&block.header.parent);
        }
        let waits = self.pool.iter().filter(|transaction| !included.contains(transaction));
        waits.take(limit).cloned().collect()
    }

    fn assemble(&self, draft: Draft) -> Result<Arc<Block>, Rejected> {
        if !self.builds {
            return Err(Rejected::Full(0));
        }
        let parent = self.blocks.get(&draft.parent).ok_or(Rejected::UnknownParent(draft.parent))?;
        let header = Header {
            parent: draft.parent,
            height: parent.header.height + 1,
            time: draft.time.max(parent.header.time + 1),
            proposer: draft.proposer,
            transactions: transaction_root(&draft.transactions),
            state: Hash::ZERO,
            committee: self.committee.root(),
            participation: duty_root(&draft.duties),
            leak: leak_root(&draft.duties),
            seal: draft.seal,
        };
        let (transactions, duties) = (draft.transactions, draft.duties);
        Ok(Arc::new(Block { header, transactions, duties }))
    }

    fn accept(&mut self, block: &Arc<Block>) -> Result<BlockHash, Rejected> {
        let hash = block.hash();
        if let Some(refusal) = self.refusals.get(&hash) {
            return Err(refusal.clone());
        }
        if !self.blocks.contains_key(&block.header.parent) {
            return Err(Rejected::UnknownParent(block.header.parent));
        }
        if !block.body_matches() {
            return Err(Invalid::Body.into());
        }
        self.accepted.push(hash);
        self.blocks.insert(hash, Arc::clone(block));
        Ok(hash)
    }
}

/// One replica: what it did is carried out, and kept for the test to look at.
pub(super) struct Rig {
    pub(super) me: u32,
    pub(super) config: Config,
    pub(super) flaw: Flaw,
    pub(super) replica: Tendermint,
    pub(super) book: Book,
    pub(super) now: Duration,
    pub(super) wall: Duration,
    /// What signatures are checked with.
    pub(super) keys: Keys,
    rng: ChaCha8Rng,

    /// Every effect since the test last asked.
    pub(super) effects: Vec<Effect<Message>>,
    /// What it signed, by slot: this is the signer, and it would refuse a second message.
    pub(super) signed: BTreeMap<Slot, Signed<Message>>,
    /// Sent and not yet taken by the cluster.
    pub(super) outbox: VecDeque<Signed<Message>>,
    /// When each timer rings.
    pub(super) timers: BTreeMap<Timer, Duration>,
    pub(super) records: Vec<Vec<u8>>,
    pub(super) commits: Vec<(BlockHash, Proof)>,
    deferred: Vec<Signed<Message>>,
    /// What the inbox let through: two messages for each sender and slot.
    inbox: BTreeMap<(ReplicaId, Slot), Vec<Hash>>,
}

impl Rig {
    pub(super) fn new(me: u32, committee: Arc<Committee>, config: Config) -> Rig {
        Rig {
            me,
            config,
            flaw: Flaw::default(),
            replica: Tendermint::new(config),
            book: Book::new(committee),
            now: Duration::ZERO,
            wall: EPOCH,
            keys: keys(),
            rng: ChaCha8Rng::seed_from_u64(0),
            effects: Vec::new(),
            signed: BTreeMap::new(),
            outbox: VecDeque::new(),
            timers: BTreeMap::new(),
            records: Vec::new(),
            commits: Vec::new(),
            deferred: Vec::new(),
            inbox: BTreeMap::new(),
        }
    }

    /// Replica `me` of four with equal stake, started and ready.
    pub(super) fn started(me: u32) -> Rig {
        let mut rig = Rig::new(me, committee(&[1; 4]), brisk());
        rig.wake();
        rig
    }

    /// The same as the mutant `id`, or as the whole protocol.
    pub(super) fn mutant(me: u32, committee: Arc<Committee>, id: Option<&'static str>) -> Rig {
        let mut rig = Rig::new(me, committee, brisk());
        rig.flaw = id.map(Flaw::of).unwrap_or_default();
        rig.replica = Tendermint::new(rig.config).weaken(rig.flaw);
        rig.wake();
        rig
    }

    /// Begins a life with what the disk holds.
    pub(super) fn wake(&mut self) {
        let own: Vec<_> = self.signed.values().cloned().collect();
        self.feed(Input::Start { records: self.records.clone(), own: own.clone() });
        own.into_iter().for_each(|signed| self.deliver(signed));
    }

    /// Loses all but the disk. Time begins anew.
    pub(super) fn crash(&mut self) {
        self.replica = Tendermint::new(self.config).weaken(self.flaw);
        (self.timers, self.inbox) = (BTreeMap::new(), BTreeMap::new());
        self.deferred.clear();
        self.outbox.clear();
        self.now = Duration::ZERO;
    }

    /// One step, its effects carried out, and so on with what follows from them at once: our own
    /// messages and the deferred ones.
    pub(super) fn feed(&mut self, input: Input<Message>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let again = matches!(input, Input::Arrived(_) | Input::Advanced { .. });
            let keys = self.keys.clone();
            let me = ReplicaId(self.me);
            let mut turn = Turn::new(self.now, self.wall, me, &mut self.rng, &mut self.book, &keys);
            self.replica.step(input, &mut turn);
            let effects = turn.into_effects();
            for effect in &effects {
                self.carry_out(effect, &mut inputs);
            }
            if again {
                inputs.extend(self.deferred.drain(..).map(Input::Heard));
            }
            self.effects.extend(effects);
        }
    }

    fn carry_out(&mut self, effect: &Effect<Message>, inputs: &mut VecDeque<Input<Message>>) {
        match effect {
            Effect::Send { message, .. } => {
                let signed = by(self.me, message.clone());
                let slot = signed.slot().unwrap();
                let before = self.signed.insert(slot, signed.clone());
                let is_once = before.is_none() || self.flaw.is("T6");
                assert!(is_once, "signed twice in {slot:?}: {before:?} and {message:?}");
                self.outbox.push_back(signed.clone());
                self.admit(&signed);
                inputs.push_back(Input::Heard(signed));
            }
            Effect::SetTimer { timer, after } => {
                self.timers.insert(*timer, self.now + *after);
            }
            Effect::Persist { record, fresh } => {
                if *fresh {
                    self.records.clear();
                }
                self.records.push(record.clone());
            }
            Effect::Commit { block, proof } => {
                assert_eq!(self.book.blocks[block].header.parent, self.book.root);
                self.book.root = *block;
                self.commits.push((*block, proof.clone().unwrap()));
            }
            Effect::Horizon { height, .. } => {
                self.signed.retain(|slot, _| slot.height > *height);
                self.inbox.retain(|(_, slot), _| slot.height > *height);
                inputs.extend(self.deferred.drain(..).map(Input::Heard));
            }
            Effect::Defer(signed) => self.deferred.push(signed.clone()),
            Effect::Want(_) | Effect::Note { .. } | Effect::Relay { .. } => {}
            other => panic!("Tendermint does not do {other:?}"),
        }
    }

    fn admit(&mut self, signed: &Signed<Message>) -> bool {
        let values = self.inbox.entry((signed.sender(), signed.slot().unwrap())).or_default();
        let is_new = !values.contains(&signed.value()) && values.len() < 2;
        if is_new {
            values.push(signed.value());
        }
        is_new
    }

    /// By way of the inbox, which lets two messages of a slot through.
    pub(super) fn deliver(&mut self, signed: Signed<Message>) {
        let lag = attendance::lag(&self.config);
        let decided = self.book.blocks[&self.book.root].header.height;
        let is_old = signed.message().height() + lag <= decided;
        if !is_old && self.admit(&signed) {
            self.feed(Input::Heard(signed));
        }
    }

    /// Hears `message` from `sender`.
    pub(super) fn hear(&mut self, sender: u32, message: Message) {
        self.deliver(by(sender, message));
    }

    /// Hears the same from several.
    pub(super) fn hear_all(&mut self, senders: &[u32], message: &Message) {
        senders.iter().for_each(|&sender| self.hear(sender, message.clone()));
    }

    /// Rings this height's and round's timer, set or not: timers may be stale.
    pub(super) fn ring(&mut self, height: u64, round: u64, phase: u8) {
        let timer = Timer(Slot { height, epoch: 0, round, phase });
        self.timers.remove(&timer);
        self.feed(Input::Rang(timer));
    }

    pub(super) fn round(&self) -> u64 {
        self.replica.round()
    }

    /// How long after now a timer of this place rings.
    pub(super) fn timer(&self, height: u64, round: u64, phase: u8) -> Option<Duration> {
        let timer = Timer(Slot { height, epoch: 0, round, phase });
        self.timers.get(&timer).map(|rings| rings.saturating_sub(self.now))
    }

    /// What it sent since the test last asked.
    pub(super) fn sent(&mut self) -> Vec<Message> {
        let effects = self.effects.drain(..);
        let sent = effects.filter_map(|effect| match effect {
            Effect::Send { message, .. } => Some(message),
            _ => None,
        });
        sent.collect()
    }

    /// The labels of its notes since the test last asked; forgets the other effects.
    pub(super) fn notes(&mut self) -> Vec<&'static str> {
        let effects = self.effects.drain(..);
        let notes = effects.filter_map(|effect| match effect {
            Effect::Note { label, .. } => Some(label),
            _ => None,
        });
        notes.collect()
    }

    /// What it asked for since the test last asked; forgets the other effects.
    pub(super) fn wants(&mut self) -> Vec<BlockHash> {
        let effects = self.effects.drain(..);
        let wants = effects.filter_map(|effect| match effect {
            Effect::Want(Want::Block(hash)) => Some(hash),
            _ => None,
        });
        wants.collect()
    }

    /// A block for the height after the root.
    pub(super) fn block(&self, proposer: u32, salt: u64) -> Arc<Block> {
        self.book.child(self.book.root, proposer, salt)
    }

    /// Goes to the next round: a quorum precommits nil, and no more comes of it.
    pub(super) fn pass_round(&mut self, height: u64, round: u64) {
        let others: Vec<_> = (0..4).filter(|&id| id != self.me).collect();
        self.hear_all(&others, &precommit(height, round, None));
        self.ring(height, round, phase::PRECOMMIT);
        assert_eq!(self.round(), round + 1);
    }
}
