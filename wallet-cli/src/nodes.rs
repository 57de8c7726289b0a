//! What several nodes say, side by side.
//!
//! A proof cannot show that nothing newer exists, and a chain whose validators broke the rules may
//! have two proven blocks at one height. Against both helps asking more than one node. The rules:
//!
//! 1. Every node is asked, all at once. Beside its answer each has to prove its newest block.
//! 2. What each has proven goes into one table: at this height, this block, shown by this node.
//!    Where somebody shows an earlier block than the node that proves most, that node has to show
//!    its own block there, so that a node that lags is compared too.
//! 3. Two blocks at one height, both proven, are a [`Conflict`]: no answer is believed.
//! 4. Otherwise the highest proven answer wins. A node that lags, is silent or claims what it cannot
//!    prove changes nothing, and a [`NodeReport`] says so.
//!
//! An unproven claim never makes a conflict, so one liar cannot stop a wallet. What this does not
//! withstand is the silence of all nodes asked.
//!
//! Where nothing is final the heaviest chain takes the place of rules 2 to 4: see
//! [`crate::headers`].

mod report;
#[cfg(test)]
mod tests;

pub(crate) use report::failures;
pub use report::{NodeReport, report};

use crate::{
    client::{Client, NodeUrl},
    committees::Committees,
    error::Error,
    verify::{NotProven, blocks::FinalBlock, certify},
};
use ledger::{BlockHash, Genesis, query::StatusAnswer};
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    thread,
};

/// A node's answer to some question, and what it proved of its chain.
#[derive(Debug)]
pub struct View<T> {
    /// The node, or a list of nodes of which one answered.
    pub client: Client,
    /// What it said.
    pub answer: Result<T, Error>,
    /// Every block that it proved to be final.
    pub shown: Vec<FinalBlock>,
    /// The committees that it proved.
    pub committees: Committees,
}

impl<T> View<T> {
    /// The highest block that it proved to be final.
    pub fn newest(&self) -> Option<FinalBlock> {
        self.shown.iter().copied().max_by_key(FinalBlock::height)
    }
}

/// What a node says to a question, and the final block that proves it, if one does.
pub type Said<T> = (T, Option<FinalBlock>);

/// Rule 1: asks every node at once. The views are in the order of `clients`.
pub fn ask_all<T: Send>(
    clients: Vec<Client>,
    committees: &Committees,
    question: impl Fn(&Client, &mut Committees) -> Result<Said<T>, Error> + Sync,
) -> Vec<View<T>> {
    let question = &question;
    thread::scope(|scope| {
        let asked: Vec<_> = clients
            .into_iter()
            .map(|client| scope.spawn(move || ask(client, committees.clone(), question)))
            .collect();
        asked.into_iter().map(|view| view.join().expect("asking does not panic")).collect()
    })
}

fn ask<T>(
    client: Client,
    mut committees: Committees,
    question: &impl Fn(&Client, &mut Committees) -> Result<Said<T>, Error>,
) -> View<T> {
    let mut shown = Vec::new();
    let answer = newest_block(&client, &mut committees).and_then(|newest| {
        shown.extend(newest);
        let (value, proven_by) = question(&client, &mut committees)?;
        shown.extend(proven_by);
        Ok(value)
    });
    View { client, answer, shown, committees }
}

/// What the node says about itself, if it says that it is on the chain of our genesis.
///
/// # Errors
///
/// [`Error::OtherChain`], or [`Error::Client`] if there is no answer.
pub fn same_chain(client: &Client, genesis: &Genesis) -> Result<StatusAnswer, Error> {
    let (ours, status) = (genesis.chain_id(), client.status()?);
    if status.chain_id != ours {
        let node = client.node().clone();
        return Err(Error::OtherChain { node, genesis: ours, found: status.chain_id });
    }
    Ok(status)
}

fn newest_block(client: &Client, committees: &mut Committees) -> Result<Option<FinalBlock>, Error> {
    let height = same_chain(client, committees.genesis())?.height;
    final_block(client, committees, height)
}

/// The final block that the node shows at a height, if it shows one.
///
/// # Errors
///
/// [`Error::NotProven`] if the proof does not hold, [`Error::Client`] if there is no answer.
pub fn final_block(
    client: &Client,
    committees: &mut Committees,
    height: u64,
) -> Result<Option<FinalBlock>, Error> {
    if height == 0 {
        return Ok(Some(FinalBlock::genesis(committees.genesis())));
    }
    let Some(finality) = client.block(height)?.and_then(|answer| answer.finality) else {
        return Ok(None);
    };
    let found = committees.prove(client, |committees| {
        let block = certify(committees, &finality)?.block();
        match block.height() {
            found if found == height => Ok(block),
            found => Err(NotProven::Height { claimed: height, header: found }),
        }
    });
    found.map(Some)
}

/// Rules 2 and 3: compares all that was proven, also with what `known` says.
///
/// # Errors
///
/// [`Conflict`], at the lowest height there is one.
pub fn compare<T>(
    views: &[View<T>],
    known: Option<(Source, FinalBlock)>,
) -> Result<Sightings, Conflict> {
    let mut sightings = Sightings::default();
    if let Some((source, block)) = known {
        sightings.add(source, block);
    }
    for view in views {
        view.shown.iter().for_each(|block| sightings.add(Source::of(view), *block));
    }
    let best = views.iter().min_by_key(|view| Reverse(view.newest().map(|block| block.height())));
    if let Some(best) = best {
        let own: BTreeSet<_> = best.shown.iter().map(FinalBlock::height).collect();
        let below = own.last().copied().unwrap_or_default();
        let theirs: Vec<_> = sightings.table.range(..below).map(|(height, _)| *height).collect();
        let mut committees = best.committees.clone();
        for height in theirs.into_iter().filter(|height| !own.contains(height)) {
            match final_block(&best.client, &mut committees, height) {
                Ok(Some(block)) => sightings.add(Source::of(best), block),
                // It proves nothing either way, and whoever reads the chain may still find out.
                Ok(None) | Err(_) => _ = sightings.open.insert(height),
            }
        }
    }
    sightings.agree()?;
    Ok(sightings)
}

/// Which block was proven at each height, and by whom.
#[derive(Clone, Debug, Default)]
pub struct Sightings {
    table: BTreeMap<u64, BTreeMap<BlockHash, BTreeSet<Source>>>,
    /// Where the node that proves most did not show its block.
    open: BTreeSet<u64>,
}

impl Sightings {
    /// Compares a block of the chain that `source` shows.
    ///
    /// # Errors
    ///
    /// [`Conflict`] if somebody proved another one at its height.
    pub fn meet(&mut self, source: Source, block: FinalBlock) -> Result<(), Conflict> {
        if self.table.contains_key(&block.height()) {
            self.add(source, block);
            self.open.remove(&block.height());
        }
        self.agree()
    }

    /// Takes in what `source` proved.
    pub fn add(&mut self, source: Source, block: FinalBlock) {
        let blocks = self.table.entry(block.height()).or_default();
        blocks.entry(block.hash()).or_default().insert(source);
    }

    /// Whether all of it can be true.
    ///
    /// # Errors
    ///
    /// [`Conflict`], at the lowest height there is one.
    pub fn agree(&self) -> Result<(), Conflict> {
        let Some((height, blocks)) = self.table.iter().find(|(_, blocks)| blocks.len() > 1) else {
            return Ok(());
        };
        let rival = |(hash, sources): (&BlockHash, &BTreeSet<Source>)| Rival {
            hash: *hash,
            shown_by: sources.iter().cloned().collect(),
        };
        Err(Conflict { height: *height, blocks: blocks.iter().map(rival).collect() })
    }
}

/// Who showed the proof of a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// A node, just now.
    Node(NodeUrl),
    /// A node, earlier: the proof is kept in this file.
    History(PathBuf),
}

impl Source {
    /// The node of a view.
    pub fn of<T>(view: &View<T>) -> Source {
        Source::Node(view.client.node().clone())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Node(url) => url.fmt(f),
            Source::History(path) => write!(f, "the proof kept in {}", path.display()),
        }
    }
}

/// Two final blocks at one height: more than a third of the stake signed both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error(
    "CONFLICTING FINALITY at height {height}: {}. Each is proven to be final, which takes more than a third of the stake that signed both; believe no balance and send nothing until the validators have explained it, and keep these hashes as evidence",
    list(blocks)
)]
pub struct Conflict {
    /// Where.
    pub height: u64,
    /// Two at least.
    pub blocks: Vec<Rival>,
}

/// One of several final blocks at one height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rival {
    /// Its name.
    pub hash: BlockHash,
    /// Who proved it.
    pub shown_by: Vec<Source>,
}

fn list(blocks: &[Rival]) -> String {
    let one = |Rival { hash, shown_by }: &Rival| {
        let sources: Vec<_> = shown_by.iter().map(ToString::to_string).collect();
        format!("block {hash} is shown by {}", sources.join(" and "))
    };
    blocks.iter().map(one).collect::<Vec<_>>().join("; ")
}
