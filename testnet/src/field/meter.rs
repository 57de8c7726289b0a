//! What nodes say about themselves while they run: where they stand, and what they count.
//!
//! A node that is killed takes its figures with it, so they are read every second; what it counted in its
//! last second is lost. Figures of all its lives are added up.

use ledger::{ReplicaId, query::StatusAnswer};
use serde::Serialize;
use std::{
    collections::BTreeMap,
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

/// The longest page of figures that is read, in bytes.
const LONGEST: u64 = 4 << 20;

const PATIENCE: Duration = Duration::from_secs(3);

/// Counters by name and labels, as Prometheus writes them.
pub type Page = BTreeMap<String, f64>;

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
        let mut looks = 0_u32;
        while !stop.load(Ordering::Relaxed) {
            if awake.load(Ordering::Relaxed) {
                let status = client.status().ok().map(|status| Word::Status(Box::new(status)));
                let figures = looks.is_multiple_of(FIGURES).then(|| page(&client)).flatten();
                for word in status.into_iter().chain(figures.map(Word::Figures)) {
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

/// A node's counters at this moment; none if it does not answer.
pub fn page(client: &Client) -> Option<Page> {
    let url = format!("{}/metrics", client.node().as_str().trim_end_matches('/'));
    let request = ureq::get(&url).config().timeout_global(Some(PATIENCE)).proxy(None).build();
    let mut response = request.call().ok()?;
    let text = response.body_mut().with_config().limit(LONGEST).read_to_string().ok()?;
    Some(parse(&text))
}

fn parse(text: &str) -> Page {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse::<f64>().ok().filter(|value| value.is_finite())?))
    };
    lines.filter_map(entry).collect()
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
        for (name, value) in std::mem::take(&mut self.present) {
            *self.past.entry(name).or_default() += value;
        }
    }

    /// A counter's sum over everything whose name begins so.
    pub fn sum(&self, prefix: &str) -> f64 {
        let all = self.past.iter().chain(&self.present);
        all.filter(|(name, _)| name.starts_with(prefix)).map(|(_, value)| value).sum()
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
