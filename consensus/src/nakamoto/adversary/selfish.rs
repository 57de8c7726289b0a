//! `selfish`: SM1. It hides what it finds and mines on it. When the others catch up to one block it
//! shows all and wins; when they catch up it shows all and hopes; else it shows as much as they have.
//! Its blocks are not more than its share, but of the others' some are wasted.

use super::{Message, Nakamoto, foreign, private::Private};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Input, Turn},
};

#[derive(Debug, Default)]
pub(super) struct Selfish {
    private: Private,
    /// The greatest height at which another's block was seen.
    public: u64,
    /// Whether two branches of one length, ours among them, are before everybody.
    races: bool,
}

impl Lie<Nakamoto> for Selfish {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let theirs = foreign(&input, turn.me).map(|block| (block.hash(), block.header.height));
        if self.private.step(honest, input, seat, turn) > 0 {
            note(turn, "hides a block".into());
            if std::mem::take(&mut self.races) {
                let shown = self.private.show(u64::MAX, turn);
                note(turn, format!("shows {shown} and wins a race"));
            }
        }
        let is_good = |hash| honest.instance.as_ref().is_some_and(|at| at.tree.contains(hash));
        if let Some((hash, height)) = theirs
            && height > self.public
            && is_good(hash)
        {
            self.public = height;
            self.races = false;
            self.answer(height, turn);
        }
        self.private.settle(turn);
    }
}

impl Selfish {
    /// The others have found a block at a height where there was none.
    fn answer(&mut self, height: u64, turn: &mut Turn<'_, Message>) {
        let Some(top) = self.private.top() else { return };
        match top.saturating_sub(height) {
            0 => {
                let shown = self.private.show(u64::MAX, turn);
                note(turn, format!("shows {shown} for a race"));
                self.races = true;
            }
            1 => {
                let shown = self.private.show(u64::MAX, turn);
                note(turn, format!("shows {shown} and overrides"));
            }
            _ => {
                let shown = self.private.show(height, turn);
                note(turn, format!("shows {shown} of more"));
            }
        }
    }
}
