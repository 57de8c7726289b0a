//! `slow-leader`: proposes when the others are just about to give up. No view fails by it, and each
//! number takes as long as a failed view would.

use super::{Message, Pbft};
use crate::{
    byzantine::{Lie, Seat, alarm, alarm_of, note},
    protocol::{Effect, Input, Protocol, Turn},
};

/// How much of the others' patience it uses up, in per cent. The rest is for the way to them and back.
const SHARE: u32 = 80;

#[derive(Debug, Default)]
pub(super) struct SlowLeader {
    /// The proposal that waits, and the number of its timer.
    held: Option<(u64, Effect<Message>)>,
    numbers: u64,
}

impl Lie<Pbft> for SlowLeader {
    fn step(
        &mut self,
        honest: &mut Pbft,
        input: Input<Message>,
        _: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Some(number) = alarm_of(&input) {
            if let Some((_, late)) = self.held.take_if(|(held, _)| *held == number) {
                turn.act(late);
            }
            return;
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            match effect {
                Effect::Send { message: Message::PrePrepare { .. }, .. } => {
                    let after = honest.config.timeout * SHARE / 100;
                    note(turn, format!("proposes {} ms late", after.as_millis()));
                    self.numbers += 1;
                    self.held = Some((self.numbers, effect));
                    turn.act(Effect::SetTimer { timer: alarm(self.numbers), after });
                }
                other => turn.act(other),
            }
        }
    }
}
