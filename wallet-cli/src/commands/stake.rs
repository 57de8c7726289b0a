//! `stake`: who has what to lose.

use super::{
    Session,
    compare::{nobody, note},
    reports::Compared,
};
use crate::{
    error::Error,
    nodes::{ask_all, compare, report, same_chain},
    report::Exit,
    verify::stake::{VerifiedStake, verify_stake},
};
use crypto::{Address, PublicKey};
use ledger::{Amount, Genesis, ReplicaId, Stake, Staking, stake::Validator};
use serde::Serialize;
use std::{cmp::Reverse, fmt};

/// A register that was proven.
pub(super) fn stake(session: &mut Session<'_>, account: Option<&str>) -> Result<Exit, Error> {
    let address = account.map(|account| session.resolve(account)).transpose()?;
    let genesis = session.genesis()?;
    let rules = rules(&genesis)?;
    let mut committees = session.committees(&genesis)?;
    let clients = session.clients()?;
    if let [client] = clients.as_slice() {
        same_chain(client, &genesis)?;
        let answer = client.stake()?;
        let verified = committees.prove(client, |known| verify_stake(known, &answer))?;
        session.keep(&committees)?;
        session.output.result(&StakeReport::of(&verified, rules, address));
        return Ok(Exit::Holds);
    }
    let views = ask_all(clients, &committees, |client, committees| {
        let answer = client.stake()?;
        let verified = committees.prove(client, |known| verify_stake(known, &answer))?;
        let block = verified.block();
        Ok((verified, Some(block)))
    });
    let sightings = compare(&views, None)?;
    session.keep_longest(&views)?;
    let nodes = report(&views, &sightings, |_, _| None);
    note(&mut session.output, &nodes);
    let height = |verified: &&VerifiedStake| Reverse(verified.block().height());
    let best = views.iter().filter_map(|view| view.answer.as_ref().ok()).min_by_key(height);
    let Some(verified) = best else { return Err(nobody(views, nodes)) };
    let report = StakeReport::of(verified, rules, address);
    session.output.result(&Compared { report, nodes });
    Ok(Exit::Holds)
}

/// The rules of stake, where there are any.
pub(super) fn rules(genesis: &Genesis) -> Result<Staking, Error> {
    genesis.staking().ok_or_else(|| Error::NoStake { network: genesis.name.clone() })
}

/// Everybody's stake.
#[derive(Serialize)]
struct StakeReport {
    height: u64,
    validators: Vec<ValidatorReport>,
    /// By rising height.
    unbonding: Vec<UnbondingReport>,
    /// All that validators have at stake, and all that is on its way back.
    staked: u128,
    leaving: u128,
    supply: Amount,
    burned: Amount,
    next_validator: ReplicaId,
    rules: Staking,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountReport>,
}

#[derive(Serialize)]
struct ValidatorReport {
    validator: ReplicaId,
    address: Address,
    key: PublicKey,
    stake: Stake,
    /// What it votes with on the next block.
    weight: Stake,
    /// Of all that vote, in thousandths, rounded down.
    share_permille: u64,
    /// The first height of its seat; none without one.
    since: Option<u64>,
    punished: Option<u64>,
}

#[derive(Clone, Copy, Serialize)]
struct UnbondingReport {
    validator: ReplicaId,
    amount: Amount,
    /// The height whose block gives it back.
    free_at: u64,
}

/// One account's part of it.
#[derive(Serialize)]
struct AccountReport {
    address: Address,
    validator: Option<ReplicaId>,
    bonded: Stake,
    unbonding: Vec<UnbondingReport>,
}

impl StakeReport {
    fn of(verified: &VerifiedStake, rules: Staking, address: Option<Address>) -> StakeReport {
        let register = verified.register();
        let voting: u128 = register.validators().map(|(_, each)| u128::from(each.weight.0)).sum();
        let validators: Vec<_> =
            register.validators().map(|(id, each)| ValidatorReport::of(id, each, voting)).collect();
        let unbonding = register.unbonding().iter().map(|each| UnbondingReport {
            validator: each.validator,
            amount: each.amount,
            free_at: each.until,
        });
        let unbonding: Vec<_> = unbonding.collect();
        let account = address.map(|address| {
            let own = validators.iter().find(|each| each.address == address);
            let validator = own.map(|own| own.validator);
            let leaving = unbonding.iter().filter(|each| Some(each.validator) == validator);
            AccountReport {
                address,
                validator,
                bonded: own.map_or(Stake(0), |own| own.stake),
                unbonding: leaving.copied().collect(),
            }
        });
        StakeReport {
            height: verified.block().height(),
            staked: validators.iter().map(|each| u128::from(each.stake.0)).sum(),
            leaving: unbonding.iter().map(|each| u128::from(each.amount.0)).sum(),
            validators,
            unbonding,
            supply: verified.supply(),
            burned: register.burned(),
            next_validator: register.next_number(),
            rules,
            account,
        }
    }
}

impl ValidatorReport {
    fn of(validator: ReplicaId, each: &Validator, voting: u128) -> ValidatorReport {
        let share = u128::from(each.weight.0) * 1000 / voting.max(1);
        ValidatorReport {
            validator,
            address: each.key.address(),
            key: each.key,
            stake: each.stake,
            weight: each.weight,
            share_permille: u64::try_from(share).expect("at most a thousand"),
            since: each.seats.last().filter(|seat| seat.until.is_none()).map(|seat| seat.from),
            punished: each.punished,
        }
    }
}

impl fmt::Display for StakeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |title: &str, figures: &mut dyn Iterator<Item = String>| {
            figures.map(|figure| figure.len()).max().unwrap_or(0).max(title.len())
        };
        let stakes = width("stake", &mut self.validators.iter().map(|each| each.stake.to_string()));
        writeln!(f, "validator  {:>stakes$}    share  seat since  account", "stake")?;
        for each in &self.validators {
            let ValidatorReport { validator, address, stake, share_permille, .. } = each;
            let share = match each.weight.0 {
                0 => "-".to_owned(),
                _ => format!("{}.{} %", share_permille / 10, share_permille % 10),
            };
            let since = each.since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            let (validator, stake) = (validator.to_string(), stake.to_string());
            write!(f, "{validator:<9}  {stake:>stakes$}  {share:>7}  {since:>10}  {address}")?;
            match each.punished {
                Some(height) => writeln!(f, "  punished at height {height}, for good")?,
                None if each.since.is_none() && each.stake.0 > 0 => {
                    writeln!(f, "  votes within two blocks")?;
                }
                None => writeln!(f)?,
            }
        }
        for UnbondingReport { validator, amount, free_at } in &self.unbonding {
            writeln!(
                f,
                "{amount} of validator {validator} on the way back, free at height {free_at}"
            )?;
        }
        let StakeReport { height, staked, leaving, supply, burned, .. } = self;
        writeln!(f, "staked     {staked}, and {leaving} on the way back")?;
        writeln!(f, "supply     {supply}, after {burned} were burned")?;
        if let Some(account) = &self.account {
            writeln!(f, "{account}")?;
        }
        write!(f, "Proven after the block at height {height}.")
    }
}

impl fmt::Display for AccountReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AccountReport { address, validator, bonded, unbonding } = self;
        let Some(validator) = validator else {
            return write!(f, "{address} is no validator, and has nothing at stake");
        };
        write!(f, "{address} is validator {validator}: {bonded} at stake")?;
        for UnbondingReport { amount, free_at, .. } in unbonding {
            write!(f, ", {amount} free at height {free_at}")?;
        }
        Ok(())
    }
}
