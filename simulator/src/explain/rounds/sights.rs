//! Where each replica was at a moment, what it was locked on, and what it had heard.

use super::{Scene, Teller};
use crate::{
    adversary::{Choice, Withhold},
    explain::{
        facts::{Moment, Said},
        remark::Remark,
    },
};
use consensus::{Named, byzantine::mutants::Beneath};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// A value by the first digits of its hash, and the round that it is of.
pub(in crate::explain) type Locked = (String, u64);

impl Teller<'_> {
    /// The scene that a message belongs to, if it is told of.
    pub(super) fn scene_of(&self, message: &Said) -> Option<Scene> {
        let slot = message.slot;
        let is_change = slot.height == 0;
        let is_told = is_change || self.window.numbers.contains(&slot.height);
        if message.kind == "checkpoint" || !is_told {
            return None;
        }
        Some((if self.grammar.views { 0 } else { slot.height }, slot.round))
    }

    /// The messages of a kind in a scene that are told of.
    pub(super) fn said(&self, scene: Scene, kind: &str) -> Vec<&Said> {
        let is_it = |each: &&Said| {
            let first = each.first();
            each.kind == kind
                && self.scene_of(each) == Some(scene)
                && first.is_some_and(|first| first <= self.window.to)
        };
        let mut found: Vec<_> = self.facts.messages.iter().filter(is_it).collect();
        found.sort_by_key(|each| (each.said.is_none(), each.first()));
        found
    }

    /// Where a replica is.
    pub(super) fn place(&self, id: ReplicaId, moment: Moment) -> Scene {
        let mut place = (if self.grammar.views { 0 } else { *self.window.numbers.start() }, 0);
        for (at, whose, remark) in &self.facts.remarks {
            if *at > moment {
                break;
            }
            if *whose != id {
                continue;
            }
            match remark {
                Remark::Round { height, round, .. } if self.window.numbers.contains(height) => {
                    place = (*height, *round);
                }
                Remark::GiveUp { to, .. } => place = (0, *to),
                Remark::View { view, .. } => place = (0, *view),
                _ => {}
            }
        }
        place
    }

    /// Where the foremost honest replica is.
    pub(super) fn latest(&self, moment: Moment) -> Scene {
        let places = self.facts.honest().map(|id| self.place(id, moment));
        places.max().unwrap_or_default()
    }

    /// What a replica is locked on, or has prepared last.
    pub(in crate::explain) fn lock(&self, id: ReplicaId, moment: Moment) -> Option<Locked> {
        let forgets = self.mutant.is_some_and(|about| about.beneath == Beneath::Forgets);
        let lives = self.facts.lives.iter().filter(|life| forgets && life.replica == id);
        let lost = lives.filter_map(|life| life.woke.filter(|at| *at <= moment)).max();
        let since = lost.unwrap_or(self.window.from);
        let mut lock = None;
        for (at, whose, remark) in &self.facts.remarks {
            if *whose != id || *at < since || *at > moment {
                continue;
            }
            match remark {
                Remark::Lock { height, round, value } if self.window.numbers.contains(height) => {
                    lock = Some((value.clone(), *round));
                }
                Remark::Prepared { view, number, value }
                    if self.window.numbers.contains(number) =>
                {
                    lock = Some((value.clone(), *view));
                }
                _ => {}
            }
        }
        lock
    }

    /// When a replica is past a scene, or done with a number.
    pub(super) fn left(&self, id: ReplicaId, scene: Scene, number: u64) -> Moment {
        let is_past = |remark: &Remark| match remark {
            Remark::Round { height, round, .. } => (*height, *round) > scene && *height >= number,
            Remark::Decide { height, .. } => *height >= number,
            Remark::GiveUp { to, .. } => *to > scene.1,
            Remark::View { view, .. } => *view > scene.1,
            Remark::Execute { number: done, .. } => *done == number,
            _ => false,
        };
        let mut past = self.facts.remarks.iter().filter(|(at, whose, remark)| {
            *whose == id && *at >= self.window.from && is_past(remark)
        });
        past.next().map_or(self.window.to, |(at, ..)| (*at).min(self.window.to))
    }

    /// Whether the adversary keeps a message from somebody.
    pub(super) fn is_withheld(&self, message: &Said, to: ReplicaId) -> bool {
        let place = (message.kind.as_str(), message.slot.height, message.slot.round);
        self.adversary.choices.iter().any(|choice| match choice {
            Choice::Withhold(Withhold { what, from, to: who, .. }) => {
                (what.kind.as_str(), what.height, what.round) == place
                    && from.contains(&message.signer)
                    && who.contains(&to)
            }
            _ => false,
        })
    }

    /// Messages that a replica hears at this very moment, of a scene that is over for it: their kinds,
    /// and where they belong.
    pub(super) fn late(&self, id: ReplicaId, moment: Moment) -> BTreeSet<(String, Scene)> {
        let now = self.facts.times[moment];
        let place = self.place(id, moment);
        let is_now = |each: &&Said| {
            each.heard.get(&id).is_some_and(|at| *at <= moment && self.facts.times[*at] == now)
        };
        let found = self.facts.messages.iter().filter(is_now);
        let found = found.filter_map(|each| Some((each.kind.clone(), self.scene_of(each)?)));
        found.filter(|(_, scene)| *scene < place).collect()
    }

    /// Whether all votes of a kind in a scene are for nothing.
    pub(super) fn are_nil(&self, scene: Scene, kind: &str) -> bool {
        let honest = |each: &&&Said| !self.facts.liars.contains(&each.signer);
        let said = self.said(scene, kind);
        said.iter().filter(honest).all(|each| each.about.value == Some(Named::Nil))
    }

    pub(super) fn has_offer(&self, scene: Scene) -> bool {
        !self.said(scene, self.grammar.offer).is_empty()
    }

    /// Who speaks first in a scene.
    pub(super) fn leader(&self, scene: Scene) -> Option<ReplicaId> {
        let size = self.facts.replicas.len() as u64;
        if self.grammar.views {
            return self.facts.replicas.get((scene.1 % size) as usize).copied();
        }
        self.facts.remarks.iter().find_map(|(_, _, remark)| match remark {
            Remark::Round { height, round, proposer } if (*height, *round) == scene => {
                Some(ReplicaId(*proposer))
            }
            _ => None,
        })
    }

    /// Who remarked something in the part that is told, with when.
    pub(in crate::explain) fn remarked(
        &self,
        is_it: impl Fn(&Remark) -> bool,
    ) -> BTreeMap<ReplicaId, Moment> {
        let mut found = BTreeMap::new();
        for (at, id, remark) in &self.facts.remarks {
            let is_told = (self.window.from..=self.window.to).contains(at);
            if is_told && !self.facts.liars.contains(id) && is_it(remark) {
                found.entry(*id).or_insert(*at);
            }
        }
        found
    }
}

impl Said {
    /// When it first was anywhere.
    pub(in crate::explain) fn first(&self) -> Option<Moment> {
        self.said.or_else(|| self.heard.values().min().copied())
    }
}

/// Who among some had its message heard by a replica before a moment.
pub(in crate::explain) fn heard(
    messages: &[&Said],
    by: ReplicaId,
    moment: Moment,
) -> BTreeSet<ReplicaId> {
    let known = messages.iter().filter(|each| each.heard.get(&by).is_some_and(|at| *at <= moment));
    known.map(|each| each.signer).collect()
}
