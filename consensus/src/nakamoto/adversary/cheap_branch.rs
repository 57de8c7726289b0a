//! `cheap-branch`: a double spend with many cheap blocks in place of few costly ones. It dates what it
//! mines in secret as late as the others' clocks allow, so that its branch seems to lie behind its
//! schedule, and each next block is easier. Once that branch is higher than the public one it shows it.
//! Whoever counts blocks and not work takes back what it held confirmed.

use super::{super::tree::worth, Message, Nakamoto, double_spend::DoubleSpend};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Effect, Input, To, Turn},
    work::Work,
};

#[derive(Debug, Default)]
pub(super) struct CheapBranch(DoubleSpend);

impl Lie<Nakamoto> for CheapBranch {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let (wall, skew) = (turn.wall, honest.config.clock_skew);
        // By the clock that it pretends to have its blocks are of this moment.
        turn.wall = wall.saturating_add(skew);
        let effects = turn.apart(|inner| self.0.step(honest, input, seat, inner));
        turn.wall = wall;
        let (mut shown, mut work) = (0, Work::ZERO);
        for effect in effects {
            // What is passed on as everybody does goes to a few.
            if let Effect::Relay { to: To::All, message } = &effect {
                let Message::Block(block) = message.message();
                (shown, work) = (shown + 1, work.plus(worth(&block.header)));
            }
            turn.act(effect);
        }
        if shown > 0 {
            let ahead = skew.as_millis();
            note(turn, format!("shows {shown} blocks, dated {ahead} ms ahead, of work {work}"));
        }
    }
}
