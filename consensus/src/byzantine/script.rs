//! A liar that goes by a script: it does as an honest replica would, except for what is written down,
//! message by message. It is the lie that all others can be taken apart into.
//!
//! A [`Line`] stands for one message, in the slot that it would have if it were honest. Whoever is to
//! hear the line does not hear what the honest protocol would have said in that slot. What is said in
//! it, and when all it takes is there, only the protocol knows: its [`Puppet`].

use super::{Lie, Seat, note};
use crate::{
    catalogue::{self, Module, UnknownModule, Visitor},
    protocol::{Effect, Input, Message, Protocol, To, Turn},
    quorum::Signed,
};
use ledger::ReplicaId;
use std::collections::VecDeque;

/// One thing said by a script.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Line {
    /// The paper's name of the message, as [`Message::kind`].
    pub kind: String,
    /// Of its slot: a height, or a sequence number; zero where the protocol's slot has none.
    pub height: u64,
    /// Of its slot: a round, or a view.
    pub round: u64,
    /// What it speaks for.
    pub value: Word,
    /// The earlier round or view that it appeals to: the valid round of a proposal.
    pub proof: Option<u64>,
    /// What it claims to have prepared, in protocols whose messages claim such things.
    pub claims: Vec<Claim>,
    /// In whose names besides its own it is said, as far as a signature of theirs can be passed off.
    pub names: Vec<ReplicaId>,
    /// Who hears it; everybody if nobody is named.
    pub to: Vec<ReplicaId>,
    /// In which of its own rounds the liar says it, if not in that of the line.
    pub when: Option<u64>,
}

/// A value, by where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Word {
    /// None.
    #[default]
    Nil,
    /// A block of the liar's own, or another one with another number.
    Mine(u8),
    /// What was first proposed to the liar in that round of the line's height.
    Of(u64),
}

/// What a line claims to have been prepared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Claim {
    /// The number.
    pub sequence: u64,
    /// In which view.
    pub view: u64,
    /// What it stands for.
    pub value: Word,
}

/// How an explorer sets a module's scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stage {
    /// What a genesis sets, so that much goes wrong soon.
    pub settings: &'static [(&'static str, u64)],
    /// What a genesis sets instead where its rules are to be as loose as they may be.
    pub loose: &'static [(&'static str, u64)],
    /// What can be withheld, and what a script can say, in the order of the protocol's steps.
    pub parts: &'static [Part],
}

/// One kind of message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The paper's name.
    pub kind: &'static str,
    /// What it does.
    pub sort: Sort,
}

/// What a kind of message does, for whoever makes up schedules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// A leader offers a value at a height in a round.
    Offer,
    /// Somebody speaks for a value at a height in a round.
    Vote,
    /// Somebody says how far it is: its slot has a height, and no round.
    Report,
    /// Somebody gives up on the rounds before this one: its slot has no height.
    Change,
    /// A leader begins a round: its slot has no height.
    Opening,
}

/// What makes a scripted liar's messages.
pub trait Puppet<P: Protocol>: Send {
    /// Looks on before the honest protocol takes a step: what it will need is remembered.
    fn watch(
        &mut self,
        honest: &P,
        input: &Input<P::Message>,
        lines: &[Line],
        turn: &mut Turn<'_, P::Message>,
    );

    /// What a line says, signed by whoever is to have said it: `seat` signs for the liar alone. None
    /// as long as something that it takes is not there.
    fn utter(
        &mut self,
        line: &Line,
        honest: &P,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) -> Option<Vec<Signed<P::Message>>>;
}

/// Whether liars can go by a script in the module called `module`.
///
/// # Errors
/// If there is no such module.
pub fn can_play(module: &str) -> Result<bool, UnknownModule> {
    struct Ask;

    impl Visitor for Ask {
        type Output = bool;

        fn visit<P: Module>(self) -> bool {
            P::puppet().is_some()
        }
    }

    catalogue::dispatch(module, Ask)
}

/// Goes by a script.
pub struct Script<P: Protocol> {
    lines: Vec<Line>,
    said: Vec<bool>,
    puppet: Box<dyn Puppet<P>>,
}

impl<P: Protocol> Script<P> {
    /// For one life; none where the protocol cannot be scripted.
    pub fn new(lines: Vec<Line>) -> Option<Script<P>> {
        let said = vec![false; lines.len()];
        Some(Script { lines, said, puppet: P::puppet()? })
    }

    /// The lines in the slot of a message.
    fn lines_of<'a>(&'a self, message: &'a P::Message) -> impl Iterator<Item = &'a Line> {
        let place = message.slot().map(|slot| (slot.height, slot.round));
        self.lines.iter().filter(move |line| {
            line.kind == message.kind() && place == Some((line.height, line.round))
        })
    }

    /// Lets an honest effect through, but for those who hear something else instead. What the honest
    /// protocol is to hear of itself comes back.
    fn sift(
        &self,
        effect: Effect<P::Message>,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) -> Option<Signed<P::Message>> {
        let Effect::Send { to, message } = effect else {
            turn.act(effect);
            return None;
        };
        if self.lines_of(&message).next().is_none() {
            turn.send(to, message);
            return None;
        }
        let mut others = super::recipients(to, turn);
        let mut replaced = false;
        for line in self.lines_of(&message) {
            replaced |= line.to.is_empty();
            others.retain(|id| !line.to.is_empty() && !line.to.contains(id));
        }
        let signed = seat.sign(message);
        if !others.is_empty() {
            turn.act(Effect::Relay { to: To::Some(others), message: signed.clone() });
        }
        (!replaced).then_some(signed)
    }

    /// The first line that can be said now.
    fn next(
        &mut self,
        honest: &P,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) -> Option<(Line, Vec<Signed<P::Message>>)> {
        for at in 0..self.lines.len() {
            if self.said[at] {
                continue;
            }
            if let Some(signed) = self.puppet.utter(&self.lines[at], honest, seat, turn) {
                self.said[at] = true;
                return Some((self.lines[at].clone(), signed));
            }
        }
        None
    }
}

impl<P: Protocol> Lie<P> for Script<P> {
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.puppet.watch(honest, &input, &self.lines, turn);
            for effect in turn.apart(|inner| honest.step(input, inner)) {
                inputs.extend(self.sift(effect, seat, turn).map(Input::Heard));
            }
            while let Some((line, signed)) = self.next(honest, seat, turn) {
                note(turn, format!("{line:?}"));
                let to = match line.to.is_empty() {
                    true => super::recipients(To::All, turn),
                    false => line.to.clone(),
                };
                for signed in signed {
                    turn.act(Effect::Relay { to: To::Some(to.clone()), message: signed.clone() });
                    if line.to.is_empty() && signed.sender() == turn.me {
                        inputs.push_back(Input::Heard(signed));
                    }
                }
            }
        }
    }
}
