//! Whether a stopped node's database opens and holds what its node said.
//!
//! [`inspect`] is the one place that knows how that is found out: the node is started again, alone,
//! and shows what it has.

use super::{
    eyes,
    watch::{Chain, Promise},
};
use crate::live::{
    fleet::{Exit, Fleet, FleetError, GRACE},
    tail::tail,
};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use wallet_cli::client::Client;

/// How long a node may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is asked meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// A fault that was found, and the promise it breaks.
pub(super) type Fault = (Promise, String);

/// Opens the database of node `id`, which is stopped, and compares it with what the node showed of
/// its chain before. None if all is well.
///
/// # Errors
///
/// Only what keeps us from looking: the system does not start processes, or cannot signal them.
pub(super) fn inspect(
    fleet: &mut Fleet,
    id: u32,
    log: &Path,
    client: &Client,
    before: &Chain,
) -> Result<Option<Fault>, FleetError> {
    fleet.start(id)?;
    let deadline = Instant::now() + PATIENCE;
    let after = loop {
        if let Some((_, exit)) = fleet.reap().into_iter().find(|(other, _)| *other == id) {
            return Ok(Some(unopened(exit, log)));
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

/// Asks a node to stop. What is wrong with how it ended, if anything is.
///
/// # Errors
///
/// If it cannot be signalled.
pub(super) fn stop(fleet: &mut Fleet, id: u32) -> Result<Option<String>, FleetError> {
    match fleet.stop(id, GRACE) {
        Ok(Exit { code: Some(0), .. }) => Ok(None),
        Ok(exit) => Ok(Some(format!("it ended with {exit} when it was asked to stop"))),
        Err(error @ FleetError::Slow { .. }) => {
            fleet.kill(id)?;
            Ok(Some(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

fn unopened(exit: Exit, log: &Path) -> Fault {
    (Promise::Store, format!("it does not open ({exit}); the end of the log:\n{}", tail(log)))
}
