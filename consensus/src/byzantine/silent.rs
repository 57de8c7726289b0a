//! `silent`: hears everything and says nothing.

use super::{Lie, Seat, note};
use crate::protocol::{Effect, Message, Protocol, Turn};

#[derive(Debug)]
pub(super) struct Silent;

impl<P: Protocol> Lie<P> for Silent {
    fn bend(&mut self, effect: Effect<P::Message>, _: &Seat, turn: &mut Turn<'_, P::Message>) {
        match effect {
            Effect::Send { message, .. } => note(turn, format!("keeps its {}", message.kind())),
            Effect::Relay { message, .. } => {
                note(turn, format!("does not pass on a {}", message.message().kind()));
            }
            other => turn.act(other),
        }
    }
}
