//! What nodes say about themselves while they run: where they stand, and what they count.
//!
//! A node that is killed takes its figures with it, so they are read every second; what it counted in its
//! last second is lost. Figures of all its lives are added up.

use crate::live::metrics::{Page, Reader};
use ledger::{ReplicaId, query::StatusAnswer};
use serde::Serialize;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use wallet_cli::client::Client;

#[cfg(test)]
mod tests;

/// How often a node is asked where it stands.
const EVERY: Duration = Duration::from_millis(250);

/// How many times it is asked that before it is asked for its figures.
const FIGURES: u32 = 4;

/// Something a node said.
#[derive(Debug)]
pub enum Word {
    /// Where it stands.
    Status(Box<StatusAnswer>),
    /// What it counts.
    Figures(Page),
}

/// Asks a node again and again on a thread of its own, until `stop` is set. Whoever is not `awake` is not
/// asked.
///
/// # Errors
/// Whatever the system says when it has no thread to give.
pub fn watch(
    id: ReplicaId,
    client: Client,
    (awake, stop): (Arc<AtomicBool>, Arc<AtomicBool>),
    tell: SyncSender<(ReplicaId, Word)>,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("watch {id}")).spawn(move || {
        let (mut looks, reader) = (0_u32, Reader::default());
        while !stop.load(Ordering::Relaxed) {
            if awake.load(Ordering::Relaxed) {
                let status = client.status().ok().map(|status| Word::Status(Box::new(status)));
                let figures =
                    looks.is_multiple_of(FIGURES).then(|| reader.read(client.node().as_str()));
                for word in status.into_iter().chain(figures.flatten().map(Word::Figures)) {
                    // Nobody listens any more.
                    if tell.send((id, word)).is_err() {
                        return;
                    }
                }
            }
            looks = looks.wrapping_add(1);
            thread::sleep(EVERY);
        }
    })
}

/// One node's counters over all its lives.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    past: Page,
    present: Page,
}

impl Counted {
    /// What the present life counts by now.
    pub fn see(&mut self, page: Page) {
        self.present = page;
    }

    /// The present life is over.
    pub fn buried(&mut self) {
        self.past.add(std::mem::take(&mut self.present));
    }

    /// A counter's sum over everything whose name begins so.
    pub fn sum(&self, prefix: &str) -> f64 {
        self.past.starting(prefix) + self.present.starting(prefix)
    }
}

/// What the nodes' own figures say, in the mean over the honest.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Means {
    /// Bytes of everything sent, as it left: all nodes together, of twins the first.
    pub bytes: u64,
    /// Batches of transactions published, once for each recipient.
    pub batches: u64,
    /// How long a sync of the disk took, in milliseconds.
    pub sync_ms: Option<f64>,
    /// How long it took to open and verify an envelope, in milliseconds.
    pub open_ms: Option<f64>,
    /// How long it waited in queues before that and after, in milliseconds.
    pub wait_ms: Option<f64>,
    /// How long the replica's thread worked on one, and on carrying out what came of it, in milliseconds.
    pub step_ms: Option<f64>,
}

impl Means {
    /// Of all nodes what they sent, of the honest what they measured.
    pub fn of(all: &[Counted], honest: &[&Counted]) -> Means {
        let sum = |prefix: &str| honest.iter().map(|counted| counted.sum(prefix)).sum::<f64>();
        let sent = |prefix: &str| all.iter().map(|counted| counted.sum(prefix)).sum::<f64>();
        let mean = |name: &str, labels: &str| {
            let count = sum(&format!("byzantium_{name}_seconds_count{labels}"));
            let all = sum(&format!("byzantium_{name}_seconds_sum{labels}"));
            (count > 0.0).then(|| 1_000.0 * all / count)
        };
        let queue = |name: &str| mean("queue", &format!("{{queue=\"{name}\""));
        let step = mean("replica_step", "{event=\"received\"");
        let carried = mean("carry_out", "").unwrap_or(0.0);
        let others = all.len().saturating_sub(1) as f64;
        let batches = sent("byzantium_gossip_batches_total{fate=\"published\"}") * others;
        Means {
            bytes: sent("byzantium_sent_bytes_total") as u64,
            batches: batches as u64,
            sync_ms: mean("sync", ""),
            open_ms: mean("open", "{what=\"envelope\""),
            wait_ms: queue("frames").zip(queue("opened")).map(|(frames, opened)| frames + opened),
            step_ms: step.map(|step| step + carried),
        }
    }
}
