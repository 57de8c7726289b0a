//! `testnet join`: one more node, from an empty directory to its first block.
//!
//! The running net makes the node and starts it ([`Request::Join`]); all else a person could do with the
//! wallet, and is done here step by step: wait until the node has read the chain, give its account
//! money, bond it, wait until the chain gives it a seat, and until it has proposed a block. Each step
//! first looks whether it is done, so a `join` that was broken off is gone on with by its node's number.

use crate::{
    cli::OneNet,
    lab::stop_on_ctrl_c,
    live::{
        control::{self, Answer, ControlError, NetView, Reason, Request},
        home::Place,
        net::Net,
        sight::NodeView,
    },
};
use clap::Args;
use ledger::{Amount, Genesis, ReplicaId};
use node::config::{self, ConfigError, KEY_FILE, KeyError, key};
use serde_json::json;
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;
use wallet_cli::{
    client::ClientError,
    keystore::{Keystore, KeystoreError},
    name::NameError,
};

mod bond;
mod tell;

use tell::{Step, Teller};

/// How long a step may take without getting anywhere, besides so many blocks' time.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENT_BLOCKS: u32 = 60;

/// How long a newcomer is connected to everybody before it bonds: time to be told by each of them, which
/// it asks for several times a second.
const ACQUAINTANCE: Duration = Duration::from_secs(1);

/// How often the net is asked.
const LOOK: Duration = Duration::from_millis(100);

/// `testnet join`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Join {
    /// Go on with a node that has come before, by its number
    #[arg(long, value_name = "ID")]
    pub node: Option<u32>,
    /// How much the new validator puts at stake; each founder of a testnet has 1000
    #[arg(long, value_name = "AMOUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub stake: u64,
    /// Which account of the net's wallet pays for it
    #[arg(long, value_name = "ACCOUNT", default_value = "alice")]
    pub from: String,
    /// Which network.
    #[command(flatten)]
    pub net: OneNet,
}

const EXAMPLES: &str = "\
Examples:
  testnet join                    node 4 of a net of four, with a stake of 1000 from alice
  testnet join --stake 5000 --from bob
  testnet join --node 4           go on where an earlier join was broken off
  testnet join --json             one line of JSON for each step

The node is a process of the running `testnet up`: `kill`, `stop`, `start`, `status` and the next `up`
know it. Its key is in DIR/node-4, and the wallet has it as the account node-4, which gets the money,
bonds it, and can unbond it.

Exit codes: 0 it has proposed a block, 1 it has not, or no network runs there, 2 bad input, 3 our own
failure. Ctrl-C leaves the node as it is.";

/// Makes a node join, and tells each step.
///
/// # Errors
///
/// [`JoinError`]. The node stays as far as it has come.
pub fn join(order: &Join) -> Result<(), JoinError> {
    let place = control::find(order.net.dir.as_deref())?;
    let genesis = config::load_genesis(&place.genesis())?;
    if genesis.staking().is_none() {
        return Err(JoinError::Fixed { consensus: genesis.consensus });
    }
    // Before anything is made, so that a slip of the pen leaves no node behind.
    let from = order.from.parse()?;
    Keystore::open(place.wallet()).account(&from)?;
    let stop = stop_on_ctrl_c().map_err(|error| JoinError::System(io::Error::other(error)))?;
    let patience = PATIENCE + genesis.block_time().saturating_mul(PATIENT_BLOCKS);
    let teller = Teller::new(order.net.json);
    let mut walk = Walk { place, genesis, id: None, stop, patience, teller };
    let (id, pid) = walk.arrive(order.node)?;
    walk.id = Some(id);
    walk.teller.tell(&Step::Started { node: id, pid });
    let height = walk.catch_up(id)?;
    walk.teller.tell(&Step::Synced { node: id, height });
    let stake = Amount(order.stake);
    let since = bond::bond(&walk, id, &from, stake)?;
    let seat = bond::take_seat(&walk, id)?;
    walk.teller.tell(&Step::Seated { node: id, height: seat.height, members: seat.members });
    let height = bond::propose(&walk, id, since)?;
    walk.teller.tell(&Step::Proposed { node: id, height });
    Ok(())
}

/// On the way from one step to the next.
struct Walk {
    place: Place,
    genesis: Genesis,
    /// The node, once there is one.
    id: Option<u32>,
    stop: &'static AtomicBool,
    patience: Duration,
    teller: Teller,
}

impl Walk {
    /// Makes the node, or finds the one that came before and sees to it that it runs.
    fn arrive(&self, node: Option<u32>) -> Result<(u32, u32), JoinError> {
        let request = match node {
            None => Request::Join {},
            Some(id) => {
                let founders = self.genesis.validators.len();
                let view = self.look()?;
                let there = view.nodes.iter().find(|node| node.id == id);
                match there {
                    Some(_) if (id as usize) < founders => return Err(JoinError::Founder(id)),
                    None => return Err(JoinError::Nobody { id, nodes: view.nodes.len() }),
                    Some(NodeView { pid: Some(pid), .. }) => return Ok((id, *pid)),
                    Some(_) => Request::Start { id },
                }
            }
        };
        match control::ask(&self.place, request)? {
            Answer::Joined { id, pid } | Answer::Started { id, pid } => Ok((id, pid)),
            Answer::Refused { reason, message } => Err(JoinError::Refused { reason, message }),
            _ => Err(JoinError::Misfit),
        }
    }

    /// Waits until the node is as high as everybody else, and has been connected to all of them for a
    /// while. Its disk is empty, so it signs nothing before a quorum has told it how far they are; if it
    /// had a seat before that, the height of that moment would be closed to it for good.
    fn catch_up(&self, id: u32) -> Result<u64, JoinError> {
        let mut met: Option<(Instant, u64)> = None;
        self.wait("reads the chain", |told| {
            let view = self.look()?;
            let height = |node: &NodeView| node.sight.as_ref().map(|sight| sight.height);
            let own = view.nodes.iter().find(|node| node.id == id).and_then(height);
            let highest = view.nodes.iter().filter(|node| node.id != id).filter_map(height).max();
            let (Some(own), Some(highest)) = (own, highest) else { return Ok(None) };
            let peers = |node: &NodeView| node.sight.as_ref().map_or(0, |sight| sight.peers);
            let others = view.nodes.iter().filter(|node| node.up && node.id != id).count();
            let reached = view.nodes.iter().find(|node| node.id == id).map_or(0, peers);
            *told = format!("is at height {own} of {highest}, with {reached} of {others} peers");
            if reached < others {
                met = None;
                return Ok(None);
            }
            let (since, height) = *met.get_or_insert((Instant::now(), own));
            let is_told = since.elapsed() >= ACQUAINTANCE && own >= height + 2;
            Ok((is_told && own >= highest).then_some(own))
        })
    }

    /// Everybody, now.
    fn look(&self) -> Result<NetView, JoinError> {
        match control::ask(&self.place, Request::Status {})? {
            Answer::Status(view) => Ok(view),
            _ => Err(JoinError::Misfit),
        }
    }

    /// Looks again and again until there is something, as long as what is told of it changes.
    fn wait<T>(
        &self,
        what: &'static str,
        mut look: impl FnMut(&mut String) -> Result<Option<T>, JoinError>,
    ) -> Result<T, JoinError> {
        let mut told = String::new();
        let mut since = Instant::now();
        loop {
            let before = told.clone();
            if let Some(found) = look(&mut told)? {
                return Ok(found);
            }
            if told != before {
                since = Instant::now();
                self.teller.progress(self.id, &told);
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err(JoinError::Interrupted { node: self.id });
            }
            if since.elapsed() >= self.patience {
                let node = self.id.expect("there is a node before anything is waited for");
                return Err(JoinError::Late { node, what, patience: self.patience, told });
            }
            thread::sleep(LOOK);
        }
    }

    /// The node's own key.
    fn key(&self, id: u32) -> Result<crypto::SecretKey, JoinError> {
        Ok(key::load(&self.place.node(id).join(KEY_FILE))?)
    }
}

/// Why a node has not joined.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The running net cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The running net says no.
    #[error("{message}")]
    Refused {
        /// Why, in one word.
        reason: Reason,
        /// Why, in full.
        message: String,
    },
    /// The running net answers something else.
    #[error("the running testnet gives an answer that does not fit; is it of another version?")]
    Misfit,
    /// Nobody can join such a chain.
    #[error(
        "the validators of this {consensus} chain are those of its genesis for good, so nobody can \
         join; a chain of `testnet up --consensus tendermint` can be joined"
    )]
    Fixed {
        /// The module.
        consensus: String,
    },
    /// The node is there from the beginning.
    #[error("node {0} is a founder and has a seat; leave --node out to add a new one")]
    Founder(u32),
    /// There is no such node.
    #[error("there is no node {id} among {nodes}; leave --node out to add a new one")]
    Nobody {
        /// Who was asked for.
        id: u32,
        /// How many there are.
        nodes: usize,
    },
    /// Nobody else runs.
    #[error("no other node runs; `testnet start` starts them")]
    Alone,
    /// Who pays cannot.
    #[error(
        "{from} has {balance} and cannot give {needed}; name another account with --from, or a smaller --stake"
    )]
    Poor {
        /// Who was to pay.
        from: String,
        /// What it has.
        balance: Amount,
        /// What it takes, fee included.
        needed: u128,
    },
    /// Its number is another's.
    #[error(
        "the number {node} belongs to another key, and the chain's next one is {next}, so node {node} can \
         never have a seat; leave --node out to join with a new one"
    )]
    Taken {
        /// The node.
        node: u32,
        /// The chain's next number.
        next: ReplicaId,
    },
    /// The chain knows its key by another number.
    #[error(
        "the chain knows the key of node {node} as validator {number}, so its votes as {node} count for \
         nothing; `wallet unbond` takes the stake out, and `testnet join` without --node adds a new node"
    )]
    OtherNumber {
        /// The node.
        node: u32,
        /// What the chain calls it.
        number: ReplicaId,
    },
    /// Another number has to come first.
    #[error(
        "the chain gives the next validator the number {next}, and this is node {node}; let node \
         {next} bond first, by `testnet join --node {next}`"
    )]
    OutOfTurn {
        /// The node.
        node: u32,
        /// The chain's next number.
        next: ReplicaId,
    },
    /// The node has come to the end of its way.
    #[error(
        "node {0} was punished by the chain and never gets a seat again; leave --node out to add a new one"
    )]
    Punished(u32),
    /// Nothing happens any more.
    #[error(
        "node {node} {what} for too long: nothing new for {}{}; it stays as it is, and \
         `testnet join --node {node}` goes on", crate::span::format(*patience), after(told)
    )]
    Late {
        /// The node.
        node: u32,
        /// What it does.
        what: &'static str,
        /// The time it had.
        patience: Duration,
        /// What was told last.
        told: String,
    },
    /// Ctrl-C.
    #[error("interrupted{}", resume(*node))]
    Interrupted {
        /// The node, if there is one already.
        node: Option<u32>,
    },
    /// The net's genesis cannot be read.
    #[error(transparent)]
    Genesis(#[from] ConfigError),
    /// The node's key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No account is called so.
    #[error("--from: {0}")]
    Name(#[from] NameError),
    /// The wallet refuses.
    #[error(transparent)]
    Wallet(#[from] KeystoreError),
    /// The nodes refuse, or do not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The system refuses.
    #[error("the system refuses: {0}")]
    System(io::Error),
}

fn after(told: &str) -> String {
    if told.is_empty() { String::new() } else { format!(" after it {told}") }
}

fn resume(node: Option<u32>) -> String {
    node.map_or(String::new(), |id| {
        format!("; node {id} stays as it is, and `testnet join --node {id}` goes on")
    })
}

/// What the wallet of the net calls the node's account.
fn account_of(id: u32) -> wallet_cli::name::AccountName {
    Net::account_of(id).parse().expect("our own names are names")
}

/// One line of JSON for programs.
fn line(step: &Step, seconds: f64) -> String {
    let mut line = serde_json::to_value(step).expect("a step is plain data");
    line["seconds"] = json!((seconds * 1000.0).round() / 1000.0);
    line.to_string()
}

#[cfg(test)]
mod tests;
