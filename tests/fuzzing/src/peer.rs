//! A replica, and a peer that means harm: it may say anything at any time, and sign whatever it likes with its
//! own key.
//!
//! The first byte chooses a chain, of which the replica has one block. The rest are [`Turn`]s of at most
//! 64 KiB. Whatever they are, the replica must go on, and where blocks are final it must commit nothing but what
//! the honest committed.

use crate::fixture::{
    Chain, chain,
    ring::{self, SEATS},
};
use consensus::{
    Signed,
    catalogue::{self, Module, Visitor},
};
use crypto::codec;
use ledger::{
    Hand, ReplicaId,
    store::{Batch, MemoryStore, Store},
};
use replica::{Action, Alarm, Event, Moment, Opened, Replica, TransactionCache, packet};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Who means harm.
const LIAR: u8 = 3;

/// How many turns are taken.
const TURNS: usize = 16;

/// Alarms that ring in one turn: gossip rings every 150 ms.
const RINGS: usize = 12;

/// One thing that happens to the replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Turn {
    /// An envelope comes from a seat.
    Envelope(u8, Vec<u8>),
    /// The liar signs a message.
    Signed(Vec<u8>),
    /// A gossiped batch comes.
    Batch(Vec<u8>),
    /// So many hundredths of a second go by.
    Time(u8),
}

/// See the module's documentation.
pub fn check(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Ok(turns) = codec::decode::<Vec<Turn>>(bytes, 64 * 1024) else { return };
    let chain = chain(*which);
    catalogue::dispatch(&chain.genesis.consensus, Live { chain, turns }).expect("it is there");
}

struct Live {
    chain: &'static Chain,
    turns: Vec<Turn>,
}

impl Visitor for Live {
    type Output = ();

    fn visit<P: Module>(self) {
        let Live { chain, turns } = self;
        let mut victim = Victim::<P>::new(chain);
        for turn in turns.into_iter().take(TURNS) {
            victim.take(turn);
        }
        // Whatever came, it goes on.
        victim.wait(Duration::from_secs(1));
    }
}

struct Victim<P: Module> {
    chain: &'static Chain,
    replica: Replica<P>,
    store: Arc<MemoryStore>,
    cache: TransactionCache,
    alarms: BTreeMap<Alarm, Duration>,
    now: Duration,
}

impl<P: Module> Victim<P> {
    fn new(chain: &'static Chain) -> Victim<P> {
        let store = Arc::new(MemoryStore::default());
        let mut batch = Batch::default();
        chain.young.iter().for_each(|(key, value)| batch.put(key.clone(), value.clone()));
        store.write(&batch).expect("memory does not fail");
        store.sync().expect("memory does not fail");
        let replica = ring::replica(&chain.genesis, &chain.keys, 0, store.clone());
        let (cache, alarms) = (TransactionCache::default(), BTreeMap::new());
        let mut victim = Victim { chain, replica, store, cache, alarms, now: Duration::ZERO };
        let actions = victim.replica.start(victim.moment()).expect("memory does not fail");
        victim.carry_out(actions);
        victim
    }

    /// Its calendar is past everything that the others did.
    fn moment(&self) -> Moment {
        let end = self.chain.blocks.last().map_or(0, |block| block.header.time);
        Moment { now: self.now, wall: Duration::from_millis(end) + self.now }
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Envelope(from, bytes) => {
                let from = ReplicaId(1 + u32::from(from) % (SEATS as u32 - 1));
                let opened = packet::open(&bytes, &self.chain.keys, &self.cache);
                let Ok((seq, opened)) = opened else { return };
                self.happen(Event::Received { from, seq, opened });
            }
            Turn::Signed(bytes) => {
                let Ok(message) = codec::decode::<P::Message>(&bytes, codec::LONGEST) else {
                    return;
                };
                let from = ReplicaId(LIAR.into());
                let hand = Hand::new(from, self.chain.id(), ring::validator(LIAR));
                let opened = Opened::Message(Signed::by(&hand, message));
                self.happen(Event::Received { from, seq: 1, opened });
            }
            Turn::Batch(bytes) => {
                let keys = &self.chain.keys;
                let Ok(batch) = packet::open_transactions(&bytes, keys, &self.cache) else {
                    return;
                };
                self.happen(Event::Gossiped(batch));
            }
            Turn::Time(hundredths) => self.wait(Duration::from_millis(10) * hundredths.into()),
        }
    }

    /// Lets time go by; what is due rings, up to a bound.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..RINGS {
            let next = self.alarms.iter().map(|(alarm, due)| (*due, *alarm)).min();
            let Some((due, alarm)) = next.filter(|(due, _)| *due <= end) else { break };
            self.now = self.now.max(due);
            self.alarms.remove(&alarm);
            self.happen(Event::Rang(alarm));
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event<P::Message>) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let moment = self.moment();
            let actions = self.replica.handle(event, moment).expect("memory does not fail");
            events.extend(self.carry_out(actions));
        }
    }

    /// What comes of its actions at once.
    fn carry_out(&mut self, actions: Vec<Action<P::Message>>) -> Vec<Event<P::Message>> {
        let mut events = Vec::new();
        for action in actions {
            match action {
                Action::Send { envelope, .. } => {
                    assert_eq!(envelope.encoded_len(), envelope.encode().len());
                }
                Action::SetTimer { alarm, after } => {
                    self.alarms.insert(alarm, self.now + after);
                }
                Action::Sync(ticket) => {
                    self.store.sync().expect("memory does not fail");
                    events.push(Event::Synced(ticket));
                }
                Action::Committed { height, block, .. } if P::proofs_settle() => {
                    let honest = self.chain.header(height).map(ledger::Header::hash);
                    // Beyond the end of the chain the honest said nothing.
                    assert_eq!(honest, Some(block), "one liar decides height {height}");
                }
                Action::Halted(why) => panic!("one liar stops it: {why}"),
                Action::Committed { .. }
                | Action::Blame { .. }
                | Action::Publish(_)
                | Action::Mine { .. }
                | Action::Answer { .. }
                | Action::Trace(_) => {}
            }
        }
        events
    }
}
