//! A network in parts: groups of nodes that hear nothing of each other.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Groups of nodes, by their ids. A node that is in none of them reaches all others.
///
/// Whoever types it may write nonsense; [`Groups::check`] says whether it is a partition of a net.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Groups(pub Vec<Vec<u32>>);

impl Groups {
    /// Whether these are groups of a net with so many nodes.
    ///
    /// # Errors
    ///
    /// [`BadGroups`], which names what is wrong.
    pub fn check(&self, nodes: u32) -> Result<(), BadGroups> {
        if self.0.len() < 2 {
            return Err(BadGroups::One);
        }
        let mut seen = BTreeSet::new();
        for group in &self.0 {
            if group.is_empty() {
                return Err(BadGroups::Empty);
            }
            for id in group {
                if *id >= nodes {
                    return Err(BadGroups::Unknown { id: *id, nodes });
                }
                if !seen.insert(*id) {
                    return Err(BadGroups::Twice(*id));
                }
            }
        }
        Ok(())
    }

    /// Whom a node has to cut off: everybody in another group, if it is in one itself.
    pub fn cut_off_from(&self, id: u32) -> BTreeSet<u32> {
        let its = self.0.iter().position(|group| group.contains(&id));
        let others = self.0.iter().enumerate().filter(|(at, _)| its.is_some_and(|its| its != *at));
        others.flat_map(|(_, group)| group.iter().copied()).collect()
    }

    /// Who of so many nodes is in no group.
    pub fn free(&self, nodes: u32) -> Vec<u32> {
        let named: BTreeSet<u32> = self.0.iter().flatten().copied().collect();
        (0..nodes).filter(|id| !named.contains(id)).collect()
    }
}

impl FromStr for Groups {
    type Err = BadGroups;

    /// Reads `0,1/2,3`.
    fn from_str(text: &str) -> Result<Groups, BadGroups> {
        let number = |word: &str| {
            let shown = || word.chars().take(40).collect();
            word.trim().parse::<u32>().map_err(|_| match word.trim().is_empty() {
                true => BadGroups::Empty,
                false => BadGroups::Number(shown()),
            })
        };
        let group = |text: &str| text.split(',').map(number).collect::<Result<Vec<_>, _>>();
        let groups = Groups(text.split('/').map(group).collect::<Result<_, _>>()?);
        // How many nodes there are is only known where the net runs.
        groups.check(u32::MAX)?;
        Ok(groups)
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |ids: &Vec<u32>| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        f.write_str(&self.0.iter().map(group).collect::<Vec<_>>().join(" | "))
    }
}

/// Groups that are no partition.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BadGroups {
    /// Something is no number.
    #[error("{0:?} is no node; write the groups like 0,1/2,3")]
    Number(String),
    /// A group has nobody in it.
    #[error("a group is empty; write the groups like 0,1/2,3")]
    Empty,
    /// There is nobody to be cut off from.
    #[error("one group is no partition; name two at least, like 0,1/2,3")]
    One,
    /// A node cannot be on two sides.
    #[error("node {0} is named twice; a node is in one group, or in none and reaches all")]
    Twice(u32),
    /// There is no such node.
    #[error("there is no node {id}; the {nodes} nodes of this net count from 0")]
    Unknown {
        /// The node.
        id: u32,
        /// How many there are.
        nodes: u32,
    },
}
