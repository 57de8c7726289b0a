//! Evidence: what convicts, and what it costs.
//!
//! A validator is punished once, for whatever it did first or was found out for first: it loses a part of all
//! the stake that can be lost, has no seat any more, and the rest is on its way back. That makes
//! a second report of the same deed, or of another one, worth nothing.
//!
//! The reporter's share is small on purpose. Whoever is guilty may report itself from another
//! account, and must not get back more than that.

use super::{EvidenceRefusal, Register, Staking, Unbonding, Validator};
use crate::{
    Amount, ReplicaId, Stake,
    vote::{Evidence, Keys},
};
use crypto::PublicKey;

/// What a conviction costs the guilty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Penalty {
    /// Whose account had the stake.
    pub offender: PublicKey,
    /// What it had at stake, which it has no longer.
    pub stake: Stake,
    /// What the reporter gets.
    pub reward: Amount,
    /// What nobody gets.
    pub burned: Amount,
}

impl Register {
    /// Whether `evidence` convicts in the block at `height`, when the account with the key `reporter` brings
    /// it. The signatures, which cost most, come last.
    ///
    /// # Errors
    /// [`EvidenceRefusal`]: the first reason why not.
    pub fn try_evidence(
        &self,
        evidence: &Evidence,
        reporter: PublicKey,
        height: u64,
        keys: &Keys,
        rules: &Staking,
    ) -> Result<(), EvidenceRefusal> {
        let id = evidence.offender;
        let offender = self.try_deed(id, evidence.slot.height, height, rules)?;
        if offender.key == reporter {
            return Err(EvidenceRefusal::SelfServing);
        }
        if !evidence.verify_as(&offender.key, keys) {
            return Err(EvidenceRefusal::Forged(id));
        }
        Ok(())
    }

    /// Whether anybody's evidence that the validator `id` contradicted itself at height `slot` could
    /// convict it in the block at `height`. Returns that validator.
    ///
    /// # Errors
    /// [`EvidenceRefusal`]: the first reason why not.
    pub fn try_deed(
        &self,
        id: ReplicaId,
        slot: u64,
        height: u64,
        rules: &Staking,
    ) -> Result<&Validator, EvidenceRefusal> {
        let offender = self.validator(id).ok_or(EvidenceRefusal::Unknown(id))?;
        if let Some(height) = offender.punished {
            return Err(EvidenceRefusal::Punished { validator: id, height });
        }
        if slot == 0 {
            return Err(EvidenceRefusal::Undated);
        }
        if slot > height {
            return Err(EvidenceRefusal::Early { slot, height });
        }
        let oldest = height.saturating_sub(rules.evidence_blocks);
        if slot < oldest {
            return Err(EvidenceRefusal::Expired { slot, height, oldest });
        }
        if !offender.sat(slot) {
            return Err(EvidenceRefusal::NoSeat { validator: id, slot });
        }
        Ok(offender)
    }

    /// Whether the validator `id` may have a vote at height `slot`, as far as one can tell who knows the
    /// block at `height`, whose register this is: two heights on, whoever has stake now.
    pub fn may_sit(&self, id: ReplicaId, slot: u64, height: u64) -> bool {
        let stays = |each: &Validator| slot > height.saturating_add(1) && each.stake.0 > 0;
        self.validator(id).is_some_and(|each| each.sat(slot) || stays(each))
    }

    /// Punishes the offender of evidence that [`Register::try_evidence`] found good: takes its share of all
    /// that can be lost, and puts the rest on its way back.
    ///
    /// # Panics
    /// If there is no such validator.
    pub fn punish(&mut self, evidence: &Evidence, height: u64, rules: &Staking) -> Penalty {
        let id = evidence.offender;
        let mut lost = 0;
        for entry in self.unbonding.iter_mut().filter(|each| each.validator == id) {
            let share = share_up(entry.amount, rules.penalty_permille);
            entry.amount = Amount(entry.amount.0 - share);
            lost += share;
        }
        self.unbonding.retain(|each| each.amount > Amount::ZERO);
        let offender = &mut self.validators[id.0 as usize];
        let (key, stake) = (offender.key, offender.stake);
        offender.punished = Some(height);
        offender.stake = Stake(0);
        let share = share_up(Amount(stake.0), rules.penalty_permille);
        lost += share;
        let until = height.saturating_add(rules.unbonding_blocks);
        let amount = Amount(stake.0 - share);
        if amount > Amount::ZERO {
            self.send_back(Unbonding { validator: id, amount, until });
        }
        let reward = u128::from(lost) * u128::from(rules.reporter_permille) / 1000;
        let reward = u64::try_from(reward).expect("a part is not more than the whole");
        let burned = Amount(lost - reward);
        self.burned = Amount(self.burned.0 + burned.0);
        Penalty { offender: key, stake, reward: Amount(reward), burned }
    }
}

impl Validator {
    /// Whether it had a seat at this height, or has.
    pub(super) fn sat(&self, height: u64) -> bool {
        let covers = |seat: &super::Seat| {
            seat.from <= height && seat.until.is_none_or(|until| height <= until)
        };
        self.seats.iter().any(covers)
    }
}

/// So many thousandths of an amount, rounded up.
fn share_up(amount: Amount, permille: u64) -> u64 {
    let share = (u128::from(amount.0) * u128::from(permille)).div_ceil(1000);
    u64::try_from(share).expect("a part is not more than the whole")
}
