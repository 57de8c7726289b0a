//! The normal case: messages come in, and a number is agreed upon, prepared, committed, executed.

use super::{
    State, batch,
    message::{Message, Prepared, Value, phase},
    mutants::{self, P1, P6},
    note, pace, proof,
};
use crate::{
    protocol::{Effect, Turn},
    quorum::Signed,
};
use ledger::{Block, ReplicaId};
use std::{sync::Arc, time::Duration};

impl State {
    /// Sorts a message by what it belongs to.
    pub(super) fn hear(&mut self, signed: Signed<Message>, turn: &mut Turn<'_, Message>) {
        let sender = signed.sender();
        if self.committee.seat(sender).is_none() {
            return note(turn, "dropped", format!("{sender} has no seat"));
        }
        match *signed.message() {
            Message::PrePrepare { view, ref batch } => {
                let (sequence, batch) = (batch.header.height, Arc::clone(batch));
                if self.is_of_use(&signed, view, sequence, turn) {
                    self.hear_offer(sender, view, &batch, turn);
                }
            }
            Message::Prepare { view, sequence, value } => {
                // The primary's never counts, nor anything once we have given up on the view.
                let primary = proof::primary(&self.committee, view);
                let counts = self.is_of_use(&signed, view, sequence, turn) && view == self.view;
                if !counts || sender == primary {
                    return;
                }
                let is_active = self.is_active();
                let entry = self.log.entry(sequence);
                if sender == turn.me {
                    // Heard after a crash: what we said binds us.
                    entry.value.get_or_insert(value);
                    entry.said_prepare = true;
                }
                if is_active {
                    entry.prepare(&signed);
                }
            }
            Message::Commit { view, sequence, value } => {
                if self.is_of_use(&signed, view, sequence, turn) && view == self.view {
                    let entry = self.log.entry(sequence);
                    if sender == turn.me {
                        entry.value.get_or_insert(value);
                        entry.said_commit = true;
                    }
                    entry.commit(&signed);
                }
            }
            Message::Checkpoint(checkpoint) => self.hear_checkpoint(signed, checkpoint, turn),
            Message::ViewChange(ref change) => {
                let view = change.view;
                self.hear_change(signed, view);
            }
            Message::NewView { .. } => self.hear_new_view(&signed, turn),
            Message::Fetch { batch, replier } => {
                if sender != turn.me && replier == turn.me {
                    self.give(sender, batch, turn);
                }
            }
            Message::Batch { ref batch } => self.hear_batch(batch),
        }
    }

    /// Whether a message is for a number between the watermarks, and of no later view than ours. What
    /// comes too early is put off.
    fn is_of_use(
        &self,
        signed: &Signed<Message>,
        view: u64,
        sequence: u64,
        turn: &mut Turn<'_, Message>,
    ) -> bool {
        if sequence <= self.low() {
            return false;
        }
        let is_early = view > self.view || sequence > self.high();
        if is_early {
            turn.act(Effect::Defer(signed.clone()));
        }
        !is_early
    }

    /// A pre-prepare, of our view or of an earlier one.
    fn hear_offer(
        &mut self,
        sender: ReplicaId,
        view: u64,
        batch: &Arc<Block>,
        turn: &mut Turn<'_, Message>,
    ) {
        let (sequence, digest) = (batch.header.height, batch.hash());
        if sender != proof::primary(&self.committee, view) || !batch::is_sound(batch, Some(sender))
        {
            let detail =
                format!("{view}/{sequence} from {sender}: no batch of that view's primary");
            return note(turn, "dropped", detail);
        }
        if sender == turn.me {
            self.batches.keep(digest, batch);
            self.proposed = self.proposed.max(if view == self.view { sequence } else { 0 });
        }
        if view < self.view || !self.is_active() {
            return self.hear_batch(batch);
        }
        let entry = self.log.entry(sequence);
        if !entry.offers.iter().any(|offer| offer.hash() == digest) {
            entry.offers.push(Arc::clone(batch));
        }
        // After a crash we may have agreed to it before.
        self.hear_batch(batch);
    }

    /// Keeps a batch that we cannot go on without.
    fn hear_batch(&mut self, batch: &Arc<Block>) {
        let digest = batch.hash();
        let is_ours = self.committee.seat(batch.header.proposer).is_some();
        if self.missing().contains(&digest) && is_ours && batch::is_sound(batch, None) {
            self.batches.keep(digest, batch);
        }
    }

    /// N2: the first proposal for a number beyond those that the view began with. One from the future
    /// waits, or a primary could set the chain's time to the year 3000.
    pub(super) fn n2_agree(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.is_active() {
            return false;
        }
        let latest = turn.wall.saturating_add(self.config.clock_skew);
        let mut soonest: Option<Duration> = None;
        let mut agreed = None;
        for (sequence, entry) in self.log.entries() {
            if entry.value.is_some() || sequence <= self.covered {
                continue;
            }
            let time = |batch: &Arc<Block>| Duration::from_millis(batch.header.time);
            match entry.offers.iter().find(|offer| time(offer) <= latest) {
                Some(offer) => {
                    agreed = Some((sequence, Arc::clone(offer)));
                    break;
                }
                None => soonest = entry.offers.iter().map(time).chain(soonest).min(),
            }
        }
        let Some((sequence, batch)) = agreed else {
            // Whoever dates one far ahead must not keep us from another that is due before.
            if let Some(soonest) = soonest.filter(|soonest| self.early.is_none_or(|e| *soonest < e))
            {
                self.early = Some(soonest);
                pace::arm(phase::EARLY, soonest - latest, turn);
            }
            return false;
        };
        let digest = batch.hash();
        if self.flaw.is(P6) && sequence <= self.executed {
            mutants::remark(
                turn,
                format!(
                    "P6: agrees to {} as number {sequence}, which it has executed and forgotten",
                    mutants::name(Some(digest))
                ),
            );
        }
        if !self.is_primary(turn) {
            self.journal.batch(&batch);
        }
        self.batches.keep(digest, &batch);
        self.log.entry(sequence).value = Some(Some(digest));
        self.stop_resting(turn);
        true
    }

    /// N3: backups prepare what they agreed to, and what the view began with.
    pub(super) fn n3_prepare(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.is_active() || self.is_primary(turn) {
            return false;
        }
        let (high, view) = (self.high(), self.view);
        let due = self.log.entries().find_map(|(sequence, entry)| {
            let value = entry.value.filter(|_| !entry.said_prepare && sequence <= high)?;
            Some((sequence, value))
        });
        let Some((sequence, value)) = due else { return false };
        self.log.entry(sequence).said_prepare = true;
        self.say(Message::Prepare { view, sequence, value }, turn);
        true
    }

    /// N4: prepared. What would be needed in a later view is durable before we say so.
    pub(super) fn n4_commit(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.is_active() {
            return false;
        }
        let (needed, high, view) = (self.size.quorum() - 1, self.high(), self.view);
        let due = self.log.entries().find_map(|(sequence, entry)| {
            let value = entry.value.filter(|_| !entry.said_commit && sequence <= high)?;
            let message = Message::Prepare { view, sequence, value };
            let mut signatures = entry.prepared(needed)?.signatures(&message);
            signatures.truncate(needed);
            Some(Prepared { view, sequence, value, signatures })
        });
        let Some(prepared) = due else { return false };
        let Prepared { sequence, value, .. } = prepared;
        self.log.entry(sequence).said_commit = true;
        note(turn, "prepared", format!("{view}/{sequence} {}", named(value)));
        self.journal.prepared(&prepared);
        self.prepared.insert(sequence, prepared);
        self.say(Message::Commit { view, sequence, value }, turn);
        true
    }

    /// N5: the next number is committed, and all before it are executed. Its block is made now.
    pub(super) fn n5_execute(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let sequence = self.executed + 1;
        let Some(entry) = self.log.get(sequence) else { return false };
        let committed = entry.committed(self.size.quorum());
        let decision = match self.flaw.is(P1) {
            false => committed,
            true => mutants::p1_decision(entry, self.size),
        };
        let Some(value) = decision else { return false };
        let mut orders = false;
        match value {
            None => note(turn, "null", format!("number {sequence} of view {}", self.view)),
            Some(digest) => {
                let Some(batch) = self.batches.get(digest) else { return false };
                let block = batch::place(batch, self.head, turn)
                    .unwrap_or_else(|fault| panic!("a sound batch makes no block: {fault}"));
                let head = turn
                    .app
                    .accept(&block)
                    .unwrap_or_else(|fault| panic!("our own block is rejected: {fault}"));
                orders = !block.transactions.is_empty();
                let (at, name) = (block.header.height, digest.short());
                note(turn, "execute", format!("{sequence} as block {at}, batch {name}"));
                turn.act(Effect::Commit { block: head, proof: None });
                self.head = head;
            }
        }
        if committed != Some(value) {
            let value = mutants::name(value);
            mutants::remark(
                turn,
                format!(
                    "P1: executes {value} as number {sequence} of view {}, which is prepared and \
                     not committed",
                    self.view
                ),
            );
        }
        self.executed = sequence;
        self.c1_tell(turn);
        if orders || !self.waits(turn) {
            self.progress(turn);
        }
        true
    }
}

/// How notes call a value.
fn named(value: Value) -> String {
    value.map_or_else(|| "null".to_owned(), |digest| digest.short())
}
