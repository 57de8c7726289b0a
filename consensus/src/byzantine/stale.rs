//! `stale`: lives in the past. It hears the others late and acts on what was true then.

use super::{Lie, Seat, alarm, alarm_of, note};
use crate::{
    protocol::{Effect, Input, Message, Protocol, Turn},
    quorum::Signed,
};
use std::{collections::BTreeMap, time::Duration};

/// How late: longer than a round takes where all is well.
const LATE: Duration = Duration::from_millis(700);

/// How many messages are under way to it at most; more than that are not heard.
const MAX_HELD: usize = 4_096;

#[derive(Debug)]
pub(super) struct Stale<M> {
    held: BTreeMap<u64, Signed<M>>,
    numbers: u64,
}

impl<M> Stale<M> {
    pub(super) fn new() -> Stale<M> {
        Stale { held: BTreeMap::new(), numbers: 0 }
    }
}

impl<P: Protocol> Lie<P> for Stale<P::Message> {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        if let Some(number) = alarm_of(&input) {
            if let Some(signed) = self.held.remove(&number) {
                honest.step(Input::Heard(signed), turn);
            }
            return;
        }
        match input {
            Input::Heard(signed) if signed.sender() != turn.me => {
                if self.held.len() < MAX_HELD {
                    let (kind, sender) = (signed.message().kind(), signed.sender());
                    note(turn, format!("hears a {kind} of {sender} late"));
                    self.numbers += 1;
                    self.held.insert(self.numbers, signed);
                    turn.act(Effect::SetTimer { timer: alarm(self.numbers), after: LATE });
                }
            }
            input => honest.step(input, turn),
        }
    }
}
