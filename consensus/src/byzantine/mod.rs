//! Lies: what a Byzantine replica does instead of what its protocol says.
//!
//! A [`Liar`] stands where an honest protocol would. It runs that protocol on the side and lets each
//! of its effects through, bends it, swallows it, or adds some: what exactly is its [`Lie`]. Without a
//! lie it is exactly the honest protocol, so a world can hold all its replicas as one type.
//!
//! A liar can say whatever it likes, and nothing in anybody else's name: it signs with its own
//! [`Hand`] and holds no other. What it signs besides the honest protocol's messages goes out as
//! [`Effect::Relay`], past its replica's signer, which would refuse a second message in a slot; so the
//! signer's memory stays that of an honest replica. What liars know of each other is their [`Plot`].
//!
//! Lies that fit every protocol live here, a file each. Those that know one are in its own
//! `adversary` module and are told of by [`Protocol::lies`]. [`list`] and [`find`] know them all.
//!
//! This module exists for worlds that want liars, behind the feature `byzantine`: what the `node`
//! binary is built from does not turn it on.
//!
//! Beneath a liar sits an honest replica: it passes on what others said, answers those who are
//! behind, and lets transactions travel. Where nothing at all should leave a machine, silence it in
//! the world.

mod bent;
mod catalogue;
mod crash;
mod delay;
mod drop;
mod garbage;
pub mod mutants;
mod plot;
mod replay;
pub mod script;
mod silent;
mod slow_leader;
mod stale;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use bent::step_dated;
pub use bent::{Censor, InvalidBlock};
pub(crate) use catalogue::INVALID_BLOCK;
pub use catalogue::{About, Entry, Make, NoLie, UnknownLie, choose, find, list};
pub(crate) use drop::recipients;
pub use plot::{Plot, Side};
pub(crate) use slow_leader::SlowLeader;

use crate::{
    protocol::{Backing, Effect, Input, Message, Protocol, Timer, To, Trusted, Turn, Unproven},
    quorum::{Quorum, Signed},
};
use ledger::{Committee, Hand, Header, Proof, Slot};
use rand_chacha::rand_core::Rng;
use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

/// How a replica lies. One for each life.
pub trait Lie<P: Protocol>: Send {
    /// Takes a step in the honest protocol's place. What it does not do with `honest` nobody does.
    fn step(
        &mut self,
        honest: &mut P,
        input: Input<P::Message>,
        seat: &Seat,
        turn: &mut Turn<'_, P::Message>,
    ) {
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            self.bend(effect, seat, turn);
        }
    }

    /// What becomes of an effect of the honest protocol.
    fn bend(&mut self, effect: Effect<P::Message>, _seat: &Seat, turn: &mut Turn<'_, P::Message>) {
        turn.act(effect);
    }
}

/// What a liar has that its honest protocol has not.
#[derive(Debug)]
pub struct Seat {
    hand: Hand,
    plot: Arc<Plot>,
}

impl Seat {
    /// The liar's own hand, and what it knows of the others.
    pub fn new(hand: Hand, plot: Arc<Plot>) -> Seat {
        Seat { hand, plot }
    }

    /// What it knows of the others.
    pub fn plot(&self) -> &Plot {
        &self.plot
    }

    /// Signs whatever, also what contradicts what was signed before.
    pub fn sign<M: Message>(&self, message: M) -> Signed<M> {
        Signed::by(&self.hand, message)
    }

    /// Signs a message and sends it past the replica's signer.
    pub fn say<M: Message>(&self, to: To, message: M, turn: &mut Turn<'_, M>) {
        turn.act(Effect::Relay { to, message: self.sign(message) });
    }
}

/// A protocol, or a lie about one.
pub struct Liar<P: Protocol> {
    honest: P,
    /// None for the honest.
    lie: Option<(Box<dyn Lie<P>>, Seat)>,
}

impl<P: Protocol> Liar<P> {
    /// No liar at all.
    pub fn honest(honest: P) -> Liar<P> {
        Liar { honest, lie: None }
    }

    /// Runs `honest` and lies about it.
    pub fn new(honest: P, lie: Box<dyn Lie<P>>, seat: Seat) -> Liar<P> {
        Liar { honest, lie: Some((lie, seat)) }
    }
}

impl<P: Protocol> Protocol for Liar<P> {
    type Message = P::Message;

    fn step(&mut self, mut input: Input<P::Message>, turn: &mut Turn<'_, P::Message>) {
        let Some((lie, seat)) = &mut self.lie else { return self.honest.step(input, turn) };
        if let Input::Start { own, .. } = &mut input {
            own.retain(|signed| signed.slot().is_none_or(|slot| slot.round < FAR));
        }
        lie.step(&mut self.honest, input, seat, turn);
    }

    fn round(&self) -> u64 {
        self.honest.round()
    }

    fn weights(&self) -> Option<Arc<Committee>> {
        self.honest.weights()
    }

    fn heights_ahead(&self) -> u64 {
        self.honest.heights_ahead()
    }

    fn quorum(committee: &Committee) -> Quorum {
        P::quorum(committee)
    }

    fn proofs_settle() -> bool {
        P::proofs_settle()
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        P::verify(headers, proof, trusted)
    }

    fn backing(header: &Header, proof: &Proof) -> Vec<Backing> {
        P::backing(header, proof)
    }
}

impl<P: Protocol> fmt::Debug for Liar<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liar").field("lies", &self.lie.is_some()).finish_non_exhaustive()
    }
}

/// Lets the honest protocol take a step. `bend` is given each of its effects, and whatever message
/// it returns is heard by the honest protocol as its own, as the replica would have it: for lies
/// that say past the replica's signer what must be heard back all the same.
pub(crate) fn run<P: Protocol>(
    honest: &mut P,
    input: Input<P::Message>,
    turn: &mut Turn<'_, P::Message>,
    mut bend: impl FnMut(Effect<P::Message>, &mut Turn<'_, P::Message>) -> Option<Signed<P::Message>>,
) {
    let mut inputs = VecDeque::from([input]);
    while let Some(input) = inputs.pop_front() {
        for effect in turn.apart(|inner| honest.step(input, inner)) {
            inputs.extend(bend(effect, turn).map(Input::Heard));
        }
    }
}

/// In a round so far ahead a liar may have spoken in an earlier life, and no honest protocol goes on from
/// there.
const FAR: u64 = 100_000;

/// The word under which lies remark on themselves in a trace.
pub const LABEL: &str = "lie";

/// Remarks upon a lie that was just told.
pub fn note<M: Message>(turn: &mut Turn<'_, M>, detail: String) {
    turn.act(Effect::Note { label: LABEL, detail });
}

/// A timer of a lie's own: in an epoch that no protocol reaches.
pub fn alarm(number: u64) -> Timer {
    Timer(Slot { epoch: u32::MAX, round: number, ..Slot::default() })
}

/// The number of a lie's own timer, if this is one.
pub fn alarm_of<M>(input: &Input<M>) -> Option<u64> {
    match input {
        Input::Rang(Timer(slot)) if slot.epoch == u32::MAX => Some(slot.round),
        _ => None,
    }
}

/// A whole number below `bound`, which is not zero.
pub fn pick<M: Message>(turn: &mut Turn<'_, M>, bound: u64) -> u64 {
    turn.rng.next_u64() % bound
}

/// A time between two bounds, in milliseconds.
pub fn between<M: Message>(turn: &mut Turn<'_, M>, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + pick(turn, to - from))
}
