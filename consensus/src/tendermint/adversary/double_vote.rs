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
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// In later rounds it does not wait for a second proposal.
const MAX_ROUND: u64 = 1_000;

#[derive(Debug, Default)]
pub(super) struct DoubleVote {
    height: u64,
    /// What liars proposed at that height, by round. It takes both to know which is whose.
    pairs: BTreeMap<u64, BTreeSet<BlockHash>>,
    /// The first of two, which the honest protocol hears with the second: it votes at once.
    held: BTreeMap<u64, Signed<Message>>,
}

impl Lie<Tendermint> for DoubleVote {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let mut inputs = VecDeque::from(self.wait_for_both(input, seat, turn));
        while let Some(input) = inputs.pop_front() {
            for effect in turn.apart(|inner| honest.step(input, inner)) {
                match effect {
                    Effect::Send { message, .. } => {
                        let said = self.contradict(honest, message, seat, turn);
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
        let signed = match input {
            Input::Heard(signed)
                if matches!(
                    signed.message(),
                    Message::Proposal { round: 0..=MAX_ROUND, valid_round: None, .. }
                ) && seat.plot().is_liar(signed.sender())
                    && signed.sender() != turn.me =>
            {
                signed
            }
            input => return vec![input],
        };
        let round = signed.message().round();
        let pair = self.pair(signed.message());
        if pair < 2 {
            self.held.insert(round, signed);
            return Vec::new();
        }
        self.held.remove(&round).into_iter().chain([signed]).map(Input::Heard).collect()
    }

    /// Notes a proposal of a liar. Returns how many there are in its round.
    fn pair(&mut self, proposal: &Message) -> usize {
        if proposal.height() > self.height {
            *self = DoubleVote { height: proposal.height(), ..DoubleVote::default() };
        }
        let pair = self.pairs.entry(proposal.round()).or_default();
        pair.extend(proposal.value());
        pair.len()
    }

    /// Says a message to one part of the others, and another in the same slot to the rest. Returns
    /// the other if it is a proposal: the honest protocol is to know both.
    fn contradict(
        &mut self,
        honest: &Tendermint,
        message: Message,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) -> Option<Signed<Message>> {
        let other = match &message {
            Message::Proposal { .. } => rival(&message, turn),
            vote => honest.instance.as_ref().and_then(|at| self.rival_vote(vote, at)),
        };
        let Some(other) = other else {
            turn.send(To::All, message);
            return None;
        };
        if let Message::Proposal { .. } = message {
            self.pair(&message);
            self.pair(&other);
        }
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

    /// A vote in the same slot for something else that was proposed in that round, or nil. None if
    /// there is nothing else to vote for.
    fn rival_vote(&self, vote: &Message, at: &Instance) -> Option<Message> {
        let round = vote.round();
        let pair = self.pairs.get(&round).filter(|_| self.height == vote.height());
        let pair = pair.into_iter().flatten().copied();
        let offers = at.log.offers(round).iter().map(|offer| offer.value);
        let mut values = pair.chain(offers).map(Some).chain([None]);
        let value = values.find(|value| *value != vote.value())?;
        // Of its own proposals this one may be news to us; they all bring one table.
        let offers = at.log.offers(round).iter();
        let mut tables = offers.filter(|offer| Some(offer.value) == value).map(|offer| offer.table);
        let table = tables.next().unwrap_or(value.and(vote.table()));
        Some(match *vote {
            Message::Prevote { height, round, .. } => {
                Message::Prevote { height, round, value, table }
            }
            Message::Precommit { height, round, .. } => {
                Message::Precommit { height, round, value, table }
            }
            Message::Alive { .. } | Message::Proposal { .. } => return None,
        })
    }
}

/// Nil is for the right, unless there is nothing else.
fn order(message: &Message) -> (bool, Option<BlockHash>) {
    (message.value().is_none(), message.value())
}

/// Another fresh block for the same round.
fn rival(message: &Message, turn: &Turn<'_, Message>) -> Option<Message> {
    let Message::Proposal { height, round, valid_round: None, tables, block, .. } = message else {
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
    Some(Message::Proposal {
        height: *height,
        round: *round,
        valid_round,
        polka,
        tables: tables.clone(),
        block,
    })
}
