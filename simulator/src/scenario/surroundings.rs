//! What the world around the replicas is like: network, clocks, disks, miners.

use super::reader::{Read, Table, Value};
use crate::{
    clock::Skew,
    delay::Delay,
    latency::{Latency, Preset, Regions},
    network::{Conditions, Exception, Reordering, Unrest},
};
use ledger::ReplicaId;
use std::collections::BTreeMap;

/// A calendar is wrong by a day at most.
const MOST_OFFSET_MS: i64 = 24 * 3_600_000;

/// A tenth too fast or too slow.
const MOST_DRIFT_PPM: i64 = 100_000;

/// How many times as fast as others a miner may be; blocks get harder by as much.
const MOST_FACTOR: f64 = 100.0;

/// More than any account of a simulation owns.
const MOST_STAKE: i64 = 1_000_000_000;

pub(super) fn network(value: &Value<'_>, replicas: u32) -> Read<Conditions> {
    let usual = Conditions::default();
    let mut table = value.table()?;
    let conditions = Conditions {
        latency: table.read("latency", |value| latency(&value))?.unwrap_or(usual.latency),
        loss: table.read("loss", |value| value.share())?.unwrap_or(0),
        links: table.read("links", |value| links(&value, replicas))?.unwrap_or_default(),
        duplication: table.read("duplication", |value| value.share())?.unwrap_or(0),
        reordering: table
            .read("reordering", |value| reordering(&value))?
            .unwrap_or(usual.reordering),
        silent: usual.silent,
        unrest: table.read("unrest", |value| unrest(&value))?,
    };
    table.finish()?;
    Ok(conditions)
}

pub(super) fn latency(value: &Value<'_>) -> Read<Latency> {
    if value.is_table() {
        return regions(value).map(Latency::Regions);
    }
    let text = value.text()?;
    match Preset::ALL.iter().find(|(_, name)| *name == text) {
        Some((preset, _)) => Ok(Latency::Preset(*preset)),
        None => value
            .delay()
            .map(Latency::Everywhere)
            .map_err(|bad| bad.hint("or one of \"lan\", \"wan\", \"planet\"")),
    }
}

fn regions(value: &Value<'_>) -> Read<Regions> {
    let mut table = value.table()?;
    let name = |value: Value<'_>| value.text().map(str::to_owned);
    let names = table.need("names", |value| value.list()?.into_iter().map(name).collect())?;
    let names: Vec<String> = names;
    let many = names.len();
    if many == 0 || many > 100 {
        return Err(table.bad("there are 1 to 100 regions"));
    }
    let square =
        |value: &Value<'_>| value.bad(format!("there must be {many}, one for each region"));
    let row = |value: Value<'_>| -> Read<Vec<Delay>> {
        let list = value.list()?;
        if list.len() != many {
            return Err(square(&value));
        }
        list.iter().map(Value::delay).collect()
    };
    let one_way = table.need("one_way", |value| {
        let list = value.list()?;
        if list.len() != many {
            return Err(square(&value));
        }
        list.into_iter().map(row).collect::<Read<Vec<_>>>()
    })?;
    let last = u32::try_from(many - 1).expect("there are not many");
    let home = |value: Value<'_>| value.count(0..=last).map(|home| home as usize);
    let homes = table.read("homes", |value| value.list()?.into_iter().map(home).collect())?;
    table.finish()?;
    Ok(Regions { names, one_way, homes: homes.unwrap_or_default() })
}

pub(super) fn reordering(value: &Value<'_>) -> Read<Reordering> {
    let mut table = value.table()?;
    let share = table.need("share", |value| value.share())?;
    let by = table.need("by", |value| value.delay())?;
    table.finish()?;
    Ok(Reordering { share, by })
}

fn unrest(value: &Value<'_>) -> Read<Unrest> {
    let mut table = value.table()?;
    let until = table.need("until", |value| value.span())?;
    let loss = table.read("loss", |value| value.share())?.unwrap_or(0);
    let delay = table.need("delay", |value| value.delay())?;
    table.finish()?;
    Ok(Unrest { until, loss, delay })
}

/// Two different replicas.
pub(super) fn pair(table: &mut Table<'_>, replicas: u32) -> Read<(ReplicaId, ReplicaId)> {
    let from = table.need("from", |value| value.replica(replicas))?;
    let to = table.need("to", |value| value.replica(replicas))?;
    match from == to {
        true => Err(table.bad("`from` and `to` are the same replica")),
        false => Ok((from, to)),
    }
}

pub(super) fn link(value: &Value<'_>, replicas: u32) -> Read<Exception> {
    let mut table = value.table()?;
    let (from, to) = pair(&mut table, replicas)?;
    let latency = table.read("latency", |value| value.delay())?;
    let loss = table.read("loss", |value| value.share())?;
    table.finish()?;
    Ok(Exception { from, to, latency, loss })
}

fn links(value: &Value<'_>, replicas: u32) -> Read<Vec<Exception>> {
    value.list()?.iter().map(|each| link(each, replicas)).collect()
}

pub(super) fn skew(value: &Value<'_>, replicas: u32) -> Read<(ReplicaId, Skew)> {
    let mut table = value.table()?;
    let replica = table.need("replica", |value| value.replica(replicas))?;
    let offset = |value: Value<'_>| value.whole(-MOST_OFFSET_MS..=MOST_OFFSET_MS);
    let offset_ms = table.read("offset_ms", offset)?.unwrap_or(0);
    let drift = |value: Value<'_>| value.whole(-MOST_DRIFT_PPM..=MOST_DRIFT_PPM);
    let drift = table.read("drift_ppm", drift)?.unwrap_or(0);
    table.finish()?;
    let drift_ppm = i32::try_from(drift).expect("it is within bounds");
    Ok((replica, Skew { offset_ms, drift_ppm }))
}

pub(super) fn disk(value: &Value<'_>, replicas: u32) -> Read<(ReplicaId, Delay)> {
    let mut table = value.table()?;
    let replica = table.need("replica", |value| value.replica(replicas))?;
    let sync = table.need("sync", |value| value.delay())?;
    table.finish()?;
    Ok((replica, sync))
}

pub(super) fn hash_rate(value: &Value<'_>, replicas: u32) -> Read<(ReplicaId, f64)> {
    let mut table = value.table()?;
    let replica = table.need("replica", |value| value.replica(replicas))?;
    let factor = table.need("factor", |value| value.number(0.0..=MOST_FACTOR))?;
    table.finish()?;
    Ok((replica, factor))
}

pub(super) fn stake(value: &Value<'_>, replicas: u32) -> Read<(ReplicaId, u64)> {
    let mut table = value.table()?;
    let replica = table.need("replica", |value| value.replica(replicas))?;
    let amount = table.need("amount", |value| value.whole(1..=MOST_STAKE))?;
    table.finish()?;
    Ok((replica, u64::try_from(amount).expect("it is within bounds")))
}

pub(super) fn clocks(value: &Value<'_>, replicas: u32) -> Read<BTreeMap<ReplicaId, Skew>> {
    by_replica(value, |each| skew(each, replicas))
}

pub(super) fn disks(value: &Value<'_>, replicas: u32) -> Read<BTreeMap<ReplicaId, Delay>> {
    by_replica(value, |each| disk(each, replicas))
}

pub(super) fn hash_rates(value: &Value<'_>, replicas: u32) -> Read<BTreeMap<ReplicaId, f64>> {
    by_replica(value, |each| hash_rate(each, replicas))
}

fn by_replica<T>(
    value: &Value<'_>,
    read: impl Fn(&Value<'_>) -> Read<(ReplicaId, T)>,
) -> Read<BTreeMap<ReplicaId, T>> {
    let mut found = BTreeMap::new();
    for each in value.list()? {
        let (id, one) = read(&each)?;
        if found.insert(id, one).is_some() {
            return Err(each.bad(format!("replica {id} is here twice")));
        }
    }
    Ok(found)
}
