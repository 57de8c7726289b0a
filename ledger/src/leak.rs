//! The inactivity leak: how the weight of those who are not heard fades, and comes back.
//!
//! Each validator has a [`Share`]: how much of its bonded stake counts in votes, and a score of how often it
//! was missed lately. Ethereum's recurrence (consensus-specs, Altair) with small constants:
//!
//! ```text
//!   missed:  score += 4     left -= ⌊left·score / 4Q⌋, but not below the floor
//!   heard:   score -= 1     left += ⌈1/16⌉, but not above the whole
//! ```
//!
//! Nobody's stake is taken, it only stops counting. A *floor* keeps the leak sound: while the Byzantine
//! have at most the share β of the *bonded* stake and everybody's weight stays between φ = (1+β) / 2(1−β) of
//! its bond and the whole of it, any two quorums, under whatever weights, share an honest validator: together
//! they hold more than half of the honest bonds each. The floor is taken on bonds, not on what an
//! earlier leak has left of them; otherwise it would compound until two quorums have nobody in common.
//!
//! This module is arithmetic. What is recorded and when it counts is the protocol's affair: the
//! chain's own blocks ([`Mode::OnChain`]), or the rounds of a height that cannot be decided
//! ([`Mode::Recovery`]), whose record is a [`Table`].

mod table;
#[cfg(test)]
mod tests;

pub use table::{BadTable, MAX_ALIVES, Row, Table};

use serde::{Deserialize, Serialize};

/// All of a bond, in the unit in which a [`Share`] is counted.
pub const WHOLE: u32 = 1_000_000;

/// What one miss adds to a score (Ethereum's `INACTIVITY_SCORE_BIAS`).
pub const MISSED: u32 = 4;

/// What a precommit that a block records takes off a score (Ethereum's `INACTIVITY_SCORE_RECOVERY_RATE`).
pub const RECOVERED: u32 = 16;

/// How much of a bond counts, and why.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Share {
    /// Millionths of the bond that count in votes.
    pub left: u32,
    /// How often its owner was missed lately, four for each time, less what it made good.
    pub score: u32,
}

impl Share {
    /// Of whoever was never missed.
    pub const FULL: Share = Share { left: WHOLE, score: 0 };
}

impl Default for Share {
    fn default() -> Share {
        Share::FULL
    }
}

/// Where a leak takes place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// In decided blocks only, which record who precommitted. It needs no assumption and cannot help a
    /// chain that has halted.
    OnChain,
    /// In the rounds of a height that nobody can decide.
    Recovery,
}

/// The rules of a leak, as a genesis sets them: see [`crate::Genesis::leak`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leak {
    /// Where it takes place.
    pub mode: Mode,
    /// Q: after about 1.18·√Q misses in a row half of a bond counts.
    pub quotient: u64,
    /// β: which share of the bonds may be Byzantine, in thousandths. Less than a third.
    pub tolerates_permille: u64,
    /// Whether there is a floor. Without one two sides of a long partition both decide.
    pub bounded: bool,
    /// The first round of a height in which absence counts, where the mode is [`Mode::Recovery`].
    pub grace_rounds: u64,
}

impl Leak {
    /// x_min(β) = (1+β) / 2(1−β) in millionths, rounded up: what must be left of every honest bond, so
    /// that two quorums share somebody honest.
    pub fn least_sound(&self) -> u32 {
        let beta = self.tolerates_permille;
        let least = (u64::from(WHOLE) * (1000 + beta)).div_ceil(2 * (1000 - beta));
        u32::try_from(least).expect("β is less than a third, so this is less than the whole")
    }

    /// What is left of a bond however long its owner is missed, in millionths.
    pub fn floor(&self) -> u32 {
        if self.bounded { self.least_sound() } else { 0 }
    }

    /// Whether so much bonded stake of all there is may count who is missed: more than (1+β)/2 of it, so
    /// that two such groups share somebody honest. Where there is no floor anybody may, for there nothing
    /// is promised.
    pub fn is_majority(&self, bonded: u128, total: u128) -> bool {
        if !self.bounded {
            return bonded > 0;
        }
        2000 * bonded > u128::from(1000 + self.tolerates_permille) * total
    }

    /// After one more miss. Where nothing more can leak, none is counted: a committee that stays as it is
    /// must not get another name with every block, which all who follow the chain would have to learn.
    #[must_use]
    pub fn miss(&self, share: Share) -> Share {
        if share.left <= self.floor() {
            return share;
        }
        let score = share.score.saturating_add(MISSED);
        let left = u64::from(share.left);
        let lost = u128::from(left) * u128::from(score) / (4 * u128::from(self.quotient));
        let left = left.saturating_sub(u64::try_from(lost).unwrap_or(u64::MAX));
        let left = u32::try_from(left).expect("a part is not more than the whole");
        Share { left: left.max(self.floor()), score }
    }

    /// After being heard in a round that nobody could decide. What has leaked comes back within sixteen
    /// of them: those who return must count again before others leave.
    #[must_use]
    pub fn hear(&self, share: Share) -> Share {
        grow(share, 1, 16)
    }

    /// After a precommit that a block records.
    #[must_use]
    pub fn precommit(&self, share: Share) -> Share {
        grow(share, RECOVERED, 64)
    }

    /// How many misses in a row leave enough of a bond that was whole for two quorums to share somebody
    /// honest. Where there is no floor, a longer partition can end in two chains.
    pub fn safe_misses(&self) -> u64 {
        let (mut share, mut misses) = (Share::FULL, 0);
        let unbounded = Leak { bounded: false, ..*self };
        loop {
            share = unbounded.miss(share);
            if share.left < self.least_sound() {
                return misses;
            }
            misses += 1;
        }
    }
}

impl Leak {
    /// How many rows in a row a table has to hold for this leak to do what it can: as many misses as lead to
    /// the floor, or as two sides of a partition need where there is none.
    pub fn rows_needed(&self) -> u64 {
        if !self.bounded {
            return self.safe_misses() + 1;
        }
        let (mut share, mut rows) = (Share::FULL, 0);
        while share.left > self.floor() {
            share = self.miss(share);
            rows += 1;
        }
        rows
    }
}

/// Takes `off` the score and gives back one part in `parts` of the whole.
fn grow(share: Share, off: u32, parts: u32) -> Share {
    let left = share.left.saturating_add(WHOLE.div_ceil(parts)).min(WHOLE);
    Share { left, score: share.score.saturating_sub(off) }
}
