//! From a scenario to a file's text: what people would have written, and the reader reads back.

use super::{Agreement, Confirmed, Expect, Scenario, choices, usual};
use crate::{
    adversary::{Adversary, Choice, Crash, Place, Withhold},
    latency::{Latency, Regions},
    network::{Conditions, Exception, MILLION, Reordering, Unrest},
    schedule::{Fault, Step},
    span,
    topology::Topology,
};
use consensus::{
    byzantine::script::{Claim, Line, Word},
    catalogue::NAMES,
};
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    time::Duration,
};

mod steps;
#[cfg(test)]
mod tests;

/// The widest list that stands in one line, in characters.
const WIDTH: usize = 90;

impl Scenario {
    /// This scenario as a file's text, behind a comment of as many lines as `comment` has. It says
    /// only what is not as usual, and reads back as the same scenario if the choices of both
    /// adversaries are [grouped](Adversary::grouped).
    ///
    /// What no file can say is left out: replicas that are silent from the beginning without a step, goals
    /// of progress other than to get on, and an expectation of one module that asks less than that of all.
    pub fn to_toml(&self, comment: &str) -> String {
        let mut text = String::new();
        for line in comment.lines() {
            let line: String = line.chars().filter(|letter| !letter.is_control()).collect();
            text += format!("# {line}").trim_end();
            text.push('\n');
        }
        for (key, value) in self.entries() {
            text += &format!("{key} = {value}\n");
        }
        let mut sections = Vec::new();
        let expect = expectations(&self.expect, &Expect::default(), self.catch_up);
        // What is expected of one module needs a section of its own, and then all of it does.
        match (expect.is_empty(), self.expect_of.is_empty()) {
            (true, _) => {}
            (false, true) => text += &format!("expect = {}\n", table(expect)),
            (false, false) => sections.push(("expect".to_owned(), expect)),
        }
        sections.extend(self.expect_of.iter().map(|(name, expect)| {
            let fields = expectations(expect, &self.expect, self.catch_up);
            (format!("expect.{}", quoted(name)), fields)
        }));
        for (title, fields) in sections {
            text += &format!("\n[{title}]\n");
            for (key, value) in fields {
                text += &format!("{key} = {value}\n");
            }
        }
        text
    }

    /// All but what is expected.
    fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = vec![("name", quoted(&self.name))];
        let mut say = |key, value: Option<String>| {
            entries.extend(value.map(|value| (key, value)));
        };
        say("consensus", (!self.consensus.iter().eq(NAMES)).then(|| modules(&self.consensus)));
        say("seeds", (self.seeds != usual::SEEDS).then(|| seeds(&self.seeds)));
        say("until", (self.until != usual::UNTIL).then(|| time(self.until)));
        say("replicas", (self.replicas != usual::REPLICAS).then(|| self.replicas.to_string()));
        say("candidates", (self.candidates > 0).then(|| self.candidates.to_string()));
        say("stakes", filled(self.stakes.iter().map(u64::to_string)));
        say("block_time", (self.block_time != usual::BLOCK_TIME).then(|| time(self.block_time)));
        let settings = self.settings.iter().map(|(key, value)| (quoted(key), value.to_string()));
        say("settings", (!self.settings.is_empty()).then(|| table(settings)));
        say("topology", topology(self.topology));
        say("network", network(&self.network));
        say("clocks", filled(self.clocks.iter().map(|(id, skew)| table(steps::skew(*id, *skew)))));
        let disk = |(id, sync): (&ReplicaId, _)| table(steps::disk(*id, sync));
        say("disks", filled(self.disks.iter().map(disk)));
        let rate = |(id, factor): (&ReplicaId, &f64)| table(steps::hash_rate(*id, *factor));
        say("hash_rates", filled(self.hash_rates.iter().map(rate)));
        let load = [("transfers_per_second", self.transfers_per_second.to_string())];
        say("load", (self.transfers_per_second > 0.0).then(|| table(load)));
        say("byzantine", liars(&self.byzantine));
        let faces = |faces: &BTreeSet<ReplicaId>| list(faces.iter().map(ToString::to_string));
        say("faces", self.faces.as_ref().map(faces));
        say("catch_up", self.catch_up.map(time));
        say("adversary", adversary(&self.adversary.grouped(), self.replicas));
        let chaos = self.chaos.map(|chaos| {
            table([("faulty", chaos.faulty.to_string()), ("until", time(chaos.until))])
        });
        say("chaos", chaos);
        say("at", steps::all(self.steps.steps()).map(one_a_line));
        entries
    }
}

/// A text in quotes.
fn quoted(text: &str) -> String {
    let letter = |letter: char| match letter {
        '"' | '\\' => format!("\\{letter}"),
        letter if letter.is_control() => format!("\\u{:04X}", u32::from(letter)),
        letter => letter.to_string(),
    };
    format!("\"{}\"", text.chars().map(letter).collect::<String>())
}

fn time(span: Duration) -> String {
    quoted(&span::show(span))
}

/// A fraction.
fn share(parts: u32) -> String {
    (f64::from(parts) / f64::from(MILLION)).to_string()
}

/// A table in one line.
fn table<K: Display>(entries: impl IntoIterator<Item = (K, String)>) -> String {
    let entries: Vec<_> =
        entries.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    match entries.is_empty() {
        true => "{}".to_owned(),
        false => format!("{{ {} }}", entries.join(", ")),
    }
}

/// A list, in one line if it fits.
fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    let line = format!("[{}]", items.join(", "));
    match line.len() <= WIDTH {
        true => line,
        false => one_a_line(items),
    }
}

fn one_a_line(items: Vec<String>) -> String {
    let lines: Vec<_> = items.iter().map(|item| format!("  {item},\n")).collect();
    format!("[\n{}]", lines.concat())
}

/// A list, if there is anything in it.
fn filled(items: impl IntoIterator<Item = String>) -> Option<String> {
    let mut items = items.into_iter().peekable();
    items.peek().is_some().then(|| list(items))
}

/// One replica, or a list of several.
fn ids<'a>(ids: impl IntoIterator<Item = &'a ReplicaId>) -> String {
    let ids: Vec<_> = ids.into_iter().map(|id| id.0.to_string()).collect();
    match &ids[..] {
        [only] => only.clone(),
        _ => format!("[{}]", ids.join(", ")),
    }
}

fn modules(names: &[String]) -> String {
    match names {
        [only] => quoted(only),
        _ => list(names.iter().map(|name| quoted(name))),
    }
}

fn seeds(seeds: &std::ops::Range<u64>) -> String {
    let is_one = seeds.start.checked_add(1) == Some(seeds.end) && i64::try_from(seeds.end).is_ok();
    match is_one {
        true => seeds.start.to_string(),
        false => quoted(&format!("{}..{}", seeds.start, seeds.end)),
    }
}

fn topology(topology: Topology) -> Option<String> {
    match topology {
        Topology::Mesh => None,
        Topology::Gossip { degree } => Some(table([("gossip", degree.to_string())])),
        Topology::Random { fanout } => Some(table([("random", fanout.to_string())])),
    }
}

fn network(network: &Conditions) -> Option<String> {
    let usual = Conditions::default();
    let Conditions { latency: found, loss, links, duplication, reordering: held, unrest, .. } =
        network;
    let mut entries = Vec::new();
    let mut say = |key, value: Option<String>| entries.extend(value.map(|value| (key, value)));
    say("latency", (*found != usual.latency).then(|| latency(found)));
    say("loss", (*loss > 0).then(|| share(*loss)));
    say("duplication", (*duplication > 0).then(|| share(*duplication)));
    say("reordering", (*held != usual.reordering).then(|| reordering(held)));
    say("links", filled(links.iter().map(link)));
    say("unrest", unrest.as_ref().map(unrests));
    (!entries.is_empty()).then(|| table(entries))
}

fn latency(latency: &Latency) -> String {
    match latency {
        Latency::Everywhere(delay) => quoted(&delay.to_string()),
        Latency::Preset(preset) => quoted(&preset.to_string()),
        Latency::Regions(Regions { names, one_way, homes }) => {
            let row = |row: &Vec<_>| list(row.iter().map(|delay| quoted(&format!("{delay}"))));
            let mut entries = vec![
                ("names", list(names.iter().map(|name| quoted(name)))),
                ("one_way", list(one_way.iter().map(row))),
            ];
            entries.extend(
                filled(homes.iter().map(ToString::to_string)).map(|homes| ("homes", homes)),
            );
            table(entries)
        }
    }
}

fn reordering(Reordering { share: parts, by }: &Reordering) -> String {
    table([("share", share(*parts)), ("by", quoted(&by.to_string()))])
}

fn link(Exception { from, to, latency, loss }: &Exception) -> String {
    let mut entries = vec![("from", from.to_string()), ("to", to.to_string())];
    entries.extend(latency.iter().map(|delay| ("latency", quoted(&delay.to_string()))));
    entries.extend(loss.map(|parts| ("loss", share(parts))));
    table(entries)
}

fn unrests(Unrest { until, loss, delay }: &Unrest) -> String {
    let mut entries = vec![("until", time(*until))];
    entries.extend((*loss > 0).then(|| ("loss", share(*loss))));
    entries.push(("delay", quoted(&delay.to_string())));
    table(entries)
}

/// Those who tell the same lie stand together.
fn liars(byzantine: &BTreeMap<ReplicaId, String>) -> Option<String> {
    let mut by_lie: BTreeMap<&str, Vec<ReplicaId>> = BTreeMap::new();
    for (id, lie) in byzantine {
        by_lie.entry(lie).or_default().push(*id);
    }
    filled(by_lie.into_iter().map(|(lie, liars)| {
        let who = if liars.len() == 1 { "replica" } else { "replicas" };
        table([(who, ids(&liars)), ("lie", quoted(lie))])
    }))
}

/// One choice a line; what differs in nothing but the kind of message stands in one.
fn adversary(adversary: &Adversary, replicas: u32) -> Option<String> {
    let mut lines: Vec<(Vec<&str>, &Choice)> = Vec::new();
    for choice in &adversary.choices {
        let kind = match choice {
            Choice::Withhold(withhold) => withhold.what.kind.as_str(),
            Choice::Say { line, .. } => line.kind.as_str(),
            Choice::Crash(crash) => crash.after.kind.as_str(),
        };
        match lines.last_mut() {
            Some((kinds, last)) if differ_in_kind_alone(last, choice) && !kinds.contains(&kind) => {
                kinds.push(kind);
            }
            _ => lines.push((vec![kind], choice)),
        }
    }
    let line = |(kinds, choice): &(Vec<&str>, &Choice)| match choice {
        Choice::Withhold(withhold) => withheld(kinds, withhold, replicas),
        Choice::Say { by, line } => said(*by, line),
        Choice::Crash(crash) => crashed(crash),
    };
    (!lines.is_empty()).then(|| one_a_line(lines.iter().map(line).collect()))
}

fn differ_in_kind_alone(one: &Choice, other: &Choice) -> bool {
    let (Choice::Withhold(one), Choice::Withhold(other)) = (one, other) else { return false };
    let what = Place { kind: one.what.kind.clone(), ..other.what.clone() };
    *one == Withhold { what, ..other.clone() }
}

/// Where it is said: the round always, since stories are told by rounds.
fn slot(height: u64, round: u64) -> impl Iterator<Item = (&'static str, String)> {
    let height = (height != 1).then(|| ("height", height.to_string()));
    height.into_iter().chain([("round", round.to_string())])
}

fn withheld(kinds: &[&str], withhold: &Withhold, replicas: u32) -> String {
    let Withhold { what, from, to, until } = withhold;
    let mut entries = match kinds {
        [only] => vec![("withhold", quoted(only))],
        _ => vec![("withhold", list(kinds.iter().map(|kind| quoted(kind))))],
    };
    entries.extend(slot(what.height, what.round));
    // Nobody is kept from hearing itself, so that the only one on the other side may as well be named.
    let is_everybody = |ids: &BTreeSet<ReplicaId>, others: &BTreeSet<ReplicaId>| {
        let only = others.iter().filter(|_| others.len() == 1);
        ids.iter().chain(only).collect::<BTreeSet<_>>().len() == replicas as usize
    };
    entries.extend((!is_everybody(from, to)).then(|| ("from", ids(from))));
    entries.extend((!is_everybody(to, from)).then(|| ("to", ids(to))));
    entries.extend(until.map(|until| ("until", time(until))));
    table(entries)
}

fn said(by: ReplicaId, line: &Line) -> String {
    let Line { kind, height, round, value, proof, claims, names, to, when } = line;
    let mut entries = vec![("say", quoted(kind)), ("by", by.to_string())];
    entries.extend(slot(*height, *round));
    // Who votes says so, also where it is for nothing; who changes views votes for nothing at all.
    let nothing = (*height > 0).then(|| quoted("nil"));
    entries.extend(word(*value).or(nothing).map(|value| ("value", value)));
    entries.extend(proof.map(|proof| ("proof", proof.to_string())));
    let claim = |Claim { sequence, view, value }: &Claim| {
        let mut entries = vec![("sequence", sequence.to_string()), ("view", view.to_string())];
        entries.extend(word(*value).map(|value| ("value", value)));
        table(entries)
    };
    entries.extend(filled(claims.iter().map(claim)).map(|claims| ("claims", claims)));
    entries.extend((!names.is_empty()).then(|| ("names", ids(names))));
    entries.extend((!to.is_empty()).then(|| ("to", ids(to))));
    entries.extend(when.map(|when| ("when", when.to_string())));
    table(entries)
}

fn word(word: Word) -> Option<String> {
    match word {
        Word::Nil => None,
        Word::Mine(1) => Some(quoted("mine")),
        Word::Mine(number) => Some(quoted(&format!("mine {number}"))),
        Word::Of(round) => Some(quoted(&format!("of {round}"))),
    }
}

fn crashed(Crash { replica, after, down }: &Crash) -> String {
    let mut entries = vec![("crash", replica.to_string()), ("after", quoted(&after.kind))];
    entries.extend(slot(after.height, after.round));
    entries.extend((*down != choices::DOWN).then(|| ("down", time(*down))));
    table(entries)
}

/// What is expected besides what is expected anyway.
fn expectations(
    expect: &Expect,
    usual: &Expect,
    catch_up: Option<Duration>,
) -> Vec<(&'static str, String)> {
    let Expect { agreement, confirmed, height, progress, no_progress, one_chain, final_within } =
        expect;
    let mut entries = Vec::new();
    let mut say = |key, is_new: bool, value: Option<String>| {
        entries.extend(value.filter(|_| is_new).map(|value| (key, value)));
    };
    let agreed = match agreement {
        Agreement::Always => "always",
        Agreement::Broken => "broken",
        Agreement::Either => "either",
    };
    let kept = match confirmed {
        Confirmed::Kept => "kept",
        Confirmed::Reverted => "reverted",
        Confirmed::Either => "either",
    };
    say("agreement", *agreement != usual.agreement, Some(quoted(agreed)));
    say("confirmed", *confirmed != usual.confirmed, Some(quoted(kept)));
    say("height", *height != usual.height, height.map(|height| height.to_string()));
    let within = |since: Duration, within: Duration| match catch_up == Some(since) {
        true => quoted(&format!("{} of catch_up", span::show(within))),
        false => quoted(&format!("{} of {}", span::show(within), span::show(since))),
    };
    let promises = list(progress.iter().map(|each| within(each.since, each.within)));
    say("progress_within", *progress != usual.progress, Some(promises));
    let between = no_progress
        .iter()
        .map(|range| quoted(&format!("{}..{}", span::show(range.start), span::show(range.end))));
    say("no_progress", *no_progress != usual.no_progress, Some(list(between)));
    let chain = one_chain.map(|since| within(Duration::ZERO, since));
    say("one_chain", *one_chain != usual.one_chain, chain);
    say("final_within", final_within != &usual.final_within, final_within.map(time));
    entries
}

/// What happens in a step, as its key says it.
fn fault(fault: &Fault) -> (&'static str, String) {
    match fault {
        Fault::Crash(id) => ("crash", id.to_string()),
        Fault::Restart(id) => ("restart", id.to_string()),
        Fault::Wipe(id) => ("wipe", id.to_string()),
        Fault::Pause(id) => ("pause", id.to_string()),
        Fault::Resume(id) => ("resume", id.to_string()),
        Fault::Silence(id) => ("silence", id.to_string()),
        Fault::Speak(id) => ("speak", id.to_string()),
        Fault::Partition(sides) => {
            let side = |side: &Vec<ReplicaId>| list(side.iter().map(ToString::to_string));
            ("partition", list(sides.iter().map(side)))
        }
        Fault::Heal => ("heal", "true".to_owned()),
        Fault::Cut { from, to } => ("cut", steps::way(*from, *to)),
        Fault::Mend { from, to } => ("mend", steps::way(*from, *to)),
        Fault::Eclipse { victim, but } => {
            let mut entries = vec![("victim", victim.to_string())];
            entries.extend((!but.is_empty()).then(|| ("but", ids(but))));
            ("eclipse", table(entries))
        }
        Fault::Loss(parts) => ("loss", share(*parts)),
        Fault::Duplication(parts) => ("duplication", share(*parts)),
        Fault::Reordering(held) => ("reordering", reordering(held)),
        Fault::Latency(found) => ("latency", latency(found)),
        Fault::Link(exception) => ("link", link(exception)),
        Fault::Skew { replica, skew } => ("skew", table(steps::skew(*replica, *skew))),
        Fault::Disk { replica, sync } => ("disk", table(steps::disk(*replica, sync))),
        Fault::HashRate { replica, factor } => {
            ("hash_rate", table(steps::hash_rate(*replica, *factor)))
        }
        Fault::Bond { replica, amount } => ("bond", table(steps::stake(*replica, *amount))),
        Fault::Unbond { replica, amount } => ("unbond", table(steps::stake(*replica, *amount))),
    }
}
