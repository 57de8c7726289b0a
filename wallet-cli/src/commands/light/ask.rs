//! What nodes say of transactions and accounts, proven under the wallet's own headers.
//!
//! A node goes on while it is asked: between its headers and its answer it may have left a branch.
//! So an answer that does not fit is asked for again, a few times, after following the node anew.

use super::Light;
use crate::{
    client::{Client, ClientError},
    error::Error,
    headers::{BadHeaders, HeaderChain, Spot},
    interrupt::Wait,
    report::Output,
    verify::{
        NotProven,
        inclusion::{Included, verify_body, verify_holding, verify_inclusion},
    },
};
use crypto::Address;
use ledger::{
    Block, Header, Payload, TransactionId,
    query::{TransactionAnswer, TransactionStatus},
    state::Account,
};

/// How often an answer that does not fit is asked for again.
pub(super) const RETRIES: usize = 3;

/// How many blocks are searched for a transaction that took the place of another.
const MAX_SEARCH: u64 = 512;

/// Where a transaction is, as far as one node, or the best of several, can prove.
#[derive(Debug)]
pub(super) enum Whereabouts {
    /// On the heaviest chain, which is proven.
    Included(Box<Included>),
    /// In a block of another branch, at this height, says a node.
    Elsewhere(u64),
    /// A node says that it waits.
    Pending,
    /// No node knows it.
    Unknown,
}

impl Whereabouts {
    /// Its block on the heaviest chain.
    pub(super) fn spot(&self) -> Option<Spot> {
        match self {
            Whereabouts::Included(included) => Some(included.spot()),
            _ => None,
        }
    }

    /// How far it has come. Nothing is ever final here.
    pub(super) fn status(&self, chain: &HeaderChain) -> TransactionStatus {
        match self {
            Whereabouts::Included(included) if chain.confirms(included.spot().height) => {
                TransactionStatus::Confirmed
            }
            Whereabouts::Unknown => TransactionStatus::Unknown,
            _ => TransactionStatus::Pending,
        }
    }

    /// The greater one tells more.
    fn rank(&self) -> u8 {
        match self {
            Whereabouts::Unknown => 0,
            Whereabouts::Pending => 1,
            Whereabouts::Elsewhere(_) => 2,
            Whereabouts::Included(_) => 3,
        }
    }
}

/// What an account holds after a block of the heaviest chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub(super) account: Account,
    pub(super) spot: Spot,
}

/// An account, proven twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Balance {
    /// After the newest block that the node shares with the heaviest chain.
    pub(super) newest: Holding,
    /// After the newest block that may be counted on; none if the node keeps no state of it.
    pub(super) confirmed: Option<Holding>,
    /// The nonce of its next transaction, counting those that wait: the node's word.
    pub(super) next_nonce: u64,
}

/// One question to one node.
pub(super) fn ask<T: Send + 'static>(
    wait: Option<&Wait>,
    client: &Client,
    question: impl FnOnce(&Client) -> Result<T, ClientError> + Send + 'static,
) -> Result<T, Error> {
    let Some(wait) = wait else { return Ok(question(client)?) };
    let client = client.clone();
    let answer = wait.run(move || question(&client)).map_err(Error::Ended)?;
    Ok(answer?)
}

impl Light {
    /// Where a transaction is. Every node is asked; who has its block and denies it is noted. None
    /// if no node gives an answer that can be believed.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] only. What is wrong with a node is kept with it.
    pub(super) fn locate(
        &mut self,
        id: TransactionId,
        output: &mut Output,
    ) -> Result<Option<Whereabouts>, Error> {
        let mut said = Vec::new();
        for index in self.order() {
            match self.locate_at(index, id, output) {
                Ok(found) => said.push((index, found)),
                Err(ended @ Error::Ended(_)) => return Err(ended),
                Err(error) => self.nodes[index].stand = Err(error),
            }
        }
        let spot = said.iter().find_map(|(_, found)| found.spot());
        for (index, found) in &said {
            let shared = self.stand(*index).map_or(0, |stand| stand.shared);
            let has_it = spot.is_some_and(|spot| shared >= spot.height);
            self.nodes[*index].objection = (has_it && found.spot().is_none())
                .then_some("it does not show the transaction, and has the block that holds it");
        }
        Ok(said.into_iter().map(|(_, found)| found).max_by_key(Whereabouts::rank))
    }

    fn locate_at(
        &mut self,
        index: usize,
        id: TransactionId,
        output: &mut Output,
    ) -> Result<Whereabouts, Error> {
        for tries in 0.. {
            let answer = self.ask(index, move |client| client.transaction(id))?;
            let found = self.place(index, id, &answer);
            let late = match &found {
                Err(error) => matches!(error, Error::NotProven { .. }),
                // On another branch it may be so; on ours the node has gone on.
                Ok(Whereabouts::Elsewhere(_)) => self.is_on_ours(index),
                Ok(_) => false,
            };
            if !late || tries == RETRIES {
                return found;
            }
            self.refresh(index, output)?;
        }
        unreachable!("tries are counted")
    }

    /// Where the answer shows the transaction to be.
    fn place(
        &self,
        index: usize,
        id: TransactionId,
        answer: &TransactionAnswer,
    ) -> Result<Whereabouts, Error> {
        let height = match (answer.status, answer.height) {
            (TransactionStatus::Unknown, _) => return Ok(Whereabouts::Unknown),
            (_, None) => return Ok(Whereabouts::Pending),
            (_, Some(height)) => height,
        };
        if self.stand(index).is_none_or(|stand| height > stand.shared) {
            return Ok(Whereabouts::Elsewhere(height));
        }
        let header = self.header(index, height)?;
        let included = verify_inclusion(self.chain.genesis(), id, answer, &header);
        let included = included.map_err(|reason| self.blame(index, reason))?;
        Ok(Whereabouts::Included(Box::new(included)))
    }

    /// What an account holds. None if no node gives an answer that can be believed.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] only. What is wrong with a node is kept with it.
    pub(super) fn balance(
        &mut self,
        address: Address,
        output: &mut Output,
    ) -> Result<Option<Balance>, Error> {
        for index in self.order() {
            // Below its newest committed block a node has no state.
            if self.stand(index).is_none_or(|stand| stand.shared < self.nodes[index].committed) {
                continue;
            }
            match self.balance_at(index, address, output) {
                Ok(balance) => return Ok(Some(balance)),
                Err(ended @ Error::Ended(_)) => return Err(ended),
                Err(error) => self.nodes[index].stand = Err(error),
            }
        }
        Ok(None)
    }

    fn balance_at(
        &mut self,
        index: usize,
        address: Address,
        output: &mut Output,
    ) -> Result<Balance, Error> {
        for tries in 0.. {
            match self.holdings(index, address) {
                Err(Error::NotProven { .. } | Error::Client(ClientError::Refused(_)))
                    if tries < RETRIES =>
                {
                    self.refresh(index, output)?;
                }
                balance => return balance,
            }
        }
        unreachable!("tries are counted")
    }

    fn holdings(&self, index: usize, address: Address) -> Result<Balance, Error> {
        let shared = self.stand(index).map_or(0, |stand| stand.shared);
        let (newest, next_nonce) = self.holding(index, address, shared)?;
        let deep = self.chain.confirmed_height().min(shared);
        let confirmed = match deep {
            deep if deep == shared => Some(newest),
            deep if deep < self.nodes[index].committed => None,
            deep => Some(self.holding(index, address, deep)?.0),
        };
        Ok(Balance { newest, confirmed, next_nonce })
    }

    /// What an account holds after the block at a height, and the node's word on its next nonce.
    fn holding(
        &self,
        index: usize,
        address: Address,
        height: u64,
    ) -> Result<(Holding, u64), Error> {
        let answer = self.ask(index, move |client| client.account_at(address, height))?;
        let header = self.header(index, height)?;
        let account = verify_holding(address, &answer, &header);
        let account = account.map_err(|reason| self.blame(index, reason))?;
        Ok((Holding { account, spot: Spot::of(&header) }, answer.next_nonce))
    }

    /// The transaction of the same account with the same nonce that is on the heaviest chain in
    /// place of `id`, in a block above `base`, and its height. None if there is none, or no node
    /// shows it.
    pub(super) fn rival(
        &self,
        id: TransactionId,
        payload: &Payload,
        base: u64,
    ) -> Result<Option<(TransactionId, u64)>, Error> {
        for index in self.order() {
            match self.rival_at(index, id, payload, base) {
                Err(ended @ Error::Ended(_)) => return Err(ended),
                // Who cannot tell is no reason to give up.
                Ok(None) | Err(_) => {}
                found => return found,
            }
        }
        Ok(None)
    }

    fn rival_at(
        &self,
        index: usize,
        id: TransactionId,
        payload: &Payload,
        base: u64,
    ) -> Result<Option<(TransactionId, u64)>, Error> {
        let shared = self.stand(index).map_or(0, |stand| stand.shared);
        let (newest, _) = self.holding(index, payload.sender.address(), shared)?;
        if newest.account.nonce <= payload.nonce {
            return Ok(None);
        }
        let lowest = base.max(shared.saturating_sub(MAX_SEARCH));
        for height in (lowest + 1..=shared).rev() {
            let spot = self.chain.spot(height).expect("it is shared");
            let block = self.body(index, spot)?;
            let mut payments = block.transactions.iter();
            let found = payments.find(|each| {
                (each.payload.sender, each.payload.nonce) == (payload.sender, payload.nonce)
            });
            if let Some(other) = found {
                return Ok(Some((other.id(), height)).filter(|(other, _)| *other != id));
            }
        }
        Ok(None)
    }

    /// A block of our chain, with its body.
    pub(super) fn body(&self, index: usize, spot: Spot) -> Result<Block, Error> {
        let answer = self.ask(index, move |client| client.block_called(spot.hash))?;
        let withheld = BadHeaders::Withheld { shown: spot.height - 1, claimed: spot.height };
        let block = answer.ok_or_else(|| self.blame(index, NotProven::Headers(withheld)))?.block;
        verify_body(spot, &block).map_err(|reason| self.blame(index, reason))?;
        Ok(block)
    }

    /// A header of our chain, which the node shows again if we did not keep it whole.
    fn header(&self, index: usize, height: u64) -> Result<Header, Error> {
        if let Some(header) = self.chain.header(height) {
            return Ok(header.clone());
        }
        let answer = self.ask(index, move |client| client.headers(height))?;
        let header = answer.headers.into_iter().next();
        let ours = header.filter(|header| self.chain.contains(Spot::of(header)));
        ours.ok_or_else(|| self.blame(index, NotProven::Headers(BadHeaders::Changed(height))))
    }

    /// Whether all that a node has shown is on the heaviest chain.
    fn is_on_ours(&self, index: usize) -> bool {
        self.stand(index).is_some_and(|stand| self.chain.contains(stand.tip))
    }

    /// Looks again how far a node is.
    pub(super) fn refresh(&mut self, index: usize, output: &mut Output) -> Result<(), Error> {
        self.nodes[index].committed = self.ask(index, Client::status)?.height;
        self.follow_one(index, output)?;
        let empty = super::nowhere(&self.chain);
        let node = &mut self.nodes[index];
        match std::mem::replace(&mut node.stand, Ok(empty)) {
            Ok(stand) => node.stand = Ok(stand),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        index: usize,
        question: impl FnOnce(&Client) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, Error> {
        ask(self.wait.as_deref(), &self.nodes[index].client, question)
    }

    pub(super) fn blame(&self, index: usize, reason: NotProven) -> Error {
        Error::NotProven { node: self.nodes[index].client.node().clone(), reason }
    }
}
