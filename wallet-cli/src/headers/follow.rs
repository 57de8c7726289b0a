//! Following a node: where its chain parts from ours, and which of the two is heavier.
//!
//! A node is asked for pages of headers, ours at the tip first. While a page does not link to our
//! chain we step back, each time twice as far, so that a fork is found in a few questions however
//! deep it lies. From there on its headers are weighed: what extends our chain is taken in page by
//! page, and a branch is held beside it until it outweighs ours, or ends and does not.
//!
//! A node says how far its chain goes, and is read so far and no further, even while it grows.

use super::{BadHeaders, Branch, HeaderChain, Spot};
use crate::error::Error;
use consensus::work::Work;
use ledger::{Header, query::HeadersAnswer};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// How many headers one answer may hold.
pub const MAX_PAGE: usize = 512;

/// How often a node may change its chain while it is read.
const MAX_CHANGES: usize = 8;

/// Somebody to follow, and somebody who watches.
pub trait Guide {
    /// The node's headers from a height on.
    ///
    /// # Errors
    ///
    /// If it gives no answer.
    fn headers(&mut self, from: u64) -> Result<HeadersAnswer, Error>;

    /// A page was checked up to `height`, of `target`. Unless it belongs to a branch that may not
    /// matter, `chain` has taken it in.
    fn checked(&mut self, chain: &mut HeaderChain, height: u64, target: u64);
}

/// Where a node stands beside our chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stand {
    /// Its newest block, as far as it was read.
    pub tip: Spot,
    /// From the genesis to there.
    pub work: Work,
    /// The height of the newest block that it shares with our chain.
    pub shared: u64,
}

/// What came of following a node.
#[derive(Debug)]
pub struct Followed {
    /// Where the node stands, or why that is not known. What was taken in holds all the same.
    pub stand: Result<Stand, FollowError>,
    /// Where our chain was left for a heavier branch: the height of the last block that stayed.
    pub fork: Option<u64>,
}

/// Why a node cannot be followed.
#[derive(Debug, Error)]
pub enum FollowError {
    /// Its headers are not to be believed.
    #[error(transparent)]
    Bad(#[from] BadHeaders),
    /// It gives no answer.
    #[error(transparent)]
    Ask(Box<Error>),
}

impl From<Error> for FollowError {
    fn from(error: Error) -> FollowError {
        FollowError::Ask(Box::new(error))
    }
}

/// Brings the chain up to what a node shows, if that is heavier. No header may be from after
/// `latest`, in milliseconds since 1970.
pub fn follow(chain: &mut HeaderChain, guide: &mut impl Guide, latest: u64) -> Followed {
    let mut walk = Walk { chain, guide, latest, fork: None };
    let mut stand = Ok(None);
    for _ in 0..MAX_CHANGES {
        stand = walk.once();
        if !matches!(stand, Ok(None)) {
            break;
        }
    }
    let restless = FollowError::Bad(BadHeaders::Restless(MAX_CHANGES));
    Followed { stand: stand.and_then(|stand| stand.ok_or(restless)), fork: walk.fork }
}

struct Walk<'a, G> {
    chain: &'a mut HeaderChain,
    guide: &'a mut G,
    latest: u64,
    /// The lowest one so far.
    fork: Option<u64>,
}

/// What follows a header that a node has shown.
enum Next {
    More(Vec<Header>),
    /// It was read as far as it said.
    End,
    /// The node has another chain now.
    Changed,
}

impl<G: Guide> Walk<'_, G> {
    /// None if the node changed its chain meanwhile.
    fn once(&mut self) -> Result<Option<Stand>, FollowError> {
        let Some(page) = self.meet()? else { return Ok(Some(self.on_ours(0))) };
        let (mut headers, target) = (page.headers, page.head_height);
        let mut shared = headers.first().map_or(0, |first| first.height - 1);
        loop {
            let ours = |header: &&Header| self.chain.contains(Spot::of(header));
            let common = headers.iter().take_while(ours).count();
            shared += common as u64;
            headers.drain(..common);
            if !headers.is_empty() {
                return self.climb(shared, headers, target);
            }
            let last = self.chain.spot(shared).expect("it is ours");
            match self.next(last, target)? {
                Next::More(more) => headers = more,
                Next::End => return Ok(Some(self.on_ours(shared))),
                Next::Changed => return Ok(None),
            }
        }
    }

    /// The first page found that stands on our chain; none if the node has the genesis only.
    fn meet(&mut self) -> Result<Option<HeadersAnswer>, FollowError> {
        let mut from = self.chain.height().max(1);
        let mut stride = 1;
        loop {
            let page = self.page(from)?;
            let mut limit = u64::MAX;
            match page.headers.first() {
                Some(first)
                    if self.chain.spot(from - 1).map(|below| below.hash) == Some(first.parent) =>
                {
                    return Ok(Some(page));
                }
                Some(first) if from == 1 => {
                    let genesis = self.chain.spot(0).expect("there is a genesis").hash;
                    return Err(BadHeaders::OtherGenesis { genesis, found: first.parent }.into());
                }
                Some(_) => {}
                None if page.head_height >= from => {
                    let claimed = page.head_height;
                    return Err(BadHeaders::Withheld { shown: from - 1, claimed }.into());
                }
                None if page.head_height == 0 => return Ok(None),
                None => limit = page.head_height,
            }
            from = from.saturating_sub(stride).clamp(1, limit);
            stride = stride.saturating_mul(2);
        }
    }

    /// Weighs what follows the shared block.
    fn climb(
        &mut self,
        shared: u64,
        mut headers: Vec<Header>,
        target: u64,
    ) -> Result<Option<Stand>, FollowError> {
        let mut beside = None;
        if shared < self.chain.height() {
            let Some(base) = self.base(shared)? else { return Ok(None) };
            beside = Some(Branch::new(self.chain, base));
        }
        loop {
            match &mut beside {
                None => self.chain.extend(&headers, self.latest)?,
                Some(branch) => branch.extend(self.chain.genesis(), &headers, self.latest)?,
            }
            if let Some(branch) = beside.take_if(|branch| branch.work() > self.chain.work()) {
                self.chain.switch(branch);
                self.fork = Some(self.fork.map_or(shared, |before| before.min(shared)));
            }
            let tip = beside.as_ref().map_or(self.chain.tip(), Branch::tip);
            self.guide.checked(self.chain, tip.height, target);
            match self.next(tip, target)? {
                Next::More(more) => headers = more,
                Next::Changed => return Ok(None),
                Next::End => {
                    return Ok(Some(match beside {
                        None => self.on_ours(tip.height),
                        Some(branch) => Stand { tip, work: branch.work(), shared },
                    }));
                }
            }
        }
    }

    /// The headers up to a block of ours that decide over the next one. If they lie too far below
    /// to be kept whole, the node shows them again; none if it does not.
    fn base(&mut self, height: u64) -> Result<Option<Vec<Header>>, FollowError> {
        if let Some(base) = self.chain.before(height) {
            return Ok(Some(base));
        }
        let lowest = self.chain.lowest_before(height);
        let mut headers = self.page(lowest)?.headers;
        let count = usize::try_from(height - lowest).expect("a few") + 1;
        headers.truncate(count);
        let ours = headers.iter().all(|header| self.chain.contains(Spot::of(header)));
        Ok((ours && headers.len() == count).then_some(headers))
    }

    fn next(&mut self, tip: Spot, target: u64) -> Result<Next, FollowError> {
        if tip.height >= target {
            return Ok(Next::End);
        }
        let page = self.page(tip.height + 1)?;
        match page.headers.first() {
            Some(first) if first.parent == tip.hash => Ok(Next::More(page.headers)),
            None if page.head_height > tip.height => {
                let claimed = page.head_height;
                Err(BadHeaders::Withheld { shown: tip.height, claimed }.into())
            }
            _ => Ok(Next::Changed),
        }
    }

    fn page(&mut self, from: u64) -> Result<HeadersAnswer, FollowError> {
        let page = self.guide.headers(from)?;
        if page.headers.len() > MAX_PAGE {
            return Err(BadHeaders::LongPage(page.headers.len()).into());
        }
        match page.headers.iter().zip(from..).all(|(header, height)| header.height == height) {
            true => Ok(page),
            false => Err(BadHeaders::Others(from).into()),
        }
    }

    /// A node whose newest block is one of ours.
    fn on_ours(&self, height: u64) -> Stand {
        let tip = self.chain.spot(height).expect("it is ours");
        Stand { tip, work: self.chain.work_to(height), shared: height }
    }
}
