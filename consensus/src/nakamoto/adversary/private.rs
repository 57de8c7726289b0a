//! Blocks that were found and not shown: what several lies are made of.

use super::{Message, Nakamoto};
use crate::{
    byzantine::{Seat, run},
    protocol::{Effect, Input, To, Turn},
    quorum::Signed,
};
use ledger::BlockHash;
use std::{collections::VecDeque, ops::RangeInclusive};

/// How many blocks are hidden at most: with less than half of the work hardly ever so many. What is
/// final to oneself and to nobody else would stop one, so it is more only where finality is far.
const MAX_HIDDEN: RangeInclusive<u64> = 48..=4_096;

/// A branch of our own that stands on what everybody knows. The honest protocol knows all of it and
/// mines on it; the replica beneath is not told that it was adopted, and so tells nobody.
#[derive(Debug, Default)]
pub(super) struct Private {
    /// Oldest first.
    hidden: VecDeque<(u64, Signed<Message>)>,
    /// What the honest protocol adopted, while the replica must not know.
    head: Option<BlockHash>,
}

impl Private {
    /// The height of the newest hidden block.
    pub(super) fn top(&self) -> Option<u64> {
        self.hidden.back().map(|(height, _)| *height)
    }

    /// The name of the newest hidden block.
    fn tip(&self) -> Option<BlockHash> {
        self.hidden.back().map(|(_, signed)| {
            let Message::Block(block) = signed.message();
            block.hash()
        })
    }

    /// Lets the honest protocol take a step, and hides what it finds. Returns how much that was.
    pub(super) fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) -> usize {
        let before = self.hidden.len();
        run(honest, input, turn, |effect, turn| match effect {
            Effect::Send { message, .. } => {
                let Message::Block(block) = &message;
                let height = block.header.height;
                let signed = seat.sign(message);
                self.hidden.push_back((height, signed.clone()));
                Some(signed)
            }
            Effect::Adopt { head } => {
                self.head = Some(head);
                None
            }
            other => {
                turn.act(other);
                None
            }
        });
        let found = self.hidden.len() - before;
        let head = honest.instance.as_ref().map(|at| at.tree.head());
        if self.tip().is_some_and(|tip| Some(tip) != head) {
            // Somebody else's branch is heavier: ours is worth nothing any more.
            self.hidden.clear();
        }
        let (least, most) = MAX_HIDDEN.into_inner();
        let limit = (honest.config.depths.irreversible / 2).clamp(least, most);
        if self.hidden.len() as u64 > limit {
            self.show(u64::MAX, turn);
        }
        found
    }

    /// Shows what is hidden up to a height. Returns how much that was.
    pub(super) fn show(&mut self, height: u64, turn: &mut Turn<'_, Message>) -> usize {
        let mut shown = 0;
        while let Some((_, message)) = self.hidden.pop_front_if(|(at, _)| *at <= height) {
            turn.act(Effect::Relay { to: To::All, message });
            shown += 1;
        }
        shown
    }

    /// Gives up what is hidden.
    pub(super) fn abandon(&mut self) {
        self.hidden.clear();
    }

    /// Once nothing is hidden any more the replica may know where we are. Comes last in a step.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_, Message>) {
        if self.hidden.is_empty()
            && let Some(head) = self.head.take()
        {
            turn.act(Effect::Adopt { head });
        }
    }
}
