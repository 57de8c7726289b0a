//! The commands that ask a node: `balance`, `status`, `verify`.

use super::{
    Session,
    reports::{BalanceReport, StatusReport, VerifyReport},
    transaction_id,
};
use crate::{client::Client, error::Error, report::Exit, verify};
use ledger::{Genesis, query::TransactionStatus};

/// A balance that was proven.
pub(super) fn balance(session: &mut Session<'_>, account: &str) -> Result<Exit, Error> {
    let address = session.resolve(account)?;
    let genesis = session.genesis()?;
    let client = session.client()?;
    // Two networks may begin with the same accounts, and then a balance at the one's genesis is
    // proven by the other's.
    same_chain(&client, &genesis)?;
    let answer = client.account(address)?;
    let verified = verify::verify_account(&genesis, address, &answer)
        .map_err(|reason| Error::NotProven { node: client.node().clone(), reason })?;
    session.output.result(&BalanceReport::of(&verified));
    Ok(Exit::Holds)
}

/// Whether the node says that it belongs to the chain of our genesis.
pub(super) fn same_chain(client: &Client, genesis: &Genesis) -> Result<(), Error> {
    let (ours, found) = (genesis.chain_id(), client.status()?.chain_id);
    if found != ours {
        let node = client.node().clone();
        return Err(Error::OtherChain { node, genesis: ours, found });
    }
    Ok(())
}

/// A node's word about a transaction.
pub(super) fn status(session: &mut Session<'_>, transaction: &str) -> Result<Exit, Error> {
    let id = transaction_id(transaction)?;
    let client = session.client()?;
    let answer = client.transaction(id)?;
    let report =
        StatusReport { status: answer.status, tx: id, height: answer.height, node: client.node() };
    session.output.result(&report);
    Ok(match answer.status {
        TransactionStatus::Unknown => Exit::DoesNotHold,
        TransactionStatus::Pending | TransactionStatus::Final => Exit::Holds,
    })
}

/// A proof that a transaction is final.
pub(super) fn verify(session: &mut Session<'_>, transaction: &str) -> Result<Exit, Error> {
    let id = transaction_id(transaction)?;
    let genesis = session.genesis()?;
    let client = session.client()?;
    let answer = client.transaction(id)?;
    let verified = verify::verify(&genesis, id, &answer)
        .map_err(|reason| Error::NotProven { node: client.node().clone(), reason })?;
    session.output.result(&VerifyReport::of(&genesis, &verified));
    Ok(Exit::Holds)
}
