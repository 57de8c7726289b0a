//! What can be seen of nodes from outside.

use serde_json::{Value, json};
use std::time::Duration;
use wallet_cli::client::Client;

/// How long a node may take to show its metrics.
const SCRAPE: Duration = Duration::from_secs(5);
/// The most that is read of them, in bytes.
const LONGEST_PAGE: u64 = 4 * 1024 * 1024;

/// Figures of all nodes together, since they began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// What was held against peers.
    pub faults: u64,
    /// How often somebody was shut out.
    pub bans: u64,
    /// What was thrown away.
    pub refused: u64,
}

impl Figures {
    /// Of the nodes at these URLs. Of one that does not answer nothing is known.
    pub fn of(urls: &[String]) -> Figures {
        let config = ureq::Agent::config_builder().timeout_global(Some(SCRAPE)).proxy(None);
        let agent = config.build().new_agent();
        let page = |url: &String| {
            let page = agent.get(format!("{url}/metrics")).call().ok()?;
            page.into_body().with_config().limit(LONGEST_PAGE).read_to_string().ok()
        };
        let pages: Vec<_> = urls.iter().filter_map(page).collect();
        let sum = |name: &str| pages.iter().map(|page| sum_of(page, name)).sum();
        Figures {
            faults: sum("byzantium_network_peer_faults_total"),
            bans: sum("byzantium_network_peers_banned_total"),
            refused: sum("byzantium_refused_total"),
        }
    }

    /// What was added since.
    pub fn since(self, before: Figures) -> Figures {
        Figures {
            faults: self.faults.saturating_sub(before.faults),
            bans: self.bans.saturating_sub(before.bans),
            refused: self.refused.saturating_sub(before.refused),
        }
    }
}

/// The sum of all series of a metric.
fn sum_of(page: &str, name: &str) -> u64 {
    let values = page.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let is_it = series.split('{').next() == Some(name);
        is_it.then(|| value.parse::<f64>().ok())?
    });
    values.sum::<f64>() as u64
}

/// Whether all have the same block at the greatest height that all have reached. False, too, if one does not
/// answer.
pub fn agree(clients: &[Client]) -> bool {
    let heights: Option<Vec<u64>> =
        clients.iter().map(|client| client.status().ok().map(|status| status.height)).collect();
    let Some(height) = heights.and_then(|heights| heights.into_iter().min()) else {
        return false;
    };
    let header = |client: &Client| {
        let page: Option<Value> = client.call("headers", json!({ "from": height.max(1) })).ok();
        page.map(|page| page["headers"][0].clone()).filter(|header| !header.is_null())
    };
    let headers: Option<Vec<Value>> = clients.iter().map(header).collect();
    headers.is_some_and(|headers| headers.windows(2).all(|pair| pair[0] == pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_series_of_a_metric_count_and_no_others() {
        let page = "# HELP byzantium_refused_total x\n\
                    byzantium_refused_total{what=\"envelope\",reason=\"malformed\"} 3\n\
                    byzantium_refused_total{what=\"gossip\",reason=\"forged\"} 4\n\
                    byzantium_refused_total_else 9\n";
        assert_eq!(sum_of(page, "byzantium_refused_total"), 7);
        assert_eq!(sum_of(page, "byzantium"), 0);
    }
}
