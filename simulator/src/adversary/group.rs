//! The same choices, taken apart one by one, and put together again as people write them.

use super::{Adversary, Choice, Place, Withhold};
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What withheld messages have in common that can stand in one line.
type Key = (Place, Option<Duration>);

/// Who does not hear whom.
type Pairs = BTreeSet<(ReplicaId, ReplicaId)>;

impl Adversary {
    /// The same choices, each alone: a message withheld is one from one replica to another. There are
    /// as many as [`Adversary::len`] says, but for those that are there twice.
    pub fn atoms(&self) -> Adversary {
        let mut seen = BTreeSet::new();
        let mut choices = Vec::new();
        for choice in &self.choices {
            let Choice::Withhold(withhold) = choice else {
                choices.push(choice.clone());
                continue;
            };
            for (from, to) in pairs(withhold) {
                let Withhold { what, until, .. } = withhold.clone();
                let atom = Withhold { what, from: [from].into(), to: [to].into(), until };
                if seen.insert(atom.clone()) {
                    choices.push(Choice::Withhold(atom));
                }
            }
        }
        Adversary { choices }
    }

    /// The same choices in few lines: what is withheld of one place until one time stands together,
    /// where it is first mentioned.
    pub fn grouped(&self) -> Adversary {
        let mut withheld: BTreeMap<Key, Pairs> = BTreeMap::new();
        for choice in &self.choices {
            if let Choice::Withhold(withhold) = choice {
                let key = (withhold.what.clone(), withhold.until);
                withheld.entry(key).or_default().extend(pairs(withhold));
            }
        }
        let mut choices = Vec::new();
        for choice in &self.choices {
            let Choice::Withhold(withhold) = choice else {
                choices.push(choice.clone());
                continue;
            };
            if pairs(withhold).next().is_none() {
                continue;
            }
            let Withhold { what, until, .. } = withhold;
            let pairs = withheld.remove(&(what.clone(), *until)).unwrap_or_default();
            choices.extend(rectangles(&pairs).into_iter().map(|(from, to)| {
                Choice::Withhold(Withhold { what: what.clone(), from, to, until: *until })
            }));
        }
        Adversary { choices }
    }
}

/// Nobody is kept from hearing itself.
fn pairs(Withhold { from, to, .. }: &Withhold) -> impl Iterator<Item = (ReplicaId, ReplicaId)> {
    let of = |from: &ReplicaId| to.iter().map(|to| (*from, *to)).collect::<Vec<_>>();
    from.iter().flat_map(of).filter(|(from, to)| from != to)
}

/// Senders and those who do not hear them.
type Rectangle = (BTreeSet<ReplicaId>, BTreeSet<ReplicaId>);

/// A few sets of senders and of hearers that make up the pairs: gathered by sender or by hearer,
/// whichever gives fewer.
fn rectangles(pairs: &Pairs) -> Vec<Rectangle> {
    let mirrored = pairs.iter().map(|(from, to)| (*to, *from)).collect();
    let (by_sender, by_hearer) = (gathered(pairs), gathered(&mirrored));
    match by_sender.len() <= by_hearer.len() {
        true => by_sender,
        false => by_hearer.into_iter().map(|(to, from)| (from, to)).collect(),
    }
}

/// Puts those together who have the same opposite side, where being on both sides means nothing.
fn gathered(pairs: &Pairs) -> Vec<Rectangle> {
    let mut left: BTreeMap<ReplicaId, BTreeSet<ReplicaId>> = BTreeMap::new();
    for (one, other) in pairs {
        left.entry(*one).or_default().insert(*other);
    }
    let mut found = Vec::new();
    while !left.is_empty() {
        let fits = |others: &BTreeSet<ReplicaId>, one: &ReplicaId, own: &BTreeSet<ReplicaId>| {
            others.iter().filter(|other| *other != one).eq(own)
        };
        let most = |others: &BTreeSet<ReplicaId>| {
            left.iter().filter(|(one, own)| fits(others, one, own)).count()
        };
        let candidates = left.iter().flat_map(|(one, own)| {
            let mut with = own.clone();
            with.insert(*one);
            [own.clone(), with]
        });
        // The first of those that serve most.
        let best =
            candidates.reduce(|best, next| if most(&next) > most(&best) { next } else { best });
        let best = best.expect("somebody is left");
        let (ones, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            left.into_iter().partition(|(one, own)| fits(&best, one, own));
        left = rest;
        found.push((ones.keys().copied().collect(), ones.into_values().flatten().collect()));
    }
    found
}
