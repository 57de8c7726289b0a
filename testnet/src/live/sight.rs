//! What each node says about itself, asked over its RPC as any wallet would.

use super::fleet::Exit;
use ledger::query::{StatusAnswer, WeightsAnswer};
use serde::{Deserialize, Serialize};
use std::{
    fmt, io, thread,
    time::{Duration, Instant},
};
use wallet_cli::client::{Client, NodeUrl};

#[cfg(test)]
mod tests;

/// How often a node is asked.
pub const EVERY: Duration = Duration::from_millis(250);

/// When an answer is too old to be called the present.
const STALE: Duration = Duration::from_secs(3);

/// A running node's answer, as far as people watch it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sight {
    /// The height of its newest committed block.
    pub height: u64,
    /// Its protocol's round or view.
    pub round: u64,
    /// The newest adopted block.
    pub head: String,
    /// Its height: above `height` where a block is not final as soon as it is decided.
    #[serde(default)]
    pub head_height: u64,
    /// How many transactions wait.
    pub pool: usize,
    /// How many peers it is connected to.
    pub peers: usize,
    /// "running", or "halted: " and why.
    pub state: String,
    /// What counts of everybody's bond in its eyes; left out where nothing ever leaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsAnswer>,
}

impl From<StatusAnswer> for Sight {
    fn from(answer: StatusAnswer) -> Sight {
        let StatusAnswer { height, round, head, head_height, pool, peers, state, weights, .. } =
            answer;
        let head = head.to_string();
        Sight { height, round, head, head_height, pool, peers, state, weights }
    }
}

/// One node as the testnet knows it at this moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeView {
    /// Which node.
    pub id: u32,
    /// Whether its process is there.
    pub up: bool,
    /// Its process.
    pub pid: Option<u32>,
    /// Where it answers wallets.
    pub rpc: String,
    /// How it ended, while it is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// Which lie it tells; left out for the honest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lie: Option<String>,
    /// What it last said, unless that is too long ago.
    #[serde(flatten)]
    pub sight: Option<Sight>,
}

impl fmt::Display for NodeView {
    /// One line of at most 79 columns, so that no terminal wraps it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A star marks those of whom nothing has to be true.
        write!(f, "node {:<2}{}", self.id, if self.lie.is_some() { '*' } else { ' ' })?;
        match (&self.sight, self.exit) {
            (_, Some(exit)) if !self.up => write!(f, " down ({exit})"),
            _ if !self.up => f.write_str(" down"),
            (None, _) => f.write_str(" up, and does not answer"),
            (Some(sight), _) => sight.fmt(f),
        }
    }
}

impl Sight {
    /// Whether its head is not final yet.
    pub fn is_ahead(&self) -> bool {
        self.head_height > self.height
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sight { height, head_height, round, pool, peers, .. } = self;
        let head = self.head.get(..8).unwrap_or(&self.head);
        write!(f, " height {head_height:<6} ")?;
        // Where blocks are not final at once there are no rounds either that would matter.
        match self.is_ahead() {
            true => write!(f, "final {height:<6}")?,
            false => write!(f, "round {round:<3}")?,
        }
        write!(f, " head {head}  pool {pool:<4} peers {peers}")?;
        if self.state != "running" {
            // One word is enough here: programs are given all of it, and so is the node's log.
            let word = self.state.chars().take_while(|character| character.is_alphabetic());
            write!(f, "  {}", word.take(11).collect::<String>())?;
        }
        Ok(())
    }
}

/// The last answer of one node, and when it came.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<(Instant, Sight)>);

impl Memory {
    /// Takes in an answer.
    pub fn see(&mut self, sight: Sight) {
        self.0 = Some((Instant::now(), sight));
    }

    /// Forgets what a process said that is no more.
    pub fn forget(&mut self) {
        self.0 = None;
    }

    /// The last answer, unless it is stale.
    pub fn sight(&self) -> Option<&Sight> {
        let (at, sight) = self.0.as_ref()?;
        (at.elapsed() < STALE).then_some(sight)
    }
}

/// Asks the node at `url` again and again on a thread of its own, and hands each answer to `tell`
/// until that returns false. Silence is not told: whoever listens sees that answers grow stale.
///
/// # Errors
///
/// Whatever the system says when it has no thread to give.
pub fn watch(url: &str, tell: impl Fn(Sight) -> bool + Send + 'static) -> io::Result<()> {
    let url: NodeUrl = url.parse().expect("our own addresses are addresses");
    let client = Client::new(vec![url]);
    let name = "watch a node".to_owned();
    thread::Builder::new().name(name).spawn(move || {
        loop {
            if let Ok(answer) = client.status()
                && !tell(answer.into())
            {
                return;
            }
            thread::sleep(EVERY);
        }
    })?;
    Ok(())
}
