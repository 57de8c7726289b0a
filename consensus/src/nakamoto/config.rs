//! What a chain of proof-of-work may set, and how hard its blocks are.

use super::Nakamoto;
use crate::{
    catalogue::{BadSettings, Depths, Module, fixed_members},
    theory::Theory,
    work::Target,
};
use ledger::{Genesis, Header};
use std::time::Duration;

/// What a genesis may set. What decides over blocks (all but the last four) is the same for every
/// replica of a chain because it comes from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How deep a block must lie to be counted on, and to be committed.
    pub depths: Depths,
    /// The mean time between two blocks that retargeting aims at: T.
    pub interval: Duration,
    /// How far behind its schedule a chain must be to be made twice as easy: ASERT's τ.
    pub half_life: Duration,
    /// The genesis' time, in milliseconds since 1970: where the schedule begins.
    pub began: u64,
    /// The target of the first block.
    pub anchor: Target,
    /// The easiest target a block may have.
    pub limit: Target,
    /// How far a block's time may be ahead of our clock.
    pub clock_skew: Duration,
    /// The most transactions in one block.
    pub max_transactions: usize,
    /// How often the block being mined is brought up to date.
    pub refresh: Duration,
    /// How many random peers a block that became our head is passed on to.
    pub relay: usize,
}

/// The number of blocks by which a chain catches up with its schedule, in intervals: recommended
/// for small networks (SCIENCE S5).
const HALF_LIFE: u32 = 72;

/// Bitcoin allows two hours, which is twelve of its intervals.
const CLOCK_SKEW: u32 = 12;

/// 256 hashes: nothing for a real miner, and enough for a simulated one.
const ANCHOR_BITS: u64 = 0x2000_ffff;

/// More than the ledger's tree of undecided blocks leaves room for, with rivals of every block.
const MAX_IRREVERSIBLE: u64 = 200;

impl Config {
    /// Every setting there is, as a genesis spells it.
    const SETTINGS: [&str; 10] = [
        "pow.bits",
        "pow.limit_factor",
        "pow.half_life_ms",
        "pow.confirmations",
        "pow.irreversible",
        "pow.clock_skew_ms",
        "pow.max_transactions",
        "pow.refresh_ms",
        "pow.relay",
        "block_time",
    ];

    /// The defaults, changed by what the genesis sets.
    pub fn from_genesis(genesis: &Genesis) -> Result<Config, BadSettings> {
        let known = &Config::SETTINGS[..Config::SETTINGS.len() - 1];
        let ours =
            |key: &&String| key.strip_prefix("pow").is_some_and(|rest| rest.starts_with('.'));
        if let Some(key) =
            genesis.settings.keys().filter(ours).find(|key| !known.contains(&key.as_str()))
        {
            return Err(BadSettings::Unknown { key: key.clone(), known: known.join(", ") });
        }
        if genesis.block_time == 0 {
            return Err(BadSettings::Zero { key: "block_time".into() });
        }
        let get = |key: &str, default: u64| match genesis.settings.get(key) {
            Some(0) if key != "pow.relay" => Err(BadSettings::Zero { key: key.into() }),
            Some(value) => Ok(*value),
            None => Ok(default),
        };
        let time = |key: &str, default: Duration| {
            get(key, u64::try_from(default.as_millis()).unwrap_or(u64::MAX))
                .map(Duration::from_millis)
        };
        let interval = genesis.block_time();
        let bits = get("pow.bits", ANCHOR_BITS)?;
        let anchor = u32::try_from(bits).ok().and_then(Target::from_bits);
        let anchor = anchor.ok_or_else(|| BadSettings::Bounds {
            key: "pow.bits".into(),
            value: bits,
            bounds: "a positive compact target that at most every second hash meets",
        })?;
        Ok(Config {
            depths: depths(&get)?,
            interval,
            half_life: time("pow.half_life_ms", interval.saturating_mul(HALF_LIFE))?,
            began: genesis.time,
            anchor,
            limit: anchor.times(get("pow.limit_factor", 32)?),
            clock_skew: time("pow.clock_skew_ms", interval.saturating_mul(CLOCK_SKEW))?,
            max_transactions: usize::try_from(get("pow.max_transactions", 1000)?)
                .unwrap_or(usize::MAX),
            refresh: time("pow.refresh_ms", (interval / 4).max(Duration::from_millis(1)))?,
            relay: usize::try_from(get("pow.relay", 2)?).unwrap_or(usize::MAX),
        })
    }

    /// The compact target of a child of `parent`, by ASERT: the genesis' target, made twice as easy
    /// for each half-life by which the parent came later than its height says, and twice as hard for
    /// each by which it came earlier. It depends on the parent alone, so every branch has its own.
    ///
    /// (Mark Lundeberg, "Static difficulty adjustments, with absolutely scheduled exponentially
    /// rising targets", 2020.) The genesis stands where the anchor's parent does there.
    pub fn required(&self, parent: &Header) -> u32 {
        let since = i128::from(parent.time) - i128::from(self.began);
        let schedule = i128::from(millis(self.interval)) * i128::from(parent.height);
        let target = self.anchor.times_power_of_two(since - schedule, millis(self.half_life));
        target.min(self.limit).to_bits()
    }
}

/// A merchant cannot wait for more than the ledger waits for.
fn depths(get: &impl Fn(&str, u64) -> Result<u64, BadSettings>) -> Result<Depths, BadSettings> {
    let irreversible = get("pow.irreversible", 100)?;
    if irreversible > MAX_IRREVERSIBLE {
        let key = "pow.irreversible".into();
        return Err(BadSettings::Bounds { key, value: irreversible, bounds: "at most 200" });
    }
    let confirmations = get("pow.confirmations", irreversible.min(6))?;
    if confirmations > irreversible {
        let (key, bounds) = ("pow.confirmations".into(), "at most pow.irreversible");
        return Err(BadSettings::Bounds { key, value: confirmations, bounds });
    }
    Ok(Depths { confirmations, irreversible })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Module for Nakamoto {
    const NAME: &'static str = "pow";

    fn new(genesis: &Genesis) -> Result<Nakamoto, BadSettings> {
        fixed_members(genesis, Nakamoto::NAME)?;
        Ok(Nakamoto::with(Config::from_genesis(genesis)?))
    }

    fn customs() -> &'static [(&'static str, u64)] {
        &[("ledger.reward", 50), ("ledger.median_blocks", 11)]
    }

    /// Shallow depths, so that a run need not be long to undo what was counted on.
    #[cfg(any(test, feature = "byzantine"))]
    fn stage() -> crate::byzantine::script::Stage {
        crate::byzantine::script::Stage {
            settings: &[("pow.confirmations", 4), ("pow.irreversible", 20)],
            loose: &[
                ("pow.half_life_ms", 4_000),
                ("pow.clock_skew_ms", 40_000),
                ("pow.confirmations", 4),
            ],
            parts: &[],
        }
    }

    fn calibrate(genesis: &Genesis, hash_rate: f64) -> Vec<(&'static str, u64)> {
        // What is no number becomes zero, and what is too much the most there is.
        let hashes = (hash_rate * genesis.block_time().as_secs_f64()) as u64;
        vec![("pow.bits", u64::from(Target::for_hashes(hashes).to_bits()))]
    }

    fn depths(genesis: &Genesis) -> Result<Option<Depths>, BadSettings> {
        Ok(Some(Config::from_genesis(genesis)?.depths))
    }

    fn theory() -> Option<Theory> {
        Some(super::theory::THEORY)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn mutants() -> &'static [crate::byzantine::mutants::About] {
        super::mutants::MUTANTS
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn weaken(self, flaw: crate::Flaw) -> Nakamoto {
        Nakamoto { flaw, ..self }
    }

    fn weigh(
        genesis: &Genesis,
        before: &[Header],
        headers: &[Header],
    ) -> Result<crate::work::Work, crate::protocol::Unproven> {
        super::proof::weigh(genesis, before, headers)
    }
}
