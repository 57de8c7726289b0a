//! What was offered, who voted for what, who heard it, and what was decided.

use super::{Scene, Teller, sights::heard};
use crate::explain::{
    facts::{Moment, Said},
    remark::Remark,
    words::{count, list},
};
use consensus::Named;
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

type Ids = BTreeSet<ReplicaId>;

/// Who does not wait so long for a message does not miss it.
const PATIENCE: Duration = Duration::from_millis(100);

/// Votes for one value, by those who cast them.
struct Votes {
    value: Named,
    signers: Ids,
    /// Whether their signer never cast them.
    passed_off: Option<ReplicaId>,
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
                    Some(round) => {
                        text += &format!(
                            " again, appealing to the quorum of prevotes for it in round {round}"
                        );
                    }
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

    /// Says so if a message was not for everybody.
    fn told_only(&self, signer: ReplicaId, to: &Ids) -> String {
        let others: Ids = self.facts.honest().filter(|id| *id != signer).collect();
        let told: Ids = others.intersection(to).copied().collect();
        match told == others || told.is_empty() || !self.facts.liars.contains(&signer) {
            true => String::new(),
            false => format!(" (to {} only)", self.who(&told)),
        }
    }

    /// The votes of a kind, by value, in the order in which they were cast.
    fn groups(&self, scene: Scene, kind: &str, number: u64) -> Vec<Votes> {
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
        let does = |ids: &Ids| grammar.votes(kind, ids.len() > 1, &value);
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
                    "{who} {have} heard {what} for {value}, so {they} {lock} {value} and {does}"
                )
            }
            true => format!(
                "{who}, having heard enough PREPAREs, {are} prepared for {value}, and {does}"
            ),
        };
        if !others.is_empty() {
            let does = self.grammar.votes(kind, others.len() > 1, &value);
            text += &format!(", and {} {does}", self.who(others));
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
        votes.min_by_key(Ids::len).filter(|votes| !self.facts.is_quorum(votes))
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

    /// Whom alone a liar told of its vote.
    fn limits(&self, scene: Scene, kind: &str, id: ReplicaId, value: Named) -> String {
        let said = self.said(scene, kind);
        let is_it = |each: &&&Said| each.signer == id && each.about.value == Some(value);
        let to = said.iter().find(is_it).map(|each| each.to.clone()).unwrap_or_default();
        self.told_only(id, &to)
    }

    /// Splits voters by why they vote so; only who votes for nothing needs a reason.
    fn reasons(
        &mut self,
        scene: Scene,
        kind: &str,
        number: u64,
        value: Named,
        ids: &Ids,
    ) -> Vec<(Ids, String)> {
        let mut groups: BTreeMap<String, Ids> = BTreeMap::new();
        for id in ids {
            let honest = !self.facts.liars.contains(id);
            let nil = value == Named::Nil && honest && !self.grammar.views;
            let why = if nil { self.why_nil(scene, kind, number, *id) } else { String::new() };
            groups.entry(why).or_default().insert(*id);
        }
        groups.into_iter().map(|(why, ids)| (ids, why)).collect()
    }

    fn why_nil(&mut self, scene: Scene, kind: &str, number: u64, id: ReplicaId) -> String {
        let step = if kind == self.grammar.first { "propose" } else { kind_of_wait(kind) };
        let is_it = |remark: &Remark| {
            matches!(remark, Remark::Timeout { height, round, step: found }
                if (*height, *round) == (number, scene.1) && found == step)
        };
        let waited = self.remarked(is_it).contains_key(&id);
        if kind == self.grammar.second {
            return match waited {
                true => " (no quorum of prevotes for one value in time)".to_owned(),
                false => String::new(),
            };
        }
        if waited {
            return self.why_waited(scene, id);
        }
        let said = self.said(scene, kind);
        let moment = said.iter().find(|each| each.signer == id).and_then(|each| each.said);
        match moment.and_then(|moment| self.lock(id, moment)) {
            Some((lock, round)) => {
                let lock = self.names.of(&lock, self.grammar.noun);
                format!(" (locked on {lock} since round {round})")
            }
            None => String::new(),
        }
    }

    /// Why a replica waited in vain for a proposal that it could prevote.
    fn why_waited(&self, scene: Scene, id: ReplicaId) -> String {
        let left = self.left(id, scene, scene.0);
        let offers = self.said(scene, self.grammar.offer);
        let heard = offers.iter().find(|each| each.heard.get(&id).is_some_and(|at| *at < left));
        match heard.map(|offer| offer.about.valid_round) {
            Some(Some(round)) => format!(" (it cannot check the quorum of round {round})"),
            _ => " (no proposal in time)".to_owned(),
        }
    }

    /// Who does not hear some messages in time, and who sees a quorum in spite of it.
    fn hearing(&mut self, scene: Scene, kind: &str, number: u64) -> String {
        let said: Vec<_> =
            self.said(scene, kind).into_iter().filter(|each| each.slot.height == number).collect();
        let mut kept: BTreeMap<Ids, Ids> = BTreeMap::new();
        let mut missed: BTreeMap<Ids, Ids> = BTreeMap::new();
        for id in self.facts.honest() {
            let left = self.left(id, scene, number);
            let first = said.iter().filter_map(|each| each.first()).min().unwrap_or(left);
            if self.facts.is_down(id, first, first) {
                continue;
            }
            let is_down = self.facts.is_down(id, first, left);
            let lacks = |each: &&&Said| {
                let is_told = each.to.contains(&id) || each.to.is_empty();
                let has = each.heard.get(&id).is_some_and(|at| *at <= left);
                each.signer != id && each.said.is_some() && is_told && !has
            };
            let (by_choice, otherwise): (Vec<_>, Vec<_>) =
                said.iter().filter(lacks).partition(|each| self.is_withheld(each, id));
            let signers = |some: &[&&Said]| some.iter().map(|each| each.signer).collect::<Ids>();
            if !by_choice.is_empty() {
                kept.entry(signers(&by_choice)).or_default().insert(id);
            }
            let is_served = self.has_quorum(&said, id, left);
            let waits = |each: &&&Said| {
                each.said
                    .is_some_and(|at| self.facts.times[at] + PATIENCE <= self.facts.times[left])
            };
            let due: Vec<_> = otherwise.into_iter().filter(waits).collect();
            if !due.is_empty() && !is_served && !is_down && left >= self.window.from {
                missed.entry(signers(&due)).or_default().insert(id);
            }
        }
        if kept.is_empty() && missed.is_empty() {
            let limited = said.iter().any(|each| !self.told_only(each.signer, &each.to).is_empty());
            return match (limited, said.len()) {
                (true, _) => String::new(),
                (false, 1) => ". Everybody hears it".to_owned(),
                (false, _) => ". Everybody hears all of them".to_owned(),
            };
        }
        let vote = self.grammar.vote(kind);
        let what = |from: &Ids| match said.len() {
            1 => "it".to_owned(),
            _ if from.len() == 1 => format!("the {vote} of {}", list(from)),
            _ => format!("the {vote}s of {}", list(from)),
        };
        let mut text = String::new();
        let parts: Vec<_> =
            kept.iter().map(|(from, to)| format!("{} from {}", what(from), self.who(to))).collect();
        if !parts.is_empty() {
            text += &format!(". The adversary keeps {}", list(parts));
        }
        let parts: Vec<_> = missed
            .iter()
            .map(|(from, to)| {
                let does = if to.len() > 1 { "do" } else { "does" };
                format!("{} {does} not hear {} in time", self.who(to), what(from))
            })
            .collect();
        if !parts.is_empty() {
            text += &format!(". {}", crate::explain::words::sentence(&list(parts)));
        }
        let text = text.trim_end_matches('.').to_owned();
        let seen = self.seen(scene, kind, number);
        text + &seen
    }

    /// Whether a replica hears a quorum of messages in time.
    fn has_quorum(&self, said: &[&Said], id: ReplicaId, left: Moment) -> bool {
        let mut values: BTreeMap<Option<Named>, Vec<&Said>> = BTreeMap::new();
        for each in said {
            values.entry(each.about.value).or_default().push(each);
        }
        values.values().any(|said| self.facts.is_quorum(&heard(said, id, left)))
    }

    /// Who sees a quorum for one value, where not everybody does.
    fn seen(&mut self, scene: Scene, kind: &str, number: u64) -> String {
        let is_first_of_views = self.grammar.views && kind == self.grammar.first;
        if kind == self.grammar.offer || is_first_of_views {
            return String::new();
        }
        let groups = self.groups(scene, kind, number);
        let mut told = Vec::new();
        for votes in groups {
            let Named::Block(hash) = votes.value else { continue };
            let said = self.said(scene, kind);
            let for_it =
                |each: &&Said| each.about.value == Some(votes.value) && each.slot.height == number;
            let said: Vec<_> = said.into_iter().filter(for_it).collect();
            if !self.facts.is_quorum(&said.iter().map(|each| each.signer).collect()) {
                continue;
            }
            let sees = |id: &ReplicaId| {
                self.facts.is_quorum(&heard(&said, *id, self.left(*id, scene, number)))
            };
            // Who never was in a view has no use for what was said in it.
            let was_there = |id: &ReplicaId| {
                let entered = |remark: &Remark| matches!(remark, Remark::View { view, .. } if *view == scene.1);
                !self.grammar.views || scene.1 == 0 || self.remarked(entered).contains_key(id)
            };
            let ids: Ids = self.facts.honest().filter(was_there).filter(sees).collect();
            let value = self.names.of(&hash.short(), self.grammar.noun);
            let all = self.facts.honest().count();
            if ids.is_empty() {
                told.push(format!("nobody hears a quorum for {value}"));
            } else if ids.len() < all {
                let s = if ids.len() == 1 { "s" } else { "" };
                told.push(format!("only {} hear{s} a quorum for {value}", self.who(&ids)));
            }
        }
        if told.is_empty() { String::new() } else { format!(": {}", list(told)) }
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
            let (who, many) = (self.who(&ids), ids.len() > 1);
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
            let verdict = match self.facts.is_quorum(&votes) {
                true => "a quorum",
                false if votes.is_empty() => "none at all",
                false => "no quorum",
            };
            let s = if votes.len() == 1 { "" } else { "s" };
            let text = match votes.is_empty() {
                true if all_have => {
                    format!("{who} each {hear} a quorum of these {vote}s and {decide} {what}")
                }
                true => format!("{who}, having heard no {vote}, {decide} {what} all the same"),
                false => format!(
                    "{who} {hear} the {vote}{s} of {}{of}, {verdict}, and {decide} {what}",
                    list(&votes)
                ),
            };
            self.say(&text);
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

/// The step whose timeout makes one give up on votes of the kind before.
fn kind_of_wait(kind: &str) -> &'static str {
    if kind == "precommit" { "prevote" } else { "none" }
}
