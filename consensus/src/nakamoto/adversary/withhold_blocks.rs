//! `withhold-blocks`: keeps what it finds until somebody else has found as much, and only then shows
//! it. Each time all the others have mined in vain for as long, or it has.

use super::{Message, Nakamoto, foreign, private::Private};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Input, Turn},
};

#[derive(Debug, Default)]
pub(super) struct WithholdBlocks {
    private: Private,
}

impl Lie<Nakamoto> for WithholdBlocks {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let theirs = foreign(&input, turn.me).map(|block| block.header.height);
        if self.private.step(honest, input, seat, turn) > 0 {
            note(turn, "keeps a block".into());
        }
        if let (Some(height), Some(top)) = (theirs, self.private.top())
            && top <= height
        {
            let shown = self.private.show(u64::MAX, turn);
            note(turn, format!("shows {shown} late"));
        }
        self.private.settle(turn);
    }
}
