//! People who pay each other, and wait: the load of a scenario.

use crate::{
    delay::below,
    record::Milestone,
    setup::stream,
    world::{Transfer, World},
};
use consensus::{Protocol, catalogue::Depths};
use ledger::{ReplicaId, TransactionId, VerifiedTransaction};
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

/// Submits transfers, and keeps at it: the replica that took one may lose it in a crash, or be cut
/// off from the others.
#[derive(Debug)]
pub(crate) struct Client {
    /// Between two transfers; none for no load.
    every: Option<Duration>,
    submitted: u32,
    chance: ChaCha8Rng,
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

/// How long one transfer took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub(super) submitted: Duration,
    /// When whoever took it showed it as final, or deep enough to be counted on.
    pub(super) settled: Option<Duration>,
}

impl Client {
    pub(crate) fn new(per_second: f64, seed: u64) -> Client {
        let every = (per_second > 0.0).then(|| Duration::from_secs_f64(1.0 / per_second));
        let (sent, open) = (Vec::new(), BTreeMap::new());
        Client { every, submitted: 0, chance: stream(seed, "load", 0), sent, open }
    }

    /// Lets time go by until `end`, and submits what is due.
    pub(crate) fn play<P: Protocol>(&mut self, world: &mut World<P>, end: Duration) {
        while let Some(due) = self.next().filter(|due| *due <= end) {
            world.run_for(due.saturating_sub(world.now()));
            self.submit(world);
        }
        world.run_for(end.saturating_sub(world.now()));
    }

    /// When the next transfer is due.
    fn next(&self) -> Option<Duration> {
        self.every.map(|every| every * (self.submitted + 1))
    }

    /// Somebody pays somebody.
    fn submit<P: Protocol>(&mut self, world: &mut World<P>) {
        self.submitted += 1;
        let (accounts, replicas) = (world.setup().accounts, world.setup().replicas);
        let mut pick = |bound: u32| {
            u32::try_from(below(self.chance.next_u64(), bound.into())).expect("it is below 2^32")
        };
        let (from, to, first) = (pick(accounts), pick(accounts), pick(replicas));
        let Some(taker) = taker(world, first) else { return };
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
    pub(super) fn served<P: Protocol>(
        &self,
        world: &World<P>,
        depths: Option<Depths>,
    ) -> Vec<Served> {
        let mut settled = BTreeMap::new();
        let served = self.sent.iter().map(|sent| {
            let by = sent.taken.0;
            let known = settled.entry(by).or_insert_with(|| settlements(world, by, depths));
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

/// When a replica showed each transaction as final, or deep enough to be counted on.
fn settlements<P: Protocol>(
    world: &World<P>,
    by: ReplicaId,
    depths: Option<Depths>,
) -> BTreeMap<TransactionId, Duration> {
    let record = world.record();
    let mut settled = BTreeMap::new();
    let Some(Depths { confirmations, .. }) = depths else {
        for commit in record.history(by).iter().filter_map(Milestone::commit) {
            for transaction in record.block(commit.block).iter().flat_map(|body| &body.transactions)
            {
                settled.entry(transaction.id()).or_insert(commit.at);
            }
        }
        return settled;
    };
    let Some(ledger) = world.ledger(by) else { return settled };
    let found: BTreeMap<_, _> = record.finds().iter().map(|find| (find.block, find.at)).collect();
    for height in 1..=(ledger.head_height() + 1).saturating_sub(confirmations) {
        let (Some(body), Some(top)) =
            (ledger.adopted(height), ledger.adopted(height + confirmations - 1))
        else {
            continue;
        };
        // Before that block was found this branch was not as deep, whatever another one was.
        let since = found.get(&top.hash()).copied().unwrap_or_default();
        let when = record.adopted_since(by, top.header.height, since);
        for transaction in &body.transactions {
            settled.extend(when.map(|when| (transaction.id(), when)));
        }
    }
    settled
}
