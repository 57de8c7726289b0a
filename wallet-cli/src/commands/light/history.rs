//! `history`: what touched an account on the heaviest chain.
//!
//! The wallet's own headers say which blocks there are, so that none can be left out; nodes only
//! bring the bodies. What was kept of a branch that was undone is dropped first.

use super::{Light, ask::RETRIES, listen, tell};
use crate::{
    client::Client,
    commands::{Session, page::Page},
    error::Error,
    headers::{BadHeaders, Spot},
    history::{BranchCache, Kept},
    report::{Exit, Output},
    verify::{NotProven, inclusion::verify_body},
};
use consensus::catalogue::Depths;
use crypto::Address;
use ledger::{Amount, Block, Genesis};
use serde_json::json;
use std::time::Duration;

/// How many blocks are kept at once where they come one by one.
const BATCH: usize = 64;

/// Reads what is new of the chain and prints what touches the account.
pub(in crate::commands) fn history(
    session: &mut Session<'_>,
    genesis: &Genesis,
    depths: Depths,
    address: Address,
    limit: Option<u64>,
) -> Result<Exit, Error> {
    let dir = session.dir()?;
    let mut light = Light::open(session, genesis, depths, listen()?)?;
    let output = &mut session.output;
    let reverted = light.look_back(output)?;
    let (mut cache, kept) = BranchCache::open(&dir, &light.chain, address)?;
    match kept {
        Kept::Whole => {}
        Kept::Cut { from, to } => tell(
            output,
            format_args!(
                "The chain has other blocks than were read before: what was read from height {from} \
             down to {to} is dropped."
            ),
        ),
        Kept::Damaged(damage) => tell(
            output,
            format_args!(
                "The history kept in {} is read anew from the genesis: {damage}.",
                cache.checkpoint().display()
            ),
        ),
    }
    let complete = light.read(&mut cache, output)?;
    let nodes = light.report();
    if !complete {
        return light.finish::<String>(output, reverted, Ok(None));
    }
    crate::commands::compare::note(output, &nodes);

    let (tip, count) = (cache.tip(), cache.count());
    let confirmed = light.chain.confirmed_height().min(tip.height);
    let things = match (genesis.reward() > Amount::ZERO, count) {
        (true, 1) => "entry touches",
        (true, _) => "entries touch",
        (false, 1) => "transaction touches",
        (false, _) => "transactions touch",
    };
    let page = Page {
        head: json!({
            "address": address, "height": tip.height, "block": tip.hash, "count": count,
            "confirmed_height": confirmed,
        }),
        tail: json!({"reverted": reverted, "nodes": nodes}),
        closing: format!(
            "{count} {things} {address} up to height {}; up to {confirmed} they are confirmed.",
            tip.height
        ),
        unconfirmed: Some(confirmed),
    };
    let entries = cache.entries(count.saturating_sub(limit.unwrap_or(u64::MAX)))?;
    let wait = light.wait.clone();
    let pause = || wait.as_ref().map_or(Ok(()), |wait| wait.pause(Duration::ZERO));
    page.print(output, entries, pause, tip.height)?;
    Ok(Exit::Holds)
}

impl Light {
    /// Reads bodies as far as nodes have them, from the one that knows most of the heaviest chain
    /// first; from one that fails or lies the next takes over. False if none could be read to where
    /// it says that it has them.
    fn read(&mut self, cache: &mut BranchCache, output: &mut Output) -> Result<bool, Error> {
        let mut complete = false;
        for index in self.order() {
            let read = self.read_steadily(index, cache, output);
            output.progress("");
            match read {
                Ok(()) => complete = true,
                Err(fault @ (Error::Client(_) | Error::NotProven { .. })) => {
                    self.nodes[index].stand = Err(fault);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(complete)
    }

    /// A node that leaves a branch while it is read forgets its bodies. So what does not fit is
    /// asked for again, a few times, after following the node anew.
    fn read_steadily(
        &mut self,
        index: usize,
        cache: &mut BranchCache,
        output: &mut Output,
    ) -> Result<(), Error> {
        for tries in 0.. {
            match self.read_from(index, cache, output) {
                Err(Error::NotProven { .. }) if tries < RETRIES => {
                    self.refresh(index, output)?;
                    cache.rewind(&self.chain);
                }
                done => return done,
            }
        }
        unreachable!("tries are counted")
    }

    fn read_from(
        &self,
        index: usize,
        cache: &mut BranchCache,
        output: &mut Output,
    ) -> Result<(), Error> {
        let target = self.stand(index).map_or(0, |stand| stand.shared);
        // Committed blocks come in rows. What lies above is asked for by name.
        let mut in_rows = true;
        while cache.tip().height < target {
            let from = cache.tip().height + 1;
            output.progress(format_args!("Reading block {from} of {target}"));
            let mut blocks = Vec::new();
            if in_rows {
                blocks = self.row(index, from, target)?;
                in_rows = !blocks.is_empty();
            }
            let row = (from..=target).take(if in_rows { 0 } else { BATCH });
            for height in row {
                let spot = self.chain.spot(height).expect("it is shared");
                blocks.push(self.body(index, spot)?);
            }
            cache.extend(&blocks)?;
        }
        Ok(())
    }

    /// Blocks of our chain from a height on, as many as the node shows in a row.
    fn row(&self, index: usize, from: u64, target: u64) -> Result<Vec<Block>, Error> {
        let answer = self.ask(index, move |client: &Client| client.blocks(from))?;
        let mut blocks = answer.blocks;
        let ours = |(block, height): &(&Block, u64)| {
            *height <= target && self.chain.spot(*height) == Some(Spot::of(&block.header))
        };
        let count = blocks.iter().zip(from..).take_while(ours).count();
        if count == 0 && !blocks.is_empty() {
            return Err(self.blame(index, NotProven::Headers(BadHeaders::Changed(from))));
        }
        blocks.truncate(count);
        for block in &blocks {
            verify_body(Spot::of(&block.header), block)
                .map_err(|reason| self.blame(index, reason))?;
        }
        Ok(blocks)
    }
}
