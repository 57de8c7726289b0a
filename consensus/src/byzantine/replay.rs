//! `replay`: says again what was said long ago, by itself and by others.

use super::{Lie, Seat, note, pick};
use crate::{
    protocol::{Effect, Input, Message, Protocol, To, Turn},
    quorum::Signed,
};
use std::collections::VecDeque;

/// How many messages it remembers; the oldest is forgotten first.
const MEMORY: usize = 512;

#[derive(Debug)]
pub(super) struct Replay<M> {
    heard: VecDeque<Signed<M>>,
}

impl<M> Replay<M> {
    pub(super) fn new() -> Replay<M> {
        Replay { heard: VecDeque::new() }
    }
}

impl<P: Protocol> Lie<P> for Replay<P::Message> {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        _: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        if let Input::Heard(signed) = &input {
            self.heard.push_back(signed.clone());
            if self.heard.len() > MEMORY {
                self.heard.pop_front();
            }
            // What it says again is not heard again by those who heard it, so this does not grow.
            if pick(turn, 2) == 0 {
                let old = pick(turn, self.heard.len() as u64) as usize;
                let message = self.heard[old].clone();
                let (kind, sender) = (message.message().kind(), message.sender());
                note(turn, format!("repeats a {kind} of {sender}"));
                turn.act(Effect::Relay { to: To::All, message });
            }
        }
        honest.step(input, turn);
    }
}
