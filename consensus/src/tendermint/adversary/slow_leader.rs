//! `slow-leader`: proposes when the others are just about to give up. No round fails by it, and each
//! of its heights takes as long as a failed round would.

use super::{Message, Tendermint};
use crate::{
    byzantine::{Lie, Seat, alarm, alarm_of, note},
    protocol::{Effect, Input, Protocol, Turn},
};

/// How much of the others' patience it uses up, in per cent. The rest is for the way to them, and
/// for their being somewhere else in the round than we are.
const SHARE: u32 = 80;

#[derive(Debug, Default)]
pub(super) struct SlowLeader {
    /// The proposal that waits, and the number of its timer.
    held: Option<(u64, Effect<Message>)>,
    numbers: u64,
}

impl Lie<Tendermint> for SlowLeader {
    fn step(
        &mut self,
        honest: &mut Tendermint,
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
                Effect::Send { message: Message::Proposal { round, .. }, .. } => {
                    let config = honest.config;
                    let after = config.grown(config.propose, round) * SHARE / 100;
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
