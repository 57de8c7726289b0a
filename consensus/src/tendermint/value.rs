//! Values: which are valid, where their bodies come from, and when a proposer offers one.

use super::{
    Instance, Message, Polka, Step,
    message::Tables,
    note, phase,
    recovery::{SignedTable, duty},
};
use crate::protocol::{Effect, Turn, Want};
use ledger::{Block, BlockHash, Draft, Rejected, Seal};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

impl Instance {
    /// L14–L21, and the idle chain: a proposer that has nothing to propose pauses, and everybody
    /// else gives it that time on top.
    pub(super) fn await_proposal(&mut self, turn: &mut Turn<'_, Message>) {
        let nothing = BTreeSet::new();
        let is_idle = self.round == 0 && turn.app.pending(self.parent, &nothing, 1).is_empty();
        let pause = if is_idle { self.config.block_time } else { Duration::ZERO };
        self.resting = !pause.is_zero();
        self.be_patient(pause, turn);
        if self.proposers.of(self.round) != turn.me || self.step != Step::Propose {
            return;
        }
        if self.resting {
            self.arm(phase::IDLE, pause, turn);
        } else {
            self.propose(turn);
        }
    }

    /// There is something to propose, or the pause is over.
    ///
    /// The others' patience is only ever cut short here, and once a round: transactions that come
    /// and go must not put off the timeout.
    pub(super) fn stop_resting(&mut self, turn: &mut Turn<'_, Message>) {
        if !std::mem::take(&mut self.resting) || self.step != Step::Propose {
            return;
        }
        if turn.now < self.began.saturating_add(self.config.block_time) {
            self.be_patient(Duration::ZERO, turn);
        }
        if self.proposers.of(self.round) == turn.me {
            self.propose(turn);
        }
    }

    /// The time after which we give up on the proposal begins, or begins anew, in `pause` from now.
    fn be_patient(&mut self, pause: Duration, turn: &mut Turn<'_, Message>) {
        if self.recovery.is_some() {
            return self.arm_all(pause, turn);
        }
        let patience = self.config.grown(self.config.propose, self.round);
        self.arm(phase::PROPOSE, pause.saturating_add(patience), turn);
    }

    /// L15–L19: our valid value with its round, or a fresh block.
    fn propose(&mut self, turn: &mut Turn<'_, Message>) {
        if std::mem::replace(&mut self.proposed, true) {
            return;
        }
        let (height, round) = (self.height, self.round);
        let valid_round = self.valid.map(|valid| valid.round);
        let own = self.table_to_bring();
        let block = match self.valid {
            Some(valid) => self.body(valid.value, turn),
            None => self.build(&own, turn),
        };
        match block {
            Some(block) => {
                let Polka { signatures: polka, table } = self.polka_to_bring(turn);
                let tables = Tables { own, polka: table };
                let tables = (tables != Tables::default()).then(|| Arc::new(tables));
                let proposal =
                    Message::Proposal { height, round, valid_round, polka, tables, block };
                self.say(proposal, turn);
            }
            None => note(turn, "unproposed", format!("{height}/{round} has no block to propose")),
        }
    }

    /// The prevotes that go with our valid value, if it has any.
    fn polka_to_bring(&self, turn: &mut Turn<'_, Message>) -> Polka {
        if self.brings_none_by_flaw(turn) { Polka::default() } else { self.polka.clone() }
    }

    /// The paper's getValue(); it tells of the table that our proposal brings.
    fn build(&self, table: &SignedTable, turn: &mut Turn<'_, Message>) -> Option<Arc<Block>> {
        let nothing = BTreeSet::new();
        let limit = self.config.max_transactions;
        let draft = Draft {
            parent: self.parent,
            transactions: turn.app.pending(self.parent, &nothing, limit),
            time: u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX),
            proposer: turn.me,
            duties: duty(self.round, table).into_iter().chain(self.participation()).collect(),
            seal: Seal::default(),
        };
        match turn.app.assemble(draft) {
            Ok(block) => Some(block),
            Err(rejected) => {
                note(turn, "unbuilt", format!("{}/{}: {rejected}", self.height, self.round));
                None
            }
        }
    }

    /// Whether a fresh block's time is still to come. One millisecond past the parent's is always
    /// in time: an honest proposer whose clock is behind the chain has no other choice.
    pub(super) fn is_early(&mut self, value: BlockHash, turn: &mut Turn<'_, Message>) -> bool {
        let Some(block) = self.log.body(value) else { return false };
        let time = Duration::from_millis(block.header.time);
        let is_early = time > turn.wall.saturating_add(self.config.clock_skew)
            && block.header.time > self.parent_time.saturating_add(1);
        if is_early {
            let until = time - self.config.clock_skew;
            self.postpone(value, &Rejected::TooEarly { until }, turn);
        }
        is_early
    }

    /// The paper's valid(v), if it can be told: we may lack the body, or the ledger may have no
    /// room for it. A verdict, once there, is for good, because it depends on the block and its
    /// parent alone.
    ///
    /// Asked only when a rule turns on it, so that an equivocator cannot make us execute more than
    /// one block a round, and those that a quorum names.
    pub(super) fn is_valid(
        &mut self,
        value: BlockHash,
        turn: &mut Turn<'_, Message>,
    ) -> Option<bool> {
        if let Some(verdict) = self.verdicts.get(&value) {
            return Some(*verdict);
        }
        let block = self.body(value, turn)?;
        let fault = if (block.header.height, block.header.parent) != (self.height, self.parent) {
            Some("it does not stand on the block decided before".to_owned())
        } else if let Err(why) = self.check_participation(&block, turn) {
            Some(why.to_string())
        } else {
            match turn.app.accept(&block) {
                Ok(_) => None,
                Err(Rejected::Invalid(why)) => Some(why.to_string()),
                Err(why) => {
                    self.postpone(value, &why, turn);
                    return None;
                }
            }
        };
        if let Some(fault) = &fault {
            let place = format!("{}/{}", self.height, self.round);
            note(turn, "invalid", format!("{place} {}: {fault}", value.short()));
        }
        self.verdicts.insert(value, fault.is_none());
        Some(fault.is_none())
    }

    /// A value cannot be judged yet. It is looked at again at every step that hears anything of this height; a timer makes sure that
    /// there is one when a block's time comes. The other causes end with an `Advanced`.
    fn postpone(&mut self, value: BlockHash, why: &Rejected, turn: &mut Turn<'_, Message>) {
        if !self.postponed.insert(value) {
            return;
        }
        let place = format!("{}/{}", self.height, self.round);
        note(turn, "postponed", format!("{place} {}: {why}", value.short()));
        if let Rejected::TooEarly { until } = why {
            self.arm(phase::EARLY, until.saturating_sub(turn.wall), turn);
        }
    }

    /// From this life's messages, or from the ledger: there lie the bodies accepted before a crash.
    fn body(&self, value: BlockHash, turn: &Turn<'_, Message>) -> Option<Arc<Block>> {
        self.log.body(value).cloned().or_else(|| turn.app.block(value))
    }

    /// Asks for the bodies that L36 and L49 may need and that no proposal brought us.
    pub(super) fn fetch_what_a_quorum_names(&mut self, turn: &mut Turn<'_, Message>) {
        let is_held = |value: &BlockHash| self.body(*value, turn).is_some();
        let lacking = self.log.named().filter(|value| !is_held(value));
        for value in lacking.collect::<BTreeSet<_>>() {
            if self.wanted.insert(value) {
                turn.act(Effect::Want(Want::Block(value)));
            }
        }
    }

    /// A body that we asked for. Its header is the one whose hash we named; the rest may be
    /// anybody's invention, and keeping it would shut out the true one.
    pub(super) fn receive(&mut self, block: &Arc<Block>, turn: &mut Turn<'_, Message>) {
        let value = block.hash();
        if !self.wanted.remove(&value) {
            return;
        }
        if block.body_matches() {
            self.log.keep(value, block);
        } else {
            note(turn, "dropped", format!("a body that is not that of {}", value.short()));
        }
    }
}
