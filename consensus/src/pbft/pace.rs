//! When a primary proposes, and how long the others bear with it.

use super::{
    State, batch,
    message::{Message, phase},
    note,
};
use crate::{
    Budget,
    protocol::{Effect, Timer, Turn},
};
use crypto::codec;
use ledger::{BlockHash, ReplicaId, Slot};
use std::{collections::BTreeSet, time::Duration};

impl State {
    /// T1: a request is executed, or a view begins: those who wait are given time anew. Where nobody
    /// waits in a view that works, the primary pauses, and the others give it that time on top.
    pub(super) fn begin_turn(&mut self, turn: &mut Turn<'_, Message>) {
        self.began = turn.now;
        let is_idle = self.view == self.works && !self.is_busy() && !self.waits(turn);
        let pause = if is_idle { self.config.block_time } else { Duration::ZERO };
        self.resting = !pause.is_zero();
        self.watch(pause.saturating_add(self.patience(self.view)), turn);
        if self.resting && self.is_primary(turn) {
            arm(phase::IDLE, pause, turn);
        }
    }

    /// T2: there is something to order, or the pause is over. The others' patience is only cut short
    /// here, and once a pause: transactions that come and go must not put off the timeout.
    pub(super) fn stop_resting(&mut self, turn: &mut Turn<'_, Message>) {
        if !std::mem::take(&mut self.resting) {
            return;
        }
        if turn.now < self.began.saturating_add(self.config.block_time) {
            self.watch(self.patience(self.view), turn);
        }
    }

    /// T3: something that waited was executed, or nothing waits, so this view works: its timeouts are
    /// short again. An empty batch while requests wait is none of it, or a primary could put them
    /// off for ever.
    pub(super) fn progress(&mut self, turn: &mut Turn<'_, Message>) {
        if self.target.is_none() {
            self.works = self.view;
            self.begin_turn(turn);
        }
    }

    /// Whether the timer has rung that was set last, and not an earlier one.
    pub(super) fn is_out_of_patience(&mut self, turn: &Turn<'_, Message>) -> bool {
        self.deadline.take_if(|deadline| *deadline <= turn.now).is_some()
    }

    pub(super) fn watch(&mut self, time: Duration, turn: &mut Turn<'_, Message>) {
        self.deadline = Some(turn.now.saturating_add(time));
        arm(phase::PATIENCE, time, turn);
    }

    /// The paper's T in `view`: twice as long for each view since the last that worked.
    pub(super) fn patience(&self, view: u64) -> Duration {
        self.config.patience(view.saturating_sub(self.works))
    }

    /// Whether a transaction waits that could be executed now.
    pub(super) fn waits(&self, turn: &Turn<'_, Message>) -> bool {
        !turn.app.pending(self.head, &BTreeSet::new(), 1).is_empty()
    }

    /// Whether something is agreed upon and not executed yet.
    fn is_busy(&self) -> bool {
        let mut entries = self.log.entries();
        entries.any(|(sequence, entry)| sequence > self.executed && entry.value.is_some())
    }

    /// N1: the primary proposes the next number once all before it are executed, so that the batch
    /// it builds is of transactions that still execute.
    pub(super) fn n1_propose(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let sequence = self.executed + 1;
        let is_free = self.executed >= self.covered.max(self.proposed) && sequence <= self.high();
        if !self.is_active() || !self.is_primary(turn) || self.resting || !is_free {
            return false;
        }
        self.proposed = sequence;
        let limit = self.config.max_transactions;
        let transactions = turn.app.pending(self.head, &BTreeSet::new(), limit);
        let time = u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX);
        let batch = batch::build(sequence, time, turn.me, transactions);
        self.say(Message::PrePrepare { view: self.view, batch }, turn);
        true
    }

    /// Asks somebody for each batch that we cannot go on without, and again after a while.
    pub(super) fn fetch(&mut self, turn: &mut Turn<'_, Message>) {
        let asked = self.fetched.is_some_and(|since| turn.now < since + FETCH_PERIOD);
        let missing = self.missing();
        if asked || missing.is_empty() {
            return;
        }
        self.fetched = Some(turn.now);
        let members = self.committee.members().iter().map(|member| member.id);
        let others: Vec<_> = members.filter(|id| *id != turn.me).collect();
        for batch in missing {
            if let Some(replier) = super::pick(&others, turn.rng) {
                turn.send(crate::To::One(replier), Message::Fetch { batch, replier });
            }
        }
        arm(phase::FETCH, FETCH_PERIOD, turn);
    }

    /// Sends a batch to whoever asks for it and has not had too much of us lately.
    pub(super) fn give(
        &mut self,
        asker: ReplicaId,
        digest: BlockHash,
        turn: &mut Turn<'_, Message>,
    ) {
        let Some(batch) = self.batches.get(digest).cloned() else { return };
        let budget = self.given.entry(asker).or_insert(Budget::full(GIVEN, GIVEN_AT_ONCE));
        let price = GIVEN_LEAST + codec::encoded_len(batch.as_ref()) as u64;
        if budget.try_spend(turn.now, price) {
            turn.send(crate::To::One(asker), Message::Batch { batch });
        } else {
            note(turn, "dropped", format!("{asker} fetches too much"));
        }
    }

    /// The batches of numbers still to be executed that we know by name only.
    pub(super) fn missing(&self) -> BTreeSet<BlockHash> {
        let later = self.log.entries().filter(|(sequence, _)| *sequence > self.executed);
        let named = later.flat_map(|(_, entry)| entry.named(self.size.quorum()));
        named.filter(|digest| !self.batches.contains(*digest)).collect()
    }
}

/// How many bytes of batches one replica may fetch of us in a second, how many at once, and what each counts
/// for at least: it has to be signed. Whoever lost all it held between the watermarks fetches that at once.
const GIVEN: u32 = 4 * 1024 * 1024;
const GIVEN_AT_ONCE: u32 = 32 * 1024 * 1024;
const GIVEN_LEAST: u64 = 16 * 1024;

/// How often a batch is asked for.
const FETCH_PERIOD: Duration = Duration::from_millis(200);

pub(super) fn arm(phase: u8, after: Duration, turn: &mut Turn<'_, Message>) {
    let timer = Timer(Slot { phase, ..Slot::default() });
    turn.act(Effect::SetTimer { timer, after });
}
