//! The adversary's choices in a file.

use super::{
    Scenario,
    reader::{Read, Table, Value},
};
use crate::{
    Variant,
    adversary::{Adversary, Choice, Crash, Place, SCRIPT, Withhold},
    explore::stage,
    topology::Topology,
};
use consensus::{
    byzantine::script::{Claim, Line, Sort, Word},
    catalogue,
};
use ledger::ReplicaId;
use std::{collections::BTreeSet, slice::from_ref, time::Duration};

/// The most choices: each is asked about each message.
const MOST: usize = 2_000;

/// The most messages that some replica does not hear.
const MOST_PAIRS: usize = 100_000;

/// How long a replica is down of which nothing else is said.
pub(super) const DOWN: Duration = Duration::from_millis(50);

/// Reads the list under `adversary`.
pub(super) fn read(value: &Value<'_>, scenario: &Scenario) -> Read<Adversary> {
    if scenario.catch_up.is_none() {
        return Err(value
            .bad("until when does it have its way?")
            .hint("such as catch_up = \"5s\""));
    }
    if scenario.topology != Topology::Mesh {
        return Err(value.bad("an adversary chooses messages on their way: the topology is a mesh"));
    }
    let mut choices = Vec::new();
    for each in value.list()? {
        let mut table = each.table()?;
        let [withhold, say, crash] = ["withhold", "say", "crash"].map(|key| table.take(key));
        match (withhold, say, crash) {
            (Some(kinds), None, None) => choices.extend(withheld(&kinds, &mut table, scenario)?),
            (None, Some(kind), None) => choices.push(said(&kind, &mut table, scenario)?),
            (None, None, Some(who)) => choices.push(crashed(&who, &mut table, scenario)?),
            _ => {
                let what = "a choice is one of `withhold`, `say` and `crash`";
                return Err(each.bad(what));
            }
        }
        table.finish()?;
    }
    let adversary = Adversary { choices };
    match adversary.choices.len() <= MOST && adversary.len() <= MOST_PAIRS {
        true => Ok(adversary),
        false => Err(value.bad(format!(
            "an adversary makes at most {MOST} choices in a run, about {MOST_PAIRS} messages and hearers"
        ))),
    }
}

fn withheld(kinds: &Value<'_>, table: &mut Table<'_>, scenario: &Scenario) -> Read<Vec<Choice>> {
    let replicas = scenario.replicas;
    let kinds = kinds.one_or_more()?;
    let mut names = Vec::new();
    for value in &kinds {
        let name = kind(value, scenario)?;
        if names.contains(&name) {
            return Err(value.bad(format!("{name} is here twice")));
        }
        names.push(name);
    }
    let (height, round) = slot(table, &kinds, &names, scenario)?;
    let ids = |value: Value<'_>| value.replicas(replicas).map(BTreeSet::from_iter);
    let everybody = || (0..replicas).map(ReplicaId).collect();
    let from = table.read("from", ids)?.unwrap_or_else(everybody);
    let to = table.read("to", ids)?.unwrap_or_else(everybody);
    let until = table.read("until", |value| value.span())?;
    let choice = |kind: String| {
        let what = Place { kind, height, round };
        Choice::Withhold(Withhold { what, from: from.clone(), to: to.clone(), until })
    };
    Ok(names.into_iter().map(choice).collect())
}

fn said(what: &Value<'_>, table: &mut Table<'_>, scenario: &Scenario) -> Read<Choice> {
    let replicas = scenario.replicas;
    let kind = kind(what, scenario)?;
    let by = table.need("by", |value| {
        let by = value.replica(replicas)?;
        match scenario.byzantine.get(&by).is_some_and(|lie| lie == SCRIPT) {
            true => Ok(by),
            false => Err(value
                .bad(format!("replica {by} goes by no script"))
                .hint(format!("byzantine = [{{ replica = {by}, lie = \"{SCRIPT}\" }}]"))),
        }
    })?;
    let (height, round) = slot(table, from_ref(what), from_ref(&kind), scenario)?;
    let line = Line {
        kind,
        height,
        round,
        value: table.read("value", |value| word(&value))?.unwrap_or_default(),
        proof: table.read("proof", |value| number(&value))?,
        claims: table.read("claims", |value| claims(&value))?.unwrap_or_default(),
        names: table.read("names", |value| value.replicas(replicas))?.unwrap_or_default(),
        to: table.read("to", |value| value.replicas(replicas))?.unwrap_or_default(),
        when: table.read("when", |value| number(&value))?,
    };
    Ok(Choice::Say { by, line })
}

fn crashed(who: &Value<'_>, table: &mut Table<'_>, scenario: &Scenario) -> Read<Choice> {
    let replica = who.replica(scenario.replicas)?;
    let after = table.need("after", Ok)?;
    let kind = kind(&after, scenario)?;
    let (height, round) = slot(table, &[after], from_ref(&kind), scenario)?;
    let down = table.read("down", |value| value.span())?.unwrap_or(DOWN);
    Ok(Choice::Crash(Crash { replica, after: Place { kind, height, round }, down }))
}

/// Height and round of some kinds of messages, whose slots must have both, or no height.
fn slot(
    table: &mut Table<'_>,
    values: &[Value<'_>],
    kinds: &[String],
    scenario: &Scenario,
) -> Read<(u64, u64)> {
    let mut usual = None;
    for (value, kind) in values.iter().zip(kinds) {
        let Some(height) = usual_height(kind, scenario) else {
            return Err(value.bad(format!("a {kind} has no slot by which it could be named")));
        };
        if *usual.get_or_insert(height) != height {
            return Err(value.bad("slots of some of these have a height, and those of others none"));
        }
    }
    let usual = usual.unwrap_or(1);
    let height = table.read("height", |value| match number(&value)? {
        0 if usual > 0 => Err(value.bad("heights begin with 1")),
        height if usual == 0 && height > 0 => Err(value.bad("such messages have no height")),
        height => Ok(height),
    })?;
    let round = table.read("round", |value| number(&value))?.unwrap_or(0);
    Ok((height.unwrap_or(usual), round))
}

/// Of a message of which nothing else is said: one, or zero where slots have no height. None where it
/// has no slot.
fn usual_height(kind: &str, scenario: &Scenario) -> Option<u64> {
    let part = |name: &String| {
        let variant: Variant = name.parse().expect("its name was read");
        stage(&variant).parts.iter().find(|part| part.kind == kind).copied()
    };
    let part = scenario.consensus.iter().find_map(part)?;
    Some(u64::from(!matches!(part.sort, Sort::Change | Sort::Opening)))
}

fn number(value: &Value<'_>) -> Read<u64> {
    let number = value.whole(0..=1_000_000_000_000)?;
    Ok(u64::try_from(number).expect("it is not negative"))
}

/// What a message is called in all the modules that are tried.
fn kind(value: &Value<'_>, scenario: &Scenario) -> Read<String> {
    let found = value.text()?;
    for name in &scenario.consensus {
        let module = name.parse::<Variant>().expect("its name was read").module;
        let known = catalogue::kinds(module).expect("it is one of the catalogue's");
        if !known.contains(&found) {
            let shown: String = found.chars().take(40).collect();
            let what = format!("no message of {module} is called {shown:?}");
            return Err(value.bad(what).suggest(found, known));
        }
    }
    Ok(found.to_owned())
}

fn word(value: &Value<'_>) -> Read<Word> {
    let text = value.text()?;
    let part = |prefix: &str| text.strip_prefix(prefix).map(str::trim);
    let word = match text {
        "nil" => Some(Word::Nil),
        "mine" => Some(Word::Mine(1)),
        _ => None,
    };
    let mine = || part("mine ").and_then(|number| number.parse().ok()).map(Word::Mine);
    let of = || part("of ").and_then(|round| round.parse().ok()).map(Word::Of);
    word.or_else(mine).or_else(of).ok_or_else(|| {
        value
            .bad("nobody knows this value")
            .hint("it is \"nil\", \"mine\", \"mine 2\", or \"of 0\": what was proposed in round 0")
    })
}

fn claims(value: &Value<'_>) -> Read<Vec<Claim>> {
    let claim = |each: Value<'_>| {
        let mut table = each.table()?;
        let claim = Claim {
            sequence: table.need("sequence", |value| number(&value))?,
            view: table.need("view", |value| number(&value))?,
            value: table.read("value", |value| word(&value))?.unwrap_or_default(),
        };
        table.finish()?;
        Ok(claim)
    };
    value.list()?.into_iter().map(claim).collect()
}
