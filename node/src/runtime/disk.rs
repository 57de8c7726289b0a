//! Makes durable what the replica wrote, beside it.

use super::{
    counters::Counters,
    slot::{Giver, slot},
    threads::{Failure, Failures},
};
use crossbeam_channel::Sender;
use ledger::store::Store;
use replica::Ticket;
use std::{io, sync::Arc, thread::JoinHandle, time::Instant};

#[cfg(test)]
mod tests;

/// Asks the disk's thread for syncs. One sync serves every ticket asked for while the last one
/// ran, so however busy the disk, only the newest ticket waits.
#[derive(Debug)]
pub(super) struct Disk(Giver<Ticket>);

impl Disk {
    /// Starts the thread. It tells `synced` each ticket up to which all is durable, and ends when
    /// the [`Disk`] is dropped, with nothing left to sync.
    pub(super) fn start(
        store: Arc<dyn Store>,
        synced: Sender<Ticket>,
        counters: Arc<Counters>,
        failures: &Failures,
    ) -> io::Result<(Disk, JoinHandle<()>)> {
        let (giver, tickets) = slot::<Ticket>();
        let thread = failures.watch("disk", move || {
            while let Some(ticket) = tickets.take() {
                let begun = Instant::now();
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
