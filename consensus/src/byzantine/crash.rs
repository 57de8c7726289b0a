//! `crash`: follows the protocol until a moment drawn at random, and then does nothing at all.

use super::{Lie, Seat, between, note};
use crate::protocol::{Effect, Input, Protocol, Turn};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Crash {
    /// In time of this life; none before the first step.
    end: Option<Duration>,
    over: bool,
}

impl<P: Protocol> Lie<P> for Crash {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        let end = match self.end {
            Some(end) => end,
            None => turn.now + between(turn, 1_000, 10_000),
        };
        self.end = Some(end);
        if turn.now < end {
            return honest.step(input, turn);
        }
        if !std::mem::replace(&mut self.over, true) {
            note(turn, "takes no step any more".into());
        }
        // Its replica beneath goes on to commit what others decide. What the protocol keeps has to fit
        // that, or it could not live again.
        if let Input::Advanced { .. } = input {
            let kept = |effect: &Effect<P::Message>| matches!(effect, Effect::Persist { .. });
            let effects = turn.apart(|inner| honest.step(input, inner));
            effects.into_iter().filter(kept).for_each(|effect| turn.act(effect));
        }
    }
}
