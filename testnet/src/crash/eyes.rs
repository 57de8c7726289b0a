//! Looks at every node again and again, from a thread for each.

use super::{
    Shared,
    watch::{Chain, Look, Seen},
};
use crate::live::metrics::Reader;
use ledger::{
    Block,
    query::{ConsensusAnswer, HeadersAnswer},
};
use serde_json::json;
use std::{
    io,
    sync::{Arc, mpsc::SyncSender},
    thread::{self, JoinHandle},
    time::Duration,
};
use wallet_cli::client::{Client, ClientError};

/// How often a node is looked at.
const EVERY: Duration = Duration::from_millis(120);

/// How many looks there are to one at the node's figures, which take longer.
const FIGURES: u32 = 8;

/// How many heights are asked for again when a node may have begun another life.
const AGAIN: u64 = 16;

/// Something that was seen, and at which node.
pub(super) type Sighting = (u32, Seen);

/// Looks at one node.
struct Eye {
    node: u32,
    client: Client,
    reader: Reader,
    shared: Arc<Shared>,
    /// The first height that was not seen final yet.
    from: u64,
}

/// Looks at each node in turn of its own until all is to stop, and tells what is seen.
///
/// # Errors
///
/// Whatever the system says when it has no thread to give.
pub(super) fn open(
    clients: &[Client],
    shared: &Arc<Shared>,
    tell: &SyncSender<Sighting>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let reader = Reader::default();
    let each = (0..).zip(clients).map(|(node, client)| {
        let shared = Arc::clone(shared);
        let mut eye = Eye { node, client: client.clone(), reader: reader.clone(), shared, from: 1 };
        let tell = tell.clone();
        thread::Builder::new().name("look at a node".to_owned()).spawn(move || {
            let mut looks = 0_u32;
            while !eye.shared.is_stopping() {
                for seen in eye.see(looks.is_multiple_of(FIGURES)) {
                    if tell.send((eye.node, seen)).is_err() {
                        return;
                    }
                }
                looks = looks.wrapping_add(1);
                thread::sleep(EVERY);
            }
        })
    });
    each.collect()
}

impl Eye {
    /// Whoever is dead is not asked: nobody would answer, and a port that nobody listens at may
    /// even be taken by the one who asks.
    fn see(&mut self, figures: bool) -> Vec<Seen> {
        if !self.shared.is_up(self.node) {
            self.from = self.from.saturating_sub(AGAIN).max(1);
            return Vec::new();
        }
        let mut seen = Vec::new();
        match self.look() {
            Ok(look) => seen.push(Seen::Look(look)),
            Err(_) => self.from = self.from.saturating_sub(AGAIN).max(1),
        }
        if figures {
            let page = self.reader.read(self.client.node().as_str());
            let accusations = page.and_then(|page| page.value("byzantium_accusations_total"));
            let accusations = accusations.filter(|count| *count >= 0.0);
            seen.extend(accusations.map(|count| Seen::Accusations(count as u64)));
        }
        seen
    }

    /// The committed height comes first: what is asked afterwards can only be newer, and what was
    /// committed stays.
    fn look(&mut self) -> Result<Look, ClientError> {
        let status = self.client.status()?;
        let answer: HeadersAnswer = self.client.call("headers", json!({"from": self.from}))?;
        let consensus: ConsensusAnswer = self.client.call("consensus", json!({}))?;
        let branch: Vec<_> =
            answer.headers.iter().map(|header| (header.height, header.hash())).collect();
        if let Some((last, _)) = branch.last() {
            self.from = self.from.max(status.height.min(*last) + 1);
        }
        Ok(Look {
            height: status.height,
            head_height: answer.head_height,
            state: status.state,
            branch,
            slots: consensus.slots,
        })
    }
}

/// Reads a node's whole adopted branch.
///
/// # Errors
///
/// The client's.
pub(super) fn chain(client: &Client) -> Result<Chain, ClientError> {
    let mut chain = Chain { height: client.status()?.height, ..Chain::default() };
    let mut next = 1;
    let mut take = |block: &Block, next: &mut u64| {
        let ids = block.transactions.iter().map(|transaction| transaction.id()).collect();
        chain.blocks.insert(block.header.height, (block.hash(), ids));
        *next += 1;
    };
    loop {
        let page = client.blocks(next)?.blocks;
        let fits = page.first().is_some_and(|block| block.header.height == next);
        if !fits {
            break;
        }
        page.iter().for_each(|block| take(block, &mut next));
    }
    // The newest have no proof yet where only some blocks get one.
    while let Some(answer) = client.block(next)? {
        take(&answer.block, &mut next);
    }
    Ok(chain)
}
