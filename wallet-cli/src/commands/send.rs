//! `send`: from a wish to a final transfer, where blocks are certified.

use super::{Session, depths, light, reports::SentReport};
use crate::{
    cli::{PassphraseOptions, Transfer},
    client::{Client, ClientError},
    committees::Committees,
    error::Error,
    interrupt::{Stopped, Wait},
    keystore::{Account, Keystore},
    nodes::same_chain,
    report::{Exit, Output},
    verify::{self, Verified},
};
use crypto::SecretKey;
use ledger::{Action, Amount, Payload, Transaction, TransactionId, query::TransactionStatus};
use std::time::{Duration, Instant};

/// A node is asked this soon after the transfer, and then ever more slowly.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Signs a transfer, hands it over and perhaps waits for it.
pub(super) fn send(session: &mut Session<'_>, transfer: &Transfer) -> Result<Exit, Error> {
    let amount = parse_amount("amount", &transfer.amount)?;
    let fee = parse_amount("fee", &transfer.fee)?;
    let keystore = session.keystore()?;
    let from = keystore.account(&transfer.from.parse()?)?;
    let to = session.resolve(&transfer.to)?;
    let genesis = session.genesis()?;
    if let Some(depths) = depths(&genesis)? {
        let order = light::Order { keystore, from, to, amount, fee, transfer };
        return light::send(session, &genesis, depths, &order);
    }
    let mut committees = session.committees(&genesis)?;
    let client = session.client()?;

    let nonce = prepare(&client, &mut committees, &from, amount, fee)?;
    let key = unlock(session, &keystore, &from, &transfer.passphrase)?;
    let payload = Payload {
        chain: genesis.chain_id(),
        sender: from.public_key,
        nonce,
        fee,
        action: Action::Transfer { to, amount },
    };
    let transaction = payload.sign(&key);
    drop(key);

    let id = hand_over(&client, &transaction)?;
    let mut report =
        SentReport { status: TransactionStatus::Pending, tx: id, height: None, amount, fee, to };
    if transfer.wait {
        if session.output.is_watched() && !session.output.is_json() {
            session.output.remark(format_args!("Transaction {id} is handed over."));
        }
        let verified = wait(&mut session.output, &client, &mut committees, id, transfer.timeout)?;
        report.status = TransactionStatus::Final;
        report.height = Some(verified.certified().header().height);
    }
    session.keep(&committees)?;
    session.output.result(&report);
    Ok(Exit::Holds)
}

/// Checks chain and balance before anything is signed. Returns the nonce to use.
pub(super) fn prepare(
    client: &Client,
    committees: &mut Committees,
    from: &Account,
    amount: Amount,
    fee: Amount,
) -> Result<u64, Error> {
    same_chain(client, committees.genesis())?;
    let answer = client.account(from.address)?;
    let verified = committees
        .prove(client, |committees| verify::verify_account(committees, from.address, &answer))?;
    let balance = verified.account().balance;
    let needed = u128::from(amount.0) + u128::from(fee.0);
    if needed > u128::from(balance.0) {
        return Err(Error::Balance { from: from.name.clone(), balance, amount, fee, needed });
    }
    Ok(answer.next_nonce)
}

/// A dev account's key is no secret, so nobody is asked for it.
pub(super) fn unlock(
    session: &mut Session<'_>,
    keystore: &Keystore,
    from: &Account,
    passphrase: &PassphraseOptions,
) -> Result<SecretKey, Error> {
    if from.dev {
        return Ok(keystore.unlock(&from.name, "")?);
    }
    let file = &passphrase.passphrase_file;
    let passphrase = session.secrets(file).passphrase(&from.name)?;
    Ok(keystore.unlock(&from.name, &passphrase)?)
}

/// Submits, and checks that the node means the same transaction.
pub(super) fn hand_over(
    client: &Client,
    transaction: &Transaction,
) -> Result<TransactionId, Error> {
    let id = transaction.id();
    let found = client.submit(transaction)?;
    if found != id {
        return Err(Error::WrongReceipt { node: client.node().clone(), id, found });
    }
    Ok(id)
}

/// Asks until a node says that the transaction is final, and believes it when the proof holds.
///
/// Nodes that do not answer may come back, so only the deadline ends the wait for them.
pub(super) fn wait(
    output: &mut Output,
    client: &Client,
    committees: &mut Committees,
    id: TransactionId,
    timeout: Duration,
) -> Result<Verified, Error> {
    let start = Instant::now();
    let wait = Wait::until(start + timeout).map_err(|source| Error::NoSignals { id, source })?;
    let mut pause = FIRST_PAUSE;
    let mut in_vain = None;
    let stopped = loop {
        let asked = client.clone();
        match wait.run(move || asked.transaction(id)) {
            // A proof may come a little after its commit.
            Ok(Ok(answer))
                if answer.status == TransactionStatus::Final && answer.finality.is_some() =>
            {
                output.progress("");
                return committees
                    .prove(client, |committees| verify::verify(committees, id, &answer));
            }
            Ok(Ok(_)) => in_vain = None,
            Ok(Err(error @ ClientError::NoAnswer(_))) => in_vain = Some(Box::new(error)),
            Ok(Err(refused)) => {
                output.progress("");
                return Err(refused.into());
            }
            Err(stopped) => break stopped,
        }
        let state = if in_vain.is_some() { "no node answers" } else { "pending" };
        output.progress(format_args!("Waiting {:.1} s: {state}", start.elapsed().as_secs_f32()));
        if let Err(stopped) = wait.pause(pause) {
            break stopped;
        }
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    };
    output.progress("");
    Err(match stopped {
        Stopped::TimeUp => Error::NotInTime { id, waited: timeout, reason: in_vain },
        Stopped::Interrupted => Error::Interrupted { id },
    })
}

pub(super) fn parse_amount(what: &'static str, text: &str) -> Result<Amount, Error> {
    // `u64` would take a leading plus, which nobody means.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let amount = digits.then(|| text.parse().ok()).flatten();
    amount.ok_or_else(|| Error::Amount { what, value: text.chars().take(80).collect() })
}
