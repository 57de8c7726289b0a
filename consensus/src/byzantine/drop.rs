//! `drop`: forgets half of what it should say, and says the rest to some only.

use super::{Lie, Seat, note, pick};
use crate::protocol::{Effect, Message, Protocol, To, Turn};
use ledger::ReplicaId;

#[derive(Debug)]
pub(super) struct Drop;

impl<P: Protocol> Lie<P> for Drop {
    fn bend(&mut self, effect: Effect<P::Message>, _: &Seat, turn: &mut Turn<'_, P::Message>) {
        let (to, kind) = match &effect {
            Effect::Send { to, message } => (to.clone(), message.kind()),
            Effect::Relay { to, message } => (to.clone(), message.message().kind()),
            _ => return turn.act(effect),
        };
        if pick(turn, 2) == 0 {
            return note(turn, format!("drops its {kind}"));
        }
        let some: Vec<_> =
            recipients(to, turn).into_iter().filter(|_| pick(turn, 2) == 0).collect();
        note(turn, format!("says its {kind} to {} only", some.len()));
        turn.act(match effect {
            Effect::Send { message, .. } => Effect::Send { to: To::Some(some), message },
            Effect::Relay { message, .. } => Effect::Relay { to: To::Some(some), message },
            other => other,
        });
    }
}

/// By name.
pub(crate) fn recipients<M: Message>(to: To, turn: &Turn<'_, M>) -> Vec<ReplicaId> {
    match to {
        To::One(id) => vec![id],
        To::Some(ids) => ids,
        To::All => {
            let committee = turn.app.committee(turn.app.root());
            let members = committee.iter().flat_map(|committee| committee.members());
            members.map(|member| member.id).filter(|id| *id != turn.me).collect()
        }
    }
}
