//! Who heard what in time.

use super::{Scene, Teller, sights::heard};
use crate::explain::{
    facts::{Moment, Said},
    remark::Remark,
    words::{list, sentence},
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

/// By those whose messages are not heard: who does not hear them.
#[derive(Default)]
struct Missing {
    /// Because the adversary keeps them.
    kept: BTreeMap<Ids, Ids>,
    /// Because liars let them hear only in a later round, with that.
    slow: BTreeMap<(Ids, u64), Ids>,
    /// For other reasons.
    missed: BTreeMap<Ids, Ids>,
}

impl Teller<'_> {
    /// Who does not hear some messages in time, and who sees a quorum in spite of it.
    pub(super) fn hearing(&mut self, scene: Scene, kind: &str, number: u64) -> String {
        let said: Vec<_> =
            self.said(scene, kind).into_iter().filter(|each| each.slot.height == number).collect();
        let Missing { kept, slow, missed } = self.missing(&said, scene, number);
        if kept.is_empty() && slow.is_empty() && missed.is_empty() {
            return match (self.all_hear(&said), said.len()) {
                (false, _) => String::new(),
                (true, 1) => ". Everybody hears it".to_owned(),
                (true, _) => ". Everybody hears all of them".to_owned(),
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
        for ((from, round), to) in &slow {
            let (liars, to) = (self.who(from), self.who(to));
            let let_it = if from.len() > 1 { "let" } else { "lets" };
            let told = format!("{liars} {let_it} {to} hear {} only in round {round}", what(from));
            text += &format!(". {}", sentence(&told).trim_end_matches('.'));
        }
        let parts: Vec<_> = missed
            .iter()
            .map(|(from, to)| {
                let does = if to.len() > 1 { "do" } else { "does" };
                format!("{} {does} not hear {} in time", self.who(to), what(from))
            })
            .collect();
        if !parts.is_empty() {
            text += &format!(". {}", sentence(&list(parts)));
        }
        let text = text.trim_end_matches('.').to_owned();
        let seen = self.seen(scene, kind, number);
        text + &seen
    }

    /// Whether everybody honest hears all of some messages.
    fn all_hear(&self, said: &[&Said]) -> bool {
        self.facts.honest().all(|id| {
            said.iter().all(|each| {
                let heard = each.heard.get(&id).is_some_and(|at| *at <= self.window.to);
                each.signer == id || heard
            })
        })
    }

    /// Who does not hear which messages in time.
    fn missing(&self, said: &[&Said], scene: Scene, number: u64) -> Missing {
        let Missing { mut kept, mut slow, mut missed } = Missing::default();
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
            let is_served = self.has_quorum(said, id, left);
            let waits = |each: &&&Said| {
                each.said
                    .is_some_and(|at| self.facts.times[at] + PATIENCE <= self.facts.times[left])
            };
            let due: Vec<_> = otherwise.into_iter().filter(waits).collect();
            if is_served || is_down || left < self.window.from {
                continue;
            }
            let (by_liars, due): (Vec<&&Said>, Vec<&&Said>) =
                due.into_iter().partition(|each| self.is_slow(each, id, scene).is_some());
            for each in &by_liars {
                let round = self.is_slow(each, id, scene).unwrap_or_default();
                slow.entry((Ids::from([each.signer]), round)).or_default().insert(id);
            }
            if !due.is_empty() {
                missed.entry(signers(&due)).or_default().insert(id);
            }
        }
        Missing { kept, slow, missed }
    }

    /// In which later round of its own a liar lets somebody hear a message, if it does so.
    fn is_slow(&self, message: &Said, by: ReplicaId, scene: Scene) -> Option<u64> {
        self.later(message.signer, scene, *message.heard.get(&by)?)
    }

    /// Whether a replica hears a quorum of messages in time.
    pub(super) fn has_quorum(&self, said: &[&Said], id: ReplicaId, left: Moment) -> bool {
        let mut values: BTreeMap<Option<Named>, Vec<&Said>> = BTreeMap::new();
        for each in said {
            values.entry(each.about.value).or_default().push(each);
        }
        values.values().any(|said| self.facts.is_quorum(&heard(said, id, left)))
    }

    /// Who sees a quorum for one value, where not everybody does.
    fn seen(&mut self, scene: Scene, kind: &str, number: u64) -> String {
        let is_first_of_views = self.grammar.views && kind == self.grammar.first;
        if kind == self.grammar.offer || is_first_of_views || self.facts.fades {
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
}
