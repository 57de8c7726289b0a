//! What a replica says of values: one prevote and one precommit in a round.

use super::{Choice, Instance, Message, Step, log::Offer, recovery::SignedTable};
use crate::protocol::{To, Turn};
use crypto::{Hash, Signature};
use ledger::{BlockHash, ReplicaId};
use serde::{Deserialize, Serialize};

/// A polka as a proposal brings it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Polka {
    pub(super) signatures: Vec<(ReplicaId, Signature)>,
    /// Under whose weights they are a quorum; empty for those of the chain.
    pub(super) table: SignedTable,
}

/// What a vote that is not nil names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ballot {
    pub(super) value: BlockHash,
    pub(super) table: Option<Hash>,
}

impl Ballot {
    /// As a vote spells it; nil names neither.
    pub(super) fn parts(ballot: Option<Ballot>) -> (Option<BlockHash>, Option<Hash>) {
        (ballot.map(|ballot| ballot.value), ballot.and_then(|ballot| ballot.table))
    }
}

impl Instance {
    /// L42–L43: a value with a polka is what we propose from now on.
    pub(super) fn make_valid(&mut self, round: u64, value: BlockHash) {
        let (signatures, table) = self.log.polka(round, value).expect("it was found there");
        self.valid = Some(Choice { round, value });
        self.polka = Polka { signatures, table: self.table_of(table) };
    }

    /// L22 and L28 ask for step propose.
    pub(super) fn may_prevote(&self) -> bool {
        self.step == Step::Propose || self.may_prevote_by_flaw()
    }

    /// Prevotes what is offered, or nil.
    pub(super) fn judge(&mut self, offer: Offer, good: bool, turn: &mut Turn<'_, Message>) {
        let Offer { value, table, .. } = offer;
        self.judged.insert(value);
        self.prevote(good.then_some(Ballot { value, table }), turn);
    }

    /// The vote and the step go together, so that a round has one prevote of ours.
    pub(super) fn prevote(&mut self, ballot: Option<Ballot>, turn: &mut Turn<'_, Message>) {
        if self.step != Step::Propose {
            return self.prevote_again(ballot, turn);
        }
        self.step = Step::Prevote;
        let (height, round) = (self.height, self.round);
        let (value, table) = Ballot::parts(ballot);
        self.say(Message::Prevote { height, round, value, table }, turn);
    }

    /// As [`Instance::prevote`].
    pub(super) fn precommit(&mut self, ballot: Option<Ballot>, turn: &mut Turn<'_, Message>) {
        assert_eq!(self.step, Step::Prevote, "a precommit leaves step prevote");
        self.step = Step::Precommit;
        let (height, round) = (self.height, self.round);
        let (value, table) = Ballot::parts(ballot);
        self.say(Message::Precommit { height, round, value, table }, turn);
    }

    /// Broadcasts; our own copy is counted when it is heard. Without a seat we only follow.
    pub(super) fn say(&self, message: Message, turn: &mut Turn<'_, Message>) {
        if self.log.committee().seat(turn.me).is_some() {
            turn.send(To::All, message);
        }
    }
}
