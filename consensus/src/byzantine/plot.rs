//! What all liars of a run have agreed on.

use ledger::ReplicaId;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::collections::BTreeSet;

/// Who lies, and how the honest are split: all liars show one face to one part of them and another
/// to the other, so that what one liar says to a part fits what the others say to it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plot {
    liars: BTreeSet<ReplicaId>,
    right: BTreeSet<ReplicaId>,
}

/// A part of the honest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// The greater part, if they differ.
    Left,
    /// The other.
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];
}

impl Plot {
    /// Draws the split of those of `0..replicas` who are honest: two parts that differ by one at
    /// most.
    pub fn draw(replicas: u32, liars: BTreeSet<ReplicaId>, chance: &mut ChaCha8Rng) -> Plot {
        let mut honest: Vec<_> =
            (0..replicas).map(ReplicaId).filter(|id| !liars.contains(id)).collect();
        // Fisher and Yates.
        for last in (1..honest.len()).rev() {
            honest.swap(last, (chance.next_u64() % (last as u64 + 1)) as usize);
        }
        let right = honest.iter().take(honest.len() / 2).copied().collect();
        Plot { liars, right }
    }

    /// A split that somebody has chosen: those of the honest who are in the right part.
    pub fn of(liars: BTreeSet<ReplicaId>, right: BTreeSet<ReplicaId>) -> Plot {
        Plot { right: right.difference(&liars).copied().collect(), liars }
    }

    /// Whether `id` is one of us.
    pub fn is_liar(&self, id: ReplicaId) -> bool {
        self.liars.contains(&id)
    }

    /// Everybody who lies.
    pub fn liars(&self) -> &BTreeSet<ReplicaId> {
        &self.liars
    }

    /// The part an honest replica belongs to. Liars belong to both.
    pub fn side(&self, id: ReplicaId) -> Side {
        if self.right.contains(&id) { Side::Right } else { Side::Left }
    }

    /// Those of `ids` that are shown this face: one part of the honest, and every liar.
    pub fn faces(&self, side: Side, ids: impl IntoIterator<Item = ReplicaId>) -> Vec<ReplicaId> {
        let sees = |id: &ReplicaId| self.is_liar(*id) || self.side(*id) == side;
        ids.into_iter().filter(sees).collect()
    }
}
