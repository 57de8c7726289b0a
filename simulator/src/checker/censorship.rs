//! What was taken and not ordered.

use super::{Sight, Violation};
use crate::record::{Milestone, Submission};
use ledger::{Block, ReplicaId, TransactionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// When transactions were first final at somebody honest.
#[derive(Debug, Default)]
pub(super) struct Docket {
    ordered: BTreeMap<TransactionId, Duration>,
}

impl Docket {
    /// A block became final.
    pub(super) fn ordered(&mut self, block: &Block, at: Duration) {
        for transaction in &block.transactions {
            let first = self.ordered.entry(transaction.id()).or_insert(at);
            *first = at.min(*first);
        }
    }

    /// All that waited for longer than `bound`, of what was taken by somebody honest who has lived
    /// on since: a pool is lost in a crash, and nobody promises otherwise.
    pub(super) fn judge(
        &self,
        sight: &Sight<'_>,
        bound: Duration,
        faulty: &BTreeSet<ReplicaId>,
    ) -> Vec<Violation> {
        let lived = |submission: &&Submission, taken| {
            let woke = |milestone: &Milestone| matches!(milestone, Milestone::Woke { at, .. } if *at > taken);
            let lives = sight.record.history(submission.replica).iter().any(woke);
            let is_up = sight.ledgers.get(submission.replica.0 as usize);
            !lives && is_up.is_some_and(Option::is_some)
        };
        let taken = sight.record.submissions();
        let honest = taken.filter(|each| !faulty.contains(&each.replica));
        let late = honest.filter_map(|each| {
            let taken = each.taken?;
            let until = taken.saturating_add(bound);
            let in_time = self.ordered.get(&each.name).is_some_and(|at| *at <= until);
            let is_due = until <= sight.now && lived(&each, taken);
            let (transaction, replica) = (each.name, each.replica);
            let censored = Violation::Censored { transaction, replica, taken, within: bound };
            (is_due && !in_time).then_some(censored)
        });
        late.collect()
    }
}
