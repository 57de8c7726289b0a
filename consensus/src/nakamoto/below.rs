//! R12: a heavier branch that would undo what is committed.

use super::{Instance, Message, note, tree::worth};
use crate::{
    protocol::{Effect, Turn},
    work::{Target, Work},
};
use ledger::{BlockHash, Header};

impl Instance {
    /// A branch of blocks that wait stands on `fork`, which the ledger knows and the tree does not:
    /// it is committed, and not the newest. If the branch carries more work than ours since then,
    /// what we hold irreversible was not, and the replica halts when it is told to commit both.
    pub(super) fn r12_is_it_heavier(
        &mut self,
        fork: BlockHash,
        tip: BlockHash,
        turn: &mut Turn<'_, Message>,
    ) {
        let Some(fork) = turn.app.block(fork) else { return };
        let branch = self.orphans.branch(fork.hash(), tip);
        let mut parent = &fork.header;
        for block in &branch {
            let header = &block.header;
            if !follows(header, parent) || !self.is_due_below(header, parent) {
                return;
            }
            parent = header;
        }
        let theirs: Work = branch.iter().map(|block| worth(&block.header)).sum();
        let ours = self.tree.work_since(fork.hash(), turn);
        let place = format!("height {}", fork.header.height);
        if theirs <= ours {
            return note(turn, "below", format!("a branch from {place} is too light to matter"));
        }
        note(turn, "conflict", format!("a heavier branch begins at the committed {place}"));
        // The ledger refuses it, and remembers that it lies beside the root.
        if let Some(first) = branch.first() {
            let _ = turn.app.accept(first);
            turn.act(Effect::Commit { block: first.hash(), proof: None });
        }
    }
}

/// Whether `header` is a child of `parent` that carries the work it states.
fn follows(header: &Header, parent: &Header) -> bool {
    header.parent == parent.hash()
        && header.height == parent.height + 1
        && Target::from_bits(header.seal.bits)
            .is_some_and(|target| target.is_met_by(header.hash().0.as_bytes()))
}
