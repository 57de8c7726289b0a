//! The record of a height that nobody could decide: who was heard in which round.

use super::{Leak, Share};
use crate::{Committee, ReplicaId};
use crypto::{Domain, Hash, codec, hash};
use serde::{Deserialize, Serialize};

/// The most voices that one table records, over all its rows; a longer one leaves out its oldest rows.
/// With their signatures they take little more than half of what a block may.
pub const MAX_ALIVES: usize = 2048;

/// Who was heard in some rounds of one height.
///
/// Everybody may have its own: a quorum is one of the weights under *one* table, which its votes name.
/// Under a floor it does not matter which.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Table {
    rows: Vec<Row>,
}

/// Who was heard in one round.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Of the height.
    pub round: u64,
    /// By rising id.
    pub present: Vec<ReplicaId>,
}

impl Table {
    /// Of these rows. Whether they make sense, [`Table::check`] says.
    pub fn new(rows: Vec<Row>) -> Table {
        Table { rows }
    }

    /// By rising round, once they are checked.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether nobody was recorded, as in every round before the leak begins.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What votes and headers name it by; zero if it is empty.
    pub fn hash(&self) -> Hash {
        match self.is_empty() {
            true => Hash::ZERO,
            false => hash::tagged(Domain::Leak, &codec::encode(self)),
        }
    }

    /// The first round that a table of `round` may record, where so many have a seat.
    pub fn first_round(leak: &Leak, round: u64, seats: usize) -> u64 {
        let window = (MAX_ALIVES / seats.max(1)).max(1) as u64;
        leak.grace_rounds.max(round.saturating_sub(window))
    }

    /// Whether it can be the table of `round`: rows by rising round, none too early or of `round` itself
    /// or later, and in each somebody, nobody twice, and members only.
    ///
    /// # Errors
    /// [`BadTable`]: the first thing that is wrong.
    pub fn check(&self, round: u64, committee: &Committee, leak: &Leak) -> Result<(), BadTable> {
        let first = Table::first_round(leak, round, committee.len());
        let mut next = first;
        for row in &self.rows {
            if row.round < next || row.round >= round {
                return Err(BadTable::Round { row: row.round, next, round });
            }
            next = row.round + 1;
            if row.present.is_empty() || !row.present.is_sorted_by(|one, other| one < other) {
                return Err(BadTable::Disorder { row: row.round });
            }
            let stranger = row.present.iter().find(|id| committee.seat(**id).is_none());
            if let Some(&stranger) = stranger {
                return Err(BadTable::Stranger { row: row.round, stranger });
            }
        }
        Ok(())
    }

    /// What is left of each member's bond, by seat, after these rows. A row in which too few were heard
    /// says nothing about the others.
    pub fn shares(&self, committee: &Committee, leak: &Leak) -> Vec<Share> {
        let mut shares: Vec<_> = committee.members().iter().map(|member| member.share).collect();
        for row in &self.rows {
            let seats = row.present.iter().filter_map(|id| committee.seat(*id));
            let mut heard = vec![false; committee.len()];
            seats.for_each(|seat| heard[seat] = true);
            let bonded = (0..committee.len()).filter(|seat| heard[*seat]);
            let bonded: u128 = bonded.map(|seat| u128::from(committee.stake(seat).0)).sum();
            if !leak.is_majority(bonded, committee.bonded()) {
                continue;
            }
            for (share, heard) in shares.iter_mut().zip(heard) {
                *share = if heard { leak.hear(*share) } else { leak.miss(*share) };
            }
        }
        shares
    }

    /// The same members with the weights that this table leaves them.
    pub fn weigh(&self, committee: &Committee, leak: &Leak) -> Committee {
        committee.with_shares(self.shares(committee, leak))
    }
}

/// Why rows make no table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTable {
    /// A row is of a round that cannot be there.
    #[error("a row is of round {row}; in a table of round {round} it can be of {next} to {} there", round.saturating_sub(1))]
    Round {
        /// The row's.
        row: u64,
        /// The earliest it could be.
        next: u64,
        /// The table's.
        round: u64,
    },
    /// A row names nobody, or not by rising id.
    #[error("the row of round {row} does not name somebody by rising number")]
    Disorder {
        /// Whose.
        row: u64,
    },
    /// A row names one who has no seat.
    #[error("the row of round {row} names replica {stranger}, which has no seat")]
    Stranger {
        /// Whose.
        row: u64,
        /// Who.
        stranger: ReplicaId,
    },
}
