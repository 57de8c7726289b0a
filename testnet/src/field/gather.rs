//! What was seen of a run, for the judge: traces, databases, and what the nodes counted.
//!
//! Every node has stopped. Its trace says when it held what final; its database holds the blocks, the
//! proofs, and the ledger that the checker compares with them. A node that was killed may not have
//! written its last lines: what its disk held final in the next life then counts as found there, as
//! after a crash in the simulator.

use super::{FieldError, load::Sent, play::Played};
use crate::live::net::Net;
use crypto::Hash;
use ledger::{BlockHash, Genesis, Ledger, ReplicaId, TransactionId, store::DiskStore};
use node::config::{DATABASE, TRACE_FILE};
use replica::trace::{TraceLine, What};
use sha2::{Digest, Sha256};
use simulator::{
    Counts, Record, Scenario,
    record::{Aside, Commit, aside::MARK},
    scenario::judge::Served,
};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind},
    path::Path,
    sync::Arc,
    time::Duration,
};

#[cfg(test)]
mod tests;

/// Everything a judge asks for.
#[derive(Debug)]
pub struct Gathered {
    /// Where the chain began.
    pub genesis: Genesis,
    /// What everybody held final when, and the like.
    pub record: Record,
    /// The ledgers of the honest who were up in the end.
    pub ledgers: Vec<Option<Ledger>>,
    /// How long the run took.
    pub ended: Duration,
    /// What was sent.
    pub counts: Counts,
    /// How many lines the honest wrote in their traces.
    pub lines: u64,
    /// A hash over them.
    pub trace_hash: Hash,
    sent: Vec<Sent>,
}

/// Gathers what a run has left in a net's directory.
///
/// # Errors
/// [`FieldError::Unreadable`], for a trace or a database.
pub fn gather(net: &Net, scenario: &Scenario, played: &Played) -> Result<Gathered, FieldError> {
    let depth = net.depths().map(|depths| depths.confirmations);
    let mut gatherer = Gatherer {
        record: Record::observed(net.len()),
        zero: played.zero,
        ended: played.ended,
        starts: played.starts.clone(),
        depth,
        counts: Counts {
            transactions: played.means.batches,
            bytes: played.means.bytes,
            ..Counts::default()
        },
        lines: 0,
        hash: Sha256::new(),
    };
    let mut ledgers = Vec::new();
    for id in net.ids().map(ReplicaId) {
        let dir = net.place.node(id.0);
        if scenario.byzantine.contains_key(&id) {
            // Nothing that it says of itself is believed, but it is counted what it sends.
            gatherer.count(&dir.join(TRACE_FILE))?;
            if net.record.twins.contains_key(&id.0) {
                gatherer.count(&net.place.twin(id.0).join(TRACE_FILE))?;
            }
            ledgers.push(None);
            continue;
        }
        let mut ledger = open(&dir.join(DATABASE), &net.genesis)?;
        let head = gatherer.read(id, &dir.join(TRACE_FILE), ledger.as_ref())?;
        if let (Some(ledger), Some(head)) = (&mut ledger, head) {
            // Which head it had adopted is nowhere on its disk. What it does not hold it did not keep.
            let _ = ledger.adopt(head);
        }
        ledgers.push(ledger.filter(|_| played.up.contains(&id)));
    }
    let Gatherer { record, counts, lines, hash, .. } = gatherer;
    Ok(Gathered {
        genesis: net.genesis.clone(),
        record,
        ledgers,
        ended: played.ended,
        counts,
        lines,
        trace_hash: Hash::from_bytes(hash.finalize().into()),
        sent: played.sent.clone(),
    })
}

impl Gathered {
    /// How long each transfer took; `settled` tells when a node showed each as final.
    pub fn served(
        &self,
        settled: impl Fn(ReplicaId) -> BTreeMap<TransactionId, Duration>,
    ) -> Vec<Served> {
        let mut known = BTreeMap::new();
        let served = self.sent.iter().map(|Sent { at, taken: (by, _), transaction }| {
            let settled = known.entry(*by).or_insert_with(|| settled(*by));
            let when = settled.get(&transaction.id()).copied();
            // A wallet that tried twice may hear of the first try from the second node.
            Served { submitted: *at, settled: when.map(|when| when.max(*at)) }
        });
        served.collect()
    }
}

/// The ledger in a database; none if the node never got so far as to have one.
fn open(path: &Path, genesis: &Genesis) -> Result<Option<Ledger>, FieldError> {
    if !path.exists() {
        return Ok(None);
    }
    let bad = |reason: String| FieldError::Unreadable { path: path.to_owned(), reason };
    let store = DiskStore::open(path).map_err(|error| bad(error.to_string()))?;
    let ledger = Ledger::open(Arc::new(store), genesis).map_err(|error| bad(error.to_string()))?;
    Ok(Some(ledger))
}

/// The lines of a file; none if there is no such file.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Vec<u8>, FieldError>>, FieldError> {
    let named = path.to_owned();
    let bad = move |error: io::Error| FieldError::Unreadable {
        path: named.clone(),
        reason: error.to_string(),
    };
    let file = match File::open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(bad(error)),
    };
    let lines = file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n'));
    Ok(lines.map(move |line| line.map_err(&bad)))
}

struct Gatherer {
    record: Record,
    /// When the run began, in microseconds since 1970.
    zero: i64,
    /// How long it took.
    ended: Duration,
    /// When each life of each node was ordered to begin.
    starts: BTreeMap<ReplicaId, Vec<Duration>>,
    /// How deep a block must lie to be counted on, where blocks are not final at once.
    depth: Option<u64>,
    counts: Counts,
    lines: u64,
    hash: Sha256,
}

/// Where one node's trace has been read to.
#[derive(Default)]
struct Reading {
    /// When the present life began, in microseconds since the run did.
    life: i64,
    /// The number of the last line.
    seq: u64,
    /// The greatest height that it was seen to hold final.
    height: u64,
    /// How many lives have begun.
    lives: usize,
    /// Whether lines are missing since it last told of a block.
    has_gap: bool,
    /// What it adopted last.
    head: Option<BlockHash>,
}

impl Reading {
    /// When something was, so many microseconds after the present life began. What happened before the
    /// beginning happened at the beginning.
    fn at(&self, since: u64) -> Duration {
        let at = self.life.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
        Duration::from_micros(u64::try_from(at).unwrap_or(0))
    }
}

impl Gatherer {
    /// Counts what a liar sent.
    fn count(&mut self, path: &Path) -> Result<(), FieldError> {
        for line in lines(path)? {
            if let Ok(TraceLine { what: What::Sent { to, class, .. }, .. }) =
                serde_json::from_slice(&line?)
            {
                self.counts.add(class, to.len() as u64);
            }
        }
        Ok(())
    }

    /// Reads one node's trace, and tells which head it adopted last. Lines that a kill has cut short are
    /// passed over.
    fn read(
        &mut self,
        id: ReplicaId,
        path: &Path,
        ledger: Option<&Ledger>,
    ) -> Result<Option<BlockHash>, FieldError> {
        let mut reading = Reading::default();
        for line in lines(path)? {
            let line = line?;
            if line.starts_with(MARK.as_bytes()) {
                match serde_json::from_slice(&line) {
                    Ok(Aside::Life { wall_us }) => {
                        let wall = i64::try_from(wall_us).unwrap_or(i64::MAX);
                        reading = Reading { life: wall.saturating_sub(self.zero), ..reading };
                        (reading.seq, reading.lives) = (0, reading.lives + 1);
                    }
                    Ok(Aside::Final { at, height, block }) => {
                        self.told(id, (at, height, block), &mut reading, ledger);
                    }
                    _ => {}
                }
            } else if let Ok(found) = serde_json::from_slice::<TraceLine>(&line) {
                self.lines += 1;
                self.hash.update(&line);
                self.hash.update(b"\n");
                self.take(id, found, &mut reading, ledger);
            }
        }
        // What the disk holds beyond what was told counts, too: somebody else may hold something else.
        let held = ledger.map_or(0, Ledger::height);
        self.find(id, self.ended, reading.height + 1..=held, ledger);
        Ok(reading.head)
    }

    fn take(
        &mut self,
        id: ReplicaId,
        line: TraceLine,
        reading: &mut Reading,
        ledger: Option<&Ledger>,
    ) {
        let at = reading.at(line.at);
        reading.has_gap |= line.seq > reading.seq + 1;
        reading.seq = line.seq;
        match line.what {
            What::Started { height } => {
                // A process takes a moment to start. Its life begins with the order to begin it, as in the
                // simulator, or nobody would ask what it does with it.
                let starts = self.starts.get(&id).map_or(&[][..], Vec::as_slice);
                let life = reading.lives.checked_sub(1);
                let ordered = life.and_then(|life| starts.get(life));
                self.record.note_life(id, ordered.copied().unwrap_or(at).min(at), height);
                self.find(id, at, reading.height + 1..=height, ledger);
                (reading.height, reading.has_gap) = (height, false);
            }
            What::Adopted { height, block, fork, .. } => {
                reading.head = Some(block);
                if let Some(depth) = self.depth {
                    self.record.note_head(id, at, (height, fork), depth);
                }
            }
            What::Halted { reason } => self.record.halt(id, at, reason),
            What::Sent { to, class, .. } => self.counts.add(class, to.len() as u64),
            What::Accused { offender, charge, slot } => {
                let charge = match slot {
                    None => charge,
                    Some(slot) => format!("{charge} in {slot:?}"),
                };
                self.record.note_accusation(id, offender, charge);
            }
            What::Committed { .. }
            | What::Heard { .. }
            | What::Refused { .. }
            | What::Note { .. } => {}
        }
    }

    /// A node told of a final block, which is durable by then.
    fn told(
        &mut self,
        id: ReplicaId,
        (at, height, block): (u64, u64, BlockHash),
        reading: &mut Reading,
        ledger: Option<&Ledger>,
    ) {
        let at = reading.at(at);
        if std::mem::take(&mut reading.has_gap) {
            // The disk was too slow for all lines, which the node has counted.
            self.find(id, at, reading.height + 1..=height.saturating_sub(1), ledger);
        }
        self.commit(id, (at, height, block), false, ledger);
        reading.height = reading.height.max(height);
    }

    /// Blocks that the disk held final although nobody had said so.
    fn find(
        &mut self,
        id: ReplicaId,
        at: Duration,
        heights: std::ops::RangeInclusive<u64>,
        ledger: Option<&Ledger>,
    ) {
        for height in heights {
            let Some(block) = ledger.and_then(|ledger| ledger.committed(height)) else { continue };
            self.commit(id, (at, height, block.hash()), true, ledger);
        }
    }

    fn commit(
        &mut self,
        id: ReplicaId,
        (at, height, block): (Duration, u64, BlockHash),
        recovered: bool,
        ledger: Option<&Ledger>,
    ) {
        let body = ledger.and_then(|ledger| ledger.committed(height));
        let body = body.filter(|body| body.hash() == block);
        let proof = ledger.filter(|_| body.is_some()).and_then(|ledger| ledger.proof(height));
        self.record.note_commit(id, Commit { at, height, block, proof, recovered }, body);
    }
}
