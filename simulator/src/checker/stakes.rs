//! The checker's own count of stake: who has how much, what is on its way back, what was burned.
//!
//! Who votes when and with what weight is counted here as well, and so is whether evidence comes in time, of somebody who had a seat.
//! Whether it is signed is for the ledger that replays the chain.

mod leaks;

pub(crate) use leaks::roots;

use super::flaw::Bad;
use crypto::{Address, PublicKey};
use leaks::Rest;
use ledger::{Action, Committee, Genesis, Leak, Register, ReplicaId, Stake, Staking, vote::Member};
use std::collections::BTreeMap;

/// Everybody's stake after some block.
#[derive(Clone, Debug)]
pub(crate) struct Stakes {
    rules: Option<Staking>,
    leak: Option<Leak>,
    /// By number.
    owners: Vec<Owner>,
    /// Who decides the block that began last, by number: the bonds.
    deciders: BTreeMap<usize, u128>,
    /// Height, owner and amount of what is on its way back.
    leaving: Vec<(u64, usize, u128)>,
    /// The last height that told of a leak; zero if none did.
    leaked: u64,
    pub(crate) burned: u128,
}

#[derive(Clone, Debug)]
struct Owner {
    key: PublicKey,
    address: Address,
    stake: u128,
    /// What it had at stake after the block before, and so its weight two heights past that one.
    weight: u128,
    /// How much of its bond counts.
    rest: Rest,
    /// The heights it had a vote at, first and last; none for a last that is still to come.
    seats: Vec<(u64, Option<u64>)>,
    punished: bool,
}

impl Owner {
    fn new(key: PublicKey, stake: u128) -> Owner {
        let founder = (stake > 0).then_some((1, None));
        let (address, seats) = (key.address(), founder.into_iter().collect());
        Owner { key, address, stake, weight: stake, rest: Rest::ALL, seats, punished: false }
    }
}

/// Money that a deed brings to an account, or takes from it.
pub(crate) type Moved = (Address, i128);

impl Stakes {
    pub(crate) fn new(genesis: &Genesis) -> Stakes {
        let owners = genesis.validators.iter();
        let owners = owners.map(|founder| Owner::new(founder.key, founder.stake.0.into()));
        let (rules, leak, owners) = (genesis.staking(), genesis.leak(), owners.collect());
        let deciders = BTreeMap::new();
        Stakes { rules, leak, owners, deciders, leaving: Vec::new(), leaked: 0, burned: 0 }
    }

    /// Whether stake can move at all.
    pub(crate) fn move_here(&self) -> bool {
        self.rules.is_some()
    }

    /// Who earns what a validator's blocks bring.
    pub(crate) fn payee(&self, proposer: ReplicaId) -> Option<Address> {
        self.owners.get(proposer.0 as usize).map(|owner| owner.address)
    }

    /// What an account has at stake.
    pub(crate) fn bonded(&self, address: Address) -> u128 {
        let own = self.owners.iter().filter(|owner| owner.address == address);
        own.map(|owner| owner.stake).sum::<u128>() * u128::from(self.rules.is_some())
    }

    /// All that is at stake or on its way back.
    pub(crate) fn held(&self) -> u128 {
        if self.rules.is_none() {
            return 0;
        }
        let stakes = self.owners.iter().map(|owner| owner.stake);
        stakes.chain(self.leaving.iter().map(|(_, _, amount)| *amount)).sum()
    }

    /// Who decides the children of the block that began last.
    pub(crate) fn committee(&self) -> Committee {
        let members = (0..).zip(&self.owners).filter(|(_, owner)| owner.weight > 0);
        let members = members.map(|(id, owner)| Member {
            id: ReplicaId(id),
            key: owner.key,
            stake: Stake(u64::try_from(owner.weight).expect("all money fits 64 bits")),
            share: owner.rest.share(),
        });
        Committee::new(members.collect()).expect("somebody always has a vote")
    }

    /// The block at `height` begins: everybody gets the weight of its stake, unless nobody had any.
    /// Returns what it gives back before anything else: nothing to whoever votes without a stake.
    pub(crate) fn begin(&mut self, height: u64) -> Vec<Moved> {
        if self.rules.is_none() {
            return Vec::new();
        }
        let weights = self.owners.iter().map(|owner| owner.weight).enumerate();
        self.deciders = weights.filter(|(_, weight)| *weight > 0).collect();
        if self.owners.iter().any(|owner| owner.stake > 0) {
            for owner in &mut self.owners {
                match (owner.weight > 0, owner.stake > 0) {
                    (false, true) => owner.seats.push((height + 1, None)),
                    (true, false) => {
                        owner.seats.last_mut().expect("it had a seat").1 = Some(height);
                    }
                    _ => {}
                }
                owner.weight = owner.stake;
            }
        }
        let owners = &self.owners;
        let is_free = |(until, owner, _): &(u64, usize, u128)| {
            let owner = &owners[*owner];
            *until <= height && (owner.weight == 0 || owner.stake > 0)
        };
        let (free, rest) = self.leaving.drain(..).partition(is_free);
        self.leaving = rest;
        let free: Vec<(u64, usize, u128)> = free;
        free.iter()
            .map(|(_, owner, amount)| (self.owners[*owner].address, signed(*amount)))
            .collect()
    }

    /// Does what an account asks, or nothing.
    pub(crate) fn act(
        &mut self,
        key: PublicKey,
        action: &Action,
        height: u64,
    ) -> Result<Vec<Moved>, Bad> {
        let rules = self.rules.ok_or(Bad::Action)?;
        let sender = key.address();
        let own = self.owners.iter().position(|owner| owner.address == sender);
        match action {
            Action::Transfer { .. } => unreachable!("money is moved elsewhere"),
            Action::Bond { amount, validator } => {
                let amount = u128::from(amount.0);
                let owner = own.unwrap_or(self.owners.len());
                let punished = self.owners.get(owner).is_some_and(|owner| owner.punished);
                if owner != validator.0 as usize || amount == 0 || punished {
                    return Err(Bad::Stake);
                }
                if own.is_none() {
                    self.owners.push(Owner::new(key, 0));
                }
                let back = &mut self.owners[owner];
                // Whoever had gone for good begins anew.
                if back.stake == 0 && back.weight == 0 {
                    back.rest = Rest::ALL;
                }
                back.stake += amount;
                Ok(vec![(sender, -signed(amount))])
            }
            Action::Unbond { amount } => {
                let amount = u128::from(amount.0);
                let owner = own.ok_or(Bad::Stake)?;
                let stake = self.owners[owner].stake;
                self.owners[owner].stake = stake.checked_sub(amount).ok_or(Bad::Stake)?;
                self.leaving.push((height + rules.unbonding_blocks, owner, amount));
                Ok(Vec::new())
            }
            Action::Evidence(evidence) => {
                let (offender, slot) = (evidence.offender, evidence.slot.height);
                self.is_timely(offender, slot, height, rules)?;
                self.convict(sender, offender, height, rules)
            }
        }
    }

    fn is_timely(
        &self,
        offender: ReplicaId,
        slot: u64,
        height: u64,
        rules: Staking,
    ) -> Result<(), Bad> {
        let seats = self.owners.get(offender.0 as usize).map(|owner| &owner.seats);
        let sat = |(from, until): &(u64, Option<u64>)| {
            *from <= slot && until.is_none_or(|until| slot <= until)
        };
        let in_time = slot <= height && slot + rules.evidence_blocks >= height;
        let sat = seats.is_some_and(|seats| seats.iter().any(sat));
        if sat && in_time { Ok(()) } else { Err(Bad::Stake) }
    }

    fn convict(
        &mut self,
        reporter: Address,
        offender: ReplicaId,
        height: u64,
        rules: Staking,
    ) -> Result<Vec<Moved>, Bad> {
        let number = offender.0 as usize;
        let guilty = self.owners.get_mut(number).ok_or(Bad::Stake)?;
        if guilty.punished || guilty.address == reporter {
            return Err(Bad::Stake);
        }
        guilty.punished = true;
        // What it is leaving with, at most one entry a height, and what it has: a share of each.
        let share = |amount: u128| (amount * u128::from(rules.penalty_permille)).div_ceil(1000);
        let mut entries = BTreeMap::new();
        for (until, owner, amount) in &self.leaving {
            if *owner == number {
                *entries.entry(*until).or_insert(0) += amount;
            }
        }
        self.leaving.retain(|(_, owner, _)| *owner != number);
        let stake = std::mem::take(&mut self.owners[number].stake);
        let lost = share(stake) + entries.values().map(|amount| share(*amount)).sum::<u128>();
        let left = entries.into_iter().map(|(until, amount)| (until, amount - share(amount)));
        let rest = (height + rules.unbonding_blocks, stake - share(stake));
        let back = left.chain([rest]).filter(|(_, amount)| *amount > 0);
        self.leaving.extend(back.map(|(until, amount)| (until, number, amount)));
        let reward = lost * u128::from(rules.reporter_permille) / 1000;
        self.burned += lost - reward;
        Ok(vec![(reporter, signed(reward))])
    }

    /// Whether a ledger's register says the same.
    pub(crate) fn agree(&self, register: &Register) -> bool {
        let theirs = register.validators().map(|(_, each)| {
            let (stake, share) = (u128::from(each.stake.0), each.share);
            (each.key.address(), stake, share, each.punished.is_some())
        });
        let ours = self.owners.iter();
        let ours = ours.map(|each| (each.address, each.stake, each.rest.share(), each.punished));
        let sum = |sums: &mut BTreeMap<_, u128>, place: (u64, usize), much| {
            *sums.entry(place).or_default() += much;
        };
        let (mut leaving, mut told) = (Default::default(), Default::default());
        for (until, owner, amount) in &self.leaving {
            sum(&mut leaving, (*until, *owner), *amount);
        }
        for each in register.unbonding() {
            sum(&mut told, (each.until, each.validator.0 as usize), each.amount.0.into());
        }
        ours.eq(theirs) && leaving == told && self.burned == u128::from(register.burned().0)
    }
}

fn signed(amount: u128) -> i128 {
    i128::try_from(amount).expect("all money fits 64 bits")
}
