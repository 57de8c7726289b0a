//! Whether all are on one chain, where blocks are adopted before they are final.

use super::{Sight, Violation};
use ledger::{BlockHash, ReplicaId};
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

/// From some time on, whenever one looks, all who are up are on one chain but for its newest blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Together {
    /// From when on, in virtual time.
    pub since: Duration,
    /// In how many blocks the chains may differ, from the lowest head down.
    pub but: u64,
}

impl Together {
    /// Says so if anybody has adopted another block than the others. Nothing is said of the faulty.
    pub(super) fn judge(
        self,
        sight: &Sight<'_>,
        faulty: &BTreeSet<ReplicaId>,
    ) -> Option<Violation> {
        let live: Vec<_> = sight.live().filter(|(id, _)| !faulty.contains(id)).collect();
        let lowest = live.iter().map(|(_, ledger)| ledger.head_height()).min()?;
        let height = lowest.saturating_sub(self.but);
        let adopted =
            live.iter().filter_map(|(id, ledger)| Some((*id, ledger.adopted(height)?.hash())));
        let adopted: Vec<(ReplicaId, BlockHash)> = adopted.collect();
        let apart = adopted.windows(2).any(|pair| pair[0].1 != pair[1].1);
        (sight.now >= self.since && apart).then_some(Violation::Apart { height, adopted })
    }
}
