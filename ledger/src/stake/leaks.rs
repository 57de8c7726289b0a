//! What a leak does to the register: shares fade and come back, and whoever has faded away leaves.

use super::{Register, Staking, Unbonding, Validator};
use crate::{
    Amount, Committee, Leak, ReplicaId, Stake, Table,
    leak::{Mode, WHOLE},
};

/// Where there is no floor, whoever has so little left of its bond loses its seat, as in Ethereum: half.
const EJECTED: u32 = WHOLE / 2;

impl Register {
    /// Follows the record of `height`, which `committee` could not decide for a while.
    pub fn follow_table(&mut self, height: u64, table: &Table, committee: &Committee, leak: &Leak) {
        self.leaked = height;
        let shares = table.shares(committee, leak);
        for (member, share) in committee.members().iter().zip(shares) {
            self.validators[member.id.0 as usize].share = share;
        }
    }

    /// Follows the record of who took part in the decision of `height`. A precommit makes good what was
    /// missed before; to give none is held against anybody only where the chain's blocks are all there is
    /// to go by.
    ///
    /// A precommit from before the last leak makes nothing good of what was missed in it. Otherwise those who
    /// are gone would weigh a little more in the block after, and the quorum that was just reached be lost.
    ///
    /// None where that changes nothing, as mostly.
    pub fn after_participation(
        &self,
        height: u64,
        present: &[ReplicaId],
        leak: &Leak,
    ) -> Option<Register> {
        if height < self.leaked {
            return None;
        }
        let sat = self.validators().filter(|(_, validator)| validator.sat(height));
        let after = sat.map(|(id, Validator { share, .. })| {
            let share = *share;
            let after = match (present.binary_search(&id), leak.mode) {
                (Ok(_), _) => leak.precommit(share),
                (Err(_), Mode::OnChain) => leak.miss(share),
                (Err(_), Mode::Recovery) => share,
            };
            (id, share, after)
        });
        let changed: Vec<_> = after.filter(|(_, before, after)| before != after).collect();
        if changed.is_empty() {
            return None;
        }
        let mut register = self.clone();
        for (id, _, after) in changed {
            register.validators[id.0 as usize].share = after;
        }
        Some(register)
    }

    /// Whether all of `present`, by rising id, could take part in the decision of `height`.
    pub fn could_take_part(&self, height: u64, present: &[ReplicaId]) -> bool {
        let sat = |id: &ReplicaId| self.validator(*id).is_some_and(|each| each.sat(height));
        present.is_sorted_by(|one, other| one < other) && present.iter().all(sat)
    }

    /// Sends away whoever has lost too much of its weight, in the block at `height`: its stake is on its
    /// way back. Nobody is sent where there is a floor, which is sound only as long as the
    /// absent stay bonded; nor the last who is left. Returns whose account has how much less at stake.
    pub fn eject(
        &mut self,
        height: u64,
        leak: &Leak,
        rules: &Staking,
    ) -> Vec<(crypto::PublicKey, Stake)> {
        let mut gone = Vec::new();
        if leak.bounded {
            return gone;
        }
        let is_due = |share: crate::Share, stake: Stake| share.left <= EJECTED && stake.0 > 0;
        let due = self.validators().filter(|(_, each)| is_due(each.share, each.stake));
        let due: Vec<_> = due.map(|(id, _)| id).collect();
        for id in due {
            let others = self.validators().any(|(other, each)| other != id && each.stake.0 > 0);
            if !others {
                break;
            }
            let until = height.saturating_add(rules.unbonding_blocks);
            let validator = &mut self.validators[id.0 as usize];
            let stake = std::mem::take(&mut validator.stake);
            gone.push((validator.key, stake));
            self.send_back(Unbonding { validator: id, amount: Amount(stake.0), until });
        }
        gone
    }
}
