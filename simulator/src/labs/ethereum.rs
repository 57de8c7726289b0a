//! Ethereum's inactivity leak in exact integers, of no crate's making: what every other leak is held
//! against.
//!
//! consensus-specs, Altair (`process_inactivity_updates`, `process_effective_balance_updates`), phase 0
//! (`process_registry_updates`) and Bellatrix (the penalty quotient), for an epoch of a chain that does not
//! finalise. The rewards that Ethereum pays are zero then, and its other penalties are left out: this is the
//! pure leak.

pub(super) mod theory;

/// One ether, in the unit of balances: Gwei.
pub(super) const ETHER: u64 = 1_000_000_000;

/// The constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The greatest effective balance.
    pub(super) whole: u64,
    /// In steps of what effective balances are counted.
    pub(super) step: u64,
    /// By how much a balance is below or above the effective one before that follows.
    pub(super) margins: (u64, u64),
    /// What a missed epoch adds to a score.
    pub(super) missed: u64,
    /// A penalty is the effective balance times the score, by `missed` times this.
    pub(super) quotient: u64,
    /// What comes back in an epoch that is not missed; nothing in Ethereum.
    pub(super) back: u64,
    /// Who has at most so much as its effective balance has to leave.
    pub(super) ejection: u64,
    /// Whether a penalty is due in missed epochs only. So it is in the specification; a paper calculates with
    /// one in every epoch.
    pub(super) spares_present: bool,
}

/// What is kept of a validator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Validator {
    /// What it owns.
    pub(super) balance: u64,
    /// What it counts in votes.
    pub(super) effective: u64,
    /// How often it was missed lately, four for each time, less what it made good.
    pub(super) score: u64,
    /// Whether it was told to leave. (It still counts: exits queue for weeks.)
    pub(super) ejected: bool,
}

impl Rules {
    /// Ethereum's since Bellatrix, for validators of 32 ether.
    pub(super) const ETHEREUM: Rules = Rules {
        whole: 32 * ETHER,
        step: ETHER,
        margins: (ETHER / 4, ETHER * 5 / 4),
        missed: 4,
        quotient: 1 << 24,
        back: 0,
        ejection: 16 * ETHER,
        spares_present: true,
    };

    /// The same recurrence for a small net: another whole and another quotient, nothing rounded but
    /// penalties, nobody told to leave; and who returns gets so much back in each epoch.
    pub(super) const fn scaled(whole: u64, quotient: u64, back: u64) -> Rules {
        let (step, margins, ejection) = (1, (0, 0), 0);
        Rules { whole, step, margins, quotient, back, ejection, ..Rules::ETHEREUM }
    }

    /// One that was never missed.
    pub(super) const fn validator(&self) -> Validator {
        Validator { balance: self.whole, effective: self.whole, score: 0, ejected: false }
    }

    /// One more epoch of a leak: in this order, as in the specification.
    pub(super) fn epoch(&self, validator: &mut Validator, is_heard: bool) {
        let Validator { balance, effective, score, ejected } = validator;
        if is_heard {
            *score -= (*score).min(1);
        } else {
            *score += self.missed;
        }
        if !is_heard || !self.spares_present {
            let penalty = u128::from(*effective) * u128::from(*score)
                / u128::from(self.missed * self.quotient);
            *balance = balance.saturating_sub(u64::try_from(penalty).unwrap_or(u64::MAX));
        }
        if is_heard {
            *balance += self.back.min(self.whole - *balance);
        }
        *ejected |= *effective <= self.ejection;
        let (below, above) = self.margins;
        if *balance + below < *effective || *effective + above < *balance {
            *effective = (*balance - *balance % self.step).min(self.whole);
        }
    }

    /// Epochs of a leak until `is_enough` says so of some validators, of which the epoch's number, counted
    /// from one, and their own place tell who is heard. None if it takes more than `most`.
    pub(super) fn until<const N: usize>(
        &self,
        most: u64,
        is_heard: impl Fn(u64, usize) -> bool,
        is_enough: impl Fn(&[Validator; N]) -> bool,
    ) -> Option<u64> {
        let mut all = [self.validator(); N];
        for epoch in 0..=most {
            if is_enough(&all) {
                return Some(epoch);
            }
            for (place, validator) in all.iter_mut().enumerate() {
                self.epoch(validator, is_heard(epoch + 1, place));
            }
        }
        None
    }
}

/// Whether so much of all effective balances justifies: two thirds are enough for Ethereum.
pub(super) fn justifies(active: u128, all: u128) -> bool {
    3 * active >= 2 * all
}

#[cfg(test)]
mod tests;
