//! The wallet's own chain of headers, for chains on which nothing is ever final.
//!
//! Where blocks are found by work, no certificate says that one stays. What can be checked is how
//! much work stands upon it: simplified payment verification (Satoshi Nakamoto, "Bitcoin: A
//! Peer-to-Peer Electronic Cash System", 2008, §8). The wallet trusts the genesis and nobody else:
//!
//! 1. Every header from the genesis on is checked with [`catalogue::weigh`]: its parent, its target,
//!    its work, its time.
//! 2. The chain with the most work counts, whoever shows it ([`follow`]). Among equals the one seen
//!    first stays. Most work, not most blocks: cheap blocks are many and weigh little.
//! 3. A Merkle path to a header of this chain shows that a transaction is in its block, a state
//!    proof under it shows a balance ([`crate::verify::inclusion`]).
//! 4. What has [`Depths::confirmations`] headers, its own counted, is confirmed. It is not certain.
//!
//! What headers cannot show is that the blocks under them are valid: only nodes execute them, and a
//! wallet relies on the majority of the work not being wasted on blocks that nodes refuse. Nor can
//! they show that nobody has a heavier chain: [`crate::commands`] asks several nodes against that.
//!
//! Headers that were checked are kept in the wallet's directory ([`cache`]), and checked again when
//! they are read.

pub mod cache;
pub mod follow;
#[cfg(test)]
mod tests;

use consensus::{
    catalogue::{self, Depths, NotFinal},
    work::Work,
};
use ledger::{BlockHash, Genesis, Header, chain::genesis_header};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, slice, time::Duration};
use thiserror::Error;

/// The longest chain that is followed, in headers: about 150 MB in memory and 500 MB on disk.
pub const MAX_HEADERS: u64 = 1 << 21;

/// The longest branch beside ours that is read before it outweighs ours, in headers. They are held
/// in memory until it is known whether they matter.
pub const MAX_BRANCH: usize = 1 << 17;

/// How many of the newest headers are kept whole. Of those below only hash and work are.
const RECENT: usize = 1024;

/// Height and hash of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spot {
    /// How many blocks precede it.
    pub height: u64,
    /// Its name.
    #[serde(rename = "block")]
    pub hash: BlockHash,
}

impl Spot {
    /// Where a header stands.
    pub fn of(header: &Header) -> Spot {
        Spot { height: header.height, hash: header.hash() }
    }
}

/// The heaviest chain that the wallet has seen.
#[derive(Clone, Debug)]
pub struct HeaderChain {
    genesis: Genesis,
    depths: Depths,
    /// By height, the genesis first.
    known: Vec<Known>,
    /// The newest headers in a row up to the tip: what comes next is weighed against them.
    recent: VecDeque<Header>,
    /// What the file has not got yet, in a row up to the tip.
    unsaved: Vec<Header>,
}

/// What is kept of every header.
#[derive(Clone, Copy, Debug)]
struct Known {
    hash: BlockHash,
    /// From the genesis to here.
    work: Work,
}

impl HeaderChain {
    /// The chain as the genesis leaves it.
    ///
    /// # Panics
    ///
    /// If [`Genesis::check`] fails.
    pub fn new(genesis: &Genesis, depths: Depths) -> HeaderChain {
        let first = genesis_header(genesis);
        HeaderChain {
            genesis: genesis.clone(),
            depths,
            known: vec![Known { hash: first.hash(), work: Work::ZERO }],
            recent: VecDeque::from([first]),
            unsaved: Vec::new(),
        }
    }

    /// Where it begins.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// How deep a block must lie to be counted on.
    pub fn depths(&self) -> Depths {
        self.depths
    }

    /// The height of the newest header.
    pub fn height(&self) -> u64 {
        self.known.len() as u64 - 1
    }

    /// The newest header.
    pub fn tip(&self) -> Spot {
        self.spot(self.height()).expect("there is a genesis")
    }

    /// The block at a height.
    pub fn spot(&self, height: u64) -> Option<Spot> {
        let known = self.known.get(usize::try_from(height).ok()?)?;
        Some(Spot { height, hash: known.hash })
    }

    /// Whether a block is on this chain.
    pub fn contains(&self, spot: Spot) -> bool {
        self.spot(spot.height) == Some(spot)
    }

    /// All the work in it.
    pub fn work(&self) -> Work {
        self.work_to(self.height())
    }

    /// The work from the genesis to the block at a height, or to the newest if it is lower.
    pub fn work_to(&self, height: u64) -> Work {
        let index = usize::try_from(height.min(self.height())).expect("it is a place in memory");
        self.known[index].work
    }

    /// The work in the block at a height and in all upon it: what it takes to undo it.
    pub fn work_upon(&self, height: u64) -> Work {
        match height.checked_sub(1) {
            Some(below) => self.work().less(self.work_to(below)),
            None => self.work(),
        }
    }

    /// How many blocks the one at a height lies deep, itself counted; none above the newest.
    pub fn confirmations(&self, height: u64) -> u64 {
        (self.height() + 1).saturating_sub(height)
    }

    /// Whether the block at a height may be counted on.
    pub fn confirms(&self, height: u64) -> bool {
        self.confirmations(height) >= self.depths.confirmations
    }

    /// The height of the newest block that may be counted on. The genesis always may.
    pub fn confirmed_height(&self) -> u64 {
        (self.height() + 1).saturating_sub(self.depths.confirmations)
    }

    /// The header at a height, if it is one of the newest.
    pub fn header(&self, height: u64) -> Option<&Header> {
        let lowest = self.recent.front()?.height;
        self.recent.get(usize::try_from(height.checked_sub(lowest)?).ok()?)
    }

    /// The headers up to a height that decide over the next one, oldest first, if they are among
    /// the newest.
    fn before(&self, height: u64) -> Option<Vec<Header>> {
        (self.lowest_before(height)..=height).map(|each| self.header(each).cloned()).collect()
    }

    /// The height of the oldest header that decides over the one after `height`.
    fn lowest_before(&self, height: u64) -> u64 {
        (height + 1).saturating_sub(self.genesis.median_blocks() as u64)
    }

    /// Takes in the headers that follow the tip, all of them or none. None may be from after
    /// `latest`, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`BadHeaders`] names the first rule that does not hold.
    pub fn extend(&mut self, headers: &[Header], latest: u64) -> Result<(), BadHeaders> {
        let mut before = self.before(self.height()).expect("the newest are kept");
        let known = weigh(&self.genesis, &mut before, self.work(), headers, latest)?;
        self.known.extend(known);
        headers.iter().for_each(|header| self.remember(header));
        self.unsaved.extend_from_slice(headers);
        Ok(())
    }

    /// Leaves our blocks above the fork for a heavier branch.
    ///
    /// # Panics
    ///
    /// If it is not heavier.
    pub fn switch(&mut self, branch: Branch) {
        assert!(branch.work() > self.work(), "only a heavier branch takes over");
        let Branch { fork, base, headers, known, .. } = branch;
        let saved = self.known.len() - self.unsaved.len();
        let kept = usize::try_from(fork).expect("it is a place in memory") + 1;
        self.unsaved.truncate(kept.saturating_sub(saved));
        self.known.truncate(kept);
        self.known.extend(known);
        while self.recent.back().is_some_and(|header| header.height > fork) {
            self.recent.pop_back();
        }
        if self.recent.len() < base.len() {
            self.recent = base.into();
        }
        headers.iter().for_each(|header| self.remember(header));
        self.unsaved.extend(headers);
    }

    fn remember(&mut self, header: &Header) {
        self.recent.push_back(header.clone());
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }
}

/// A branch beside the chain, which weighs less than it, or as much, as far as it is known.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The height of the last block that both share.
    fork: u64,
    /// The headers up to the fork that decide over the next one.
    base: Vec<Header>,
    /// The same for the tip.
    before: Vec<Header>,
    headers: Vec<Header>,
    known: Vec<Known>,
    /// Up to the fork.
    shared: Known,
}

impl Branch {
    /// Begins above a block of the chain. `base` are that block and those before it which decide
    /// over the next one, oldest first.
    fn new(chain: &HeaderChain, base: Vec<Header>) -> Branch {
        let fork = base.last().expect("the fork itself").height;
        let shared = chain.known[usize::try_from(fork).expect("it is a place in memory")];
        let before = base.clone();
        Branch { fork, base, before, headers: Vec::new(), known: Vec::new(), shared }
    }

    /// Takes in the headers that follow.
    fn extend(
        &mut self,
        genesis: &Genesis,
        headers: &[Header],
        latest: u64,
    ) -> Result<(), BadHeaders> {
        if self.headers.len() + headers.len() > MAX_BRANCH {
            return Err(BadHeaders::LongBranch { fork: self.fork });
        }
        let work = self.work();
        let known = weigh(genesis, &mut self.before, work, headers, latest)?;
        self.known.extend(known);
        self.headers.extend_from_slice(headers);
        Ok(())
    }

    /// Its newest block.
    fn tip(&self) -> Spot {
        let last = self.known.last().unwrap_or(&self.shared);
        Spot { height: self.fork + self.known.len() as u64, hash: last.hash }
    }

    /// From the genesis to its tip.
    fn work(&self) -> Work {
        self.known.last().unwrap_or(&self.shared).work
    }
}

/// Checks headers one by one, and adds up the work in them. `before` moves along.
fn weigh(
    genesis: &Genesis,
    before: &mut Vec<Header>,
    mut work: Work,
    headers: &[Header],
    latest: u64,
) -> Result<Vec<Known>, BadHeaders> {
    let mut known = Vec::with_capacity(headers.len());
    for header in headers {
        let height = header.height;
        if height > MAX_HEADERS {
            return Err(BadHeaders::LongChain);
        }
        work = work.plus(catalogue::weigh(genesis, before, slice::from_ref(header))?);
        if header.time > latest {
            return Err(BadHeaders::Early {
                height,
                by: Duration::from_millis(header.time - latest),
            });
        }
        known.push(Known { hash: header.hash(), work });
        before.push(header.clone());
        if before.len() > genesis.median_blocks() {
            before.remove(0);
        }
    }
    Ok(known)
}

/// Why headers are not believed. That a node shows such ones says nothing about the chain, only
/// about the node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadHeaders {
    /// One breaks a rule of the chain.
    #[error("its headers do not hold: {0}")]
    Rule(#[from] NotFinal),
    /// One comes from the future.
    #[error(
        "the time of header {height} lies {by:?} beyond what this machine's clock allows; is the clock right?"
    )]
    Early {
        /// The header's.
        height: u64,
        /// How far.
        by: Duration,
    },
    /// They do not begin where they were asked for, or have gaps.
    #[error("it was asked for the headers from height {0} on, and shows others")]
    Others(u64),
    /// One answer holds too many.
    #[error("it shows {0} headers at once, and at most {max} are allowed", max = follow::MAX_PAGE)]
    LongPage(usize),
    /// They say that more follows, and do not show it.
    #[error("it says that its chain reaches height {claimed}, and shows nothing after {shown}")]
    Withheld {
        /// The last one shown.
        shown: u64,
        /// What it says.
        claimed: u64,
    },
    /// They begin with another genesis.
    #[error(
        "its first block stands on {found}, and the genesis in use makes it stand on {genesis}; is it the genesis of this network, and are node and wallet of one version?"
    )]
    OtherGenesis {
        /// What our genesis is called as a block.
        genesis: BlockHash,
        /// What the block at height 1 names.
        found: BlockHash,
    },
    /// They change with every question.
    #[error("it changed its chain {0} times while it was read; try again")]
    Restless(usize),
    /// A header is no more the one that was checked.
    #[error("it does not show the header at height {0} that it has shown before; try again")]
    Changed(u64),
    /// More than we hold.
    #[error("its chain is longer than {MAX_HEADERS} headers, which is more than a wallet follows")]
    LongChain,
    /// A branch that is too long to be read without knowing whether it matters.
    #[error(
        "its branch from height {fork} on is longer than {MAX_BRANCH} headers and not heavier than the chain that is known; delete headers/ in the wallet's directory to begin anew with this node"
    )]
    LongBranch {
        /// The last height that both share.
        fork: u64,
    },
}
