//! The replica's thread: events in, actions carried out.

use super::{
    alarms::Alarms,
    batches::Batches,
    clock::Clock,
    counters::Counters,
    dealings::Dealings,
    desk::{Desk, Question, Questions},
    disk::Disk,
    fair::Fair,
    feed::Feed,
    heights::{Done, Heights},
    members::Members,
    miner::Miner,
    openers::{Frame, Gossiped},
    times::{Queue, Step, Waiting},
    tracer::Tracer,
    young::Young,
};
use crate::network::Network;
use consensus::{Protocol, Timer};
use crossbeam_channel::{Receiver, select};
use ledger::{
    BlockHash, Header, ReplicaId, VerifiedTransaction,
    store::{
        StoreError,
        tripwire::{Point, Tripwire},
    },
};
use replica::{
    Action, Alarm, Class, Envelope, Event, Packet, Refusals, Replica, Ticket, TransactionCache,
    packet::{self, Ask},
    trace::What,
};
use std::{convert::Infallible, sync::Arc, time::Duration};

/// How long the thread sleeps at most when no timer is set.
const NAP: Duration = Duration::from_secs(1);

/// Where events come from. Apart, so that a flood in one does not delay the others: of those that
/// are ready a random one is chosen.
pub(super) struct Inbound<M> {
    /// Peers' envelopes. When it closes, the node is stopping.
    pub(super) opened: Receiver<Waiting<Event<M>>>,
    /// Transactions from the public.
    pub(super) gossiped: Receiver<Gossiped<M>>,
    /// Questions, from the RPC.
    pub(super) questions: Questions,
    /// What has become durable.
    pub(super) synced: Receiver<Ticket>,
    /// Proof-of-work found.
    pub(super) mined: Receiver<Header>,
    /// Closes when nobody holds the node any more.
    pub(super) held: Receiver<Infallible>,
}

/// The replica, and all that carries out what it wants.
pub(super) struct Driver<P: Protocol> {
    pub(super) replica: Replica<P>,
    pub(super) clock: Clock,
    pub(super) network: Network,
    pub(super) disk: Disk,
    pub(super) miner: Miner,
    pub(super) tracer: Option<Tracer>,
    pub(super) feed: Feed,
    pub(super) counters: Arc<Counters>,
    pub(super) heights: Heights,
    pub(super) alarms: Alarms,
    pub(super) batches: Batches,
    pub(super) transactions: Arc<TransactionCache>,
    /// Whose frames are opened next.
    pub(super) frames: Arc<Fair<Waiting<Frame>>>,
    pub(super) dealings: Arc<Dealings>,
    pub(super) young: Young,
    pub(super) desk: Desk,
    pub(super) members: Members,
    pub(super) tripwire: Tripwire,
}

impl<P: Protocol> Driver<P> {
    /// Lives until no more envelopes can come, and handles all that did; or until it is dropped.
    pub(super) fn run(mut self, inbound: &Inbound<P::Message>) -> Result<(), StoreError> {
        let actions = self.replica.start(self.clock.moment())?;
        self.carry_out(actions, self.clock.now());
        self.members.follow(self.replica.ledger(), &self.network);
        loop {
            // Whatever is logged while a height is decided carries it.
            let _height = self.heights.span().entered();
            self.keep_time()?;
            let nap = self.nap();
            // A channel that is closed although `opened` is not can only mean that the node is
            // stopping and `opened` closes next.
            select! {
                recv(inbound.opened) -> event => match event {
                    Ok(event) => self.opened(event)?,
                    Err(_) => return Ok(()),
                },
                recv(inbound.gossiped) -> event => {
                    event.map_or(Ok(()), |gossiped| self.gossiped(gossiped))?;
                }
                recv(inbound.questions.queue()) -> question => {
                    question.map_or(Ok(()), |question| self.ask(question))?;
                }
                recv(inbound.synced) -> ticket => {
                    self.tripwire.pass(Point::ActionsUnsent);
                    ticket.map_or(Ok(()), |ticket| self.handle(Event::Synced(ticket)))?;
                }
                recv(inbound.mined) -> header => {
                    header.map_or(Ok(()), |header| self.handle(Event::Mined(Box::new(header))))?;
                }
                recv(inbound.held) -> _ => return Ok(()),
                default(nap) => {}
            }
        }
    }

    /// Rings the alarms that are due and publishes the batch that is.
    fn keep_time(&mut self) -> Result<(), StoreError> {
        // One glance at the clock: an alarm that sets itself again must not keep us here.
        let now = self.clock.now();
        while let Some(alarm) = self.alarms.due(now) {
            self.tell_alarm(alarm);
            self.handle(Event::Rang(alarm))?;
        }
        if let Some(batch) = self.batches.due(now) {
            self.publish(&batch);
        }
        Ok(())
    }

    /// How long nothing will happen by itself.
    fn nap(&self) -> Duration {
        let next = self.alarms.next().into_iter().chain(self.batches.next()).min();
        next.map_or(NAP, |at| at.saturating_sub(self.clock.now()).min(NAP))
    }

    /// Counts an alarm that rings. One for a height that is over is late: a protocol need not take
    /// its alarms back.
    fn tell_alarm(&mut self, alarm: Alarm) {
        let height = self.replica.ledger().height();
        let what = match alarm {
            Alarm::Protocol(Timer(slot)) if (1..=height).contains(&slot.height) => "late",
            Alarm::Protocol(Timer(slot)) => {
                tracing::debug!(?slot, "an alarm of the protocol rings");
                "protocol"
            }
            Alarm::Gossip => "gossip",
            Alarm::Wants => "wants",
        };
        self.counters.note(|figures| *figures.alarms.entry(what).or_default() += 1);
    }

    fn ask(&mut self, question: Waiting<Question>) -> Result<(), StoreError> {
        let question = question.end(Queue::Questions, &self.counters.clocks);
        match self.desk.number(question.reply) {
            Some(id) => self.handle(Event::Asked { id, query: question.query }),
            None => Ok(()),
        }
    }

    /// What a peer makes us do is time spent on it, as what it makes the openers do.
    fn opened(&mut self, event: Waiting<Event<P::Message>>) -> Result<(), StoreError> {
        let event = event.end(Queue::Opened, &self.counters.clocks);
        let from = match &event {
            Event::Received { from, .. } => Some(from.0),
            _ => None,
        };
        let begun = self.clock.now();
        self.handle(event)?;
        if let Some(from) = from {
            self.frames.charge(from, self.clock.now().saturating_sub(begun));
        }
        Ok(())
    }

    /// Whoever signs what no pool takes in is soon not listened to.
    fn gossiped(&mut self, gossiped: Gossiped<P::Message>) -> Result<(), StoreError> {
        let before = useless(self.replica.refused());
        self.handle(gossiped.event.end(Queue::Gossiped, &self.counters.clocks))?;
        let useless = useless(self.replica.refused()).saturating_sub(before);
        if useless > 0 {
            self.dealings.was_useless(gossiped.signer, useless);
        }
        Ok(())
    }

    fn handle(&mut self, event: Event<P::Message>) -> Result<(), StoreError> {
        let refused = total(self.replica.refused());
        let findings = self.replica.findings();
        let step = step(&event);
        let moment = self.clock.moment();
        let actions = self.replica.handle(event, moment)?;
        let now = self.clock.now();
        let step = if actions.iter().any(is_final) { Step::Commit } else { step };
        self.counters.clocks.step(step).observe(now.saturating_sub(moment.now));
        if total(self.replica.refused()) > refused {
            self.counters.note(|figures| figures.declined = self.replica.refused().clone());
        }
        if self.replica.findings() != findings {
            self.counters.note(|figures| {
                (figures.evidence_found, figures.evidence_reported) = self.replica.findings();
            });
        }
        self.carry_out(actions, now);
        self.heights.follow(self.replica.round());
        self.counters.clocks.carried_out.observe(self.clock.now().saturating_sub(now));
        Ok(())
    }

    fn carry_out(&mut self, actions: Vec<Action<P::Message>>, now: Duration) {
        for action in actions {
            match action {
                Action::Send { to, envelope, class } => self.send(&to, &envelope, class),
                Action::Publish(transactions) => {
                    self.meet(&transactions);
                    for batch in self.batches.add(transactions, self.clock.now()) {
                        self.publish(&batch);
                    }
                }
                Action::SetTimer { alarm, after } => {
                    self.alarms.set(alarm, self.clock.now().saturating_add(after));
                }
                Action::Sync(ticket) => self.disk.sync(ticket),
                Action::Mine { header, target } => self.miner.mine(*header, target),
                Action::Committed { height, block, transactions } => {
                    self.tripwire.pass(Point::CommitUntold);
                    if let Some(tracer) = &self.tracer {
                        tracer.told(self.clock.now(), height, block);
                    }
                    self.committed(height, block, transactions);
                }
                Action::Answer { id, answer } => {
                    self.tripwire.pass(Point::AnswerUnsent);
                    self.desk.answer(id, answer);
                }
                Action::Blame { peer, fault } => self.network.warden().punish(peer.0, fault),
                Action::Halted(why) => {
                    tracing::error!("HALTED, voting no more: {why}; the RPC still answers");
                }
                Action::Trace(line) => {
                    self.watch(&line.what, now);
                    self.feed.tell(&line);
                    if let Some(tracer) = &self.tracer {
                        tracer.line(line);
                    }
                }
            }
        }
    }

    /// A block is final and durable.
    fn committed(&mut self, height: u64, block: BlockHash, transactions: usize) {
        let done = self.heights.done(height);
        let _height = done.as_ref().map(|done| done.span.enter());
        let how = done.as_ref().map(Done::to_string).unwrap_or_default();
        tracing::info!(
            "block {height} is final: {}, {transactions} transactions{how}",
            block.short()
        );
        self.counters.note(|figures| {
            figures.blocks += 1;
            figures.transactions += transactions as u64;
        });
        self.members.follow(self.replica.ledger(), &self.network);
    }

    /// Learns from a line of the trace what goes on.
    fn watch(&mut self, what: &What, now: Duration) {
        match what {
            What::Heard { sender, kind, slot, .. } => {
                let ledger = self.replica.ledger();
                self.heights.heard(kind, *slot, *sender, now, |voices| {
                    let committee = ledger.committee(ledger.root());
                    committee.is_some_and(|committee| {
                        P::quorum(&committee).is_met(&committee, voices.iter().copied())
                    })
                });
            }
            What::Committed { height, .. } => self.heights.committed(*height, now),
            What::Accused { .. } => self.counters.note(|figures| figures.accusations += 1),
            _ => {}
        }
    }

    fn send(&mut self, to: &[ReplicaId], envelope: &Envelope<P::Message>, class: Class) {
        let compact = match class {
            // Whoever asks, or has waited for it in vain, gets all of it.
            Class::Resend | Class::Summary | Class::Sync => None,
            Class::First | Class::Relay => {
                let young = self.young.at(self.clock.now());
                envelope.encode_compact(|id| young.contains(&id))
            }
        };
        let compacted = u64::from(compact.is_some());
        let bytes: Arc<[u8]> = compact.unwrap_or_else(|| envelope.encode()).into();
        let (copies, len) = (to.len() as u64, bytes.len() as u64);
        let asks_for_blocks =
            matches!(&envelope.packet, Packet::Ask(Ask::Blocks { .. } | Ask::Block(_)));
        if class == Class::First {
            self.tripwire.pass(Point::VoteUnsent);
        }
        for (sent, peer) in to.iter().enumerate() {
            if sent == 1 {
                self.tripwire.pass(Point::SendsBetween);
            }
            if asks_for_blocks {
                self.dealings.ask(peer.0);
            }
            self.network.send(peer.0, Arc::clone(&bytes));
        }
        self.counters.note(|figures| {
            let sent = figures.sent.entry(class).or_default();
            sent.envelopes += 1;
            sent.copies += copies;
            sent.bytes += copies * len;
            figures.compacted += compacted;
        });
    }

    /// Makes known to the openers what came from our own wallets, since the others' proposals name
    /// it, and keeps in mind that the others may not know it yet.
    fn meet(&mut self, transactions: &[VerifiedTransaction]) {
        self.young.add(transactions.iter().map(VerifiedTransaction::id), self.clock.now());
        let mut met: Vec<_> = transactions.iter().map(|each| each.transaction().clone()).collect();
        self.transactions.unify(&mut met);
    }

    fn publish(&self, batch: &[VerifiedTransaction]) {
        let bytes = packet::encode_transactions(batch);
        let length = bytes.len() as u64;
        self.network.publish(bytes);
        self.counters.note(|figures| {
            figures.bytes_published += length;
            figures.batches_published += 1;
            figures.transactions_published += batch.len() as u64;
        });
    }
}

/// What an event makes the replica do.
fn step<M>(event: &Event<M>) -> Step {
    match event {
        Event::Received { .. } => Step::Received,
        Event::Gossiped(_) => Step::Gossiped,
        Event::Rang(_) => Step::Rang,
        Event::Synced(_) => Step::Synced,
        Event::Asked { .. } => Step::Asked,
        Event::Mined(_) => Step::Mined,
    }
}

/// Whether an action tells that a block has just become final.
fn is_final<M>(action: &Action<M>) -> bool {
    matches!(action, Action::Trace(line) if matches!(line.what, What::Committed { .. }))
}

/// Of a dozen entries at most.
fn total(refused: &Refusals) -> u64 {
    refused.values().sum()
}

/// Of the transactions that the pool did not take, those that nobody honest passes on, unless one of us lags
/// behind.
fn useless(refused: &Refusals) -> u64 {
    const REASONS: [&str; 5] = ["no_account", "balance", "nonce_gap", "stake", "evidence"];
    REASONS.iter().filter_map(|reason| refused.get(&("transaction", *reason))).sum()
}
