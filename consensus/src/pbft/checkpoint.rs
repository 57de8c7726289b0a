//! Checkpoints: what proves that blocks are final, lets messages be forgotten, and brings on those who
//! are behind.

use super::{
    State,
    message::{Checkpoint, Message},
    mutants::{self, P6},
    note,
    proof::Stable,
};
use crate::{
    protocol::{Effect, Turn},
    quorum::{Signed, Tally},
};
use ledger::{BlockHash, Proof};
use std::collections::BTreeMap;

/// What was said about checkpoints that are not stable yet.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    tallies: BTreeMap<u64, Tally<Message>>,
    /// What we said ourselves.
    ours: BTreeMap<u64, Checkpoint>,
    /// A stable one that we may not have reached, from a new view.
    ahead: Option<Stable>,
}

impl Checkpoints {
    /// Offers a stable checkpoint that came with a new view.
    pub(super) fn offer(&mut self, stable: Stable) {
        let sequence = |stable: &Stable| stable.checkpoint.sequence;
        if self.ahead.as_ref().is_none_or(|ahead| sequence(ahead) < sequence(&stable)) {
            self.ahead = Some(stable);
        }
    }

    fn prune(&mut self, low: u64) {
        self.tallies = self.tallies.split_off(&low.saturating_add(1));
        self.ours = self.ours.split_off(&low.saturating_add(1));
        self.ahead.take_if(|stable| stable.checkpoint.sequence <= low);
    }
}

impl State {
    /// C1: says how far we have executed, where K divides it.
    pub(super) fn c1_tell(&mut self, turn: &mut Turn<'_, Message>) {
        if !self.executed.is_multiple_of(self.config.checkpoint) {
            return;
        }
        let header = &turn.app.block(self.head).expect("what was executed is held").header;
        let (sequence, height) = (self.executed, header.height);
        let checkpoint = Checkpoint { sequence, height, block: self.head };
        let earlier = self.checkpoints.ours.insert(sequence, checkpoint);
        if earlier.is_none() {
            self.say(Message::Checkpoint(checkpoint), turn);
        }
        let low = self.low();
        let forgotten = if self.flaw.is(P6) { mutants::p6_forgotten(sequence, low) } else { low };
        if forgotten > low {
            mutants::remark(
                turn,
                format!(
                    "P6: forgets what it holds up to number {forgotten} for its own checkpoint, which \
                     no quorum has confirmed"
                ),
            );
            self.forget(forgotten);
        }
    }

    /// Counts somebody's checkpoint.
    pub(super) fn hear_checkpoint(
        &mut self,
        signed: Signed<Message>,
        checkpoint: Checkpoint,
        turn: &mut Turn<'_, Message>,
    ) {
        let Checkpoint { sequence, .. } = checkpoint;
        if sequence <= self.low() || !sequence.is_multiple_of(self.config.checkpoint) {
            return;
        }
        if sequence > self.high() {
            return turn.act(Effect::Defer(signed));
        }
        if signed.sender() == turn.me {
            self.checkpoints.ours.insert(sequence, checkpoint);
        }
        let committee = &self.committee;
        let tallies = &mut self.checkpoints.tallies;
        tallies.entry(sequence).or_insert_with(|| Tally::new(committee.clone())).add(&signed);
    }

    /// C2: a quorum is where we are, or has come from where we are without another block.
    pub(super) fn c2_stabilise(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let quorum = self.size.quorum();
        let heard = self.checkpoints.tallies.values().rev().find_map(|tally| {
            let is_ours = |message: &Message| match message {
                Message::Checkpoint(checkpoint) => self.has_reached(checkpoint, turn),
                _ => false,
            };
            let mut agreed = tally.counts().filter(|(_, count)| *count >= quorum);
            let (message, _) = agreed.find(|(message, _)| is_ours(message))?;
            let Message::Checkpoint(checkpoint) = *message else { return None };
            Some(Stable { checkpoint, signatures: tally.signatures(message) })
        });
        let ahead = self.checkpoints.ahead.iter();
        let mut ahead = ahead.filter(|stable| self.has_reached(&stable.checkpoint, turn));
        let Some(stable) = heard.or_else(|| ahead.next().cloned()) else { return false };
        if stable.checkpoint.sequence > self.executed {
            self.executed = stable.checkpoint.sequence;
        }
        let block = stable.checkpoint.block;
        turn.act(Effect::Commit { block, proof: Some(stable.encode()) });
        self.settle(stable, turn);
        true
    }

    /// Whether we hold what a checkpoint says.
    fn has_reached(&self, checkpoint: &Checkpoint, turn: &Turn<'_, Message>) -> bool {
        let Checkpoint { sequence, block, .. } = *checkpoint;
        if sequence > self.executed {
            return block == self.head;
        }
        match self.checkpoints.ours.get(&sequence) {
            Some(ours) => ours == checkpoint,
            None => turn.app.block(block).is_some(),
        }
    }

    /// C3: everything up to a stable checkpoint is done with, for good.
    fn settle(&mut self, mut stable: Stable, turn: &mut Turn<'_, Message>) {
        // As many as it takes, whoever gave it to us: it travels in our view changes.
        stable.signatures.truncate(self.size.quorum());
        let low = stable.checkpoint.sequence;
        self.stable = Some(stable);
        self.log.prune(low);
        self.forget(low);
        self.checkpoints.prune(low);
        turn.act(Effect::Horizon { height: low, round: self.view });
    }

    /// Batches and certificates up to a number.
    fn forget(&mut self, low: u64) {
        self.batches.prune(low);
        self.prepared = self.prepared.split_off(&low.saturating_add(1));
    }

    /// C4: the replica's sync committed blocks without us. The proof is a stable checkpoint.
    pub(super) fn c4_advance(
        &mut self,
        block: BlockHash,
        proof: &Proof,
        turn: &mut Turn<'_, Message>,
    ) {
        let stable = Stable::decode(proof).expect("sync has verified it");
        let sequence = stable.checkpoint.sequence;
        // A block that is new to us has a number that is, unless more than f are Byzantine.
        (self.executed, self.head) = (sequence.max(self.executed), block);
        note(turn, "synced", format!("to number {sequence}"));
        self.settle(stable, turn);
        self.progress(turn);
    }
}
