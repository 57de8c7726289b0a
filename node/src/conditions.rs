//! What the world around a node is like, as testnet tells it: what its links, its clock, its disk and
//! its miner suffer.
//!
//! Only a node that is started with [`crate::Extras::control`] is told any. It begins under those in
//! [`FILE`], if there is one in its directory, and is told others over its [`crate::control`] socket;
//! new ones replace the old whole. What befalls a message is decided where it arrives, so that a way
//! is bad in one direction only, and what waits there is bounded as all that is received is.
//!
//! ```json
//! {"seed": 7,
//!  "links": {"2": {"lost_ppm": 1000000}},
//!  "others": {"delay": [20000, 80000], "held": [{"share_ppm": 50000, "by": [200000], "for_ms": 3000}]},
//!  "clock": {"offset_ms": -250}, "sync": [5000], "miner_share": 0.0}
//! ```
//!
//! Nothing is heard of node 2, the others' messages take 20 to 80 ms, and for three seconds one in
//! twenty of them takes 200 ms more; the calendar is a quarter of a second behind, each sync takes 5 ms
//! longer, and nothing is mined. Whatever is left out is fair.

mod world;

pub(crate) use world::World;

use crate::network::MAX_SEATS;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

#[cfg(test)]
pub(crate) mod tests;

/// The conditions a node begins under, in its directory.
pub const FILE: &str = "conditions.json";

/// All of something: shares are counted in parts per million.
pub const MILLION: u32 = 1_000_000;

/// The most values a [`Spread`] may have: 64 steps and their end.
pub const MAX_VALUES: usize = 65;

/// The longest delay, in microseconds: ten minutes.
pub const MAX_DELAY: u64 = 600_000_000;

/// The most links that may be told of by seat.
pub const MAX_LINKS: usize = 1_024;

/// The most ways in which messages of one link may be held.
pub const MAX_HOLDS: usize = 16;

/// How far a calendar may be off, in milliseconds: a year of 365 days.
pub const MAX_OFFSET: i64 = 365 * 86_400_000;

/// A file longer than this is not read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// What the world around a node is like. The default is fair: nothing befalls anybody.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// What chance is drawn from, for each link by itself.
    pub seed: u64,
    /// What befalls messages that come from these seats.
    pub links: BTreeMap<u32, Link>,
    /// What befalls all other messages: those of guests, and of seats without a link of their own.
    pub others: Link,
    /// How the calendar is wrong.
    pub clock: Skew,
    /// How much longer each sync of the disk takes.
    pub sync: Spread,
    /// How much of a core each mining thread uses, in place of what the settings say; 0 stops mining.
    pub miner_share: Option<f64>,
}

/// What befalls the messages that come one way.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Link {
    /// How many in a million are lost. All of them: the link is cut in this direction.
    pub lost_ppm: u32,
    /// How many in a million come twice, each copy after a delay of its own. Gossip never does.
    pub doubled_ppm: u32,
    /// How long they are under way besides what the real network takes. They may overtake each other.
    pub delay: Spread,
    /// Which take longer than that. Whoever is held twice takes as long as both together.
    pub held: Vec<Hold>,
}

/// Some messages take longer.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hold {
    /// How many in a million.
    pub share_ppm: u32,
    /// How much longer.
    pub by: Spread,
    /// For how long since this was told, in milliseconds; for good if not given. Afterwards nobody is
    /// held any more, and who was held is let go: it has its link's delay left, as if just sent.
    pub for_ms: Option<u64>,
}

/// How long something takes: equally likely values in rising order, in microseconds. One is drawn
/// evenly along them, between two neighbours too. None at all means no time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spread(pub Vec<u64>);

/// How a calendar differs from the true one. What timers are measured by is right always.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Skew {
    /// How many milliseconds it is ahead; behind, if negative.
    pub offset_ms: i64,
    /// How many microseconds it gains in each second since this was told; loses, if negative.
    pub drift_ppm: i32,
}

impl Conditions {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`BadConditions`], which names the first value that is out of bounds.
    pub fn check(&self) -> Result<(), BadConditions> {
        let at = |place: &str, fault| BadConditions { place: place.to_owned(), fault };
        if self.links.len() > MAX_LINKS {
            return Err(at("links", Fault::TooManyLinks(self.links.len())));
        }
        for (seat, link) in &self.links {
            let place = format!("links.{seat}");
            if *seat >= MAX_SEATS {
                return Err(at(&place, Fault::NoSeat(*seat)));
            }
            link.check(&place)?;
        }
        self.others.check("others")?;
        self.clock.check().map_err(|fault| at("clock", fault))?;
        self.sync.check().map_err(|fault| at("sync", fault))?;
        match self.miner_share {
            // Written so that what is not a number is refused, too.
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(at("miner_share", Fault::MinerShare(share)))
            }
            _ => Ok(()),
        }
    }

    /// Those a node in `dir` is to begin under: fair ones, unless there is a [`FILE`].
    ///
    /// # Errors
    /// [`BadFile`], which names the file and the value.
    pub(crate) fn load(dir: &Path) -> Result<Conditions, BadFile> {
        let path = dir.join(FILE);
        let unreadable = |reason| BadFile::Unreadable { path: path.clone(), reason };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            file => file.map_err(unreadable)?,
        };
        let mut text = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_FILE {
            let long = io::Error::other(format!("it is longer than {MAX_FILE} bytes"));
            return Err(unreadable(long));
        }
        let malformed = |reason| BadFile::Malformed { path: path.clone(), reason };
        let conditions: Conditions = serde_json::from_slice(&text).map_err(malformed)?;
        match conditions.check() {
            Ok(()) => Ok(conditions),
            Err(reason) => Err(BadFile::Wrong { path, reason }),
        }
    }

    /// What befalls what comes from `seat`.
    pub(crate) fn link(&self, seat: u32) -> &Link {
        self.links.get(&seat).unwrap_or(&self.others)
    }
}

impl Link {
    fn check(&self, place: &str) -> Result<(), BadConditions> {
        let at = |part: &str| {
            let place = format!("{place}.{part}");
            move |fault| BadConditions { place, fault }
        };
        check_share(self.lost_ppm).map_err(at("lost_ppm"))?;
        check_share(self.doubled_ppm).map_err(at("doubled_ppm"))?;
        self.delay.check().map_err(at("delay"))?;
        if self.held.len() > MAX_HOLDS {
            return Err(at("held")(Fault::TooManyHolds(self.held.len())));
        }
        for (number, hold) in self.held.iter().enumerate() {
            check_share(hold.share_ppm).map_err(at(&format!("held[{number}].share_ppm")))?;
            hold.by.check().map_err(at(&format!("held[{number}].by")))?;
        }
        Ok(())
    }
}

fn check_share(share: u32) -> Result<(), Fault> {
    if share <= MILLION { Ok(()) } else { Err(Fault::Share(share)) }
}

impl Spread {
    fn check(&self) -> Result<(), Fault> {
        let Spread(values) = self;
        if values.len() > MAX_VALUES {
            return Err(Fault::TooManyValues(values.len()));
        }
        for pair in values.windows(2) {
            if pair[1] < pair[0] {
                return Err(Fault::Falling { before: pair[0], after: pair[1] });
            }
        }
        match values.last() {
            Some(&longest) if longest > MAX_DELAY => Err(Fault::TooLong(longest)),
            _ => Ok(()),
        }
    }

    /// The next one, for a chance that is drawn evenly from all of `u64`.
    pub(crate) fn draw(&self, chance: u64) -> Duration {
        let Some((last, steps)) = self.0.split_last() else { return Duration::ZERO };
        // The whole part says between which neighbours, the rest how far from the first to the second.
        let along = u128::from(chance) * steps.len() as u128;
        let (step, rest) = ((along >> 64) as usize, along & u128::from(u64::MAX));
        let Some(from) = steps.get(step) else { return Duration::from_micros(*last) };
        let to = steps.get(step + 1).unwrap_or(last);
        let way = u128::from(to.saturating_sub(*from)) * 1_000;
        // Below the way, which is that of a delay in nanoseconds.
        Duration::from_micros(*from) + Duration::from_nanos(((way * rest) >> 64) as u64)
    }
}

impl Skew {
    fn check(self) -> Result<(), Fault> {
        if self.offset_ms.unsigned_abs() > MAX_OFFSET.unsigned_abs() {
            return Err(Fault::Offset(self.offset_ms));
        }
        if self.drift_ppm.unsigned_abs() > MILLION {
            return Err(Fault::Drift(self.drift_ppm));
        }
        Ok(())
    }

    /// What the calendar shows at the true time `wall`, `told` after this was told. Both begin in 1970,
    /// before which no calendar goes.
    pub(crate) fn show(self, wall: Duration, told: Duration) -> Duration {
        if self == Skew::default() {
            return wall;
        }
        let nanos = |span: Duration| i128::try_from(span.as_nanos()).expect("below 2^94");
        let drift = nanos(told) * i128::from(self.drift_ppm) / i128::from(MILLION);
        let shown = nanos(wall) + i128::from(self.offset_ms) * 1_000_000 + drift;
        Duration::from_nanos(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }
}

/// Why conditions are refused.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("`{place}`: {fault}")]
pub struct BadConditions {
    /// Which value, by the way to it.
    pub place: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with one of the conditions.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Fault {
    /// More than all.
    #[error("{0} parts per million are more than all; {MILLION} are all")]
    Share(u32),
    /// Too fine a distribution.
    #[error("it has {0} values; {MAX_VALUES} are enough to draw any distribution")]
    TooManyValues(usize),
    /// The values are out of order.
    #[error("{after} follows {before}; write the values in rising order")]
    Falling {
        /// The larger.
        before: u64,
        /// The smaller that follows it.
        after: u64,
    },
    /// Too long a time.
    #[error("{0} microseconds are longer than ten minutes, which are {MAX_DELAY}")]
    TooLong(u64),
    /// Too many holds.
    #[error("there are {0}; there may be {MAX_HOLDS}")]
    TooManyHolds(usize),
    /// Too many links.
    #[error("there are {0}; tell of {MAX_LINKS} by seat at most, and of the rest in `others`")]
    TooManyLinks(usize),
    /// Nobody ever has this seat.
    #[error("{0} is no seat; the highest is {highest}", highest = MAX_SEATS - 1)]
    NoSeat(u32),
    /// A calendar that is far off.
    #[error("{0} milliseconds are further off than a year, which has {MAX_OFFSET}")]
    Offset(i64),
    /// A calendar that runs backwards, or very fast.
    #[error(
        "{0} is beyond {MILLION} parts per million, at which a clock stands still or doubles its pace"
    )]
    Drift(i32),
    /// No share of a core.
    #[error("{0} is no share of a core; choose a number from 0, which stops mining, to 1")]
    MinerShare(f64),
}

/// Why a node cannot begin under the conditions in its directory.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// It is no conditions.
    #[error("{} cannot be understood: {reason}; correct or remove it", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it went wrong and how.
        reason: serde_json::Error,
    },
    /// A value is out of bounds.
    #[error("{}: {reason}; correct or remove it", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Which value, and why.
        reason: BadConditions,
    },
}
