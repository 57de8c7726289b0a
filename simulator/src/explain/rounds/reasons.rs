//! Why some vote for nothing.

use super::{Scene, Teller};
use crate::explain::remark::Remark;
use consensus::Named;
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

type Ids = BTreeSet<ReplicaId>;

impl Teller<'_> {
    /// Splits voters by why they vote so; only who votes for nothing needs a reason.
    pub(super) fn reasons(
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
            let why = match nil {
                true => self.why_nil(scene, kind, number, *id),
                false if honest && kind == self.grammar.first => self.why_open(scene, value, *id),
                false => String::new(),
            };
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
                true if self.lacks_block(scene, id) => {
                    " (a quorum of prevotes, but not the block)".to_owned()
                }
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

    /// Whether a replica that precommits nil knows of a quorum for a block it has not seen.
    fn lacks_block(&self, scene: Scene, id: ReplicaId) -> bool {
        let said = self.said(scene, self.grammar.second);
        let Some(moment) = said.iter().find(|each| each.signer == id).and_then(|each| each.said)
        else {
            return false;
        };
        let mut votes = self.said(scene, self.grammar.first);
        votes.retain(|each| matches!(each.about.value, Some(Named::Block(_))));
        let offers = self.said(scene, self.grammar.offer);
        let has_seen = offers.iter().any(|each| each.heard.get(&id).is_some_and(|at| *at < moment));
        !has_seen && self.has_quorum(&votes, id, moment)
    }

    /// Why a replica that is locked on another value may prevote this one.
    fn why_open(&mut self, scene: Scene, value: Named, id: ReplicaId) -> String {
        let votes = self.said(scene, self.grammar.first);
        let moment = votes.iter().find(|each| each.signer == id).and_then(|each| each.said);
        let offers = self.said(scene, self.grammar.offer);
        let offer = offers.iter().find(|each| each.about.value == Some(value));
        let appeal = offer.and_then(|offer| offer.about.valid_round);
        let lock = moment.and_then(|moment| self.lock(id, moment));
        match (lock, appeal, value) {
            (Some((lock, since)), Some(round), Named::Block(hash))
                if !self.grammar.views && lock != hash.short() && round >= since =>
            {
                let lock = self.names.of(&lock, self.grammar.noun);
                format!(
                    " (its lock on {lock} of round {since} opens for a quorum of round {round})"
                )
            }
            _ => String::new(),
        }
    }

    /// Why a replica waited in vain for a proposal that it could prevote.
    fn why_waited(&self, scene: Scene, id: ReplicaId) -> String {
        let left = self.left(id, scene, scene.0);
        let offers = self.said(scene, self.grammar.offer);
        let heard = offers.iter().find(|each| each.heard.get(&id).is_some_and(|at| *at < left));
        match heard.map(|offer| offer.about.valid_round) {
            Some(Some(round)) => {
                format!(" (without the prevotes of round {round} the proposal cannot be judged)")
            }
            _ => " (no proposal in time)".to_owned(),
        }
    }
}

/// The step whose timeout makes one give up on votes of the kind before.
fn kind_of_wait(kind: &str) -> &'static str {
    if kind == "precommit" { "prevote" } else { "none" }
}
