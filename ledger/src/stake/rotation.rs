//! Whose turn it is to propose: in proportion to stake, and the same for everybody.
//!
//! CometBFT's weighted round-robin (its specification, "Proposer selection procedure"; the order of
//! equals is that of its code). Each step raises every priority by its owner's stake, picks the
//! highest (of equals the lowest number) and takes the total off it. From zero the priorities
//! always sum to zero, and in as many steps as the total stake each member has exactly as many turns as its
//! stake.
//!
//! When the committee changes, whoever stays keeps its priority and a newcomer begins with −1.125
//! times the new total, so that nobody gets a turn sooner by leaving and coming back. Then the
//! priorities are brought within a span of twice the total and centred.
//!
//! Turns go by what is bonded, whatever an inactivity leak lets count of it.
//!
//! CometBFT rescales once for each *call*, however many steps the call is for, so that two nodes which
//! skip rounds differently may disagree. Here there are single steps only.

use crate::{Committee, ReplicaId};
use std::sync::Arc;

/// The priorities stored when a height begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    committee: Arc<Committee>,
    height: u64,
    /// By seat. A total is less than 2^74, so no sum of these comes near the bound.
    priorities: Vec<i128>,
}

impl Rotation {
    /// As stored when `height` begins, on a chain whose committee never changes: that many steps from
    /// zero.
    ///
    /// From zero the priorities return to zero after [`Rotation::period`] steps, so only the remainder
    /// is walked: at most `height` steps, and only at a start.
    pub fn at(committee: Arc<Committee>, height: u64) -> Rotation {
        let priorities = vec![0; committee.len()];
        let mut rotation = Rotation { committee, height, priorities };
        for _ in 0..u128::from(height) % rotation.period() {
            rotation.step();
        }
        rotation
    }

    /// As stored when `height` begins, with these priorities by seat.
    ///
    /// # Panics
    /// If they are not one for each seat.
    pub fn stored(committee: Arc<Committee>, height: u64, priorities: Vec<i128>) -> Rotation {
        assert_eq!(committee.len(), priorities.len(), "each seat has its priority");
        Rotation { committee, height, priorities }
    }

    /// Whose turns these are.
    pub fn committee(&self) -> &Arc<Committee> {
        &self.committee
    }

    /// At the beginning of which height they are stored.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// By seat.
    pub fn priorities(&self) -> &[i128] {
        &self.priorities
    }

    /// As stored when the next height begins, with the same committee. The rounds of a height leave the
    /// stored priorities as they are.
    #[must_use]
    pub fn next_height(mut self) -> Rotation {
        self.step();
        self.height += 1;
        self
    }

    /// The same priorities handed on to the committee that decides this height in place of the one
    /// before.
    #[must_use]
    pub fn hand_on(&self, committee: Arc<Committee>) -> Rotation {
        let total = signed(committee.bonded());
        let newcomer = -(total + total / 8);
        let kept = |id| self.committee.seat(id).map(|seat| self.priorities[seat]);
        let members = committee.members().iter();
        let priorities = members.map(|member| kept(member.id).unwrap_or(newcomer)).collect();
        let mut rotation = Rotation { committee, height: self.height, priorities };
        rotation.settle();
        rotation
    }

    /// After how many steps everything repeats that began at zero: the total stake over the stakes'
    /// greatest common divisor.
    pub fn period(&self) -> u128 {
        let stakes = self.committee.members().iter().map(|member| u128::from(member.stake.0));
        self.committee.bonded() / stakes.fold(0, gcd)
    }

    /// One single step: who proposes next.
    pub fn step(&mut self) -> ReplicaId {
        self.settle();
        let members = self.committee.members();
        for (priority, member) in self.priorities.iter_mut().zip(members) {
            *priority += i128::from(member.stake.0);
        }
        // Of equal maxima `min_by_key` finds the first, which is the lowest id.
        let seats = 0..members.len();
        let seat = seats.min_by_key(|&seat| -self.priorities[seat]).expect("someone has a seat");
        self.priorities[seat] -= signed(self.committee.bonded());
        members[seat].id
    }

    /// Divides the priorities until they span at most twice the total, and centres them.
    fn settle(&mut self) {
        let widest = 2 * signed(self.committee.bonded());
        let highest = *self.priorities.iter().max().expect("someone has a seat");
        let lowest = *self.priorities.iter().min().expect("someone has a seat");
        let span = highest - lowest;
        if span > widest {
            let ratio = (span + widest - 1) / widest;
            self.priorities.iter_mut().for_each(|priority| *priority /= ratio);
        }
        let seats = i128::try_from(self.priorities.len()).expect("a committee is small");
        let mean = self.priorities.iter().sum::<i128>().div_euclid(seats);
        if mean != 0 {
            self.priorities.iter_mut().for_each(|priority| *priority -= mean);
        }
    }
}

fn signed(total: u128) -> i128 {
    i128::try_from(total).expect("a total is less than 2^74")
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}
