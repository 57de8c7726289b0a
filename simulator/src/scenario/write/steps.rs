//! The steps of a scenario as text: those who crash together stand together, with their rising.

use super::{Fault, Step, fault, ids, quoted, table, time};
use crate::{clock::Skew, delay::Delay, schedule::Schedule};
use ledger::ReplicaId;
use std::time::Duration;

/// One line of the list, and the steps that it stands for.
struct Entry {
    text: String,
    steps: Vec<Step>,
}

/// One text for each step, or for several that are one to people. None if nothing goes wrong.
pub(super) fn all(steps: &[Step]) -> Option<Vec<String>> {
    let steps: Vec<_> = steps.iter().filter(|step| !means_nothing(&step.fault)).cloned().collect();
    let steps = &steps[..];
    let grouped = grouped(steps);
    let read: Vec<_> = grouped.iter().flat_map(|entry| entry.steps.clone()).collect();
    // Steps at one time might come to stand in another order: then each stands alone.
    let entries = match Schedule::new(read).steps() == steps {
        true => grouped,
        false => steps.iter().map(|step| entry(std::slice::from_ref(step), None)).collect(),
    };
    (!entries.is_empty()).then(|| entries.into_iter().map(|entry| entry.text).collect())
}

/// Between a replica and itself there is no link.
fn means_nothing(fault: &Fault) -> bool {
    match fault {
        Fault::Cut { from, to } | Fault::Mend { from, to } => from == to,
        Fault::Link(link) => link.from == link.to,
        _ => false,
    }
}

fn grouped(steps: &[Step]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut told = vec![false; steps.len()];
    for first in 0..steps.len() {
        if told[first] {
            continue;
        }
        let mut together = vec![first];
        together.extend((first + 1..steps.len()).take_while(|next| goes_with(steps, first, *next)));
        let rising = rising(steps, &together, &told);
        for number in together.iter().chain(&rising) {
            told[*number] = true;
        }
        let after = rising.first().map(|number| steps[*number].time - steps[first].time);
        let group: Vec<_> = together.iter().map(|number| steps[*number].clone()).collect();
        entries.push(entry(&group, after));
    }
    entries
}

/// Whether a later step is the same at the same time, of somebody else.
fn goes_with(steps: &[Step], first: usize, next: usize) -> bool {
    let place = |fault: &Fault| match fault {
        Fault::Crash(id) => Some((0, *id)),
        Fault::Restart(id) => Some((1, *id)),
        Fault::Silence(id) => Some((2, *id)),
        Fault::Speak(id) => Some((3, *id)),
        _ => None,
    };
    let Some((kind, _)) = place(&steps[first].fault) else { return false };
    let Some((other, id)) = place(&steps[next].fault) else { return false };
    let is_new = || (first..next).all(|each| place(&steps[each].fault) != Some((kind, id)));
    kind == other && steps[first].time == steps[next].time && is_new()
}

/// The steps by which all of those who crash rise, if they do so together.
fn rising(steps: &[Step], crashes: &[usize], told: &[bool]) -> Vec<usize> {
    let rises = |crash: &usize| {
        let Fault::Crash(id) = steps[*crash].fault else { return None };
        let is_next = |number: &usize| !told[*number] && steps[*number].fault == Fault::Restart(id);
        (crash + 1..steps.len()).find(is_next)
    };
    let found: Option<Vec<usize>> = crashes.iter().map(rises).collect();
    let times =
        |found: &Vec<usize>| found.iter().all(|each| steps[*each].time == steps[found[0]].time);
    found.filter(times).unwrap_or_default()
}

/// Several steps at one time, which differ in who; some time after that they rise, perhaps.
fn entry(steps: &[Step], restart_after: Option<Duration>) -> Entry {
    let Step { time: at, fault: first } = &steps[0];
    let of = |step: &Step| match step.fault {
        Fault::Crash(id) | Fault::Restart(id) | Fault::Silence(id) | Fault::Speak(id) => Some(id),
        _ => None,
    };
    let whose: Vec<ReplicaId> = steps.iter().filter_map(of).collect();
    let (key, value) = fault(first);
    let mut entries = vec![("time", time(*at))];
    entries.push((key, if whose.is_empty() { value } else { ids(&whose) }));
    entries.extend(restart_after.map(|after| ("restart_after", time(after))));
    let rise = |after: Duration| {
        whose.iter().map(move |id| Step { time: *at + after, fault: Fault::Restart(*id) })
    };
    let risen = restart_after.into_iter().flat_map(rise);
    Entry { text: table(entries), steps: steps.iter().cloned().chain(risen).collect() }
}

/// From one to another.
pub(super) fn way(from: ReplicaId, to: ReplicaId) -> String {
    table([("from", from.to_string()), ("to", to.to_string())])
}

pub(super) fn skew(replica: ReplicaId, skew: Skew) -> Vec<(&'static str, String)> {
    let Skew { offset_ms, drift_ppm } = skew;
    let mut entries = vec![("replica", replica.to_string())];
    entries.extend((offset_ms != 0).then(|| ("offset_ms", offset_ms.to_string())));
    entries.extend((drift_ppm != 0).then(|| ("drift_ppm", drift_ppm.to_string())));
    entries
}

pub(super) fn disk(replica: ReplicaId, sync: &Delay) -> Vec<(&'static str, String)> {
    vec![("replica", replica.to_string()), ("sync", quoted(&sync.to_string()))]
}

pub(super) fn hash_rate(replica: ReplicaId, factor: f64) -> Vec<(&'static str, String)> {
    vec![("replica", replica.to_string()), ("factor", factor.to_string())]
}

pub(super) fn stake(replica: ReplicaId, amount: u64) -> Vec<(&'static str, String)> {
    vec![("replica", replica.to_string()), ("amount", amount.to_string())]
}
