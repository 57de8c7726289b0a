//! What liars tell some only, or later, or make up.

use super::{Scene, Teller};
use crate::explain::facts::{Moment, Said};
use consensus::{Named, Topic};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

type Ids = BTreeSet<ReplicaId>;

impl Teller<'_> {
    /// Says so if a message was not for everybody.
    pub(super) fn told_only(&self, signer: ReplicaId, to: &Ids) -> String {
        let others: Ids = self.facts.honest().filter(|id| *id != signer).collect();
        let told: Ids = others.intersection(to).copied().collect();
        match told == others || told.is_empty() || !self.facts.liars.contains(&signer) {
            true => String::new(),
            false => format!(" (to {} only)", self.who(&told)),
        }
    }

    /// Whom alone a liar told of its vote, or how late.
    pub(super) fn limits(&self, scene: Scene, kind: &str, id: ReplicaId, value: Named) -> String {
        let said = self.said(scene, kind);
        let is_it = |each: &&&Said| each.signer == id && each.about.value == Some(value);
        let Some(message) = said.iter().find(is_it) else { return String::new() };
        match message.said.and_then(|at| self.later(id, scene, at)) {
            Some(round) => format!(" (but says so only in {} {round})", self.grammar.round),
            None => self.told_only(id, &message.to),
        }
    }

    /// Splits voters by what [`Self::limits`] says of them.
    pub(super) fn limited(
        &self,
        scene: Scene,
        kind: &str,
        value: Named,
        ids: &Ids,
    ) -> Vec<(Ids, String)> {
        let mut groups: BTreeMap<String, Ids> = BTreeMap::new();
        for id in ids {
            let only = self.limits(scene, kind, *id, value);
            groups.entry(only).or_default().insert(*id);
        }
        groups.into_iter().map(|(only, ids)| (ids, only)).collect()
    }

    /// In which round a liar was at a moment, if that of the scene was over for it.
    pub(super) fn later(&self, id: ReplicaId, scene: Scene, moment: Moment) -> Option<u64> {
        let place = self.place(id, moment);
        let is_liar = self.facts.liars.contains(&id);
        (is_liar && !self.grammar.views && place > scene && place.0 == scene.0).then_some(place.1)
    }

    /// What a proposal appeals to.
    pub(super) fn appeal(
        &self,
        signer: ReplicaId,
        height: u64,
        about: &Topic,
        round: u64,
    ) -> String {
        let value = about.value.unwrap_or(Named::Nil);
        let known = format!(" again, appealing to the quorum of prevotes for it in round {round}");
        match self.kept(height, value, round) {
            None if self.prevoters(height, value, round).is_empty() => format!(
                ", appealing to a quorum of prevotes for it in round {round}, which there never was"
            ),
            Some(kept) if kept.contains(&signer) => format!(
                "{known}, which it completes with a prevote of its own that it had kept to itself"
            ),
            _ => known,
        }
    }

    /// Prevotes that liars brought along with a proposal only, having signed others before: what each did.
    pub(in crate::explain) fn kept_votes(&mut self) -> Vec<String> {
        let first = self.grammar.first;
        let mut found: BTreeSet<(ReplicaId, u64, Named, Named)> = BTreeSet::new();
        for offer in &self.facts.messages {
            let (Some(value), Some(round)) = (offer.about.value, offer.about.valid_round) else {
                continue;
            };
            let Some(scene) = self.scene_of(offer).filter(|_| !self.grammar.views) else {
                continue;
            };
            // Whoever votes for it has seen them.
            let votes = self.said(scene, first);
            let is_honest = |each: &&Said| !self.facts.liars.contains(&each.signer);
            let is_taken =
                votes.into_iter().filter(is_honest).any(|each| each.about.value == Some(value));
            let kept = self.kept(scene.0, value, round).filter(|_| is_taken);
            let Some(kept) = kept.filter(|kept| kept.contains(&offer.signer)) else { continue };
            for each in self.said((scene.0, round), first) {
                if let Some(other) = each.about.value.filter(|_| kept.contains(&each.signer)) {
                    found.insert((each.signer, round, other, value));
                }
            }
        }
        let mut told = Vec::new();
        for (id, round, other, value) in found {
            let [other, value] =
                [other, value].map(|each| self.names.named(each, self.grammar.noun));
            let who = self.who(&Ids::from([id]));
            told.push(format!("{who} signed {first}s for {other} and {value} in round {round}"));
        }
        told
    }

    /// Whose prevotes for a value were kept from everybody and yet are part of a quorum of a round; none if
    /// even with all liars there is no such quorum.
    fn kept(&self, height: u64, value: Named, round: u64) -> Option<Ids> {
        let known = self.prevoters(height, value, round);
        if self.facts.is_quorum(&known) {
            return Some(Ids::new());
        }
        let all = known.union(&self.facts.liars).copied().collect();
        self.facts.is_quorum(&all).then(|| self.facts.liars.difference(&known).copied().collect())
    }

    /// Who is known to have prevoted a value in a round.
    fn prevoters(&self, height: u64, value: Named, round: u64) -> Ids {
        let said = self.said((height, round), self.grammar.first);
        let said = said.into_iter().filter(|each| each.about.value == Some(value));
        said.map(|each| each.signer).collect()
    }
}
