//! Makes durable what the replica wrote, beside it.

use super::{
    counters::Counters,
    slot::{Giver, slot},
    threads::{Failure, Failures},
};
use crate::conditions::Spread;
use crossbeam_channel::Sender;
use ledger::store::Store;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use replica::Ticket;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

#[cfg(test)]
mod tests;

/// Asks the disk's thread for syncs. One sync serves every ticket asked for while the last one
/// ran, so however busy the disk, only the newest ticket waits.
#[derive(Debug)]
pub(super) struct Disk(Giver<Ticket>);

impl Disk {
    /// Starts the thread. It tells `synced` each ticket up to which all is durable, and ends when
    /// the [`Disk`] is dropped, with nothing left to sync. The last sync waits for no `drag`.
    pub(super) fn start(
        store: Arc<dyn Store>,
        drag: Drag,
        synced: Sender<Ticket>,
        counters: Arc<Counters>,
        failures: &Failures,
    ) -> io::Result<(Disk, JoinHandle<()>)> {
        let (giver, tickets) = slot::<Ticket>();
        let thread = failures.watch("disk", move || {
            while let Some(ticket) = tickets.take() {
                let begun = Instant::now();
                let longer = drag.next();
                if !longer.is_zero() {
                    tickets.sleep(longer);
                }
                store.sync().map_err(Failure::Store)?;
                counters.clocks.syncs.observe(begun.elapsed());
                // Gone: the replica's thread has ended and waits for no ticket. What it wrote
                // last is synced all the same.
                let _ = synced.send(ticket);
            }
            Ok(())
        })?;
        Ok((Disk(giver), thread))
    }

    /// Asks that everything up to `ticket` becomes durable. Tickets only grow, so the newest one
    /// stands for all before it.
    pub(super) fn sync(&self, ticket: Ticket) {
        self.0.put(ticket);
    }
}

/// How much longer syncs take than the disk needs, which can be told while the node runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Drag(Arc<Mutex<Option<Told>>>);

/// A drag, and the chance it is drawn from.
#[derive(Debug)]
struct Told {
    spread: Spread,
    chance: ChaCha8Rng,
}

impl Drag {
    /// So much longer from now on, drawn from this seed.
    pub(super) fn tell(&self, spread: Spread, seed: u64) {
        let chance = ChaCha8Rng::seed_from_u64(seed);
        *self.lock() = Some(Told { spread, chance });
    }

    /// How much longer the next one takes.
    fn next(&self) -> Duration {
        match &mut *self.lock() {
            Some(Told { spread, chance }) => spread.draw(chance.next_u64()),
            None => Duration::ZERO,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Told>> {
        // It is changed by one assignment, so a poisoned one is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
