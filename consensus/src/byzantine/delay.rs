//! `delay`: says everything it should, late.

use super::{Lie, Seat, alarm, alarm_of, between, note};
use crate::protocol::{Effect, Input, Message, Protocol, Turn};
use std::{collections::BTreeMap, time::Duration};

/// Milliseconds by which a message is late: from hardly to longer than most timeouts.
const LATE: (u64, u64) = (100, 2_000);

/// How many messages wait at most; one more is not said at all.
const MAX_HELD: usize = 256;

#[derive(Debug)]
pub(super) struct Delay<M> {
    held: BTreeMap<u64, Effect<M>>,
    numbers: u64,
}

impl<M> Delay<M> {
    pub(super) fn new() -> Delay<M> {
        Delay { held: BTreeMap::new(), numbers: 0 }
    }

    /// Keeps an effect back for `after`; [`Delay::take`] has it then.
    pub(super) fn hold(&mut self, effect: Effect<M>, after: Duration, turn: &mut Turn<'_, M>)
    where
        M: Message,
    {
        if self.held.len() >= MAX_HELD {
            return;
        }
        self.numbers += 1;
        self.held.insert(self.numbers, effect);
        turn.act(Effect::SetTimer { timer: alarm(self.numbers), after });
    }

    /// What was kept back until this timer.
    pub(super) fn take(&mut self, number: u64) -> Option<Effect<M>> {
        self.held.remove(&number)
    }
}

impl<P: Protocol> Lie<P> for Delay<P::Message> {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        if let Some(number) = alarm_of(&input) {
            return self.take(number).into_iter().for_each(|effect| turn.act(effect));
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            Lie::<P>::bend(self, effect, seat, turn);
        }
    }

    fn bend(&mut self, effect: Effect<P::Message>, _: &Seat, turn: &mut Turn<'_, P::Message>) {
        let kind = match &effect {
            Effect::Send { message, .. } => message.kind(),
            Effect::Relay { message, .. } => message.message().kind(),
            _ => return turn.act(effect),
        };
        let after = between(turn, LATE.0, LATE.1);
        note(turn, format!("says its {kind} {} ms late", after.as_millis()));
        self.hold(effect, after, turn);
    }
}
