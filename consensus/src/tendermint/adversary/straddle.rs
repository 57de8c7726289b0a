//! `straddle`: lives on both sides of a partition and contradicts itself nowhere. It says ALIVE on both, in the
//! same words, and proposes and votes on one side in even rounds, on the other in odd ones. Where a leak has
//! no floor, both sides come to count it towards a quorum of their own, and nobody can be convicted of the two
//! blocks.

use super::{Message, Tendermint};
use crate::{
    byzantine::{Lie, Seat, Side, note},
    protocol::{Effect, Input, Message as _, Protocol, Turn},
};

#[derive(Debug, Default)]
pub(super) struct Straddle {
    /// Of the two machines, which this one is: that of whoever honest is heard first.
    side: Option<Side>,
}

impl Lie<Tendermint> for Straddle {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Input::Heard(signed) = &input
            && !seat.plot().is_liar(signed.sender())
        {
            // Where there is no partition, others' messages come later, by way of our own side.
            self.side.get_or_insert(seat.plot().side(signed.sender()));
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            self.bend(effect, seat, turn);
        }
    }

    fn bend(&mut self, effect: Effect<Message>, _seat: &Seat, turn: &mut Turn<'_, Message>) {
        match effect {
            Effect::Send { message, .. } if !self.may_say(&message) => {
                note(turn, format!("leaves its {} to the other side", message.kind()));
            }
            other => turn.act(other),
        }
    }
}

impl Straddle {
    /// Whether this side has the turn; whoever is alive is so everywhere.
    fn may_say(&self, message: &Message) -> bool {
        let turn = if message.round().is_multiple_of(2) { Side::Left } else { Side::Right };
        matches!(message, Message::Alive { .. }) || self.side == Some(turn)
    }
}
