//! Why nobody gets on: who waits for what.

use super::{remark::Remark, rounds::Teller};
use crate::{World, span};
use consensus::Protocol;
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

type Ids = BTreeSet<ReplicaId>;

impl Teller<'_> {
    /// Where everybody stands in the end.
    pub(super) fn tell_waiting<P: Protocol>(&mut self, height: u64, world: &World<P>) {
        let end = world.now();
        let is_anybody = self.facts.honest().any(|id| world.height(id) >= height);
        let steps = world.setup().schedule.steps().iter().map(|step| step.time);
        let steps = steps.filter(|time| *time <= end).max().unwrap_or_default();
        let calm = world.setup().catch_up.unwrap_or_default().max(steps);
        let what = match self.grammar.views {
            true => format!("number {}", self.window.numbers.start()),
            false => format!("height {height}"),
        };
        let network = &world.setup().network;
        let arrives =
            world.setup().schedule.ends_whole() && network.loss == 0 && network.silent.is_empty();
        let since = match calm.is_zero() || !arrives {
            true => String::new(),
            false => format!(", although from {} on every message arrives", span::show(calm)),
        };
        let beyond = if is_anybody { " got beyond" } else { "" };
        self.say(&format!(
            "after {} of virtual time {}{beyond} {what}{since}",
            span::show(end),
            match (is_anybody, self.grammar.views) {
                (true, _) => "not everybody has",
                (false, true) => "nobody honest has executed",
                (false, false) => "nobody honest has decided",
            }
        ));
        let mut groups: BTreeMap<String, Ids> = BTreeMap::new();
        let honest: Vec<_> = self.facts.honest().filter(|id| world.is_up(*id)).collect();
        for id in honest {
            let state = self.state(id, height, world);
            groups.entry(state).or_default().insert(id);
        }
        for (state, ids) in groups {
            let s = if ids.len() == 1 { "is" } else { "are each" };
            self.say(&format!("{} {s} {state}", self.who(&ids)));
        }
        self.tell_why(world);
    }

    fn state<P: Protocol>(&mut self, id: ReplicaId, height: u64, world: &World<P>) -> String {
        let held = world.height(id);
        let place = self.place_in_the_end(id);
        let lock = self.lock(id, self.window.to);
        let lock = match lock {
            Some((value, since)) => {
                let value = self.names.of(&value, self.grammar.noun);
                match self.grammar.views {
                    true => format!(", prepared for {value} in view {since}"),
                    false => format!(", locked on {value} since round {since}"),
                }
            }
            None => String::new(),
        };
        match held >= height && !self.grammar.views {
            true => format!("past height {height}"),
            false => format!("in {} {place}{lock}", self.grammar.round),
        }
    }

    fn place_in_the_end(&self, id: ReplicaId) -> u64 {
        let mut place = 0;
        for (_, whose, remark) in &self.facts.remarks {
            if *whose != id {
                continue;
            }
            match remark {
                Remark::Round { height, round, .. } if self.window.numbers.contains(height) => {
                    place = *round;
                }
                Remark::View { view, .. } => place = *view,
                Remark::GiveUp { to, .. } => place = *to,
                _ => {}
            }
        }
        place
    }

    /// A number that is ready, and waits for one before it.
    fn tell_gap(&mut self) {
        let first = *self.window.numbers.start();
        let mut ready: BTreeMap<(u64, String), Ids> = BTreeMap::new();
        for (_, id, remark) in &self.facts.remarks {
            if let Remark::Prepared { number, value, .. } = remark
                && *number > first
                && self.window.numbers.contains(number)
                && !self.facts.liars.contains(id)
            {
                ready.entry((*number, value.clone())).or_default().insert(*id);
            }
        }
        let is_open = !self.facts.remarks.iter().any(|(_, id, remark)| {
            !self.facts.liars.contains(id)
                && matches!(remark, Remark::Prepared { number, .. } if *number == first)
        });
        if let Some(((number, value), ids)) = ready.into_iter().next().filter(|_| is_open) {
            let value = self.names.of(&value, self.grammar.noun);
            let (have, wait) = if ids.len() == 1 { ("has", "waits") } else { ("have", "wait") };
            self.say(&format!(
                "{} {have} {value} ready as number {number}, and {wait} for number {first}, which must be \
                 executed before it; but nobody has prepared anything as number {first}",
                self.who(&ids)
            ));
        }
    }

    /// What the replicas lack.
    fn tell_why<P: Protocol>(&mut self, world: &World<P>) {
        let end = world.now();
        let mut locks: BTreeMap<String, Ids> = BTreeMap::new();
        let mut free = Ids::new();
        for id in self.facts.honest().filter(|id| world.is_up(*id)).collect::<Vec<_>>() {
            match self.lock(id, self.window.to) {
                Some((value, _)) => drop(locks.entry(value).or_default().insert(id)),
                None => drop(free.insert(id)),
            }
        }
        let quorum = self.quorum_in_words();
        if !self.grammar.views && !locks.is_empty() {
            let mut parts = Vec::new();
            for (value, ids) in &locks {
                let value = self.names.of(value, self.grammar.noun);
                let (s, its) = if ids.len() == 1 { ("s", "it is") } else { ("", "they are") };
                parts.push(format!(
                    "{} vote{s} for nothing but {value}, on which {its} locked",
                    self.who(ids)
                ));
            }
            if !free.is_empty() {
                let are = if free.len() == 1 { "is" } else { "are" };
                parts.push(format!("{} {are} locked on nothing", self.who(&free)));
            }
            let silent: Ids =
                self.facts.replicas.iter().copied().filter(|id| !world.is_up(*id)).collect();
            if !silent.is_empty() {
                let are = if silent.len() == 1 { "is" } else { "are" };
                parts.push(format!("{} {are} down", self.who(&silent)));
            }
            self.say(&format!("{}; it takes {quorum} to go on", parts.join(", and ")));
        }
        if self.grammar.views {
            self.tell_gap();
        }
        let last =
            self.facts.remarks.iter().rev().find(|(_, id, _)| !self.facts.liars.contains(id));
        if let Some((moment, ..)) = last {
            let at = self.facts.times[*moment];
            if end.saturating_sub(at) > Duration::from_secs(5) {
                let places = self.facts.honest().map(|id| self.place_in_the_end(id));
                let (round, last) = (self.grammar.round, places.max().unwrap_or_default());
                let has_voted = self.facts.messages.iter().any(|each| {
                    each.kind == self.grammar.first
                        && each.slot.round == last
                        && self.window.numbers.contains(&each.slot.height)
                        && !self.facts.liars.contains(&each.signer)
                });
                let wait = match has_voted || self.grammar.views {
                    true => "",
                    false => " but wait for a proposal to vote for",
                };
                self.say(&format!(
                    "from {} to the end at {} nobody honest does anything more{wait}; a timeout of {round} \
                     {last}, if one runs, has not come: they grow with the {round}",
                    span::show(Duration::from_millis(at.as_millis() as u64)),
                    span::show(end)
                ));
            }
        }
    }
}
