//! What modules are compared under: faults of the world, and every lie, at the bound and beyond it.

use consensus::{byzantine, catalogue::NAMES};

/// A column of the matrix, as the part of a scenario that says what goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What it is called on the command line.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// The lines of a scenario that make it happen.
    pub lines: String,
    /// The modules it can happen to.
    pub modules: Vec<&'static str>,
}

impl Fault {
    /// Whether it is over after a while, or takes no more liars than there may be.
    pub fn must_be_survived(&self) -> bool {
        !self.lines.contains("byzantine") || self.name.ends_with("-f")
    }
}

/// How many replicas may be Byzantine where blocks are final at once.
pub(crate) fn bound(replicas: u32) -> u32 {
    replicas.saturating_sub(1) / 3
}

/// When what goes wrong for a while does, and when it is over.
const FROM_TO: (&str, &str) = ("8s", "18s");

/// Everything there is, for so many replicas.
pub fn all(replicas: u32) -> Vec<Fault> {
    let everywhere = |(name, about, lines): (&str, String, String)| Fault {
        name: name.to_owned(),
        about,
        lines,
        modules: NAMES.to_vec(),
    };
    let mut faults: Vec<_> = of_the_world(replicas).into_iter().map(everywhere).collect();
    for lie in lies() {
        let (bound, one_more) = (bound(replicas), (bound(replicas) + 1).min(replicas));
        for (mark, count) in [("f", bound), ("f+1", one_more)] {
            // Among fewer than four nobody may lie: then there is nothing to see at the bound.
            if count > 0 {
                faults.push(Fault {
                    name: format!("{}-{mark}", lie.name),
                    about: format!("{count} of {replicas}: {}", lie.line),
                    lines: liars(count, lie.name),
                    modules: lie.modules.clone(),
                });
            }
        }
    }
    faults
}

/// The text of a scenario: what `testnet run` needs to do it again.
pub fn scenario(fault: &Fault, modules: &[&str], replicas: u32, seeds: u64) -> String {
    let modules: Vec<_> = modules
        .iter()
        .filter(|name| fault.modules.contains(*name))
        .map(|name| format!("{name:?}"))
        .collect();
    let (name, about, lines) = (&fault.name, &fault.about, &fault.lines);
    format!(
        "# Made by `testnet compare`: {about}.\n\
         # Nothing is expected but safety: a seed that breaks it fails the run.\n\
         name = \"compare: {name}\"\n\
         consensus = [{}]\n\
         replicas = {replicas}\n\
         seeds = \"0..{seeds}\"\n\
         until = \"40s\"\n\
         load = {{ transfers_per_second = 2 }}\n\
         {lines}",
        modules.join(", ")
    )
}

/// The scenario lines by which the first few tell one lie: where there are primaries, they are first.
pub(crate) fn liars(count: u32, lie: &str) -> String {
    match count {
        0 => String::new(),
        _ => format!("byzantine = [{{ replicas = [{}], lie = {lie:?} }}]\n", list(0..count)),
    }
}

struct LieOfSome {
    name: &'static str,
    line: &'static str,
    modules: Vec<&'static str>,
}

/// Every lie of every module, each once.
fn lies() -> Vec<LieOfSome> {
    let mut lies: Vec<LieOfSome> = Vec::new();
    for module in NAMES.iter().copied() {
        for about in byzantine::list(module).expect("it is a name of the catalogue's") {
            match lies.iter_mut().find(|lie| lie.name == about.name) {
                Some(lie) => lie.modules.push(module),
                None => lies.push(LieOfSome {
                    name: about.name,
                    line: about.line,
                    modules: vec![module],
                }),
            }
        }
    }
    lies
}

fn list(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(", ")
}

/// Name, description and lines.
type World = (&'static str, String, String);

/// What the world does to so many replicas.
fn of_the_world(replicas: u32) -> Vec<World> {
    let mut worlds = of_the_weather();
    worlds.extend(of_machines(replicas));
    if replicas > 1 {
        worlds.extend(of_links(replicas));
    }
    worlds
}

/// What the network does to all parcels.
fn of_the_weather() -> Vec<World> {
    let worlds = [
        ("none", "nothing goes wrong", ""),
        ("loss", "one parcel in ten is lost", "network = { loss = 0.1 }\n"),
        (
            "disorder",
            "one parcel in ten comes twice, three in ten half a second late",
            "network = { duplication = 0.1, reordering = { share = 0.3, by = \"500ms\" } }\n",
        ),
        ("wan", "replicas on five continents", "network = { latency = \"planet\" }\n"),
        (
            "unrest",
            "until 12 s parcels take 2 s more in the mean, and a third is lost",
            "network = { unrest = { until = \"12s\", loss = 0.33, delay = \"0s + exp 2s\" } }\n",
        ),
    ];
    worlds.map(|(name, about, lines)| (name, about.to_owned(), lines.to_owned())).to_vec()
}

/// What goes wrong with single machines.
fn of_machines(replicas: u32) -> Vec<World> {
    let (from, to) = FROM_TO;
    let bound = bound(replicas);
    let outage = |count: u32| {
        let down = list(replicas - count..replicas);
        let step = format!("{{ time = {from:?}, crash = [{down}], restart_after = \"10s\" }}");
        let lines = if count == 0 { String::new() } else { format!("at = [{step}]\n") };
        (format!("{count} of {replicas} lose power from {from} to {to}"), lines)
    };
    let wrong = (0..replicas.div_ceil(2)).zip([3_000, -3_000].into_iter().cycle());
    let wrong = wrong.map(|(id, offset)| format!("{{ replica = {id}, offset_ms = {offset} }}"));
    let clocks = format!("clocks = [{}]\n", wrong.collect::<Vec<_>>().join(", "));
    let ((few, few_down), (many, many_down)) = (outage(bound), outage((bound + 1).min(replicas)));
    vec![
        (
            "slow-disk",
            "one disk takes 250 ms for a sync in the mean".to_owned(),
            "disks = [{ replica = 0, sync = \"150ms + exp 100ms\" }]\n".to_owned(),
        ),
        (
            "clock-skew",
            "half of the calendars are three seconds wrong, either way".to_owned(),
            clocks,
        ),
        ("outage-f", few, few_down),
        ("outage-f+1", many, many_down),
    ]
}

/// What goes wrong with links.
fn of_links(replicas: u32) -> Vec<World> {
    let (from, to) = FROM_TO;
    let (half, last) = (replicas / 2, replicas - 1);
    let until = |fault: String| {
        format!(
            "at = [\n  {{ time = {from:?}, {fault} }},\n  {{ time = {to:?}, heal = true }},\n]\n"
        )
    };
    let sides = format!("partition = [[{}], [{}]]", list(0..half), list(half..replicas));
    vec![
        ("partition", format!("two halves, from {from} to {to}"), until(sides)),
        (
            "one-way",
            "one replica is not heard by another, all the time".to_owned(),
            "at = [{ time = \"0s\", cut = { from = 0, to = 1 } }]\n".to_owned(),
        ),
        (
            "eclipse",
            format!("one replica is cut off from all others, from {from} to {to}"),
            until(format!("eclipse = {{ victim = {last} }}")),
        ),
    ]
}
