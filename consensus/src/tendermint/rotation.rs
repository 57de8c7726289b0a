//! The proposers of one height's rounds: [`ledger::stake::rotation`] says whose turn it is.

use ledger::{Committee, ReplicaId, stake::Rotation};
use std::sync::Arc;

/// What is stored when the next height begins, if `committee` decides that one, too: the height after this
/// one then begins one step on. None if another does: the ledger knows what was handed on.
pub(super) fn follow(
    stored: &Rotation,
    committee: &Arc<Committee>,
    height: u64,
) -> Option<Rotation> {
    let next = stored.height().checked_add(1) == Some(height);
    (next && stored.committee().has_bonds_of(committee)).then(|| stored.clone().next_height())
}

/// The proposers of one height's rounds, found as the rounds are reached.
///
/// proposer(h, r) takes r+1 single steps from the stored priorities, which the rounds leave as
/// they are: the next height always begins exactly one step on. So with one committee
/// proposer(h, r) = proposer(h+1, r−1), and whoever would have had a failed round's successor
/// opens the next height.
#[derive(Clone, Debug)]
pub(super) struct Proposers {
    stored: Rotation,
    ahead: Rotation,
    of_round: Vec<ReplicaId>,
}

impl Proposers {
    pub(super) fn new(stored: Rotation) -> Proposers {
        Proposers { ahead: stored.clone(), stored, of_round: Vec::new() }
    }

    /// What the height began with.
    pub(super) fn stored(&self) -> &Rotation {
        &self.stored
    }

    /// Goes on to `round`. Only for rounds that are reached: a round somebody merely speaks of
    /// would let him choose how long this takes.
    pub(super) fn reach(&mut self, round: u64) {
        while (self.of_round.len() as u64) <= round {
            self.of_round.push(self.ahead.step());
        }
    }

    /// Who proposes in a reached round.
    pub(super) fn of(&self, round: u64) -> ReplicaId {
        self.of_round[usize::try_from(round).expect("reached one by one")]
    }
}
