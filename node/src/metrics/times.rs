//! How long things take. Each mean is a histogram's `_sum` by its `_count`.

use super::{Sheet, Snapshot};
use crate::runtime::{ByName, Times};
use std::fmt;

impl Snapshot {
    pub(super) fn times(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let times = &self.figures.times;
        sheet.histogram(
            "height_seconds",
            "From one final block to the next, as this node learnt of them.",
            &times.heights,
        )?;
        let steps = [("first", &times.first), ("quorum", &times.quorum)];
        sheet.histograms(
            "height_step_seconds",
            "From the beginning of a height to its first message of a kind, and to a quorum of them.",
            steps.into_iter().flat_map(|(at, all)| {
                all.iter().map(move |(kind, each)| ([("kind", *kind), ("at", at)], *each))
            }),
        )?;
        sheet.histograms(
            "open_seconds",
            "To decode and verify what a peer sent, bad or good.",
            by("what", &times.opened),
        )?;
        sheet.histograms(
            "queue_seconds",
            "What waited before it was looked at.",
            by("queue", &times.queues),
        )?;
        sheet.histograms(
            "replica_step_seconds",
            "Steps of the replica, by what made it take one; commit if a block became final by it.",
            by("event", &times.steps),
        )?;
        sheet.histogram(
            "carry_out_seconds",
            "To carry out what a step asks for: encoding, handing over to network and disk.",
            &times.carried_out,
        )?;
        sheet.histogram(
            "store_write_seconds",
            "To put what a step keeps into the store, not yet durable; part of the step.",
            &times.writes,
        )?;
        sheet.histogram(
            "sync_seconds",
            "To make durable what was written, on the disk's thread.",
            &times.syncs,
        )?;
        sheet.seconds(
            "longest_seconds",
            "The longest of each of these in this life.",
            longest(times).map(|(of, took)| ([("of", of)], took)),
        )
    }
}

fn by(label: &'static str, all: &ByName) -> impl Iterator<Item = super::Timed<1>> {
    all.iter().map(move |(name, each)| ([(label, *name)], *each))
}

fn longest(times: &Times) -> [(&'static str, std::time::Duration); 8] {
    let of = |all: &ByName| all.values().map(|each| each.longest).max().unwrap_or_default();
    let opened = |what| times.opened.get(what).map(|each| each.longest).unwrap_or_default();
    [
        ("height", times.heights.longest),
        ("envelope", opened("envelope")),
        ("batch", opened("batch")),
        ("queue", of(&times.queues)),
        ("replica_step", of(&times.steps)),
        ("carry_out", times.carried_out.longest),
        ("store_write", times.writes.longest),
        ("sync", times.syncs.longest),
    ]
}
