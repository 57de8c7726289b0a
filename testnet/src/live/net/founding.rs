//! The genesis of a new chain: what was asked for, what its module customarily sets besides, and,
//! where blocks take work, how much.

use super::{Cast, NetError, Wish};
use consensus::catalogue;
use crypto::SecretKey;
use ledger::{
    Genesis, Stake,
    genesis::{Funded, Validator},
};
use node::{config::Mining, miner};
use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(super) const STAKE: Stake = Stake(1_000);

/// What a newcomer needs for a seat, where stake moves: enough that nobody takes all seats for a trifle.
const MINIMUM: (&str, u64) = ("ledger.minimum_stake", STAKE.0 / 10);

const DEFAULT_CONSENSUS: &str = "tendermint";
const DEFAULT_REPLICAS: u32 = 4;
const DEFAULT_BLOCK_TIME: Duration = Duration::from_secs(1);

/// How much of a core each node's miner uses unless something else is asked for: four nodes of them
/// leave most of a small machine to everything else.
pub const DEFAULT_SHARE: f64 = 0.1;

/// How often the machine's hash rate is measured, and how long each time. The best counts: miners
/// with a small share of a core get that share even from a busy machine.
const MEASUREMENTS: u32 = 40;
const MEASURING: Duration = Duration::from_millis(5);

/// How many nodes a new net has.
pub(super) fn replicas(wish: &Wish) -> u32 {
    wish.replicas.unwrap_or(DEFAULT_REPLICAS)
}

/// What a founder has at stake.
pub(super) fn stake(wish: &Wish, id: u32) -> Stake {
    let own = |cast: &Cast| Stake(cast.stakes.get(id as usize).copied().unwrap_or(1));
    wish.cast.as_ref().map_or(STAKE, own)
}

/// Checks all that can be checked of a wish for a new chain before anything is touched.
///
/// # Errors
///
/// [`NetError`], for whatever cannot be.
pub(super) fn check(wish: &Wish) -> Result<(), NetError> {
    // Keys that stand for those to come.
    let key = |id: u32| SecretKey::from_seed([u8::try_from(id).unwrap_or(u8::MAX); 32]).public();
    let validators =
        (0..replicas(wish)).map(|id| Validator { key: key(id), stake: stake(wish, id) });
    let genesis = draft(wish, validators.collect(), Vec::new())?;
    wish.byzantine.check(&genesis.consensus, replicas(wish))?;
    mining(wish, &genesis).map(drop)
}

/// A genesis of this moment, not yet calibrated.
pub(super) fn draft(
    wish: &Wish,
    validators: Vec<Validator>,
    accounts: Vec<Funded>,
) -> Result<Genesis, NetError> {
    let consensus = wish.consensus.as_deref().unwrap_or(DEFAULT_CONSENSUS);
    let customs = catalogue::customs(consensus).map_err(NetError::Consensus)?;
    let mut settings: std::collections::BTreeMap<String, u64> =
        customs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    for (key, value) in &wish.settings {
        // Others would be ignored, which nobody can want who sets them.
        if !key.starts_with(&format!("{consensus}.")) && !key.starts_with("ledger.") {
            let consensus = consensus.to_owned();
            return Err(NetError::ForeignSetting { key: key.clone(), consensus });
        }
        settings.insert(key.clone(), *value);
    }
    if settings.contains_key("ledger.unbonding_blocks") && wish.cast.is_none() {
        settings.entry(MINIMUM.0.to_owned()).or_insert(MINIMUM.1);
    }
    let mut genesis = Genesis {
        name: "testnet".to_owned(),
        time: milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        consensus: consensus.to_owned(),
        block_time: milliseconds(wish.block_time.unwrap_or(DEFAULT_BLOCK_TIME)),
        settings,
        validators,
        accounts,
    };
    if wish.cast.is_none() {
        wish.leak.found(&wish.settings, &mut genesis)?;
    }
    genesis.check()?;
    catalogue::check(&genesis)?;
    Ok(genesis)
}

/// How each node is to mine; none where blocks take no work.
pub(super) fn mining(wish: &Wish, genesis: &Genesis) -> Result<Option<Mining>, NetError> {
    // Only where blocks take work is the newest of them not final.
    match (catalogue::depths(genesis)?, wish.miner_share) {
        (Some(_), share) => Ok(Some(Mining { threads: 1, share: share.unwrap_or(DEFAULT_SHARE) })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(NetError::NoMiner { consensus: genesis.consensus.clone() }),
    }
}

/// Makes blocks as hard as it takes for them to come at the chain's block time while every node of
/// the net mines on this machine. What was asked for stays.
pub(super) fn calibrate(wish: &Wish, genesis: &mut Genesis, mining: Mining) {
    let cores = thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let wanted = genesis.validators.len() as f64 * f64::from(mining.threads) * mining.share;
    // More than all cores is not to be had.
    let best = (0..MEASUREMENTS).map(|_| miner::measure(MEASURING)).fold(0.0, f64::max);
    let hash_rate = best * wanted.min(cores);
    let settings = catalogue::calibrate(genesis, hash_rate).expect("the module was checked");
    for (key, value) in settings {
        if !wish.settings.contains_key(key) {
            genesis.settings.insert(key.to_owned(), value);
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
