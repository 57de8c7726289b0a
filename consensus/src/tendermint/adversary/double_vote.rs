//! `double-vote`: says in each slot one thing to one part of the others and another to the rest. In
//! its turn it proposes two blocks; it prevotes and precommits both, each to those it was shown to.
//! Where there is one proposal only, the other vote is nil. Liars agree on who is shown what without
//! a word: of two values the left see the smaller.

use super::{Instance, Message, Tendermint, faces};
use crate::{
    byzantine::{Lie, Seat, Side, note},
    protocol::{Effect, Input, Message as _, Protocol, To, Turn},
    quorum::Signed,
};
use ledger::{BlockHash, Draft};
use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(super) struct DoubleVote;

impl Lie<Tendermint> for DoubleVote {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        // The honest protocol hears what it is made to say besides, so that it knows both proposals.
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in turn.apart(|inner| honest.step(input, inner)) {
                match effect {
                    Effect::Send { message, .. } => {
                        inputs.extend(contradict(honest, message, seat, turn).map(Input::Heard));
                    }
                    other => turn.act(other),
                }
            }
        }
    }
}

/// Says a message to one part of the others, and another in the same slot to the rest. Returns the
/// other if it is a proposal.
fn contradict(
    honest: &Tendermint,
    message: Message,
    seat: &Seat,
    turn: &mut Turn<'_, Message>,
) -> Option<Signed<Message>> {
    let other = match &message {
        Message::Proposal { .. } => rival(&message, turn),
        vote => honest.instance.as_ref().and_then(|at| rival_vote(vote, at)),
    };
    let Some(other) = other else {
        turn.send(To::All, message);
        return None;
    };
    note(turn, format!("says two {}s", message.kind()));
    let [left, right] = Side::BOTH.map(|side| faces(side, seat, turn));
    let is_left = order(&message) < order(&other);
    let (ours, theirs) = if is_left { (left, right) } else { (right, left) };
    // The replica's signer signs what its own protocol said, and hears it.
    turn.send(To::Some(ours), message);
    let other = seat.sign(other);
    turn.act(Effect::Relay { to: To::Some(theirs), message: other.clone() });
    matches!(other.message(), Message::Proposal { .. }).then_some(other)
}

/// Nil is for the right, unless there is nothing else.
fn order(message: &Message) -> (bool, Option<BlockHash>) {
    (message.value().is_none(), message.value())
}

/// Another fresh block for the same round.
fn rival(message: &Message, turn: &Turn<'_, Message>) -> Option<Message> {
    let Message::Proposal { height, round, valid_round: None, block, .. } = message else {
        return None;
    };
    let draft = Draft {
        parent: block.header.parent,
        transactions: block.transactions.clone(),
        time: block.header.time.saturating_add(1),
        proposer: block.header.proposer,
        duties: block.duties.clone(),
        seal: block.header.seal,
    };
    let block = turn.app.assemble(draft).ok()?;
    let (valid_round, polka) = (None, Vec::new());
    Some(Message::Proposal { height: *height, round: *round, valid_round, polka, block })
}

/// A vote in the same slot for something else that was proposed in that round, or nil. None if
/// there is nothing else to vote for.
fn rival_vote(vote: &Message, at: &Instance) -> Option<Message> {
    let offers = at.log.offers(vote.round()).iter().map(|offer| Some(offer.value));
    let value = offers.chain([None]).find(|value| *value != vote.value())?;
    Some(match *vote {
        Message::Prevote { height, round, .. } => Message::Prevote { height, round, value },
        Message::Precommit { height, round, .. } => Message::Precommit { height, round, value },
        Message::Proposal { .. } => return None,
    })
}
