//! `relabel`: passes off what others signed as something else. In its turn in a later round it
//! offers a block of its own with a "polka" of the round before: the others' true signatures, over
//! nil, other values, other rounds, or precommits. In its turn in a first round it says nothing, so
//! that there are later ones.
//!
//! It cannot put another's name to a whole message: [`Signed`](crate::Signed) is made by
//! verification or by one's own hand only. A polka is as anybody writes it.

use super::{Message, Tendermint};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Effect, Input, Protocol, To, Turn},
};
use crypto::Signature;
use ledger::ReplicaId;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Relabel {
    /// Of which height.
    height: u64,
    /// The newest vote of each, as far as its signature goes.
    heard: BTreeMap<ReplicaId, Signature>,
}

impl Lie<Tendermint> for Relabel {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Input::Heard(signed) = &input
            && !matches!(signed.message(), Message::Proposal { .. })
        {
            let height = signed.message().height();
            if height > self.height {
                (self.height, self.heard) = (height, BTreeMap::new());
            }
            if height == self.height {
                self.heard.insert(signed.sender(), *signed.signature());
            }
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            let Effect::Send {
                message: Message::Proposal { height, round, tables, block, .. },
                ..
            } = effect
            else {
                turn.act(effect);
                continue;
            };
            let Some(valid_round) = round.checked_sub(1) else {
                note(turn, "keeps its proposal".into());
                continue;
            };
            let polka: Vec<_> = self.heard.iter().map(|(id, signed)| (*id, *signed)).collect();
            note(turn, format!("passes off {} votes as a polka", polka.len()));
            let valid_round = Some(valid_round);
            let message = Message::Proposal { height, round, valid_round, polka, tables, block };
            seat.say(To::All, message, turn);
        }
    }
}
