//! What a replica remarks when a weak rule lets something pass that the true one would not have.

use super::{
    super::{
        Message, Prepared, State, Value, ViewChange, note, proof,
        view::{Selection, select},
    },
    P2, P3, P4, P5,
};
use crate::{Flaw, protocol::Turn, quorum::Claimed};
use crypto::Signature;
use ledger::ReplicaId;

/// Remarks upon it.
pub(in super::super) fn remark(turn: &mut Turn<'_, Message>, detail: String) {
    note(turn, "flaw", detail);
}

/// A value, for people.
pub(in super::super) fn name(value: Value) -> String {
    value
        .map_or_else(|| "the null request".to_owned(), |digest| format!("batch {}", digest.short()))
}

impl State {
    /// Remarks upon what a view begins with that a sound one would not have begun with.
    pub(in super::super) fn remark_on_a_view(
        &self,
        view: u64,
        changes: &[(ReplicaId, ViewChange, Signature)],
        selection: &Selection,
        turn: &mut Turn<'_, Message>,
    ) {
        if self.flaw == Flaw::default() {
            return;
        }
        if self.flaw.is(P2) && changes.len() < self.size.quorum() {
            let whose: Vec<_> = changes.iter().map(|(sender, ..)| sender.to_string()).collect();
            let whose = whose.join(" and ");
            remark(turn, format!("P2: view {view} begins with the view changes of {whose} alone"));
        }
        if self.flaw.is(P3) {
            self.remark_on_certificates(changes, turn);
        }
        let sound = select(Flaw::default(), changes.iter().map(|(_, change, _)| change));
        if self.flaw.is(P4) {
            for (&(sequence, chosen), &(_, due)) in
                selection.proposals.iter().zip(&sound.proposals).filter(|(one, two)| one != two)
            {
                let (chosen, due) = (name(chosen), name(due));
                remark(
                    turn,
                    format!(
                        "P4: in view {view} number {sequence} stands for {chosen}, though {due} has \
                         the certificate of the latest view"
                    ),
                );
            }
        }
        if self.flaw.is(P5) {
            let is_open = |each: &&(u64, Value)| !selection.proposals.contains(each);
            for (sequence, _) in sound.proposals.iter().filter(is_open) {
                remark(turn, format!("P5: view {view} leaves number {sequence} open for ever"));
            }
        }
    }

    /// P3: which certificates would not have been believed.
    fn remark_on_certificates(
        &self,
        changes: &[(ReplicaId, ViewChange, Signature)],
        turn: &mut Turn<'_, Message>,
    ) {
        for (sender, change, _) in changes {
            for certificate in &change.prepared {
                let judge = |claimed: &Claimed<Message>| turn.open(claimed).is_some();
                let holds = certificate.view < change.view
                    && proof::check_prepared(certificate, &self.committee, &judge).is_ok();
                if !holds {
                    let Prepared { view, sequence, value, .. } = *certificate;
                    let value = name(value);
                    let detail = format!(
                        "P3: believes {sender} that {value} was prepared as number {sequence} in view \
                         {view}, which no quorum signed"
                    );
                    remark(turn, detail);
                }
            }
        }
    }
}
