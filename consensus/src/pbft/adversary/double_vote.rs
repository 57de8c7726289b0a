//! `double-vote`: says for each number one thing to one part of the others and another to the rest.
//! As primary it proposes two batches; it prepares and commits both, each to those it was shown to.
//! Liars agree on who is shown what without a word: of two values the left see the smaller.

use super::{
    super::{Value, batch},
    Message, Pbft, faces,
};
use crate::{
    byzantine::{Lie, Seat, Side, note},
    protocol::{Effect, Input, Message as _, Protocol, To, Turn},
    quorum::Signed,
};
use ledger::BlockHash;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// Of how many views and numbers it remembers what liars proposed; the lowest are forgotten first.
const MEMORY: usize = 64;

#[derive(Debug, Default)]
pub(super) struct DoubleVote {
    /// What liars proposed, by view and number. It takes both to know which is whose.
    pairs: BTreeMap<(u64, u64), BTreeSet<BlockHash>>,
    /// The first of two, which the honest protocol hears with the second: it votes at once.
    held: BTreeMap<(u64, u64), Signed<Message>>,
}

impl Lie<Pbft> for DoubleVote {
    fn step(
        &mut self,
        honest: &mut Pbft,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let mut inputs = VecDeque::from(self.wait_for_both(input, seat, turn));
        while let Some(input) = inputs.pop_front() {
            for effect in turn.apart(|inner| honest.step(input, inner)) {
                match effect {
                    Effect::Send { message, .. } => {
                        let said = self.contradict(message, seat, turn);
                        inputs.extend(said.map(Input::Heard));
                    }
                    other => turn.act(other),
                }
            }
        }
    }
}

impl DoubleVote {
    /// Keeps the first proposal of another liar back until the second is there.
    fn wait_for_both(
        &mut self,
        input: Input<Message>,
        seat: &Seat,
        turn: &Turn<'_, Message>,
    ) -> Vec<Input<Message>> {
        let (signed, place) = match input {
            Input::Heard(signed) if signed.sender() != turn.me => match *signed.message() {
                Message::PrePrepare { view, ref batch } if seat.plot().is_liar(signed.sender()) => {
                    let place = (view, batch.header.height);
                    self.pair(place, batch.hash());
                    (signed, place)
                }
                _ => return vec![Input::Heard(signed)],
            },
            input => return vec![input],
        };
        if self.pairs.get(&place).is_none_or(|pair| pair.len() < 2) {
            self.held.insert(place, signed);
            return Vec::new();
        }
        self.held.remove(&place).into_iter().chain([signed]).map(Input::Heard).collect()
    }

    /// Notes a proposal of a liar.
    fn pair(&mut self, place: (u64, u64), digest: BlockHash) {
        self.pairs.entry(place).or_default().insert(digest);
        while self.pairs.len() > MEMORY {
            self.pairs.pop_first();
        }
        while self.held.len() > MEMORY {
            self.held.pop_first();
        }
    }

    /// Says a message to one part of the others, and another in the same slot to the rest. Returns
    /// the other if it is a proposal: the honest protocol is to know both.
    fn contradict(
        &mut self,
        message: Message,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) -> Option<Signed<Message>> {
        let Some(other) = self.rival(&message, turn) else {
            turn.send(To::All, message);
            return None;
        };
        note(turn, format!("says two {}s", message.kind()));
        let [left, right] = Side::BOTH.map(|side| faces(side, seat, turn));
        let is_left = value(&message) < value(&other);
        let (ours, theirs) = if is_left { (left, right) } else { (right, left) };
        // The replica's signer signs what its own protocol said, and hears it.
        turn.send(To::Some(ours), message);
        let other = seat.sign(other);
        turn.act(Effect::Relay { to: To::Some(theirs), message: other.clone() });
        matches!(other.message(), Message::PrePrepare { .. }).then_some(other)
    }

    /// Something else for the same slot, if liars have proposed two things there.
    fn rival(&mut self, message: &Message, turn: &Turn<'_, Message>) -> Option<Message> {
        match *message {
            Message::PrePrepare { view, ref batch } => {
                let (sequence, time) = (batch.header.height, batch.header.time.saturating_add(1));
                let other = batch::build(sequence, time, turn.me, batch.transactions.clone());
                self.pair((view, sequence), batch.hash());
                self.pair((view, sequence), other.hash());
                Some(Message::PrePrepare { view, batch: Arc::clone(&other) })
            }
            Message::Prepare { view, sequence, value } => {
                let value = self.other(view, sequence, value)?;
                Some(Message::Prepare { view, sequence, value })
            }
            Message::Commit { view, sequence, value } => {
                let value = self.other(view, sequence, value)?;
                Some(Message::Commit { view, sequence, value })
            }
            _ => None,
        }
    }

    fn other(&self, view: u64, sequence: u64, value: Value) -> Option<Value> {
        let pair = self.pairs.get(&(view, sequence))?;
        pair.iter().copied().map(Some).find(|other| *other != value)
    }
}

/// What a message is about, if that is a value.
fn value(message: &Message) -> Option<BlockHash> {
    match *message {
        Message::PrePrepare { ref batch, .. } => Some(batch.hash()),
        Message::Prepare { value, .. } | Message::Commit { value, .. } => value,
        _ => None,
    }
}
