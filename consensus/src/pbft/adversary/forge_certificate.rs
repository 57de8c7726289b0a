//! `forge-certificate`: claims in its view changes that a batch of its own was prepared, in the view
//! right before, so that no honest certificate is later. The signatures under it are true ones of
//! the others, from under other votes. As the new primary it begins its view with that.

use super::{
    super::{Prepared, Size, ViewChange, batch},
    Message, Pbft, is_first_offer,
};
use crate::{
    byzantine::{Lie, Seat, note},
    protocol::{Effect, Input, Protocol, Turn},
};
use crypto::Signature;
use ledger::ReplicaId;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct ForgeCertificate {
    /// The newest PREPARE of each, as far as its signature goes.
    heard: BTreeMap<ReplicaId, Signature>,
}

impl Lie<Pbft> for ForgeCertificate {
    fn step(
        &mut self,
        honest: &mut Pbft,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Input::Heard(signed) = &input
            && let Message::Prepare { .. } | Message::ViewChange(_) = signed.message()
        {
            self.heard.insert(signed.sender(), *signed.signature());
        }
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            match effect {
                Effect::Send { ref message, .. } if is_first_offer(message, turn) => {}
                Effect::Send { to, message: Message::ViewChange(change) } => {
                    let forged = self.forge(&change, turn);
                    // In place of the true one: of two nobody would keep the second.
                    seat.say(to, Message::ViewChange(forged), turn);
                }
                Effect::Send { to, message: Message::NewView { view, mut changes, .. } } => {
                    for (sender, change, signature) in &mut changes {
                        if *sender == turn.me {
                            *change = self.forge(change, turn);
                            let message = Message::ViewChange(change.clone());
                            *signature = *seat.sign(message).signature();
                        }
                    }
                    let proposals = super::super::view::select(
                        honest.flaw,
                        changes.iter().map(|(_, change, _)| change),
                    )
                    .proposals;
                    seat.say(to, Message::NewView { view, changes, proposals }, turn);
                }
                other => turn.act(other),
            }
        }
    }
}

impl ForgeCertificate {
    /// A view change with a certificate that its signers never signed.
    fn forge(&self, change: &ViewChange, turn: &mut Turn<'_, Message>) -> ViewChange {
        let sequence = change.low() + 1;
        let view = change.view.saturating_sub(1);
        let value = Some(batch::build(sequence, 1, turn.me, Vec::new()).hash());
        let committee = turn.app.committee(turn.app.root()).expect("the root has a committee");
        let needed = Size::of(&committee).quorum() - 1;
        let primary = super::super::proof::primary(&committee, view);
        let heard = self.heard.iter().filter(|(id, _)| **id != primary);
        let signatures: Vec<_> =
            heard.map(|(id, signature)| (*id, *signature)).take(needed).collect();
        note(turn, format!("forges a certificate of view {view} with {} votes", signatures.len()));
        let forged = Prepared { view, sequence, value, signatures };
        let others = change.prepared.iter().filter(|prepared| prepared.sequence != sequence);
        let prepared = [forged].into_iter().chain(others.cloned()).collect();
        ViewChange { prepared, ..change.clone() }
    }
}
