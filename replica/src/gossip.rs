//! Delivery: a message with a slot that one honest replica holds reaches every honest replica,
//! until a horizon passes it.
//!
//! The network may lose anything. So on a timer each replica tells one random peer how far its
//! *reach* goes and, for each open slot, who spoke and the xor of the messages' ids. The
//! peer answers with what is missing, bounded. Slots younger than a patience are left alone, so
//! fault-free runs keep the paper's message counts. No protocol has a timer of its own to re-send.

use crate::{
    inbox::{Held, Inbox, Said},
    testimony::Tag,
};
use consensus::{Message, Signed};
use crypto::Hash;
use ledger::{Committee, ReplicaId, Slot};
use serde::{Deserialize, Serialize};
use std::{ops::Bound, time::Duration};

/// How often one random peer is told what we hold.
pub const PERIOD: Duration = Duration::from_millis(150);

/// How long a slot is left alone after its first message.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// How many slots one summary covers. More than that are covered page by page.
pub const MAX_SLOTS: usize = 128;

/// How many messages one answer holds.
pub const MAX_ANSWER: usize = 128;

/// How many seats a bitmap may have: a committee's bound.
const MAX_BITMAP: usize = ledger::vote::MAX_COMMITTEE / 8;

/// What one replica holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// How far it can bring others: the greatest height whose finality it can prove; where proofs
    /// do not settle anything, the height of its adopted head.
    pub reach: u64,
    /// The first and the last slot it speaks of; in between, what is not listed is not held.
    pub covers: (Slot, Slot),
    /// By rising slot.
    pub slots: Vec<SlotSummary>,
    /// What it holds that nobody needs any more, but for convicting liars.
    pub dead: Box<Dead>,
}

/// What one replica remembers of slots that are dead: see [`crate::testimony`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Dead {
    /// What was said in each: at most [`MAX_TOLD`](crate::testimony::MAX_TOLD).
    pub tags: Vec<(Slot, Tag)>,
    /// Against whom it holds evidence.
    pub held: Vec<ReplicaId>,
}

/// What one replica holds of one slot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotSummary {
    /// Which slot.
    pub slot: Slot,
    /// Who spoke: bit `seat % 8` of byte `seat / 8`.
    pub spoke: Vec<u8>,
    /// The xor of all ids held: differs where somebody said two things.
    pub ids: Hash,
}

/// The least and the greatest slot there can be.
const ALL: (Slot, Slot) = (
    Slot { height: 0, epoch: 0, round: 0, phase: 0 },
    Slot { height: u64::MAX, epoch: u32::MAX, round: u64::MAX, phase: u8::MAX },
);

/// Turns the pages of what we hold.
#[derive(Debug, Default)]
pub struct Gossip {
    /// The last slot of the page before; none at the beginning.
    page: Option<Slot>,
}

impl Gossip {
    /// The next page of what `inbox` holds; nothing of dead slots.
    pub fn summary<M: Message>(
        &mut self,
        inbox: &Inbox<M>,
        reach: u64,
        committee: &Committee,
    ) -> Summary {
        let after = self.page.map_or(Bound::Unbounded, Bound::Excluded);
        let page: Vec<_> = inbox.slots().range((after, Bound::Unbounded)).take(MAX_SLOTS).collect();
        let from = self.page.unwrap_or(ALL.0);
        let full = page.len() == MAX_SLOTS;
        self.page = if full { page.last().map(|(slot, _)| **slot) } else { None };
        let slots = page
            .into_iter()
            .map(|(slot, held)| {
                let mut spoke = vec![0; committee.len().div_ceil(8)];
                let mut ids = [0; 32];
                for (sender, said) in held.voices.iter() {
                    let Some(seat) = committee.seat(sender) else { continue };
                    spoke[seat / 8] |= 1 << (seat % 8);
                    said.both().for_each(|message| xor(&mut ids, message.id()));
                }
                SlotSummary { slot: *slot, spoke, ids: Hash::from_bytes(ids) }
            })
            .collect();
        let covers = (from, self.page.unwrap_or(ALL.1));
        Summary { reach, covers, slots, dead: Box::default() }
    }
}

fn xor(sum: &mut [u8; 32], id: Hash) {
    sum.iter_mut().zip(id.as_bytes()).for_each(|(sum, byte)| *sum ^= byte);
}

/// What a peer that sent `summary` lacks of what we have held longer than the patience; at most
/// [`MAX_ANSWER`] messages, lowest slots first.
pub fn missing<M: Message>(
    inbox: &Inbox<M>,
    summary: &Summary,
    committee: &Committee,
    now: Duration,
) -> Vec<Signed<M>> {
    let (first, last) = summary.covers;
    if first > last || summary.slots.len() > MAX_SLOTS {
        return Vec::new();
    }
    let mut answer = Vec::new();
    for (slot, held) in inbox.slots().range(first..=last) {
        // The first slot of a later page was covered by the page before.
        if now < held.since + PATIENCE || (*slot == first && first != ALL.0) {
            continue;
        }
        let theirs = summary.slots.iter().find(|theirs| theirs.slot == *slot);
        let heard = |sender: ReplicaId| {
            theirs.is_some_and(|theirs| has(&theirs.spoke, committee.seat(sender)))
        };
        let before = answer.len();
        for (sender, said) in seated(held, committee) {
            if !heard(sender) {
                answer.extend(said.both().cloned());
            }
        }
        // The same speakers but other words: somebody said two things, and we cannot tell who.
        let same_speakers = answer.len() == before;
        if same_speakers && theirs.is_some_and(|theirs| differs(theirs, held, committee)) {
            answer.extend(seated(held, committee).flat_map(|(_, said)| said.both()).cloned());
        }
        if answer.len() >= MAX_ANSWER {
            answer.truncate(MAX_ANSWER);
            break;
        }
    }
    answer
}

/// What members said: no summary can tell that anybody else was heard, who would be sent again each time.
fn seated<'a, M: Message>(
    held: &'a Held<M>,
    committee: &'a Committee,
) -> impl Iterator<Item = (ReplicaId, Said<'a, M>)> {
    held.voices.iter().filter(|(sender, _)| committee.seat(*sender).is_some())
}

fn has(bitmap: &[u8], seat: Option<usize>) -> bool {
    let Some(seat) = seat.filter(|seat| seat / 8 < bitmap.len().min(MAX_BITMAP)) else {
        return false;
    };
    bitmap[seat / 8] & (1 << (seat % 8)) != 0
}

/// Whether the peer's words differ from ours although everyone we heard it heard too. Where it has
/// heard more speakers than we, nothing can be said.
fn differs<M: Message>(theirs: &SlotSummary, held: &Held<M>, committee: &Committee) -> bool {
    let spoke = (0..committee.len()).filter(|seat| has(&theirs.spoke, Some(*seat))).count();
    let mut ids = [0; 32];
    let mut speakers = 0;
    for (_, said) in seated(held, committee) {
        speakers += 1;
        said.both().for_each(|message| xor(&mut ids, message.id()));
    }
    spoke == speakers && ids != *theirs.ids.as_bytes()
}

#[cfg(test)]
mod tests;
