//! What can be seen of nodes from outside.

use serde_json::{Value, json};
use testnet::live::metrics::Reader;
use wallet_cli::client::Client;

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
        let reader = Reader::default();
        let pages: Vec<_> = urls.iter().filter_map(|url| reader.read(url)).collect();
        let sum = |metric: &str| {
            let each = pages.iter().map(|page| page.sum(|name| name == metric));
            each.sum::<f64>() as u64
        };
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
