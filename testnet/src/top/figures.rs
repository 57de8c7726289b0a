//! What a node shows to Prometheus, as far as it is watched here, and what it comes to in a second.

use crate::live::metrics::Page;
use std::{collections::VecDeque, time::Duration};

#[cfg(test)]
mod tests;

/// Over how many samples the table's rates are taken, one a second.
const WINDOW: usize = 4;

/// What a node counts. Whoever serves the page may say anything, so nothing has to fit together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    /// Blocks made final in this life.
    pub blocks: u64,
    /// Transactions in those.
    pub transactions: u64,
    /// Bytes that came: frames of peers, and gossip.
    pub received: u64,
    /// Bytes that left: frames to peers, and gossip of its own.
    pub sent: u64,
    /// Memory in use, in bytes.
    pub resident: Option<u64>,
    /// Processor time used, in seconds.
    pub cpu: Option<f64>,
    /// What it took to open the envelopes of peers.
    pub opened: Times,
    /// What it took to sync the store.
    pub syncs: Times,
    /// From one final block to the next.
    pub heights: Times,
}

/// How often something was done, and how long that took altogether.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Times {
    /// In seconds.
    pub sum: f64,
    /// How often.
    pub count: u64,
}

impl Times {
    /// The mean of what was done since `before`, if anything was.
    fn since(self, before: Times) -> Option<Duration> {
        let count = self.count.checked_sub(before.count).filter(|count| *count > 0)?;
        Duration::try_from_secs_f64((self.sum - before.sum) / count as f64).ok()
    }
}

impl Figures {
    /// Of a page. None if it is none of a node.
    pub fn of(page: &Page) -> Option<Figures> {
        let value = |series: &str| page.value(series).filter(|value| *value >= 0.0);
        // Too large a figure is the largest.
        let count = |name: &str| value(&format!("byzantium_{name}")).map(|value| value as u64);
        let counted = |name: &str| count(name).unwrap_or(0);
        let times = |name: &str, labels: &str| Times {
            sum: value(&format!("byzantium_{name}_sum{labels}")).unwrap_or(0.0),
            count: counted(&format!("{name}_count{labels}")),
        };
        Some(Figures {
            blocks: count("blocks_total")?,
            transactions: counted("transactions_total"),
            received: counted("network_bytes_received_total")
                .saturating_add(counted("gossip_bytes_total{way=\"received\"}")),
            sent: counted("network_bytes_sent_total")
                .saturating_add(counted("gossip_bytes_total{way=\"published\"}")),
            resident: count("process_resident_memory_bytes"),
            cpu: value("byzantium_process_cpu_seconds_total"),
            opened: times("open_seconds", "{what=\"envelope\"}"),
            syncs: times("sync_seconds", ""),
            heights: times("height_seconds", ""),
        })
    }
}

/// What a node did lately.
#[derive(Clone, Debug, Default)]
pub struct Samples(VecDeque<(Duration, Figures)>);

impl Samples {
    /// Takes in a page that came at `now`. Figures that shrink are those of another life.
    pub fn add(&mut self, now: Duration, figures: Figures) {
        if self.0.back().is_some_and(|(_, last)| figures.is_before(last)) {
            self.0.clear();
        }
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back((now, figures));
    }

    /// Forgets what a process did that is no more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The newest figures.
    pub fn last(&self) -> Option<&Figures> {
        self.0.back().map(|(_, figures)| figures)
    }

    /// What it came to in the last seconds.
    pub fn rates(&self) -> Option<Rates> {
        Rates::between(self.0.front()?, self.0.back()?)
    }

    /// What it came to between the last two samples.
    pub fn newest(&self) -> Option<Rates> {
        Rates::between(self.0.iter().rev().nth(1)?, self.0.back()?)
    }
}

impl Figures {
    fn is_before(&self, other: &Figures) -> bool {
        let key = |figures: &Figures| (figures.blocks, figures.received, figures.sent);
        let (own, others) = (key(self), key(other));
        own.0 < others.0 || own.1 < others.1 || own.2 < others.2
    }
}

/// What happened in a while, by the second or by the piece.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rates {
    /// Transactions made final, a second.
    pub transactions: f64,
    /// Bytes that came, a second.
    pub received: f64,
    /// Bytes that left, a second.
    pub sent: f64,
    /// Of one core.
    pub cpu: Option<f64>,
    /// To open an envelope.
    pub open: Option<Duration>,
    /// To sync the store.
    pub sync: Option<Duration>,
    /// From one final block to the next.
    pub height: Option<Duration>,
}

impl Rates {
    fn between(
        (from, before): &(Duration, Figures),
        (to, after): &(Duration, Figures),
    ) -> Option<Rates> {
        let seconds = to.checked_sub(*from).filter(|time| !time.is_zero())?.as_secs_f64();
        let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
        Some(Rates {
            transactions: rate(before.transactions, after.transactions),
            received: rate(before.received, after.received),
            sent: rate(before.sent, after.sent),
            cpu: before
                .cpu
                .zip(after.cpu)
                .map(|(before, after)| (after - before).max(0.0) / seconds),
            open: after.opened.since(before.opened),
            sync: after.syncs.since(before.syncs),
            height: after.heights.since(before.heights),
        })
    }
}
