//! What is under way, and what became of it: shared by those who submit and the one who follows.

use super::figures::Latencies;
use ledger::TransactionId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// How far a measurement has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// New transfers are made.
    Load,
    /// None is made any more; what was refused is still handed over again.
    Drain,
    /// All is over.
    Over,
}

/// What went wrong beyond repair.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// A node refuses what it must take.
    #[error("a node refuses a transfer that is valid ({reason}): {message}")]
    Refused {
        /// In one word.
        reason: String,
        /// In the node's words.
        message: String,
    },
    /// A node does not answer any more.
    #[error("node {node} has not answered for {} s: {reason}", patience.as_secs())]
    Silent {
        /// Which.
        node: u32,
        /// How long it was asked.
        patience: Duration,
        /// What the last attempt said.
        reason: String,
    },
}

/// The tally of everything, behind a lock.
#[derive(Debug)]
pub struct Book {
    page: Mutex<Page>,
    /// Rings when something became final, and when the phase changes.
    bell: Condvar,
}

/// What the lock guards.
#[derive(Debug)]
pub struct Page {
    /// How far it has come.
    pub phase: Phase,
    /// Handed over and not known to be final.
    waiting: HashMap<TransactionId, Waiting>,
    /// How many of them, by lane.
    in_flight: Vec<usize>,
    /// How long it took until they were final.
    pub latencies: Latencies,
    /// Distinct transactions handed over.
    pub submitted: u64,
    /// Of those, taken by a node.
    pub accepted: u64,
    /// Refusals by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Why it cannot go on.
    pub trouble: Option<Trouble>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    lane: u32,
    due: Instant,
}

impl Book {
    /// An empty book for so many lanes.
    pub fn new(lanes: u32) -> Book {
        let page = Page {
            phase: Phase::Load,
            waiting: HashMap::new(),
            in_flight: vec![0; lanes as usize],
            latencies: Latencies::default(),
            submitted: 0,
            accepted: 0,
            refusals: BTreeMap::new(),
            trouble: None,
        };
        Book { page: Mutex::new(page), bell: Condvar::new() }
    }

    /// The page, for oneself alone.
    pub fn page(&self) -> MutexGuard<'_, Page> {
        // A thread that panicked is an error of its own; the others still end in good order.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on to another phase.
    pub fn enter(&self, phase: Phase) {
        self.page().phase = phase;
        self.bell.notify_all();
    }

    /// Notes what cannot be mended. The first one counts.
    pub fn fail(&self, trouble: Trouble) {
        self.page().trouble.get_or_insert(trouble);
        self.bell.notify_all();
    }

    /// Notes that these are final as of a moment.
    pub fn finish(&self, ids: &[TransactionId], at: Instant) {
        self.page().finish(ids, at);
        self.bell.notify_all();
    }

    /// Waits until `holds` or the phase is another, at most until `until`; gives back the page.
    pub fn wait_until(
        &self,
        phase: Phase,
        until: Instant,
        holds: impl Fn(&Page) -> bool,
    ) -> MutexGuard<'_, Page> {
        let mut page = self.page();
        while page.phase == phase && page.trouble.is_none() && !holds(&page) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            page = match self.bell.wait_timeout(page, left) {
                Ok((page, _)) => page,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        page
    }
}

impl Page {
    /// Notes that a lane is about to hand this over for the first time.
    pub fn submit(&mut self, id: TransactionId, lane: u32, due: Instant) {
        self.waiting.insert(id, Waiting { lane, due });
        self.in_flight[lane as usize] += 1;
        self.submitted += 1;
    }

    /// How many of a lane's are under way.
    pub fn in_flight(&self, lane: u32) -> usize {
        self.in_flight[lane as usize]
    }

    /// How many are under way in all lanes.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Counts a refusal.
    pub fn refuse(&mut self, reason: &str, count: u64) {
        *self.refusals.entry(reason.to_owned()).or_default() += count;
    }

    /// How many became final.
    pub fn committed(&self) -> u64 {
        self.latencies.len()
    }

    fn finish(&mut self, ids: &[TransactionId], at: Instant) {
        for id in ids {
            // Others may use the chain, too, and a block may be told of twice.
            let Some(Waiting { lane, due }) = self.waiting.remove(id) else { continue };
            self.in_flight[lane as usize] -= 1;
            self.latencies.record(at.saturating_duration_since(due));
        }
    }
}
