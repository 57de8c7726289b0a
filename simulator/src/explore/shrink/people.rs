//! Fewer replicas, and fewer liars among them.

use crate::{
    Latency, Scenario,
    adversary::{Adversary, Choice, SCRIPT},
    schedule::{Fault, Schedule, Step},
};
use ledger::ReplicaId;
use std::collections::{BTreeMap, BTreeSet};

/// As few as a protocol needs that is to survive one fault.
const LEAST: u32 = 4;

/// Up to how many ways of taking some away are tried, besides the last so many.
const WAYS: usize = 64;

type Ids = BTreeSet<ReplicaId>;

/// One liar less, or fewer replicas, the most at first.
pub(super) fn with_fewer(scenario: &Scenario) -> Vec<Scenario> {
    let liars = scenario.byzantine.keys().map(|id| honest(scenario, *id));
    let all: Vec<_> = (0..scenario.replicas).map(ReplicaId).collect();
    let most = scenario.replicas.saturating_sub(LEAST) as usize;
    let mut ways = Vec::new();
    for many in (1..=most).rev() {
        let before = ways.len();
        choose(&all, many, &mut Vec::new(), &mut ways);
        if ways.len() > before + WAYS {
            ways.truncate(before);
            ways.push(all[all.len() - many..].iter().copied().collect());
        }
    }
    liars.chain(ways.iter().map(|gone| without(scenario, gone))).collect()
}

/// Every choice of so many, the last first; a few more than [`WAYS`] at most.
fn choose(from: &[ReplicaId], many: usize, chosen: &mut Vec<ReplicaId>, ways: &mut Vec<Ids>) {
    if many == 0 {
        ways.push(chosen.iter().copied().collect());
        return;
    }
    for last in (many..=from.len()).rev() {
        if ways.len() > WAYS * 4 {
            return;
        }
        chosen.push(from[last - 1]);
        choose(&from[..last - 1], many - 1, chosen, ways);
        chosen.pop();
    }
}

/// A liar that does what it should.
fn honest(scenario: &Scenario, liar: ReplicaId) -> Scenario {
    let mut scenario = scenario.clone();
    let is_said = |choice: &Choice| matches!(choice, Choice::Say { by, .. } if *by == liar);
    scenario.byzantine.remove(&liar);
    scenario.adversary.choices.retain(|choice| !is_said(choice));
    if scenario.byzantine.values().all(|lie| lie == SCRIPT) {
        scenario.faces = None;
    }
    scenario
}

/// The others, numbered anew.
fn without(scenario: &Scenario, gone: &Ids) -> Scenario {
    let left = (0..scenario.replicas).map(ReplicaId).filter(|id| !gone.contains(id));
    named(scenario, &Names(left.zip((0..).map(ReplicaId)).collect()))
}

/// Everybody has the name of the one before; none where who is who matters to the world.
pub(super) fn turned(scenario: &Scenario) -> Option<Scenario> {
    let all = scenario.replicas;
    let is_even =
        scenario.stakes.is_empty() && !matches!(scenario.network.latency, Latency::Regions(_));
    let before = |id: u32| (ReplicaId(id), ReplicaId((id + all - 1) % all));
    is_even.then(|| named(scenario, &Names((0..all).map(before).collect())))
}

/// The same with other names. They rise with the old ones, or nobody differs from anybody.
fn named(scenario: &Scenario, names: &Names) -> Scenario {
    let mut scenario = scenario.clone();
    // Those past the end are dealt out in turn, which gives others than before.
    if let Latency::Regions(regions) = &mut scenario.network.latency {
        regions.homes = names.0.keys().map(|id| regions.home(*id)).collect();
    }
    scenario.stakes = match scenario.stakes.is_empty() {
        true => Vec::new(),
        false => {
            let stake = |id: &ReplicaId| scenario.stakes.get(id.0 as usize).copied().unwrap_or(1);
            names.0.keys().map(stake).collect()
        }
    };
    let founders = scenario.replicas - scenario.candidates;
    scenario.candidates = names.0.keys().filter(|id| id.0 >= founders).count() as u32;
    scenario.replicas = names.0.len() as u32;
    scenario.clocks = names.keys(scenario.clocks);
    scenario.disks = names.keys(scenario.disks);
    scenario.hash_rates = names.keys(scenario.hash_rates);
    scenario.byzantine = names.keys(scenario.byzantine);
    scenario.faces = scenario.faces.map(|faces| names.some(&faces));
    scenario.network.silent = names.some(&scenario.network.silent);
    scenario.network.links.retain_mut(|link| names.both(&mut link.from, &mut link.to));
    let choices = scenario.adversary.choices.into_iter();
    let choices = choices.filter_map(|choice| names.choice(choice)).collect();
    scenario.adversary = Adversary { choices };
    let steps = scenario.steps.steps().iter().cloned();
    let step = |Step { time, fault }| Some(Step { time, fault: names.fault(fault)? });
    scenario.steps = Schedule::new(steps.filter_map(step).collect());
    scenario
}

/// What everybody who stays is called from now on.
struct Names(BTreeMap<ReplicaId, ReplicaId>);

impl Names {
    fn one(&self, id: &mut ReplicaId) -> bool {
        self.0.get(id).inspect(|new| *id = **new).is_some()
    }

    fn both(&self, one: &mut ReplicaId, other: &mut ReplicaId) -> bool {
        self.one(one) && self.one(other)
    }

    fn some<T: FromIterator<ReplicaId>>(&self, ids: &BTreeSet<ReplicaId>) -> T {
        ids.iter().filter_map(|id| self.0.get(id).copied()).collect()
    }

    fn list(&self, ids: &[ReplicaId]) -> Vec<ReplicaId> {
        ids.iter().filter_map(|id| self.0.get(id).copied()).collect()
    }

    fn keys<T>(&self, map: BTreeMap<ReplicaId, T>) -> BTreeMap<ReplicaId, T> {
        map.into_iter().filter_map(|(id, value)| Some((*self.0.get(&id)?, value))).collect()
    }

    /// What is left of a choice; nothing if it was about those who are gone.
    fn choice(&self, mut choice: Choice) -> Option<Choice> {
        let stays = match &mut choice {
            Choice::Withhold(withhold) => {
                withhold.from = self.some(&withhold.from);
                withhold.to = self.some(&withhold.to);
                !withhold.from.is_empty() && !withhold.to.is_empty()
            }
            Choice::Say { by, line } => {
                let was_for_all = line.to.is_empty();
                line.to = self.list(&line.to);
                line.names = self.list(&line.names);
                self.one(by) && (was_for_all || !line.to.is_empty())
            }
            Choice::Crash(crash) => self.one(&mut crash.replica),
        };
        stays.then_some(choice)
    }

    /// What is left of a fault.
    fn fault(&self, mut fault: Fault) -> Option<Fault> {
        let stays = match &mut fault {
            Fault::Crash(id)
            | Fault::Restart(id)
            | Fault::Wipe(id)
            | Fault::Pause(id)
            | Fault::Resume(id)
            | Fault::Silence(id)
            | Fault::Speak(id) => self.one(id),
            Fault::Partition(sides) => {
                sides.iter_mut().for_each(|side| *side = self.list(side));
                sides.retain(|side| !side.is_empty());
                !sides.is_empty()
            }
            Fault::Cut { from, to } | Fault::Mend { from, to } => self.both(from, to),
            Fault::Eclipse { victim, but } => {
                *but = self.list(but);
                self.one(victim)
            }
            Fault::Link(link) => self.both(&mut link.from, &mut link.to),
            Fault::Skew { replica, .. }
            | Fault::Disk { replica, .. }
            | Fault::HashRate { replica, .. }
            | Fault::Bond { replica, .. }
            | Fault::Unbond { replica, .. } => self.one(replica),
            Fault::Heal
            | Fault::Loss(_)
            | Fault::Duplication(_)
            | Fault::Reordering(_)
            | Fault::Latency(_) => true,
        };
        stays.then_some(fault)
    }
}
