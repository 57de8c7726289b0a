//! `stake`: who has what to lose.

use super::{
    Session,
    compare::{nobody, note},
    reports::Compared,
};
use crate::{
    client::Client,
    error::Error,
    nodes::{ask_all, compare, report, same_chain},
    report::Exit,
    verify::stake::{VerifiedStake, verify_stake},
};
use crypto::{Address, PublicKey};
use ledger::{
    Amount, Genesis, Leak, ReplicaId, Stake, Staking,
    leak::WHOLE,
    query::{StatusAnswer, WeightAnswer, WeightsAnswer},
    stake::Validator,
};
use serde::Serialize;
use std::{cmp::Reverse, fmt};

/// Of so many at most it is said one by one what a node claims of them.
const MOST_NAMED: usize = 16;

/// A register that was proven.
pub(super) fn stake(session: &mut Session<'_>, account: Option<&str>) -> Result<Exit, Error> {
    let address = account.map(|account| session.resolve(account)).transpose()?;
    let genesis = session.genesis()?;
    let rules = rules(&genesis)?;
    let mut committees = session.committees(&genesis)?;
    let clients = session.clients()?;
    if let [client] = clients.as_slice() {
        let status = same_chain(client, &genesis)?;
        let answer = client.stake()?;
        let verified = committees.prove(client, |known| verify_stake(known, &answer))?;
        session.keep(&committees)?;
        let claim = Claim::of(client, status);
        session.output.result(&StakeReport::of(&verified, &genesis, rules, address, claim));
        return Ok(Exit::Holds);
    }
    let views = ask_all(clients, &committees, |client, committees| {
        let answer = client.stake()?;
        let verified = committees.prove(client, |known| verify_stake(known, &answer))?;
        let block = verified.block();
        let claim = Claim::of(client, client.status()?);
        Ok(((verified, claim), Some(block)))
    });
    let sightings = compare(&views, None)?;
    session.keep_longest(&views)?;
    let nodes = report(&views, &sightings, |_, _| None);
    note(&mut session.output, &nodes);
    let height = |(verified, _): &&(VerifiedStake, _)| Reverse(verified.block().height());
    let best = views.iter().filter_map(|view| view.answer.as_ref().ok()).min_by_key(height);
    let Some((verified, claim)) = best else { return Err(nobody(views, nodes)) };
    let report = StakeReport::of(verified, &genesis, rules, address, claim.clone());
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
    /// The rules by which the votes of the absent fade; none where they do not.
    leak: Option<Leak>,
    /// What a node says besides, which no block tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_proven: Option<Claim>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountReport>,
}

/// That nobody can decide, and whose votes count how much less therefore, by one node's own record.
#[derive(Clone, Serialize)]
struct Claim {
    node: String,
    #[serde(flatten)]
    weights: WeightsAnswer,
}

impl Claim {
    /// Whether there is one.
    fn of(client: &Client, status: StatusAnswer) -> Option<Claim> {
        let weights = status.weights.filter(|weights| weights.recovering)?;
        Some(Claim { node: client.node().to_string(), weights })
    }
}

#[derive(Serialize)]
struct ValidatorReport {
    validator: ReplicaId,
    address: Address,
    key: PublicKey,
    stake: Stake,
    /// What it has bonded for the next block.
    weight: Stake,
    /// Millionths of that which count in votes.
    left: u32,
    /// How often it was missed lately, four for each time.
    score: u32,
    /// What its vote is of all votes, in thousandths, rounded down.
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
    fn of(
        verified: &VerifiedStake,
        genesis: &Genesis,
        rules: Staking,
        address: Option<Address>,
        not_proven: Option<Claim>,
    ) -> StakeReport {
        let register = verified.register();
        let voting: u128 = register.validators().map(|(_, each)| voice(each)).sum();
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
            leak: genesis.leak(),
            not_proven,
            account,
        }
    }
}

/// What a validator votes with on the next block, in millionths of a unit.
fn voice(each: &Validator) -> u128 {
    u128::from(each.weight.0) * u128::from(each.share.left)
}

impl ValidatorReport {
    fn of(validator: ReplicaId, each: &Validator, voting: u128) -> ValidatorReport {
        let share = voice(each) * 1000 / voting.max(1);
        ValidatorReport {
            validator,
            address: each.key.address(),
            key: each.key,
            stake: each.stake,
            weight: each.weight,
            left: each.share.left,
            score: each.share.score,
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
        let fades = if self.leak.is_some() { "  counts  score" } else { "" };
        writeln!(f, "validator  {:>stakes$}{fades}    share  seat since  account", "stake")?;
        for each in &self.validators {
            let ValidatorReport { validator, address, stake, share_permille, .. } = each;
            let share = match each.weight.0 {
                0 => "-".to_owned(),
                _ => format!("{}.{} %", share_permille / 10, share_permille % 10),
            };
            let since = each.since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            let (validator, stake) = (validator.to_string(), stake.to_string());
            write!(f, "{validator:<9}  {stake:>stakes$}")?;
            if self.leak.is_some() {
                write!(f, "  {:>6}  {:>5}", percent(each.left), each.score)?;
            }
            write!(f, "  {share:>7}  {since:>10}  {address}")?;
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
        write!(f, "Proven after the block at height {height}.")?;
        self.not_proven.as_ref().map_or(Ok(()), |claim| write!(f, "\n{claim}"))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim { node, weights } = self;
        let WeightsAnswer { height, round, members, .. } = weights;
        write!(
            f,
            "Not proven: the node at {node} says that nobody can decide height {height} yet, in round \
             {round}, and that there"
        )?;
        let fading = members.iter().filter(|member| member.left < WHOLE);
        let fading = fading.map(|WeightAnswer { id, left, .. }| format!("{id} {}", percent(*left)));
        let fading: Vec<_> = fading.collect();
        match fading.as_slice() {
            [] => f.write_str(" everybody counts in full."),
            // Whoever answers may name as many as it likes.
            fading if fading.len() > MOST_NAMED => {
                write!(f, " less counts of {} validators.", fading.len())
            }
            fading => write!(f, " less counts of validators {}.", fading.join(", ")),
        }
    }
}

/// Millionths in hundredths, rounded down.
fn percent(millionths: u32) -> String {
    match millionths {
        WHOLE => "100 %".to_owned(),
        _ => format!("{}.{} %", millionths / 10_000, millionths / 1_000 % 10),
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
