//! How agreement broke: which quorums decided, in whom they meet, and who is guilty.

use super::{
    finals,
    rounds::Teller,
    words::{count, list, sentence},
};
use crate::{
    World,
    checker::{Blame, Unprovable, Violation},
    scenario::Outcome,
};
use consensus::Protocol;
use ledger::{ReplicaId, Slot};
use std::collections::{BTreeMap, BTreeSet};

type Ids = BTreeSet<ReplicaId>;

/// A value, who decided it, and by whose votes.
#[derive(Debug)]
struct Decision {
    value: String,
    hash: String,
    round: u64,
    votes: Ids,
}

impl Teller<'_> {
    /// Different blocks are final at a height.
    pub(super) fn tell_split<P: Protocol>(
        &mut self,
        height: u64,
        outcome: &Outcome,
        world: &World<P>,
    ) {
        let mut holders: Vec<(String, Ids)> = Vec::new();
        let end = self.facts.times[self.window.to];
        for (block, at, id) in finals(self.facts, world, height) {
            if at > end {
                continue;
            }
            let name = self.names.of(&block.short(), "block");
            match holders.iter_mut().find(|(known, _)| *known == name) {
                Some((_, ids)) => drop(ids.insert(id)),
                None => holders.push((name, Ids::from([id]))),
            }
        }
        let told: Vec<_> =
            holders.iter().map(|(name, ids)| format!("{name} at {}", self.who(ids))).collect();
        self.say(&format!(
            "so at height {height} different blocks are final, {}: agreement is broken",
            told.join(", and ")
        ));
        let decisions = self.decisions();
        if let [one, other, ..] = &decisions[..] {
            self.tell_quorums(one, other);
        }
        if let Some(blame) = outcome.blame.iter().find(|blame| blame.height == height) {
            self.tell_guilt(blame);
        }
    }

    /// Another promise than agreement is broken.
    pub(super) fn tell_other(&mut self, violation: &Violation) {
        let Violation::Equivocation { signer, slot, .. } = violation else {
            let text = self.names.in_text(&violation.to_string(), "block");
            return self.say(&format!("so a promise is broken: {text}"));
        };
        let (who, both) = (self.who(&Ids::from([*signer])), self.contradiction(*signer, *slot));
        self.say(&format!(
            "so {who}, which is honest, has signed {both}: whoever holds both can convict it"
        ));
    }

    /// What was decided, by which votes: each value once, by whoever was first.
    fn decisions(&mut self) -> Vec<Decision> {
        let mut values: BTreeMap<String, u64> = BTreeMap::new();
        for (_, _, remark) in &self.facts.remarks {
            match remark {
                super::Remark::Decide { height, value, .. }
                    if self.window.numbers.contains(height) =>
                {
                    values.insert(value.clone(), *height);
                }
                super::Remark::Execute { number, value, .. }
                    if self.window.numbers.contains(number) =>
                {
                    values.insert(value.clone(), *number);
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        for (value, number) in values {
            let deciders = self.deciders(number, &value);
            let Some((id, moment)) = deciders.iter().min_by_key(|(_, moment)| **moment) else {
                continue;
            };
            let (round, votes) = self.backers(*id, number, &value, *moment);
            let name = self.names.of(&value, self.grammar.noun);
            found.push((*moment, Decision { value: name, hash: value, round, votes }));
        }
        found.sort_by_key(|(moment, _)| *moment);
        found.into_iter().map(|(_, decision)| decision).collect()
    }

    fn tell_quorums(&mut self, one: &Decision, other: &Decision) {
        let vote = self.grammar.vote(self.grammar.second);
        let round = self.grammar.round;
        let told = |decision: &Decision| {
            let Decision { value, round: at, votes, .. } = decision;
            match votes.is_empty() {
                true => format!("{value} was taken without any {vote}"),
                false => {
                    format!("{value} was decided by the {vote}s of {} in {round} {at}", list(votes))
                }
            }
        };
        let mut text = sentence(&format!("{}, and {}", told(one), told(other)));
        if one.votes.is_empty() || other.votes.is_empty() {
            return self.say(&text);
        }
        let shared: Ids = one.votes.intersection(&other.votes).copied().collect();
        let honest: Ids = shared.difference(&self.facts.liars).copied().collect();
        let both_quorums = [one, other].map(|each| self.facts.is_quorum(&each.votes));
        if self.facts.fades {
            text += " Which weights each of them counted by is not told here.";
        } else if both_quorums == [true, true] && self.is_even() {
            text += &format!(" {}", self.why_they_meet());
        } else if both_quorums != [true, true] {
            let weak: Vec<_> = [one, other]
                .into_iter()
                .zip(both_quorums)
                .filter(|(_, is_quorum)| !is_quorum)
                .map(|(each, _)| list(&each.votes))
                .collect();
            let which = match &weak[..] {
                [one] => format!("The {vote}s of {one} are no"),
                _ => "Neither is a".to_owned(),
            };
            text += &format!(" {which} quorum: that would be {}.", self.quorum_in_words());
        }
        text += &match (shared.is_empty(), honest.is_empty()) {
            (true, _) => " Here they share nobody.".to_owned(),
            (_, true) => format!(" Here they share only {}.", self.who(&shared)),
            _ => {
                let who = self.who(&honest);
                let rounds = match one.round == other.round {
                    true => format!("both in {round} {}", one.round),
                    false => format!(
                        "{} in {round} {} and {} in {round} {}",
                        one.value, one.round, other.value, other.round
                    ),
                };
                let sent = if self.grammar.views { "sent a COMMIT for" } else { "precommitted" };
                let never: Vec<_> = honest
                    .iter()
                    .filter(|id| !self.has_voted(**id, one) || !self.has_voted(**id, other))
                    .collect();
                match never.is_empty() {
                    true => {
                        let shared = self.who(&shared);
                        let all = if honest.len() == 1 { who } else { format!("each of {who}") };
                        format!(" Here they share {shared}; {all}, honest, {sent} both: {rounds}.")
                    }
                    false => format!(
                        " Here they would meet in {who}; but {} never {sent} both: one of the two was passed \
                         off.",
                        list(never)
                    ),
                }
            }
        };
        self.say(&text);
    }

    /// Whether somebody really voted for what was decided.
    fn has_voted(&self, id: ReplicaId, decision: &Decision) -> bool {
        self.facts.messages.iter().any(|each| {
            let named = match each.about.value {
                Some(consensus::Named::Block(hash)) => hash.short() == decision.hash,
                _ => false,
            };
            let is_vote = each.kind == self.grammar.second && each.said.is_some();
            each.signer == id && is_vote && named && each.slot.round == decision.round
        })
    }

    /// How many members any two quorums share.
    fn why_they_meet(&self) -> String {
        let all = self.facts.replicas.len();
        let needed = self.facts.quorum.needed as usize;
        let shared = (2 * needed).saturating_sub(all);
        let liars = self.facts.liars.len();
        let whom = match shared.saturating_sub(liars) {
            0 => format!(", and with {} liars those may all be liars", count(liars)),
            honest => format!(", at least {} of them honest", count(honest)),
        };
        format!(
            "Any two quorums of {} among {} share at least {}{whom}.",
            count(needed),
            count(all),
            count(shared)
        )
    }

    fn tell_guilt(&mut self, blame: &Blame) {
        let mut parts = Vec::new();
        for guilt in &blame.guilty {
            let slot = guilt.evidence.slot;
            let who = self.who(&Ids::from([guilt.replica]));
            parts.push(format!("{who}, who signed {}", self.contradiction(guilt.replica, slot)));
        }
        let kept = if parts.is_empty() { self.kept_votes() } else { Vec::new() };
        let text = match parts.is_empty() {
            true if !kept.is_empty() => format!(
                "{}: whoever holds both can convict it, though a liar alone is too little to break \
                 agreement where the rules are kept",
                list(kept)
            ),
            true => "no two signed messages contradict one another, so nobody can be convicted"
                .to_owned(),
            false => {
                let is_enough = 3 * blame.weight > blame.total;
                let weight = if is_enough {
                    "more than a third of all: with less, agreement cannot break where the rules are kept"
                } else {
                    "less than a third of all, too little to break agreement where the rules are kept"
                };
                format!("what they signed convicts {}; that is {weight}", parts.join(", and "))
            }
        };
        let mut text = sentence(&text);
        if let Some(Unprovable::Amnesia { both, .. }) = &blame.unprovable
            && self.mutant.is_none()
            && !both.is_empty()
        {
            text += &format!(
                " Whoever forgot a lock is among those who voted in both rounds, {}; only all that they \
                 were shown in between would tell who.",
                list(both)
            );
        }
        let honest: Vec<_> = blame
            .guilty
            .iter()
            .filter(|guilt| !self.facts.liars.contains(&guilt.replica))
            .collect();
        if !honest.is_empty() && self.mutant.is_some() {
            let ids: Ids = honest.iter().map(|guilt| guilt.replica).collect();
            text += &format!(" Yet {} only did what the weak rule told it to.", self.who(&ids));
        } else if blame.guilty.is_empty() && self.mutant.is_some() {
            text += " Everybody honest did what the weak rule told it to.";
        }
        self.say(&text);
    }

    /// The two things that somebody said in one slot.
    fn contradiction(&mut self, id: ReplicaId, slot: Slot) -> String {
        let said: Vec<_> = self
            .facts
            .messages
            .iter()
            .filter(|each| each.signer == id && each.slot == slot && each.said.is_some())
            .map(|each| (each.kind.clone(), each.about.clone()))
            .collect();
        let kind = said.first().map_or("message", |(kind, _)| kind.as_str()).to_owned();
        let mut values: Vec<String> = Vec::new();
        for (_, about) in &said {
            if let Some(value) = about.value {
                values.push(self.names.named(value, self.grammar.noun));
            }
        }
        let place = format!("{} {}", self.grammar.round, slot.round);
        let kind = self.grammar.vote(&kind);
        match values.len() {
            0 | 1 => format!("two different {kind}s in {place}"),
            _ => format!("{kind}s for {} in {place}", list(values)),
        }
    }
}
