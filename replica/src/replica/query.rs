//! Answers to people and programs, with proofs.

use super::Replica;
use crate::{
    event::{Answer, Query},
    sync,
};
use consensus::{Message, Protocol, Signed};
use crypto::Address;
use ledger::{
    Block, Share, TransactionId,
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, CommitteeAnswer, CommitteesAnswer,
        ConsensusAnswer, HeadersAnswer, SlotAnswer, StatusAnswer, TransactionAnswer,
        TransactionStatus, VoiceAnswer, WeightAnswer, WeightsAnswer,
    },
    vote::Member,
};
use std::sync::Arc;

/// How many headers one answer holds.
const MAX_HEADERS: usize = 512;

/// How many slots one answer shows.
const MAX_SLOTS: usize = 256;

/// After how many transactions an answer to [`Query::Bodies`] ends, with a whole block.
const MAX_NAMED: usize = 8_192;

/// How many changes of the committee one answer holds, and how many members all of them have together
/// unless a single one has more. With their signatures a thousand members take some 300 KiB of JSON.
const MAX_CHANGES: usize = 64;
const MAX_MEMBERS: usize = 2_048;

impl<P: Protocol> Replica<P> {
    /// Answers everything but [`Query::Submit`] and [`Query::SubmitMany`], which change the pool.
    pub(super) fn answer(&self, query: &Query) -> Answer {
        match query {
            Query::Status => Answer::Status(Box::new(self.status())),
            Query::BlockAt(height) => {
                Answer::Block(self.ledger.adopted(*height).map(|block| self.block(block)))
            }
            Query::Block(hash) => {
                Answer::Block(self.ledger.block(*hash).map(|block| self.block(block)))
            }
            Query::Blocks(from) => Answer::Blocks(Box::new(self.blocks(*from))),
            Query::Headers(from) => Answer::Headers(self.headers(*from)),
            Query::Bodies(from) => Answer::Bodies(self.bodies(*from)),
            Query::Consensus => Answer::Consensus(self.consensus()),
            Query::Transaction(id) => Answer::Transaction(Box::new(self.transaction(*id))),
            Query::Account(address) => self.account(*address, self.ledger.height()),
            Query::AccountAt(address, height) => self.account(*address, *height),
            Query::Committee => self.committee_answer(),
            Query::Committees(from) => Answer::Committees(self.committees(*from)),
            Query::Stake => match self.ledger.stake_answer() {
                Ok(stake) => Answer::Stake(Box::new(stake)),
                Err(error) => Answer::Failed(error.to_string()),
            },
            Query::Conflict => Answer::Conflict(self.conflict.clone()),
            Query::Submit(_) | Query::SubmitMany(_) => {
                unreachable!("the main loop takes submissions apart")
            }
        }
    }

    fn status(&self) -> StatusAnswer {
        let register = self.ledger.register(self.ledger.root()).expect("the root has a register");
        let punished = register.validators().filter(|(_, each)| each.punished.is_some());
        StatusAnswer {
            chain_id: self.ledger.chain_id(),
            consensus: self.ledger.genesis().consensus.clone(),
            replica: self.me,
            height: self.ledger.height(),
            head: self.ledger.head(),
            head_height: self.ledger.head_height(),
            round: self.protocol.round(),
            peers: 0,
            pool: self.pool.len(),
            time: self.head_time(),
            state: match &self.halted {
                None => "running".into(),
                Some(why) => format!("halted: {why}"),
            },
            accused: self.docket.offenders(),
            punished: punished.map(|(id, _)| id).collect(),
            burned: register.burned(),
            weights: self.weights(),
        }
    }

    /// What counts of everybody's bond: what the protocol's own record of absence leaves of it while
    /// nobody can decide, and otherwise what the chain says.
    fn weights(&self) -> Option<WeightsAnswer> {
        self.ledger.genesis().leak()?;
        let chain = self.ledger.committee(self.ledger.root())?;
        // It may be at a height that is only just committed.
        let own = self.protocol.weights().filter(|own| own.has_bonds_of(&chain));
        let recovering = own.as_ref().is_some_and(|own| own.members() != chain.members());
        let members = own.unwrap_or(chain);
        let weight = |&Member { id, share, .. }: &Member| {
            let Share { left, score } = share;
            WeightAnswer { id, left, score }
        };
        Some(WeightsAnswer {
            height: self.ledger.height() + 1,
            round: self.protocol.round(),
            recovering,
            members: members.members().iter().map(weight).collect(),
        })
    }

    fn block(&self, block: Arc<Block>) -> Box<BlockAnswer> {
        let hash = block.hash();
        let height = block.header.height;
        let committed = self.ledger.committed(height).is_some_and(|ours| ours.hash() == hash);
        let finality = if committed { self.ledger.finality(height) } else { None };
        Box::new(BlockAnswer { hash, block: block.as_ref().clone(), finality })
    }

    /// What a peer that is behind would be sent, for those who check by themselves.
    fn blocks(&self, from: u64) -> BlocksAnswer {
        let chained = sync::answer(&self.ledger, from);
        let last = chained.last().map(|chained| chained.block.header.height);
        BlocksAnswer {
            finality: last.and_then(|height| self.ledger.finality(height)),
            blocks: chained.iter().map(|chained| chained.block.as_ref().clone()).collect(),
        }
    }

    fn head_time(&self) -> u64 {
        let head = self.ledger.block(self.ledger.head());
        head.expect("the ledger has its head").header.time
    }

    fn headers(&self, from: u64) -> HeadersAnswer {
        let head_height = self.ledger.head_height();
        let heights = (from..=head_height).take(MAX_HEADERS);
        let headers = heights.map_while(|height| self.ledger.adopted(height));
        HeadersAnswer { headers: headers.map(|block| block.header.clone()).collect(), head_height }
    }

    fn bodies(&self, from: u64) -> Vec<Arc<Block>> {
        let mut bodies: Vec<Arc<Block>> = Vec::new();
        let mut transactions = 0;
        let confirmed = self.confirmations.and_then(|enough| {
            let above = self.ledger.head_height() + 1;
            above.checked_sub(enough)
        });
        let last = self.ledger.height().max(confirmed.unwrap_or(0));
        for height in from.max(1)..=last {
            if bodies.len() == sync::MAX_BLOCKS || transactions >= MAX_NAMED {
                break;
            }
            let Some(block) = self.ledger.adopted(height) else { break };
            transactions += block.transactions.len();
            bodies.push(block);
        }
        bodies
    }

    fn consensus(&self) -> ConsensusAnswer {
        let slots = self.inbox.slots().iter().map(|(slot, held)| {
            let messages = || held.voices.messages();
            let kind = messages().next().map_or("", |signed| signed.message().kind());
            let voice = |signed: &Signed<P::Message>| VoiceAnswer {
                sender: signed.sender(),
                value: signed.value(),
            };
            SlotAnswer { slot: *slot, kind: kind.into(), voices: messages().map(voice).collect() }
        });
        ConsensusAnswer {
            height: self.ledger.height() + 1,
            round: self.protocol.round(),
            slots: slots.take(MAX_SLOTS).collect(),
        }
    }

    fn transaction(&self, id: TransactionId) -> TransactionAnswer {
        let unknown = TransactionAnswer {
            id,
            status: TransactionStatus::Unknown,
            transaction: None,
            height: None,
            index: None,
            path: None,
            finality: None,
        };
        if let Some(waiting) = self.pool.get(id) {
            let transaction = Some(waiting.transaction().clone());
            return TransactionAnswer {
                status: TransactionStatus::Pending,
                transaction,
                ..unknown
            };
        }
        let (status, (height, index)) = match self.ledger.locate(id) {
            Some(place) => (TransactionStatus::Final, place),
            None => match self.ledger.locate_adopted(id) {
                Some(place) => (self.included(place.0), place),
                None => return unknown,
            },
        };
        let Some(block) = self.ledger.adopted(height) else { return unknown };
        TransactionAnswer {
            id,
            status,
            transaction: block.transactions.get(index as usize).cloned(),
            height: Some(height),
            index: Some(u64::from(index)),
            path: block.path(index as usize),
            finality: self.ledger.finality(height),
        }
    }

    /// How far a transaction has come whose block is adopted and not committed.
    fn included(&self, height: u64) -> TransactionStatus {
        let depth = self.ledger.head_height().saturating_sub(height) + 1;
        match self.confirmations {
            Some(enough) if depth >= enough => TransactionStatus::Confirmed,
            _ => TransactionStatus::Pending,
        }
    }

    fn account(&self, address: Address, height: u64) -> Answer {
        let proven = match self.ledger.adopted(height) {
            Some(block) => self.ledger.account_proven_at(block.hash(), address),
            None => Ok(None),
        };
        let (account, proof) = match proven {
            Ok(Some(found)) => found,
            Ok(None) => {
                let (root, head) = (self.ledger.height(), self.ledger.head_height());
                let asked = format!("there is no state at height {height}");
                return Answer::Failed(format!("{asked}, only from {root} to {head}"));
            }
            Err(error) => return Answer::Failed(error.to_string()),
        };
        // What is sent next builds on all that was sent before, final or not.
        let newest = self.ledger.account(self.ledger.head(), address).unwrap_or_default();
        Answer::Account(Box::new(AccountAnswer {
            address,
            account,
            next_nonce: self.pool.next_nonce(address, &newest),
            height,
            proof,
            finality: self.ledger.finality(height),
        }))
    }

    /// Pages of bounded length: a change names everybody and bears a certificate of most.
    fn committees(&self, from: u64) -> CommitteesAnswer {
        let mut changes = self.ledger.changes_after(from.saturating_sub(1), MAX_CHANGES + 1);
        let mut members = 0;
        let fits = changes.iter().take(MAX_CHANGES).take_while(|change| {
            // The first always does, or nobody could ever go on.
            let is_first = members == 0;
            // What a proof shows of a leak takes as much room as members do.
            members += change.members.len() + change.finality.proof.0.len() / 128;
            is_first || members <= MAX_MEMBERS
        });
        let fits = fits.count();
        let more = changes.len() > fits;
        changes.truncate(fits);
        CommitteesAnswer { changes, more }
    }

    fn committee_answer(&self) -> Answer {
        match self.ledger.committee(self.ledger.root()) {
            Some(committee) => Answer::Committee(CommitteeAnswer {
                height: self.ledger.height(),
                members: committee.members().to_vec(),
                recovery: self.weights().filter(|weights| weights.recovering),
            }),
            None => Answer::Failed("the committee of the last final block is not known".into()),
        }
    }
}
