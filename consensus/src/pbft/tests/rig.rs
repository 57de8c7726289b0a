//! One replica on a table: a pretend ledger under it, and whatever the test says around it.

use super::super::{
    Checkpoint, Config, Message, Pbft, Prepared, Stable, Value, ViewChange, batch, view,
};
use super::book::Book;
use crate::{
    Flaw,
    byzantine::{
        Lie, Plot, Seat,
        script::{Line, Script},
    },
    protocol::{Effect, Input, Protocol, Timer, To, Trusted, Turn},
    quorum::Signed,
};
use crypto::{Hash, PublicKey, SecretKey, Signature};
use ledger::{
    Action, Amount, Block, BlockHash, ChainId, Committee, Genesis, Hand, Keys, Payload, Proof,
    ReplicaId, Slot, Stake, Transaction,
    vote::{Member, SimulatedSecret},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

const SECRET: SimulatedSecret = SimulatedSecret([7; 32]);

/// When the pretend world began, since 1970.
pub(super) const EPOCH: Duration = Duration::from_secs(1_000_000);

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// No pause, so that a number begins with its proposal.
pub(super) fn brisk() -> Config {
    Config { block_time: Duration::ZERO, ..Config::default() }
}

pub(super) fn committee(n: u32) -> Arc<Committee> {
    let members = (0..n).map(|id| Member {
        id: ReplicaId(id),
        key: SecretKey::from_seed([id as u8 + 1; 32]).public(),
        // Heads count, and not stake.
        stake: Stake(1 + u64::from(id) * 100),
        share: ledger::Share::FULL,
    });
    Arc::new(Committee::new(members.collect()).unwrap())
}

fn chain() -> ChainId {
    ChainId(Hash::from_bytes([9; 32]))
}

pub(super) fn keys() -> Keys {
    Keys::simulated(chain(), SECRET, 100)
}

/// A replica's question for a batch.
pub(super) fn fetch(replier: u32, batch: BlockHash) -> Message {
    Message::Fetch { batch, replier: ReplicaId(replier) }
}

pub(super) fn by(sender: u32, message: Message) -> Signed<Message> {
    Signed::by(&Hand::simulated(ReplicaId(sender), chain(), SECRET), message)
}

/// Hands over what a newcomer trusts who knows this committee.
pub(super) fn trusting<R>(committee: &Committee, check: impl FnOnce(Trusted<'_>) -> R) -> R {
    let genesis = Genesis {
        name: "table".into(),
        time: 0,
        consensus: "pbft".into(),
        block_time: 1000,
        settings: BTreeMap::new(),
        validators: Vec::new(),
        accounts: Vec::new(),
    };
    check(Trusted { genesis: &genesis, parent: None, committee, keys: &keys() })
}

/// A transaction that only the pretend ledger believes in.
pub(super) fn payment(nonce: u64) -> Transaction {
    let sender = PublicKey::from_bytes([1; 32]);
    let action = Action::Transfer { to: sender.address(), amount: Amount(1) };
    let payload = Payload { chain: chain(), sender, nonce, fee: Amount(1), action };
    Transaction::new(payload, Signature::from_bytes([0; 64]))
}

/// An empty batch; `salt` makes it differ from its siblings.
pub(super) fn batch(sequence: u64, proposer: u32, salt: u64) -> Arc<Block> {
    full(sequence, proposer, salt, Vec::new())
}

pub(super) fn full(sequence: u64, proposer: u32, salt: u64, all: Vec<Transaction>) -> Arc<Block> {
    batch::build(sequence, EPOCH.as_millis() as u64 + salt, ReplicaId(proposer), all)
}

pub(super) fn pre_prepare(view: u64, batch: &Arc<Block>) -> Message {
    Message::PrePrepare { view, batch: Arc::clone(batch) }
}

pub(super) fn prepare(view: u64, sequence: u64, value: Value) -> Message {
    Message::Prepare { view, sequence, value }
}

pub(super) fn commit(view: u64, sequence: u64, value: Value) -> Message {
    Message::Commit { view, sequence, value }
}

pub(super) fn checkpoint(sequence: u64, height: u64, block: BlockHash) -> Message {
    Message::Checkpoint(Checkpoint { sequence, height, block })
}

fn signatures(signers: &[u32], message: &Message) -> Vec<(ReplicaId, Signature)> {
    let signed = signers.iter().map(|&signer| by(signer, message.clone()));
    signed.map(|signed| (signed.sender(), *signed.signature())).collect()
}

pub(super) fn prepared(view: u64, sequence: u64, value: Value, signers: &[u32]) -> Prepared {
    let signatures = signatures(signers, &prepare(view, sequence, value));
    Prepared { view, sequence, value, signatures }
}

pub(super) fn stable(sequence: u64, height: u64, block: BlockHash, signers: &[u32]) -> Stable {
    let signatures = signatures(signers, &checkpoint(sequence, height, block));
    Stable { checkpoint: Checkpoint { sequence, height, block }, signatures }
}

pub(super) fn change(view: u64, prepared: Vec<Prepared>) -> ViewChange {
    ViewChange { view, stable: None, prepared }
}

/// A NEW-VIEW with these view changes, and what follows from them.
pub(super) fn new_view(view: u64, changes: &[(u32, ViewChange)]) -> Message {
    let proposals =
        view::select(Flaw::default(), changes.iter().map(|(_, change)| change)).proposals;
    let signed = changes.iter().map(|(sender, change)| {
        let signed = by(*sender, Message::ViewChange(change.clone()));
        (signed.sender(), change.clone(), *signed.signature())
    });
    Message::NewView { view, changes: signed.collect(), proposals }
}

/// One replica: what it did is carried out, and kept for the test to look at.
pub(super) struct Rig {
    pub(super) me: u32,
    config: Config,
    pub(super) replica: Pbft,
    /// What it goes by if it lies, and what it relayed then.
    script: Option<(Script<Pbft>, Seat)>,
    pub(super) relayed: Vec<(Vec<u32>, Message)>,
    pub(super) book: Book,
    pub(super) now: Duration,
    pub(super) wall: Duration,
    rng: ChaCha8Rng,

    /// Every effect since the test last asked.
    pub(super) effects: Vec<Effect<Message>>,
    /// What it signed, by slot: this is the signer, and it would refuse a second message.
    pub(super) signed: BTreeMap<Slot, Signed<Message>>,
    /// Sent and not yet taken by the cluster.
    pub(super) outbox: VecDeque<(To, Signed<Message>)>,
    /// When each timer rings, by phase.
    pub(super) timers: BTreeMap<Timer, Duration>,
    pub(super) records: Vec<Vec<u8>>,
    /// By rising height, with the proofs that came.
    pub(super) commits: Vec<BlockHash>,
    pub(super) proofs: BTreeMap<BlockHash, Proof>,
    pub(super) horizon: (u64, u64),
    deferred: Vec<Signed<Message>>,
    /// What the inbox let through: two messages for each sender and slot.
    inbox: BTreeMap<(ReplicaId, Slot), Vec<Hash>>,
}

impl Rig {
    pub(super) fn new(me: u32, n: u32, config: Config) -> Rig {
        Rig {
            me,
            config,
            replica: Pbft::new(config),
            script: None,
            relayed: Vec::new(),
            book: Book::new(committee(n)),
            now: Duration::ZERO,
            wall: EPOCH,
            rng: ChaCha8Rng::seed_from_u64(me.into()),
            effects: Vec::new(),
            signed: BTreeMap::new(),
            outbox: VecDeque::new(),
            timers: BTreeMap::new(),
            records: Vec::new(),
            commits: Vec::new(),
            proofs: BTreeMap::new(),
            horizon: (0, 0),
            deferred: Vec::new(),
            inbox: BTreeMap::new(),
        }
    }

    /// Replica `me` of four, started and ready.
    pub(super) fn started(me: u32) -> Rig {
        Rig::started_with(me, brisk())
    }

    pub(super) fn started_with(me: u32, config: Config) -> Rig {
        let mut rig = Rig::new(me, 4, config);
        rig.wake();
        rig
    }

    /// Replica `me` of four, which goes by these lines.
    pub(super) fn scripted(me: u32, lines: Vec<Line>) -> Rig {
        let mut rig = Rig::new(me, 4, brisk());
        let hand = Hand::simulated(ReplicaId(me), chain(), SECRET);
        let seat = Seat::new(hand, Arc::new(Plot::default()));
        rig.script = Some((Script::new(lines).expect("PBFT has a puppet"), seat));
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
        self.replica = Pbft::new(self.config);
        (self.timers, self.inbox) = (BTreeMap::new(), BTreeMap::new());
        self.deferred.clear();
        self.outbox.clear();
        self.now = Duration::ZERO;
    }

    /// Crashes and begins another life.
    pub(super) fn reborn(&mut self) {
        self.crash();
        self.effects.clear();
        self.wake();
    }

    /// One step, its effects carried out, and so on with what follows from them at once: our own
    /// messages and the deferred ones.
    pub(super) fn feed(&mut self, input: Input<Message>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let again = matches!(input, Input::Advanced { .. });
            let keys = keys();
            let me = ReplicaId(self.me);
            let mut turn = Turn::new(self.now, self.wall, me, &mut self.rng, &mut self.book, &keys);
            match &mut self.script {
                None => self.replica.step(input, &mut turn),
                Some((script, seat)) => script.step(&mut self.replica, input, seat, &mut turn),
            }
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
            Effect::Send { to, message } => {
                let signed = by(self.me, message.clone());
                if let Some(slot) = signed.slot() {
                    assert!(!self.is_dead(slot), "{message:?} is said in a dead slot");
                    let before = self.signed.insert(slot, signed.clone());
                    assert!(before.is_none(), "signed twice: {before:?} and {message:?}");
                }
                self.outbox.push_back((to.clone(), signed.clone()));
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
                // A null request may be all there is above the genesis.
                let is_genesis = self.book.blocks[block].header.height == 0;
                if !is_genesis && !self.commits.contains(block) {
                    assert_eq!(self.book.blocks[block].header.parent, self.book.root);
                    self.book.root = *block;
                    self.commits.push(*block);
                }
                self.proofs.extend(proof.clone().map(|proof| (*block, proof)));
            }
            Effect::Horizon { height, round } => {
                self.horizon = (self.horizon.0.max(*height), self.horizon.1.max(*round));
                let horizon = self.horizon;
                self.signed.retain(|slot, _| !passed(horizon, *slot));
                self.inbox.retain(|(_, slot), _| !passed(horizon, *slot));
                inputs.extend(self.deferred.drain(..).map(Input::Heard));
            }
            Effect::Defer(signed) => self.deferred.push(signed.clone()),
            Effect::Note { .. } => {}
            Effect::Relay { to: To::Some(to), message } if self.script.is_some() => {
                let to = to.iter().map(|id| id.0).collect();
                self.relayed.push((to, message.message().clone()));
            }
            other => panic!("PBFT does not do {other:?}"),
        }
    }

    fn is_dead(&self, slot: Slot) -> bool {
        passed(self.horizon, slot)
    }

    fn admit(&mut self, signed: &Signed<Message>) -> bool {
        let Some(slot) = signed.slot() else { return true };
        let far = slot.height > self.horizon.0 + self.replica.heights_ahead();
        let values = self.inbox.entry((signed.sender(), slot)).or_default();
        let is_new = !values.contains(&signed.value()) && values.len() < 2;
        if is_new && !far {
            values.push(signed.value());
        }
        is_new && !far
    }

    /// By way of the inbox, which lets two messages of a slot through.
    pub(super) fn deliver(&mut self, signed: Signed<Message>) {
        if !signed.slot().is_some_and(|slot| self.is_dead(slot)) && self.admit(&signed) {
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

    /// Lets the timer of this phase ring, at its time.
    pub(super) fn ring(&mut self, phase: u8) {
        let timer = Timer(Slot { phase, ..Slot::default() });
        self.now = self.timers.remove(&timer).expect("the timer is set");
        self.feed(Input::Rang(timer));
    }

    /// How long after now the timer of this phase rings.
    pub(super) fn timer(&self, phase: u8) -> Option<Duration> {
        let timer = Timer(Slot { phase, ..Slot::default() });
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

    /// The batches it asked for since the test last asked, and it said nothing else. Each question names whom it
    /// was sent to.
    pub(super) fn asked_for(&mut self) -> Vec<BlockHash> {
        let effects = self.effects.drain(..);
        let asked = effects.filter_map(|effect| match effect {
            Effect::Send { to, message: Message::Fetch { batch, replier } } => {
                assert_eq!(to, To::One(replier));
                Some(batch)
            }
            Effect::Send { message, .. } => panic!("{message:?}"),
            _ => None,
        });
        asked.collect()
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

    pub(super) fn view(&self) -> u64 {
        self.replica.round()
    }

    /// Everything up to here is executed.
    pub(super) fn executed(&self) -> u64 {
        self.replica.state.as_ref().map_or(0, |state| state.executed)
    }

    /// h.
    pub(super) fn low(&self) -> u64 {
        self.replica.state.as_ref().map_or(0, |state| state.low())
    }

    /// A transaction that waits from now on.
    pub(super) fn want(&mut self, transaction: Transaction) {
        self.book.pool.push(transaction);
        self.feed(Input::Waiting);
    }

    /// All other replicas of four.
    fn others(&self) -> Vec<u32> {
        (0..4).filter(|&id| id != self.me).collect()
    }

    /// All the others agree to, prepare and commit `batch` in `view`, whose primary numbered it.
    pub(super) fn decide(&mut self, view: u64, batch: &Arc<Block>) {
        let (sequence, value) = (batch.header.height, Some(batch.hash()));
        let primary = (view % 4) as u32;
        if self.me != primary {
            self.hear(primary, pre_prepare(view, batch));
        }
        let others = self.others();
        for &id in others.iter().filter(|&&id| id != primary) {
            self.hear(id, prepare(view, sequence, value));
        }
        self.hear_all(&others, &commit(view, sequence, value));
        assert!(self.executed() >= sequence);
    }

    /// The others have reached the number that it has executed.
    pub(super) fn stabilise(&mut self) {
        let (sequence, height) = (self.executed(), self.book.height());
        self.hear_all(&self.others(), &checkpoint(sequence, height, self.book.root));
        assert_eq!(self.low(), sequence);
    }
}

fn passed((height, round): (u64, u64), slot: Slot) -> bool {
    match slot.height {
        0 => slot.round < round,
        number => number <= height,
    }
}
