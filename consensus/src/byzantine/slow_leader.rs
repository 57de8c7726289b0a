//! `slow-leader`: proposes when the others are just about to give up. Nobody is replaced for it, and
//! everything takes as long as it would if somebody were.

use super::{Lie, Seat, alarm, alarm_of, note};
use crate::protocol::{Effect, Input, Protocol, Turn};
use std::time::Duration;

/// How much of the others' patience it uses up, in per cent. The rest is for the way to them and back,
/// and for their being somewhere else than we are.
const SHARE: u32 = 80;

/// How long the others wait for a message of a leader; none for what no leader says.
pub(crate) type Patience<P> = fn(&P, &<P as Protocol>::Message) -> Option<Duration>;

/// Late with what a leader says.
pub(crate) struct SlowLeader<P: Protocol> {
    patience: Patience<P>,
    /// The proposal that waits, and the number of its timer.
    held: Option<(u64, Effect<P::Message>)>,
    numbers: u64,
}

impl<P: Protocol> SlowLeader<P> {
    /// A leader that knows the others' patience.
    pub(crate) fn new(patience: Patience<P>) -> SlowLeader<P> {
        SlowLeader { patience, held: None, numbers: 0 }
    }
}

impl<P: Protocol> Lie<P> for SlowLeader<P> {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        if let Some(number) = alarm_of(&input) {
            if let Some((_, late)) = self.held.take_if(|(held, _)| *held == number) {
                turn.act(late);
            }
            return;
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            let patience = match &effect {
                Effect::Send { message, .. } => (self.patience)(honest, message),
                _ => None,
            };
            let Some(patience) = patience else {
                turn.act(effect);
                continue;
            };
            let after = patience * SHARE / 100;
            note(turn, format!("proposes {} ms late", after.as_millis()));
            self.numbers += 1;
            self.held = Some((self.numbers, effect));
            turn.act(Effect::SetTimer { timer: alarm(self.numbers), after });
        }
    }
}
