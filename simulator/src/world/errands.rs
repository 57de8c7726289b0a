//! What is under way, and what happens when it arrives.

use super::World;
use crate::{
    disk::Mark,
    parcel::{Letter, Parcel},
    places::Place,
    record::{
        Aside, Origin,
        aside::{Loss, micros},
    },
    topology::Rumour,
};
use consensus::{Message, Protocol};
use ledger::ReplicaId;
use replica::{
    Action, Alarm, Event, Query, Ticket,
    packet::{self, Packet},
};
use std::{sync::Arc, time::Duration};

/// How much a replica that stands still is sent before the rest is lost: a real node's queue for a peer holds
/// as much (`node::network::MAX_QUEUED_FRAMES`), and there are some peers.
const MOST_WAITING: usize = 4_096;

/// Something under way to one life of one replica: 24 bytes, since there may be a million.
#[derive(Debug)]
pub(super) struct Errand<M> {
    to: u32,
    life: u32,
    what: What<M>,
}

/// What is big is boxed or shared: the queue is quick because it moves little.
#[derive(Debug)]
pub(super) enum What<M> {
    /// From a peer.
    Parcel(Arc<Letter<M>>),
    /// From a neighbour, who need not have made it.
    Rumour(ReplicaId, Arc<Rumour<M>>),
    /// An alarm, with the number under which it was set.
    Ring(Box<(Alarm, u64)>),
    /// A sync that covers everything up to the mark is over.
    Synced(Box<(Ticket, Mark)>),
    /// A question under its number.
    Question(Box<(u64, Query)>),
    /// The search with this number is over.
    Find(u64),
}

impl<M> Errand<M> {
    pub(super) fn new(to: Place, life: u32, what: What<M>) -> Errand<M> {
        Errand { to: u32::try_from(to.0).expect("there are no more places than ids"), life, what }
    }
}

impl<P: Protocol> World<P> {
    /// Hands a replica bytes, now, as if `from` had sent them: whoever sits there may say anything.
    /// They are opened as on the wire, whether or not this world is.
    pub fn inject(&mut self, to: ReplicaId, from: ReplicaId, bytes: Vec<u8>) {
        let (place, parcel) = (self.places.first(from), Parcel::EnvelopeBytes(bytes));
        let letter = Arc::new(Letter { from, place, life: 0, seq: None, parcel });
        self.send(self.places.first(to), Duration::ZERO, What::Parcel(letter));
    }

    /// Sends something on its way to whatever life the recipient is living now.
    pub(super) fn send(&mut self, to: Place, after: Duration, what: What<P::Message>) {
        let life = self.host(to).life;
        self.queue.push(self.now + after, Errand::new(to, life, what));
    }

    /// Runs one errand, unless nobody is there for it any more.
    pub(super) fn run(&mut self, errand: Errand<P::Message>) {
        let Errand { to, life, what } = errand;
        let to = Place(to as usize);
        let host = self.host(to);
        if host.replica.is_none() || host.life != life {
            if let What::Parcel(letter) = &what {
                self.lost(to, letter, Loss::Down);
            }
            return;
        }
        if host.paused {
            return self.keep(to, what);
        }
        let Some(event) = self.event(to, what) else { return };
        self.events += 1;
        self.delivered += u64::from(matches!(event, Event::Received { .. } | Event::Gossiped(_)));
        let host = &mut self.hosts[to.0];
        let moment = host.moment(self.now, &self.genesis);
        let replica = host.replica.as_mut().expect("somebody is there");
        let actions = replica.handle(event, moment).expect("disks here never fail");
        self.carry_out(to, actions);
        self.watch(to);
    }

    /// Whoever stands still gets it later, unless there is too much: its peers' queues are full then.
    fn keep(&mut self, to: Place, what: What<P::Message>) {
        let waiting = self.waiting.entry(to.0).or_default();
        match &what {
            // Whoever does not search finds nothing: it begins anew when it goes on.
            What::Find(_) => {}
            What::Parcel(letter) if waiting.len() >= MOST_WAITING => {
                let letter = Arc::clone(letter);
                self.lost(to, &letter, Loss::Down);
            }
            _ => waiting.push(what),
        }
    }

    /// What the replica is to hear of an errand, if anything.
    fn event(&mut self, me: Place, what: What<P::Message>) -> Option<Event<P::Message>> {
        match what {
            What::Parcel(letter) => self.arrive(me, letter),
            What::Rumour(neighbour, rumour) => {
                let overlay = self.overlay.as_mut().expect("rumours need neighbours");
                if !overlay.is_news(me, rumour.number) {
                    return None;
                }
                self.spread(me, Some(neighbour), &rumour);
                rumour.to.contains(&self.places.seat(me)).then(|| self.open(me, &rumour.letter))?
            }
            What::Ring(ring) => {
                let (alarm, number) = *ring;
                let rings = self.host(me).rings(alarm, number);
                if let Alarm::Protocol(timer) = alarm
                    && rings
                {
                    let (time, lane) = (micros(self.now), me.lane());
                    self.record.aside(|| Aside::Rang { time, lane, slot: timer.0 });
                }
                rings.then_some(Event::Rang(alarm))
            }
            What::Synced(sync) => {
                let (ticket, mark) = *sync;
                self.host(me).disk.settle(mark);
                Some(Event::Synced(ticket))
            }
            What::Question(question) => {
                let (id, query) = *question;
                if let Query::Submit(_) = query {
                    let (time, lane) = (micros(self.now), me.lane());
                    self.record.aside(|| Aside::Asked { time, lane });
                }
                Some(Event::Asked { id, query })
            }
            What::Find(number) => self.found(me, number),
        }
    }

    /// Opens a parcel, unless the adversary lets it come later, or not at all.
    fn arrive(&mut self, me: Place, letter: Arc<Letter<P::Message>>) -> Option<Event<P::Message>> {
        if let Some(late) = self.setup.catch_up.filter(|late| self.now < *late) {
            let place = letter.parcel.place();
            let Some((sender, kind, slot)) = place else {
                return letter.parcel.is_public().then(|| self.open(me, &letter))?;
            };
            let to = self.places.seat(me);
            let until = self.setup.adversary.withholds((kind, slot), sender, to, late);
            if let Some(until) = until.filter(|until| self.now < *until) {
                self.send(me, until - self.now, What::Parcel(letter));
                return None;
            }
        }
        self.open(me, &letter)
    }

    fn open(&mut self, me: Place, letter: &Letter<P::Message>) -> Option<Event<P::Message>> {
        if let Some(parcel) = letter.under(me) {
            let time = micros(self.now);
            self.record.aside(|| Aside::Arrived { time, parcel });
        }
        let opened = letter.parcel.open(letter.from, &self.keys, &self.hosts[me.0].cache);
        opened.map_err(|refused| self.record.refuse(refused.reason())).ok()
    }

    /// One arm for each action; none of them happens at once to anybody else.
    pub(super) fn carry_out(&mut self, me: Place, actions: Vec<Action<P::Message>>) {
        let id = self.places.seat(me);
        for action in actions {
            match action {
                Action::Send { to, envelope, class } => {
                    let to = self.met_by(me, to);
                    let (life, at) = (self.host(me).life, self.now);
                    if let Packet::Message(signed) = &envelope.packet
                        && signed.sender() == id
                    {
                        self.crash_after(me, (signed.message().kind(), signed.slot()));
                    }
                    let origin = Origin { carrier: id, life, at };
                    let sort = (envelope.packet.kind(), envelope.encoded_len() as u64);
                    self.record.sent(origin, &envelope, class, (sort.1, to.len()));
                    let (time, lane, seq, bytes) = (micros(at), me.lane(), envelope.seq, sort.1);
                    self.record.aside(|| Aside::Left { time, lane, life, envelope: seq, bytes });
                    self.post(
                        me,
                        to,
                        sort,
                        (Some(seq), Parcel::of_envelope(envelope, self.setup.wire)),
                    );
                }
                Action::Publish(batch) => {
                    let others = self.replicas().filter(|other| *other != id).collect();
                    let others = self.met_by(me, others);
                    let bytes = packet::transactions_len(&batch) as u64;
                    self.record.publish(bytes, others.len());
                    let parcel = Parcel::of_transactions(batch, self.setup.wire);
                    self.post(me, others, ("transactions", bytes), (None, parcel));
                }
                Action::SetTimer { alarm, after } => {
                    let number = self.host(me).set(alarm);
                    self.send(me, after, What::Ring(Box::new((alarm, number))));
                }
                Action::Sync(ticket) => {
                    let host = self.host(me);
                    let (mark, time) = (host.disk.mark(), host.sync_time());
                    self.send(me, time, What::Synced(Box::new((ticket, mark))));
                }
                Action::Mine { header, target } => self.mine(me, *header, target),
                Action::Committed { height, block, .. } => {
                    let replica = self.hosts[me.0].replica.as_ref();
                    let ledger = replica.expect("the dead report nothing").ledger();
                    if self.places.is_first(me) {
                        self.record.committed(id, self.now, (height, block), ledger);
                    }
                }
                Action::Answer { id, answer } => self.record.answer(id, self.now, answer),
                Action::Blame { peer, fault } => self.blamed.push((id, peer, fault)),
                Action::Halted(why) => {
                    self.host(me).miner.stop();
                    self.record.halt(id, self.now, why);
                }
                Action::Trace(line) => {
                    if !self.places.is_first(me) {
                        self.record.aside(|| Aside::Here { lane: me.lane() });
                    }
                    self.record.trace(*line);
                }
            }
        }
    }

    /// Those of `to` that somebody in this place has to do with: all, except for Twins.
    fn met_by(&self, me: Place, mut to: Vec<ReplicaId>) -> Vec<ReplicaId> {
        to.retain(|id| self.places.route(me, *id).is_some());
        to
    }

    /// To one directly; to many in the way of the topology.
    fn post(
        &mut self,
        me: Place,
        to: Vec<ReplicaId>,
        (kind, bytes): (&'static str, u64),
        (seq, parcel): (Option<u64>, Parcel<P::Message>),
    ) {
        let from = self.places.seat(me);
        assert!(!to.contains(&from), "a replica never sends to itself");
        let life = self.host(me).life;
        let letter = Arc::new(Letter { from, place: me, life, seq, parcel });
        match &mut self.overlay {
            Some(overlay) if to.len() > 1 => {
                let number = overlay.begin(me);
                let rumour = Arc::new(Rumour { number, origin: from, to, kind, bytes, letter });
                self.spread(me, None, &rumour);
            }
            _ => {
                for peer in to {
                    let arrives = self.transmit(me, peer, || What::Parcel(Arc::clone(&letter)));
                    if let Some(place) = self.places.route(me, peer)
                        && !arrives
                    {
                        let is_open = self.network.is_open(from, peer);
                        let why = if is_open { Loss::Chance } else { Loss::Closed };
                        self.lost(place, &letter, why);
                    }
                }
            }
        }
    }

    /// Tells those whom the topology names. What the origin itself tells is counted
    /// as sent already.
    fn spread(&mut self, me: Place, told_by: Option<ReplicaId>, rumour: &Arc<Rumour<P::Message>>) {
        let id = self.places.seat(me);
        let overlay = self.overlay.as_mut().expect("rumours need neighbours");
        let others = overlay.next(id, told_by, rumour.origin);
        if told_by.is_some() {
            self.record.relayed(rumour.kind, rumour.bytes, others.len());
        }
        for neighbour in others {
            self.transmit(me, neighbour, || What::Rumour(id, Arc::clone(rumour)));
        }
    }

    /// As many copies, after as much time, as the network decides. Whether there is one.
    fn transmit(&mut self, me: Place, to: ReplicaId, what: impl Fn() -> What<P::Message>) -> bool {
        let Some(place) = self.places.route(me, to) else { return false };
        let from = self.places.seat(me);
        let copies = self.network.carry(from, to, self.now);
        for time in copies.into_iter().flatten() {
            self.send(place, time, what());
        }
        copies.iter().any(Option::is_some)
    }

    /// Tells of an envelope that never comes.
    fn lost(&mut self, to: Place, letter: &Letter<P::Message>, why: Loss) {
        if let Some(parcel) = letter.under(to) {
            let time = micros(self.now);
            self.record.aside(|| Aside::Lost { time, parcel, why });
        }
    }
}
