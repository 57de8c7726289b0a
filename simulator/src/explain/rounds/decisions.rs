//! What was decided, by which votes.

use super::{Scene, Teller, sights::heard};
use crate::explain::{
    facts::{Moment, Said},
    remark::Remark,
    words::{count, list},
};
use consensus::Named;
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

type Ids = BTreeSet<ReplicaId>;

impl Teller<'_> {
    /// A value is decided, or executed.
    pub(super) fn tell_decision(&mut self, scene: Scene, number: u64, value: &str) {
        let mut groups: BTreeMap<(u64, Ids), Ids> = BTreeMap::new();
        let mut all_have = false;
        for (id, moment) in self.deciders(number, value) {
            if self.place(id, moment.saturating_sub(1)) == scene {
                let (round, votes) = self.backers(id, number, value, moment);
                groups.entry((round, votes)).or_default().insert(id);
            }
        }
        let quorums: Vec<_> =
            groups.keys().filter(|(_, votes)| self.facts.is_quorum(votes)).cloned().collect();
        if quorums.len() > 1 && quorums.iter().all(|(round, _)| *round == quorums[0].0) {
            // Which of more votes than it takes each heard first is no matter.
            let merged = quorums.iter().filter_map(|key| groups.remove(key)).flatten().collect();
            groups.insert((quorums[0].0, Ids::new()), merged);
            all_have = true;
        }
        for ((round, votes), ids) in groups {
            let votes = (!all_have || !votes.is_empty()).then_some(&votes);
            self.tell_deciders((scene, round), number, value, (&ids, votes));
        }
    }

    /// Some decide a value by votes of a round: by any quorum of those just told of, if none are given.
    fn tell_deciders(
        &mut self,
        (scene, round): (Scene, u64),
        number: u64,
        value: &str,
        (ids, votes): (&Ids, Option<&Ids>),
    ) {
        let (who, many) = (self.who(ids), ids.len() > 1);
        let vote = self.grammar.vote(self.grammar.second);
        let (hear, decide) = match (many, self.grammar.views) {
            (true, false) => ("hear", "decide"),
            (false, false) => ("hears", "decides"),
            (true, true) => ("hear", "execute"),
            (false, true) => ("hears", "executes"),
        };
        let of = if round == scene.1 {
            String::new()
        } else {
            format!(" of {} {round}", self.grammar.round)
        };
        let what = match value {
            "" => format!("number {number} as the null request, which does nothing"),
            _ if self.grammar.views => {
                let name = self.names.of(value, self.grammar.noun);
                format!("{name} as number {number}")
            }
            _ => format!("{} at height {number}", self.names.of(value, self.grammar.noun)),
        };
        let text = match votes {
            None => format!("{who} each {hear} a quorum of these {vote}s and {decide} {what}"),
            Some(none) if none.is_empty() => {
                format!("{who}, having heard no {vote}, {decide} {what} all the same")
            }
            Some(votes) => {
                let verdict = match (self.facts.is_quorum(votes), self.facts.fades) {
                    (_, true) => "",
                    (true, false) => ", a quorum,",
                    (false, false) => ", no quorum,",
                };
                let s = if votes.len() == 1 { "" } else { "s" };
                let passed = self.passed_off(votes, round, number, value);
                format!(
                    "{who} {hear} the {vote}{s} of {}{of}{passed}{verdict} and {decide} {what}",
                    list(votes)
                )
            }
        };
        self.say(&text);
    }

    /// Whose votes among some were never cast, in words.
    fn passed_off(&self, votes: &Ids, round: u64, number: u64, value: &str) -> String {
        let is_it = |each: &&Said| {
            let named =
                matches!(each.about.value, Some(Named::Block(hash)) if hash.short() == value);
            let place = (each.slot.height, each.slot.round) == (number, round);
            each.kind == self.grammar.second && place && named
        };
        let made_up = self.facts.messages.iter().filter(is_it);
        let made_up = made_up.filter(|each| each.said.is_none() && votes.contains(&each.signer));
        let ids: Ids = made_up.map(|each| each.signer).collect();
        match ids.is_empty() {
            true => String::new(),
            false => format!(" (those of {} passed off)", list(ids)),
        }
    }

    /// Who decided a value, with when.
    pub(in crate::explain) fn deciders(
        &self,
        number: u64,
        value: &str,
    ) -> BTreeMap<ReplicaId, Moment> {
        self.remarked(|remark| match remark {
            Remark::Decide { height, value: found, .. } => {
                (*height, found.as_str()) == (number, value)
            }
            Remark::Execute { number: of, value: found, .. } => {
                (*of, found.as_str()) == (number, value)
            }
            Remark::Null { number: of, .. } => *of == number && value.is_empty(),
            _ => false,
        })
    }

    /// The votes by which a replica decided: of one round those that weigh most.
    pub(in crate::explain) fn backers(
        &self,
        id: ReplicaId,
        number: u64,
        value: &str,
        moment: Moment,
    ) -> (u64, Ids) {
        let is_for_it = |each: &&Said| {
            let named = match each.about.value {
                Some(Named::Block(hash)) => hash.short() == value,
                Some(Named::Nil) => value.is_empty(),
                None => false,
            };
            each.kind == self.grammar.second && each.slot.height == number && named
        };
        let mut rounds: BTreeMap<u64, Vec<&Said>> = BTreeMap::new();
        for each in self.facts.messages.iter().filter(is_for_it) {
            rounds.entry(each.slot.round).or_default().push(each);
        }
        let rounds = rounds.iter().map(|(round, said)| (*round, heard(said, id, moment)));
        rounds.max_by_key(|(_, votes)| votes.len()).unwrap_or_default()
    }

    /// Messages of an earlier round are heard, and matter now.
    pub(super) fn tell_late(&mut self, kind: &str, scene: Scene, moment: Moment) {
        let now = self.facts.times[(moment + 1).min(self.facts.times.len() - 1)];
        let mut whose = Ids::new();
        let mut by = Ids::new();
        for each in self.said(scene, kind) {
            for (id, at) in &each.heard {
                if self.facts.times[*at] == now
                    && !self.facts.liars.contains(id)
                    && each.signer != *id
                {
                    whose.insert(each.signer);
                    by.insert(*id);
                }
            }
        }
        if whose.is_empty() {
            return;
        }
        let (does, round) = (if by.len() > 1 { "hear" } else { "hears" }, self.grammar.round);
        let s = if whose.len() > 1 { "s" } else { "" };
        let text = format!(
            "only now {} {does} the {}{s} of {} of {round} {}",
            self.who(&by),
            self.grammar.vote(kind),
            self.who(&whose),
            scene.1
        );
        self.say(&text);
    }

    /// How many members a quorum takes at least, in words.
    pub(in crate::explain) fn quorum_in_words(&self) -> String {
        let all = self.facts.replicas.len();
        let needed = self.facts.quorum.needed;
        match self.is_even() {
            true => format!("{} of the {}", count(needed as usize), count(all)),
            false => format!("{needed} of {} stake", self.facts.quorum.total),
        }
    }

    /// Whether each member counts the same.
    pub(in crate::explain) fn is_even(&self) -> bool {
        self.facts.quorum.total == self.facts.replicas.len() as u128
    }
}
