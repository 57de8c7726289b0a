//! The checker's own count of what is left of each bond, from what the blocks tell of absence.

use super::{Owner, Stakes};
use crate::checker::flaw::Bad;
use crypto::{Address, Domain, Hash, codec, hash};
use ledger::{Duty, Leak, ReplicaId, Share, Table, leak::Mode};
use std::collections::BTreeSet;

/// A bond is counted in millionths.
const MILLION: u128 = 1_000_000;

/// The most voices in a table.
const VOICES: u64 = 2048;

/// What counts of a bond, and how often its owner was missed lately.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Rest {
    millionths: u128,
    score: u128,
}

impl Rest {
    pub(super) const ALL: Rest = Rest { millionths: MILLION, score: 0 };

    /// As a ledger writes it.
    pub(super) fn share(self) -> Share {
        let [left, score] =
            [self.millionths, self.score].map(|part| u32::try_from(part).expect("it is small"));
        Share { left, score }
    }

    /// One more row or block without a word. What has nothing more to lose stays as it is.
    fn miss(&mut self, leak: &Leak) {
        if self.millionths <= least(leak) {
            return;
        }
        self.score += 4;
        let lost = self.millionths * self.score / (4 * u128::from(leak.quotient));
        self.millionths = self.millionths.saturating_sub(lost).max(least(leak));
    }

    /// Something was heard: so much comes off the score, and so many parts of the whole come back.
    fn heard(&mut self, off: u128, parts: u128) {
        self.score = self.score.saturating_sub(off);
        self.millionths = (self.millionths + MILLION.div_ceil(parts)).min(MILLION);
    }
}

/// What the floor leaves of a bond: (1+β) / 2(1−β), rounded up.
fn least(leak: &Leak) -> u128 {
    let byzantine = u128::from(leak.tolerates_permille);
    match leak.bounded {
        true => ((1000 + byzantine) * MILLION).div_ceil(2 * (1000 - byzantine)),
        false => 0,
    }
}

/// What came of a block's duties.
#[derive(Default)]
pub(crate) struct Told {
    /// What is wrong with them.
    pub(crate) wrong: Vec<Bad>,
    /// Whose stake is on its way back.
    pub(crate) ejected: Vec<Address>,
}

/// What a header has to name for these duties, of whatever kind, and for the table among them.
pub(crate) fn roots(duties: &[Duty]) -> [Hash; 2] {
    let mut tables = duties.iter().filter_map(|duty| match duty {
        Duty::Leak { table, .. } if !table.is_empty() => {
            Some(hash::tagged(Domain::Leak, &codec::encode(table)))
        }
        _ => None,
    });
    let leak = tables.next_back().unwrap_or(Hash::ZERO);
    match duties.is_empty() {
        true => [Hash::ZERO, leak],
        false => [hash::tagged(Domain::Duties, &codec::encode(duties)), leak],
    }
}

impl Stakes {
    /// Does what a block at `height` tells of absence, as far as it may. It comes after
    /// [`Stakes::begin`] and before the block's transactions.
    pub(crate) fn absences(&mut self, duties: &[Duty], height: u64) -> Told {
        let mut told = Told::default();
        let (Some(leak), Some(_)) = (self.leak, self.rules) else {
            // There are no rules for what it tells.
            told.wrong.extend((!duties.is_empty()).then_some(Bad::Action));
            return told;
        };
        let kinds: Vec<_> =
            duties.iter().map(|duty| matches!(duty, Duty::Participation { .. })).collect();
        // At most one of each kind, and the leak first.
        if !kinds.is_sorted_by(|one, other| one < other) {
            told.wrong.push(Bad::Duty);
            return told;
        }
        for duty in duties {
            let good = match duty {
                Duty::Leak { round, table } => self.follow((height, *round), table, &leak),
                Duty::Participation { height: of, present, .. } => {
                    *of > 0 && *of + 2 == height && self.credit(*of, present, &leak)
                }
            };
            if !good {
                told.wrong.push(Bad::Duty);
            }
        }
        if !duties.is_empty() && !leak.bounded {
            told.ejected = self.eject(height);
        }
        told
    }

    /// The record of a height that nobody could decide: those heard in a row come back, the others fade.
    fn follow(&mut self, (height, round): (u64, u64), table: &Table, leak: &Leak) -> bool {
        let total: u128 = self.deciders.values().sum();
        let window = (VOICES / self.deciders.len() as u64).max(1);
        let first = leak.grace_rounds.max(round.saturating_sub(window));
        let rows = table.rows();
        let in_order = rows.iter().all(|row| (first..round).contains(&row.round))
            && rows.is_sorted_by(|one, other| one.round < other.round);
        let has_seat = |id: &ReplicaId| self.deciders.contains_key(&(id.0 as usize));
        let named = rows.iter().all(|row| {
            let present = &row.present;
            !present.is_empty()
                && present.is_sorted_by(|one, other| one < other)
                && present.iter().all(has_seat)
        });
        if rows.is_empty() || !in_order || !named || leak.mode != Mode::Recovery {
            return false;
        }
        self.leaked = height;
        for row in rows {
            let present: BTreeSet<_> = row.present.iter().map(|id| id.0 as usize).collect();
            let heard: u128 = present.iter().map(|owner| self.deciders[owner]).sum();
            let least = total * u128::from(1000 + leak.tolerates_permille);
            if leak.bounded && 2000 * heard <= least {
                continue;
            }
            for owner in self.deciders.keys() {
                let rest = &mut self.owners[*owner].rest;
                match present.contains(owner) {
                    true => rest.heard(1, 16),
                    false => rest.miss(leak),
                }
            }
        }
        true
    }

    /// Whose precommits for `height` the block shows. Those from before the last leak say nothing of it.
    fn credit(&mut self, height: u64, present: &[ReplicaId], leak: &Leak) -> bool {
        let sat = |owner: &Owner| {
            owner
                .seats
                .iter()
                .any(|(from, until)| *from <= height && until.is_none_or(|until| height <= until))
        };
        let known = |id: &ReplicaId| self.owners.get(id.0 as usize).is_some_and(sat);
        if !present.is_sorted_by(|one, other| one < other) || !present.iter().all(known) {
            return false;
        }
        if height < self.leaked {
            return true;
        }
        for (id, owner) in (0..).map(ReplicaId).zip(&mut self.owners) {
            if present.contains(&id) {
                owner.rest.heard(16, 64);
            } else if leak.mode == Mode::OnChain && sat(owner) {
                owner.rest.miss(leak);
            }
        }
        true
    }

    /// Without a floor, whoever has half of its weight or less leaves, but for the last with a stake.
    fn eject(&mut self, height: u64) -> Vec<Address> {
        let until = height + self.rules.expect("it was asked").unbonding_blocks;
        let mut gone = Vec::new();
        for owner in 0..self.owners.len() {
            let others = self.owners.iter().filter(|other| other.stake > 0).count() > 1;
            let Owner { stake, rest, address, .. } = &mut self.owners[owner];
            if *stake > 0 && 2 * rest.millionths <= MILLION && others {
                self.leaving.push((until, owner, std::mem::take(stake)));
                gone.push(*address);
            }
        }
        gone
    }
}
