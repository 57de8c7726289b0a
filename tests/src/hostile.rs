//! A peer that means harm: its own libp2p, and none of a node's manners.
//!
//! [`wire`] keeps a connection to each target, whatever the target does about it. A behaviour, a page each
//! in [`behaviours`], says on it what no honest peer says; [`material`] is what that is made of. With a
//! validator's key it attacks as a member, without one as a stranger, whom nodes take in as a guest.
//! [`tally`] counts what was done and what came of it.

use clap::Parser;
use crypto::SecretKey;
use ledger::{ChainId, ReplicaId};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tally::{Report, Tally};
use thiserror::Error;

pub mod behaviours;
pub mod material;
pub mod tally;
pub mod wire;

#[cfg(test)]
mod tests;

/// Attacks nodes for a while, and tells what came of it.
///
/// For nets of one's own only: it does what it can to keep them from working.
#[derive(Clone, Debug, Parser)]
#[command(name = "hostile-peer", version)]
pub struct Order {
    /// Where a node listens for peers; may be given more than once
    #[arg(long, value_name = "ADDR", required_unless_present = "list")]
    pub target: Vec<SocketAddr>,
    /// The chain's id in hexadecimal, as `status` tells it
    #[arg(long, value_name = "ID", required_unless_present = "list")]
    pub chain: Option<ChainId>,
    /// What to do to it: see --list
    #[arg(long, value_name = "NAME", required_unless_present = "list", value_parser = behaviour)]
    pub behaviour: Option<&'static behaviours::Behaviour>,
    /// A validator's key file: attack as a member
    #[arg(long, value_name = "FILE", requires = "seat")]
    pub key: Option<PathBuf>,
    /// That validator's number
    #[arg(long, value_name = "N")]
    pub seat: Option<u32>,
    /// A file with secret keys of funded accounts, one in hexadecimal on each line, to pay with
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<PathBuf>,
    /// For how long: 60s, 5m
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = span)]
    pub time: Duration,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Tell what it can do, and do nothing
    #[arg(long)]
    pub list: bool,
}

/// Why nobody is attacked.
#[derive(Debug, Error)]
pub enum HostileError {
    /// A file cannot be read.
    #[error("cannot read {}: {reason}; give a file that is there", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// libp2p refused.
    #[error("cannot set libp2p up: {0}")]
    Wire(String),
    /// The system gave no runtime.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// All that a behaviour has to work with.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The chain that is attacked.
    pub chain: ChainId,
    /// Whose identity it has on the network.
    pub identity: SecretKey,
    /// Which validator it is, if it is one.
    pub seat: Option<ReplicaId>,
    /// Who pays for its transactions.
    pub accounts: Vec<SecretKey>,
    /// Where the target listens.
    pub target: SocketAddr,
    /// What is counted.
    pub tally: Arc<Tally>,
}

/// Attacks as ordered, and prints what came of it.
pub fn run(order: &Order) -> ExitCode {
    if order.list {
        for behaviour in behaviours::ALL {
            println!("{:<16} {}", behaviour.name, behaviour.about);
        }
        return ExitCode::SUCCESS;
    }
    match attack(order) {
        Ok(report) => {
            match order.json {
                true => println!("{}", serde_json::to_string(&report).expect("plain data")),
                false => println!("{report}"),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hostile-peer: {error}");
            ExitCode::from(2)
        }
    }
}

/// Attacks every target of an order at the same time.
///
/// # Errors
///
/// [`HostileError`], before anything was done.
///
/// # Panics
///
/// If the order lacks what its command line insists on, or a behaviour panics.
pub fn attack(order: &Order) -> Result<Report, HostileError> {
    let behaviour = order.behaviour.expect("clap insists on one");
    let chain = order.chain.expect("clap insists on one");
    let identity = match &order.key {
        Some(path) => node::config::key::load(path).map_err(|error| HostileError::File {
            path: path.clone(),
            reason: error.to_string(),
        })?,
        None => SecretKey::generate(),
    };
    let accounts = order.accounts.as_deref().map(read_accounts).transpose()?.unwrap_or_default();
    let tally = Arc::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for target in &order.target {
            let kit = Kit {
                chain,
                identity: identity.clone(),
                seat: order.key.as_ref().and(order.seat).map(ReplicaId),
                accounts: accounts.clone(),
                target: *target,
                tally: Arc::clone(&tally),
            };
            tasks.spawn((behaviour.run)(kit));
        }
        let failed = tokio::time::timeout(order.time, async {
            while let Some(ended) = tasks.join_next().await {
                // A behaviour goes on until it is stopped, unless it cannot even begin.
                ended.expect("no behaviour panics")?;
            }
            Ok::<(), HostileError>(())
        });
        failed.await.unwrap_or(Ok(()))
    })?;
    Ok(tally.report(behaviour.name))
}

fn read_accounts(path: &Path) -> Result<Vec<SecretKey>, HostileError> {
    let wrong = |reason: String| HostileError::File { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let key = |line: &str| {
        let seed = hex::decode(line).ok().and_then(|seed| seed.try_into().ok());
        seed.map(SecretKey::from_seed).ok_or_else(|| {
            wrong("a line is not the 64 hexadecimal digits of a secret key".to_owned())
        })
    };
    text.lines().map(key).collect()
}

fn behaviour(name: &str) -> Result<&'static behaviours::Behaviour, String> {
    behaviours::find(name).ok_or_else(|| {
        let names: Vec<_> = behaviours::ALL.iter().map(|behaviour| behaviour.name).collect();
        format!("{name:?} is none; choose one of {}", names.join(", "))
    })
}

fn span(text: &str) -> Result<Duration, String> {
    testnet::span::parse(text).map_err(|error| error.to_string())
}
