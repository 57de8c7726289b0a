//! `double-spend`: mines a branch of its own and hears nobody. Once the others' branch is as long as
//! merchants wait for, and its own is longer, it shows it, and what was paid is paid no more. It
//! gives up when it is too far behind, and begins again.
//!
//! It owns no account, so it cannot pay the same coin elsewhere: what it does is undo what was
//! confirmed. That is the hard part of the attack.

use super::{Message, Nakamoto, foreign, head_height, private::Private};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Input, Turn},
    work::Target,
};
use ledger::BlockHash;
use std::collections::BTreeSet;

/// By how many blocks it may be behind before it gives up.
const PATIENCE: u64 = 8;

/// How many of the others' blocks wait until it hears them; one more and it gives up.
const MAX_HELD: usize = 512;

#[derive(Debug, Default)]
pub(super) struct DoubleSpend {
    private: Private,
    /// The height of the block from which the branches part.
    fork: u64,
    /// The greatest height of the others' branch.
    public: u64,
    /// What the others said meanwhile, and its names.
    unheard: Vec<Input<Message>>,
    names: BTreeSet<BlockHash>,
}

impl Lie<Nakamoto> for DoubleSpend {
    fn step(
        &mut self,
        honest: &mut Nakamoto,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let begins = matches!(input, Input::Start { .. } | Input::Advanced { .. });
        let theirs = foreign(&input, turn.me).map(|block| (block.hash(), block.header.clone()));
        match theirs {
            Some((hash, header)) => {
                let target = Target::from_bits(header.seal.bits);
                if target.is_some_and(|target| target.is_met_by(hash.0.as_bytes()))
                    && self.names.insert(hash)
                {
                    self.public = self.public.max(header.height);
                    self.unheard.push(input);
                }
            }
            None => {
                if self.private.step(honest, input, seat, turn) > 0 {
                    note(turn, "mines in secret".into());
                }
            }
        }
        if begins {
            self.begin(honest);
        }
        let depths = honest.config.depths;
        let ours = self.private.top().unwrap_or(self.fork);
        if self.public >= self.fork + depths.confirmations && ours > self.public {
            let undone = self.public - self.fork;
            let shown = self.private.show(u64::MAX, turn);
            note(turn, format!("undoes {undone} blocks by {shown} of its own"));
            self.hear(honest, seat, turn);
        } else if self.public > ours + PATIENCE
            || self.public > self.fork + depths.irreversible / 2
            || self.unheard.len() > MAX_HELD
        {
            note(turn, format!("gives up after {} blocks", self.public - self.fork));
            self.private.abandon();
            self.hear(honest, seat, turn);
        }
        self.private.settle(turn);
    }
}

impl DoubleSpend {
    /// Hears all that it did not want to know, and begins again.
    fn hear(&mut self, honest: &mut Nakamoto, seat: &Seat, turn: &mut Turn<'_, Message>) {
        for input in std::mem::take(&mut self.unheard) {
            self.private.step(honest, input, seat, turn);
        }
        self.begin(honest);
    }

    fn begin(&mut self, honest: &Nakamoto) {
        self.names.clear();
        self.fork = head_height(honest.instance.as_ref());
        self.public = self.fork;
    }
}
