//! What peers ask of us, and how much of it they get: see [`crate::allowance`].

use super::Replica;
use crate::{
    allowance::{BLOCK, Ruling},
    event::{Action, Class},
    gossip::{self, Summary},
    packet::{Ask, Chained, Packet},
    sync,
};
use consensus::{Message, Protocol, Signed};
use crypto::codec;
use ledger::{Block, ReplicaId};

/// A certificate or a few besides a block, in bytes, roughly.
const PROOF: u64 = 1024;

impl<P: Protocol> Replica<P> {
    /// Whether a peer may ask something, or tell what it holds, at this moment. What it may not is refused,
    /// and no answer given.
    pub(super) fn may_ask(&mut self, peer: ReplicaId, what: &'static str) -> bool {
        let ruling = self.allowance.question(peer, self.moment.now);
        self.carry_out_ruling(peer, what, ruling)
    }

    fn carry_out_ruling(&mut self, peer: ReplicaId, what: &'static str, ruling: Ruling) -> bool {
        if ruling != Ruling::Granted {
            self.refuse(what, "too_often");
        }
        if ruling == Ruling::Outrageous {
            self.blame(peer, "asks_too_often");
        }
        ruling == Ruling::Granted
    }

    /// Tells our world that a peer did what no honest one does.
    pub(super) fn blame(&mut self, peer: ReplicaId, fault: &'static str) {
        self.post_now(Action::Blame { peer, fault });
    }

    pub(super) fn asked_by(&mut self, peer: ReplicaId, ask: Ask) {
        if !self.may_ask(peer, "ask") {
            return;
        }
        let now = self.moment.now;
        match ask {
            Ask::Summary => self.tell(peer),
            _ if self.allowance.may_answer(peer, now) => self.answer_ask(peer, ask),
            Ask::Blocks { from } => {
                let ruling = self.allowance.put_off(peer, now, from);
                self.carry_out_ruling(peer, "ask", ruling);
            }
            _ => self.refuse("ask", "too_much"),
        }
    }

    /// Answers those whose questions were put off and who have waited long enough.
    pub(super) fn answer_put_off(&mut self) {
        for (peer, from) in self.allowance.due(self.moment.now) {
            self.answer_ask(peer, Ask::Blocks { from });
        }
    }

    fn answer_ask(&mut self, peer: ReplicaId, ask: Ask) {
        let (packet, price) = match ask {
            Ask::Blocks { from } => {
                let blocks = match P::proofs_settle() {
                    true => sync::answer(&self.ledger, from),
                    false => sync::answer_adopted(&self.ledger, from),
                };
                let price = blocks.iter().map(price_of_chained).sum();
                (Packet::Blocks(blocks), price)
            }
            Ask::Block(hash) => match sync::answer_branch(&self.ledger, hash) {
                blocks if blocks.is_empty() => return,
                blocks => {
                    let price = blocks.iter().map(|block| price_of_block(block)).sum();
                    (Packet::Branch(blocks), price)
                }
            },
            Ask::Whole(carrier) => match self.find(&carrier) {
                Some(signed) => (Packet::Message(signed.clone()), price_of_message(signed)),
                None => return,
            },
            Ask::Message(id) => {
                match self.loose.iter().find(|signed| *signed.id().as_bytes() == id) {
                    Some(signed) => (Packet::Message(signed.clone()), price_of_message(signed)),
                    None => return,
                }
            }
            Ask::Summary => return self.tell(peer),
        };
        self.allowance.answered(peer, self.moment.now, price);
        self.post_to(vec![peer], packet, Class::Sync);
    }

    /// Sends what a peer lacks, and what contradicts it. Nothing as long as it has had too much of us.
    pub(super) fn answer_summary(&mut self, from: ReplicaId, summary: &Summary) {
        let now = self.moment.now;
        if !self.allowance.may_answer(from, now) {
            return;
        }
        let Some(committee) = self.ledger.committee(self.ledger.root()) else { return };
        for signed in gossip::missing(&self.inbox, summary, &committee, now) {
            self.allowance.answered(from, now, price_of_message(&signed));
            self.post_to(vec![from], Packet::Message(signed), Class::Resend);
        }
        self.compare(from, &summary.dead);
    }
}

fn price_of_chained(chained: &Chained) -> u64 {
    let proof = chained.proof.as_ref().map_or(0, |proof| proof.0.len() as u64);
    price_of_block(&chained.block).saturating_add(proof)
}

fn price_of_block(block: &Block) -> u64 {
    BLOCK + codec::encoded_len(block) as u64
}

/// What is in a message besides its block is small.
fn price_of_message<M: Message>(signed: &Signed<M>) -> u64 {
    signed.message().block().map_or(PROOF, |block| price_of_block(block))
}
