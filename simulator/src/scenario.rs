//! An experiment as a file: who takes part, what goes wrong when, and what is expected of it.
//!
//! The file is TOML. Nothing in it is ignored: a key or a value that nobody knows is a
//! [`BadScenario`], which shows the place and what was meant, perhaps.
//!
//! | key | what it says | default |
//! |---|---|---|
//! | `name` | what people call it | must be given |
//! | `consensus` | a module's name, or that of a mutant with its module's before it, as `"tendermint:T3"`; or several in a list | all modules |
//! | `seeds` | `"0..50"`, its end excluded, or one number: that seed alone | `"0..10"` |
//! | `until` | when a run ends, in virtual time, if not before | `"10m"` |
//! | `replicas` | how many | 4 |
//! | `candidates` | how many of them, the last ones, are no founders: they have money, follow the chain and may bond | none |
//! | `stakes` | a list: what each founder weighs | all alike |
//! | `block_time` | the pause of an idle chain, or the mean time between mined blocks | `"1s"` |
//! | `settings` | what the genesis sets: `{ "pow.confirmations" = 3 }` | what is customary |
//! | `leak` | `"on-chain"`, `"recovery"`, or a table of `kind` and, each as usual if not given, `quotient`, `tolerates` (a share below a third), `grace` and `epoch` (times), `unbounded = true`: short for `settings` | none |
//! | `topology` | `"mesh"`, `{ gossip = 4 }`: that many random neighbours, or `{ random = 4 }`: that many others each time | `"mesh"` |
//! | `network` | a table: `latency`, `loss`, `duplication`, `reordering = { share, by }`, `links = [{ from, to, latency, loss }]`, `unrest = { until, loss, delay }` | fast and faultless |
//! | `clocks` | `[{ replica = 1, offset_ms = 300, drift_ppm = 20 }]` | right |
//! | `disks` | `[{ replica = 1, sync = "50ms" }]`: how long a sync takes | 1 ms |
//! | `hash_rates` | `[{ replica = 1, factor = 3.0 }]`: times an equal share | equal shares |
//! | `load` | `{ transfers_per_second = 5.0 }` | none |
//! | `byzantine` | `[{ replica = 3, lie = "silent" }]`, or `replicas = [2, 3]`; `"script"` is a lie, too: see below | nobody |
//! | `faces` | `[1, 2]`: of the honest, those to whom all liars show their other face | by chance, about half |
//! | `catch_up` | before this time nobody is told of what it missed, and the adversary has its way | at once |
//! | `adversary` | what an adversary chooses, message by message: see below | nothing |
//! | `chaos` | `{ faulty = 1, until = "60s" }`: see [`chaos()`](crate::chaos()) | none |
//! | `at` | steps: `{ time = "10s", … }` with one fault or its mending | none |
//! | `expect` | what is to come of it: see below | agreement |
//!
//! Latencies are written as [`delay`](crate::delay) says, or `"lan"`, `"wan"`, `"planet"`, or as a
//! table of `names`, `one_way` and `homes`; shares as fractions.
//!
//! A step has a `time` and one of `crash`, `restart`, `wipe` (a crash that takes the disk with it), `pause` and
//! `resume` (it stands still, and nothing is lost), `silence` and `speak` (a replica, or a list of them), `partition` (a list of sides), `heal = true`, `cut` and `mend` (`{ from, to }`), `eclipse`
//! (`{ victim, but }`), `loss`, `duplication`, `reordering`, `latency`, `link` (as in `links`), `skew`
//! (as in `clocks`), `disk` (as in `disks`), `hash_rate` (as in `hash_rates`), `bond` and `unbond` (`{ replica, amount }`: it asks for more stake, or for
//! some back). Beside `crash` and `wipe` there may
//! be `restart_after`.
//!
//! # The adversary's choices
//!
//! Each names messages by their place: what the paper calls them, `height` (or sequence number; 1 if not
//! given, and none where slots have none, as those of a view change) and `round` (or view; 0 if not given).
//!
//! | choice | what it does |
//! |---|---|
//! | `{ withhold = "precommit", round = 0, from = [0, 3], to = [1, 2] }` | those messages reach nobody in `to` before `catch_up`, whoever brings them; `from` and `to` are everybody if not given; several kinds may stand in a list; `until = "2s"` lets go earlier |
//! | `{ say = "proposal", by = 3, round = 1, value = "mine", to = [1, 2] }` | replica 3, whose lie is `"script"`, says this to those (or to all) in place of what an honest replica would |
//! | `{ crash = 1, after = "precommit", round = 0, down = "50ms" }` | replica 1 loses power as soon as it has said that, and lives again after a while, 50 ms if not given |
//!
//! What is said has a `value`: `"nil"`, `"mine"` (a block of the liar's own), `"mine 2"` (another one), or
//! `"of 0"` (what was proposed in round 0). There may be a `proof` (the earlier round or view that it
//! appeals to), `claims` (`[{ sequence = 1, view = 7, value = "mine" }]`: what a view change claims to have
//! prepared), `names` (in whose names it passes off signatures of theirs), and `when` (the round or
//! view of its own in which it is said, if not in that of the message).
//!
//! # Expectations
//!
//! | key | it is met if |
//! |---|---|
//! | `agreement = "always"` | no promise of safety is broken in any seed (the default) |
//! | `agreement = "broken"` | in at least one seed two honest replicas hold different final blocks, or one takes its own back |
//! | `agreement = "either"` | always: whoever asks only looks |
//! | `confirmed = "kept"` | no honest replica takes back what was deep enough to be counted on (the default) |
//! | `confirmed = "reverted"` | in at least one seed one does; other promises hold |
//! | `confirmed = "either"` | always |
//! | `height = 20` | every honest replica that is up gets there |
//! | `progress_within = "10s of heal"` | within that time of the last `heal` every honest replica that is up gets on. Also `of restart`, `of resume`, `of mend`, `of speak`, `of catch_up`, `of calm` (the last of all) and `of 30s`; a list for several |
//! | `no_progress = "12s..30s"` | between these times no honest replica gets on; a list for several |
//! | `one_chain = "20s of heal"` | from then on all are on one chain, but for blocks that nobody counts on |
//! | `final_within = "15s"` | every transfer of the load is final within that time of its submission, or confirmed where nothing is final at once |
//!
//! `[expect.pow]`, `[expect."tendermint:T3"]` and the like say what is expected of one module in place of what is expected of all.
//! Heights are those of final blocks, or of adopted ones where blocks are final by depth.
//!
//! A run ends at `until`, or earlier: when all steps are over, all times that an expectation names
//! have passed, and what is expected to be reached is.

mod bad;
mod choices;
pub(crate) mod client;
mod expect;
mod faults;
pub mod judge;
mod leak;
mod outcome;
mod read;
mod reader;
mod run;
mod surroundings;
#[cfg(test)]
mod tests;
mod usual;
mod write;

pub use bad::BadScenario;
pub use client::{Payment, Plan};
pub use expect::{Agreement, Confirmed, Expect};
pub use judge::Judge;
pub use outcome::{Latencies, Outcome, Unmet, judge};
pub use run::run;

use crate::{
    adversary::{Adversary, SCRIPT},
    chaos::chaos,
    clock::Skew,
    delay::Delay,
    network::Conditions,
    record::Tracing,
    schedule::{Fault, Schedule, Step},
    setup::Setup,
    topology::Topology,
    variant::Variant,
};
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

/// An experiment: plain data, for whatever world can carry it out.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// What people call it.
    pub name: String,
    /// What to try: names of [`Variant`]s.
    pub consensus: Vec<String>,
    /// The seeds to try with each.
    pub seeds: Range<u64>,
    /// When a run ends at the latest, in virtual time.
    pub until: Duration,
    /// How many replicas there are.
    pub replicas: u32,
    /// How many of them, the last ones, are no validators in the beginning: see [`Setup::candidates`].
    pub candidates: u32,
    /// What each weighs; those past the end weigh one.
    pub stakes: Vec<u64>,
    /// See [`Setup::block_time`].
    pub block_time: Duration,
    /// What the genesis sets besides what is customary.
    pub settings: BTreeMap<String, u64>,
    /// Who is connected to whom.
    pub topology: Topology,
    /// What the network is like in the beginning.
    pub network: Conditions,
    /// Calendars that are wrong from the beginning.
    pub clocks: BTreeMap<ReplicaId, Skew>,
    /// Disks that take another time than usual.
    pub disks: BTreeMap<ReplicaId, Delay>,
    /// Miners that try so many times as many hashes as an equal share.
    pub hash_rates: BTreeMap<ReplicaId, f64>,
    /// How many transfers are submitted in a second of virtual time; none for zero.
    pub transfers_per_second: f64,
    /// Who lies, and how.
    pub byzantine: BTreeMap<ReplicaId, String>,
    /// See [`Setup::faces`].
    pub faces: Option<BTreeSet<ReplicaId>>,
    /// See [`Setup::catch_up`].
    pub catch_up: Option<Duration>,
    /// See [`Setup::adversary`].
    pub adversary: Adversary,
    /// Chaos made up from the seed, besides the steps.
    pub chaos: Option<Chaos>,
    /// What goes wrong when.
    pub steps: Schedule,
    /// What is expected of every module.
    pub expect: Expect,
    /// What is expected of one, in place of that.
    pub expect_of: BTreeMap<String, Expect>,
}

/// Everything goes wrong that may, for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chaos {
    /// How many replicas may be silent or down at a time.
    pub faulty: u32,
    /// When it is over.
    pub until: Duration,
}

impl Scenario {
    /// Reads a file's text.
    ///
    /// # Errors
    /// If it is no scenario, or one that cannot be run.
    pub fn parse(text: &str) -> Result<Scenario, BadScenario> {
        read::scenario(text)
    }

    /// What is expected of a module.
    pub fn expect(&self, module: &str) -> &Expect {
        self.expect_of.get(module).unwrap_or(&self.expect)
    }

    /// All that goes wrong with one seed.
    pub fn schedule(&self, seed: u64) -> Schedule {
        let start = |(replica, factor): (&ReplicaId, &f64)| Step {
            time: Duration::ZERO,
            fault: Fault::HashRate { replica: *replica, factor: *factor },
        };
        let mut steps: Vec<_> = self.hash_rates.iter().map(start).collect();
        if let Some(Chaos { faulty, until }) = self.chaos {
            let made_up = chaos(seed, self.replicas, faulty, until);
            steps.extend_from_slice(made_up.steps());
            steps.extend(self.restored().map(|fault| Step { time: until, fault }));
        }
        steps.extend_from_slice(self.steps.steps());
        Schedule::new(steps)
    }

    /// Those who may do anything: they lie, or lose their disks. Nothing is expected of them.
    pub fn faulty(&self) -> BTreeSet<ReplicaId> {
        self.byzantine.keys().copied().chain(self.wiped()).collect()
    }

    /// Who loses its disk by a step.
    pub fn wiped(&self) -> impl Iterator<Item = ReplicaId> {
        let wiped = |step: &Step| match step.fault {
            Fault::Wipe(id) => Some(id),
            _ => None,
        };
        self.steps.steps().iter().filter_map(wiped)
    }

    /// When everything that goes wrong has gone wrong.
    pub fn calm(&self) -> Duration {
        let chaos = self.chaos.map_or(Duration::ZERO, |chaos| chaos.until);
        self.steps.end().max(chaos).max(self.catch_up.unwrap_or_default())
    }

    /// Whether a run has come so far that nothing more goes wrong, and every time has passed that an
    /// expectation of a module names. False for ever where nothing is expected to be reached: the run then
    /// ends with its time.
    pub fn is_ripe(&self, module: &str, now: Duration) -> bool {
        let expect = self.expect(module);
        let Expect { agreement, confirmed, height, final_within, .. } = expect;
        let breaks = *agreement == Agreement::Broken;
        let reverts = *confirmed == Confirmed::Reverted;
        let ripe = expect.ripe();
        let has_goal = ripe.is_some() || height.is_some() || breaks || reverts;
        let calm = self.calm().max(ripe.unwrap_or_default());
        has_goal && final_within.is_none() && now >= calm
    }

    /// How much goes wrong by choice: the measure of a scenario that somebody is to read. Each choice of
    /// the adversary counts ([`Adversary::len`]), each step, each liar that tells a lie with a name, and
    /// each thing about the world that is not as it should be. Whoever lies by a script counts by the
    /// script's lines alone.
    pub fn faults(&self) -> usize {
        let Conditions { loss, links, duplication, reordering, silent, unrest, .. } = &self.network;
        let named = self.byzantine.values().filter(|lie| *lie != SCRIPT).count();
        let weather = [*loss > 0, *duplication > 0, reordering.share > 0, unrest.is_some()];
        let weather = weather.into_iter().chain([self.chaos.is_some()]).filter(|is| *is).count();
        let places = [links.len(), silent.len(), self.clocks.len(), self.disks.len()];
        let places = places.into_iter().chain([self.hash_rates.len()]).sum::<usize>();
        self.adversary.len() + self.steps.steps().len() + named + weather + places
    }

    /// The world of one variant and seed, before anything has happened.
    ///
    /// # Panics
    /// If there is no such variant.
    pub fn setup(&self, variant: &str, seed: u64, tracing: Tracing) -> Setup {
        let variant: Variant = variant.parse().unwrap_or_else(|error| panic!("{error}"));
        let mut setup = Setup::new(variant.module, self.replicas, seed);
        setup.settings.extend(self.settings.clone());
        Setup {
            candidates: self.candidates,
            stakes: self.stakes.clone(),
            block_time: self.block_time,
            network: self.network.clone(),
            topology: self.topology,
            clocks: self.clocks.clone(),
            disks: self.disks.clone(),
            schedule: self.schedule(seed),
            byzantine: self.byzantine.clone(),
            faces: self.faces.clone(),
            mutant: variant.mutant,
            adversary: self.adversary.clone(),
            catch_up: self.catch_up,
            tracing,
            ..setup
        }
    }

    /// After chaos the world is again what this scenario says.
    fn restored(&self) -> impl Iterator<Item = Fault> {
        let Conditions { latency, loss, duplication, reordering, .. } = self.network.clone();
        let weather = [
            Fault::Latency(latency),
            Fault::Loss(loss),
            Fault::Duplication(duplication),
            Fault::Reordering(reordering),
        ];
        let clocks = self.clocks.iter();
        let clocks = clocks.map(|(replica, skew)| Fault::Skew { replica: *replica, skew: *skew });
        let disks = self.disks.iter();
        let disks =
            disks.map(|(replica, sync)| Fault::Disk { replica: *replica, sync: sync.clone() });
        weather.into_iter().chain(clocks).chain(disks)
    }
}
