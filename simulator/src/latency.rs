//! How far apart replicas are.

use crate::delay::{BadDelay, Delay};
use ledger::ReplicaId;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range, str::FromStr, time::Duration};

/// How long a parcel is under way from one replica to another.
///
/// As text a [`Delay`] or the name of a [`Preset`]; other regions are a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub enum Latency {
    /// The same for all links.
    Everywhere(Delay),
    /// Well-known regions.
    Preset(Preset),
    /// Regions of one's own.
    Regions(Regions),
}

/// How a latency is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Table(Regions),
}

/// Regions that come with the simulator.
///
/// The figures are ours: round numbers of the order that light in fibre and some switches give
/// (about 5 us a kilometre, cables being half as long again as the way over the ground). Each link
/// has a floor, and a tail of a tenth of it in the mean.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Preset {
    /// One machine room: 0.2 ms.
    Lan,
    /// Three data centres of one continent, 8 to 20 ms apart.
    Wan,
    /// Five continents, 40 to 160 ms apart.
    Planet,
}

/// Named places, and how far they are from each other.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Regions {
    /// What people call them.
    pub names: Vec<String>,
    /// `one_way[a][b]` is the way from the `a`th region to the `b`th.
    pub one_way: Vec<Vec<Delay>>,
    /// In which region each replica is, by its id. Those past the end are dealt out in turn.
    #[serde(default)]
    pub homes: Vec<usize>,
}

impl Latency {
    /// The delay on one directed link.
    ///
    /// # Panics
    /// If there are regions without a row or a column, or homes in regions that there are not.
    pub fn between(&self, from: ReplicaId, to: ReplicaId) -> Delay {
        match self {
            Latency::Everywhere(delay) => delay.clone(),
            Latency::Preset(preset) => preset.regions().way(from, to).clone(),
            Latency::Regions(regions) => regions.way(from, to).clone(),
        }
    }
}

impl Preset {
    /// Each with its name.
    pub const ALL: [(Preset, &'static str); 3] =
        [(Preset::Lan, "lan"), (Preset::Wan, "wan"), (Preset::Planet, "planet")];

    /// What it stands for.
    pub fn regions(self) -> Regions {
        match self {
            Preset::Lan => Regions::symmetric(&["room"], &[&[200]]),
            Preset::Wan => Regions::symmetric(
                &["north", "middle", "south"],
                &[&[500], &[8_000, 500], &[20_000, 12_000, 500]],
            ),
            Preset::Planet => Regions::symmetric(
                &["america-east", "america-west", "europe", "asia", "australia"],
                &[
                    &[1_000],
                    &[40_000, 1_000],
                    &[45_000, 75_000, 1_000],
                    &[110_000, 80_000, 120_000, 1_000],
                    &[105_000, 75_000, 160_000, 65_000, 1_000],
                ],
            ),
        }
    }
}

impl Regions {
    /// From the floors in microseconds, the lower half of the matrix with the diagonal.
    fn symmetric(names: &[&str], floors: &[&[u64]]) -> Regions {
        let delay = |from: usize, to: usize| {
            let floor = Duration::from_micros(floors[from.max(to)][from.min(to)]);
            Delay::Exponential { floor, mean: floor / 10 }
        };
        let places = 0..names.len();
        let row = |from| places.clone().map(|to| delay(from, to)).collect();
        Regions {
            names: names.iter().map(ToString::to_string).collect(),
            one_way: places.clone().map(row).collect(),
            homes: Vec::new(),
        }
    }

    /// The number of the region in which a replica is.
    pub fn home(&self, id: ReplicaId) -> usize {
        self.homes.get(id.0 as usize).copied().unwrap_or(id.0 as usize % self.names.len())
    }

    /// The delay on one directed link.
    pub(crate) fn way(&self, from: ReplicaId, to: ReplicaId) -> &Delay {
        &self.one_way[self.home(from)][self.home(to)]
    }
}

impl From<Duration> for Latency {
    fn from(always: Duration) -> Latency {
        Latency::Everywhere(always.into())
    }
}

impl From<Range<Duration>> for Latency {
    fn from(range: Range<Duration>) -> Latency {
        Latency::Everywhere(range.into())
    }
}

impl From<Delay> for Latency {
    fn from(delay: Delay) -> Latency {
        Latency::Everywhere(delay)
    }
}

impl From<Preset> for Latency {
    fn from(preset: Preset) -> Latency {
        Latency::Preset(preset)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Preset::ALL[*self as usize].1)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Latency::Everywhere(delay) => delay.fmt(f),
            Latency::Preset(preset) => preset.fmt(f),
            Latency::Regions(regions) => write!(f, "regions {}", regions.names.join(", ")),
        }
    }
}

impl TryFrom<Form> for Latency {
    type Error = BadDelay;

    fn try_from(form: Form) -> Result<Latency, BadDelay> {
        match form {
            Form::Text(text) => text.parse(),
            Form::Table(regions) => Ok(Latency::Regions(regions)),
        }
    }
}

impl From<Latency> for Form {
    fn from(latency: Latency) -> Form {
        match latency {
            Latency::Regions(regions) => Form::Table(regions),
            _ => Form::Text(latency.to_string()),
        }
    }
}

impl FromStr for Latency {
    type Err = BadDelay;

    fn from_str(text: &str) -> Result<Latency, BadDelay> {
        match Preset::ALL.iter().find(|(_, name)| *name == text) {
            Some((preset, _)) => Ok(Latency::Preset(*preset)),
            None => text.parse().map(Latency::Everywhere),
        }
    }
}

#[cfg(test)]
mod tests;
