//! What peers may ask of us, so that questions of forty bytes do not keep us at answering with megabytes.
//!
//! Each peer has two [`Budget`]s: of questions, summaries among them, and of what the answers take. An
//! answer counts by its bytes, and by its blocks too, since a small one has to be read and encoded as well.
//! Where the second is spent, a question for what follows a height is put off for a moment instead of
//! refused, one for each peer: so whoever asks as [`crate::sync`] does, which is one question at a time, is
//! slowed down and never refused, at whatever speed it catches up.
//!
//! Whoever goes on far beyond its budget of questions does what no honest peer does, and is told of:
//! [`crate::Action::Blame`].

use consensus::Budget;
use ledger::ReplicaId;
use std::{collections::BTreeMap, time::Duration};

/// Questions a peer may ask in a second, and at once. An honest one wants 64 things at most, each of them
/// once in 200 ms.
pub const QUESTIONS: u32 = 512;
/// How many it may ask at once.
pub const QUESTIONS_AT_ONCE: u32 = 2_048;

/// What answers to one peer may take in a second, in bytes.
pub const ANSWERS: u32 = 8 * 1024 * 1024;
/// What they may take at once, in bytes.
pub const ANSWERS_AT_ONCE: u32 = 64 * 1024 * 1024;

/// What a block counts for besides its bytes.
pub const BLOCK: u64 = 4 * 1024;

/// What every answer counts for besides.
pub const ANSWER: u64 = 1024;

/// Questions too many that are put up with in a second, and at once, before the peer is told of.
const PATIENCE: u32 = 64;
const PATIENCE_AT_ONCE: u32 = 512;

/// From this number of accounts on those are forgotten whose owners have asked nothing lately.
const MANY: usize = 64;

/// What every peer may still ask.
#[derive(Debug, Default)]
pub struct Allowance {
    accounts: BTreeMap<ReplicaId, Account>,
}

/// What a peer's question comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// It may be answered.
    Granted,
    /// It is one too many.
    Refused,
    /// It is one of so many too many that nobody honest asks them.
    Outrageous,
}

#[derive(Debug)]
struct Account {
    questions: Budget,
    answers: Budget,
    patience: Budget,
    /// From which height on it wants blocks, as soon as its answers are paid for.
    put_off: Option<u64>,
}

impl Account {
    fn new() -> Account {
        Account {
            questions: Budget::full(QUESTIONS, QUESTIONS_AT_ONCE),
            answers: Budget::full(ANSWERS, ANSWERS_AT_ONCE),
            patience: Budget::full(PATIENCE, PATIENCE_AT_ONCE),
            put_off: None,
        }
    }

    fn is_idle(&mut self, now: Duration) -> bool {
        self.put_off.is_none()
            && self.questions.is_full(now)
            && self.answers.is_full(now)
            && self.patience.is_full(now)
    }

    fn too_much(&mut self, now: Duration) -> Ruling {
        match self.patience.try_spend(now, 1) {
            true => Ruling::Refused,
            false => Ruling::Outrageous,
        }
    }
}

impl Allowance {
    /// A peer asks something, or says what it holds.
    pub fn question(&mut self, peer: ReplicaId, now: Duration) -> Ruling {
        let account = self.account(peer, now);
        match account.questions.try_spend(now, 1) {
            true => Ruling::Granted,
            false => account.too_much(now),
        }
    }

    /// Whether the answers that a peer has had are paid for.
    pub fn may_answer(&mut self, peer: ReplicaId, now: Duration) -> bool {
        self.account(peer, now).answers.is_open(now)
    }

    /// A peer was answered: what that took, in bytes.
    pub fn answered(&mut self, peer: ReplicaId, now: Duration, price: u64) {
        self.account(peer, now).answers.spend(now, ANSWER.saturating_add(price));
    }

    /// Puts off a question for blocks from a height on. If one is put off already, that one is dropped.
    pub fn put_off(&mut self, peer: ReplicaId, now: Duration, from: u64) -> Ruling {
        let account = self.account(peer, now);
        match account.put_off.replace(from) {
            None => Ruling::Granted,
            Some(_) => account.too_much(now),
        }
    }

    /// The questions whose time has come, with who asked them.
    pub fn due(&mut self, now: Duration) -> Vec<(ReplicaId, u64)> {
        let due = |(peer, account): (&ReplicaId, &mut Account)| {
            let from = account.put_off.take_if(|_| account.answers.is_open(now))?;
            Some((*peer, from))
        };
        self.accounts.iter_mut().filter_map(due).collect()
    }

    fn account(&mut self, peer: ReplicaId, now: Duration) -> &mut Account {
        if self.accounts.len() >= MANY && !self.accounts.contains_key(&peer) {
            self.accounts.retain(|_, account| !account.is_idle(now));
        }
        self.accounts.entry(peer).or_insert_with(Account::new)
    }
}

#[cfg(test)]
mod tests;
