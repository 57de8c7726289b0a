//! `far-future`: says beside each of its votes something of a view and a number that nobody will
//! ever see. What keeps all it hears runs out of memory, and what joins the highest view it hears of
//! never comes back.

use super::{
    super::{ViewChange, batch},
    Message, Pbft,
};
use crate::{
    byzantine::{Lie, Seat, note, pick},
    protocol::{Effect, To, Turn},
};

/// How far ahead it speaks, and within how much.
const AHEAD: u64 = 1_000_000;

#[derive(Debug)]
pub(super) struct FarFuture;

impl Lie<Pbft> for FarFuture {
    fn bend(&mut self, effect: Effect<Message>, seat: &Seat, turn: &mut Turn<'_, Message>) {
        if let Effect::Send { message, .. } = &effect
            && let Message::PrePrepare { view, .. }
            | Message::Prepare { view, .. }
            | Message::Commit { view, .. } = *message
        {
            let (far, sequence) = (AHEAD + pick(turn, AHEAD), AHEAD + pick(turn, AHEAD));
            let (stable, prepared) = (None, Vec::new());
            let batch = batch::build(sequence, 0, turn.me, Vec::new());
            note(turn, format!("speaks of view {far} and number {sequence}"));
            for message in [
                Message::ViewChange(ViewChange { view: far, stable, prepared }),
                Message::NewView { view: far, changes: Vec::new(), proposals: Vec::new() },
                Message::PrePrepare { view, batch },
                Message::Prepare { view: far, sequence, value: None },
                Message::Commit { view, sequence, value: None },
            ] {
                seat.say(To::All, message, turn);
            }
        }
        turn.act(effect);
    }
}
