//! `history`: from the genesis to the newest block, and what touched an account on the way.

use super::{
    Session,
    compare::{nobody, note},
};
use crate::{
    error::Error,
    history::Cache,
    interrupt::Wait,
    nodes::{NodeReport, Sightings, Source, View, ask_all, compare, report},
    report::{Exit, Output},
    verify::{NotProven, blocks::verify_blocks},
};
use crypto::Address;
use ledger::Genesis;
use serde_json::json;
use std::{
    cmp::Reverse,
    io::{self, BufWriter, Write},
    time::Duration,
};

/// Reads what is new of the chain and prints what touches the account.
pub(super) fn history(
    session: &mut Session<'_>,
    account: &str,
    limit: Option<u64>,
) -> Result<Exit, Error> {
    let address = session.resolve(account)?;
    let genesis = session.genesis()?;
    let clients = session.clients()?;
    let several = clients.len() > 1;
    let (mut cache, damage) = Cache::open(&session.dir()?, &genesis, address)?;
    if let Some(damage) = damage
        && !session.output.is_json()
    {
        session.output.remark(format_args!(
            "The history kept in {} is read anew from the genesis: {damage}.",
            cache.proof().display()
        ));
    }

    let wait = Wait::until_interrupted().map_err(Error::Signals)?;
    let known = (Source::History(cache.proof().to_owned()), cache.tip());
    let ours = genesis.clone();
    let compared = wait.run(move || {
        let views = ask_all(clients, &ours, |_| Ok(((), None)));
        compare(&ours, &views, Some(known)).map(|sightings| (views, sightings))
    });
    let stopped = |_| Error::Stopped { height: cache.tip().height() };
    let (mut views, mut sightings) = compared.map_err(stopped)??;
    let mut reader = Reader { genesis: &genesis, wait: &wait, sightings: &mut sightings };
    let read = reader.read_all(&mut session.output, &mut cache, &mut views);
    session.output.progress("");
    read?;

    let target = views.iter().filter_map(View::newest).map(|newest| newest.height()).max();
    let complete = target.is_some_and(|target| cache.tip().height() >= target)
        && views.iter().any(|view| view.answer.is_ok());
    if !several && !complete {
        let only = views.remove(0);
        return Err(only.answer.expect_err("reading ends at the target or with an error"));
    }
    let nodes = report(&views, &sightings, |_, ()| None);
    note(session, &nodes);
    if !complete {
        return Err(nobody(views, nodes));
    }
    let page = Page { cache: &cache, address, nodes: several.then_some(&nodes) };
    page.print(&mut session.output, &wait, limit.unwrap_or(u64::MAX))?;
    Ok(Exit::Holds)
}

/// Reads the chain piece by piece.
struct Reader<'a> {
    genesis: &'a Genesis,
    wait: &'a Wait,
    sightings: &'a mut Sightings,
}

impl Reader<'_> {
    /// Reads as far as the nodes prove that it goes. The one that proves most is asked first; from
    /// one that fails or lies the next takes over, and the view keeps what was wrong.
    fn read_all(
        &mut self,
        output: &mut Output,
        cache: &mut Cache,
        views: &mut [View<()>],
    ) -> Result<(), Error> {
        let mut order: Vec<_> = views.iter_mut().filter(|view| view.answer.is_ok()).collect();
        order.sort_by_key(|view| Reverse(view.newest().map(|newest| newest.height())));
        for view in order {
            match self.read(output, cache, view) {
                Err(fault @ (Error::Client(_) | Error::NotProven { .. })) => {
                    view.answer = Err(fault);
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Reads as far as one node proves that it goes, which is bounded even while the chain grows.
    fn read(
        &mut self,
        output: &mut Output,
        cache: &mut Cache,
        view: &View<()>,
    ) -> Result<(), Error> {
        let kept = Source::History(cache.proof().to_owned());
        let not_proven = |reason| match reason {
            NotProven::Fork { known, rival } => {
                let mut both = Sightings::default();
                both.add(kept.clone(), known);
                both.add(Source::of(view), rival);
                both.agree().expect_err("two blocks at one height").into()
            }
            reason => Error::NotProven { node: view.client.node().clone(), reason },
        };
        let Some(target) = view.newest().map(|newest| newest.height()) else {
            return Err(not_proven(NotProven::Missing("certificate")));
        };
        while cache.tip().height() < target {
            let known = cache.tip();
            let height = known.height();
            output.progress(format_args!("Reading block {height} of {target}"));
            let asked = view.client.clone();
            let answer = self.wait.run(move || asked.blocks(height + 1));
            let answer = answer.map_err(|_| Error::Stopped { height })??;
            if answer.blocks.is_empty() {
                return Err(not_proven(NotProven::Withheld { from: height, to: target }));
            }
            let read = verify_blocks(self.genesis, known, &answer).map_err(&not_proven)?;
            for block in read.each() {
                self.sightings.meet(Source::of(view), block)?;
            }
            cache.extend(&read)?;
        }
        Ok(())
    }
}

/// What is printed, one transaction in memory at a time.
struct Page<'a> {
    cache: &'a Cache,
    address: Address,
    /// Of several nodes.
    nodes: Option<&'a Vec<NodeReport>>,
}

impl Page<'_> {
    /// Prints the newest transactions, `limit` of them at most.
    fn print(&self, output: &mut Output, wait: &Wait, limit: u64) -> Result<(), Error> {
        let json = output.is_json();
        let mut paper = BufWriter::new(output.results());
        let skip = self.cache.count().saturating_sub(limit);
        // Whoever closes the pipe has read enough, so only our own failures are failures.
        let mut open = !json || self.head(&mut paper).is_ok();
        let mut separator = "";
        for entry in self.cache.entries(skip)? {
            let entry = entry?;
            if !open {
                return Ok(());
            }
            wait.pause(Duration::ZERO)
                .map_err(|_| Error::Stopped { height: self.cache.tip().height() })?;
            let written = match json {
                true => write!(paper, "{separator}{}", json!(entry)),
                false => writeln!(paper, "{entry}"),
            };
            open = written.is_ok();
            separator = ",";
        }
        let _ = self.foot(&mut paper, json).and_then(|()| paper.flush());
        Ok(())
    }

    /// The JSON is put together by hand, since its list may be too long for the memory.
    fn head(&self, paper: &mut dyn Write) -> io::Result<()> {
        let (tip, count) = (self.cache.tip(), self.cache.count());
        let (height, block) = (tip.height(), tip.hash());
        let head = json!({
            "address": self.address, "height": height, "block": block, "count": count,
        });
        let head = head.to_string();
        let open = head.strip_suffix('}').expect("it is an object");
        write!(paper, "{open},\"transactions\":[")
    }

    fn foot(&self, paper: &mut dyn Write, json: bool) -> io::Result<()> {
        let (height, count) = (self.cache.tip().height(), self.cache.count());
        match (json, self.nodes) {
            (true, None) => writeln!(paper, "]}}"),
            (true, Some(nodes)) => writeln!(paper, "],\"nodes\":{}}}", json!(nodes)),
            (false, _) => {
                let touch = if count == 1 { "transaction touches" } else { "transactions touch" };
                let address = self.address;
                writeln!(paper, "{count} final {touch} {address} up to height {height}.")
            }
        }
    }
}
