//! The checker's own count of stake: who has how much, what is on its way back, what was burned.
//!
//! Whether evidence is signed and whether its offender had a seat is for the ledger that replays the chain; what
//! a conviction costs, and that nobody is convicted twice, is counted here.

use super::flaw::Bad;
use crypto::Address;
use ledger::{Action, Genesis, Register, ReplicaId, Staking};

/// Everybody's stake after some block.
#[derive(Clone, Debug)]
pub(crate) struct Stakes {
    rules: Option<Staking>,
    /// By number.
    owners: Vec<Owner>,
    /// Height, owner and amount of what is on its way back.
    leaving: Vec<(u64, usize, u128)>,
    pub(crate) burned: u128,
}

#[derive(Clone, Debug)]
struct Owner {
    address: Address,
    stake: u128,
    punished: bool,
}

/// Money that a deed brings to an account, or takes from it.
pub(crate) type Moved = (Address, i128);

impl Stakes {
    pub(crate) fn new(genesis: &Genesis) -> Stakes {
        let owners = genesis.validators.iter().map(|founder| Owner {
            address: founder.key.address(),
            stake: founder.stake.0.into(),
            punished: false,
        });
        let (rules, owners) = (genesis.staking(), owners.collect());
        Stakes { rules, owners, leaving: Vec::new(), burned: 0 }
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

    /// What the block at `height` gives back before anything else.
    pub(crate) fn free(&mut self, height: u64) -> Vec<Moved> {
        let (free, rest) = self.leaving.drain(..).partition(|(until, ..)| *until <= height);
        self.leaving = rest;
        let free: Vec<(u64, usize, u128)> = free;
        free.iter()
            .map(|(_, owner, amount)| (self.owners[*owner].address, signed(*amount)))
            .collect()
    }

    /// Does what an account asks, or nothing.
    pub(crate) fn act(
        &mut self,
        sender: Address,
        action: &Action,
        height: u64,
    ) -> Result<Vec<Moved>, Bad> {
        let rules = self.rules.ok_or(Bad::Action)?;
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
                    self.owners.push(Owner { address: sender, stake: 0, punished: false });
                }
                self.owners[owner].stake += amount;
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
            Action::Evidence(evidence) => self.convict(sender, evidence.offender, height, rules),
        }
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
        let mut entries = std::collections::BTreeMap::new();
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
            (each.key.address(), u128::from(each.stake.0), each.punished.is_some())
        });
        let ours = self.owners.iter().map(|each| (each.address, each.stake, each.punished));
        let sum = |sums: &mut std::collections::BTreeMap<_, u128>, place: (u64, usize), much| {
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
