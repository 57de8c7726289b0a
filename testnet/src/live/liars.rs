//! Nodes that lie: who, how, and what it takes to have a node do it.
//!
//! The library `node` cannot lie. Its children here are this very program, which puts a
//! [`Liar`] around the protocol ([`Cast`]). Twins need nothing of the sort: they are two honest
//! processes with one key, and the lie is that each knows only one part of the others, and that part
//! only it. Nobody of the other part is in its configuration, so neither dials nor is let in.

use consensus::{
    byzantine::{self, Liar, NoLie, Plot, Seat, Side, choose},
    catalogue::Module,
};
use crypto::{codec, hash};
use ledger::{ChainId, Hand, ReplicaId};
use node::{Casting, NodeConfig};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::ParseIntError,
    sync::Arc,
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Which nodes lie, and which lie each of them tells, by its name in the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Liars(pub BTreeMap<u32, String>);

// Keys of JSON are texts, and within a tagged enum serde does not read numbers from them.
impl TryFrom<BTreeMap<String, String>> for Liars {
    type Error = ParseIntError;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Liars, ParseIntError> {
        let liars = texts.into_iter().map(|(id, lie)| Ok((id.parse()?, lie)));
        liars.collect::<Result<_, _>>().map(Liars)
    }
}

impl From<Liars> for BTreeMap<String, String> {
    fn from(liars: Liars) -> BTreeMap<String, String> {
        liars.0.into_iter().map(|(id, lie)| (id.to_string(), lie)).collect()
    }
}

impl Liars {
    /// Collects `(node, lie)` as they were asked for.
    ///
    /// # Errors
    ///
    /// [`BadLiars::Twice`] if a node is to tell two.
    pub fn of(wished: Vec<(u32, String)>) -> Result<Liars, BadLiars> {
        let mut liars = BTreeMap::new();
        for (id, lie) in wished {
            if liars.insert(id, lie).is_some() {
                return Err(BadLiars::Twice(id));
            }
        }
        Ok(Liars(liars))
    }

    /// Whether a net of so many nodes of a module can have these.
    ///
    /// # Errors
    ///
    /// [`BadLiars`], which names what is wrong.
    pub fn check(&self, consensus: &str, nodes: u32) -> Result<(), BadLiars> {
        for (&id, lie) in &self.0 {
            if id >= nodes {
                return Err(BadLiars::Unknown { id, nodes });
            }
            byzantine::find(consensus, lie)?;
        }
        Ok(())
    }

    /// Whether everybody is honest.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which lie a node tells, if any.
    pub fn lie(&self, id: u32) -> Option<&str> {
        self.0.get(&id).map(String::as_str)
    }

    /// What a node's process is told besides. Nothing if it is honest, or one of twins who are.
    pub fn arguments(&self, consensus: &str, id: u32) -> Vec<String> {
        let about = self.lie(id).and_then(|lie| byzantine::find(consensus, lie).ok());
        let lies = about.is_some_and(|about| about.knowing || !about.twins);
        match self.lie(id) {
            Some(lie) if lies => {
                let ids: Vec<_> = self.0.keys().map(u32::to_string).collect();
                vec![format!("--lie={lie}"), format!("--liars={}", ids.join(","))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether a node is two processes. The lies were checked.
    pub fn is_twins(&self, consensus: &str, id: u32) -> bool {
        let lie = self.lie(id).and_then(|lie| byzantine::find(consensus, lie).ok());
        lie.is_some_and(|lie| lie.twins)
    }
}

impl fmt::Display for Liars {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> = self.0.iter().map(|(id, lie)| format!("{id}={lie}")).collect();
        f.write_str(&each.join(", "))
    }
}

/// Reads `3=equivocate`.
///
/// # Errors
///
/// A message for whoever typed it. Whether there is such a lie is told once the module is known.
pub fn parse(text: &str) -> Result<(u32, String), String> {
    let form = || format!("{text:?} is no liar; write NODE=LIE, such as 3=equivocate");
    let (id, lie) = text.split_once('=').ok_or_else(form)?;
    let id = id.parse().map_err(|_| form())?;
    if lie.is_empty() { Err(form()) } else { Ok((id, lie.to_owned())) }
}

/// What the liars of a chain have agreed on. Everybody who knows the chain's name draws the same.
pub fn plot(chain: ChainId, nodes: u32, liars: impl IntoIterator<Item = u32>) -> Plot {
    let liars: BTreeSet<_> = liars.into_iter().map(ReplicaId).collect();
    let seed = hash::sha256(&codec::encode(&("byzantium/testnet/plot", chain))).to_bytes();
    Plot::draw(nodes, liars, &mut ChaCha8Rng::from_seed(seed))
}

/// One process: a node's first, or the second of twins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// Which node.
    pub id: u32,
    /// Whether it is the second of two.
    pub second: bool,
}

/// Which of a node's processes `from` has to do with; none if with neither. Of twins each meets one
/// part of the others, and of other twins the one that meets the same part.
pub fn meets(plot: &Plot, twins: impl Fn(u32) -> bool, from: Actor, to: u32) -> Option<Actor> {
    let own = |id: u32| plot.side(ReplicaId(id));
    let side = match (twins(from.id), from.second) {
        (true, true) => Side::Right,
        (true, false) => Side::Left,
        (false, _) => own(from.id),
    };
    match (twins(from.id), twins(to)) {
        (_, true) => Some(Actor { id: to, second: side == Side::Right }),
        (true, false) if own(to) != side => None,
        (_, false) => Some(Actor { id: to, second: false }),
    }
}

/// Puts a lie around a node's protocol, or nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cast {
    /// Which; none for the honest.
    pub lie: Option<String>,
    /// Everybody who lies.
    pub liars: Vec<u32>,
}

impl Casting for Cast {
    type Actor<P: Module> = Liar<P>;

    fn cast<P: Module>(self, protocol: P, config: &NodeConfig) -> Result<Liar<P>, String> {
        let Some(name) = self.lie else { return Ok(Liar::honest(protocol)) };
        let entry = choose::<P>(&name).map_err(|unknown| unknown.to_string())?;
        let lie = entry.lie().ok_or_else(|| {
            format!("{name:?} takes two processes with one key; `testnet up` starts both")
        })?;
        let (chain, nodes) = (config.keys().chain(), config.genesis().validators.len());
        let nodes = u32::try_from(nodes).expect("a committee is small");
        let hand = Hand::new(config.id(), chain, config.key().clone());
        let plot = plot(chain, nodes, self.liars);
        Ok(Liar::new(protocol, lie, Seat::new(hand, Arc::new(plot))))
    }
}

/// Liars that a net cannot have.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadLiars {
    /// A node tells one lie.
    #[error("node {0} is named twice; a node tells one lie")]
    Twice(u32),
    /// There is no such node.
    #[error("there is no node {id} to lie; the {nodes} nodes of this net count from 0")]
    Unknown {
        /// The node.
        id: u32,
        /// How many there are.
        nodes: u32,
    },
    /// There is no such lie.
    #[error("{0}; `testnet lies` tells what they do")]
    Lie(#[from] NoLie),
}
