//! The commands that ask about the chain: `balance`, `status`, `verify`. One node, or a list whose
//! nodes stand in for each other, is asked here; several are compared in [`compare`]. Chains where
//! nothing is final are the business of [`light`].

use super::{
    Session, compare, depths, light,
    reports::{BalanceReport, StatusReport, VerifyReport},
    transaction_id,
};
use crate::{error::Error, nodes::same_chain, report::Exit, verify};
use ledger::query::TransactionStatus;

/// A balance that was proven.
pub(super) fn balance(session: &mut Session<'_>, account: &str) -> Result<Exit, Error> {
    let address = session.resolve(account)?;
    let genesis = session.genesis()?;
    if let Some(depths) = depths(&genesis)? {
        return light::balance(session, &genesis, depths, address);
    }
    let mut committees = session.committees(&genesis)?;
    let clients = session.clients()?;
    let [client] = clients.as_slice() else {
        return compare::balance(session, clients, &committees, address);
    };
    // Two networks may begin with the same accounts, and then a balance at the one's genesis is
    // proven by the other's.
    same_chain(client, &genesis)?;
    let answer = client.account(address)?;
    let verified = committees
        .prove(client, |committees| verify::verify_account(committees, address, &answer))?;
    session.keep(&committees)?;
    session.output.result(&BalanceReport::of(&verified));
    Ok(Exit::Holds)
}

/// A node's word about a transaction. Where nothing is final it is proven, which needs the genesis;
/// without one it remains a word.
pub(super) fn status(session: &mut Session<'_>, transaction: &str) -> Result<Exit, Error> {
    let id = transaction_id(transaction)?;
    if let Ok(genesis) = session.genesis()
        && let Some(depths) = depths(&genesis)?
    {
        return light::status(session, &genesis, depths, id);
    }
    let clients = session.clients()?;
    let [client] = clients.as_slice() else {
        let genesis = session.genesis()?;
        let committees = session.committees(&genesis)?;
        return compare::status(session, clients, &committees, id);
    };
    let answer = client.transaction(id)?;
    let report = StatusReport {
        status: answer.status,
        tx: id,
        height: answer.height,
        node: client.node(),
        proven: false,
    };
    session.output.result(&report);
    Ok(known(answer.status))
}

/// How `status` ends.
pub(super) fn known(status: TransactionStatus) -> Exit {
    match status {
        TransactionStatus::Unknown => Exit::DoesNotHold,
        TransactionStatus::Pending | TransactionStatus::Confirmed | TransactionStatus::Final => {
            Exit::Holds
        }
    }
}

/// A proof that a transaction is final.
pub(super) fn verify(session: &mut Session<'_>, transaction: &str) -> Result<Exit, Error> {
    let id = transaction_id(transaction)?;
    let genesis = session.genesis()?;
    if let Some(depths) = depths(&genesis)? {
        return light::verify(session, &genesis, depths, id);
    }
    let mut committees = session.committees(&genesis)?;
    let clients = session.clients()?;
    let [client] = clients.as_slice() else {
        return compare::verify(session, clients, &committees, id);
    };
    let answer = client.transaction(id)?;
    let verified =
        committees.prove(client, |committees| verify::verify(committees, id, &answer))?;
    session.keep(&committees)?;
    session.output.result(&VerifyReport::of(&genesis, &verified));
    Ok(Exit::Holds)
}
