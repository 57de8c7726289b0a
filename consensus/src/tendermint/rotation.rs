//! Whose turn it is to propose: in proportion to stake, and the same for everybody.
//!
//! Each step raises every priority by its owner's stake, picks the highest (of equals the lowest
//! id) and takes the total off it, so the priorities always sum to zero. This is CometBFT's
//! weighted round-robin without its clipping and centring, which only matter when a committee
//! changes; see the chapter for what we do then.

use ledger::{Committee, ReplicaId};
use std::sync::Arc;

/// The priorities stored when a height begins. They are a function of the committee and the
/// height alone, so nothing has to be persisted or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    committee: Arc<Committee>,
    height: u64,
    /// By seat; within ±2·total, and a total is less than 2^74.
    priorities: Vec<i128>,
}

impl Rotation {
    /// As stored when `height` begins: that many steps from zero.
    ///
    /// From zero the priorities return to zero after [`Rotation::period`] steps, in which each
    /// member proposes exactly stake/gcd times, so only the remainder is walked. That costs at
    /// most `height` steps, and only at a start and when the committee changes.
    pub fn at(committee: Arc<Committee>, height: u64) -> Rotation {
        let priorities = vec![0; committee.len()];
        let mut rotation = Rotation { committee, height, priorities };
        for _ in 0..u128::from(height) % rotation.period() {
            rotation.step();
        }
        rotation
    }

    /// As stored when a later `height` begins, which `committee` decides. One step, if it is the
    /// next one and the committee the same.
    pub fn follow(mut self, committee: Arc<Committee>, height: u64) -> Rotation {
        if self.committee != committee || self.height.checked_add(1) != Some(height) {
            return Rotation::at(committee, height);
        }
        self.step();
        self.height = height;
        self
    }

    /// After how many steps everything repeats: the total stake over the stakes' greatest common
    /// divisor.
    pub fn period(&self) -> u128 {
        let stakes = self.committee.members().iter().map(|member| u128::from(member.stake.0));
        self.committee.total() / stakes.fold(0, gcd)
    }

    /// One single step: who proposes next.
    pub fn step(&mut self) -> ReplicaId {
        let members = self.committee.members();
        for (priority, member) in self.priorities.iter_mut().zip(members) {
            *priority += i128::from(member.stake.0);
        }
        // Of equal maxima `min_by_key` finds the first, which is the lowest id.
        let seats = 0..members.len();
        let seat = seats.min_by_key(|&seat| -self.priorities[seat]).expect("someone has a seat");
        self.priorities[seat] -=
            i128::try_from(self.committee.total()).expect("a total is less than 2^74");
        members[seat].id
    }
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
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
