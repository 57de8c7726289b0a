//! `send`: from a wish to a confirmed transfer.

use super::{
    Light,
    ask::Whereabouts,
    reports::{Depth, SentReport},
    tell,
};
use crate::{
    cli::Transfer,
    client::{Attempts, ClientError},
    commands::{
        Session,
        send::{hand_over, unlock},
    },
    error::Error,
    headers::Spot,
    interrupt::{Stopped, Wait},
    keystore::{Account, Keystore},
    report::{Exit, Output},
};
use consensus::catalogue::Depths;
use crypto::Address;
use ledger::{
    Action, Amount, Genesis, Payload, Transaction, TransactionId, query::TransactionStatus,
};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};

/// Nodes are asked this soon after the transfer, and then ever more slowly.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What is to be sent.
pub(in crate::commands) struct Order<'a> {
    pub(in crate::commands) keystore: Keystore,
    pub(in crate::commands) from: Account,
    pub(in crate::commands) to: Address,
    pub(in crate::commands) amount: Amount,
    pub(in crate::commands) fee: Amount,
    pub(in crate::commands) transfer: &'a Transfer,
}

/// Signs a transfer, hands it over and perhaps waits until it is confirmed.
pub(in crate::commands) fn send(
    session: &mut Session<'_>,
    genesis: &Genesis,
    depths: Depths,
    order: &Order<'_>,
) -> Result<Exit, Error> {
    // Nobody listens for Ctrl-C yet, so that it ends the process while a person is asked something.
    let mut light = Light::open(session, genesis, depths, None)?;
    let reverted = light.look_back(&mut session.output)?;
    let Order { from, to, amount, fee, transfer, .. } = order;
    let needed = u128::from(amount.0) + u128::from(fee.0);
    let found = light.balance(from.address, &mut session.output)?;
    let Some(found) = found else {
        return light.finish::<SentReport>(&mut session.output, reverted, Ok(None));
    };
    let balance = found.newest.account.balance;
    if needed > u128::from(balance.0) {
        let (from, amount, fee) = (from.name.clone(), *amount, *fee);
        let error = Error::Balance { from, balance, amount, fee, needed };
        return light.finish::<SentReport>(&mut session.output, reverted, Err(error));
    }
    let key = unlock(session, &order.keystore, from, &transfer.passphrase)?;
    let payload = Payload {
        chain: genesis.chain_id(),
        sender: from.public_key,
        nonce: found.next_nonce,
        fee: *fee,
        action: Action::Transfer { to: *to, amount: *amount },
    };
    let transaction = payload.sign(&key);
    drop(key);

    let output = &mut session.output;
    let sent = light.submit(&transaction).and_then(|id| {
        let mut report = SentReport {
            status: TransactionStatus::Pending,
            tx: id,
            depth: None,
            amount: *amount,
            fee: *fee,
            to: *to,
        };
        if transfer.wait {
            tell(output, format_args!("Transaction {id} is handed over."));
            let base = found.newest.spot.height;
            let mut vigil = Vigil::new(&transaction, id, base, transfer.timeout);
            let Some(spot) = vigil.keep(&mut light, output)? else { return Ok(None) };
            light.remember_confirmed(id, spot, output);
            report.status = TransactionStatus::Confirmed;
            report.depth = Some(Depth::of(spot, &light.chain));
        }
        Ok(Some((report, Exit::Holds)))
    });
    light.finish(output, reverted, sent)
}

impl Light {
    /// Hands a transaction to the first node that answers.
    fn submit(&self, transaction: &Transaction) -> Result<TransactionId, Error> {
        let mut silent = Vec::new();
        for node in &self.nodes {
            match hand_over(&node.client, transaction) {
                Err(Error::Client(ClientError::NoAnswer(attempts))) => silent.extend(attempts.0),
                done => return done,
            }
        }
        Err(Error::Client(ClientError::NoAnswer(Attempts(silent))))
    }
}

/// Waiting for a transaction to be confirmed.
struct Vigil<'a> {
    transaction: &'a Transaction,
    id: TransactionId,
    /// Up to this height nothing can have taken its place.
    base: u64,
    timeout: Duration,
    /// Its block, while that is on the heaviest chain.
    spot: Option<Spot>,
    /// How many confirmations were told last.
    told: u64,
    /// The tip on which was last looked for a transaction in its place.
    searched: Option<Spot>,
}

impl<'a> Vigil<'a> {
    fn new(
        transaction: &'a Transaction,
        id: TransactionId,
        base: u64,
        timeout: Duration,
    ) -> Vigil<'a> {
        Vigil { transaction, id, base, timeout, spot: None, told: 0, searched: None }
    }

    /// Follows the chain until the transaction is confirmed, and says aloud how far it is. Nodes
    /// that do not answer may come back, so only the deadline ends the wait for them. None if no
    /// node is left that can be believed.
    fn keep(&mut self, light: &mut Light, output: &mut Output) -> Result<Option<Spot>, Error> {
        let (id, start) = (self.id, Instant::now());
        let wait = Wait::until(start + self.timeout);
        let wait = Rc::new(wait.map_err(|source| Error::NoSignals { id, source })?);
        light.wait = Some(Rc::clone(&wait));
        let mut pause = FIRST_PAUSE;
        let stopped = loop {
            match self.look(light, output) {
                Ok(Seen::Confirmed(spot)) => return Ok(Some(spot)),
                Ok(Seen::Nobody) => return Ok(None),
                Ok(Seen::Waiting) => {}
                Err(Error::Ended(stopped)) => break stopped,
                Err(error) => return Err(error),
            }
            let waited = start.elapsed().as_secs_f32();
            let state = if light.order().is_empty() { "no node answers" } else { "pending" };
            match self.spot {
                None => output.progress(format_args!("Waiting {waited:.1} s: {state}")),
                Some(_) => output.progress(format_args!("Waiting {waited:.1} s")),
            }
            if let Err(stopped) = wait.pause(pause) {
                break stopped;
            }
            pause = (pause * 5 / 4).min(LONGEST_PAUSE);
        };
        output.progress("");
        Err(match stopped {
            Stopped::Interrupted => Error::Interrupted { id },
            Stopped::TimeUp => self.late(light),
        })
    }

    /// Looks once.
    fn look(&mut self, light: &mut Light, output: &mut Output) -> Result<Seen, Error> {
        if let Some(fork) = light.follow(output, true)? {
            self.base = self.base.min(fork);
        }
        if light.order().is_empty() {
            // Who is silent may come back. Who lies stays a liar.
            let silent = |node: &super::Node| matches!(node.stand, Err(Error::Client(_)));
            let hope = light.nodes.iter().any(silent);
            return Ok(if hope { Seen::Waiting } else { Seen::Nobody });
        }
        if let Some(spot) = self.spot
            && !light.chain.contains(spot)
        {
            let height = spot.height;
            (self.spot, self.told) = (None, 0);
            output.progress("");
            tell(
                output,
                format_args!(
                    "The block at height {height} was undone by a heavier branch; waiting again."
                ),
            );
        }
        if self.spot.is_none() {
            match light.locate(self.id, output)? {
                Some(Whereabouts::Included(included)) => self.spot = Some(included.spot()),
                Some(_) => self.is_replaced(light)?,
                None => {}
            }
        }
        let Some(spot) = self.spot else { return Ok(Seen::Waiting) };
        let depth = Depth::of(spot, &light.chain);
        let confirmations = light.chain.confirmations(spot.height);
        if confirmations != self.told {
            output.progress("");
            match self.told {
                0 => tell(output, format_args!("Included at height {}; {depth}.", spot.height)),
                _ => tell(output, format_args!("{depth}.")),
            }
            self.told = confirmations;
        }
        let enough = light.chain.confirms(spot.height);
        Ok(if enough { Seen::Confirmed(spot) } else { Seen::Waiting })
    }

    /// Looks for another transaction in its place, once for each tip.
    fn is_replaced(&mut self, light: &Light) -> Result<(), Error> {
        let tip = light.chain.tip();
        if self.searched.replace(tip) == Some(tip) {
            return Ok(());
        }
        let payload = &self.transaction.payload;
        match light.rival(self.id, payload, self.base)? {
            None => Ok(()),
            Some((by, height)) => {
                Err(Error::Replaced { id: self.id, nonce: payload.nonce, by, height })
            }
        }
    }

    fn late(&self, light: &Light) -> Error {
        let mut faults = light.nodes.iter().filter_map(|node| node.stand.as_ref().err());
        Error::Unconfirmed {
            id: self.id,
            waited: self.timeout,
            height: self.spot.map(|spot| spot.height),
            confirmations: self.told,
            needed: light.chain.depths().confirmations,
            reason: faults.next().map(ToString::to_string),
        }
    }
}

/// What one look found.
enum Seen {
    /// It is confirmed in this block.
    Confirmed(Spot),
    /// It is not, or nobody answers at the moment.
    Waiting,
    /// No node is left that can be believed.
    Nobody,
}
