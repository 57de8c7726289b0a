//! Carrying out what a protocol's step left behind.

use super::Replica;
use crate::{
    birth,
    event::{Action, Alarm, Class},
    packet::Packet,
    signer::Outcome,
    trace::What,
};
use consensus::{Effect, Input, Message, Protocol, To};
use ledger::{
    BlockHash, Committee, Ledger, Proof, ReplicaId, VerifiedTransaction,
    chain::CommitError,
    store::{Store, StoreError},
};
use std::{ops::Range, sync::Arc};

/// Keys of the replica's part of the store; the ledger's begin with other letters.
const RECORD: &[u8] = b"rr";
const ALARM: &[u8] = b"ra";
const BORN: &[u8] = b"rb";

impl<P: Protocol> Replica<P> {
    /// One arm for each effect; the work is below.
    pub(super) fn carry_out(&mut self, effect: Effect<P::Message>) {
        match effect {
            Effect::Send { to, message } => self.send(&to, message),
            Effect::Relay { to, message } => {
                let to = self.recipients(&to);
                self.post_to(to, Packet::Message(message), Class::Relay);
            }
            Effect::SetTimer { timer, after } => {
                self.post_now(Action::SetTimer { alarm: Alarm::Protocol(timer), after });
            }
            Effect::Persist { record, fresh } => self.persist(record, fresh),
            Effect::Mine { header, target } => self.post_now(Action::Mine { header, target }),
            Effect::Want(want) => self.want(want),
            Effect::Adopt { head } => self.adopt(head),
            Effect::Commit { block, proof } => self.commit(block, proof),
            Effect::Horizon { height, round } => self.raise(height, round),
            Effect::Defer(signed) => self.inbox.defer(signed),
            Effect::Accuse { offender, proof, charge } => {
                let slot = proof.first().and_then(|signed| signed.slot());
                self.trace(What::Accused { offender, charge: charge.into(), slot });
            }
            Effect::Note { label, detail } => {
                self.trace(What::Note { label: label.into(), detail });
            }
        }
    }

    /// Signs a message, hears it ourselves, and lets it leave once it is durable.
    fn send(&mut self, to: &To, message: P::Message) {
        let kind = message.kind();
        if let Some(birth) = &mut self.birth
            && message.slot().is_some()
        {
            return birth.hold(to.clone(), message);
        }
        if message.slot().is_some() {
            self.be_born();
        }
        let (signed, class) = match self.signer.sign(message, self.options.weak, &mut self.batch) {
            Outcome::First(signed) => (signed, Class::First),
            Outcome::Again(signed) => (signed, Class::Resend),
            Outcome::Conflict { .. } => return self.refuse(kind, "slot_taken"),
            Outcome::Dead { .. } => return self.refuse(kind, "slot_dead"),
        };
        self.hear(signed.clone());
        let to = self.recipients(to);
        self.post_to(to, Packet::Message(signed), class);
    }

    /// Signs what waited, once a quorum has told us how far it is.
    pub(super) fn try_birth(&mut self) {
        let committee = self.ledger.committee(self.ledger.root());
        let committee = committee.expect("the root's committee is known");
        let (me, now, quorum) = (self.me, self.moment.now, P::quorum(&committee));
        // Who is no validator has nothing to sign, and those who are asked may have left long ago: who
        // knows what we signed is told by the chain that names us.
        if self.ledger.staking().is_some() && !self.is_staked() {
            return;
        }
        let told = self.birth.as_mut().and_then(|birth| birth.floor(me, &committee, quorum, now));
        let Some((floor, since)) = told else { return };
        // A protocol's slots may run ahead of its blocks.
        let reached = self.ledger.height().max(self.inbox.horizon().height).saturating_add(1);
        if reached < floor && now < self.progress.max(since).saturating_add(birth::PATIENCE) {
            return;
        }
        let floor = floor.min(reached);
        let birth = self.birth.take().expect("it was just seen");
        self.be_born();
        self.signer.raise(floor, 0, &mut self.batch);
        if floor > 0 {
            let detail = format!("the disk was lost; nothing is signed up to height {floor}");
            self.trace(What::Note { label: "wiped".into(), detail });
        }
        for (to, message) in birth.into_held() {
            self.send(&to, message);
        }
    }

    /// From now on this disk knows what was signed.
    pub(super) fn be_born(&mut self) {
        if !std::mem::replace(&mut self.is_born, true) {
            self.batch.put(BORN.to_vec(), Vec::new());
        }
    }

    fn recipients(&self, to: &To) -> Vec<ReplicaId> {
        let peers = self.peers();
        match to {
            To::All => peers,
            To::One(id) => peers.into_iter().filter(|peer| peer == id).collect(),
            To::Some(ids) => peers.into_iter().filter(|peer| ids.contains(peer)).collect(),
        }
    }

    fn persist(&mut self, record: Vec<u8>, fresh: bool) {
        if fresh {
            for number in self.records.clone() {
                self.batch.delete(record_key(number));
            }
            self.records.start = self.records.end;
        }
        self.batch.put(record_key(self.records.end), record);
        self.records.end += 1;
    }

    fn adopt(&mut self, head: BlockHash) {
        let before = self.ledger.head();
        let (abandoned, fork) = self.enter(head);
        if self.ledger.head() != before {
            self.progress = self.moment.now;
            let height = self.ledger.head_height();
            self.trace(What::Adopted { height, block: head, abandoned, fork });
        }
        self.settle_pool();
    }

    /// Makes `head` the adopted one. What it leaves behind waits again: how many transactions, and
    /// above which height.
    fn enter(&mut self, head: BlockHash) -> (usize, u64) {
        let adopted = self.ledger.adopt(head).unwrap_or_else(|rejected| {
            panic!("the protocol adopted a block it had not accepted: {rejected}")
        });
        let found = (adopted.abandoned.len(), adopted.fork);
        for transaction in adopted.abandoned {
            self.back_to_pool(transaction);
        }
        found
    }

    /// Transactions of an abandoned branch wait again; those that cannot are gone for good. They are
    /// published as if they had been submitted here: who was not on that branch, as beyond a
    /// partition, may never have heard of them.
    fn back_to_pool(&mut self, transaction: ledger::Transaction) {
        let chain = self.ledger.chain_id();
        let verified: Option<VerifiedTransaction> = transaction.verify(chain).ok();
        let Some(verified) = verified else { return };
        match self.pool_in(verified) {
            Ok(id) => {
                self.submitted.insert(id, self.moment.now);
            }
            Err(refusal) => self.refuse("transaction", refusal.reason()),
        }
    }

    fn settle_pool(&mut self) {
        let (ledger, head) = (&self.ledger, self.ledger.head());
        let account = |address| ledger.account(head, address).unwrap_or_default();
        self.pool.settle_all(account);
        let executes = |all: &[&ledger::Transaction]| {
            let results = ledger.would_each_execute(head, all);
            results.iter().map(Result::is_ok).collect()
        };
        let void = self.pool.settle_conditional(account, executes);
        let own = self.signer.hand().account().map(|key| key.address());
        let is_report = |each: &&VerifiedTransaction| {
            Some(each.sender()) == own
                && matches!(each.payload().action, ledger::Action::Evidence(_))
        };
        let own = void.iter().find(is_report);
        self.voided = own.map(|report| report.payload().nonce).or(self.voided);
        self.pool_changed();
    }

    /// Makes `block` and its ancestors final, or stops for good if something else already is.
    pub(super) fn commit(&mut self, block: BlockHash, proof: Option<Proof>) {
        // A commit that leaves the adopted branch must not lose what only that branch held.
        let head = self.ledger.head();
        if head != self.ledger.root() && self.ledger.excludes(head, block) {
            self.enter(block);
        }
        let kept = proof.clone();
        let committed = match self.ledger.commit(block, proof, &mut self.batch) {
            Ok(committed) => committed,
            Err(CommitError::Conflict { committed, asked }) => {
                return self.alarm_of_commit((committed, asked), kept);
            }
            Err(CommitError::Unknown(block)) => {
                panic!("the protocol committed block {block} without having accepted it")
            }
        };
        for block in &committed {
            self.progress = self.moment.now;
            let (height, hash) = (block.header.height, block.hash());
            let transactions = block.transactions.len();
            self.trace(What::Committed { height, block: hash, transactions });
            self.post(Action::Committed { height, block: hash, transactions });
        }
        if !committed.is_empty() {
            self.settle_pool();
            self.settle_docket();
            // A newcomer has two heights from here to its seat.
            self.try_birth();
        }
    }

    fn raise(&mut self, height: u64, round: u64) {
        self.signer.raise(height, round, &mut self.batch);
        let dead = self.inbox.raise(height, round);
        let ledger = &self.ledger;
        self.testimony.close(&dead, |height| decided_by(ledger, height), self.moment.now);
        self.wants.clear();
        self.hear_deferred();
    }

    /// Stops voting and says why, now and after every restart. What serves readers goes on.
    pub(super) fn halt(&mut self, reason: String) {
        if self.halted.is_some() {
            return;
        }
        self.batch.put(ALARM.to_vec(), reason.clone().into_bytes());
        self.trace(What::Halted { reason: reason.clone() });
        self.post(Action::Halted(reason.clone()));
        self.halted = Some(reason);
        self.inputs.retain(|input| matches!(input, Input::Start { .. }));
    }
}

/// The committee that decided `height`; of heights that are not committed the newest one known.
fn decided_by(ledger: &Ledger, height: u64) -> Arc<Committee> {
    let newest = ledger.committee(ledger.root()).expect("the root's committee is known");
    let Some(below) = height.checked_sub(1).filter(|below| *below < ledger.height()) else {
        return newest;
    };
    let parent = ledger.committed(below).expect("what is below our height is committed");
    // Mostly the two are the same, and nothing has to be read.
    if parent.header.committee == ledger.root_header().committee {
        return newest;
    }
    ledger.committee(parent.hash()).unwrap_or(newest)
}

fn record_key(number: u64) -> Vec<u8> {
    [RECORD, &number.to_be_bytes()].concat()
}

/// The numbers of the records that are kept.
pub(super) fn stored_records(store: &dyn Store) -> Result<Range<u64>, StoreError> {
    let number = |key: &[u8]| {
        let digits = key.get(RECORD.len()..).and_then(|digits| digits.try_into().ok());
        digits.map_or(0, u64::from_be_bytes)
    };
    let kept = store.scan(RECORD)?;
    Ok(match (kept.first(), kept.last()) {
        (Some((first, _)), Some((last, _))) => number(first)..number(last) + 1,
        _ => 0..0,
    })
}

/// The records that are kept, oldest first.
pub(super) fn read_records(store: &dyn Store) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(store.scan(RECORD)?.into_iter().map(|(_, record)| record).collect())
}

/// Whether some life on this disk knew what it may sign.
pub(super) fn is_born(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.get(BORN)?.is_some())
}

/// Why an earlier life halted, if it did.
pub(super) fn stored_alarm(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let bytes = store.get(ALARM)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
