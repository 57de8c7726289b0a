//! Replicas that ask for more stake, or for some of it back.

use super::World;
use consensus::Protocol;
use ledger::{Action, Amount, Ledger, Payload, ReplicaId};
use replica::Query;

impl<P: Protocol> World<P> {
    /// Has a replica's account bond some of its money. A first bond is for the number that the replica goes
    /// by, which the ledger refuses unless it is the next one.
    pub fn bond(&mut self, id: ReplicaId, amount: Amount) {
        self.ask_for(id, Action::Bond { amount, validator: id });
    }

    /// Has a replica's account take out some of its stake.
    pub fn unbond(&mut self, id: ReplicaId, amount: Amount) {
        self.ask_for(id, Action::Unbond { amount });
    }

    /// The ledger that is furthest, of those who are up.
    pub fn furthest(&self) -> Option<&Ledger> {
        let up = self.replicas().filter_map(|id| self.ledger(id));
        up.max_by_key(|ledger| ledger.height())
    }

    /// Signs with the next nonce, as the furthest ledger has it, and submits at the replica itself, or where
    /// somebody is up. If nobody is, nothing is asked. It pays a fee if it can, so that it goes before
    /// whatever waits for nothing.
    fn ask_for(&mut self, id: ReplicaId, action: Action) {
        let key = self.setup.validator(id);
        let sender = key.public();
        let Some(ledger) = self.furthest() else { return };
        let account = ledger.account(ledger.head(), sender.address()).unwrap_or_default();
        let spent = match &action {
            Action::Bond { amount, .. } => *amount,
            _ => Amount::ZERO,
        };
        let fee = Amount(u64::from(account.balance > spent));
        let chain = self.genesis.chain_id();
        let payload = Payload { chain, sender, nonce: account.nonce, fee, action };
        let signed = payload.sign(&key).verify(chain);
        let signed = signed.expect("it was signed for this chain by its sender");
        let at = [id].into_iter().chain(self.replicas()).find(|id| self.is_up(*id));
        at.map(|at| self.ask(at, Query::Submit(signed)));
    }
}
