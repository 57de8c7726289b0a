//! Stake: who votes, with what weight, who is leaving, and who was punished.
//!
//! ```text
//!   balance ──bond──> stake ──unbond──> unbonding ──(after a while)──> balance
//!                       │                   │
//!                       └──── evidence ─────┴──> burned, and a part to the reporter
//! ```
//!
//! The [`Register`] is a part of the state: a function of the blocks, named by one leaf of the state tree.
//! It moves money only between these places and tells [`crate::state`] what to move, so that the
//! whole is never more or less than the genesis and the rewards made, less what was burned.
//!
//! What block H changes acts from the committee of height H + 2 on (CometBFT's delay): block H + 1 names that
//! committee in its header, and the old one certifies it. All rounds of a height have one committee.
//!
//! A chain has these rules if its genesis sets [`Staking`]. Elsewhere the founders decide for ever.

mod evidence;
mod leaks;
mod refusal;
pub mod rotation;
#[cfg(test)]
mod tests;

pub use evidence::Penalty;
pub use refusal::{EvidenceRefusal, StakeRefusal};
pub use rotation::Rotation;

use crate::{
    Amount, Committee, Genesis, ReplicaId, Share, Stake,
    vote::{MAX_COMMITTEE, Member},
};
use crypto::{Domain, Hash, PublicKey, codec, hash};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How many validators a chain can ever have: their numbers are never used again.
pub const MAX_VALIDATORS: usize = 4096;

/// How often one validator may be leaving, or may have come and gone, at a time.
pub const MAX_TURNS: usize = 16;

/// After how many heights the priorities of proposers are stored again, so that nobody has to take more
/// single steps than that to know whose turn it is.
pub const STORED_EVERY: u64 = 1024;

/// The rules of stake, as a genesis sets them: see [`Genesis::staking`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Staking {
    /// For how many blocks stake is held back that somebody takes out. It can be lost until then.
    pub unbonding_blocks: u64,
    /// For how many blocks evidence counts. At least two fewer than `unbonding_blocks`, so that nobody who
    /// lied at its last height can have its stake back before that is known.
    pub evidence_blocks: u64,
    /// How much of its stake the guilty loses, in thousandths, rounded up.
    pub penalty_permille: u64,
    /// How much of that goes to the reporter, in thousandths, rounded down. The rest is burned.
    pub reporter_permille: u64,
    /// The least stake a validator may have.
    pub minimum: Amount,
}

/// Everybody's stake after one block.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Register {
    validators: Vec<Validator>,
    /// By rising height of maturity.
    unbonding: Vec<Unbonding>,
    burned: Amount,
    /// The last height that told of a leak; zero if none did.
    leaked: u64,
    turns: Turns,
}

/// One validator. Its place in the register is its [`ReplicaId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Validator {
    /// What its votes verify with, and whose account the stake is of.
    pub key: PublicKey,
    /// What it has at stake. It votes with as much two heights on.
    pub stake: Stake,
    /// What it has bonded for the child of this block; zero if it has no seat.
    pub weight: Stake,
    /// How much of that counts in votes.
    pub share: Share,
    /// When it had a seat: rising, and none that is too long ago to matter.
    pub seats: Vec<Seat>,
    /// The height of the block that punished it.
    pub punished: Option<u64>,
}

/// The heights that a validator decided, or decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// The first.
    pub from: u64,
    /// The last, if there is one.
    pub until: Option<u64>,
}

/// Stake on its way back to a balance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unbonding {
    /// Whose.
    pub validator: ReplicaId,
    /// How much.
    pub amount: Amount,
    /// The block that gives it back, before anything else happens in it.
    pub until: u64,
}

/// The priorities of those who have a seat, as they are stored when a height begins.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Turns {
    height: u64,
    #[serde(with = "readable")]
    priorities: Vec<i128>,
}

/// Priorities for people are text: few readers of JSON take numbers that long.
mod readable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        priorities: &[i128],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_seq(priorities.iter().map(i128::to_string)),
            false => priorities.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<i128>, D::Error> {
        if !deserializer.is_human_readable() {
            return Vec::deserialize(deserializer);
        }
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

impl Register {
    /// As a chain begins. Founders have their stake, and have had their seats from the first height on.
    pub fn founding(genesis: &Genesis) -> Register {
        let validators = genesis.validators.iter().map(|founder| Validator {
            key: founder.key,
            stake: founder.stake,
            weight: founder.stake,
            share: Share::FULL,
            seats: vec![Seat { from: 1, until: None }],
            punished: None,
        });
        let validators: Vec<_> = validators.collect();
        let turns = Turns { height: 0, priorities: vec![0; validators.len()] };
        Register { validators, unbonding: Vec::new(), burned: Amount::ZERO, leaked: 0, turns }
    }

    /// What a leaf of the state tree names it by.
    pub fn hash(&self) -> Hash {
        hash::tagged(Domain::Register, &codec::encode(self))
    }

    /// Every validator there ever was, by number.
    pub fn validators(&self) -> impl Iterator<Item = (ReplicaId, &Validator)> {
        (0..).map(ReplicaId).zip(&self.validators)
    }

    /// The validator of this number.
    pub fn validator(&self, id: ReplicaId) -> Option<&Validator> {
        self.validators.get(id.0 as usize)
    }

    /// The number of the validator with this key.
    pub fn number(&self, key: &PublicKey) -> Option<ReplicaId> {
        self.validators().find(|(_, validator)| validator.key == *key).map(|(id, _)| id)
    }

    /// The number that the next newcomer gets.
    pub fn next_number(&self) -> ReplicaId {
        ReplicaId(u32::try_from(self.validators.len()).expect("validators are few"))
    }

    /// Stake on its way back, by rising height.
    pub fn unbonding(&self) -> &[Unbonding] {
        &self.unbonding
    }

    /// What a validator has on its way back.
    pub fn unbonding_of(&self, id: ReplicaId) -> impl Iterator<Item = &Unbonding> {
        self.unbonding.iter().filter(move |each| each.validator == id)
    }

    /// All that punishments have destroyed.
    pub fn burned(&self) -> Amount {
        self.burned
    }

    /// All stake, and all that is on its way back.
    pub fn held(&self) -> u128 {
        let stakes = self.validators.iter().map(|each| u128::from(each.stake.0));
        let leaving = self.unbonding.iter().map(|each| u128::from(each.amount.0));
        stakes.chain(leaving).sum()
    }

    /// Who decides the child of the block.
    ///
    /// # Panics
    /// If nobody does, which no register comes to.
    pub fn committee(&self) -> Committee {
        let members = self.validators().filter(|(_, each)| each.weight.0 > 0);
        let members = members.map(|(id, each)| Member {
            id,
            key: each.key,
            stake: each.weight,
            share: each.share,
        });
        Committee::new(members.collect()).expect("somebody always has a seat")
    }

    /// Whose turn it is at `height`, the child's, of which `committee` is [`Register::committee`].
    pub fn rotation(&self, committee: &Arc<Committee>, height: u64) -> Rotation {
        let Turns { height: stored, priorities } = self.turns.clone();
        let mut rotation = Rotation::stored(committee.clone(), stored, priorities);
        while rotation.height() < height {
            rotation = rotation.next_height();
        }
        rotation
    }
}

/// What blocks do to it.
impl Register {
    /// Whether [`Register::begin`] has anything to do.
    pub fn is_due(&self, height: u64) -> bool {
        self.unbonding.first().is_some_and(|each| each.until <= height)
            || (height + 1).is_multiple_of(STORED_EVERY)
            || self.validators.iter().any(|each| each.weight != each.stake)
    }

    /// Begins the block at `height`: stake that is free by now leaves, and everybody gets the
    /// weight of the stake it had. Returns whose account gets how much.
    pub fn begin(&mut self, height: u64, rules: &Staking) -> Vec<(PublicKey, Amount)> {
        let before = Arc::new(self.committee());
        let rotation = self.rotation(&before, height + 1);
        self.weigh(height);
        let rotation = rotation.hand_on(Arc::new(self.committee()));
        self.turns = Turns { height: height + 1, priorities: rotation.priorities().to_vec() };
        // A block also tells who took part two heights before.
        let kept = rules.evidence_blocks.max(2);
        for validator in &mut self.validators {
            let matters =
                |seat: &Seat| seat.until.is_none_or(|until| until.saturating_add(kept) >= height);
            if !validator.seats.iter().all(matters) {
                validator.seats.retain(matters);
            }
        }
        let validators = &self.validators;
        // Where nobody else is left, one without stake may still vote: what it took out stays at stake.
        let is_free = |each: &mut Unbonding| {
            let owner = &validators[each.validator.0 as usize];
            each.until <= height && (owner.weight.0 == 0 || owner.stake.0 > 0)
        };
        let free: Vec<_> = self.unbonding.extract_if(.., is_free).collect();
        let key = |id: ReplicaId| validators[id.0 as usize].key;
        free.into_iter().map(|each| (key(each.validator), each.amount)).collect()
    }

    /// Gives everybody who decides the child of the block at `height` the weight of its stake. If nobody
    /// had any, all stay as they are: a chain without a committee could never end.
    fn weigh(&mut self, height: u64) {
        if self.validators.iter().all(|validator| validator.stake.0 == 0) {
            return;
        }
        for validator in &mut self.validators {
            let (before, after) = (validator.weight, validator.stake);
            if before == after {
                continue;
            }
            validator.weight = after;
            if before.0 == 0 {
                validator.seats.push(Seat { from: height + 1, until: None });
            } else if after.0 == 0 {
                let seat = validator.seats.last_mut().expect("it had a seat until now");
                seat.until = Some(height);
            }
        }
    }

    /// Turns money of the account with this key into stake of the validator `id`.
    ///
    /// # Errors
    /// [`StakeRefusal`]; nothing has changed then.
    pub fn bond(
        &mut self,
        key: PublicKey,
        id: ReplicaId,
        amount: Amount,
        rules: &Staking,
    ) -> Result<(), StakeRefusal> {
        let known = self.number(&key);
        let expected = known.unwrap_or(self.next_number());
        if id != expected {
            return Err(match known {
                Some(own) => StakeRefusal::OtherNumber { own, asked: id },
                None => StakeRefusal::NotNext { next: expected, asked: id },
            });
        }
        let before = self.validator(id);
        if let Some(height) = before.and_then(|validator| validator.punished) {
            return Err(StakeRefusal::Punished { validator: id, height });
        }
        let stake = before.map_or(0, |validator| validator.stake.0);
        let stake = stake.checked_add(amount.0).ok_or(StakeRefusal::Overflow)?;
        if amount == Amount::ZERO || stake < rules.minimum.0 {
            return Err(StakeRefusal::TooLittle { minimum: rules.minimum, found: Amount(stake) });
        }
        if before.is_none_or(|validator| validator.stake.0 == 0) {
            self.check_room(id)?;
        }
        match self.validators.get_mut(id.0 as usize) {
            Some(validator) => {
                // Whoever comes back is there. What it had left when it went says nothing any more.
                if validator.stake.0 == 0 && validator.weight.0 == 0 {
                    validator.share = Share::FULL;
                }
                validator.stake = Stake(stake);
            }
            None => self.validators.push(Validator {
                key,
                stake: Stake(stake),
                weight: Stake(0),
                share: Share::FULL,
                seats: Vec::new(),
                punished: None,
            }),
        }
        Ok(())
    }

    /// Whether there is a seat for one more.
    fn check_room(&self, id: ReplicaId) -> Result<(), StakeRefusal> {
        let staked = self.validators.iter().filter(|each| each.stake.0.max(each.weight.0) > 0);
        if staked.count() >= MAX_COMMITTEE || id.0 as usize >= MAX_VALIDATORS {
            return Err(StakeRefusal::Full);
        }
        if self.validator(id).is_some_and(|validator| validator.seats.len() >= MAX_TURNS) {
            return Err(StakeRefusal::TooOften { validator: id });
        }
        Ok(())
    }

    /// Takes stake out by the block at `height`. It is given back [`Staking::unbonding_blocks`] later.
    ///
    /// # Errors
    /// [`StakeRefusal`]; nothing has changed then.
    pub fn unbond(
        &mut self,
        key: PublicKey,
        amount: Amount,
        height: u64,
        rules: &Staking,
    ) -> Result<(), StakeRefusal> {
        let id = self.number(&key).ok_or(StakeRefusal::NoValidator)?;
        let stake = self.validators[id.0 as usize].stake.0;
        if amount == Amount::ZERO || amount.0 > stake {
            return Err(StakeRefusal::NotThatMuch { stake: Stake(stake), asked: amount });
        }
        let rest = stake - amount.0;
        if rest > 0 && rest < rules.minimum.0 {
            return Err(StakeRefusal::TooLittle { minimum: rules.minimum, found: Amount(rest) });
        }
        let others = self.validators().any(|(other, each)| other != id && each.stake.0 > 0);
        if rest == 0 && !others {
            return Err(StakeRefusal::Last);
        }
        let until = height.checked_add(rules.unbonding_blocks).ok_or(StakeRefusal::Overflow)?;
        self.hold_back(Unbonding { validator: id, amount, until })?;
        self.validators[id.0 as usize].stake = Stake(rest);
        Ok(())
    }

    /// Adds to what is on its way back: one entry for each validator and height.
    fn hold_back(&mut self, entry: Unbonding) -> Result<(), StakeRefusal> {
        let Unbonding { validator, amount, until } = entry;
        let same = self
            .unbonding
            .iter_mut()
            .find(|each| (each.validator, each.until) == (validator, until));
        if let Some(same) = same {
            same.amount = same.amount.checked_add(amount).ok_or(StakeRefusal::Overflow)?;
            return Ok(());
        }
        if self.unbonding_of(validator).count() >= MAX_TURNS {
            return Err(StakeRefusal::TooOften { validator });
        }
        self.send_back(entry);
        Ok(())
    }

    /// Adds an entry, however many its validator has: whoever is sent away can take out nothing more.
    fn send_back(&mut self, entry: Unbonding) {
        let place = self.unbonding.partition_point(|each| each.until <= entry.until);
        self.unbonding.insert(place, entry);
    }
}
