//! The net that a scenario asks for.

use crate::live::{
    home::Place,
    liars::Liars,
    net::{Cast, DEFAULT_SHARE, Net, NetError, Wish},
};
use consensus::catalogue;
use simulator::{Scenario, Tracing, schedule::Fault};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// How much of a core all miners together may use: the nodes need the rest.
const MINING: f64 = 0.8;

/// Founds it: the same genesis as in the simulator, but for its keys and its time.
///
/// # Errors
/// [`NetError`], for what the module or the disk says.
pub fn found(place: Place, scenario: &Scenario, module: &str) -> Result<Net, NetError> {
    Net::found(place, &wish(scenario, module))
}

/// What a scenario wants of a net.
pub fn wish(scenario: &Scenario, module: &str) -> Wish {
    let founders = scenario.replicas.saturating_sub(scenario.candidates);
    let is_ours = |key: &str| {
        let of = key.split_once('.').map(|(of, _)| of);
        of.is_some_and(|of| of == module || !catalogue::NAMES.contains(&of))
    };
    let settings = scenario.settings.iter().filter(|(key, _)| is_ours(key));
    let liars: BTreeMap<_, _> =
        scenario.byzantine.iter().map(|(id, lie)| (id.0, lie.clone())).collect();
    Wish {
        consensus: Some(module.to_owned()),
        replicas: Some(founders),
        block_time: Some(scenario.block_time),
        settings: settings.map(|(key, value)| (key.clone(), *value)).collect(),
        miner_share: mines(scenario, module).then(|| share(scenario)),
        trace: true,
        byzantine: Liars(liars),
        cast: Some(Cast { stakes: scenario.stakes.clone(), candidates: scenario.candidates }),
        ..Wish::default()
    }
}

/// Whether blocks take work.
fn mines(scenario: &Scenario, module: &str) -> bool {
    let genesis = scenario.setup(module, 0, Tracing::Off).genesis();
    catalogue::depths(&genesis).is_ok_and(|depths| depths.is_some())
}

/// How much of a core a miner uses that has an equal share of the hashes: so much that the fastest of
/// this scenario, at any time, and all together use no more than there is.
pub fn share(scenario: &Scenario) -> f64 {
    let mut factors = vec![1.0_f64; scenario.replicas as usize];
    let mut raise = |id: u32, factor: f64| {
        if let Some(most) = factors.get_mut(id as usize) {
            *most = most.max(factor);
        }
    };
    scenario.hash_rates.iter().for_each(|(id, factor)| raise(id.0, *factor));
    for step in scenario.steps.steps() {
        if let Fault::HashRate { replica, factor } = step.fault {
            raise(replica.0, factor);
        }
    }
    let all: f64 = factors.iter().sum();
    let fastest = factors.iter().copied().fold(1.0, f64::max);
    DEFAULT_SHARE.min(MINING / all).min(1.0 / fastest)
}
