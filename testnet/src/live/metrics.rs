//! What a node shows to Prometheus, read from outside.

use std::{collections::BTreeMap, time::Duration};

#[cfg(test)]
mod tests;

/// The longest page that is read, in bytes: a node's has a tenth of it.
const LONGEST: u64 = 1024 * 1024;

/// How long a node may take to show its page: it waits itself, for two seconds at most, until its replica has time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Figures by series, which is a metric's name and its labels, as Prometheus writes them. Whoever serves the
/// page may say anything, so nothing has to fit together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page(BTreeMap<String, f64>);

impl Page {
    /// Reads a page; what is no finite figure is passed over.
    pub fn parse(text: &str) -> Page {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let entry = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let value: f64 = value.parse().ok()?;
            value.is_finite().then(|| (series.to_owned(), value))
        };
        Page(lines.filter_map(entry).collect())
    }

    /// One series, such as `byzantium_blocks_total` or `byzantium_gossip_bytes_total{way="received"}`.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The sum over all series of the metrics that are wanted, by name.
    pub fn sum(&self, wanted: impl Fn(&str) -> bool) -> f64 {
        let is_wanted = |series: &str| series.split('{').next().is_some_and(&wanted);
        self.0.iter().filter(|(series, _)| is_wanted(series)).map(|(_, value)| value).sum()
    }

    /// The sum over all series that begin so.
    pub fn starting(&self, prefix: &str) -> f64 {
        self.0.iter().filter(|(series, _)| series.starts_with(prefix)).map(|(_, value)| value).sum()
    }

    /// Adds another's figures to these.
    pub fn add(&mut self, other: Page) {
        for (series, value) in other.0 {
            *self.0.entry(series).or_default() += value;
        }
    }
}

/// Reads pages. Connections are kept.
#[derive(Clone, Debug)]
pub struct Reader(ureq::Agent);

impl Default for Reader {
    fn default() -> Reader {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None);
        Reader(config.build().into())
    }
}

impl Reader {
    /// What the node whose RPC is at this URL counts at this moment; none if it does not answer in time, or
    /// with too much.
    pub fn read(&self, node: &str) -> Option<Page> {
        let url = format!("{}/metrics", node.trim_end_matches('/'));
        let mut response = self.0.get(&url).call().ok()?;
        let text = response.body_mut().with_config().limit(LONGEST).read_to_string().ok()?;
        Some(Page::parse(&text))
    }
}
