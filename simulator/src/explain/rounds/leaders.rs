//! How rounds and views begin.

use super::{Scene, Teller};
use crate::explain::{
    facts::Moment,
    remark::Remark,
    words::{count, list},
};
use consensus::{Named, Shown};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

type Ids = BTreeSet<ReplicaId>;

impl Teller<'_> {
    /// A later round begins for some.
    pub(super) fn tell_entry(&mut self, scene: Scene) {
        let (height, round) = scene;
        let entered = self.remarked(|remark| {
            matches!(remark, Remark::Round { height: of, round: at, .. } if (*of, *at) == scene)
        });
        let skipped = self.remarked(
            |remark| matches!(remark, Remark::Skip { height: of, to, .. } if (*of, *to) == scene),
        );
        let patient = |id: &&ReplicaId| !skipped.contains_key(*id);
        let waited: Ids = entered.keys().filter(patient).copied().collect();
        let whom = self.called_into(scene, &entered);
        let leader = self.leader(scene).map(|id| self.who(&Ids::from([id])));
        let leader = match leader {
            Some(id) if waited.is_empty() && id == whom => ", whose proposer it is".to_owned(),
            Some(id) => format!(", whose proposer is {id}"),
            None => String::new(),
        };
        let mut parts = Vec::new();
        if !waited.is_empty() {
            let do_not = if waited.len() > 1 { "do not" } else { "does not" };
            parts.push(format!(
                "{} {do_not} see a decision in round {}, and after a while begin{} round {round}{leader}",
                self.who(&waited),
                round.saturating_sub(1),
                if waited.len() > 1 { "" } else { "s" },
            ));
        }
        if !skipped.is_empty() {
            let ids: Ids = skipped.keys().copied().collect();
            let s = if ids.len() > 1 { "" } else { "s" };
            let which = if waited.is_empty() {
                format!("round {round}{leader}")
            } else {
                "it as well".to_owned()
            };
            parts.push(format!("{} follow{s} {whom} into {which}", self.who(&ids)));
        }
        let mut locks: BTreeMap<String, BTreeMap<u64, Ids>> = BTreeMap::new();
        for (id, moment) in &entered {
            if let Some((value, since)) = self.lock(*id, *moment) {
                locks.entry(value).or_default().entry(since).or_default().insert(*id);
            }
        }
        for (value, rounds) in locks {
            for (since, ids) in rounds {
                let value = self.names.of(&value, self.grammar.noun);
                let are = if ids.len() > 1 { "are" } else { "is" };
                parts.push(format!(
                    "{} {are} locked on {value} since round {since}",
                    self.who(&ids)
                ));
            }
        }
        let _ = height;
        self.say(&parts.join("; "));
    }

    /// Who spoke in a round before anybody honest was there.
    fn called_into(&self, scene: Scene, entered: &BTreeMap<ReplicaId, Moment>) -> String {
        let first = entered.values().min().copied().unwrap_or_default();
        let said = self.facts.messages.iter().filter(|each| self.scene_of(each) == Some(scene));
        let said = said.filter(|each| each.first().is_some_and(|at| at <= first));
        let callers: Ids = said.map(|each| each.signer).collect();
        match !callers.is_empty() && callers.is_subset(&self.facts.liars) {
            true => self.who(&callers),
            false => "others".to_owned(),
        }
    }

    /// Whether everybody honest who comes to a round was called into it.
    pub(super) fn all_are_called(&self, scene: Scene) -> bool {
        let entered = self.remarked(|remark| {
            matches!(remark, Remark::Round { height: of, round: at, .. } if (*of, *at) == scene)
        });
        let skipped = self.remarked(
            |remark| matches!(remark, Remark::Skip { height: of, to, .. } if (*of, *to) == scene),
        );
        entered.keys().all(|id| skipped.contains_key(id))
    }

    /// Some give up on a view.
    pub(super) fn tell_changes(&mut self, scene: Scene) {
        let view = scene.1;
        let said: Vec<_> = self
            .said(scene, "view-change")
            .into_iter()
            .map(|each| (each.signer, self.relevant(&each.about.shows), each.to.clone()))
            .collect();
        let all: Ids = said.iter().map(|(id, ..)| *id).collect();
        let s = if all.len() > 1 { "" } else { "s" };
        let lose = if view > 1 {
            "nothing comes of the view before"
        } else {
            "nothing comes of view 0 any more"
        };
        let mut text = format!("{lose}: {} send{s} VIEW-CHANGE for view {view}", self.who(&all));
        let mut shows: BTreeMap<Vec<Shown>, Ids> = BTreeMap::new();
        for (id, shown, _) in said {
            shows.entry(shown).or_default().insert(id);
        }
        let mut parts = Vec::new();
        for (shown, ids) in shows.iter().rev() {
            let s = if ids.len() > 1 { "" } else { "s" };
            let who = self.who(ids);
            if shown.is_empty() {
                let have = if ids.len() > 1 { "they have" } else { "it has" };
                parts.push(format!("{who} say{s} that {have} prepared nothing"));
                continue;
            }
            let values: Vec<_> = shown
                .iter()
                .map(|Shown { number, round, value }| {
                    let value = self.names.named(*value, self.grammar.noun);
                    let view = round.map(|view| format!(" in view {view}")).unwrap_or_default();
                    format!("{value} as number {number}{view}")
                })
                .collect();
            let lies = ids.iter().all(|id| self.facts.liars.contains(id));
            let shows = if lies { "claim{s} to have" } else { "show{s}" }.replace("{s}", s);
            parts.push(format!("{who} {shows} a certificate for {}", list(values)));
        }
        let told = crate::explain::words::sentence(&parts.join("; "));
        text += &format!(". {}", told.trim_end_matches('.'));
        text += &self.kept_from(scene, "view-change", "that");
        self.say(&text);
    }

    /// A primary begins its view.
    pub(super) fn tell_beginning(&mut self, scene: Scene) {
        let view = scene.1;
        let said: Vec<_> = self
            .said(scene, "new-view")
            .into_iter()
            .map(|each| (each.signer, each.about.clone(), each.to.clone()))
            .collect();
        for (primary, about, _) in said {
            let entered: Ids = self
                .remarked(|remark| matches!(remark, Remark::View { view: of, .. } if *of == view))
                .into_keys()
                .filter(|id| *id != primary)
                .collect();
            let brings: Ids = about.brings.iter().copied().collect();
            let short = match self.facts.is_quorum(&brings) {
                true => String::new(),
                false => {
                    format!(" (a quorum would be {})", count(self.facts.quorum.needed as usize))
                }
            };
            let who = self.who(&Ids::from([primary]));
            let shows = self.relevant(&about.shows);
            let follows: Vec<_> = shows
                .iter()
                .map(|Shown { number, value, .. }| match value {
                    Named::Nil => format!("number {number} stands for nothing"),
                    value => {
                        let value = self.names.named(*value, self.grammar.noun);
                        format!("number {number} stands for {value}")
                    }
                })
                .collect();
            let first = self.window.numbers.start();
            let follows = match follows.is_empty() {
                true => {
                    format!("none of them shows anything of number {first}, which is free again")
                }
                false => format!("from them follows that {}", list(follows)),
            };
            let enter = match entered.len() {
                0 => "nobody else enters it".to_owned(),
                1 => format!("{} enters it", self.who(&entered)),
                _ => format!("{} enter it", self.who(&entered)),
            };
            let kept = self.kept_from(scene, "new-view", "this NEW-VIEW");
            let late = self.not_waited_for(scene, &brings);
            self.say(&format!(
                "{who}, the primary of view {view}, begins it with the VIEW-CHANGEs of {}{short}: \
                 {follows}; {enter}{late}{kept}",
                list(&brings)
            ));
        }
    }

    /// Whom the adversary keeps from hearing something that is said once in a view by each.
    fn kept_from(&self, scene: Scene, kind: &str, what: &str) -> String {
        let said = self.said(scene, kind);
        let kept = said.iter().filter_map(|each| {
            let honest = self.facts.honest();
            let to: Ids =
                honest.filter(|id| *id != each.signer && self.is_withheld(each, *id)).collect();
            let of =
                if kind == "new-view" { String::new() } else { format!(" of {}", each.signer) };
            (!to.is_empty()).then(|| format!("{what}{of} from {}", self.who(&to)))
        });
        let kept: Vec<_> = kept.collect();
        match kept.is_empty() {
            true => String::new(),
            false => format!(". The adversary keeps {}", list(kept)),
        }
    }

    /// Those who would have shown a certificate to a primary that had waited for a quorum.
    fn not_waited_for(&self, scene: Scene, brings: &Ids) -> String {
        let said = self.said(scene, "view-change");
        let shows = said.iter().filter(|each| !self.relevant(&each.about.shows).is_empty());
        let shows: Ids = shows.map(|each| each.signer).collect();
        let others: Ids = self.facts.replicas.iter().copied().collect();
        let others: Ids = others.difference(brings).copied().collect();
        match !self.facts.is_quorum(brings) && !others.is_empty() && others.is_subset(&shows) {
            false => String::new(),
            true => {
                let ids: Vec<_> = others.iter().map(ToString::to_string).collect();
                format!(
                    ". Had it waited for one more, that would have been of replica {}, and would have shown \
                     a certificate",
                    ids.join(" or ")
                )
            }
        }
    }

    /// What is shown of numbers that are told of.
    fn relevant(&self, shows: &[Shown]) -> Vec<Shown> {
        shows.iter().filter(|shown| self.window.numbers.contains(&shown.number)).copied().collect()
    }
}
