//! The main loop: an event comes in, the protocol takes its steps, actions go out.
//!
//! Write-ahead, per step: everything made durable while an event is handled goes into one batch,
//! and whatever leaves afterwards queues in the outbox until the world says that the batch is
//! synced. Handling goes on meanwhile. Only timers, mining and the trace do not wait, for nobody
//! outside can see them.

use crate::{
    application::Desk,
    event::{Action, Alarm, Answer, Class, Event, Moment, Query, Ticket},
    gossip::{self, Gossip, Summary},
    inbox::{Inbox, Verdict},
    packet::{Ask, Chained, Envelope, Opened, Packet},
    pool::{Pool, PoolRefusal},
    signer::Signer,
    sync::{self, Sync, SyncFault},
    trace::{TraceLine, What},
};
use consensus::{Effect, Input, Message, Protocol, Signed, Turn, Want};
use ledger::{
    Block, BlockHash, Genesis, Hand, Keys, Ledger, ReplicaId, TransactionId, VerifiedTransaction,
    chain::{OpenError, VerifiedSet},
    store::{Batch, Store, StoreError},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    cell::RefCell,
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
    /// How many transactions are remembered as verified.
    pub verified: usize,
    /// Whether it writes trace lines.
    pub trace: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { pool: 16_384, verified: 65_536, trace: true }
    }
}

/// How often a want is asked for again.
const WANT_PERIOD: Duration = Duration::from_millis(200);

/// How many wants are open at a time; the oldest gives way.
const MAX_WANTS: usize = 64;

/// How many messages without a slot are kept for those who want them.
const MAX_LOOSE: usize = 256;

/// One participant in consensus, without I/O.
#[derive(Debug)]
pub struct Replica<P: Protocol> {
    pub(crate) me: ReplicaId,
    pub(crate) protocol: P,
    pub(crate) ledger: Ledger,
    pub(crate) pool: Pool,
    pub(crate) halted: Option<String>,
    pub(crate) keys: Keys,
    pub(crate) inbox: Inbox<P::Message>,
    pub(crate) signer: Signer<P::Message>,
    /// Messages without a slot, the newest last.
    pub(crate) loose: VecDeque<Signed<P::Message>>,
    /// With the time of the last request; none before the first.
    pub(crate) wants: BTreeMap<Want, Option<Duration>>,
    pub(crate) records: std::ops::Range<u64>,
    pub(crate) inputs: VecDeque<Input<P::Message>>,
    pub(crate) batch: Batch,
    pub(crate) moment: Moment,
    /// When our committed height last grew.
    pub(crate) progress: Duration,
    pub(crate) rng: ChaCha8Rng,
    verified: VerifiedSet,
    gossip: Gossip,
    sync: Sync,
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
    /// The head on which the protocol was last told that transactions wait.
    told_waiting: Option<BlockHash>,
    pool_changed: bool,
}

impl<P: Protocol> Replica<P> {
    /// Begins a life with whatever the store kept of earlier ones.
    pub fn open(setup: Setup<P>) -> Result<Replica<P>, OpenError> {
        let Setup { me, genesis, protocol, hand, keys, store, seed, options } = setup;
        let ledger = Ledger::open(Arc::clone(&store), &genesis)?;
        let signer = Signer::open(hand, &keys, store.as_ref())?;
        let records = crate::effects::stored_records(store.as_ref())?;
        let halted = crate::effects::stored_alarm(store.as_ref())?;
        Ok(Replica {
            me,
            protocol,
            ledger,
            pool: Pool::new(options.pool),
            halted,
            keys,
            inbox: Inbox::new(signer.horizon()),
            signer,
            loose: VecDeque::new(),
            wants: BTreeMap::new(),
            records,
            inputs: VecDeque::new(),
            batch: Batch::default(),
            moment: Moment::default(),
            progress: Duration::ZERO,
            rng: ChaCha8Rng::from_seed(seed),
            verified: VerifiedSet::new(options.verified),
            gossip: Gossip::default(),
            sync: Sync::default(),
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
            told_waiting: None,
            pool_changed: false,
        })
    }

    /// The ledger, for those who watch.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The first actions of this life. Our own messages above the horizon are sent again and heard
    /// again, so that nothing has to be rebuilt.
    pub fn start(&mut self, moment: Moment) -> Result<Vec<Action<P::Message>>, StoreError> {
        self.moment = moment;
        self.cause = None;
        self.trace(What::Started { height: self.ledger.height() });
        // The first summary comes at a random time, so that replicas do not gossip in step.
        let period = gossip::PERIOD.as_micros() as u64;
        let first = Duration::from_micros(self.rng.next_u64() % period);
        self.actions.push(Action::SetTimer { alarm: Alarm::Gossip, after: first });
        if self.halted.is_none() {
            let records = crate::effects::read_records(self.store.as_ref())?;
            let own = self.signer.own();
            self.inputs.push_back(Input::Start { records, own: own.clone() });
            for signed in own {
                self.inbox.receive(&signed, moment.now);
                self.inputs.push_back(Input::Heard(signed.clone()));
                self.post_all(Packet::Message(signed), Class::Resend);
            }
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
                    if let Err(refusal) = self.pool_in(transaction) {
                        self.refuse("transaction", refusal.reason());
                    }
                }
            }
            Event::Rang(Alarm::Protocol(timer)) => self.inputs.push_back(Input::Rang(timer)),
            Event::Rang(Alarm::Gossip) => self.tell_someone(),
            Event::Rang(Alarm::Wants) => self.ask_for_wants(),
            Event::Synced(ticket) => self.durable = self.durable.max(ticket),
            Event::Asked { id, query: Query::Submit(transaction) } => self.submit(id, transaction),
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
        if !self.batch.is_empty() {
            self.store.write(&self.batch)?;
            self.batch = Batch::default();
            self.written.0 += 1;
            self.actions.push(Action::Sync(self.written));
        }
        let written = self.written;
        self.outbox.extend(self.fresh.drain(..).map(|action| (written, action)));
        while self.outbox.front().is_some_and(|(ticket, _)| *ticket <= self.durable) {
            let (_, action) = self.outbox.pop_front().expect("it was just seen");
            self.actions.push(action);
        }
        Ok(std::mem::take(&mut self.actions))
    }

    fn step(&mut self, input: Input<P::Message>) {
        if let Input::Heard(signed) = &input {
            let (sender, slot) = (signed.sender(), signed.slot());
            self.trace(What::Heard { sender, kind: signed.message().kind().into(), slot });
        }
        let mut desk = Desk {
            ledger: &mut self.ledger,
            pool: &self.pool,
            verified: RefCell::new(&mut self.verified),
            batch: &mut self.batch,
        };
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
        if self.halted.is_some() || (!self.pool_changed && self.told_waiting == Some(head)) {
            return false;
        }
        self.pool_changed = false;
        let ledger = &self.ledger;
        let ready =
            self.pool.is_ready(|address| ledger.account(head, address).unwrap_or_default());
        let told = self.told_waiting == Some(head);
        self.told_waiting = ready.then_some(head);
        ready && !told
    }

    fn received(&mut self, from: ReplicaId, opened: Opened<P::Message>) {
        match opened {
            Opened::Message { signed, verified } => {
                verified.iter().for_each(|transaction| self.verified.remember(transaction));
                self.hear(signed);
            }
            Opened::Summary(summary) => self.summary_from(from, &summary),
            Opened::Ask(ask) => self.asked_by(from, ask),
            Opened::Blocks(blocks) => self.blocks_from(from, &blocks),
            Opened::Block(block) => self.block_arrived(block),
        }
    }

    /// Judges a message and delivers what is new.
    pub(crate) fn hear(&mut self, signed: Signed<P::Message>) {
        let kind = signed.message().kind();
        match self.inbox.receive(&signed, self.moment.now) {
            Verdict::Fresh => {}
            Verdict::Equivocation(evidence) => self.trace(What::Accused {
                offender: evidence.offender,
                charge: "equivocation".into(),
                slot: Some(evidence.slot),
            }),
            Verdict::Known | Verdict::Dead => return,
            Verdict::TooFar => return self.refuse(kind, "too_far"),
            Verdict::Surplus => return self.refuse(kind, "surplus"),
        }
        if signed.slot().is_none() {
            self.wants.remove(&Want::Message(signed.id().to_bytes()));
            self.loose.push_back(signed.clone());
            if self.loose.len() > MAX_LOOSE {
                self.loose.pop_front();
            }
        }
        self.inputs.push_back(Input::Heard(signed));
    }

    fn summary_from(&mut self, from: ReplicaId, summary: &Summary) {
        self.sync.heard(from, summary.proven);
        let Some(committee) = self.ledger.committee(self.ledger.root()) else { return };
        for signed in gossip::missing(&self.inbox, summary, &committee, self.moment.now) {
            self.post_to(vec![from], Packet::Message(signed), Class::Resend);
        }
        // A peer that is behind must not wait until our dice pick it.
        let settled = self.moment.now >= self.progress + gossip::PATIENCE;
        if settled && summary.proven < self.ledger.proven_height() {
            self.tell(from);
        }
        self.catch_up();
    }

    fn catch_up(&mut self) {
        let fresh = self.moment.now < self.progress + gossip::PATIENCE;
        let height = self.ledger.height();
        if let Some((peer, ask)) = self.sync.next(height, fresh, self.moment.now, &mut self.rng) {
            self.post_to(vec![peer], Packet::Ask(ask), Class::Sync);
        }
    }

    fn asked_by(&mut self, from: ReplicaId, ask: Ask) {
        let packet = match ask {
            Ask::Blocks { from } => Packet::Blocks(sync::answer(&self.ledger, from)),
            Ask::Block(hash) => match self.ledger.block(hash) {
                Some(block) => Packet::Block(block),
                None => return,
            },
            Ask::Message(id) => {
                match self.loose.iter().find(|signed| *signed.id().as_bytes() == id) {
                    Some(signed) => Packet::Message(signed.clone()),
                    None => return,
                }
            }
        };
        self.post_to(vec![from], packet, Class::Sync);
    }

    fn blocks_from(&mut self, from: ReplicaId, blocks: &[Chained]) {
        if self.halted.is_some() {
            return;
        }
        let mut advanced = false;
        let mut rest = blocks;
        let fault = loop {
            match self.commit_proven(rest) {
                Ok(used) => {
                    advanced = true;
                    rest = &rest[used..];
                    if rest.is_empty() {
                        break None;
                    }
                }
                // Late answers to an earlier question hold nothing new: nobody's fault.
                Err(SyncFault::Useless(_)) => break None,
                Err(fault) => break Some(fault),
            }
        };
        self.sync.answered(from, fault.is_none());
        if let Some(fault) = fault {
            self.refuse("blocks", fault.reason());
            if let SyncFault::Conflict { .. } = fault {
                self.halt(fault.to_string());
            }
        }
        if advanced {
            self.catch_up();
        }
    }

    /// Commits the first proven run of `blocks`; how many of them it used up.
    fn commit_proven(&mut self, blocks: &[Chained]) -> Result<usize, SyncFault> {
        let run = sync::check::<P>(&self.ledger, blocks, &self.keys)?;
        for chained in &blocks[run.clone()] {
            self.ledger.accept(&chained.block, &mut self.verified, &mut self.batch)?;
        }
        let last = &blocks[run.end - 1];
        let (hash, proof) = (last.block.hash(), last.proof.clone());
        self.commit(hash, proof.clone());
        if let (None, Some(proof)) = (&self.halted, proof) {
            self.inputs.push_back(Input::Advanced { block: hash, proof });
            self.hear_deferred();
        }
        Ok(run.end)
    }

    fn block_arrived(&mut self, block: Arc<Block>) {
        let hash = block.hash();
        if !block.body_matches() {
            return self.refuse("block", "body");
        }
        if self.wants.remove(&Want::Block(hash)).is_none() {
            return self.refuse("block", "unwanted");
        }
        self.inputs.push_back(Input::Arrived(block));
        self.hear_deferred();
    }

    pub(crate) fn hear_deferred(&mut self) {
        let deferred = self.inbox.take_deferred();
        self.inputs.extend(deferred.into_iter().map(Input::Heard));
    }

    fn submit(&mut self, id: u64, transaction: VerifiedTransaction) {
        let result = match &self.halted {
            Some(why) => Err(PoolRefusal::Halted(why.clone())),
            None => self.pool_in(transaction.clone()),
        };
        if result.is_ok() {
            self.post(Action::Publish(vec![transaction]));
        }
        self.post(Action::Answer { id, answer: Answer::Submitted(result) });
    }

    fn pool_in(&mut self, transaction: VerifiedTransaction) -> Result<TransactionId, PoolRefusal> {
        self.verified.remember(&transaction);
        let head = self.ledger.head();
        let account = self.ledger.account(head, transaction.sender()).unwrap_or_default();
        let result = self.pool.insert(transaction, &account);
        self.pool_changed |= result.is_ok();
        result
    }

    /// Tells one random peer what we hold, and looks whether we are behind.
    fn tell_someone(&mut self) {
        self.actions.push(Action::SetTimer { alarm: Alarm::Gossip, after: gossip::PERIOD });
        let peers = self.peers();
        if !peers.is_empty() {
            let peer = peers[self.rng.next_u32() as usize % peers.len()];
            self.tell(peer);
        }
        self.catch_up();
    }

    fn tell(&mut self, peer: ReplicaId) {
        let Some(committee) = self.ledger.committee(self.ledger.root()) else { return };
        let proven = self.ledger.proven_height();
        let summary = self.gossip.summary(&self.inbox, proven, &committee);
        self.post_to(vec![peer], Packet::Summary(summary), Class::Summary);
    }

    pub(crate) fn want(&mut self, want: Want) {
        if self.wants.len() >= MAX_WANTS {
            self.wants.pop_first();
        }
        self.wants.entry(want).or_insert(None);
        self.ask_for_wants();
    }

    /// Asks a random peer for each want that was not asked for lately.
    fn ask_for_wants(&mut self) {
        let peers = self.peers();
        if self.wants.is_empty() || peers.is_empty() {
            return;
        }
        let now = self.moment.now;
        let mut asks = Vec::new();
        for (want, asked) in &mut self.wants {
            if asked.is_none_or(|asked| now >= asked + WANT_PERIOD) {
                *asked = Some(now);
                let peer = peers[self.rng.next_u32() as usize % peers.len()];
                asks.push((peer, *want));
            }
        }
        for (peer, want) in asks {
            let ask = match want {
                Want::Block(hash) => Ask::Block(hash),
                Want::Message(id) => Ask::Message(id),
            };
            self.post_to(vec![peer], Packet::Ask(ask), Class::Sync);
        }
        self.actions.push(Action::SetTimer { alarm: Alarm::Wants, after: WANT_PERIOD });
    }

    /// Every other member of the committee.
    pub(crate) fn peers(&self) -> Vec<ReplicaId> {
        let committee = self.ledger.committee(self.ledger.root());
        let members = committee.iter().flat_map(|committee| committee.members());
        members.map(|member| member.id).filter(|id| *id != self.me).collect()
    }

    pub(crate) fn post_all(&mut self, packet: Packet<P::Message>, class: Class) {
        self.post_to(self.peers(), packet, class);
    }

    pub(crate) fn post_to(
        &mut self,
        to: Vec<ReplicaId>,
        packet: Packet<P::Message>,
        class: Class,
    ) {
        if to.is_empty() {
            return;
        }
        self.envelopes += 1;
        let envelope = self.envelopes;
        self.trace(What::Sent { envelope, kind: packet.kind().into(), to: to.clone(), class });
        let envelope = Arc::new(Envelope { seq: envelope, packet });
        self.post(Action::Send { to, envelope, class });
    }

    /// Leaves once everything handled so far is durable.
    pub(crate) fn post(&mut self, action: Action<P::Message>) {
        self.fresh.push(action);
    }

    /// Happens at once, since nobody outside can see it.
    pub(crate) fn post_now(&mut self, action: Action<P::Message>) {
        self.actions.push(action);
    }

    pub(crate) fn pool_changed(&mut self) {
        self.pool_changed = true;
    }

    pub(crate) fn refuse(&mut self, kind: &str, reason: &str) {
        self.trace(What::Refused { kind: kind.into(), reason: reason.into() });
    }

    pub(crate) fn trace(&mut self, what: What) {
        if !self.options.trace {
            return;
        }
        self.lines += 1;
        let at = self.moment.now.as_micros() as u64;
        let line = TraceLine { replica: self.me, seq: self.lines, at, cause: self.cause, what };
        self.actions.push(Action::Trace(line));
    }

    /// Effects are carried out in [`crate::effects`].
    fn carry_out(&mut self, effect: Effect<P::Message>) {
        crate::effects::carry_out(self, effect);
    }
}

#[cfg(test)]
mod tests;
