//! `invalid-block`: proposes batches that are none, because their header names other transactions. A
//! batch of true form cannot be invalid: what does not execute is left out.

use super::{Message, Pbft};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::Effect,
};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct InvalidBlock;

impl Lie<Pbft> for InvalidBlock {
    fn bend(
        &mut self,
        effect: Effect<Message>,
        seat: &Seat,
        turn: &mut crate::protocol::Turn<'_, Message>,
    ) {
        match effect {
            Effect::Send { to, message: Message::PrePrepare { view, batch } } => {
                let mut batch = Arc::unwrap_or_clone(batch);
                batch.header.transactions = crypto::hash::sha256(b"other transactions");
                note(turn, "proposes a batch that is none".into());
                seat.say(to, Message::PrePrepare { view, batch: Arc::new(batch) }, turn);
            }
            other => turn.act(other),
        }
    }
}
