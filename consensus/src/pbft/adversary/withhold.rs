//! `withhold`: shows each vote to one other only, chosen at random. With the rest honest some are
//! prepared, and the others do not know it.

use super::{Message, Pbft};
use crate::{
    byzantine::{Lie, Seat, note, pick, recipients},
    protocol::{Effect, Message as _, To, Turn},
};

#[derive(Debug)]
pub(super) struct Withhold;

impl Lie<Pbft> for Withhold {
    fn bend(&mut self, effect: Effect<Message>, seat: &Seat, turn: &mut Turn<'_, Message>) {
        match effect {
            Effect::Send {
                message: message @ (Message::Prepare { .. } | Message::Commit { .. }),
                ..
            } => {
                let others = recipients(To::All, turn);
                let honest: Vec<_> =
                    others.into_iter().filter(|id| !seat.plot().is_liar(*id)).collect();
                let to = match honest.len() as u64 {
                    0 => Vec::new(),
                    count => vec![honest[pick(turn, count) as usize]],
                };
                note(turn, format!("shows its {} to {} only", message.kind(), to.len()));
                turn.send(To::Some(to), message);
            }
            other => turn.act(other),
        }
    }
}
