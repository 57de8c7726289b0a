//! `forge-empty` and `forge-stale`: a new primary that wants to lose what was prepared. The one
//! shows a quorum's view changes and draws no conclusion from them; the other signs a view change of
//! its own in which it has never prepared anything, and draws the right one. Everybody computes what
//! follows again, which undoes the former; and a quorum holds somebody honest who has prepared
//! whatever was decided, which undoes the latter.

use super::{
    super::{ViewChange, view},
    Message, Pbft, is_first_offer,
};
use crate::{
    Flaw,
    byzantine::{Lie, Seat, note},
    protocol::{Effect, To, Turn},
};

#[derive(Debug)]
pub(super) enum Forge {
    Empty,
    Stale,
}

impl Lie<Pbft> for Forge {
    fn bend(&mut self, effect: Effect<Message>, seat: &Seat, turn: &mut Turn<'_, Message>) {
        match effect {
            Effect::Send { ref message, .. } if is_first_offer(message, turn) => {}
            Effect::Send { message: Message::NewView { view, mut changes, proposals }, to } => {
                let forged = match self {
                    // Where nothing was prepared, something is made up instead.
                    Forge::Empty if proposals.is_empty() => vec![(1, None)],
                    Forge::Empty => Vec::new(),
                    Forge::Stale => {
                        let forgotten = ViewChange { view, stable: None, prepared: Vec::new() };
                        let signed = seat.sign(Message::ViewChange(forgotten.clone()));
                        for (sender, change, signature) in &mut changes {
                            if *sender == turn.me {
                                (*change, *signature) = (forgotten.clone(), *signed.signature());
                            }
                        }
                        view::select(Flaw::default(), changes.iter().map(|(_, change, _)| change))
                            .proposals
                    }
                };
                note(turn, format!("begins view {view} with {} proposals", forged.len()));
                let message = Message::NewView { view, changes, proposals: forged };
                match self {
                    Forge::Empty => seat.say(to, message, turn),
                    // Its own replica is to hear this one, and act upon it.
                    Forge::Stale => turn.send(To::All, message),
                }
            }
            other => turn.act(other),
        }
    }
}
