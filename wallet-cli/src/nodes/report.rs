//! What a person and a program hear about each node that was asked.

use super::{Sightings, View};
use crate::{
    client::{Attempts, ClientError, NodeUrl},
    error::Error,
    verify::blocks::FinalBlock,
};
use serde::Serialize;
use std::fmt;

/// How one node's answer stands beside the others'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// Which node.
    pub url: NodeUrl,
    /// The height of the newest block that it proved; none if it proved nothing.
    pub height: Option<u64>,
    /// Whether its answer goes together with the one reported. A node that merely lags agrees; of
    /// one that did not answer, or could not be compared, nobody knows.
    pub agrees: Option<bool>,
    /// What is wrong, if something is.
    pub error: Option<String>,
    /// The height of its first block that is not on the heaviest chain, where nothing is final and it
    /// is on another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<u64>,
    /// How many blocks it is behind the highest proven one.
    #[serde(skip)]
    pub behind: u64,
}

impl NodeReport {
    /// Whether there is anything to tell.
    pub fn is_remarkable(&self) -> bool {
        self.error.is_some() || self.behind > 0
    }
}

impl fmt::Display for NodeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "note: the node at {}", self.url)?;
        match (&self.error, self.agrees, self.height) {
            (Some(error), Some(false), _) => write!(f, " does not agree: {error}"),
            (Some(error), ..) => write!(f, " cannot be compared: {error}"),
            (None, _, Some(height)) if self.behind > 0 => {
                let blocks = if self.behind == 1 { "block" } else { "blocks" };
                let behind = self.behind;
                write!(f, " is {behind} {blocks} behind; the newest that it proves is at {height}")
            }
            (None, ..) => f.write_str(" agrees"),
        }
    }
}

/// Rule 4: says of each view how it stands. `objection` says what in a node's answer contradicts
/// the one reported without proving anything.
pub fn report<T>(
    views: &[View<T>],
    sightings: &Sightings,
    objection: impl Fn(&View<T>, &T) -> Option<String>,
) -> Vec<NodeReport> {
    let highest = sightings.table.keys().next_back().copied().unwrap_or_default();
    let one = |view: &View<T>| {
        let height = view.newest().as_ref().map(FinalBlock::height);
        let (agrees, error) = match &view.answer {
            Err(Error::Client(ClientError::NoAnswer(attempts))) => (None, Some(failures(attempts))),
            // Who does not take a question says nothing about the chain.
            Err(error @ Error::Client(ClientError::Refused(_))) => (None, Some(error.to_string())),
            Err(error) => (Some(false), Some(error.to_string())),
            Ok(answer) => match objection(view, answer) {
                Some(objection) => (Some(false), Some(objection)),
                None if height.is_some_and(|height| sightings.open.contains(&height)) => {
                    let error = "the node that proves most does not show its block at this height";
                    (None, Some(error.to_owned()))
                }
                None => (Some(true), None),
            },
        };
        let behind = height.map_or(0, |height| highest - height);
        let url = view.client.node().clone();
        NodeReport { url, height, agrees, error, branch: None, behind }
    };
    views.iter().map(one).collect()
}

/// Why a node gave no answer, without the advice for when nobody does.
pub(crate) fn failures(attempts: &Attempts) -> String {
    attempts.0.iter().map(|each| each.failure.to_string()).collect::<Vec<_>>().join("; ")
}
