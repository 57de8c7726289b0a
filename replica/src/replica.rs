//! The main loop: an event comes in, the protocol takes its steps, actions go out.
//!
//! Write-ahead, per step: everything made durable while an event is handled goes into one batch,
//! and whatever leaves afterwards queues in the outbox until the world says that the batch is
//! synced. Handling goes on meanwhile. Only timers, mining and the trace do not wait, for nobody
//! outside can see them.

mod asked;
mod conflict;
mod convict;
mod effects;
mod peers;
mod query;
mod reports;
mod submissions;
#[cfg(test)]
mod tests;

use crate::{
    allowance::Allowance,
    application::Desk,
    birth::Birth,
    docket::Docket,
    event::{Action, Alarm, Class, Event, Moment, Query, Ticket},
    gossip::{self, Gossip},
    inbox::Inbox,
    packet::{Envelope, Packet},
    pool::{Pool, PoolRefusal},
    signer::Signer,
    sync::Sync,
    testimony::Testimony,
    trace::{TraceLine, What},
    weak::Weak,
};
use consensus::{Input, Message, Protocol, Signed, Topic, Turn, Want};
use ledger::{
    BlockHash, Genesis, Hand, Keys, Ledger, ReplicaId, TransactionId,
    chain::OpenError,
    query::ConflictAnswer,
    store::{Batch, Store, StoreError},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// All that a replica begins a life with.
#[derive(Debug)]
pub struct Setup<P> {
    /// Who it is.
    pub me: ReplicaId,
    /// Where its chain begins.
    pub genesis: Genesis,
    /// Its consensus protocol, fresh.
    pub protocol: P,
    /// What signs for it.
    pub hand: Hand,
    /// What checks the others.
    pub keys: Keys,
    /// What outlives it.
    pub store: Arc<dyn Store>,
    /// All its randomness comes from here.
    pub seed: [u8; 32],
    /// How it behaves.
    pub options: Options,
}

/// How a replica behaves, apart from consensus.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many transactions the pool holds.
    pub pool: usize,
    /// Whether it writes trace lines.
    pub trace: bool,
    /// Whether its world vouches that an empty disk was never another one: see [`crate::birth`].
    pub first_life: bool,
    /// Which of its rules it lacks: none, outside worlds that want mutants.
    pub weak: Weak,
}

impl Default for Options {
    fn default() -> Self {
        Options { pool: 16_384, trace: true, first_life: false, weak: Weak::default() }
    }
}

/// One participant in consensus, without I/O.
#[derive(Debug)]
pub struct Replica<P: Protocol> {
    me: ReplicaId,
    protocol: P,
    ledger: Ledger,
    pool: Pool,
    halted: Option<String>,
    /// The conflict for which it is.
    conflict: Option<Box<ConflictAnswer>>,
    /// How deep a block must lie to be counted on, where blocks are not final at once.
    confirmations: Option<u64>,
    keys: Keys,
    inbox: Inbox<P::Message>,
    /// What is left of what was said in dead slots.
    testimony: Testimony,
    /// Against whom we hold evidence.
    docket: Docket,
    /// How many pieces of it were found in this life, and how many reports were made of them.
    found: u64,
    reported: u64,
    /// The nonce of a report of ours that came to nothing.
    voided: Option<u64>,
    signer: Signer<P::Message>,
    /// While it is not known what an earlier life on a lost disk may have signed.
    birth: Option<Birth<P::Message>>,
    /// Whether the disk says that some life on it knew what it may sign.
    is_born: bool,
    /// Messages without a slot, the newest last.
    loose: VecDeque<Signed<P::Message>>,
    /// With the time of the last request; none before the first.
    wants: BTreeMap<Want, Option<Duration>>,
    /// Transactions submitted here, or undone here, that may still wait, with the time they were last
    /// published.
    submitted: BTreeMap<TransactionId, Duration>,
    /// The one of them that was published again last.
    republished: Option<TransactionId>,
    records: std::ops::Range<u64>,
    inputs: VecDeque<Input<P::Message>>,
    batch: Batch,
    moment: Moment,
    /// When our committed height last grew.
    progress: Duration,
    rng: ChaCha8Rng,
    gossip: Gossip,
    sync: Sync,
    allowance: Allowance,
    store: Arc<dyn Store>,
    options: Options,
    /// The batch that is written last.
    written: Ticket,
    /// Everything up to here is durable.
    durable: Ticket,
    outbox: VecDeque<(Ticket, Action<P::Message>)>,
    actions: Vec<Action<P::Message>>,
    /// What the last event made, waiting for the ticket of its batch.
    fresh: Vec<Action<P::Message>>,
    cause: Option<(ReplicaId, u64)>,
    lines: u64,
    envelopes: u64,
    /// The head on which it was last looked whether transactions wait.
    looked_for_waiting: Option<BlockHash>,
    /// The head on which the protocol was last told that they do.
    told_waiting: Option<BlockHash>,
    pool_changed: bool,
    /// The head on which a peer's blocks came, whose they were, and whether they should get us on: once the
    /// protocol has judged them, and has another one, we look for more.
    behind: Option<(BlockHash, ReplicaId, bool)>,
    /// What this life has thrown away, by kind and reason.
    refused: Refusals,
}

/// How often something was thrown away: what it was, and why. Both are words of this program, so
/// no peer can make it grow.
pub type Refusals = BTreeMap<(&'static str, &'static str), u64>;

impl<P: Protocol> Replica<P> {
    /// Begins a life with whatever the store kept of earlier ones.
    pub fn open(setup: Setup<P>) -> Result<Replica<P>, OpenError> {
        let Setup { me, genesis, protocol, hand, keys, store, seed, options } = setup;
        let ledger = Ledger::open_with(Arc::clone(&store), &genesis, keys.clone())?;
        let signer = Signer::open(hand, &keys, store.as_ref())?;
        let docket = Docket::open(store.as_ref(), &keys)?;
        let is_born = effects::is_born(store.as_ref())?;
        let birth = (!is_born && !options.first_life).then(Birth::new);
        let records = effects::stored_records(store.as_ref())?;
        let halted = effects::stored_alarm(store.as_ref())?;
        let conflict = conflict::stored(store.as_ref())?;
        // A module that the catalogue does not know is a test's, and final at once.
        let depths = consensus::catalogue::depths(&genesis).ok().flatten();
        Ok(Replica {
            me,
            inbox: Inbox::new(signer.horizon(), protocol.heights_ahead()),
            testimony: Testimony::default(),
            docket,
            found: 0,
            reported: 0,
            voided: None,
            protocol,
            ledger,
            pool: Pool::new(options.pool),
            halted,
            conflict,
            confirmations: depths.map(|depths| depths.confirmations),
            keys,
            signer,
            birth,
            is_born,
            loose: VecDeque::new(),
            wants: BTreeMap::new(),
            submitted: BTreeMap::new(),
            republished: None,
            records,
            inputs: VecDeque::new(),
            batch: Batch::default(),
            moment: Moment::default(),
            progress: Duration::ZERO,
            rng: ChaCha8Rng::from_seed(seed),
            gossip: Gossip::default(),
            sync: Sync::default(),
            allowance: Allowance::default(),
            store,
            options,
            written: Ticket(0),
            durable: Ticket(0),
            outbox: VecDeque::new(),
            actions: Vec::new(),
            fresh: Vec::new(),
            cause: None,
            lines: 0,
            envelopes: 0,
            looked_for_waiting: None,
            told_waiting: None,
            pool_changed: false,
            behind: None,
            refused: Refusals::new(),
        })
    }

    /// The ledger, for those who watch.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The evidence it holds, for those who watch.
    pub fn docket(&self) -> &Docket {
        &self.docket
    }

    /// Against how many this life has found evidence, and how many reports it has made.
    pub fn findings(&self) -> (u64, u64) {
        (self.found, self.reported)
    }

    /// The round or view its protocol is in, for those who watch.
    pub fn round(&self) -> u64 {
        self.protocol.round()
    }

    /// What this life has thrown away after it was opened, whether it is traced or not.
    pub fn refused(&self) -> &Refusals {
        &self.refused
    }

    /// The first actions of this life. Our own messages above the horizon are sent again and heard
    /// again, so that nothing has to be rebuilt.
    pub fn start(&mut self, moment: Moment) -> Result<Vec<Action<P::Message>>, StoreError> {
        self.moment = moment;
        self.cause = None;
        self.trace(What::Started { height: self.ledger.height() });
        // A crash before it ever signs, as while it has no seat, must not make this disk look lost.
        if self.options.first_life {
            self.be_born();
        }
        // The first summary comes at a random time, so that replicas do not gossip in step.
        let period = gossip::PERIOD.as_micros() as u64;
        let first = Duration::from_micros(self.rng.next_u64() % period);
        self.actions.push(Action::SetTimer { alarm: Alarm::Gossip, after: first });
        if self.halted.is_none() {
            let records = effects::read_records(self.store.as_ref())?;
            let own = self.signer.own();
            self.inputs.push_back(Input::Start { records, own: own.clone() });
            for signed in own {
                self.inbox.receive(&signed, moment.now);
                self.inputs.push_back(Input::Heard(signed.clone()));
                self.post_all(Packet::Message(signed), Class::Resend);
            }
            self.ask_how_far();
        }
        self.finish()
    }

    /// Handles one event. What it returns is to be carried out in order.
    pub fn handle(
        &mut self,
        event: Event<P::Message>,
        moment: Moment,
    ) -> Result<Vec<Action<P::Message>>, StoreError> {
        self.moment = moment;
        self.cause = match &event {
            Event::Received { from, seq, .. } => Some((*from, *seq)),
            _ => None,
        };
        match event {
            Event::Received { from, opened, .. } => self.received(from, opened),
            Event::Gossiped(transactions) => {
                for transaction in transactions {
                    match self.pool_in(transaction) {
                        // Gossip says everything more than once.
                        Ok(_) | Err(PoolRefusal::Known(_)) => {}
                        Err(refusal) => self.refuse("transaction", refusal.reason()),
                    }
                }
            }
            Event::Rang(Alarm::Protocol(timer)) => self.inputs.push_back(Input::Rang(timer)),
            Event::Rang(Alarm::Gossip) => self.tell_someone(),
            Event::Rang(Alarm::Wants) => self.ask_for_wants(),
            Event::Synced(ticket) => self.durable = self.durable.max(ticket),
            Event::Asked { id, query: Query::Submit(transaction) } => self.submit(id, transaction),
            Event::Asked { id, query: Query::SubmitMany(transactions) } => {
                self.submit_many(id, transactions);
            }
            Event::Asked { id, query } => {
                let answer = self.answer(&query);
                self.post(Action::Answer { id, answer });
            }
            Event::Mined(header) => self.inputs.push_back(Input::Mined(header)),
        }
        self.finish()
    }

    /// Lets the protocol take its steps, writes what they made durable, and releases what need not
    /// wait any longer.
    fn finish(&mut self) -> Result<Vec<Action<P::Message>>, StoreError> {
        loop {
            while let Some(input) = self.inputs.pop_front() {
                if self.halted.is_none() {
                    self.step(input);
                }
            }
            if !self.transactions_wait() {
                break;
            }
            self.inputs.push_back(Input::Waiting);
        }
        // Blocks of a branch that is longer and lighter get us nowhere, and would again.
        if let Some((before, peer, is_due)) = self.behind.take() {
            if before != self.ledger.head() {
                self.sync.kept(peer);
                self.catch_up();
            } else if is_due {
                self.sync.broken(peer);
            }
        }
        if !self.batch.is_empty() {
            self.store.write(&self.batch)?;
            self.batch = Batch::default();
            self.written.0 += 1;
            self.actions.push(Action::Sync(self.written));
        }
        if !self.fresh.is_empty() {
            let written = self.written;
            self.outbox.extend(self.fresh.drain(..).map(|action| (written, action)));
        }
        while self.outbox.front().is_some_and(|(ticket, _)| *ticket <= self.durable) {
            let (_, action) = self.outbox.pop_front().expect("it was just seen");
            self.actions.push(action);
        }
        Ok(std::mem::take(&mut self.actions))
    }

    fn step(&mut self, input: Input<P::Message>) {
        if let Input::Heard(signed) = &input
            && self.options.trace
        {
            let (sender, slot, message) = (signed.sender(), signed.slot(), signed.message());
            let (kind, about) = (message.kind().into(), message.about());
            self.trace(What::Heard { sender, kind, slot, about });
        }
        let mut desk = Desk { ledger: &mut self.ledger, pool: &self.pool, batch: &mut self.batch };
        let Moment { now, wall } = self.moment;
        let mut turn = Turn::new(now, wall, self.me, &mut self.rng, &mut desk, &self.keys);
        self.protocol.step(input, &mut turn);
        for effect in turn.into_effects() {
            self.carry_out(effect);
        }
    }

    /// Whether the protocol must be told that transactions wait: once for each head.
    fn transactions_wait(&mut self) -> bool {
        let head = self.ledger.head();
        if self.halted.is_some() || (!self.pool_changed && self.looked_for_waiting == Some(head)) {
            return false;
        }
        self.pool_changed = false;
        self.looked_for_waiting = Some(head);
        let ledger = &self.ledger;
        let ready = self.pool.is_ready(|address| ledger.account(head, address).unwrap_or_default());
        let told = self.told_waiting == Some(head);
        self.told_waiting = ready.then_some(head);
        ready && !told
    }

    fn post_all(&mut self, packet: Packet<P::Message>, class: Class) {
        self.post_to(self.peers(), packet, class);
    }

    fn post_to(&mut self, to: Vec<ReplicaId>, packet: Packet<P::Message>, class: Class) {
        if to.is_empty() {
            return;
        }
        self.envelopes += 1;
        let envelope = self.envelopes;
        if self.options.trace {
            let kind = packet.kind().into();
            let (signer, slot, about) = match &packet {
                Packet::Message(signed) => {
                    (Some(signed.sender()), signed.slot(), signed.message().about())
                }
                _ => (None, None, Topic::default()),
            };
            let to = to.clone();
            self.trace(What::Sent { envelope, kind, to, class, signer, slot, about });
        }
        let envelope = Arc::new(Envelope { seq: envelope, packet });
        self.post(Action::Send { to, envelope, class });
    }

    /// Leaves once everything handled so far is durable.
    fn post(&mut self, action: Action<P::Message>) {
        self.fresh.push(action);
    }

    /// Happens at once, since nobody outside can see it.
    fn post_now(&mut self, action: Action<P::Message>) {
        self.actions.push(action);
    }

    fn pool_changed(&mut self) {
        self.pool_changed = true;
    }

    fn refuse(&mut self, kind: &'static str, reason: &'static str) {
        *self.refused.entry((kind, reason)).or_default() += 1;
        self.trace(What::Refused { kind: kind.into(), reason: reason.into() });
    }

    fn trace(&mut self, what: What) {
        if !self.options.trace {
            return;
        }
        self.lines += 1;
        let at = self.moment.now.as_micros() as u64;
        let line = TraceLine { replica: self.me, seq: self.lines, at, cause: self.cause, what };
        self.actions.push(Action::Trace(Box::new(line)));
    }
}
