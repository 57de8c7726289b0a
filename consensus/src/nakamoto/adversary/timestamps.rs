//! `timestamps`: dates its blocks by turns as late as the others' clocks allow and as early as the
//! median allows, to stretch and squeeze the schedule that the difficulty follows.

use super::{super::phase, Message, Nakamoto, head_height};
use crate::{
    byzantine::{Lie, Seat, note, step_dated},
    protocol::{Effect, Input, Timer, Turn},
};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Timestamps;

impl Lie<Nakamoto> for Timestamps {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        _: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let wall = turn.wall;
        let late = wall.saturating_add(honest.config.clock_skew);
        // Which it is to be depends on the height of the block that is being mined. A step in which
        // the head changes is dated as if it had not; the next refresh mends that.
        let is_early = head_height(honest.instance.as_ref()).is_multiple_of(2);
        let time = if is_early { Duration::ZERO } else { late };
        // A block that is brought up to date without the ledger takes the time from the clock.
        if matches!(input, Input::Rang(Timer(slot)) if slot.phase == phase::REFRESH) {
            turn.wall = time;
        }
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let effects = turn.apart(|inner| step_dated(honest, input, time, inner));
        turn.wall = wall;
        for effect in effects {
            if let Effect::Send { message: Message::Block(block), .. } = &effect {
                let date = Duration::from_millis(block.header.time);
                let off = if date > wall { "ahead of" } else { "behind" };
                note(
                    turn,
                    format!("dates a block {} ms {off} its clock", date.abs_diff(wall).as_millis()),
                );
            }
            turn.act(effect);
        }
    }
}
