//! Victims that are started again to die at a failpoint.

use super::{BEAT, CrashError, Interrupted, Trial, Victim, Waited};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long somebody may live who is to die at a failpoint: it mostly comes within two seconds, on a machine
/// that is busy within ten.
const FATE: Duration = Duration::from_secs(60);

impl Trial<'_> {
    /// Starts somebody to die at a failpoint.
    pub(super) fn doom(&mut self, victim: &Victim) -> Result<(), CrashError> {
        let Some(trip) = victim.trip.filter(|_| self.fleet.pid(victim.id).is_none()) else {
            return Ok(());
        };
        self.fleet.start_with(victim.id, &["--trip".to_owned(), trip.to_string()])?;
        self.shared.set_up(victim.id, true);
        self.doomed.insert(victim.id, trip);
        self.restarts += 1;
        Ok(())
    }

    /// Waits until each has died at its failpoint, and starts it again for good. Whoever never comes there is
    /// killed in the end.
    pub(super) fn await_fates(&mut self, victims: &[Victim]) -> Result<Waited, CrashError> {
        let deadline = Instant::now() + FATE;
        let mut waiting: BTreeMap<u32, (Duration, Option<Instant>)> =
            victims.iter().map(|victim| (victim.id, (victim.dead, None))).collect();
        while !waiting.is_empty() {
            if self.until(Instant::now() + BEAT)?.is_err() {
                return Ok(Err(Interrupted));
            }
            let now = Instant::now();
            for (id, (_, died)) in &mut waiting {
                if now >= deadline && self.doomed.remove(id).is_some() {
                    self.untripped += 1;
                    self.shared.set_up(*id, false);
                    self.fleet.kill(*id)?;
                    self.kills += 1;
                }
                if !self.doomed.contains_key(id) {
                    died.get_or_insert(now);
                }
            }
            let is_over =
                |dead: Duration, died: Option<Instant>| died.is_some_and(|at| now >= at + dead);
            let over: Vec<u32> = waiting
                .iter()
                .filter(|(_, (dead, died))| is_over(*dead, *died))
                .map(|(id, _)| *id)
                .collect();
            for id in over {
                waiting.remove(&id);
                // Whoever could not start so was started for good already.
                if self.fleet.pid(id).is_none() {
                    self.start(id)?;
                    self.restarts += 1;
                }
            }
        }
        Ok(Ok(()))
    }
}
