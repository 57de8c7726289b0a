//! Evidence becomes a transaction of our own account, so that whoever is guilty is punished.

use super::Replica;
use crate::{pool::PoolRefusal, trace::What};
use consensus::Protocol;
use ledger::{
    Action, Amount, VerifiedTransaction, stake::EvidenceRefusal, state::Refusal, vote::Evidence,
};

impl<P: Protocol> Replica<P> {
    /// Reports one of those against whom we hold evidence, unless a report of it waits in our pool. What
    /// got lost is reported again, since this is asked on each tick of gossip.
    ///
    /// One at a time, because evidence must be its account's next transaction; and not all of us begin with
    /// the same one.
    pub(super) fn report(&mut self) {
        if self.halted.is_some() || self.docket.is_empty() || self.ledger.staking().is_none() {
            return;
        }
        let (head, height) = (self.ledger.head(), self.ledger.head_height() + 1);
        let register = self.ledger.register(head).expect("the head has a register");
        let is_due = |evidence: &&Evidence| {
            let offender = register.validator(evidence.offender);
            offender.is_some_and(|offender| offender.punished.is_none())
                && evidence.slot.height <= height
                && !self.pool.accuses(evidence.offender)
        };
        let due: Vec<&Evidence> = self.docket.all().filter(is_due).collect();
        let Some(evidence) = due.get(self.me.0 as usize % due.len().max(1)) else { return };
        let evidence = (*evidence).clone();
        let Some(transaction) = self.sign_report(&evidence) else { return };
        let result = self.take_in(vec![transaction]).pop().expect("one result for each");
        match result {
            Ok(id) => {
                self.reported += 1;
                let detail =
                    format!("replica {} is reported by transaction {id}", evidence.offender);
                self.trace(What::Note { label: "report".into(), detail });
            }
            Err(refusal) => {
                self.refuse("report", refusal.reason());
                // It will never convict anybody.
                if let PoolRefusal::Refused(Refusal::Evidence(
                    EvidenceRefusal::NoSeat { .. } | EvidenceRefusal::Undated,
                )) = refusal
                {
                    self.docket.forget(evidence.offender, &mut self.batch);
                }
            }
        }
    }

    /// A transaction of our own account, if its next is not taken.
    fn sign_report(&self, evidence: &Evidence) -> Option<VerifiedTransaction> {
        let own = self.signer.hand().account()?.address();
        let account = self.ledger.account(self.ledger.head(), own).unwrap_or_default();
        if self.pool.next_nonce(own, &account) != account.nonce {
            return None;
        }
        let action = Action::Evidence(Box::new(evidence.clone()));
        self.sign_own(account.nonce, action)
    }

    /// A transaction of our own account, if we have one.
    fn sign_own(&self, nonce: u64, action: Action) -> Option<VerifiedTransaction> {
        let transaction = self.signer.hand().transact(nonce, action)?;
        let verified = transaction.verify(self.ledger.chain_id());
        Some(verified.expect("we have just signed it for this chain"))
    }

    /// Uses up the nonce of a report of ours that somebody else was faster with, if transactions of our account
    /// wait for it: a wallet that asked for the next nonce was told the one after, and neither it nor we would
    /// ever come back to this one. We send ourselves nothing.
    pub(super) fn fill_gap(&mut self) {
        let (Some(nonce), Some(key)) = (self.voided, self.signer.hand().account()) else { return };
        let own = key.address();
        let account = self.ledger.account(self.ledger.head(), own).unwrap_or_default();
        if account.nonce > nonce {
            self.voided = None;
        } else if self.pool.lacks(own, nonce) && self.halted.is_none() {
            let action = Action::Transfer { to: own, amount: Amount::ZERO };
            let nothing = self.sign_own(nonce, action).expect("it has an account");
            let result = self.take_in(vec![nothing]).pop().expect("one result for each");
            if let Err(refusal) = result {
                self.refuse("filler", refusal.reason());
            }
        }
    }

    /// Forgets evidence that has done its work, or can do it no more.
    pub(super) fn settle_docket(&mut self) {
        let settled: Vec<_> = self.docket.all().filter(|each| self.is_settled(each)).collect();
        let settled: Vec<_> = settled.into_iter().map(|evidence| evidence.offender).collect();
        for offender in settled {
            self.docket.forget(offender, &mut self.batch);
        }
    }

    /// Whether no report of it will ever convict anybody: the offender is punished for good, or had no seat,
    /// or it happened too long ago, or so far ahead that nobody honest listens. Such a confession would
    /// otherwise keep us from holding what does convict. Where nobody is ever punished it is never settled.
    pub(super) fn is_settled(&self, evidence: &Evidence) -> bool {
        let Some(rules) = self.ledger.staking() else { return false };
        let (id, slot, height) = (evidence.offender, evidence.slot, self.ledger.height());
        let known = height.max(self.inbox.horizon().height);
        if slot.height > known.saturating_add(self.protocol.heights_ahead()) {
            return true;
        }
        let register = self.ledger.register(self.ledger.root()).expect("the root has a register");
        match register.try_deed(id, slot.height, slot.height.max(height + 1), rules) {
            Ok(_) => false,
            Err(EvidenceRefusal::NoSeat { .. }) => !register.may_sit(id, slot.height, height),
            Err(_) => true,
        }
    }
}
