//! What a node shows to Prometheus: `byzantium_*` for our own figures, `libp2p_*` and
//! `gossipsub_*` for libp2p's.
//!
//! Our figures are counted where things happen and only gathered here, in a [`Snapshot`] for each
//! scrape; nothing is counted twice. Every label has few values, all of them words of this program:
//! no peer and no caller can make a series grow.

mod process;
mod times;

pub(crate) use process::Process;

use crate::{
    network::Counters as NetworkCounters,
    runtime::{Durations, Figures},
};
use ledger::query::{StatusAnswer, WeightAnswer, WeightsAnswer};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet, text,
    },
    metrics::MetricType,
    registry::Registry,
};
use std::{fmt, time::Duration};

#[cfg(test)]
mod tests;

/// What the text is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is shown at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// How the replica stands; none if it did not say so in time.
    pub(crate) status: Option<StatusAnswer>,
    /// What the runtime and the RPC count.
    pub(crate) figures: Figures,
    /// How many peers are connected.
    pub(crate) peers: usize,
    /// How many nodes that nobody told us of are connected.
    pub(crate) guests: usize,
    /// What the network counts.
    pub(crate) network: NetworkCounters,
    /// How many listen to events.
    pub(crate) listeners: usize,
    /// What the system says of this process.
    pub(crate) process: Process,
}

/// The whole text: ours, then `others`, then the end.
pub(crate) fn page(snapshot: Snapshot, others: &str) -> String {
    let mut registry = Registry::with_prefix("byzantium");
    registry.register_collector(Box::new(snapshot));
    let mut page = encode(&registry);
    page.push_str(others);
    text::encode_eof(&mut page).expect("a string takes everything");
    page
}

/// A registry's text, without the end.
pub(crate) fn encode(registry: &Registry) -> String {
    let mut page = String::new();
    text::encode_registry(&mut page, registry).expect("a string takes everything");
    page
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut sheet = Sheet(encoder);
        self.chain(&mut sheet)?;
        self.traffic(&mut sheet)?;
        self.received(&mut sheet)?;
        self.times(&mut sheet)?;
        self.refusals(&mut sheet)?;
        self.service(&mut sheet)?;
        for (name, help, value) in self.network.each() {
            sheet.counter(&format!("network_{name}"), help, value)?;
        }
        self.process(&mut sheet)
    }
}

impl Snapshot {
    fn chain(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        if let Some(status) = &self.status {
            let halted = u64::from(status.state != "running");
            let time = status.time as f64 / 1_000.0;
            sheet.gauge("height", "Height of the last committed block.", status.height)?;
            sheet.gauge(
                "head_height",
                "Height of the newest adopted block.",
                status.head_height,
            )?;
            sheet.gauge(
                "last_block_timestamp_seconds",
                "When the newest adopted block was made, since 1970.",
                time,
            )?;
            sheet.gauge("round", "Round or view of the height being decided.", status.round)?;
            sheet.gauge("pool_transactions", "Transactions that wait.", status.pool as u64)?;
            sheet.gauge("halted", "1 if the replica votes no more.", halted)?;
            sheet.gauge(
                "accused_validators",
                "Validators against whom evidence is held that has not done its work yet.",
                status.accused.len() as u64,
            )?;
            sheet.gauge(
                "punished_validators",
                "Validators that were punished for signing two values in one slot.",
                status.punished.len() as u64,
            )?;
            sheet.gauge("burned", "Money that punishments have destroyed.", status.burned.0)?;
        }
        let weights = self.status.as_ref().and_then(|status| status.weights.as_ref());
        weights.map_or(Ok(()), |weights| leak(weights, sheet))?;
        let figures = &self.figures;
        sheet.gauge("peers", "Connected peers.", self.peers as u64)?;
        let guests = "Connected guests: nodes that nobody told us of.";
        sheet.gauge("guests", guests, self.guests as u64)?;
        sheet.counter("blocks", "Blocks made final in this life.", figures.blocks)?;
        sheet.counter("transactions", "Transactions in those blocks.", figures.transactions)?;
        sheet.counter(
            "accusations",
            "Times a replica was caught breaking the rules, as by signing two values in one slot.",
            figures.accusations,
        )?;
        sheet.counter(
            "evidence_found",
            "Validators against whom this node has found evidence, in this life.",
            figures.evidence_found,
        )?;
        sheet.counter(
            "evidence_reported",
            "Transactions by which it has reported them.",
            figures.evidence_reported,
        )?;
        sheet.counter("syncs", "Times the store was made durable.", figures.syncs)?;
        sheet.counter("hashes", "Hashes tried in search of proof-of-work.", figures.hashes)?;
        sheet.counter(
            "blocks_mined",
            "Blocks for which this node found proof-of-work, final or not.",
            figures.blocks_mined,
        )
    }

    fn traffic(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let figures = &self.figures;
        let sent = || {
            figures.sent.iter().map(|(class, sent)| {
                let class = serde_json::to_value(class).expect("a class is plain data");
                (class.as_str().unwrap_or_default().to_owned(), *sent)
            })
        };
        sheet.family(
            "sent_envelopes",
            "Envelopes sent, each once however many peers it went to, by why it was sent.",
            sent().map(|(class, sent)| ([("class", class)], sent.envelopes)),
        )?;
        sheet.family(
            "sent_copies",
            "Envelopes sent, once for each peer, by why they were sent.",
            sent().map(|(class, sent)| ([("class", class)], sent.copies)),
        )?;
        sheet.family(
            "sent_bytes",
            "Bytes of those copies, by why they were sent.",
            sent().map(|(class, sent)| ([("class", class)], sent.bytes)),
        )?;
        sheet.counter("opened_envelopes", "Envelopes of peers that were read.", figures.opened)?;
        let compact = [("sent", figures.compacted), ("incomplete", figures.incomplete)];
        sheet.family(
            "compact_messages",
            "Messages without their block's transactions: sent by us, and come with one missing.",
            compact.map(|(fate, count)| ([("fate", fate)], count)),
        )?;
        let batches = [
            ("opened", figures.batches_opened),
            ("dropped", figures.batches_dropped),
            ("published", figures.batches_published),
        ];
        sheet.family(
            "gossip_batches",
            "Gossiped batches of transactions: read, dropped for want of room, published by us.",
            batches.map(|(fate, count)| ([("fate", fate)], count)),
        )?;
        sheet.counter(
            "published_transactions",
            "Transactions in the batches published by us.",
            figures.transactions_published,
        )?;
        let gossip = [("received", figures.bytes_gossiped), ("published", figures.bytes_published)];
        sheet.family(
            "gossip_bytes",
            "Bytes of gossiped batches: those that came, each content once, and those published by us.",
            gossip.map(|(way, bytes)| ([("way", way)], bytes)),
        )
    }

    fn received(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let figures = &self.figures;
        let received =
            || figures.received.iter().map(|(kind, received)| ([("kind", *kind)], *received));
        sheet.family(
            "received_envelopes",
            "Envelopes of peers, by what was in them; refused if they could not be opened.",
            received().map(|(labels, received)| (labels, received.envelopes)),
        )?;
        sheet.family(
            "received_bytes",
            "Bytes of those envelopes.",
            received().map(|(labels, received)| (labels, received.bytes)),
        )?;
        sheet.family(
            "heard_messages",
            "Messages handed to the protocol, by kind: our own too, and once more those it put off.",
            figures.heard.iter().map(|(kind, count)| ([("kind", *kind)], *count)),
        )?;
        sheet.family(
            "alarms",
            "Alarms that rang: the protocol's, late if their height was over, and the replica's own.",
            figures.alarms.iter().map(|(alarm, count)| ([("alarm", *alarm)], *count)),
        )?;
        sheet.counter(
            "extra_rounds",
            "Rounds or views that followed others while a height was being decided.",
            figures.extra_rounds,
        )?;
        let help = "Threads that open what peers send, besides the one for gossip.";
        sheet.gauge("opener_threads", help, figures.openers)
    }

    fn refusals(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let unread = self.figures.refused.iter().flat_map(|(what, reasons)| {
            reasons.iter().map(move |(reason, count)| ((*what, *reason), *count))
        });
        let declined = self.figures.declined.iter().map(|(key, count)| (*key, *count));
        sheet.family(
            "refused",
            "Things thrown away, by what they were and why: envelopes, gossip and requests unread, \
             all else by the replica.",
            unread
                .chain(declined)
                .map(|((what, reason), count)| ([("what", what), ("reason", reason)], count)),
        )
    }

    fn service(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let figures = &self.figures;
        let calls = figures.calls.iter().flat_map(|(method, codes)| {
            codes.iter().map(|(code, count)| {
                ([("method", (*method).to_owned()), ("code", code.to_string())], *count)
            })
        });
        sheet.family("rpc_calls", "Calls answered, by method and error code; 0 is none.", calls)?;
        sheet.counter(
            "questions_refused",
            "Questions refused because too many waited for the replica.",
            figures.questions_refused,
        )?;
        sheet.gauge("event_listeners", "Who listens to events.", self.listeners as u64)?;
        sheet.counter(
            "events_dropped",
            "Events that listeners were too slow for.",
            figures.events_dropped,
        )?;
        sheet.counter(
            "trace_lines_dropped",
            "Trace lines that the disk was too slow for.",
            figures.trace_lines_dropped,
        )
    }

    fn process(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        if let Some(bytes) = self.process.resident_bytes {
            let help = "Memory this process has in use.";
            sheet.gauge("process_resident_memory_bytes", help, bytes)?;
        }
        if let Some(seconds) = self.process.cpu_seconds {
            let help = "Processor time this process has used.";
            sheet.counter("process_cpu_seconds", help, seconds)?;
        }
        Ok(())
    }
}

/// What an inactivity leak has taken and gives back, as this node sees it.
fn leak(weights: &WeightsAnswer, sheet: &mut Sheet<'_>) -> fmt::Result {
    let each = |figure: fn(&WeightAnswer) -> u64| {
        let members = weights.members.iter();
        members.map(move |member| ([("validator", member.id.to_string())], figure(member)))
    };
    sheet.gauges(
        "weight_permille",
        "Thousandths of each validator's bond that count in votes on the height being decided.",
        each(|member| u64::from(member.left / 1_000)),
    )?;
    sheet.gauges(
        "inactivity_score",
        "How often each validator was missed lately, four for each time.",
        each(|member| u64::from(member.score)),
    )?;
    let help = "1 while weights fade because nobody can decide, and no block tells of it.";
    sheet.gauge("recovering", help, u64::from(weights.recovering))
}

/// How long something took, by name.
type Timed<const N: usize> = ([(&'static str, &'static str); N], Durations);

/// Writes metrics one after the other.
struct Sheet<'a>(DescriptorEncoder<'a>);

impl Sheet<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// Gauges with labels: a name, then a value for each.
    fn gauges<L: AsRef<str> + Clone + fmt::Debug, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([(&'static str, L); N], u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in series {
            let labels = labels.each_ref().map(|(name, value)| (*name, value.as_ref()));
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counter(&mut self, name: &str, help: &str, value: impl EncodeCounterValue) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
    }

    /// A counter with labels: a name, then a value for each.
    fn family<L: AsRef<str> + Clone + fmt::Debug, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([(&'static str, L); N], u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in series {
            let labels = labels.each_ref().map(|(name, value)| (*name, value.as_ref()));
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, durations: &Durations) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        write(&mut metric, durations)
    }

    /// Histograms with labels: a name, then one for each value.
    fn histograms<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = Timed<N>>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, durations) in series {
            write(&mut metric.encode_family(&labels)?, &durations)?;
        }
        Ok(())
    }

    /// Gauges in seconds, with labels.
    fn seconds<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = ([(&'static str, &'static str); N], Duration)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in series {
            metric.encode_family(&labels)?.encode_gauge(&value.as_secs_f64())?;
        }
        Ok(())
    }
}

fn write(metric: &mut MetricEncoder<'_>, durations: &Durations) -> fmt::Result {
    let sum = durations.sum.as_secs_f64();
    metric.encode_histogram::<NoLabelSet>(sum, durations.count(), &durations.buckets(), None)
}
