//! From a file's text to a scenario that can be run.

use super::{
    Chaos, Expect, Scenario,
    bad::BadScenario,
    choices, expect, faults, leak,
    reader::{Read, Table, Value},
    surroundings, usual,
};
use crate::{
    Variant,
    adversary::{Adversary, SCRIPT},
    mining::{MAX_HASHES, hashes},
    network::Conditions,
    record::Tracing,
    topology::Topology,
};
use consensus::{
    byzantine,
    catalogue::{self, NAMES},
    nakamoto,
};
use ledger::{Genesis, ReplicaId, genesis::BadGenesis};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};
use toml::de::DeTable;

/// The longest text that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The most replicas that a scenario has.
const MAX_REPLICAS: u32 = 1_000;

/// The most seeds.
const MAX_SEEDS: u64 = 1_000_000;

/// The most transfers in one run.
const MAX_TRANSFERS: f64 = 100_000.0;

/// The shortest pause of an idle chain: without any, virtual time might stand still.
const SHORTEST_BLOCK_TIME: Duration = Duration::from_millis(10);

/// The longest run.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 3600);

pub(super) fn scenario(text: &str) -> Read<Scenario> {
    if text.len() > MAX_BYTES {
        let what = format!("a scenario has at most {MAX_BYTES} bytes, this has {}", text.len());
        return Err(BadScenario::at("", 0..0, what));
    }
    let root = DeTable::parse(text).map_err(|error| {
        BadScenario::at(text, error.span().unwrap_or(0..0), error.message().to_owned())
    })?;
    let mut file = Table::of_file(text, &root);
    let scenario = read(&mut file)?;
    file.finish()?;
    Ok(scenario)
}

fn read(file: &mut Table<'_>) -> Read<Scenario> {
    let name = file.need("name", name)?;
    let consensus = file.read("consensus", modules)?;
    let consensus = consensus.unwrap_or_else(|| NAMES.iter().map(ToString::to_string).collect());
    let seeds = file.read("seeds", seeds)?.unwrap_or(usual::SEEDS);
    let until = file.read("until", until)?.unwrap_or(usual::UNTIL);
    let replicas =
        file.read("replicas", |value| value.count(1..=MAX_REPLICAS))?.unwrap_or(usual::REPLICAS);
    let candidates = file.read("candidates", |value| value.count(0..=replicas - 1))?.unwrap_or(0);
    let stakes = file.take("stakes");
    let settings = file.take("settings");
    let leak = file.take("leak");
    let byzantine = file.take("byzantine");
    let catch_up = file.take("catch_up");
    let adversary = file.take("adversary");
    let calm_at = file.take("at");
    let chaos = file.read("chaos", |value| read_chaos(&value, replicas))?;
    let steps = calm_at.map(|value| faults::steps(&value, replicas)).transpose()?;
    let mut scenario = Scenario {
        name,
        seeds,
        until,
        replicas,
        candidates,
        stakes: stakes
            .as_ref()
            .map(|value| read_stakes(value, replicas))
            .transpose()?
            .unwrap_or_default(),
        block_time: file.read("block_time", block_time)?.unwrap_or(usual::BLOCK_TIME),
        settings: settings.as_ref().map(read_settings).transpose()?.unwrap_or_default(),
        topology: file.read("topology", topology)?.unwrap_or_default(),
        network: file
            .read("network", |value| surroundings::network(&value, replicas))?
            .unwrap_or_else(Conditions::default),
        clocks: file
            .read("clocks", |value| surroundings::clocks(&value, replicas))?
            .unwrap_or_default(),
        disks: file
            .read("disks", |value| surroundings::disks(&value, replicas))?
            .unwrap_or_default(),
        hash_rates: file
            .read("hash_rates", |value| surroundings::hash_rates(&value, replicas))?
            .unwrap_or_default(),
        transfers_per_second: file.read("load", |value| load(&value, until))?.unwrap_or(0.0),
        byzantine: byzantine
            .as_ref()
            .map(|value| liars(value, replicas, &consensus))
            .transpose()?
            .unwrap_or_default(),
        faces: file.read("faces", |value| value.replicas(replicas).map(BTreeSet::from_iter))?,
        catch_up: catch_up.as_ref().map(Value::span).transpose()?,
        adversary: Adversary::default(),
        chaos,
        steps: steps.unwrap_or_default(),
        expect: Expect::default(),
        expect_of: BTreeMap::new(),
        consensus,
    };
    leak.iter().try_for_each(|value| leak::read(value, &mut scenario))?;
    if let Some(value) = &adversary {
        scenario.adversary = choices::read(value, &scenario)?;
    }
    if let Some(value) = file.take("expect") {
        expect::read(&value, &mut scenario)?;
    }
    check(&scenario, file, stakes.as_ref(), settings.as_ref().or(leak.as_ref()))?;
    Ok(scenario)
}

/// Whether chains can begin so.
fn check(
    scenario: &Scenario,
    file: &Table<'_>,
    stakes: Option<&Value<'_>>,
    settings: Option<&Value<'_>>,
) -> Read<()> {
    let blame = |value: Option<&Value<'_>>, what: String| match value {
        Some(value) => value.bad(what),
        None => file.bad(what),
    };
    for module in &scenario.consensus {
        let genesis = scenario.setup(module, 0, Tracing::Off).genesis();
        genesis.check().map_err(|error| match error {
            BadGenesis::Committee(_) => blame(stakes, error.to_string()),
            _ => blame(settings, error.to_string()),
        })?;
        catalogue::check(&genesis).map_err(|error| blame(settings, error.to_string()))?;
        check_work(scenario, &genesis).map_err(|error| blame(settings, error))?;
        if scenario.candidates > 0 && genesis.staking().is_none() {
            let what = format!("candidates join by bonding stake, which {module} has no rules for");
            return Err(file.bad(what).hint("name modules that have, or leave candidates out"));
        }
    }
    for key in scenario.settings.keys() {
        let of = |name: &&str| key.strip_prefix(*name).is_some_and(|rest| rest.starts_with('.'));
        if !NAMES.iter().any(of) && !key.starts_with("ledger.") {
            let what = format!("{key:?} is a setting of no module");
            return Err(blame(settings, what).hint(format!("modules are {}", NAMES.join(", "))));
        }
    }
    Ok(())
}

/// Simulated miners really try their hashes: blocks must not be too hard.
fn check_work(scenario: &Scenario, genesis: &Genesis) -> Result<(), String> {
    let Ok(Some(_)) = catalogue::depths(genesis) else { return Ok(()) };
    let Ok(config) = nakamoto::Config::from_genesis(genesis) else { return Ok(()) };
    let fastest = scenario.hash_rates.values().copied().fold(1.0, f64::max);
    let hardest = hashes(config.anchor) * fastest * 4.0;
    match hardest <= MAX_HASHES {
        true => Ok(()),
        false => Err(format!(
            "blocks may come to take {hardest:.0} hashes, and simulated miners really try them: at \
             most {MAX_HASHES} are possible"
        )),
    }
}

fn name(value: Value<'_>) -> Read<String> {
    let name = value.text()?.trim();
    match name.chars().count() {
        1..=100 if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(value.bad("a name has 1 to 100 characters, all in one line")),
    }
}

fn modules(value: Value<'_>) -> Read<Vec<String>> {
    let mut modules: Vec<String> = Vec::new();
    for each in value.one_or_more()? {
        let name = each.text()?;
        let variant: Result<Variant, _> = name.parse();
        let name = variant.map_err(|error| each.bad(error.to_string()).suggest(name, NAMES))?;
        let name = name.to_string();
        if modules.contains(&name) {
            return Err(each.bad(format!("{name} is here twice")));
        }
        modules.push(name);
    }
    match modules.is_empty() {
        true => Err(value.bad("there must be at least one module").suggest("", NAMES)),
        false => Ok(modules),
    }
}

fn seeds(value: Value<'_>) -> Read<Range<u64>> {
    if value.is_whole() {
        let seed = value.whole(0..=i64::MAX - 1)?;
        let seed = u64::try_from(seed).expect("it is not negative");
        return Ok(seed..seed + 1);
    }
    let text = value.text()?;
    let numbers = text.split_once("..").and_then(|(first, end)| {
        Some(first.trim().parse::<u64>().ok()?..end.trim().parse::<u64>().ok()?)
    });
    numbers.filter(|range| !range.is_empty() && range.end - range.start <= MAX_SEEDS).ok_or_else(
        || {
            value.bad(format!(
                "seeds are a range such as \"0..50\", of at most {MAX_SEEDS}, or one number"
            ))
        },
    )
}

fn until(value: Value<'_>) -> Read<Duration> {
    let until = value.span()?;
    match (Duration::from_secs(1)..=LONGEST_RUN).contains(&until) {
        true => Ok(until),
        false => Err(value.bad("a run takes from 1s to 24h of virtual time")),
    }
}

fn block_time(value: Value<'_>) -> Read<Duration> {
    let time = value.span()?;
    match (SHORTEST_BLOCK_TIME..=Duration::from_secs(3600)).contains(&time) {
        true => Ok(time),
        false => Err(value.bad("a block time is from 10ms to 1h")),
    }
}

fn read_stakes(value: &Value<'_>, replicas: u32) -> Read<Vec<u64>> {
    let list = value.list()?;
    if list.len() > replicas as usize {
        let what = format!("there are {} stakes and {replicas} replicas", list.len());
        return Err(value.bad(what));
    }
    let stake = |each: &Value<'_>| {
        each.whole(1..=1_000_000_000).map(|stake| u64::try_from(stake).expect("it is positive"))
    };
    list.iter().map(stake).collect()
}

fn read_settings(value: &Value<'_>) -> Read<BTreeMap<String, u64>> {
    let mut settings = BTreeMap::new();
    let mut table = value.table()?;
    for (key, value) in table.take_all() {
        if value.is_table() {
            let why = "a setting is a whole number under its whole name, in quotes";
            return Err(value.bad(why).hint("such as \"pow.confirmations\" = 3"));
        }
        let number = value.whole(0..=i64::MAX)?;
        settings.insert(key.to_owned(), u64::try_from(number).expect("it is not negative"));
    }
    Ok(settings)
}

fn topology(value: Value<'_>) -> Read<Topology> {
    if !value.is_table() {
        return value.one_of(&["mesh"]).map(|_| Topology::Mesh);
    }
    let mut table = value.table()?;
    if let Some(value) = table.take("random") {
        table.finish()?;
        return Ok(Topology::Random { fanout: value.count(1..=100)? });
    }
    let degree = table.need("gossip", |value| value.count(2..=100))?;
    table.finish()?;
    Ok(Topology::Gossip { degree })
}

fn load(value: &Value<'_>, until: Duration) -> Read<f64> {
    let mut table = value.table()?;
    let rate = table.need("transfers_per_second", |value| value.number(0.001..=1_000.0))?;
    table.finish()?;
    match rate * until.as_secs_f64() <= MAX_TRANSFERS {
        true => Ok(rate),
        false => Err(value
            .bad(format!("that is more than {MAX_TRANSFERS} transfers in a run"))
            .hint("lower `transfers_per_second`, or `until`")),
    }
}

fn read_chaos(value: &Value<'_>, replicas: u32) -> Read<Chaos> {
    let mut table = value.table()?;
    let faulty = table.need("faulty", |value| value.count(0..=replicas))?;
    let until = table.need("until", |value| value.span())?;
    table.finish()?;
    Ok(Chaos { faulty, until })
}

fn liars(
    value: &Value<'_>,
    replicas: u32,
    modules: &[String],
) -> Read<BTreeMap<ReplicaId, String>> {
    let mut liars = BTreeMap::new();
    for each in value.list()? {
        let mut table = each.table()?;
        let one = table.read("replica", |value| Ok(vec![value.replica(replicas)?]))?;
        let several = table.read("replicas", |value| value.replicas(replicas))?;
        let lie = table.need("lie", |value| lie(&value, modules))?;
        table.finish()?;
        let ids = match (one, several) {
            (Some(ids), None) | (None, Some(ids)) => ids,
            _ => return Err(each.bad("it takes either `replica` or `replicas`")),
        };
        for id in ids {
            if liars.insert(id, lie.clone()).is_some() {
                return Err(each.bad(format!("replica {id} lies already")));
            }
        }
    }
    Ok(liars)
}

/// A lie that can be told about all the modules.
fn lie(value: &Value<'_>, modules: &[String]) -> Read<String> {
    let found = value.text()?;
    for module in modules {
        let module = module.parse::<Variant>().expect("its name was read").module;
        let all = byzantine::list(module).expect("the module is one of the catalogue's");
        let scripted = byzantine::script::can_play(module).expect("it is one of those");
        let all = all.iter().map(|about| about.name);
        let known: Vec<_> = all.chain(scripted.then_some(SCRIPT)).collect();
        if !known.contains(&found) {
            let shown: String = found.chars().take(40).collect();
            let what = format!("there is no lie called {shown:?} about {module}");
            return Err(value.bad(what).suggest(found, &known));
        }
    }
    Ok(found.to_owned())
}
