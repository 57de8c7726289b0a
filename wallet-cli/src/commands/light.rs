//! The commands on chains where nothing is final: the wallet as a light client.
//!
//! A [`Light`] has the wallet's own chain of headers ([`crate::headers`]), brings it up to the
//! heaviest one that the nodes show, and proves under it what they say. Every command begins like
//! this, and then looks whether a payment that the wallet has called confirmed was undone meanwhile.

mod ask;
mod chain;
mod history;
mod reports;
mod send;

pub(super) use chain::{balance, status, verify};
pub(super) use history::history;
pub(super) use send::{Order, send};

use super::{Session, compare::note};
use crate::{
    client::{Attempts, Client, ClientError},
    error::Error,
    headers::{
        HeaderChain, Spot,
        cache::HeaderFile,
        follow::{FollowError, Followed, Guide, Stand, follow},
    },
    interrupt::Wait,
    nodes::{NodeReport, failures, same_chain},
    payments::{Payment, Payments, Reverted, Standing},
    report::{Exit, Output},
    verify::NotProven,
};
use ask::ask;
use consensus::{catalogue::Depths, work::Work};
use ledger::{
    Genesis, TransactionId,
    query::{HeadersAnswer, StatusAnswer},
};
use reports::Weighed;
use serde::Serialize;
use std::{
    fmt::Display,
    mem,
    rc::Rc,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Nodes let a block's time be ahead of their clocks, by twelve block times unless the genesis says
/// otherwise. The wallet allows that, and two hours at least, for clocks that differ.
const LEAST_SKEW: u64 = 2 * 60 * 60 * 1000;
const SKEW_BLOCKS: u64 = 12;

/// Whoever has so many kept headers to check again sees how far that is.
const MANY: u64 = 20_000;

/// What a command knows of a chain, and whom it asks.
pub(super) struct Light {
    chain: HeaderChain,
    /// None where headers cannot be kept.
    file: Option<HeaderFile>,
    /// None where payments cannot be remembered.
    payments: Option<Payments>,
    nodes: Vec<Node>,
    /// None while Ctrl-C ends the process, as when a person is asked for a passphrase.
    wait: Option<Rc<Wait>>,
}

/// A node, or a list of nodes of which one answers.
struct Node {
    client: Client,
    /// The height of its newest committed block; below there it has no state.
    committed: u64,
    stand: Result<Stand, Error>,
    /// What in its words contradicts what is proven.
    objection: Option<&'static str>,
}

impl Light {
    /// Takes up what the wallet's directory keeps, asks all nodes for their chain, and follows the
    /// heaviest.
    fn open(
        session: &mut Session<'_>,
        genesis: &Genesis,
        depths: Depths,
        wait: Option<Rc<Wait>>,
    ) -> Result<Light, Error> {
        let clients = session.clients()?;
        let dir = session.dir()?;
        let output = &mut session.output;
        let mut chain = HeaderChain::new(genesis, depths);
        let file = load(&mut chain, HeaderFile::new(&dir, genesis), output);
        let payments = match Payments::load(&dir, genesis.chain_id()) {
            Ok((payments, damage)) => {
                if let Some(damage) = damage {
                    let path = payments.path().display();
                    tell(
                        output,
                        format_args!(
                            "note: what the wallet has called confirmed cannot be read from {path}, and \
                         begins anew: {damage}"
                        ),
                    );
                }
                Some(payments)
            }
            Err(error) => {
                tell(output, format_args!("note: payments cannot be remembered: {error}"));
                None
            }
        };
        let nobody = |client| {
            let stand = Ok(nowhere(&chain));
            Node { client, committed: 0, stand, objection: None }
        };
        let nodes = clients.into_iter().map(nobody).collect();
        let mut light = Light { chain, file, payments, nodes, wait };
        light.greet()?;
        light.follow(output, false)?;
        Ok(light)
    }

    /// Asks every node, all at once, whether it is on our chain.
    fn greet(&mut self) -> Result<(), Error> {
        let clients: Vec<_> = self.nodes.iter().map(|node| node.client.clone()).collect();
        let genesis = self.chain.genesis().clone();
        let work = move || -> Vec<Result<StatusAnswer, Error>> {
            thread::scope(|scope| {
                let genesis = &genesis;
                let ask = |client| scope.spawn(move || same_chain(client, genesis));
                let asked: Vec<_> = clients.iter().map(ask).collect();
                asked.into_iter().map(|each| each.join().expect("asking does not panic")).collect()
            })
        };
        let answers = match &self.wait {
            None => work(),
            Some(wait) => wait.run(work).map_err(Error::Ended)?,
        };
        for (node, answer) in self.nodes.iter_mut().zip(answers) {
            match answer {
                Ok(status) => node.committed = status.height,
                Err(error) => node.stand = Err(error),
            }
        }
        Ok(())
    }

    /// Brings the chain up to the heaviest that the nodes show. Nodes that did not answer before are
    /// asked `again` or not; who lied is not. Returns the height of the last block that stayed if
    /// our chain was left for a heavier one.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] only. What is wrong with a node is kept with it.
    fn follow(&mut self, output: &mut Output, again: bool) -> Result<Option<u64>, Error> {
        let mut forks = Vec::new();
        for index in 0..self.nodes.len() {
            let asked = match &self.nodes[index].stand {
                Ok(_) => true,
                Err(Error::Client(_)) => again,
                Err(_) => false,
            };
            if asked {
                forks.extend(self.follow_one(index, output)?);
            }
        }
        if !forks.is_empty() {
            // Where those who are on other branches part from this chain is not known any more.
            for index in 0..self.nodes.len() {
                if self.stand(index).is_some_and(|stand| !self.chain.contains(stand.tip)) {
                    forks.extend(self.follow_one(index, output)?);
                }
            }
        }
        Ok(forks.into_iter().min())
    }

    /// As [`Light::follow`], for one node.
    fn follow_one(&mut self, index: usize, output: &mut Output) -> Result<Option<u64>, Error> {
        let Light { chain, file, nodes, wait, .. } = self;
        let client = &nodes[index].client;
        let mut line = Line { client, wait: wait.as_deref(), file, output, shown: false };
        let latest = now().saturating_add(skew(chain.genesis()));
        let Followed { stand, fork } = follow(chain, &mut line, latest);
        if line.shown {
            output.progress("");
        }
        let node = nodes[index].client.node().clone();
        nodes[index].stand = match stand {
            Ok(stand) => Ok(stand),
            Err(FollowError::Ask(error)) => match *error {
                ended @ Error::Ended(_) => return Err(ended),
                error => Err(error),
            },
            Err(FollowError::Bad(bad)) => {
                Err(Error::NotProven { node, reason: NotProven::Headers(bad) })
            }
        };
        for stand in nodes.iter_mut().filter_map(|node| node.stand.as_mut().ok()) {
            if chain.contains(stand.tip) {
                stand.shared = stand.tip.height;
            } else if let Some(fork) = fork {
                stand.shared = stand.shared.min(fork);
            }
        }
        Ok(fork)
    }

    fn stand(&self, index: usize) -> Option<Stand> {
        self.nodes[index].stand.as_ref().ok().copied()
    }

    /// Who may be believed, those first that know most of the heaviest chain.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<_> =
            (0..self.nodes.len()).filter(|index| self.stand(*index).is_some()).collect();
        order.sort_by_key(|index| self.stand(*index).map(|stand| u64::MAX - stand.shared));
        order
    }

    /// Tells which payments were reverted since the wallet called them confirmed, and what became
    /// of each. One that is confirmed again is remembered so.
    fn look_back(&mut self, output: &mut Output) -> Result<Vec<Reverted>, Error> {
        let Some(payments) = &self.payments else { return Ok(Vec::new()) };
        let (mut gone, mut reverted, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for payment in payments.each() {
            match payment.standing(&self.chain) {
                Standing::Stands => {}
                Standing::Reverted => gone.push(*payment),
                Standing::Unseen => tell(
                    output,
                    format_args!(
                        "note: payment {} was confirmed at height {} on a chain with more work than the \
                     nodes that were asked show now; whether it stands cannot be told",
                        payment.tx, payment.height
                    ),
                ),
            }
        }
        for payment in gone {
            let found = self.locate(payment.tx, output)?;
            let spot = found.as_ref().and_then(|found| found.spot());
            let told = Reverted {
                tx: payment.tx,
                height: payment.height,
                block: payment.block,
                confirmed_at: payment.confirmed_at,
                status: found.map(|found| found.status(&self.chain)),
                now_height: spot.map(|spot| spot.height),
                confirmations: spot.map_or(0, |spot| self.chain.confirmations(spot.height)),
            };
            if let Some(spot) = spot.filter(|spot| self.chain.confirms(spot.height)) {
                again.push(Payment::of(payment.tx, spot, &self.chain, now()));
            }
            tell(output, &told);
            reverted.push(told);
        }
        self.remember(&again, output);
        // What was said of these payments is no objection to what is asked next.
        self.nodes.iter_mut().for_each(|node| node.objection = None);
        Ok(reverted)
    }

    /// Remembers that a transaction was called confirmed in this block.
    fn remember_confirmed(&mut self, tx: TransactionId, spot: Spot, output: &mut Output) {
        self.remember(&[Payment::of(tx, spot, &self.chain, now())], output);
    }

    fn remember(&mut self, payments: &[Payment], output: &mut Output) {
        let Some(book) = &mut self.payments else { return };
        if let Err(error) = book.remember(payments) {
            let path = book.path().display();
            tell(output, format_args!("note: payments cannot be remembered in {path}: {error}"));
        }
    }

    /// How each node stands to the heaviest chain.
    fn report(&self) -> Vec<NodeReport> {
        let one = |node: &Node| {
            let mut report = NodeReport {
                url: node.client.node().clone(),
                height: None,
                agrees: Some(false),
                error: None,
                branch: None,
                behind: 0,
            };
            match &node.stand {
                Err(Error::Client(ClientError::NoAnswer(attempts))) => {
                    report.agrees = None;
                    report.error = Some(failures(attempts));
                }
                Err(error) => {
                    let refused = matches!(error, Error::Client(_));
                    report.agrees = (!refused).then_some(false);
                    report.error = Some(error.to_string());
                }
                Ok(stand) if self.chain.contains(stand.tip) => {
                    report.height = Some(stand.tip.height);
                    report.agrees = Some(node.objection.is_none());
                    report.error = node.objection.map(str::to_owned);
                    report.behind = self.chain.height() - stand.tip.height;
                }
                Ok(stand) => {
                    let (since, to) = (stand.shared + 1, stand.tip.height);
                    let less = if stand.work < self.chain.work() { "less" } else { "as much" };
                    report.height = Some(to);
                    report.branch = Some(since);
                    report.error = Some(format!(
                        "it is on another branch since height {since}, which reaches height {to} \
                         with {less} work"
                    ));
                }
            }
            report
        };
        self.nodes.iter().map(one).collect()
    }

    /// Why no node gave an answer that can be believed: the first one's mistake, or that all are
    /// silent, or that none is on the heaviest chain.
    fn nobody(&mut self) -> Error {
        let (mut silent, mut cause) = (Vec::new(), None);
        let empty = nowhere(&self.chain);
        for node in &mut self.nodes {
            match mem::replace(&mut node.stand, Ok(empty)) {
                Ok(_) => {}
                Err(Error::Client(ClientError::NoAnswer(attempts))) => silent.extend(attempts.0),
                Err(error) => cause = cause.or(Some(error)),
            }
        }
        cause.unwrap_or_else(|| match silent.as_slice() {
            [] => Error::OtherBranches { height: self.chain.height() },
            _ => Error::Client(ClientError::NoAnswer(Attempts(silent))),
        })
    }

    /// Ends a command: prints what it found, or says what went wrong, and what else is to be known.
    /// It may have found nothing, if no node gave an answer that can be believed.
    fn finish<R: Serialize + Display>(
        mut self,
        output: &mut Output,
        reverted: Vec<Reverted>,
        done: Result<Option<(R, Exit)>, Error>,
    ) -> Result<Exit, Error> {
        let nodes = self.report();
        let done = done.and_then(|found| found.ok_or_else(|| self.nobody()));
        if nodes.len() > 1 || done.is_ok() {
            note(output, &nodes);
        }
        match done {
            Ok((report, exit)) => {
                output.result(&Weighed { report, reverted, nodes });
                Ok(exit)
            }
            Err(ended @ Error::Ended(_)) => Err(ended),
            Err(cause) => Err(Error::Light { cause: Box::new(cause), nodes, reverted }),
        }
    }
}

/// A node's headers, while a person may watch and press Ctrl-C.
struct Line<'a> {
    client: &'a Client,
    wait: Option<&'a Wait>,
    file: &'a mut Option<HeaderFile>,
    output: &'a mut Output,
    /// Whether there is progress to wipe away.
    shown: bool,
}

impl Guide for Line<'_> {
    fn headers(&mut self, from: u64) -> Result<HeadersAnswer, Error> {
        ask(self.wait, self.client, move |client| client.headers(from))
    }

    fn checked(&mut self, chain: &mut HeaderChain, height: u64, target: u64) {
        if let Some(file) = self.file
            && let Err(error) = file.save(chain)
        {
            let path = file.path().display();
            tell(self.output, format_args!("note: headers cannot be kept in {path}: {error}"));
            *self.file = None;
        }
        if height < target {
            self.output.progress(format_args!("Checking header {height} of {target}"));
            self.shown = true;
        }
    }
}

/// Takes the kept headers into the chain, and says what is wrong with them. Nothing is returned if
/// they cannot be kept.
fn load(chain: &mut HeaderChain, file: HeaderFile, output: &mut Output) -> Option<HeaderFile> {
    let mut shown = false;
    let loaded = file.load(chain, &mut |read, total| {
        if total > MANY {
            output.progress(format_args!("Checking kept header {read} of {total}"));
            shown = true;
        }
    });
    if shown {
        output.progress("");
    }
    let path = file.path().display();
    match loaded {
        Ok(None) => {}
        Ok(Some(damage)) => tell(
            output,
            format_args!(
                "note: the headers kept in {path} are damaged, and asked for again after height {}: \
             {damage}",
                chain.height()
            ),
        ),
        Err(error) => {
            tell(output, format_args!("note: headers cannot be kept in {path}: {error}"));
            return None;
        }
    }
    Some(file)
}

/// A node that has shown nothing yet.
fn nowhere(chain: &HeaderChain) -> Stand {
    Stand { tip: chain.spot(0).expect("there is a genesis"), work: Work::ZERO, shared: 0 }
}

/// Says something to a person; programs find it in the result.
fn tell(output: &mut Output, text: impl Display) {
    if !output.is_json() {
        output.remark(text);
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How far a header's time may be ahead of our clock, in milliseconds.
fn skew(genesis: &Genesis) -> u64 {
    genesis.block_time.saturating_mul(SKEW_BLOCKS).max(LEAST_SKEW)
}

/// Begins to listen for Ctrl-C.
fn listen() -> Result<Option<Rc<Wait>>, Error> {
    Ok(Some(Rc::new(Wait::until_interrupted().map_err(Error::Signals)?)))
}
