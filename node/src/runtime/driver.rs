//! The replica's thread: events in, actions carried out.

use super::{
    alarms::Alarms,
    batches::Batches,
    clock::Clock,
    counters::Counters,
    desk::{Desk, Question, Questions},
    disk::Disk,
    feed::Feed,
    members::Members,
    miner::Miner,
    tracer::Tracer,
    young::Young,
};
use crate::network::Network;
use consensus::Protocol;
use crossbeam_channel::{Receiver, select};
use ledger::{
    Header, ReplicaId, VerifiedTransaction,
    store::{
        StoreError,
        tripwire::{Point, Tripwire},
    },
};
use replica::{
    Action, Class, Envelope, Event, Refusals, Replica, Ticket, TransactionCache, packet,
    trace::What,
};
use std::{convert::Infallible, sync::Arc, time::Duration};

/// How long the thread sleeps at most when no timer is set.
const NAP: Duration = Duration::from_secs(1);

/// Where events come from. Apart, so that a flood in one does not delay the others: of those that
/// are ready a random one is chosen.
pub(super) struct Inbound<M> {
    /// Peers' envelopes. When it closes, the node is stopping.
    pub(super) opened: Receiver<Event<M>>,
    /// Transactions from the public.
    pub(super) gossiped: Receiver<Event<M>>,
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
    pub(super) alarms: Alarms,
    pub(super) batches: Batches,
    pub(super) transactions: Arc<TransactionCache>,
    pub(super) young: Young,
    pub(super) desk: Desk,
    pub(super) members: Members,
    pub(super) tripwire: Tripwire,
}

impl<P: Protocol> Driver<P> {
    /// Lives until no more envelopes can come, and handles all that did; or until it is dropped.
    pub(super) fn run(mut self, inbound: &Inbound<P::Message>) -> Result<(), StoreError> {
        let actions = self.replica.start(self.clock.moment())?;
        self.carry_out(actions);
        self.members.follow(self.replica.ledger(), &self.network);
        loop {
            self.keep_time()?;
            let nap = self.nap();
            // A channel that is closed although `opened` is not can only mean that the node is
            // stopping and `opened` closes next.
            select! {
                recv(inbound.opened) -> event => match event {
                    Ok(event) => self.handle(event)?,
                    Err(_) => return Ok(()),
                },
                recv(inbound.gossiped) -> event => {
                    event.map_or(Ok(()), |event| self.handle(event))?;
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

    fn ask(&mut self, question: Question) -> Result<(), StoreError> {
        match self.desk.number(question.reply) {
            Some(id) => self.handle(Event::Asked { id, query: question.query }),
            None => Ok(()),
        }
    }

    fn handle(&mut self, event: Event<P::Message>) -> Result<(), StoreError> {
        let refused = total(self.replica.refused());
        let findings = self.replica.findings();
        let actions = self.replica.handle(event, self.clock.moment())?;
        if total(self.replica.refused()) > refused {
            self.counters.note(|figures| figures.declined = self.replica.refused().clone());
        }
        if self.replica.findings() != findings {
            self.counters.note(|figures| {
                (figures.evidence_found, figures.evidence_reported) = self.replica.findings();
            });
        }
        self.carry_out(actions);
        Ok(())
    }

    fn carry_out(&mut self, actions: Vec<Action<P::Message>>) {
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
                    tracing::info!(
                        "block {height} is final: {}, {transactions} transactions",
                        block.short()
                    );
                    self.counters.note(|figures| {
                        figures.blocks += 1;
                        figures.transactions += transactions as u64;
                    });
                    self.members.follow(self.replica.ledger(), &self.network);
                }
                Action::Answer { id, answer } => {
                    self.tripwire.pass(Point::AnswerUnsent);
                    self.desk.answer(id, answer);
                }
                Action::Halted(why) => {
                    tracing::error!("HALTED, voting no more: {why}; the RPC still answers");
                }
                Action::Trace(line) => {
                    if matches!(line.what, What::Accused { .. }) {
                        self.counters.note(|figures| figures.accusations += 1);
                    }
                    self.feed.tell(&line);
                    if let Some(tracer) = &self.tracer {
                        tracer.line(*line);
                    }
                }
            }
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
        if class == Class::First {
            self.tripwire.pass(Point::VoteUnsent);
        }
        for (sent, peer) in to.iter().enumerate() {
            if sent == 1 {
                self.tripwire.pass(Point::SendsBetween);
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
        self.network.publish(packet::encode_transactions(batch));
        self.counters.note(|figures| {
            figures.batches_published += 1;
            figures.transactions_published += batch.len() as u64;
        });
    }
}

/// Of a dozen entries at most.
fn total(refused: &Refusals) -> u64 {
    refused.values().sum()
}
