//! What nodes were seen to say, and which promises that breaks.
//!
//! Pure: observations go in one by one, each with the node that was looked at and the moment, and
//! violations come out. A node is believed in what it says of itself; the rules only hold it, and
//! the others, to that.
//!
//! | promise | what breaks it |
//! |---|---|
//! | agreement | two nodes, or one at two times, name different blocks at a final height |
//! | durability | a node's final height falls; a transfer that was final is not, or elsewhere |
//! | accountability | somebody is accused, or heard with two values in one slot |
//! | health | a node halts, or ends although nobody killed it |
//! | progress | when all are back, somebody's height stands still, or a transfer is not final |
//! | store | a stopped node's database is not sound, or does not hold what the node said |
//!
//! Where nothing is ever certain, a block or a transfer that lay deep enough to be counted on and is
//! undone breaks no promise: it is counted.

use consensus::catalogue::Depths;
use ledger::{
    BlockHash, ReplicaId, Slot, TransactionId,
    query::{SlotAnswer, TransactionStatus},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

mod chain;

#[cfg(test)]
mod tests;

pub use chain::Chain;

/// The most violations that are kept. More of them tell nothing new, and are counted.
pub const MOST_VIOLATIONS: usize = 50;

/// When something was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moment {
    /// In which round, counting from one; zero before the first.
    pub round: u32,
    /// Since the beginning.
    pub at: Duration,
}

/// What consensus and nodes promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Promise {
    /// At each final height there is one block.
    Agreement,
    /// What was reported final stays.
    Durability,
    /// Nobody signs two values in one slot.
    Accountability,
    /// Nodes end only when they are killed, and do not halt.
    Health,
    /// When all are back, everybody gets on.
    Progress,
    /// A database is sound, and holds what its node said.
    Store,
}

/// A promise that was broken.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Violation {
    /// Which.
    pub promise: Promise,
    /// Where.
    pub node: u32,
    /// In which round, counting from one.
    pub round: u32,
    /// Since the beginning, in seconds.
    pub seconds: f64,
    /// What was seen.
    pub what: String,
}

/// Something that was seen at a node.
#[derive(Clone, PartialEq, Debug)]
pub enum Seen {
    /// It answered.
    Look(Look),
    /// It said how far a transfer is.
    Transfer(TransactionId, Standing),
    /// It accused somebody.
    Accused(Accusation),
    /// It counts so many accusations in this life, where it counts.
    Accusations(u64),
    /// It ended although nobody killed it.
    Died(String),
}

/// What a node says of its chain.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Look {
    /// The height of its newest committed block, which was asked first.
    pub height: u64,
    /// The height of its adopted head.
    pub head_height: u64,
    /// "running", or "halted: " and why.
    pub state: String,
    /// Some of its adopted branch, asked afterwards. What is not above `height` is committed.
    pub branch: Vec<(u64, BlockHash)>,
    /// Who has said what in slots that still matter.
    pub slots: Vec<SlotAnswer>,
}

/// How far a transfer is, as one node says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// How far.
    pub status: TransactionStatus,
    /// The height and the place in the block, once it is in one.
    pub place: Option<(u64, u64)>,
}

/// Somebody was caught by a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accusation {
    /// Who.
    pub offender: ReplicaId,
    /// Of what.
    pub charge: String,
    /// Where.
    pub slot: Option<Slot>,
}

/// Everything seen so far, and judged.
#[derive(Debug)]
pub struct Watch {
    depths: Option<Depths>,
    nodes: Vec<Known>,
    /// By height: who named which block first, and when.
    finals: BTreeMap<u64, Named>,
    transfers: BTreeMap<TransactionId, Settled>,
    undone: Undone,
    violations: Vec<Violation>,
    /// So that what is seen again and again is told once.
    told: BTreeSet<(Promise, u32, String)>,
    unlisted: u64,
}

/// What was counted on and is no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Undone {
    /// Blocks, once for each node that had them confirmed.
    pub blocks: u64,
    /// Transfers.
    pub transfers: u64,
}

/// One node.
#[derive(Clone, Debug, Default)]
struct Known {
    height: u64,
    head_height: u64,
    /// Blocks above its committed height that lay deep enough.
    confirmed: BTreeMap<u64, BlockHash>,
}

#[derive(Clone, Copy, Debug)]
struct Named {
    hash: BlockHash,
    node: u32,
    when: Moment,
}

/// A transfer that somebody reported final or confirmed.
#[derive(Clone, Debug)]
struct Settled {
    place: (u64, u64),
    /// Who has reported it final; nobody yet, where it is only confirmed.
    final_at: BTreeSet<u32>,
}

impl Watch {
    /// Nothing was seen yet of `nodes` nodes. `depths` are the module's, if it has any.
    pub fn new(nodes: u32, depths: Option<Depths>) -> Watch {
        Watch {
            depths,
            nodes: vec![Known::default(); nodes as usize],
            finals: BTreeMap::new(),
            transfers: BTreeMap::new(),
            undone: Undone::default(),
            violations: Vec::new(),
            told: BTreeSet::new(),
            unlisted: 0,
        }
    }

    /// Takes in what was seen at a node.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn note(&mut self, when: Moment, node: u32, seen: &Seen) {
        match seen {
            Seen::Look(look) => self.look(when, node, look),
            Seen::Transfer(id, standing) => self.transfer(when, node, *id, *standing),
            Seen::Accused(accusation) => {
                self.breaks(Promise::Accountability, when, node, accusation.to_string());
            }
            Seen::Accusations(0) => {}
            Seen::Accusations(_) => {
                self.breaks(Promise::Accountability, when, node, "it counts accusations".into());
            }
            Seen::Died(how) => {
                self.breaks(Promise::Health, when, node, format!("it ended by itself, {how}"));
            }
        }
    }

    /// Notes that a promise is broken. The same thing twice is noted once.
    pub fn breaks(&mut self, promise: Promise, when: Moment, node: u32, what: String) {
        if self.violations.len() == MOST_VIOLATIONS {
            self.unlisted += 1;
        } else if self.told.insert((promise, node, what.clone())) {
            let (round, seconds) = (when.round, when.at.as_secs_f64());
            self.violations.push(Violation { promise, node, round, seconds, what });
        }
    }

    /// What was broken, in the order it was seen.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many more there were.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// What was counted on and is no more.
    pub fn undone(&self) -> Undone {
        self.undone
    }

    /// The greatest height that anybody called final.
    pub fn final_height(&self) -> u64 {
        self.nodes.iter().map(|known| known.height).max().unwrap_or(0)
    }

    /// Each node's greatest committed height so far.
    pub fn heights(&self) -> Vec<u64> {
        self.nodes.iter().map(|known| known.height).collect()
    }

    /// Each node's adopted height, as it was last seen.
    pub fn head_heights(&self) -> Vec<u64> {
        self.nodes.iter().map(|known| known.head_height).collect()
    }

    /// How many transfers were reported final.
    pub fn final_transfers(&self) -> usize {
        self.transfers.values().filter(|settled| !settled.final_at.is_empty()).count()
    }

    /// How many were reported final or confirmed.
    pub fn settled_transfers(&self) -> usize {
        self.transfers.len()
    }

    fn look(&mut self, when: Moment, node: u32, look: &Look) {
        if look.state != "running" {
            self.breaks(Promise::Health, when, node, format!("it says {:?}", look.state));
        }
        let known = &mut self.nodes[node as usize];
        let before = known.height;
        known.height = before.max(look.height);
        known.head_height = look.head_height;
        if look.height < before {
            let what = format!("its final height was {before} and is {}", look.height);
            self.breaks(Promise::Durability, when, node, what);
        }
        for (height, hash) in &look.branch {
            match *height <= look.height {
                true => self.final_block(when, node, *height, *hash),
                false => self.adopted_block(node, *height, *hash),
            }
        }
        self.nodes[node as usize].confirmed.retain(|height, _| *height > look.height);
        for (slot, sender) in two_voices(&look.slots) {
            let what = format!("it heard replica {sender} say two things in one slot, {slot:?}");
            self.breaks(Promise::Accountability, when, node, what);
        }
    }

    fn final_block(&mut self, when: Moment, node: u32, height: u64, hash: BlockHash) {
        let first = *self.finals.entry(height).or_insert(Named { hash, node, when });
        if first.hash != hash {
            let what = format!(
                "at final height {height} it names {}, and node {} named {} in round {}",
                hash.short(),
                first.node,
                first.hash.short(),
                first.when.round
            );
            self.breaks(Promise::Agreement, when, node, what);
        }
        if self.nodes[node as usize].confirmed.remove(&height).is_some_and(|old| old != hash) {
            self.undone.blocks += 1;
        }
    }

    fn adopted_block(&mut self, node: u32, height: u64, hash: BlockHash) {
        let Some(depths) = self.depths else { return };
        let known = &mut self.nodes[node as usize];
        if known.confirmed.get(&height).is_some_and(|old| *old != hash) {
            self.undone.blocks += 1;
            known.confirmed.remove(&height);
        }
        if (known.head_height + 1).saturating_sub(height) >= depths.confirmations {
            known.confirmed.insert(height, hash);
        }
    }

    fn transfer(&mut self, when: Moment, node: u32, id: TransactionId, standing: Standing) {
        let is_final = standing.status == TransactionStatus::Final;
        let confirmed = standing.status == TransactionStatus::Confirmed;
        let place = standing.place.filter(|_| is_final || confirmed);
        let name = id.short();
        let Some(settled) = self.transfers.get_mut(&id) else {
            if let Some(place) = place {
                let final_at = is_final.then_some(node).into_iter().collect();
                self.transfers.insert(id, Settled { place, final_at });
            }
            return;
        };
        let (old, somebody) = (settled.place, settled.final_at.first().copied());
        if let Some(place) = place.filter(|place| *place != old) {
            settled.place = if somebody.is_none() { place } else { old };
            match (somebody, is_final) {
                // Who is behind, or on another branch, may still have it elsewhere.
                (Some(_), false) => {}
                (Some(other), true) => {
                    let what = format!(
                        "transfer {name} is final at height {}, place {}, and was at height {}, \
                         place {} as node {other} said",
                        place.0, place.1, old.0, old.1
                    );
                    return self.breaks(Promise::Durability, when, node, what);
                }
                (None, _) => self.undone.transfers += 1,
            }
        }
        let Some(settled) = self.transfers.get_mut(&id) else { return };
        if is_final {
            settled.final_at.insert(node);
        } else if settled.final_at.contains(&node) {
            let what = format!(
                "transfer {name} was final at height {} as it said, and now is {:?}",
                old.0, standing.status
            );
            self.breaks(Promise::Durability, when, node, what);
        }
    }
}

/// Who is heard with more than one value in a slot.
fn two_voices(slots: &[SlotAnswer]) -> Vec<(Slot, ReplicaId)> {
    let mut liars = Vec::new();
    for SlotAnswer { slot, voices, .. } in slots {
        let mut values = BTreeMap::new();
        for voice in voices {
            let first = *values.entry(voice.sender).or_insert(voice.value);
            if first != voice.value && !liars.contains(&(*slot, voice.sender)) {
                liars.push((*slot, voice.sender));
            }
        }
    }
    liars
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Promise::Agreement => "agreement",
            Promise::Durability => "durability",
            Promise::Accountability => "accountability",
            Promise::Health => "health",
            Promise::Progress => "progress",
            Promise::Store => "store",
        })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { promise, node, round, seconds, what } = self;
        write!(f, "{promise} broken at node {node} in round {round}, after {seconds:.1} s: {what}")
    }
}

impl fmt::Display for Accusation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Accusation { offender, charge, slot } = self;
        write!(f, "it accuses replica {offender} of {charge}")?;
        slot.map_or(Ok(()), |slot| write!(f, " in {slot:?}"))
    }
}
