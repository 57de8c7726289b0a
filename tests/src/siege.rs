//! A net under attack: what is left of its throughput, its memory and its agreement.
//!
//! A fresh net of real processes is loaded with half of what a short calibration finds. Phases take turns:
//! nobody attacks, then somebody does, in every way one after the other, then nobody again. Each phase has
//! accounts and a tally of its own. What was committed under attack is divided by what the two quiet phases
//! beside it committed, so that a machine that is slower for a while counts for nothing.
//!
//! The attacker is one process, held to a share of a core ([`hold`]). A *stranger* has a key that nobody knows
//! and comes as a guest to all nodes. A *member* has the key of the last validator, whose node does not run,
//! in quiet phases neither.

use crate::hostile::behaviours;
use camp::{Camp, Role};
use clap::{Parser, ValueEnum};
use serde::Serialize;
use std::{process::ExitCode, time::Duration};
use table::Row;
use testnet::live::net::MOST_REPLICAS;
use thiserror::Error;

pub mod camp;
pub mod eyes;
pub mod hold;
pub mod table;

#[cfg(test)]
mod tests;

/// The least that may be left of the throughput.
pub const LEAST_RATIO: f64 = 0.7;
/// The most memory a node may use, in bytes.
pub const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// Measures a net under attack.
///
/// Founds a net in a temporary directory, loads it with half of what it carries, attacks it in every way,
/// and tells what was left. Everything is gone afterwards.
#[derive(Clone, Debug, Parser)]
#[command(name = "siege", version, after_help = AFTER_HELP)]
pub struct Order {
    /// How it is attacked: names of `hostile-peer --list`, separated by commas [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = known)]
    pub only: Vec<String>,
    /// How long each attack lasts, and each quiet phase
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = span)]
    pub time: Duration,
    /// Who attacks
    #[arg(long = "as", value_name = "WHO", value_enum, default_value_t = Who::Both)]
    pub who: Who,
    /// The module that orders blocks
    #[arg(long, value_name = "NAME", default_value = "tendermint")]
    pub consensus: String,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(4..=i64::from(MOST_REPLICAS)))]
    pub replicas: u32,
    /// Transfers per second [default: half of what a calibration finds]
    #[arg(long, value_name = "R")]
    pub rate: Option<u32>,
    /// How much of a core the attacker has
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub share: f64,
    /// Print one JSON object for each attack
    #[arg(long)]
    pub json: bool,
}

const AFTER_HELP: &str = "\
Exit codes: 0 nothing was amiss; 1 a ratio was below 0.7, a node used 512 MiB or more, or two nodes did not
agree; 2 our own failure.";

/// Who attacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Who {
    /// Somebody with a validator's key.
    Member,
    /// Somebody nobody knows.
    Stranger,
    /// One after the other, each against a net of its own.
    Both,
}

/// Why nothing was measured.
#[derive(Debug, Error)]
pub enum SiegeError {
    /// There is no net, or it did not last.
    #[error(transparent)]
    Net(#[from] testnet::live::net::NetError),
    /// A process could not be started.
    #[error(transparent)]
    Fleet(#[from] testnet::live::fleet::FleetError),
    /// There is no directory.
    #[error(transparent)]
    Home(#[from] testnet::live::home::HomeError),
    /// A node is not what it should be.
    #[error("{0}")]
    Node(String),
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

/// What a phase was like.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Phase {
    /// Transfers of ours that became final, in a second.
    pub committed_per_s: f64,
    /// The most memory that a node used, in bytes.
    pub rss_bytes: u64,
    /// What was held against peers, in all nodes together.
    pub faults: u64,
    /// How often somebody was shut out.
    pub bans: u64,
    /// What was refused: envelopes, gossip, questions.
    pub refused: u64,
    /// Whether all nodes had the same block at the greatest height that all had reached.
    pub agree: bool,
    /// What went wrong with the load.
    pub trouble: Option<String>,
    /// What the attacker itself says that it did.
    pub attacker: Option<crate::hostile::tally::Report>,
}

/// Measures as ordered, and prints what came of it.
pub fn run(order: &Order) -> ExitCode {
    match besiege(order) {
        Ok(rows) if rows.iter().all(Row::holds) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("siege: {error}");
            ExitCode::from(2)
        }
    }
}

fn besiege(order: &Order) -> Result<Vec<Row>, SiegeError> {
    let roles: &[Role] = match order.who {
        Who::Member => &[Role::Member],
        Who::Stranger => &[Role::Stranger],
        Who::Both => &[Role::Stranger, Role::Member],
    };
    let mut rows = Vec::new();
    for role in roles {
        rows.extend(besiege_as(*role, order)?);
    }
    if !order.json {
        print!("{}", table::table(&rows));
    }
    Ok(rows)
}

fn besiege_as(role: Role, order: &Order) -> Result<Vec<Row>, SiegeError> {
    let names: Vec<&str> = match order.only.is_empty() {
        true => behaviours::ALL.iter().map(|behaviour| behaviour.name).collect(),
        false => order.only.iter().map(String::as_str).collect(),
    };
    let mut camp = Camp::pitch(role, order, names.len())?;
    let rate = match order.rate {
        Some(rate) => rate,
        None => camp.calibrate()? / 2,
    };
    let rate = rate.max(1);
    say(order, &format!("as a {role}: {rate} transfers a second"));
    let mut before = camp.quiet(rate, order.time)?;
    let mut rows = Vec::new();
    for name in names {
        let attacked = camp.attacked(rate, order.time, name, order.share)?;
        let after = camp.quiet(rate, order.time)?;
        let row = Row::new(role, name, rate, &before, attacked, &after);
        match order.json {
            true => println!("{}", serde_json::to_string(&row).expect("plain data")),
            false => say(order, &row.to_string()),
        }
        before = after;
        rows.push(row);
    }
    camp.strike();
    Ok(rows)
}

fn say(order: &Order, line: &str) {
    if !order.json {
        eprintln!("{line}");
    }
}

fn known(name: &str) -> Result<String, String> {
    match behaviours::find(name) {
        Some(behaviour) => Ok(behaviour.name.to_owned()),
        None => Err(format!("{name:?} is no behaviour; see hostile-peer --list")),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    testnet::span::parse(text).map_err(|error| error.to_string())
}
