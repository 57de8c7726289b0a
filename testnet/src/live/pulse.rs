//! Whether blocks still become final, and whose votes count how much meanwhile.
//!
//! Where more than a third is away nothing becomes final. An inactivity leak makes the votes of the absent
//! count less and less then, and no block can tell of it: the nodes are asked.

use super::sight::{NodeView, Sight};
use consensus::catalogue::Depths;
use ledger::{Genesis, query::WeightsAnswer};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// How much longer than two pauses of an idle chain the next block may take: rounds fail, and machines
/// are busy.
const PATIENCE: Duration = Duration::from_secs(3);

/// Of so many validators at most it is told one by one how much their votes count.
const MOST_NAMED: usize = 16;

/// Of so many heights it is known which block was told of first: nodes may be behind one another.
const REMEMBERED: usize = 256;

/// Millionths in a hundredth.
const PERCENT: u32 = 10_000;

/// How finality is, by what the nodes say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pulse {
    /// The height of the newest final block that any node tells of.
    pub height: u64,
    /// The round in which the next one is being decided, by the node that is furthest.
    pub round: u64,
    /// For how many milliseconds nothing has become final, if that is longer than it should be.
    pub stopped_ms: Option<u64>,
    /// What counts of everybody's bond, by that node; none where nothing ever leaks.
    pub weights: Option<WeightsAnswer>,
    /// Who disagrees, if anybody does.
    pub split: Option<Split>,
}

/// Two honest nodes hold different final blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Split {
    /// Where it was first seen.
    pub height: u64,
    /// Who.
    pub nodes: [u32; 2],
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Split { height, nodes: [one, other] } = self;
        write!(
            f,
            "TWO CHAINS: nodes {one} and {other} hold different final blocks at height {height}"
        )
    }
}

impl Pulse {
    /// Whether it says nothing that is not so every day.
    pub fn is_usual(&self) -> bool {
        self.stopped_ms.is_none() && self.weighing().is_none() && self.split.is_none()
    }

    /// For a terminal: lines of at most 79 columns, so that none is wrapped. None if all is as usual.
    pub fn lines(&self) -> Vec<String> {
        let whole = Pulse { split: None, ..self.clone() }.to_string();
        let mut lines: Vec<_> = match whole.chars().count() {
            _ if self.is_usual() => Vec::new(),
            0..80 => vec![whole],
            _ => [self.finality()].into_iter().chain(self.weighing()).collect(),
        };
        lines.extend(self.split.map(|split| split.to_string()));
        lines
    }

    fn finality(&self) -> String {
        let Pulse { height, round, .. } = self;
        match self.stopped_ms.map(|milliseconds| milliseconds / 1_000) {
            None => format!("height {height} final"),
            Some(0) => format!("nothing becomes final · height {height} · round {round}"),
            Some(seconds) => {
                format!("nothing final for {seconds} s · height {height} · round {round}")
            }
        }
    }

    /// What counts of everybody's bond, in hundredths; none while all of it does.
    fn weighing(&self) -> Option<String> {
        let percents = self.lefts().map(|left| left / PERCENT);
        let faded = self.lefts().filter(|left| *left < ledger::leak::WHOLE).count();
        match percents.clone().count() {
            _ if faded == 0 => None,
            0..=MOST_NAMED => {
                let each: Vec<_> = percents.map(|percent| percent.to_string()).collect();
                Some(format!("weights {} %", each.join(" ")))
            }
            all => {
                let least = percents.min().unwrap_or(0);
                Some(format!("{faded} of {all} weigh less than their bonds, down to {least} %"))
            }
        }
    }

    fn lefts(&self) -> impl Iterator<Item = u32> + Clone {
        let weights = self.weights.iter();
        weights.flat_map(|weights| weights.members.iter().map(|member| member.left))
    }

    /// The same without what changes although nothing happens.
    pub fn timeless(&self) -> Pulse {
        Pulse { stopped_ms: self.stopped_ms.map(|_| 0), ..self.clone() }
    }
}

impl fmt::Display for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finality())?;
        self.weighing().map_or(Ok(()), |weights| write!(f, " · {weights}"))?;
        self.split.map_or(Ok(()), |split| write!(f, " · {split}"))
    }
}

/// What changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// Nothing has become final for longer than it should take.
    Halted {
        /// The height of the last final block.
        height: u64,
    },
    /// Something has become final again.
    Resumed {
        /// Its height.
        height: u64,
        /// How many milliseconds after the last final block before.
        after_ms: u64,
    },
    /// Two honest nodes hold different final blocks.
    Split(Split),
}

/// Watches how finality goes on.
#[derive(Clone, Debug)]
pub struct Heart {
    limit: Duration,
    /// The highest final block seen, and when it was first seen.
    last: Option<(u64, Instant)>,
    told: bool,
    /// Who was the first to tell of the final block at a height, and which one: the newest heights.
    blocks: BTreeMap<u64, (u32, String)>,
    split: Option<Split>,
}

impl Heart {
    /// Of a chain; none where blocks become final by depth, and slowly on purpose.
    pub fn of(genesis: &Genesis, depths: Option<Depths>) -> Option<Heart> {
        let limit = genesis.block_time().saturating_mul(2).saturating_add(PATIENCE);
        let blocks = BTreeMap::new();
        depths.is_none().then_some(Heart { limit, last: None, told: false, blocks, split: None })
    }

    /// Compares what two honest nodes hold. Only the first difference is news.
    pub fn compare(&mut self, id: u32, sight: &Sight) -> Option<News> {
        if self.split.is_some() || sight.is_ahead() {
            return None;
        }
        let height = sight.height;
        let (first, head) = self.blocks.entry(height).or_insert_with(|| (id, sight.head.clone()));
        if *head != sight.head {
            let split = Split { height, nodes: [*first, id] };
            self.split = Some(split);
            return Some(News::Split(split));
        }
        if self.blocks.len() > REMEMBERED {
            self.blocks.pop_first();
        }
        None
    }

    /// Takes in what an honest node says.
    pub fn see(&mut self, sight: &Sight, now: Instant) -> Option<News> {
        let Some((height, since)) = self.last else {
            self.last = Some((sight.height, now));
            return None;
        };
        if sight.height <= height {
            return None;
        }
        self.last = Some((sight.height, now));
        let after_ms = milliseconds(now.saturating_duration_since(since));
        std::mem::take(&mut self.told).then_some(News::Resumed { height: sight.height, after_ms })
    }

    /// Looks at the clock.
    pub fn look(&mut self, now: Instant) -> Option<News> {
        let (height, _) = self.last?;
        if self.told || self.stopped(now).is_none() {
            return None;
        }
        self.told = true;
        Some(News::Halted { height })
    }

    /// How finality is, by those who are up; none if nobody says anything.
    pub fn pulse(&self, nodes: &[NodeView], now: Instant) -> Option<Pulse> {
        let (height, _) = self.last?;
        let sights = nodes.iter().filter(|node| node.up && node.lie.is_none());
        let sights = sights.filter_map(|node| node.sight.as_ref());
        let recovers = |sight: &Sight| sight.weights.as_ref().is_some_and(|own| own.recovering);
        // Of those that are furthest the first speaks for all.
        let rank = |sight: &Sight| (sight.height, recovers(sight), sight.round);
        let further = |best, sight| if rank(sight) > rank(best) { sight } else { best };
        let best = sights.reduce(further)?;
        let stopped_ms = self.stopped(now).map(milliseconds);
        let (round, weights, split) = (best.round, best.weights.clone(), self.split);
        Some(Pulse { height, round, stopped_ms, weights, split })
    }

    /// For how long nothing has become final, if that is too long.
    fn stopped(&self, now: Instant) -> Option<Duration> {
        let (_, since) = self.last?;
        let still = now.saturating_duration_since(since);
        (still > self.limit).then_some(still)
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
