//! What each mutant of proof-of-work does instead: the weak rules, whole and in plain sight.
//!
//! Each function stands in for one rule of the chapter, and is asked only where a world wanted that
//! mutant. All that the true rule looks at is handed to it, so whoever repairs a mutant changes its
//! function and nothing else.

use super::{Instance, Message, note};
#[cfg(any(test, feature = "byzantine"))]
use crate::byzantine::mutants::{About, Beneath, Breaks};
use crate::{protocol::Turn, work::Work};
use ledger::{Block, BlockHash};

pub(super) const N1: &str = "N1";
pub(super) const N2: &str = "N2";

/// Every one of them, for people.
#[cfg(any(test, feature = "byzantine"))]
pub(super) const MUTANTS: &[About] = &[
    About {
        id: N1,
        line: "the branch with the most blocks counts, whatever work is in them",
        rule: "R8 adds up work: whoever dates blocks late makes them cheap, and many of them may be \
               less work than the few of an honest branch.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
    About {
        id: N2,
        line: "a body that is not its header's condemns the header",
        rule: "R3 drops the body and remembers nothing: anybody can put a wrong body under a true \
               header, and whoever condemns the header refuses the true block for ever.",
        breaks: Breaks::Agreement,
        beneath: Beneath::Nothing,
    },
];

/// A branch, from the genesis to its tip.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    /// How many blocks it has.
    pub(super) height: u64,
    /// The work in all of them.
    pub(super) work: Work,
}

/// N1: whether a branch takes the place of the one that is held.
///
/// The paper (§5; and Bitcoin, which says it better): the branch counts that took the most hashing. Of
/// equals the one that is held stays.
pub(super) fn n1_outdoes(found: Branch, held: Branch) -> bool {
    found.height > held.height
}

/// N2: whether the header of a block whose body is not the one it names is invalid for good, with all
/// that descends from it.
///
/// Bitcoin (after CVE-2012-2459): a header is invalid if its own body breaks a rule. What somebody
/// else put under it says nothing about it.
pub(super) fn n2_condemns(block: &Block) -> bool {
    !block.body_matches()
}

/// Remarks that a weak rule let something pass.
pub(super) fn remark(turn: &mut Turn<'_, Message>, detail: String) {
    note(turn, "flaw", detail);
}

impl Instance {
    /// N1: remarks upon a new head that a sound miner would not have adopted.
    pub(super) fn remark_on_a_head(&self, before: BlockHash, turn: &mut Turn<'_, Message>) {
        if !self.flaw.is(N1) {
            return;
        }
        let (Some(held), Some(found)) =
            (self.tree.measure(before), self.tree.measure(self.tree.head()))
        else {
            return;
        };
        if found.work <= held.work {
            let detail = format!(
                "N1: adopts {} of height {} and work {} in place of {} of height {} and work {}",
                self.tree.head().short(),
                found.height,
                found.work,
                before.short(),
                held.height,
                held.work
            );
            remark(turn, detail);
        }
    }
}
