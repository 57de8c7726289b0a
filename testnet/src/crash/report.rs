//! What a trial tells while it goes on, and what came of it.

use super::{
    plan::{Round, Victim},
    watch::{Undone, Violation},
};
use crate::span;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

#[cfg(test)]
mod tests;

/// What came of a trial.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Summary {
    /// No promise was broken.
    pub(super) holds: bool,
    /// The module that orders blocks.
    pub(super) consensus: String,
    /// How many nodes.
    pub(super) replicas: u32,
    /// What the victims and times were drawn from.
    pub(super) seed: u64,
    /// How many rounds were done.
    pub(super) rounds: u32,
    /// Whether somebody broke it off: then what is checked at the end was not.
    pub(super) interrupted: bool,
    /// How many processes were killed.
    pub(super) kills: u64,
    /// How many were started again.
    pub(super) restarts: u64,
    /// How many died by their own hand at each failpoint.
    pub(super) failpoints: BTreeMap<&'static str, u64>,
    /// How many never came to theirs.
    pub(super) untripped: u64,
    /// What became of the load.
    pub(super) transfers: Transfers,
    /// Each node's committed height.
    pub(super) heights: Vec<u64>,
    /// Each node's adopted height; the same where a block is final as soon as it is decided.
    pub(super) head_heights: Vec<u64>,
    /// Blocks and transfers that were counted on and undone, which only some modules may do.
    pub(super) undone: Undone,
    /// How many databases were sound, and held what they should.
    pub(super) databases: u32,
    /// What was broken.
    pub(super) violations: Vec<Violation>,
    /// How many more there were.
    pub(super) unlisted: u64,
    /// How long it took.
    pub(super) seconds: f64,
    /// Where everything lies, if it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dir: Option<PathBuf>,
    /// Whether the module knows blocks that are counted on before they are committed.
    #[serde(skip)]
    pub(super) confirms: bool,
}

/// What became of the load.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Transfers {
    /// Made and signed.
    pub(super) sent: u64,
    /// Reported final, or confirmed where blocks are counted on before that.
    pub(super) settled: usize,
    /// Reported final.
    #[serde(rename = "final")]
    pub(super) is_final: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { consensus, replicas, seed, rounds, kills, restarts, .. } = self;
        let stopped = if self.interrupted { ", broken off" } else { "" };
        writeln!(f, "{consensus}, {replicas} nodes, seed {seed}: {rounds} rounds{stopped}")?;
        writeln!(f, "  processes  {kills} killed, {restarts} started again")?;
        self.tell_failpoints(f)?;
        let Transfers { sent, settled, is_final } = self.transfers;
        write!(f, "  transfers  {sent} sent, {is_final} final")?;
        if self.confirms {
            write!(f, ", {} confirmed", settled - is_final)?;
        }
        writeln!(f, "\n  heights    {}", row(&self.heights))?;
        if self.confirms {
            writeln!(f, "  heads      {}", row(&self.head_heights))?;
            let Undone { blocks, transfers } = self.undone;
            writeln!(f, "  undone     {blocks} confirmed blocks, {transfers} confirmed transfers")?;
        }
        if !self.interrupted {
            let databases = self.databases;
            writeln!(f, "  databases  {databases} sound, with all that was final")?;
        }
        writeln!(f, "  time       {:.1} s", self.seconds)?;
        for violation in &self.violations {
            writeln!(f, "\n{violation}")?;
        }
        if self.unlisted > 0 {
            writeln!(f, "\nand {} more", self.unlisted)?;
        }
        if let Some(dir) = &self.dir {
            writeln!(f, "\nDatabases, logs and traces are in {}", dir.display())?;
        }
        match (self.holds, self.interrupted) {
            (true, false) => write!(f, "\nNo promise was broken."),
            (true, true) => write!(f, "\nNo promise was broken so far."),
            (false, _) => write!(f, "\nPROMISES WERE BROKEN."),
        }
    }
}

impl Summary {
    /// How many died at which failpoint, if anybody was to.
    fn tell_failpoints(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { failpoints, untripped, .. } = self;
        if failpoints.is_empty() && *untripped == 0 {
            return Ok(());
        }
        let (died, points) = (failpoints.values().sum::<u64>(), failpoints.len());
        writeln!(
            f,
            "  failpoints {died} died at {points} of them, {untripped} never came to theirs"
        )?;
        let each: Vec<_> =
            failpoints.iter().map(|(point, died)| format!("{point} {died}")).collect();
        each.chunks(4).try_for_each(|some| writeln!(f, "             {}", some.join(", ")))
    }
}

/// One round for a person: who died, and how far everybody is.
pub(super) fn line(
    number: u32,
    of: u32,
    round: &Round,
    heights: &[u64],
    is_final: usize,
) -> String {
    let name = |victim: &Victim| match victim.trip {
        Some(trip) => format!("{}@{trip}", victim.id),
        None => victim.id.to_string(),
    };
    let ids: Vec<_> = round.victims.iter().map(name).collect();
    let longest = round.victims.iter().map(|victim| victim.dead).max().unwrap_or(Duration::ZERO);
    format!(
        "round {number:>3} of {of}  after {:>6} killed {:<12} for {:>5}  heights {}  final transfers {is_final}",
        span::format(round.pause),
        ids.join(" "),
        span::format(longest),
        row(heights),
    )
}

fn row(heights: &[u64]) -> String {
    heights.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}
