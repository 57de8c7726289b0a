//! Heights begin and end, replicas crash and wake, messages come in.

use super::{
    Choice, Config, Instance, Message, Polka, Step,
    attendance::{self, Attendance, Roll},
    log::{Early, Log, Offer},
    message::Tables,
    mutants, note,
    recovery::{Recovery, told},
    rotation::{Proposers, follow},
};
use crate::{
    Flaw,
    protocol::{Effect, Turn},
    quorum::{Claimed, Signed},
};
use crypto::{Hash, Signature, codec};
use ledger::{BlockHash, Proof, ReplicaId, leak::MAX_ALIVES, stake::Rotation, vote::MAX_COMMITTEE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// All that must outlive a crash. It is small, so each record is the whole of it and replaces the
/// one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    place: Place,
    /// Of the valid value: gossip may not bring the same prevotes again.
    polka: Polka,
}

/// The part of a record that tells whether anything changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    height: u64,
    round: u64,
    step: Step,
    locked: Option<Choice>,
    valid: Option<Choice>,
}

impl Record {
    const MAX_BYTES: usize = 256 + MAX_COMMITTEE * (4 + 64) + MAX_ALIVES * (4 + 64 + 16);

    /// From our own disk, so anything else than a record is our own fault: to go on without a
    /// lock that may have been there could fork the chain.
    fn decode(bytes: &[u8]) -> Record {
        codec::decode(bytes, Record::MAX_BYTES).expect("the last record is one of Tendermint's")
    }
}

impl Instance {
    /// The consensus on the child of `parent`, a block that the ledger holds. No round has begun.
    pub(super) fn new(
        config: Config,
        flaw: Flaw,
        parent: BlockHash,
        previous: Option<&Rotation>,
        turn: &Turn<'_, Message>,
    ) -> Instance {
        let header = &turn.app.block(parent).expect("a decided block is held").header;
        let committee = turn.app.committee(parent).expect("a decided block has a committee");
        let height = header.height + 1;
        let followed = previous.and_then(|stored| follow(stored, &committee, height));
        let stored = followed.or_else(|| turn.app.proposers(parent));
        let stored = stored.expect("a decided block is the root or about to be");
        let recovery = Recovery::new(&config);
        Instance {
            config,
            flaw,
            parent,
            parent_time: header.time,
            height,
            round: 0,
            step: Step::Propose,
            locked: None,
            valid: None,
            polka: Polka::default(),
            log: Log::new(committee, recovery.is_some(), flaw),
            recovery,
            early: Early::default(),
            attendance: Attendance::default(),
            proposers: Proposers::new(stored),
            proposed: false,
            judged: BTreeSet::new(),
            taken: BTreeSet::new(),
            armed: BTreeSet::new(),
            began: turn.now,
            resting: false,
            verdicts: BTreeMap::new(),
            postponed: BTreeSet::new(),
            wanted: BTreeSet::new(),
            saved: None,
        }
    }

    /// L52–L54: `block` is decided, by the precommits on `roll`; its child is next.
    pub(super) fn begin_after(
        &mut self,
        block: BlockHash,
        roll: Option<Roll>,
        turn: &mut Turn<'_, Message>,
    ) {
        let previous = Some(self.proposers.stored());
        let mut next = Instance::new(self.config, self.flaw, block, previous, turn);
        next.attendance = std::mem::take(&mut self.attendance).then(roll, next.height);
        *self = next;
        let dead = self.height - 1 - attendance::lag(&self.config);
        turn.act(Effect::Horizon { height: dead, round: 0 });
        self.l11_start_round(0, turn);
    }

    /// A life begins: takes up the place that the records and our own messages show, whichever is
    /// further. What they signed is not signed again, since the step is past it.
    pub(super) fn wake(
        &mut self,
        records: &[Vec<u8>],
        own: Vec<Signed<Message>>,
        turn: &mut Turn<'_, Message>,
    ) {
        let record = records.last().map(|bytes| Record::decode(bytes));
        let mut place = (0, Step::Propose);
        if let Some(Record { place: saved, polka }) = record
            && saved.height == self.height
        {
            (self.locked, self.valid, self.polka) = (saved.locked, saved.valid, polka);
            place = (saved.round, saved.step);
            self.taken.extend(saved.valid.map(|valid| valid.round));
        }
        for message in own.iter().map(Signed::message) {
            let step = match message {
                Message::Alive { .. } | Message::Proposal { .. } => Step::Propose,
                Message::Prevote { .. } => Step::Prevote,
                Message::Precommit { .. } => Step::Precommit,
            };
            if message.height() == self.height {
                place = place.max((message.round(), step));
            }
        }
        self.enter(place.0, place.1, turn);
        for signed in own {
            self.hear(signed, turn);
        }
        self.proposed = self.has_proposed(turn);
        match &self.recovery {
            None if self.step == Step::Propose => self.await_proposal(turn),
            Some(_) if self.round == 0 => self.run_timers(turn),
            _ => {}
        }
    }

    /// Sync committed `block` without us.
    pub(super) fn advance(
        &mut self,
        block: BlockHash,
        proof: &Proof,
        turn: &mut Turn<'_, Message>,
    ) {
        let held = turn.app.block(block).expect("a committed block is held");
        if held.header.height >= self.height {
            let roll = self.synced_roll(&held.header, proof, turn);
            self.begin_after(block, roll, turn);
        }
    }

    /// Moves to a round and counts what was said in it, and before it, too early for us.
    pub(super) fn enter(&mut self, round: u64, step: Step, turn: &mut Turn<'_, Message>) {
        assert!(round >= self.round, "rounds only go up");
        (self.round, self.step) = (round, step);
        self.armed.clear();
        self.judged.clear();
        self.postponed.clear();
        if self.log.forget_by_flaw(round) {
            self.remark_on_forgetting(turn);
        }
        self.resting = false;
        if let Some(recovery) = &mut self.recovery {
            recovery.enter(round, self.log.committee().len());
        }
        self.proposers.reach(round);
        let proposer = self.proposers.of(round);
        note(turn, "round", format!("{}/{round} of proposer {proposer}", self.height));
        for signed in self.early.until(round) {
            self.count(&signed, turn);
        }
        self.proposed = self.has_proposed(turn);
    }

    /// Whether a proposal of ours for this round has been heard, or came back with a new life.
    fn has_proposed(&self, turn: &Turn<'_, Message>) -> bool {
        self.proposers.of(self.round) == turn.me && !self.log.offers(self.round).is_empty()
    }

    /// Sorts a message by when it belongs to. False if no rule can have waited for it: most votes come
    /// before a quorum has voted or after the decision.
    pub(super) fn hear(&mut self, signed: Signed<Message>, turn: &mut Turn<'_, Message>) -> bool {
        let (height, round) = (signed.message().height(), signed.message().round());
        if height > self.height {
            turn.act(Effect::Defer(signed));
            return false;
        }
        if height < self.height {
            self.attendance.hear(&signed);
            return false;
        }
        if self.log.committee().seat(signed.sender()).is_none() {
            let detail = format!("{height}/{round} from {}, who has no seat", signed.sender());
            note(turn, "dropped", detail);
            return false;
        }
        if round <= self.round {
            self.count(&signed, turn);
            return self.log.may_stir(signed.message()) || !self.postponed.is_empty();
        }
        let sender = signed.sender();
        if !self.early.add(self.round, self.flaw, signed) {
            let detail = format!("{height}/{round} or lower: {sender} speaks in too many rounds");
            note(turn, "dropped", detail);
        }
        true
    }

    /// Enters a member's message of a round we have reached into the log.
    fn count(&mut self, signed: &Signed<Message>, turn: &mut Turn<'_, Message>) {
        match self.enter_into_log(signed, turn) {
            Ok(()) => {}
            Err(fault) => {
                let (sender, round) = (signed.sender(), signed.message().round());
                note(turn, "dropped", format!("{}/{round} from {sender}: {fault}", self.height));
            }
        }
    }

    /// Or says why a proposal is none, whatever its value is worth. There is nobody to accuse:
    /// nonsense is signed freely, only a contradiction convicts.
    fn enter_into_log(
        &mut self,
        signed: &Signed<Message>,
        turn: &mut Turn<'_, Message>,
    ) -> Result<(), &'static str> {
        if let Message::Alive { .. } = signed.message() {
            return self.hear_alive(signed, turn);
        }
        let Message::Proposal { round, valid_round, polka, tables, block, .. } = signed.message()
        else {
            if mutants::forgets_prevotes(self.flaw, signed.message(), self.round) {
                return Err("a mutant drops prevotes of earlier rounds");
            }
            if self.log.vote(signed) {
                self.remark_on_copy(signed, turn);
            }
            return Ok(());
        };
        if signed.sender() != self.proposers.of(*round) {
            return Err("it is not its turn to propose");
        }
        if !block.body_matches() {
            return Err("its body is not the one its header names");
        }
        let nothing = Tables::default();
        let tables = tables.as_deref().unwrap_or(&nothing);
        let table = self.learn_table(*round, &tables.own, turn)?;
        match *valid_round {
            None if block.header.proposer != signed.sender() => {
                return Err("its fresh block names another builder");
            }
            None if told(&block.duties) != table.map(|table| (*round, table)) => {
                return Err("its fresh block tells of another table");
            }
            None => {}
            Some(valid_round) if valid_round >= *round => {
                return Err("its valid round is not an earlier one");
            }
            Some(valid_round) => {
                let under = self.learn_table(valid_round, &tables.polka, turn)?;
                self.count_polka(valid_round, (block.hash(), under), polka, turn)?;
            }
        }
        let offer = Offer { valid_round: *valid_round, value: block.hash(), table };
        self.log.offer(*round, offer, block);
        Ok(())
    }

    /// Counts the prevotes that a proposal brings, unless the polka is known, as it mostly is.
    fn count_polka(
        &mut self,
        round: u64,
        (value, table): (BlockHash, Option<Hash>),
        polka: &[(ReplicaId, Signature)],
        turn: &Turn<'_, Message>,
    ) -> Result<(), &'static str> {
        if self.log.has_polka(round, value) {
            return Ok(());
        }
        let (height, value_named) = (self.height, Some(value));
        let message = Message::Prevote { height, round, value: value_named, table };
        // A seat needs one signature; more than that only cost time.
        for &(sender, signature) in polka.iter().take(self.log.committee().len()) {
            let claimed = Claimed { sender, message: message.clone(), signature };
            self.log.vote(&turn.open(&claimed).ok_or("a prevote of its polka is forged")?);
        }
        if !self.log.has_polka(round, value) {
            return Err("it does not bring the polka it names");
        }
        Ok(())
    }

    /// Makes this step's changes durable; the replica syncs them before any vote of it leaves.
    pub(super) fn persist(&mut self, turn: &mut Turn<'_, Message>) {
        let Instance { height, round, step, locked, valid, .. } = *self;
        let place = Place { height, round, step, locked, valid };
        if self.saved == Some(place) {
            return;
        }
        self.saved = Some(place);
        let record = Record { place, polka: self.polka.clone() };
        turn.act(Effect::Persist { record: codec::encode(&record), fresh: true });
    }
}
