//! `withhold`: its prevote makes a polka for one replica alone, which locks alone; its precommit is
//! nobody's. Where each honest vote is needed, a lock that cannot be explained to the others could
//! stop everybody for good: see the chapter's fourth difference from the paper.

use super::{Message, Tendermint};
use crate::{
    byzantine::{Lie, Seat, note, pick, recipients, run},
    protocol::{Effect, Input, To, Turn},
};

#[derive(Debug)]
pub(super) struct Withhold;

impl Lie<Tendermint> for Withhold {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        run(honest, input, turn, |effect, turn| match effect {
            Effect::Send { message: message @ Message::Prevote { value: Some(_), .. }, .. } => {
                let mut honest = recipients(To::All, turn);
                honest.retain(|id| !seat.plot().is_liar(*id));
                let signed = seat.sign(message);
                if !honest.is_empty() {
                    let chosen = honest[pick(turn, honest.len() as u64) as usize];
                    note(turn, format!("shows its prevote to {chosen} only"));
                    turn.act(Effect::Relay { to: To::One(chosen), message: signed.clone() });
                }
                Some(signed)
            }
            Effect::Send { message: message @ Message::Precommit { .. }, .. } => {
                note(turn, "keeps its precommit".into());
                Some(seat.sign(message))
            }
            other => {
                turn.act(other);
                None
            }
        });
    }
}
