//! `bond` and `unbond`: money becomes stake, and stake money again.

use super::{
    Session,
    send::{hand_over, parse_amount, prepare, unlock, wait},
    stake::rules,
};
use crate::{
    cli::{Bonding, Sending, Unbonding},
    error::Error,
    keystore::{Account, Keystore},
    nodes::same_chain,
    report::Exit,
    verify::stake::verify_stake,
};
use ledger::{
    Action, Amount, Payload, ReplicaId, Staking, TransactionId, query::TransactionStatus,
};
use serde::Serialize;
use std::fmt;

/// From what height on a change of stake acts, counted from that of its block.
const ACTS_AFTER: u64 = 2;

/// Turns money into stake.
pub(super) fn bond(session: &mut Session<'_>, wish: &Bonding) -> Result<Exit, Error> {
    let amount = parse_amount("amount", &wish.amount)?;
    let number = wish.validator.map(ReplicaId);
    move_stake(session, &wish.sending, Move { kind: Kind::Bond, amount, number })
}

/// Takes stake out.
pub(super) fn unbond(session: &mut Session<'_>, wish: &Unbonding) -> Result<Exit, Error> {
    let amount = parse_amount("amount", &wish.amount)?;
    move_stake(session, &wish.sending, Move { kind: Kind::Unbond, amount, number: None })
}

/// What is to be moved.
struct Move {
    kind: Kind,
    amount: Amount,
    /// The validator's number, if somebody says.
    number: Option<ReplicaId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bond,
    Unbond,
}

fn move_stake(session: &mut Session<'_>, sending: &Sending, wish: Move) -> Result<Exit, Error> {
    let Move { kind, amount, number } = wish;
    let fee = parse_amount("fee", &sending.fee)?;
    let keystore = session.keystore()?;
    let from = whose(&keystore, sending)?;
    let genesis = session.genesis()?;
    let rules = rules(&genesis)?;
    let mut committees = session.committees(&genesis)?;
    let client = session.client()?;

    same_chain(&client, &genesis)?;
    let answer = client.stake()?;
    let verified = committees.prove(&client, |known| verify_stake(known, &answer))?;
    let register = verified.register();
    let next = register.next_number();
    let own = register.number(&from.public_key);
    let validator = match (number.or(own), kind) {
        (Some(number), _) => number,
        // Whoever bonds by mistake would get a seat, and its silence would cost everybody time.
        (None, Kind::Bond) => return Err(Error::NoValidator { from: from.name, next }),
        // There is nothing to take out, and the chain says so.
        (None, Kind::Unbond) => next,
    };
    let needs = if kind == Kind::Bond { amount } else { Amount::ZERO };
    let nonce = prepare(&client, &mut committees, &from, needs, fee)?;
    let key = unlock(session, &keystore, &from, &sending.passphrase)?;
    let action = match kind {
        Kind::Bond => Action::Bond { amount, validator },
        Kind::Unbond => Action::Unbond { amount },
    };
    let payload =
        Payload { chain: genesis.chain_id(), sender: from.public_key, nonce, fee, action };
    let transaction = payload.sign(&key);
    drop(key);

    let stake = |id| register.validator(id).map_or(0, |each| u128::from(each.stake.0));
    let all: u128 = register.validators().map(|(id, _)| stake(id)).sum();
    let (mine, all) = match kind {
        Kind::Bond => (stake(validator) + u128::from(amount.0), all + u128::from(amount.0)),
        Kind::Unbond => (0, all),
    };
    if 3 * mine >= all && kind == Kind::Bond && !session.output.is_json() {
        session.output.remark(format_args!(
            "Validator {validator} will have {mine} of {all} at stake: if its node does not vote, the chain \
             stands still."
        ));
    }
    let id = hand_over(&client, &transaction)?;
    let status = TransactionStatus::Pending;
    let mut report =
        Moved { status, tx: id, kind, validator, amount, fee, height: None, rules, acts: None };
    if sending.wait {
        if session.output.is_watched() && !session.output.is_json() {
            session.output.remark(format_args!("Transaction {id} is handed over."));
        }
        let final_one = wait(&mut session.output, &client, &mut committees, id, sending.timeout)?;
        report = report.at(final_one.certified().header().height);
    }
    session.keep(&committees)?;
    session.output.result(&report);
    Ok(Exit::Holds)
}

/// The account that is named, or the only one there is.
fn whose(keystore: &Keystore, sending: &Sending) -> Result<Account, Error> {
    if let Some(name) = &sending.from {
        return Ok(keystore.account(&name.parse()?)?);
    }
    let mut accounts = keystore.list()?.accounts;
    match accounts.len() {
        1 => Ok(accounts.remove(0)),
        _ => Err(Error::WhichAccount {
            accounts: accounts.into_iter().map(|account| account.name).collect(),
        }),
    }
}

/// Stake that was moved, or is going to be.
#[derive(Serialize)]
struct Moved {
    status: TransactionStatus,
    tx: TransactionId,
    kind: Kind,
    validator: ReplicaId,
    amount: Amount,
    #[serde(skip)]
    fee: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip)]
    rules: Staking,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    acts: Option<Acts>,
}

/// What comes of it, once its height is known.
#[derive(Serialize)]
struct Acts {
    /// The first height at which the validator votes with its new stake.
    votes_from: u64,
    /// The height whose block gives back what was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_at: Option<u64>,
}

impl Moved {
    /// As it is when its block is at this height.
    fn at(self, height: u64) -> Moved {
        let free_at = height.saturating_add(self.rules.unbonding_blocks);
        let acts = Acts {
            votes_from: height.saturating_add(ACTS_AFTER),
            free_at: (self.kind == Kind::Unbond).then_some(free_at),
        };
        Moved { status: TransactionStatus::Final, height: Some(height), acts: Some(acts), ..self }
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moved { tx, kind, validator, amount, fee, height, rules, acts, .. } = self;
        match height {
            Some(height) => writeln!(f, "Final at height {height}, and the proof holds.")?,
            None => writeln!(f, "Handed over; `wallet status {tx}` tells what becomes of it.")?,
        }
        writeln!(f, "  transaction  {tx}")?;
        writeln!(f, "  validator    {validator}")?;
        writeln!(f, "  amount       {amount}, and a fee of {fee}")?;
        let with = if *kind == Kind::Bond { "votes with it" } else { "votes without it" };
        match acts {
            Some(acts) => write!(f, "  next         {with} from height {} on", acts.votes_from)?,
            None => write!(f, "  next         {with} from the second block after its own on")?,
        }
        match (kind, acts.as_ref().and_then(|acts| acts.free_at)) {
            (Kind::Bond, _) => Ok(()),
            (Kind::Unbond, Some(free_at)) => {
                write!(f, "; free at height {free_at}, and can be lost until then")
            }
            (Kind::Unbond, None) => write!(
                f,
                "; free {} blocks after its own, and can be lost until then",
                rules.unbonding_blocks
            ),
        }
    }
}
