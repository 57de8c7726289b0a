//! Whether a stopped node's database is sound and holds what its node said.
//!
//! [`inspect`] is the one place that knows how that is found out: `node check` goes through all of
//! it, and then the node is started again, alone, and shows its chain.

use super::{
    eyes,
    watch::{Chain, Promise},
};
use crate::live::fleet::{Exit, Fleet, FleetError};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use wallet_cli::client::Client;

#[cfg(test)]
mod tests;

/// How long a node may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a node that is asked to stop may take: its farewells have bounds, the disk has none. Far longer
/// than a person would wait, since whoever takes longer counts as unwell.
const STOPPING: Duration = Duration::from_secs(30);

/// How often it is asked meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// A fault that was found, and the promise it breaks.
pub(super) type Fault = (Promise, String);

/// Checks the database of node `id`, which is stopped and whose directory is `dir`, and compares it
/// with what the node showed of its chain before. None if all is well.
///
/// # Errors
///
/// Only what keeps us from looking: the system does not start processes, or cannot signal them.
pub(super) fn inspect(
    fleet: &mut Fleet,
    id: u32,
    dir: &Path,
    client: &Client,
    before: &Chain,
) -> Result<Option<Fault>, FleetError> {
    if let Some(flaw) = flaw(dir) {
        return Ok(Some((Promise::Store, flaw)));
    }
    fleet.start(id)?;
    let deadline = Instant::now() + PATIENCE;
    let after = loop {
        if let Some((_, exit)) = fleet.reap().into_iter().find(|(other, _)| *other == id) {
            return Ok(Some((Promise::Store, format!("its node ends by itself, {exit}"))));
        }
        match eyes::chain(client) {
            Ok(chain) => break chain,
            Err(error) if Instant::now() >= deadline => {
                fleet.kill(id)?;
                return Ok(Some((Promise::Store, format!("it does not open: {error}"))));
            }
            Err(_) => thread::sleep(LOOK),
        }
    };
    let lost = before.lost_in(&after).map(|lost| (Promise::Store, lost));
    let unwell = stop(fleet, id)?.map(|fault| (Promise::Health, fault));
    Ok(lost.or(unwell))
}

/// What is wrong with the database in `dir` by itself, if anything is.
fn flaw(dir: &Path) -> Option<String> {
    match node::check::check(dir, &mut |_, _| {}) {
        Err(error) => Some(format!("it cannot be checked: {error}")),
        Ok(report) => {
            let first = report.flaws.first()?;
            Some(match report.flaws.len() {
                1 => format!("it is flawed: {first}"),
                count => format!("it has {count} flaws; the first: {first}"),
            })
        }
    }
}

/// Asks a node to stop. What is wrong with how it ended, if anything is.
///
/// # Errors
///
/// If it cannot be signalled.
pub(super) fn stop(fleet: &mut Fleet, id: u32) -> Result<Option<String>, FleetError> {
    match fleet.stop(id, STOPPING) {
        Ok(Exit { code: Some(0), .. }) => Ok(None),
        Ok(exit) => Ok(Some(format!("it ended with {exit} when it was asked to stop"))),
        Err(error @ FleetError::Slow { .. }) => {
            fleet.kill(id)?;
            Ok(Some(error.to_string()))
        }
        Err(error) => Err(error),
    }
}
