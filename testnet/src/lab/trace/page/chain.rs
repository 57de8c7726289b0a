//! Which branch each block is of, and which blocks a replica took back.

use super::super::weave::{Item, Weave};
use std::collections::BTreeMap;

/// How many blocks of a trace one goes back, all in all, to find where branches part.
const MAX_WALK: usize = 5_000_000;

/// All blocks of a trace, by name.
#[derive(Debug, Default)]
pub(super) struct Chains {
    blocks: BTreeMap<String, Block>,
    /// The branch of each block on which none stands yet.
    tips: BTreeMap<String, usize>,
    branches: usize,
    walked: usize,
    /// What each lane holds: a height and a name.
    heads: Vec<Option<(u64, String)>>,
}

#[derive(Debug)]
struct Block {
    height: u64,
    parent: String,
    branch: usize,
}

impl Chains {
    /// No block yet, in so many lanes.
    pub(super) fn new(lanes: usize) -> Chains {
        Chains { heads: vec![None; lanes], ..Chains::default() }
    }

    /// Height and branch of each block, by its name.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, (u64, usize))> {
        self.blocks.iter().map(|(name, block)| (name.as_str(), (block.height, block.branch)))
    }

    /// A block comes up. How many blocks the lane takes back for it.
    ///
    /// A branch goes on with the first block that stands on its last; the second of two on one block begins
    /// another. Where nobody says what a block stands on, it is what the lane held at the height below.
    pub(super) fn take(&mut self, weave: &Weave, lane: usize, item: &Item) -> u64 {
        let (height, name, is_head) = match item {
            Item::Found(height, block) => (*height, block, false),
            Item::Adopted { height, block, .. } | Item::Committed { height, block, .. } => {
                (*height, block, true)
            }
            _ => return 0,
        };
        let head = self.heads[lane].clone();
        if !self.blocks.contains_key(name) {
            let below = head.as_ref().filter(|(before, _)| before.checked_add(1) == Some(height));
            let below = below.map(|(_, name)| name);
            let parent = weave.parents.get(name).or(below).cloned().unwrap_or_default();
            let branch = self.tips.remove(&parent).unwrap_or(self.branches);
            self.branches = self.branches.max(branch + 1);
            self.tips.insert(name.clone(), branch);
            self.blocks.insert(name.clone(), Block { height, parent, branch });
        }
        if !is_head {
            return 0;
        }
        // What is final may lie far below the head.
        let is_above = |(before, _): &(u64, String)| height >= *before;
        let is_news = matches!(item, Item::Adopted { .. }) || head.as_ref().is_none_or(is_above);
        if !is_news {
            return 0;
        }
        self.heads[lane] = Some((height, name.clone()));
        head.map_or(0, |(_, before)| self.undone(&before, name))
    }

    /// How many blocks of one branch are not in the other. None that are not known are counted.
    fn undone(&mut self, before: &str, now: &str) -> u64 {
        let (mut old, mut new, mut undone) = (before, now, 0);
        while self.walked < MAX_WALK {
            self.walked += 1;
            let (Some(one), Some(other)) = (self.blocks.get(old), self.blocks.get(new)) else {
                break;
            };
            if old == new {
                return undone;
            }
            if one.height >= other.height {
                undone += 1;
                old = &one.parent;
            }
            if other.height >= one.height {
                new = &other.parent;
            }
        }
        // Both go back to a beginning that the trace does not show.
        if self.blocks.contains_key(old) { 0 } else { undone }
    }
}
