//! Miners: when a nonce is found is left to chance, which nonce it is to a search.
//!
//! Whoever tries hashes finds one that meets a target after an exponential time, whose mean is the
//! number of hashes that takes on average over the number tried in a second. That time is drawn;
//! the search itself takes no virtual time. When the time has come a nonce is searched for in
//! earnest, so that a seal here is as good as any. Targets must be easy for that: see [`MAX_HASHES`].
//!
//! An exponential time has no memory: whoever has searched for long is no nearer to a find. So a
//! miner that is given another header, or another hash rate, just draws again.

use crate::{
    delay::{Delay, Dice},
    setup::{Setup, stream},
};
use consensus::work::Target;
use crypto::{
    codec,
    hash::{Domain, Hasher},
};
use ledger::{BlockHash, Header, ReplicaId, Seal};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

mod summary;

pub use summary::{Share, Summary, interval, spread};

/// The hardest target that is searched for, in hashes on average: they are all tried, and it takes
/// a good part of a second.
pub const MAX_HASHES: f64 = 1_048_576.0;

/// A search that has tried so many times the average number of hashes would be the first ever.
const PATIENCE: f64 = 100.0;

/// A block that was found, whatever became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Find {
    /// When.
    pub at: Duration,
    /// By whom.
    pub miner: ReplicaId,
    /// At which height.
    pub height: u64,
    /// The block's name.
    pub block: BlockHash,
    /// The block it stands on.
    pub parent: BlockHash,
    /// What its hash meets.
    pub target: Target,
}

/// One replica's computer.
#[derive(Debug)]
pub(crate) struct Miner {
    /// Hashes a second in the beginning; an equal share of what all need, if none.
    rate: Option<f64>,
    /// How much of it is this computer's.
    share: f64,
    /// How many times that it is now.
    factor: f64,
    chance: ChaCha8Rng,
    search: Option<Search>,
    searches: u64,
}

/// What is being searched.
#[derive(Debug)]
struct Search {
    /// Tells it apart from earlier ones, whose finds are void.
    number: u64,
    header: Header,
    target: Target,
}

impl Find {
    /// How many hashes it took on average.
    pub fn difficulty(&self) -> f64 {
        hashes(self.target)
    }
}

impl Miner {
    /// # Panics
    /// If the setup gives it a hash rate that is none.
    pub(crate) fn new(id: ReplicaId, number: u64, share: f64, setup: &Setup) -> Miner {
        let rate = setup.hash_rates.get(&id).copied();
        if let Some(rate) = rate {
            let good = rate.is_finite() && rate >= 0.0;
            assert!(good, "replica {id} cannot try {rate} hashes a second");
        }
        let chance = stream(setup.seed, "mining", number);
        Miner { rate, share, factor: 1.0, chance, search: None, searches: 0 }
    }

    /// Searches for this header's nonce instead of any other's.
    ///
    /// # Panics
    /// If the target is too hard for a simulation.
    pub(crate) fn begin(&mut self, header: Header, target: Target) {
        let expected = hashes(target);
        assert!(
            expected <= MAX_HASHES,
            "a block takes {expected:.0} hashes on average, and simulated miners really try them: \
             give the genesis an easier target, of at most {MAX_HASHES} hashes"
        );
        self.search = Some(Search { number: 0, header, target });
    }

    /// From now on it tries so many times as many hashes as in the beginning.
    pub(crate) fn change(&mut self, factor: f64) {
        self.factor = factor;
    }

    /// It searches no more.
    pub(crate) fn stop(&mut self) {
        self.search = None;
    }

    /// When the present search ends, from now, and the number under which it is going to. None if
    /// there is no search, or nothing is tried. Whatever was drawn before is void.
    pub(crate) fn draw(&mut self, usual: f64) -> Option<(Duration, u64)> {
        let dice = Dice::roll(&mut self.chance);
        self.searches += 1;
        let search = self.search.as_mut()?;
        search.number = self.searches;
        let rate = self.rate.unwrap_or(usual) * self.share * self.factor;
        if rate <= 0.0 {
            return None;
        }
        let mean = Duration::from_nanos((hashes(search.target) / rate * 1e9) as u64);
        let floor = Duration::ZERO;
        let time = Delay::Exponential { floor, mean }.draw(dice);
        // However fast they are, time goes on.
        Some((time.max(Duration::from_nanos(1)), search.number))
    }

    /// The sealed header, if the search that was to end under this number still goes on.
    pub(crate) fn find(&mut self, number: u64) -> Option<(Header, Target)> {
        let Search { header, target, .. } =
            self.search.take_if(|search| search.number == number)?;
        Some((seal(header, target), target))
    }
}

/// How many hashes it takes on average to meet a target. Not rounded to a whole number, as
/// [`Target::work`] is: that would be some per cent of the easiest targets.
pub fn hashes(target: Target) -> f64 {
    const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
    let bytes = target.to_le_bytes();
    let value = bytes.iter().rev().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
    TWO_TO_64 * TWO_TO_64 * TWO_TO_64 * TWO_TO_64 / (value + 1.0)
}

/// The hash rate of each of so many miners that all together find one block in each `interval`.
pub(crate) fn equal_share(target: Target, miners: u32, interval: Duration) -> f64 {
    hashes(target) / (f64::from(miners) * interval.as_secs_f64())
}

/// Tries one nonce after another, from zero: headers differ, so their nonces do.
///
/// # Panics
/// If none is found for far longer than any search takes.
pub(crate) fn seal(header: Header, target: Target) -> Header {
    // The nonce comes last, so that all before it is hashed once.
    let bytes = codec::encode(&header);
    let before = &bytes[..bytes.len() - size_of::<u64>()];
    let before = Hasher::new(Domain::Header).update(before);
    let tries = (hashes(target) * PATIENCE) as u64;
    let meets = |nonce: &u64| {
        let hash = before.clone().update(&nonce.to_le_bytes()).finish();
        target.is_met_by(hash.as_bytes())
    };
    let nonce =
        (0..tries).find(meets).unwrap_or_else(|| panic!("no nonce below {tries} meets {target:?}"));
    let sealed = Header { seal: Seal { nonce, ..header.seal }, ..header };
    assert!(target.is_met_by(sealed.hash().0.as_bytes()), "a header ends with its nonce");
    sealed
}

/// For `#[serde(with)]`: how many times as fast.
pub(crate) mod factor {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const MOST: f64 = 1_000_000.0;

    pub(crate) fn serialize<S: Serializer>(factor: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(*factor)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let factor = f64::deserialize(from)?;
        if !(0.0..=MOST).contains(&factor) {
            let why =
                format!("a factor is between 0 and {MOST}, not {factor}; half as fast is 0.5");
            return Err(D::Error::custom(why));
        }
        Ok(factor)
    }
}

#[cfg(test)]
mod tests;
