//! `balance`, `status` and `verify` where several nodes are asked: see [`crate::nodes`].

use super::{
    Session,
    chain::known,
    reports::{BalanceReport, Compared, StatusReport, VerifyReport},
};
use crate::{
    client::{Attempts, Client, ClientError},
    committees::Committees,
    error::Error,
    nodes::{NodeReport, Said, Sightings, View, ask_all, compare, report},
    report::{Exit, Output},
    verify::{self, NotProven, Verified, VerifiedAccount, blocks::FinalBlock},
};
use crypto::Address;
use ledger::{TransactionId, query::TransactionStatus};
use std::cmp::Reverse;

/// The balance after the highest block that any node proves.
pub(super) fn balance(
    session: &mut Session<'_>,
    clients: Vec<Client>,
    committees: &Committees,
    address: Address,
) -> Result<Exit, Error> {
    let views = ask_all(clients, committees, |client, committees| {
        let answer = client.account(address)?;
        let verified = committees
            .prove(client, |committees| verify::verify_account(committees, address, &answer))?;
        let block = verified.block();
        Ok((verified, Some(block)))
    });
    let sightings = compare(&views, None)?;
    session.keep_longest(&views)?;
    let nodes = report(&views, &sightings, |_, _| None);
    note(&mut session.output, &nodes);
    let height = |verified: &&VerifiedAccount| Reverse(verified.block().height());
    let best = views.iter().filter_map(|view| view.answer.as_ref().ok()).min_by_key(height);
    let Some(verified) = best else { return Err(nobody(views, nodes)) };
    session.output.result(&Compared { report: BalanceReport::of(verified), nodes });
    Ok(Exit::Holds)
}

/// What the nodes say of a transaction. That it is final is proven.
pub(super) fn status(
    session: &mut Session<'_>,
    clients: Vec<Client>,
    committees: &Committees,
    id: TransactionId,
) -> Result<Exit, Error> {
    let views = ask_all(clients, committees, |client, committees| word(client, committees, id));
    let sightings = compare(&views, None)?;
    session.keep_longest(&views)?;
    let nodes = stand(&views, &sightings);
    note(&mut session.output, &nodes);
    let said = views.iter().filter_map(|view| Some((view, view.answer.as_ref().ok()?)));
    let Some((view, word)) = said.min_by_key(|(_, word)| Reverse(word.rank())) else {
        return Err(nobody(views, nodes));
    };
    let report = StatusReport {
        status: word.status,
        tx: id,
        height: word.height,
        node: view.client.node(),
        proven: word.proof.is_some(),
    };
    session.output.result(&Compared { report, nodes });
    Ok(known(word.status))
}

/// A proof from any node that a transaction is final.
pub(super) fn verify(
    session: &mut Session<'_>,
    clients: Vec<Client>,
    committees: &Committees,
    id: TransactionId,
) -> Result<Exit, Error> {
    let views = ask_all(clients, committees, |client, committees| word(client, committees, id));
    let sightings = compare(&views, None)?;
    session.keep_longest(&views)?;
    let nodes = stand(&views, &sightings);
    note(&mut session.output, &nodes);
    if let Some(verified) = proof(&views) {
        session
            .output
            .result(&Compared { report: VerifyReport::of(committees.genesis(), verified), nodes });
        return Ok(Exit::Holds);
    }
    let said = views.iter().filter_map(|view| Some((view, view.answer.as_ref().ok()?)));
    let Some((view, word)) = said.min_by_key(|(_, word)| Reverse(word.rank())) else {
        return Err(nobody(views, nodes));
    };
    let reason = NotProven::NotFinal { id, status: word.status };
    let cause = Box::new(Error::NotProven { node: view.client.node().clone(), reason });
    Err(Error::Several { cause, nodes })
}

/// What a node says of a transaction.
struct Word {
    status: TransactionStatus,
    height: Option<u64>,
    /// Present if and only if the status is final.
    proof: Option<Box<Verified>>,
}

impl Word {
    /// The greater one tells more.
    fn rank(&self) -> u8 {
        match self.status {
            TransactionStatus::Unknown => 0,
            TransactionStatus::Pending => 1,
            TransactionStatus::Confirmed => 2,
            TransactionStatus::Final => 3,
        }
    }
}

fn word(
    client: &Client,
    committees: &mut Committees,
    id: TransactionId,
) -> Result<Said<Word>, Error> {
    let answer = client.transaction(id)?;
    if answer.status != TransactionStatus::Final {
        return Ok((Word { status: answer.status, height: answer.height, proof: None }, None));
    }
    if answer.finality.is_none() {
        // A proof may come a little after its commit. Until then nothing is final here.
        let status = TransactionStatus::Pending;
        return Ok((Word { status, height: answer.height, proof: None }, None));
    }
    let verified =
        committees.prove(client, |committees| verify::verify(committees, id, &answer))?;
    let block = verified.certified().block();
    let height = Some(block.height());
    let status = TransactionStatus::Final;
    Ok((Word { status, height, proof: Some(Box::new(verified)) }, Some(block)))
}

/// Where there is no conflict, one proof is as good as another.
fn proof(views: &[View<Word>]) -> Option<&Verified> {
    views.iter().find_map(|view| view.answer.as_ref().ok()?.proof.as_deref())
}

/// How each node stands to the transaction. One that does not know it yet lags, unless it has the
/// very block that holds it.
fn stand(views: &[View<Word>], sightings: &Sightings) -> Vec<NodeReport> {
    let block = proof(views).map(|verified| verified.certified().block());
    report(views, sightings, |view, word| {
        let height = block.as_ref().map(FinalBlock::height)?;
        let has_it = view.newest().is_some_and(|newest| newest.height() >= height);
        (has_it && word.proof.is_none()).then(|| {
            format!(
                "it does not show the transaction to be final, and its chain has the block at \
                 height {height} that holds it"
            )
        })
    })
}

/// Tells a person how the nodes stand. A program finds it in the report.
pub(super) fn note(output: &mut Output, nodes: &[NodeReport]) {
    if output.is_json() {
        return;
    }
    for node in nodes.iter().filter(|node| node.is_remarkable()) {
        output.remark(node);
    }
}

/// None of several nodes gave an answer that can be believed: the first one's mistake, or that all
/// are silent.
pub(super) fn nobody<T>(views: Vec<View<T>>, nodes: Vec<NodeReport>) -> Error {
    let mut silent = Vec::new();
    let mut errors = views.into_iter().filter_map(|view| view.answer.err());
    let cause = errors.find_map(|error| match error {
        Error::Client(ClientError::NoAnswer(attempts)) => {
            silent.extend(attempts.0);
            None
        }
        error => Some(error),
    });
    let cause = cause.unwrap_or(Error::Client(ClientError::NoAnswer(Attempts(silent))));
    Error::Several { cause: Box::new(cause), nodes }
}
