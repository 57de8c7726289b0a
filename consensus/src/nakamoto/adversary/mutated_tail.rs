//! `mutated-tail`: sends blocks with their last transactions doubled ahead of the true ones, its own
//! and others'. In Bitcoin's Merkle tree both lists had one root; whoever found the body invalid
//! remembered that of the header, and refused the true block for ever.

use super::{Message, Nakamoto, foreign};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Effect, Input, Protocol, To, Turn},
};
use ledger::Block;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct MutatedTail;

impl Lie<Nakamoto> for MutatedTail {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Some(block) = foreign(&input, turn.me).filter(|_| matches!(input, Input::Heard(_))) {
            spoil(block, seat, turn);
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            if let Effect::Send { message: Message::Block(block), .. } = &effect {
                spoil(block, seat, turn);
            }
            turn.act(effect);
        }
    }
}

/// Sends the block with its tail doubled, if it has one: as many transactions as make up the last
/// full subtree.
fn spoil(block: &Arc<Block>, seat: &Seat, turn: &mut Turn<'_, Message>) {
    let count = block.transactions.len();
    let tail = count & count.wrapping_neg();
    // What others have doubled is not doubled again.
    if count == 0 || !block.body_matches() {
        return;
    }
    let mut mutant = Block::clone(block);
    mutant.transactions.extend_from_within(count - tail..);
    note(turn, format!("doubles the last {tail} transactions of a block"));
    seat.say(To::All, Message::Block(Arc::new(mutant)), turn);
}
