//! Signed transfers among the funded accounts, spread over the nodes.
//!
//! A node that takes a transfer may die before it tells anybody, so each transfer is handed over
//! again, to some other node, until somebody reports it settled: final, or deep enough to be counted
//! on where nothing is ever certain. What is only counted on is asked about until it is final, and
//! waits again if it was undone. Handing over the same one twice does no harm.

use super::{
    Shared,
    eyes::Sighting,
    watch::{Seen, Standing},
};
use crypto::{Address, SecretKey};
use ledger::{
    Action, Amount, ChainId, Payload, Transaction, TransactionId,
    query::{TransactionAnswer, TransactionStatus},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::VecDeque,
    io, mem,
    sync::{Arc, mpsc::SyncSender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use wallet_cli::client::Client;

#[cfg(test)]
mod tests;

/// How often an account has its turn.
const TURN: Duration = Duration::from_millis(50);

/// How many transfers of one account wait at most.
const WINDOW: usize = 16;

/// How many are asked about in one turn at most.
const QUESTIONS: usize = 5;

/// How long a transfer waits before it is handed over again.
const RESEND: Duration = Duration::from_secs(1);

/// What the load has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sent {
    /// How many transfers were made.
    pub(super) transfers: u64,
    /// Of each account, the last; every earlier one has to precede it.
    pub(super) last: Vec<TransactionId>,
    /// How many were not settled when the load ended.
    pub(super) unsettled: usize,
}

/// Makes transfers, hands them over and asks about them.
pub(super) struct Load {
    purses: Vec<Purse>,
    clients: Vec<Client>,
    shared: Arc<Shared>,
    tell: SyncSender<Sighting>,
    dice: ChaCha8Rng,
    sent: Sent,
}

/// An account that pays.
pub(super) struct Purse {
    key: SecretKey,
    chain: ChainId,
    nonce: u64,
    last: Option<TransactionId>,
    /// By rising nonce.
    waiting: VecDeque<Waiting>,
    /// Those before, which are counted on and not final.
    confirmed: VecDeque<Waiting>,
}

struct Waiting {
    transfer: Transaction,
    id: TransactionId,
    /// When it was last handed over.
    at: Instant,
}

impl Load {
    /// Begins on a thread of its own. When [`Shared::finish`] was called it ends as soon as every
    /// transfer is settled, and in any case when all is to stop.
    ///
    /// # Errors
    ///
    /// Whatever the system says when it has no thread to give.
    pub(super) fn start(
        purses: Vec<Purse>,
        seed: u64,
        clients: &[Client],
        shared: &Arc<Shared>,
        tell: SyncSender<Sighting>,
    ) -> io::Result<JoinHandle<Sent>> {
        let (clients, shared) = (clients.to_vec(), Arc::clone(shared));
        let dice = ChaCha8Rng::seed_from_u64(seed);
        let mut load = Load { purses, clients, shared, tell, dice, sent: Sent::default() };
        thread::Builder::new().name("load".to_owned()).spawn(move || {
            load.run();
            load.sent.unsettled = load.purses.iter().map(|purse| purse.waiting.len()).sum();
            load.sent.last = load.purses.iter().filter_map(|purse| purse.last).collect();
            load.sent
        })
    }

    fn run(&mut self) {
        let mut turn = 0;
        while !self.shared.is_stopping() {
            let finishing = self.shared.is_finishing();
            if finishing && self.purses.iter().all(|purse| purse.waiting.is_empty()) {
                return;
            }
            turn = (turn + 1) % self.purses.len();
            if !finishing && self.purses[turn].waiting.len() < WINDOW {
                self.pay(turn);
            }
            if !self.ask(turn) {
                return;
            }
            thread::sleep(TURN);
        }
    }

    /// A new transfer, to some other account, through some node.
    fn pay(&mut self, turn: usize) {
        let others = self.purses.len() - 1;
        let to = (turn + 1 + self.dice.next_u32() as usize % others.max(1)) % self.purses.len();
        let to = self.purses[to].address();
        let waiting = self.purses[turn].pay(to);
        self.sent.transfers += 1;
        if let Some((_, client)) = self.somebody() {
            // Whether or not it was taken: it is handed over again until it is settled.
            let _ = client.submit(&waiting);
        }
    }

    /// Asks about the oldest that wait, and hands all over again if that takes too long. False if
    /// nobody listens any more.
    fn ask(&mut self, turn: usize) -> bool {
        for question in 0..QUESTIONS {
            let purse = &self.purses[turn];
            // One question for what is counted on already, the others for what is not.
            let queue = if question == 0 { &purse.confirmed } else { &purse.waiting };
            let Some(id) = queue.front().map(|waiting| waiting.id) else { continue };
            let Some((node, client)) = self.somebody() else { return true };
            let Ok(answer) = client.transaction(id) else { return true };
            let standing = standing(&answer);
            if self.tell.send((node, Seen::Transfer(id, standing))).is_err() {
                return false;
            }
            self.purses[turn].heard(id, standing.status);
        }
        let late = self.purses[turn].late(Instant::now());
        if let (false, Some((_, client))) = (late.is_empty(), self.somebody()) {
            for transfer in late {
                // A refusal says that it is there already, or used up: both are well.
                let _ = client.submit(&transfer);
            }
        }
        true
    }

    /// Some node that should be up.
    fn somebody(&mut self) -> Option<(u32, Client)> {
        let up: Vec<_> = (0..)
            .zip(&self.clients)
            .filter(|(node, _): &(u32, _)| self.shared.is_up(*node))
            .collect();
        let chosen = self.dice.next_u32() as usize % up.len().max(1);
        up.get(chosen).map(|(node, client)| (*node, (*client).clone()))
    }
}

impl Purse {
    /// An account that has not paid anything yet.
    pub(super) fn new(key: SecretKey, chain: ChainId) -> Purse {
        Purse {
            key,
            chain,
            nonce: 0,
            last: None,
            waiting: VecDeque::new(),
            confirmed: VecDeque::new(),
        }
    }

    fn address(&self) -> Address {
        self.key.public().address()
    }

    /// Signs the next transfer and waits for it from now on.
    fn pay(&mut self, to: Address) -> Transaction {
        let payload = Payload {
            chain: self.chain,
            sender: self.key.public(),
            nonce: self.nonce,
            fee: Amount(0),
            action: Action::Transfer { to, amount: Amount(1) },
        };
        let transfer = payload.sign(&self.key);
        let id = transfer.id();
        self.nonce += 1;
        self.last = Some(id);
        self.waiting.push_back(Waiting { transfer: transfer.clone(), id, at: Instant::now() });
        transfer
    }

    /// Somebody said how far one of ours is that waits, or is counted on.
    fn heard(&mut self, id: TransactionId, status: TransactionStatus) {
        let is_first =
            |queue: &VecDeque<Waiting>| queue.front().is_some_and(|waiting| waiting.id == id);
        let (counted, waits) = (is_first(&self.confirmed), is_first(&self.waiting));
        match status {
            TransactionStatus::Final if counted => drop(self.confirmed.pop_front()),
            TransactionStatus::Final if waits => drop(self.waiting.pop_front()),
            TransactionStatus::Confirmed if waits => {
                self.confirmed.extend(self.waiting.pop_front());
            }
            TransactionStatus::Pending | TransactionStatus::Unknown if counted => {
                // Its successors are undone with it, or still behind it.
                self.confirmed.append(&mut self.waiting);
                self.waiting = mem::take(&mut self.confirmed);
            }
            _ => {}
        }
    }

    /// All that wait, if the oldest of them has waited too long; they count as handed over then.
    fn late(&mut self, now: Instant) -> Vec<Transaction> {
        let oldest = self.waiting.front().map(|waiting| waiting.at);
        if oldest.is_none_or(|at| now.saturating_duration_since(at) < RESEND) {
            return Vec::new();
        }
        self.waiting.iter_mut().for_each(|waiting| waiting.at = now);
        self.waiting.iter().map(|waiting| waiting.transfer.clone()).collect()
    }
}

/// What a node's answer says of a transfer's standing.
pub(super) fn standing(answer: &TransactionAnswer) -> Standing {
    Standing { status: answer.status, place: answer.height.zip(answer.index) }
}
