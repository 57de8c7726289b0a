//! People who pay each other, and wait: the load of a scenario.

use super::judge::{Judge, Served};
use crate::{
    checker::Sight,
    delay::below,
    setup::stream,
    world::{Transfer, World},
};
use consensus::Protocol;
use ledger::{ReplicaId, VerifiedTransaction};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use replica::Query;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// How long a wallet waits before it tries another replica.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many transfers of an account are handed in again at a time.
const AGAIN: usize = 16;

/// Who pays whom when, and which replica is asked first: the same in every world.
#[derive(Debug)]
pub struct Plan {
    /// Between two transfers; none for no load.
    every: Option<Duration>,
    submitted: u32,
    chance: ChaCha8Rng,
}

/// One transfer of a plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment {
    /// The number of the account that pays.
    pub from: u32,
    /// The number of the account that receives.
    pub to: u32,
    /// Who is asked first; if it is down or a liar, the next one that is neither.
    pub first: ReplicaId,
}

impl Plan {
    /// So many transfers in a second; none for zero.
    pub fn new(per_second: f64, seed: u64) -> Plan {
        let every = (per_second > 0.0).then(|| Duration::from_secs_f64(1.0 / per_second));
        Plan { every, submitted: 0, chance: stream(seed, "load", 0) }
    }

    /// When the next transfer is due, since the beginning.
    pub fn due(&self) -> Option<Duration> {
        self.every.map(|every| every * (self.submitted + 1))
    }

    /// The next transfer, among so many accounts and replicas.
    pub fn draw(&mut self, accounts: u32, replicas: u32) -> Payment {
        self.submitted += 1;
        let mut pick = |bound: u32| {
            u32::try_from(below(self.chance.next_u64(), bound.into())).expect("it is below 2^32")
        };
        let (from, to) = (pick(accounts), pick(accounts));
        Payment { from, to, first: ReplicaId(pick(replicas)) }
    }
}

/// Submits transfers, and keeps at it: the replica that took one may lose it in a crash, or be cut
/// off from the others.
#[derive(Debug)]
pub(crate) struct Client {
    plan: Plan,
    sent: Vec<Sent>,
    /// By account, the numbers of what was not seen in a chain yet.
    open: BTreeMap<u32, VecDeque<usize>>,
}

/// One transfer.
#[derive(Debug)]
struct Sent {
    at: Duration,
    /// Who took it last, and when.
    taken: (ReplicaId, Duration),
    transaction: VerifiedTransaction,
}

impl Client {
    pub(crate) fn new(per_second: f64, seed: u64) -> Client {
        let (sent, open) = (Vec::new(), BTreeMap::new());
        Client { plan: Plan::new(per_second, seed), sent, open }
    }

    /// Lets time go by until `end`, and submits what is due.
    pub(crate) fn play<P: Protocol>(&mut self, world: &mut World<P>, end: Duration) {
        while let Some(due) = self.plan.due().filter(|due| *due <= end) {
            world.run_for(due.saturating_sub(world.now()));
            self.submit(world);
        }
        world.run_for(end.saturating_sub(world.now()));
    }

    /// Somebody pays somebody.
    fn submit<P: Protocol>(&mut self, world: &mut World<P>) {
        let (accounts, replicas) = (world.setup().accounts, world.setup().replicas);
        let Payment { from, to, first } = self.plan.draw(accounts, replicas);
        let Some(taker) = taker(world, first.0) else { return };
        let transaction = world.sign(Transfer { from, to, amount: 1, fee: 1 });
        world.ask(taker, Query::Submit(transaction.clone()));
        self.open.entry(from).or_default().push_back(self.sent.len());
        let now = world.now();
        self.sent.push(Sent { at: now, taken: (taker, now), transaction });
    }

    /// Forgets what is in the chain of whoever took it; hands in elsewhere what has waited too long.
    pub(crate) fn look<P: Protocol>(&mut self, world: &mut World<P>) {
        let patience = PATIENCE.max(world.setup().block_time * 4);
        for open in self.open.values_mut() {
            while open.front().is_some_and(|number| self.sent[*number].is_ordered(world)) {
                open.pop_front();
            }
            let waits = |number: &&usize| world.now() - self.sent[**number].taken.1 > patience;
            if open.front().filter(waits).is_none() {
                continue;
            }
            for number in open.iter().take(AGAIN) {
                let sent = &mut self.sent[*number];
                let Some(other) = taker(world, sent.taken.0.0 + 1) else { break };
                sent.taken = (other, world.now());
                world.ask(other, Query::Submit(sent.transaction.clone()));
            }
        }
    }

    /// What became of each transfer.
    pub(super) fn served<P: Protocol>(&self, world: &World<P>, judge: &Judge<'_>) -> Vec<Served> {
        let sight = Sight::of(world);
        let mut settled = BTreeMap::new();
        let served = self.sent.iter().map(|sent| {
            let by = sent.taken.0;
            let known = settled.entry(by).or_insert_with(|| judge.settlements(&sight, by));
            let when = known.get(&sent.transaction.id()).copied();
            // A wallet that tried twice may hear of the first try from the second replica.
            Served { submitted: sent.at, settled: when.map(|when| when.max(sent.at)) }
        });
        served.collect()
    }
}

impl Sent {
    fn is_ordered<P: Protocol>(&self, world: &World<P>) -> bool {
        let Some(ledger) = world.ledger(self.taken.0) else { return false };
        let account = ledger.account(ledger.head(), self.transaction.sender());
        account.is_some_and(|account| account.nonce > self.transaction.payload().nonce)
    }
}

/// The first replica from this one on that is up and no liar.
fn taker<P: Protocol>(world: &World<P>, first: u32) -> Option<ReplicaId> {
    let replicas = world.setup().replicas;
    let ids = (0..replicas).map(|offset| ReplicaId((first + offset) % replicas));
    let good = |id: &ReplicaId| world.is_up(*id) && !world.setup().byzantine.contains_key(id);
    ids.filter(good).take(1).next()
}
