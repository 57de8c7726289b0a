//! `history`: from the genesis to the newest block, and what touched an account on the way.

use super::page::Page;
use super::{
    Session,
    compare::{nobody, note},
    depths, light,
};
use crate::{
    client::Client,
    committees::Committees,
    error::Error,
    history::Cache,
    interrupt::Wait,
    nodes::{Sightings, Source, View, ask_all, compare, report},
    report::{Exit, Output},
    verify::{NotProven, blocks::verify_blocks},
};
use ledger::{Amount, Genesis};
use serde_json::json;
use std::{cmp::Reverse, time::Duration};

/// Reads what is new of the chain and prints what touches the account.
pub(super) fn history(
    session: &mut Session<'_>,
    account: &str,
    limit: Option<u64>,
) -> Result<Exit, Error> {
    let address = session.resolve(account)?;
    let genesis = session.genesis()?;
    if let Some(depths) = depths(&genesis)? {
        return light::history(session, &genesis, depths, address, limit);
    }
    let clients = session.clients()?;
    let several = clients.len() > 1;
    let committees = followed(session, &genesis, &clients)?;
    let (mut cache, damage) = Cache::open(&session.dir()?, &committees, address)?;
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
    let ours = committees.clone();
    let compared = wait.run(move || {
        let views = ask_all(clients, &ours, |_, _| Ok(((), None)));
        compare(&views, Some(known)).map(|sightings| (views, sightings))
    });
    let stopped = |_| Error::Stopped { height: cache.tip().height() };
    let (mut views, mut sightings) = compared.map_err(stopped)??;
    session.keep_longest(&views)?;
    let mut reader = Reader { wait: &wait, sightings: &mut sightings };
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
    note(&mut session.output, &nodes);
    if !complete {
        return Err(nobody(views, nodes));
    }
    let count = cache.count();
    let things = if genesis.reward() > Amount::ZERO { "entries" } else { "transactions" };
    let one = if genesis.reward() > Amount::ZERO { "entry" } else { "transaction" };
    let (tip, things) = (cache.tip(), if count == 1 { one } else { things });
    let touch = if count == 1 { "touches" } else { "touch" };
    let page = Page {
        head: json!({
            "address": address, "height": tip.height(), "block": tip.hash(), "count": count,
        }),
        tail: if several { json!({"nodes": nodes}) } else { json!({}) },
        closing: format!("{count} final {things} {touch} {address} up to height {}.", tip.height()),
        unconfirmed: None,
    };
    let entries = cache.entries(count.saturating_sub(limit.unwrap_or(u64::MAX)))?;
    let pause = || wait.pause(Duration::ZERO);
    page.print(&mut session.output, entries, pause, tip.height())?;
    Ok(Exit::Holds)
}

/// The committees, also those that may prove what was read before and are not kept any more. Whoever
/// lies about them is found out when the nodes are compared.
fn followed(
    session: &mut Session<'_>,
    genesis: &Genesis,
    clients: &[Client],
) -> Result<Committees, Error> {
    let mut committees = session.committees(genesis)?;
    let _ = clients.iter().any(|client| committees.follow(client).is_ok());
    Ok(committees)
}

/// Reads the chain piece by piece.
struct Reader<'a> {
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
        view: &mut View<()>,
    ) -> Result<(), Error> {
        let kept = Source::History(cache.proof().to_owned());
        let (shown_by, node) = (Source::of(view), view.client.node().clone());
        let not_proven = |reason| match reason {
            NotProven::Fork { known, rival } => {
                let mut both = Sightings::default();
                both.add(kept.clone(), known);
                both.add(shown_by.clone(), rival);
                both.agree().expect_err("two blocks at one height").into()
            }
            reason => Error::NotProven { node: node.clone(), reason },
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
            let read = match verify_blocks(&view.committees, known, &answer) {
                // The chain has gone on since the committees were followed.
                Err(NotProven::OtherCommittee { .. })
                    if view.committees.follow(&view.client)? =>
                {
                    verify_blocks(&view.committees, known, &answer)
                }
                read => read,
            };
            let read = read.map_err(&not_proven)?;
            for block in read.each() {
                self.sightings.meet(Source::of(view), block)?;
            }
            cache.extend(&read)?;
        }
        Ok(())
    }
}
