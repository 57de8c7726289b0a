//! `amnesia`: votes, locks and precommits honestly, but only before one part of the others. Then it
//! forgets that lock, and before the rest it votes for another block in a later round. It signs
//! nothing twice, so no two of its messages contradict one another: only its whole transcript would
//! show that there was no polka for the other block before it voted for it.
//!
//! With too few forgetful ones nothing comes of it. With more the left decide what they are shown;
//! the right see no polka in that round, skip to the later round, and decide otherwise.

use super::{Message, Tendermint, faces};
use crate::{
    byzantine::{Lie, Seat, Side, note, run},
    protocol::{Effect, Input, To, Turn},
    tendermint::rotation::Proposers,
};
use ledger::{Block, BlockHash, Draft, ReplicaId};
use std::{collections::BTreeSet, sync::Arc};

/// How many rounds ahead it looks for one in which a liar proposes.
const REACH: u64 = 64;

#[derive(Debug, Default)]
pub(super) struct Amnesia {
    /// What it has precommitted before the left: height, round and value.
    locked: Option<(u64, u64, BlockHash)>,
    /// What liars have proposed to the right: height, round and value.
    anew: Option<(u64, u64, BlockHash)>,
    /// The height and the round from which on it has nothing to say there any more: what it says
    /// anew is of that round.
    over: (u64, u64),
    /// The greatest height at which it has voted for that.
    forgot: u64,
}

impl Lie<Tendermint> for Amnesia {
    fn step(
        &mut self,
        honest: &mut Tendermint,
        input: Input<Message>,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        if let Input::Heard(signed) = &input
            && let Message::Proposal { height, round, valid_round: None, block, .. } =
                signed.message()
            && *round > 0
            && seat.plot().is_liar(signed.sender())
        {
            self.anew = Some((*height, *round, block.hash()));
        }
        // What the honest protocol is at is gone once it decides.
        let before = honest.instance.as_ref().map(|at| (at.height, at.parent));
        let over = self.over;
        let mut locks = Vec::new();
        run(honest, input, turn, |effect, turn| {
            let Effect::Send { message, .. } = effect else {
                turn.act(effect);
                return None;
            };
            if message.height() == over.0 && message.round() >= over.1 {
                return None;
            }
            if matches!(message, Message::Proposal { .. }) || message.value().is_none() {
                turn.send(To::All, message);
                return None;
            }
            if let Message::Precommit { height, round, value: Some(value), table: None } = message {
                locks.push((height, round, value));
            }
            let signed = seat.sign(message);
            let to = To::Some(faces(Side::Left, seat, turn));
            turn.act(Effect::Relay { to, message: signed.clone() });
            Some(signed)
        });
        for lock in locks {
            self.locked = Some(lock);
            if let Some((height, parent)) = before.filter(|(height, _)| *height == lock.0) {
                self.propose_anew(height, parent, lock, seat, turn);
            }
        }
        self.forget(seat, turn);
    }
}

impl Amnesia {
    /// If the next liar in turn is us, proposes another block to the right, and to the other liars.
    fn propose_anew(
        &mut self,
        height: u64,
        parent: BlockHash,
        lock: (u64, u64, BlockHash),
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) {
        let Some((round, proposer)) = next_turn(parent, lock.1, seat, turn) else { return };
        if proposer != turn.me || self.over.0 >= height {
            return;
        }
        let Some(block) = another(parent, lock.2, turn) else { return };
        self.anew = Some((height, round, block.hash()));
        self.over = (height, round);
        let (valid_round, polka) = (None, Vec::new());
        let message = Message::Proposal { height, round, valid_round, polka, tables: None, block };
        let to = To::Some(faces(Side::Right, seat, turn));
        seat.say(to, message, turn);
    }

    /// Votes for the other block before the right, once there is a lock to forget and another block.
    fn forget(&mut self, seat: &Seat, turn: &mut Turn<'_, Message>) {
        let (Some((height, lock, locked)), Some((at, round, value))) = (self.locked, self.anew)
        else {
            return;
        };
        if at != height || round <= lock || value == locked || self.forgot >= height {
            return;
        }
        self.forgot = height;
        self.over = (height, round);
        note(turn, format!("forgets its lock of round {lock} and votes anew in round {round}"));
        let value = Some(value);
        for message in [
            Message::Prevote { height, round, value, table: None },
            Message::Precommit { height, round, value, table: None },
        ] {
            let to = To::Some(faces(Side::Right, seat, turn));
            seat.say(to, message, turn);
        }
    }
}

/// The first round after `round` in which a liar proposes, and which.
fn next_turn(
    parent: BlockHash,
    round: u64,
    seat: &Seat,
    turn: &Turn<'_, Message>,
) -> Option<(u64, ReplicaId)> {
    let mut proposers = Proposers::new(turn.app.proposers(parent)?);
    (round + 1..=round + REACH).find_map(|round| {
        proposers.reach(round);
        let proposer = proposers.of(round);
        seat.plot().is_liar(proposer).then_some((round, proposer))
    })
}

/// A block of ours that is not the one called `other`.
fn another(parent: BlockHash, other: BlockHash, turn: &Turn<'_, Message>) -> Option<Arc<Block>> {
    let wall = u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX);
    (0..2).find_map(|later| {
        let draft = Draft {
            parent,
            transactions: turn.app.pending(parent, &BTreeSet::new(), 1_000),
            time: wall.saturating_add(later),
            proposer: turn.me,
            duties: Vec::new(),
            seal: ledger::Seal::default(),
        };
        turn.app.assemble(draft).ok().filter(|block| block.hash() != other)
    })
}
