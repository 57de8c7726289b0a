//! Answers to people and programs, with proofs.

use super::Replica;
use crate::{
    event::{Answer, Query},
    sync,
};
use consensus::{Message, Protocol, Signed};
use crypto::Address;
use ledger::{
    Block, TransactionId,
    query::{
        AccountAnswer, BlockAnswer, BlocksAnswer, CommitteeAnswer, ConsensusAnswer, SlotAnswer,
        StatusAnswer, TransactionAnswer, TransactionStatus, VoiceAnswer,
    },
};
use std::sync::Arc;

/// How many slots one answer shows.
const MAX_SLOTS: usize = 256;

impl<P: Protocol> Replica<P> {
    /// Answers everything but [`Query::Submit`], which changes the pool.
    pub(super) fn answer(&self, query: &Query) -> Answer {
        match query {
            Query::Status => Answer::Status(self.status()),
            Query::BlockAt(height) => {
                Answer::Block(self.ledger.committed(*height).map(|block| self.block(block)))
            }
            Query::Block(hash) => {
                Answer::Block(self.ledger.block(*hash).map(|block| self.block(block)))
            }
            Query::Blocks(from) => Answer::Blocks(Box::new(self.blocks(*from))),
            Query::Consensus => Answer::Consensus(self.consensus()),
            Query::Transaction(id) => Answer::Transaction(Box::new(self.transaction(*id))),
            Query::Account(address) => self.account(*address),
            Query::Committee => self.committee_answer(),
            Query::Submit(_) => unreachable!("the main loop takes submissions apart"),
        }
    }

    fn status(&self) -> StatusAnswer {
        StatusAnswer {
            chain_id: self.ledger.chain_id(),
            consensus: self.ledger.genesis().consensus.clone(),
            replica: self.me,
            height: self.ledger.height(),
            head: self.ledger.head(),
            round: self.protocol.round(),
            peers: 0,
            pool: self.pool.len(),
            time: self.ledger.root_header().time,
            state: match &self.halted {
                None => "running".into(),
                Some(why) => format!("halted: {why}"),
            },
        }
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

    fn consensus(&self) -> ConsensusAnswer {
        let slots = self.inbox.slots().iter().map(|(slot, held)| {
            let messages = || held.messages.values().flatten();
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
        let Some((height, index)) = self.ledger.locate(id) else { return unknown };
        let Some(block) = self.ledger.committed(height) else { return unknown };
        TransactionAnswer {
            id,
            status: TransactionStatus::Final,
            transaction: block.transactions.get(index as usize).cloned(),
            height: Some(height),
            index: Some(u64::from(index)),
            path: block.path(index as usize),
            finality: self.ledger.finality(height),
        }
    }

    fn account(&self, address: Address) -> Answer {
        let (account, proof) = match self.ledger.account_with_proof(address) {
            Ok(found) => found,
            Err(error) => return Answer::Failed(error.to_string()),
        };
        let height = self.ledger.height();
        Answer::Account(Box::new(AccountAnswer {
            address,
            account,
            next_nonce: self.pool.next_nonce(address, &account),
            height,
            proof,
            finality: self.ledger.finality(height),
        }))
    }

    fn committee_answer(&self) -> Answer {
        match self.ledger.committee(self.ledger.root()) {
            Some(committee) => Answer::Committee(CommitteeAnswer {
                height: self.ledger.height(),
                members: committee.members().to_vec(),
            }),
            None => Answer::Failed("the committee of the last final block is not known".into()),
        }
    }
}
