//! The steps of a scenario: what goes wrong when.

use super::{
    reader::{Read, Table, Value},
    surroundings,
};
use crate::schedule::{Fault, Schedule, Step};
use ledger::ReplicaId;
use std::time::Duration;

/// Reads the list under `at`.
pub(super) fn steps(value: &Value<'_>, replicas: u32) -> Read<Schedule> {
    let mut steps = Vec::new();
    for each in value.list()? {
        let mut table = each.table()?;
        let time = table.need("time", |value| value.span())?;
        let faults = faults(&mut table, replicas)?;
        let restart = restart(&mut table, time, &faults)?;
        table.finish()?;
        if faults.is_empty() {
            return Err(each
                .bad("nothing happens in this step")
                .hint("such as `crash = 2`, `partition = [[0, 1], [2, 3]]`, `heal = true`"));
        }
        steps.extend(faults.into_iter().map(|fault| Step { time, fault }));
        steps.extend(restart);
    }
    Ok(Schedule::new(steps))
}

/// A fault of one replica.
type OfOne = fn(ReplicaId) -> Fault;

/// All that happens in one step; usually one thing.
fn faults(table: &mut Table<'_>, replicas: u32) -> Read<Vec<Fault>> {
    let mut found = Vec::new();
    let kinds: [(&'static str, OfOne); 7] = [
        ("crash", Fault::Crash),
        ("restart", Fault::Restart),
        ("wipe", Fault::Wipe),
        ("pause", Fault::Pause),
        ("resume", Fault::Resume),
        ("silence", Fault::Silence),
        ("speak", Fault::Speak),
    ];
    for (key, make) in kinds {
        let ids = table.read(key, |value| value.replicas(replicas))?.unwrap_or_default();
        found.extend(ids.into_iter().map(make));
    }
    found.extend(table.read("partition", |value| partition(&value, replicas))?);
    found.extend(table.read("heal", |value| value.yes().map(|()| Fault::Heal))?);
    found.extend(table.read("cut", |value| {
        one_way(&value, replicas).map(|(from, to)| Fault::Cut { from, to })
    })?);
    found.extend(table.read("mend", |value| {
        one_way(&value, replicas).map(|(from, to)| Fault::Mend { from, to })
    })?);
    found.extend(table.read("eclipse", |value| eclipse(&value, replicas))?);
    found.extend(table.read("loss", |value| value.share().map(Fault::Loss))?);
    found.extend(table.read("duplication", |value| value.share().map(Fault::Duplication))?);
    found.extend(
        table
            .read("reordering", |value| surroundings::reordering(&value).map(Fault::Reordering))?,
    );
    found.extend(table.read("latency", |value| surroundings::latency(&value).map(Fault::Latency))?);
    found
        .extend(table.read("link", |value| surroundings::link(&value, replicas).map(Fault::Link))?);
    found.extend(table.read("skew", |value| {
        surroundings::skew(&value, replicas).map(|(replica, skew)| Fault::Skew { replica, skew })
    })?);
    found.extend(table.read("disk", |value| {
        surroundings::disk(&value, replicas).map(|(replica, sync)| Fault::Disk { replica, sync })
    })?);
    found.extend(table.read("hash_rate", |value| {
        let (replica, factor) = surroundings::hash_rate(&value, replicas)?;
        Ok(Fault::HashRate { replica, factor })
    })?);
    found.extend(table.read("bond", |value| {
        let (replica, amount) = surroundings::stake(&value, replicas)?;
        Ok(Fault::Bond { replica, amount })
    })?);
    found.extend(table.read("unbond", |value| {
        let (replica, amount) = surroundings::stake(&value, replicas)?;
        Ok(Fault::Unbond { replica, amount })
    })?);
    Ok(found)
}

/// Those who crash may rise after a while.
fn restart(table: &mut Table<'_>, time: Duration, faults: &[Fault]) -> Read<Vec<Step>> {
    let after = table.read("restart_after", |value| Ok((value.span()?, value)))?;
    let Some((after, value)) = after else { return Ok(Vec::new()) };
    let rises = |fault: &Fault| match fault {
        Fault::Crash(id) | Fault::Wipe(id) => {
            Some(Step { time: time + after, fault: Fault::Restart(*id) })
        }
        _ => None,
    };
    let steps: Vec<_> = faults.iter().filter_map(rises).collect();
    match steps.is_empty() {
        true => Err(value.bad("nobody crashes in this step")),
        false => Ok(steps),
    }
}

fn partition(value: &Value<'_>, replicas: u32) -> Read<Fault> {
    let mut sides: Vec<Vec<ReplicaId>> = Vec::new();
    for side in value.list()? {
        let ids = side.replicas(replicas)?;
        if let Some(id) = ids.iter().find(|id| sides.iter().flatten().any(|other| other == *id)) {
            return Err(side.bad(format!("replica {id} is on two sides")));
        }
        sides.push(ids);
    }
    match sides.is_empty() {
        true => Err(value.bad("a partition has sides").hint("such as [[0, 1], [2, 3]]")),
        false => Ok(Fault::Partition(sides)),
    }
}

fn one_way(value: &Value<'_>, replicas: u32) -> Read<(ReplicaId, ReplicaId)> {
    let mut table = value.table()?;
    let pair = surroundings::pair(&mut table, replicas)?;
    table.finish()?;
    Ok(pair)
}

fn eclipse(value: &Value<'_>, replicas: u32) -> Read<Fault> {
    let mut table = value.table()?;
    let victim = table.need("victim", |value| value.replica(replicas))?;
    let but = table.read("but", |value| value.replicas(replicas))?.unwrap_or_default();
    table.finish()?;
    Ok(Fault::Eclipse { victim, but })
}
