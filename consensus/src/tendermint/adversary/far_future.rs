//! `far-future`: says beside each of its votes something of a round that nobody will ever see. What
//! keeps all it hears runs out of memory, and what skips to the highest round it hears never comes
//! back.

use super::{Message, Tendermint};
use crate::{
    byzantine::{Lie, Seat, note, pick},
    protocol::{Effect, To, Turn},
};
use ledger::Block;
use std::sync::Arc;

/// How far ahead it speaks, and within how many rounds.
const AHEAD: u64 = 1_000_000;

#[derive(Debug, Default)]
pub(super) struct FarFuture {
    /// The newest block it has proposed, to be proposed again.
    block: Option<Arc<Block>>,
}

impl Lie<Tendermint> for FarFuture {
    fn bend(&mut self, effect: Effect<Message>, seat: &Seat, turn: &mut Turn<'_, Message>) {
        if let Effect::Send { message, .. } = &effect {
            let (height, value) = (message.height(), message.value());
            let round = AHEAD + pick(turn, AHEAD);
            let mut far = vec![
                Message::Prevote { height, round, value, table: None },
                Message::Precommit { height, round, value, table: None },
            ];
            if let Message::Proposal { block, .. } = message {
                self.block = Some(Arc::clone(block));
            }
            if let Some(block) = &self.block {
                let (valid_round, polka, block) = (None, Vec::new(), Arc::clone(block));
                far.push(Message::Proposal {
                    height,
                    round,
                    valid_round,
                    polka,
                    tables: None,
                    block,
                });
            }
            note(turn, format!("speaks of round {round}"));
            far.into_iter().for_each(|message| seat.say(To::All, message, turn));
        }
        turn.act(effect);
    }
}
