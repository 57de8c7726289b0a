//! Catching up: committed blocks from peers, believed only with their proofs.
//!
//! A replica that is behind asks one peer after another for what follows its own height, checks
//! hash links, execution and certificates, and commits. It votes for nothing meanwhile that it
//! would not vote for otherwise, so it may lag or run ahead of its protocol without harm.
//!
//! A peer that says it is ahead may lie. Whoever leaves us without an answer, or with one that gets us nowhere,
//! is *doubted*, and asked only if nobody who is doubted less says that it is ahead, until an answer of
//! its own does get us on. To be slow is no fault, so nobody is blamed for it.
//!
//! Where proofs settle nothing ([`Protocol::proofs_settle`]) it asks for what follows its own head
//! instead, and hands that to the protocol, which alone can weigh one branch against another.

use crate::packet::{Ask, Chained, MAX_ENVELOPE_BYTES};
use consensus::{Protocol, Trusted, Unproven};
use crypto::codec;
use ledger::{
    Block, BlockHash, Header, Keys, Ledger, Rejected, ReplicaId, block::MAX_BLOCK_BYTES,
    query::Finality,
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// How long an answer may take before another peer is asked.
pub const TIMEOUT: Duration = Duration::from_secs(1);

/// How many blocks one answer holds.
pub const MAX_BLOCKS: usize = 64;

/// How many answers of one peer may be under way.
const MAX_OWED: usize = 8;

/// How many bytes of blocks one answer holds, roughly.
const MAX_ANSWER_BYTES: usize = 2 * MAX_BLOCK_BYTES;

/// How far the peers are, and what was asked of whom.
#[derive(Debug, Default)]
pub struct Sync {
    reaches: BTreeMap<ReplicaId, u64>,
    asked: Option<(ReplicaId, Duration)>,
    /// From which heights on each peer may still answer: late answers are welcome, others are not.
    owed: BTreeMap<ReplicaId, VecDeque<u64>>,
    /// How often in a row each has promised more than it brought.
    doubts: BTreeMap<ReplicaId, u32>,
}

/// Why blocks from a peer were not committed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SyncFault {
    /// They prove nothing that follows our height.
    #[error("the blocks do not reach past height {0} with a proof")]
    Useless(u64),
    /// They are not a chain on our root.
    #[error("block {0} does not stand on our chain")]
    Unlinked(u64),
    /// The proof does not hold.
    #[error("the blocks are not proven final: {0}")]
    Unproven(#[from] Unproven),
    /// A block does not execute although it is proven: more than a third must be lying.
    #[error("a proven block is rejected: {0}")]
    Rejected(#[from] Rejected),
    /// They begin with rivals of blocks so old that whoever signs such a thing has nothing to lose any more.
    /// Ours came first, and stand.
    #[error("the blocks rival ours of height {0}, too long ago to count")]
    OldRival(u64),
    /// A block we committed has a proven rival.
    #[error("height {height} has two final blocks: {ours} and {theirs}")]
    Conflict {
        /// Where.
        height: u64,
        /// The block we committed.
        ours: ledger::BlockHash,
        /// Its rival.
        theirs: ledger::BlockHash,
        /// Why the rival is final.
        proven: Box<Finality>,
    },
}

impl SyncFault {
    /// Whether no honest peer sends such blocks. What is merely of no use may be late; and where something
    /// is proven that cannot be, more lie than the one who tells us.
    pub fn is_fault(&self) -> bool {
        matches!(self, SyncFault::Unlinked(_) | SyncFault::Unproven(_))
    }

    /// A word for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            SyncFault::Useless(_) => "useless",
            SyncFault::Unlinked(_) => "unlinked",
            SyncFault::Unproven(_) => "unproven",
            SyncFault::Rejected(_) => "rejected",
            SyncFault::OldRival(_) => "old_rival",
            SyncFault::Conflict { .. } => "conflict",
        }
    }
}

impl Sync {
    /// A peer says how far it can prove.
    pub fn heard(&mut self, peer: ReplicaId, reach: u64) {
        self.reaches.insert(peer, reach);
    }

    /// Whether an answer of this peer was asked for that begins at height `first`, or is empty. Each question
    /// allows one, that does not begin below what it asks for.
    pub fn expects(&mut self, peer: ReplicaId, first: Option<u64>) -> bool {
        let Some(owed) = self.owed.get_mut(&peer) else { return false };
        let Some(first) = first else { return owed.pop_front().is_some() };
        let fitting = owed.iter().enumerate().filter(|(_, from)| **from <= first);
        let Some((place, _)) = fitting.max_by_key(|(_, from)| **from) else { return false };
        owed.remove(place).is_some()
    }

    /// An answer came, good or bad. After a bad one the peer is not asked again until it speaks.
    pub fn answered(&mut self, peer: ReplicaId, good: bool) {
        if self.asked.is_some_and(|(asked, _)| asked == peer) {
            self.asked = None;
        }
        if !good {
            self.reaches.remove(&peer);
        }
    }

    /// Since when an answer of this peer is awaited, if it is.
    pub fn asked_since(&self, peer: ReplicaId) -> Option<Duration> {
        self.asked.filter(|(asked, _)| *asked == peer).map(|(_, since)| since)
    }

    /// An answer of this peer got us on.
    pub fn kept(&mut self, peer: ReplicaId) {
        self.doubts.remove(&peer);
    }

    /// An answer of this peer did not come, or got us nowhere.
    pub fn broken(&mut self, peer: ReplicaId) {
        let doubts = self.doubts.entry(peer).or_default();
        *doubts = doubts.saturating_add(1);
    }

    fn doubts(&self, peer: ReplicaId) -> u32 {
        self.doubts.get(&peer).copied().unwrap_or(0)
    }

    /// Whom to ask for what, if `height` is behind and no answer is awaited, or only one of somebody who is
    /// doubted more.
    ///
    /// A peer one height ahead is no reason while we are `fresh`: its votes are on their way to us. Others
    /// than `members` are asked only if no member is ahead, so that no crowd of strangers who claim to be
    /// keeps us from those who are.
    pub fn next(
        &mut self,
        height: u64,
        fresh: bool,
        members: &[ReplicaId],
        now: Duration,
        rng: &mut ChaCha8Rng,
    ) -> Option<(ReplicaId, Ask)> {
        let late = self.asked.take_if(|(_, since)| now >= *since + TIMEOUT);
        if let Some((peer, _)) = late {
            self.answered(peer, false);
            self.broken(peer);
        }
        let awaited = self.asked.map(|(peer, _)| self.doubts(peer));
        if awaited == Some(0) {
            return None;
        }
        let draw = rng.next_u32() as usize;
        let least = height.saturating_add(if fresh { 2 } else { 1 });
        let ahead = self.reaches.iter().filter(|(_, reach)| **reach >= least).map(|(id, _)| *id);
        let (inside, outside): (Vec<_>, Vec<_>) = ahead.partition(|id| members.contains(id));
        let mut ahead = if inside.is_empty() { outside } else { inside };
        let doubts = ahead.iter().map(|id| self.doubts(*id)).min()?;
        if awaited.is_some_and(|awaited| awaited <= doubts) {
            return None;
        }
        ahead.retain(|id| self.doubts(*id) == doubts);
        let peer = ahead[draw % ahead.len()];
        self.asked = Some((peer, now));
        // Our own last block comes along, so that a rival to it is noticed.
        let from = height.max(1);
        let owed = self.owed.entry(peer).or_default();
        owed.push_back(from);
        if owed.len() > MAX_OWED {
            owed.pop_front();
        }
        Some((peer, Ask::Blocks { from }))
    }
}

/// Committed blocks from height `from` on, ending with a proven one, as far as an answer goes.
pub fn answer(ledger: &Ledger, from: u64) -> Vec<Chained> {
    let mut blocks = Vec::new();
    let mut bytes = 0;
    let mut height = from.max(1);
    while blocks.len() < MAX_BLOCKS && bytes < MAX_ANSWER_BYTES {
        let Some(block) = ledger.committed(height) else { break };
        let proof = ledger.proof(height);
        let len = codec::encoded_len(block.as_ref());
        let len = len + proof.as_ref().map_or(0, |proof| proof.0.len());
        // A proof that shows a leak's table may be as long as a block.
        if bytes > 0 && bytes + len > MAX_ENVELOPE_BYTES - 4096 {
            break;
        }
        bytes += len;
        blocks.push(Chained { proof, block });
        height += 1;
    }
    while blocks.last().is_some_and(|last| last.proof.is_none()) {
        blocks.pop();
    }
    blocks
}

/// Blocks of the adopted branch from height `from` on, committed or not, as far as an answer goes.
pub fn answer_adopted(ledger: &Ledger, from: u64) -> Vec<Chained> {
    let heights = from.max(1)..=ledger.head_height();
    let blocks = page(heights.map_while(|height| ledger.adopted(height)));
    blocks.into_iter().map(|block| Chained { block, proof: None }).collect()
}

/// The block called `hash` and what it stands on, newest first, as far as an answer goes: down to
/// the root from above it, further down from the root. Empty if it is not known.
pub fn answer_branch(ledger: &Ledger, hash: BlockHash) -> Vec<Arc<Block>> {
    let mut next = ledger.block(hash);
    let decided = next.as_ref().is_some_and(|block| block.header.height <= ledger.height());
    page(std::iter::from_fn(|| {
        let block = next.take()?;
        let below = block.header.height.saturating_sub(1);
        if below > 0 && (decided || below > ledger.height()) {
            next = ledger.block(block.header.parent);
        }
        Some(block)
    }))
}

/// As many as fit into one answer.
fn page(blocks: impl Iterator<Item = Arc<Block>>) -> Vec<Arc<Block>> {
    let mut bytes = 0;
    let fits = blocks.take(MAX_BLOCKS).take_while(|block| {
        let before = bytes;
        bytes += codec::encoded_len(block.as_ref());
        before < MAX_ANSWER_BYTES
    });
    fits.collect()
}

/// How many of `blocks`, from the first, follow our root and are proven by the last of them.
/// Blocks at or below our height are only compared with ours.
pub fn check<P: Protocol>(
    ledger: &Ledger,
    blocks: &[Chained],
    keys: &Keys,
) -> Result<std::ops::Range<usize>, SyncFault> {
    let height = ledger.height();
    let committee = ledger.committee(ledger.root()).expect("the root's committee is known");
    let below = blocks.iter().take_while(|chained| chained.block.header.height <= height).count();
    rival::<P>(ledger, blocks, below, keys)?;
    let fresh = &blocks[below..];
    let headers: Vec<Header> = fresh.iter().map(|chained| chained.block.header.clone()).collect();
    let mut parent = ledger.root();
    for (header, expected) in headers.iter().zip(height + 1..) {
        if header.parent != parent || header.height != expected {
            return Err(SyncFault::Unlinked(header.height));
        }
        parent = header.hash();
    }
    let Some(proven) = fresh.iter().position(|chained| chained.proof.is_some()) else {
        return Err(SyncFault::Useless(height));
    };
    let proof = fresh[proven].proof.as_ref().expect("it was just found");
    let trusted = Trusted {
        genesis: ledger.genesis(),
        parent: Some(ledger.root_header()),
        committee: &committee,
        keys,
    };
    P::verify(&headers[..=proven], proof, trusted)?;
    Ok(below..below + proven + 1)
}

/// Whether a proof makes a block final where we committed another: `known` blocks, the first, lie at
/// or below our height, and the proof may be that of a later one.
fn rival<P: Protocol>(
    ledger: &Ledger,
    blocks: &[Chained],
    known: usize,
    keys: &Keys,
) -> Result<(), SyncFault> {
    // Nobody decides the genesis.
    let ours = |header: &Header| match header.height {
        0 => None,
        height => ledger.committed(height).map(|ours| ours.hash()),
    };
    // A block that is ours has only blocks of ours before it.
    let strange = |chained: &&Chained| {
        let header = &chained.block.header;
        ours(header).is_some_and(|ours| ours != header.hash())
    };
    let first = known - blocks[..known].iter().rev().take_while(strange).count();
    let proven = blocks[first..].iter().position(|chained| chained.proof.is_some());
    let Some(last) = proven.map(|at| first + at).filter(|_| first < known) else { return Ok(()) };
    // What comes before the last that we know does not say more than that one does.
    let first = last.min(known - 1);
    let rival = &blocks[first].block.header;
    // Those who decided it may have their stake back, or have lost it: nothing stops them from signing the
    // past again. A conflict is only what somebody answers for.
    if let Some(rules) = ledger.staking()
        && rival.height.saturating_add(rules.evidence_blocks) < ledger.height()
    {
        return Err(SyncFault::OldRival(rival.height));
    }
    let below = ledger.committed(rival.height - 1).expect("what is below our height is committed");
    let Some(committee) = ledger.committee(below.hash()) else { return Ok(()) };
    let (genesis, parent) = (ledger.genesis(), Some(&below.header));
    let trusted = Trusted { genesis, parent, committee: &committee, keys };
    let headers: Vec<Header> =
        blocks[first..=last].iter().map(|chained| chained.block.header.clone()).collect();
    let proof = blocks[last].proof.clone().expect("it was just found");
    if P::verify(&headers, &proof, trusted).is_err() {
        return Ok(());
    }
    Err(SyncFault::Conflict {
        height: rival.height,
        ours: ours(rival).expect("it was compared"),
        theirs: rival.hash(),
        proven: Box::new(Finality { headers, proof }),
    })
}

#[cfg(test)]
mod tests;
