//! What was offered, and who voted for what.

use super::{Scene, Teller, sights::heard};
use crate::explain::{remark::Remark, words::list};
use consensus::Named;
use ledger::ReplicaId;
use std::collections::BTreeSet;

type Ids = BTreeSet<ReplicaId>;

/// Votes for one value, by those who cast them.
pub(super) struct Votes {
    pub(super) value: Named,
    pub(super) signers: Ids,
    /// Whether their signer never cast them.
    pub(super) passed_off: Option<ReplicaId>,
}

impl Teller<'_> {
    /// Messages of one kind for one number: offers, or votes.
    pub(super) fn tell_votes(&mut self, scene: Scene, kind: &str, number: u64) {
        if kind == self.grammar.offer {
            self.tell_offers(scene, number);
        } else if kind == self.grammar.first || kind == self.grammar.second {
            let groups = self.groups(scene, kind, number);
            if !groups.is_empty() {
                let told: Vec<_> =
                    groups.iter().map(|votes| self.cast(scene, kind, number, votes)).collect();
                let hearing = self.hearing(scene, kind, number);
                self.say(&format!("{}{hearing}", told.join("; ")));
            }
        }
    }

    fn tell_offers(&mut self, scene: Scene, number: u64) {
        let kind = self.grammar.offer;
        let offers: Vec<_> = self
            .said(scene, kind)
            .into_iter()
            .filter(|each| each.slot.height == number)
            .map(|each| (each.signer, each.about.clone(), each.to.clone()))
            .collect();
        let mut told = Vec::new();
        for (signer, about, to) in offers {
            let Some(value) = about.value else { continue };
            let value = self.names.named(value, self.grammar.noun);
            let who = self.who(&Ids::from([signer]));
            let only = self.told_only(signer, &to);
            if !told.is_empty() && about.valid_round.is_none() {
                told.push(format!("and {value}{only}"));
                continue;
            }
            let place = match (self.grammar.views, scene.1, told.is_empty()) {
                (true, _, true) => format!("in view {}, ", scene.1),
                (false, 0, true) => format!("height {number}, round 0: "),
                (false, round, true) => format!("in round {round} "),
                _ => String::new(),
            };
            let mut text = match self.grammar.views {
                true => format!("{place}the primary, {who}, gives number {number} to {value}"),
                false if self.leader(scene) == Some(signer) && scene.1 == 0 => {
                    format!("{place}its proposer, {who}, proposes {value}")
                }
                false => format!("{place}{who} proposes {value}"),
            };
            if !self.grammar.views {
                match about.valid_round {
                    Some(round) => text += &self.appeal(signer, scene.0, &about, round),
                    None if scene.1 > 0 => text += ", as something new",
                    None => {}
                }
            }
            text += &only;
            told.push(text);
        }
        if !told.is_empty() {
            let hearing = self.hearing(scene, kind, number);
            self.say(&format!("{}{hearing}", told.join(" ")));
        }
    }

    /// The votes of a kind, by value, in the order in which they were cast.
    pub(super) fn groups(&self, scene: Scene, kind: &str, number: u64) -> Vec<Votes> {
        let mut groups: Vec<Votes> = Vec::new();
        for each in self.said(scene, kind) {
            let is_it = each.slot.height == number && !self.facts.is_again(each);
            let Some(value) = each.about.value.filter(|_| is_it) else {
                continue;
            };
            let passed_off = if each.said.is_none() { each.carrier } else { None };
            let same = |votes: &&mut Votes| (votes.value, votes.passed_off) == (value, passed_off);
            match groups.iter_mut().find(same) {
                Some(votes) => drop(votes.signers.insert(each.signer)),
                None => {
                    groups.push(Votes { value, signers: Ids::from([each.signer]), passed_off });
                }
            }
        }
        // First what most of the honest say.
        let honest = |votes: &Votes| votes.signers.difference(&self.facts.liars).count();
        groups.sort_by_key(|votes| std::cmp::Reverse(honest(votes)));
        groups
    }

    /// Who casts votes for one value, and why.
    fn cast(&mut self, scene: Scene, kind: &str, number: u64, votes: &Votes) -> String {
        if kind == self.grammar.second
            && votes.passed_off.is_none()
            && let Named::Block(hash) = votes.value
        {
            let lockers = self.lockers(scene, number, &hash.short());
            let locked: Ids = votes.signers.intersection(&lockers).copied().collect();
            let others: Ids = votes.signers.difference(&lockers).copied().collect();
            if !locked.is_empty() {
                return self.lock_and_vote(scene, number, votes, (&locked, &others));
            }
        }
        let value = self.names.named(votes.value, self.grammar.noun);
        let vote = self.grammar.vote(kind);
        if let Some(carrier) = votes.passed_off {
            let (who, whose) = (self.who(&Ids::from([carrier])), self.who(&votes.signers));
            let to = self.told_only(carrier, &self.hearers(scene, kind, votes));
            let all = votes.signers.iter().all(|id| self.has_said(*id, scene, kind, votes.value));
            let what = match all {
                true => {
                    format!("what {whose} signed as {}s", self.grammar.vote(self.grammar.first))
                }
                false => format!("signatures of {whose}"),
            };
            return format!(
                "here the weak rule lets it pass that {who} passes off {what} as {vote}s for {value}, which \
                 they never sent{to}"
            );
        }
        let grammar = self.grammar;
        // What it is called is said once.
        let again = self.names.named(votes.value, grammar.noun);
        let mut values = std::iter::once(value).chain(std::iter::repeat(again));
        let mut does = |ids: &Ids| {
            let value = values.next().expect("it goes on for ever");
            grammar.votes(kind, ids.len() > 1, &value)
        };
        let (restricted, open): (Ids, Ids) = votes
            .signers
            .iter()
            .partition(|id| !self.limits(scene, kind, **id, votes.value).is_empty());
        let mut told = Vec::new();
        for (ids, why) in self.reasons(scene, kind, number, votes.value, &open) {
            told.push(format!("{} {}{why}", self.who(&ids), does(&ids)));
        }
        for id in restricted {
            let one = Ids::from([id]);
            let only = self.limits(scene, kind, id, votes.value);
            told.push(format!("{} {}{only}", self.who(&one), does(&one)));
        }
        told.join(", ")
    }

    /// Who hears votes that were passed off.
    fn hearers(&self, scene: Scene, kind: &str, votes: &Votes) -> Ids {
        let said = self.said(scene, kind);
        let passed = said.iter().filter(|each| {
            each.said.is_none()
                && each.about.value == Some(votes.value)
                && votes.signers.contains(&each.signer)
        });
        passed.flat_map(|each| each.heard.keys().copied()).collect()
    }

    /// Whether somebody said a value in a scene in a message of another kind.
    fn has_said(&self, id: ReplicaId, scene: Scene, but: &str, value: Named) -> bool {
        self.facts.messages.iter().any(|each| {
            each.signer == id
                && each.kind != but
                && each.said.is_some()
                && each.about.value == Some(value)
                && self.scene_of(each) == Some(scene)
        })
    }

    /// Those who lock a value, or are prepared for it, and say so; others just say so.
    fn lock_and_vote(
        &mut self,
        scene: Scene,
        number: u64,
        votes: &Votes,
        (locked, others): (&Ids, &Ids),
    ) -> String {
        let kind = self.grammar.second;
        let value = self.names.named(votes.value, self.grammar.noun);
        let again = self.names.named(votes.value, self.grammar.noun);
        let (who, many) = (self.who(locked), locked.len() > 1);
        let does = self.grammar.votes(kind, many, "it");
        let (have, are) = if many { ("have", "are") } else { ("has", "is") };
        let (they, lock) = if many { ("they", "lock") } else { ("it", "locks") };
        let mut text = match self.grammar.views {
            false => {
                let what = match self.too_few(scene, number, votes.value, locked) {
                    None => "a quorum of prevotes".to_owned(),
                    Some(few) => format!("only the prevotes of {}", list(few)),
                };
                format!(
                    "{who} {have} heard {what} for {value}, so {they} {lock} {again} and {does}"
                )
            }
            true => format!(
                "{who}, having heard enough PREPAREs, {are} prepared for {value}, and {does}"
            ),
        };
        if !others.is_empty() {
            for (ids, only) in self.limited(scene, kind, votes.value, others) {
                let does = self.grammar.votes(kind, ids.len() > 1, &again);
                text += &format!(", and {} {does}{only}", self.who(&ids));
            }
        }
        text
    }

    /// The first votes by which some locked a value, if they are no quorum.
    fn too_few(&self, scene: Scene, number: u64, value: Named, ids: &Ids) -> Option<Ids> {
        let Named::Block(hash) = value else { return None };
        let locked = self.remarked(|remark| {
            matches!(remark, Remark::Lock { height, round, value }
                if (*height, *round) == (number, scene.1) && *value == hash.short())
        });
        let said = self.said(scene, self.grammar.first);
        let said: Vec<_> =
            said.into_iter().filter(|each| each.about.value == Some(value)).collect();
        let votes = ids.iter().filter_map(|id| Some(heard(&said, *id, *locked.get(id)?)));
        votes.min_by_key(Ids::len).filter(|votes| self.facts.is_no_quorum(votes))
    }

    /// Those who locked a value in a scene, or were prepared for it.
    fn lockers(&self, (_, round): Scene, number: u64, value: &str) -> Ids {
        let is_it = |remark: &Remark| match remark {
            Remark::Lock { height, round: at, value: found } => {
                (*height, *at, found.as_str()) == (number, round, value)
            }
            Remark::Prepared { view, number: of, value: found } => {
                (*of, *view, found.as_str()) == (number, round, value)
            }
            _ => false,
        };
        self.remarked(is_it).into_keys().collect()
    }
}
