//! The main loop: the earliest event is popped, a replica handles it, its actions become events.

use crate::{
    disk::Mark,
    host::Host,
    network::{Network, Parcel},
    queue::Queue,
    record::Record,
    setup::Setup,
};
use consensus::Protocol;
use crypto::{Address, Hash};
use ledger::{
    Amount, BlockHash, Genesis, Keys, Ledger, Payload, ReplicaId, TransactionId,
    VerifiedTransaction,
};
use replica::{Action, Alarm, Answer, Event, Query, Ticket};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

/// Some replicas of one protocol, and all there is around them.
pub struct World<P: Protocol> {
    setup: Setup,
    genesis: Genesis,
    keys: Keys,
    /// Makes a replica's protocol for each of its lives.
    make: Box<dyn Fn(&Genesis) -> P>,
    now: Duration,
    queue: Queue<Errand<P::Message>>,
    network: Network,
    hosts: Vec<Host<P>>,
    record: Record,
    /// How many transactions each account has been made to sign here.
    nonces: BTreeMap<Address, u64>,
    questions: u64,
    events: u64,
}

/// Something under way to one life of one replica.
#[derive(Debug)]
struct Errand<M> {
    to: ReplicaId,
    life: u32,
    what: What<M>,
}

/// What is big is boxed or shared: the queue is quick because it moves little.
#[derive(Debug)]
enum What<M> {
    /// From a peer.
    Parcel(ReplicaId, Arc<Parcel<M>>),
    /// An alarm, with the number under which it was set.
    Ring(Box<(Alarm, u64)>),
    /// A sync that covers everything up to the mark is over.
    Synced(Ticket, Mark),
    /// A question under its number.
    Question(u64, Box<Query>),
}

/// A transfer that somebody in this world wants signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The number of the funded account that pays.
    pub from: u32,
    /// The number of the funded account that receives.
    pub to: u32,
    /// How much.
    pub amount: u64,
    /// What the proposer of its block earns.
    pub fee: u64,
}

impl<P: Protocol> World<P> {
    /// Builds a world and begins every replica's first life, at virtual time zero.
    ///
    /// # Panics
    /// If no chain can begin so, for want of a replica for example.
    pub fn new(setup: Setup, make: impl Fn(&Genesis) -> P + 'static) -> World<P> {
        let genesis = setup.genesis();
        let network = Network::new(setup.network.clone(), setup.seed, setup.replicas);
        let mut world = World {
            keys: setup.keys(&genesis),
            genesis,
            make: Box::new(make),
            now: Duration::ZERO,
            queue: Queue::new(),
            network,
            hosts: (0..setup.replicas).map(|id| Host::new(ReplicaId(id))).collect(),
            record: Record::new(setup.replicas, setup.tracing),
            nonces: BTreeMap::new(),
            questions: 0,
            events: 0,
            setup,
        };
        world.replicas().for_each(|id| world.restart(id));
        world
    }

    /// Lets things happen until `done` says so, and looks again after each event. False if virtual
    /// time has gone on by `limit` before that.
    ///
    /// # Panics
    /// If a replica breaks its own promises, takes back a final block for example, or wants to mine:
    /// nobody mines here yet.
    pub fn run_until(&mut self, done: impl Fn(&World<P>) -> bool, limit: Duration) -> bool {
        let end = self.now.saturating_add(limit);
        loop {
            if done(self) {
                return true;
            }
            let Some((at, errand)) = self.queue.pop_by(end) else {
                self.now = end;
                return done(self);
            };
            self.now = at;
            self.run(errand);
        }
    }

    /// Lets `time` go by.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(|_| false, time);
    }

    /// A replica loses power: it is gone, and so is all it wrote and had not synced. What it sent
    /// before is still under way.
    ///
    /// # Panics
    /// If it is down already.
    pub fn crash(&mut self, id: ReplicaId) {
        self.host(id).crash();
    }

    /// A replica that is down begins another life with what its disk holds. What was sent to it
    /// in an earlier life never arrives, as when a connection breaks.
    ///
    /// # Panics
    /// If it is up already.
    pub fn restart(&mut self, id: ReplicaId) {
        let protocol = (self.make)(&self.genesis);
        let host = &mut self.hosts[id.0 as usize];
        host.wake(self.now, &self.setup, &self.genesis, &self.keys, protocol);
        let moment = host.moment(self.now, &self.genesis);
        let replica = host.replica.as_mut().expect("it has just been opened");
        let actions = replica.start(moment).expect("disks here never fail");
        self.carry_out(id, actions);
    }

    /// Asks a replica something, now. The answer is kept for [`World::answer`] under the number
    /// returned, unless the replica is down.
    pub fn ask(&mut self, id: ReplicaId, query: Query) -> u64 {
        self.questions += 1;
        let what = What::Question(self.questions, Box::new(query));
        self.send(id, Duration::ZERO, what);
        self.questions
    }

    /// Asks a replica to order a transfer, signed with the next nonce of the account that pays.
    /// The answer, [`Answer::Submitted`], is kept under the number returned beside its name.
    pub fn submit(&mut self, id: ReplicaId, transfer: Transfer) -> (u64, TransactionId) {
        let transaction = self.sign(transfer);
        let name = transaction.id();
        (self.ask(id, Query::Submit(transaction)), name)
    }

    /// Takes the answer to a question, if it has come.
    pub fn answer(&mut self, question: u64) -> Option<Answer> {
        self.record.take_answer(question)
    }

    fn sign(&mut self, transfer: Transfer) -> VerifiedTransaction {
        let key = self.setup.account(transfer.from);
        let to = self.setup.account(transfer.to).public().address();
        let next = self.nonces.entry(key.public().address()).or_default();
        let nonce = std::mem::replace(next, *next + 1);
        let chain = self.genesis.chain_id();
        let payload = Payload {
            chain,
            sender: key.public(),
            nonce,
            fee: Amount(transfer.fee),
            action: ledger::Action::Transfer { to, amount: Amount(transfer.amount) },
        };
        payload.sign(&key).verify(chain).expect("it was signed for this chain by its sender")
    }
}

/// What can be seen from outside.
impl<P: Protocol> World<P> {
    /// Virtual time since the beginning.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// How many events were handled.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// What this world was made from.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Where its chain begins.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Everybody, by rising id.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> + use<P> {
        (0..self.setup.replicas).map(ReplicaId)
    }

    /// What is remembered of the run.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The height of the newest block a replica has reported final; zero before the first.
    pub fn height(&self, id: ReplicaId) -> u64 {
        self.record.decided(id).last_key_value().map_or(0, |(height, _)| *height)
    }

    /// The blocks a replica has reported final, by height. See [`Record::decided`].
    pub fn decided(&self, id: ReplicaId) -> &BTreeMap<u64, BlockHash> {
        self.record.decided(id)
    }

    /// See [`Record::trace_hash`].
    pub fn trace_hash(&self) -> Hash {
        self.record.trace_hash()
    }

    /// The ledger of a replica that is up, which may run ahead of what it has reported.
    pub fn ledger(&self, id: ReplicaId) -> Option<&Ledger> {
        self.hosts[id.0 as usize].replica.as_ref().map(|replica| replica.ledger())
    }
}

impl<P: Protocol> World<P> {
    fn host(&mut self, id: ReplicaId) -> &mut Host<P> {
        &mut self.hosts[id.0 as usize]
    }

    /// Sends something on its way to whatever life the recipient is living now.
    fn send(&mut self, to: ReplicaId, after: Duration, what: What<P::Message>) {
        let life = self.host(to).life;
        self.queue.push(self.now + after, Errand { to, life, what });
    }

    /// Runs one errand, unless nobody is there for it any more.
    fn run(&mut self, errand: Errand<P::Message>) {
        let Errand { to, life, what } = errand;
        let host = &mut self.hosts[to.0 as usize];
        if host.replica.is_none() || host.life != life {
            return;
        }
        let event = match what {
            What::Parcel(from, parcel) => match parcel.open(from, &self.keys) {
                Ok(event) => event,
                Err(refused) => return self.record.refuse(refused.reason()),
            },
            What::Ring(ring) => match *ring {
                (alarm, number) if host.rings(alarm, number) => Event::Rang(alarm),
                _ => return,
            },
            What::Synced(ticket, mark) => {
                host.disk.settle(mark);
                Event::Synced(ticket)
            }
            What::Question(id, query) => Event::Asked { id, query: *query },
        };
        self.events += 1;
        let moment = host.moment(self.now, &self.genesis);
        let replica = host.replica.as_mut().expect("somebody is there");
        let actions = replica.handle(event, moment).expect("disks here never fail");
        self.carry_out(to, actions);
    }

    /// One arm for each action; none of them happens at once to anybody else.
    fn carry_out(&mut self, me: ReplicaId, actions: Vec<Action<P::Message>>) {
        for action in actions {
            match action {
                Action::Send { to, envelope, class } => {
                    self.record.sent(&envelope, class, to.len());
                    self.post(me, &to, Parcel::of_envelope(envelope, self.setup.wire));
                }
                Action::Publish(batch) => {
                    let others: Vec<_> = self.replicas().filter(|id| *id != me).collect();
                    self.post(me, &others, Parcel::of_transactions(batch, self.setup.wire));
                }
                Action::SetTimer { alarm, after } => {
                    let number = self.host(me).set(alarm);
                    self.send(me, after, What::Ring(Box::new((alarm, number))));
                }
                Action::Sync(ticket) => {
                    let mark = self.host(me).disk.mark();
                    self.send(me, self.setup.sync_delay, What::Synced(ticket, mark));
                }
                Action::Mine { .. } => panic!("there are no miners in this world yet"),
                Action::Committed { height, block, .. } => {
                    self.record.committed(me, height, block);
                }
                Action::Answer { id, answer } => self.record.answer(id, answer),
                Action::Halted(why) => self.record.halt(me, why),
                Action::Trace(line) => self.record.trace(line),
            }
        }
    }

    fn post(&mut self, from: ReplicaId, to: &[ReplicaId], parcel: Parcel<P::Message>) {
        let parcel = Arc::new(parcel);
        for &peer in to {
            assert_ne!(peer, from, "a replica never sends to itself");
            if let Some(latency) = self.network.carry(from) {
                self.send(peer, latency, What::Parcel(from, Arc::clone(&parcel)));
            }
        }
    }
}

impl<P: Protocol> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heights: Vec<_> = self.replicas().map(|id| self.height(id)).collect();
        let (seed, now) = (self.setup.seed, self.now);
        write!(f, "World {{ seed: {seed}, now: {now:?}, heights: {heights:?} }}")
    }
}
