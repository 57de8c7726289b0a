//! `garbage`: signs nonsense. A true message's bytes, a few of them changed, wherever that still
//! decodes: other heights, other rounds, other kinds, blocks that nobody built.

use super::{Lie, Seat, note, pick};
use crate::protocol::{Effect, Message, Protocol, To, Turn};
use crypto::codec;

/// The longest message that is spoilt, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// How often it is tried until something decodes.
const TRIES: u32 = 16;

#[derive(Debug)]
pub(super) struct Garbage;

impl<P: Protocol> Lie<P> for Garbage {
    fn bend(&mut self, effect: Effect<P::Message>, seat: &Seat, turn: &mut Turn<'_, P::Message>) {
        let Effect::Send { to, message } = effect else { return turn.act(effect) };
        for _ in 0..1 + pick(turn, 3) {
            if let Some(spoilt) = spoil(&message, turn) {
                note(turn, format!("makes a {} of a {}", spoilt.kind(), message.kind()));
                seat.say(To::All, spoilt, turn);
            }
        }
        if pick(turn, 2) == 0 {
            turn.act(Effect::Send { to, message });
        }
    }
}

/// Another message whose bytes are almost those of this one.
fn spoil<M: Message>(message: &M, turn: &mut Turn<'_, M>) -> Option<M> {
    let bytes = codec::encode(message);
    (0..TRIES).find_map(|_| {
        let mut bytes = bytes.clone();
        for _ in 0..1 + pick(turn, 4) {
            let at = pick(turn, bytes.len() as u64) as usize;
            bytes[at] = pick(turn, 256) as u8;
        }
        let spoilt = codec::decode(&bytes, MAX_BYTES).ok()?;
        (spoilt != *message).then_some(spoilt)
    })
}
