//! The main loop: the earliest event is popped, a replica handles it, its actions become events.

mod errands;
mod faults;
mod mining;
mod stakes;

use crate::{
    adversary::SCRIPT,
    counts::Counts,
    host::Host,
    network::Network,
    places::{Place, Places},
    queue::Queue,
    record::{Aside, Record, aside::micros},
    setup::{Setup, stream},
    topology::Overlay,
};
use consensus::{
    Protocol,
    byzantine::{Liar, Plot, choose},
};
use crypto::{Address, Hash};
use errands::{Errand, What};
use ledger::{
    Amount, BlockHash, Genesis, Keys, Ledger, Payload, ReplicaId, TransactionId,
    VerifiedTransaction,
};
use replica::{Answer, Query, docket::Docket};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

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
    /// None where everybody is connected to everybody.
    overlay: Option<Overlay>,
    /// By place.
    hosts: Vec<Host<Liar<P>>>,
    places: Places,
    /// What the liars among them have agreed on.
    plot: Arc<Plot>,
    record: Record,
    /// How many transactions each account has been made to sign here.
    nonces: BTreeMap<Address, u64>,
    questions: u64,
    events: u64,
    /// Those of them that were a peer's.
    delivered: u64,
    /// What came for those who stand still, by place, in order.
    waiting: BTreeMap<usize, Vec<What<P::Message>>>,
    /// How many steps of the schedule are done.
    steps: usize,
    /// The crashes among the adversary's choices that have happened.
    crashed: BTreeSet<usize>,
    /// Who held what against whom.
    blamed: Vec<(ReplicaId, ReplicaId, &'static str)>,
    /// How deep a block must lie to be counted on, where blocks are not final at once.
    confirmations: Option<u64>,
    /// How many hashes a second a miner tries of whom nothing else is said. None before anybody
    /// mines.
    hash_rate: Option<f64>,
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
    /// If no chain can begin so, for want of a replica for example, or nobody can lie so
    /// ([`consensus::byzantine::find`]).
    pub fn new(setup: Setup, make: impl Fn(&Genesis) -> P + 'static) -> World<P> {
        let genesis = setup.genesis();
        let network = Network::new(setup.network.clone(), setup.seed, setup.replicas);
        // A module that the catalogue does not know is a test's, and final at once.
        let depths = consensus::catalogue::depths(&genesis).ok().flatten();
        let liars = setup.byzantine.keys().copied().collect();
        let plot = match &setup.faces {
            Some(right) => Plot::of(liars, right.clone()),
            None => Plot::draw(setup.replicas, liars, &mut stream(setup.seed, "plot", 0)),
        };
        let is_twins = |(id, name): (&ReplicaId, &String)| {
            assert!(id.0 < setup.replicas, "there is no replica {id} to lie");
            if name == SCRIPT {
                return None;
            }
            let lie = choose::<P>(name);
            let lie = lie.unwrap_or_else(|error| panic!("replica {id} cannot lie so: {error}"));
            lie.is_twins().then_some(*id)
        };
        let twins = setup.byzantine.iter().filter_map(is_twins).collect();
        let places = Places::new(setup.replicas, &twins, &plot);
        let host = |place| Host::new(places.seat(place), place, places.share(place), &setup);
        let mut world = World {
            keys: setup.keys(&genesis),
            genesis,
            make: Box::new(make),
            now: Duration::ZERO,
            queue: Queue::new(),
            network,
            overlay: Overlay::new(setup.topology, setup.seed, setup.replicas, places.all().count()),
            hosts: places.all().map(host).collect(),
            places,
            plot: Arc::new(plot),
            record: Record::new(setup.replicas, setup.tracing),
            nonces: BTreeMap::new(),
            questions: 0,
            events: 0,
            delivered: 0,
            waiting: BTreeMap::new(),
            steps: 0,
            crashed: BTreeSet::new(),
            blamed: Vec::new(),
            confirmations: depths.map(|depths| depths.confirmations),
            hash_rate: None,
            setup,
        };
        world.tell_beginning();
        world.replicas().for_each(|id| world.restart(id));
        world
    }

    /// Lets things happen until `done` says so, and looks again after each event. False if virtual
    /// time has gone on by `limit` before that.
    ///
    /// # Panics
    /// If a replica panics, or wants to mine a block that is too hard for a simulation
    /// ([`MAX_HASHES`](crate::mining::MAX_HASHES)).
    pub fn run_until(&mut self, done: impl Fn(&World<P>) -> bool, limit: Duration) -> bool {
        let end = self.now.saturating_add(limit);
        loop {
            if done(self) {
                return true;
            }
            if !self.advance(end) {
                self.now = end;
                return done(self);
            }
        }
    }

    /// Tells those who keep the trace that nobody looks any further.
    pub(crate) fn end(&mut self) {
        let time = micros(self.now);
        self.record.aside(|| Aside::Ended { time });
    }

    /// Who held what against whom: see [`replica::Action::Blame`]. Nobody is shut out in a simulation.
    pub fn blamed(&self) -> &[(ReplicaId, ReplicaId, &'static str)] {
        &self.blamed
    }

    /// Lets `time` go by.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(|_| false, time);
    }

    /// Asks a replica something, now. The answer is kept for [`World::answer`] under the number
    /// returned, unless the replica is down.
    pub fn ask(&mut self, id: ReplicaId, query: Query) -> u64 {
        self.questions += 1;
        let what = What::Question(Box::new((self.questions, query)));
        self.send(self.places.first(id), Duration::ZERO, what);
        self.questions
    }

    /// Asks a replica to order a transfer, signed with the next nonce of the account that pays.
    /// The answer, [`Answer::Submitted`], is kept under the number returned beside its name.
    pub fn submit(&mut self, id: ReplicaId, transfer: Transfer) -> (u64, TransactionId) {
        let transaction = self.sign(transfer);
        let name = transaction.id();
        let question = self.ask(id, Query::Submit(transaction));
        self.record.submit(question, id, name);
        (question, name)
    }

    /// Takes the answer to a question, if it has come.
    pub fn answer(&mut self, question: u64) -> Option<Answer> {
        self.record.take_answer(question)
    }

    /// A transfer, signed with the next nonce of the account that pays: nobody has heard of it yet.
    pub fn sign(&mut self, transfer: Transfer) -> VerifiedTransaction {
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

    /// How many parcels of peers came to a replica that was up: every copy counts.
    pub fn delivered(&self) -> u64 {
        self.delivered
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

    /// How much was sent, by why.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.record)
    }

    /// A replica's disk, for tests in which it lies.
    #[cfg(test)]
    pub(crate) fn disk(&self, id: ReplicaId) -> &crate::disk::Disk {
        &self.hosts[self.places.first(id).0].disk
    }

    /// The evidence that a replica that is up holds.
    pub fn docket(&self, id: ReplicaId) -> Option<&Docket> {
        let host = &self.hosts[self.places.first(id).0];
        host.replica.as_ref().map(|replica| replica.docket())
    }

    /// The ledger of a replica that is up, which may run ahead of what it has reported.
    pub fn ledger(&self, id: ReplicaId) -> Option<&Ledger> {
        let host = &self.hosts[self.places.first(id).0];
        host.replica.as_ref().map(|replica| replica.ledger())
    }
}

impl<P: Protocol> World<P> {
    fn host(&mut self, place: Place) -> &mut Host<Liar<P>> {
        &mut self.hosts[place.0]
    }
}

impl<P: Protocol> fmt::Debug for World<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heights: Vec<_> = self.replicas().map(|id| self.height(id)).collect();
        let (seed, now) = (self.setup.seed, self.now);
        write!(f, "World {{ seed: {seed}, now: {now:?}, heights: {heights:?} }}")
    }
}
