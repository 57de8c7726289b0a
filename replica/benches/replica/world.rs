//! Whole replicas in one thread: bytes between them, real signatures, disks in memory, and a clock
//! that jumps to the next alarm. What each part of the work takes is added up by its name.

use consensus::catalogue::Module;
use crypto::SecretKey;
use ledger::{
    Amount, ChainId, Genesis, Hand, Keys, Payload, ReplicaId, Stake, Transaction,
    genesis::{Funded, Validator},
    store::{MemoryStore, Store},
};
use nix::time::ClockId;
use replica::{
    Action, Alarm, Class, Event, Moment, Options, Replica, Setup, TransactionCache, packet,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Transactions in a gossiped batch, as the node publishes them.
const BATCH: usize = 256;

/// What every account owns.
const BALANCE: Amount = Amount(1_000_000_000);

/// Work, by what it was for. Of all replicas together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Opening gossiped batches.
    pub(crate) gossip: Duration,
    /// Taking transactions into the pools.
    pub(crate) pool: Duration,
    /// Making bytes of envelopes.
    pub(crate) encode: Duration,
    /// Making envelopes of bytes.
    pub(crate) open: Duration,
    /// All else on the replicas' threads.
    pub(crate) height: Duration,
}

impl Spent {
    /// All of it.
    pub(crate) fn total(&self) -> Duration {
        self.gossip + self.pool + self.encode + self.open + self.height
    }
}

/// Counts what this thread does, and not what it waits for: others use this machine, too.
struct Watch(Duration);

impl Watch {
    fn start() -> Watch {
        Watch(Watch::read())
    }

    fn stop(self) -> Duration {
        Watch::read() - self.0
    }

    fn read() -> Duration {
        let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
        clock.now().expect("every thread has such a clock").into()
    }
}

/// A committee.
pub(crate) struct World<P: Module> {
    chain: ChainId,
    keys: Keys,
    places: Vec<Place<P>>,
    queue: VecDeque<(usize, Errand)>,
    alarms: BTreeMap<(Duration, u64), (usize, Alarm)>,
    alarms_set: u64,
    now: Duration,
    accounts: Vec<SecretKey>,
    nonce: u64,
    pub(crate) spent: Spent,
}

struct Place<P: Module> {
    replica: Replica<P>,
    store: Arc<MemoryStore>,
    cache: TransactionCache,
    set: BTreeMap<Alarm, (Duration, u64)>,
}

enum Errand {
    Envelope(ReplicaId, Arc<[u8]>),
    Synced(replica::Ticket),
    Ring(Alarm),
}

fn account(number: u32) -> SecretKey {
    let mut seed = [0xac; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(seed)
}

impl<P: Module> World<P> {
    /// Some replicas that have just woken, and accounts that pay each other.
    pub(crate) fn new(replicas: u32, accounts: u32) -> World<P> {
        let validator = |id: u32| SecretKey::from_seed([id as u8 + 1; 32]);
        let validators =
            (0..replicas).map(|id| Validator { key: validator(id).public(), stake: Stake(1) });
        let accounts: Vec<_> = (0..accounts).map(account).collect();
        let funded = accounts.iter().map(|key| key.public().address());
        let genesis = Genesis {
            name: "bench".into(),
            time: 0,
            consensus: P::NAME.into(),
            block_time: 1_000_000,
            settings: BTreeMap::new(),
            validators: validators.collect(),
            accounts: funded.map(|address| Funded { address, balance: BALANCE }).collect(),
        };
        let chain = genesis.chain_id();
        let keys = Keys::of(chain, &genesis.committee().expect("validators"));
        let places = (0..replicas).map(|id| {
            let store = Arc::new(MemoryStore::default());
            let replica = Replica::open(Setup {
                me: ReplicaId(id),
                genesis: genesis.clone(),
                protocol: P::new(&genesis).expect("no settings"),
                hand: Hand::new(ReplicaId(id), chain, validator(id)),
                keys: keys.clone(),
                store: Arc::clone(&store) as Arc<dyn Store>,
                seed: [id as u8; 32],
                options: Options { trace: false, ..Options::default() },
            });
            let replica = replica.expect("a fresh store");
            Place { replica, store, cache: TransactionCache::default(), set: BTreeMap::new() }
        });
        let mut world = World {
            places: places.collect(),
            chain,
            keys,
            queue: VecDeque::new(),
            alarms: BTreeMap::new(),
            alarms_set: 0,
            now: Duration::ZERO,
            accounts,
            nonce: 0,
            spent: Spent::default(),
        };
        for me in 0..world.places.len() {
            let moment = world.moment();
            let actions = world.places[me].replica.start(moment).expect("memory");
            world.carry_out(me, actions);
        }
        world
    }

    /// The next transfer of each of the first `count` accounts.
    pub(crate) fn transfers(&mut self, count: usize) -> Vec<Transaction> {
        let nonce = self.nonce;
        self.nonce += 1;
        (0..count).map(|from| self.transfer(from, nonce)).collect()
    }

    /// One transfer for each account, none of which can ever be ordered: a nonce is missing.
    pub(crate) fn wait_for_ever(&mut self, accounts: std::ops::Range<usize>) {
        let waiting: Vec<_> = accounts.map(|from| self.transfer(from, 1)).collect();
        self.gossip(&waiting);
    }

    fn transfer(&self, from: usize, nonce: u64) -> Transaction {
        let key = &self.accounts[from];
        let to = (from * 7 + nonce as usize + 1) % self.accounts.len();
        let to = self.accounts[to].public().address();
        let action = ledger::Action::Transfer { to, amount: Amount(1) };
        let (chain, sender) = (self.chain, key.public());
        Payload { chain, sender, nonce, fee: Amount(1), action }.sign(key)
    }

    /// Brings transactions to every replica as the public does, and pools them in one event.
    pub(crate) fn gossip(&mut self, transactions: &[Transaction]) {
        let chain = self.chain;
        let verified: Vec<_> =
            transactions.iter().map(|each| each.clone().verify(chain).expect("ours")).collect();
        let batches: Vec<_> = verified.chunks(BATCH).map(packet::encode_transactions).collect();
        let mut pooled = Vec::new();
        for me in 0..self.places.len() {
            let place = &self.places[me];
            let start = Watch::start();
            let opened = batches.iter().map(|batch| {
                packet::open_transactions(batch, &self.keys, &place.cache).expect("they are signed")
            });
            let opened = opened.flatten().collect();
            self.spent.gossip += start.stop();
            pooled.push(self.handle(me, Event::Gossiped(opened)));
        }
        // Whoever proposes does that in the same event; the quickest does nothing else.
        let least = pooled.iter().min().expect("a committee has members");
        let pool = *least * pooled.len() as u32;
        self.spent.pool += pool;
        self.spent.height -= pool;
    }

    /// Goes on until every replica has committed one block more.
    pub(crate) fn grow(&mut self) {
        let height = self.places[0].replica.ledger().height() + 1;
        while self.places.iter().any(|place| place.replica.ledger().height() < height) {
            self.step();
        }
        while !self.queue.is_empty() {
            self.step();
        }
    }

    /// How many transactions the newest block orders.
    pub(crate) fn newest(&self) -> usize {
        let ledger = self.places[0].replica.ledger();
        ledger.committed(ledger.height()).expect("the root").transactions.len()
    }

    fn step(&mut self) {
        let Some((me, errand)) = self.queue.pop_front() else {
            let ((at, _), (me, alarm)) = self.alarms.pop_first().expect("somebody always waits");
            self.now = self.now.max(at);
            self.places[me].set.remove(&alarm);
            return self.queue.push_back((me, Errand::Ring(alarm)));
        };
        let event = match errand {
            Errand::Envelope(from, bytes) => {
                let start = Watch::start();
                let opened = packet::open(&bytes, &self.keys, &self.places[me].cache);
                let (seq, opened) = opened.expect("all are honest");
                self.spent.open += start.stop();
                Event::Received { from, seq, opened }
            }
            Errand::Synced(ticket) => Event::Synced(ticket),
            Errand::Ring(alarm) => Event::Rang(alarm),
        };
        self.handle(me, event);
    }

    fn handle(&mut self, me: usize, event: Event<P::Message>) -> Duration {
        let moment = self.moment();
        let start = Watch::start();
        let actions = self.places[me].replica.handle(event, moment).expect("memory never fails");
        let spent = start.stop();
        self.spent.height += spent;
        self.carry_out(me, actions);
        spent
    }

    fn moment(&self) -> Moment {
        Moment { now: self.now, wall: Duration::from_secs(1) + self.now }
    }

    fn carry_out(&mut self, me: usize, actions: Vec<Action<P::Message>>) {
        for action in actions {
            match action {
                Action::Send { to, envelope, class } => {
                    let start = Watch::start();
                    let compact = match class {
                        Class::First => envelope.encode_compact(|_| false),
                        _ => None,
                    };
                    let bytes: Arc<[u8]> = compact.unwrap_or_else(|| envelope.encode()).into();
                    self.spent.encode += start.stop();
                    let from = ReplicaId(me as u32);
                    for peer in to {
                        let errand = Errand::Envelope(from, Arc::clone(&bytes));
                        self.queue.push_back((peer.0 as usize, errand));
                    }
                }
                Action::SetTimer { alarm, after } => {
                    self.alarms_set += 1;
                    let key = (self.now + after, self.alarms_set);
                    if let Some(old) = self.places[me].set.insert(alarm, key) {
                        self.alarms.remove(&old);
                    }
                    self.alarms.insert(key, (me, alarm));
                }
                Action::Sync(ticket) => {
                    self.places[me].store.sync().expect("memory");
                    self.queue.push_back((me, Errand::Synced(ticket)));
                }
                Action::Halted(why) => panic!("{why}"),
                Action::Blame { peer, fault } => panic!("{peer}: {fault}"),
                Action::Publish(_)
                | Action::Mine { .. }
                | Action::Committed { .. }
                | Action::Answer { .. }
                | Action::Trace(_) => {}
            }
        }
    }
}
