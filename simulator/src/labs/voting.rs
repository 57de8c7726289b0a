//! Worlds in which nothing goes wrong, of whatever module, and what their traces tell.

use super::{BadValue, Parameter, Range, Value, Values};
use crate::{
    record::Tracing,
    setup::{Setup, stream},
    world::World,
};
use consensus::{
    Theory,
    catalogue::{self, Module, NAMES, Visitor},
};
use ledger::{BlockHash, ReplicaId};
use rand_chacha::rand_core::Rng;
use replica::{Class, trace::What};
use std::{collections::BTreeMap, time::Duration};

/// Which module is measured.
pub(super) const CONSENSUS: Parameter = Parameter {
    name: "consensus",
    about: "the module that orders blocks",
    range: Range::Word(NAMES),
    usual: Value::Word("tendermint"),
};

/// Among how many.
pub(super) const REPLICAS: Parameter = Parameter {
    name: "replicas",
    about: "how many replicas there are: n",
    range: Range::Whole(2, 100),
    usual: Value::Whole(7),
};

/// How long it takes to find a block, where blocks take work: long beside any delay here.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long an experiment may take for each decision; more than that is a failure of the module.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// A module among so many replicas, with what is calculated of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bench {
    pub(super) module: &'static str,
    pub(super) replicas: u32,
    pub(super) theory: Theory,
}

/// What the messages that somebody sent first speak of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum About {
    /// The height or number of their slot.
    Height(u64),
    /// A block, where messages have no slot.
    Block(BlockHash),
}

/// What was said about one height or block.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// How many messages of a decision, one for each recipient.
    pub(super) messages: u64,
    /// How many messages of the upkeep.
    pub(super) upkeep: u64,
    /// When the leader's proposal left, and in which round or view: the last of them, for who crashed
    /// may have been about to say its own.
    pub(super) proposed: Option<(Duration, u64)>,
}

/// What is read out of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// By what it was about.
    pub(super) said: BTreeMap<About, Said>,
    /// How many messages were sent because somebody seemed to lack them, or passed on.
    pub(super) repeated: u64,
    /// When somebody decided a height first.
    pub(super) decided: BTreeMap<u64, Duration>,
}

impl Bench {
    /// What the values ask for.
    ///
    /// # Errors
    /// [`BadValue`] if nothing is calculated of the module, or it does not run among so many.
    pub(super) fn new(values: &Values) -> Result<Bench, BadValue> {
        let module = values.word("consensus");
        let bad = |name, value: String, reason| BadValue { name, value, reason };
        let theory = catalogue::theory(module).expect("the range names modules");
        let theory = theory.ok_or_else(|| {
            bad("consensus", module.to_owned(), "nothing is calculated of it".to_owned())
        })?;
        let replicas = values.whole("replicas");
        let bench = Bench { module, replicas: replicas as u32, theory };
        let genesis = bench.setup(0, Duration::from_millis(1)).genesis();
        let fits = catalogue::check(&genesis);
        fits.map_err(|error| bad("replicas", replicas.to_string(), error.to_string()))?;
        Ok(bench)
    }

    /// Constant delays, disks that take no time, and no pause: only the protocol's own time passes.
    pub(super) fn setup(&self, seed: u64, delay: Duration) -> Setup {
        let mut setup = Setup::new(self.module, self.replicas, seed);
        setup.network.latency = delay.into();
        setup.sync_delay = Duration::ZERO.into();
        setup.block_time = if self.is_voted_on() { Duration::ZERO } else { INTERVAL };
        setup.tracing = Tracing::Kept;
        for (key, value) in self.theory.settings {
            setup.settings.insert((*key).to_owned(), *value);
        }
        setup
    }

    /// Whether blocks are decided by votes: somebody leads.
    pub(super) fn is_voted_on(&self) -> bool {
        self.theory.dead_leaders.is_some()
    }

    /// Runs a world until everybody who is up has made so many decisions, and reads its trace.
    ///
    /// # Panics
    /// If it does not get that far.
    pub(super) fn watch(&self, setup: Setup, decisions: u64) -> Sight {
        struct Watch<'a>(&'a Bench, Setup, u64);

        impl Visitor for Watch<'_> {
            type Output = Sight;

            fn visit<P: Module>(self) -> Sight {
                let Watch(bench, setup, decisions) = self;
                let limit = PATIENCE * u32::try_from(decisions + 1).unwrap_or(u32::MAX);
                let make = |genesis: &_| P::new(genesis).expect("the settings were checked");
                let mut world = World::<P>::new(setup, make);
                let enough = |world: &World<P>| match bench.is_voted_on() {
                    true => bench.height(world) >= decisions,
                    false => world.record().finds().len() as u64 > decisions,
                };
                let reached = world.run_until(enough, limit);
                assert!(reached, "{} decides nothing: {world:?}", bench.module);
                bench.read(&world, decisions)
            }
        }

        catalogue::dispatch(self.module, Watch(self, setup, decisions)).expect("it is a module")
    }

    /// The highest height that everybody who is up has decided. Who crashed has decided none.
    fn height<P: Module>(&self, world: &World<P>) -> u64 {
        let up = world.replicas().filter(|id| world.ledger(*id).is_some());
        up.map(|id| world.height(id)).min().unwrap_or(0)
    }

    fn read<P: Module>(&self, world: &World<P>, decisions: u64) -> Sight {
        let mut sight = Sight::default();
        for line in world.record().lines() {
            let at = Duration::from_micros(line.at);
            match &line.what {
                What::Sent { kind, to, class, slot, about, .. } => {
                    let recipients = to.len() as u64;
                    if *class != Class::First {
                        let again = matches!(class, Class::Resend | Class::Relay);
                        sight.repeated += if again { recipients } else { 0 };
                        continue;
                    }
                    let named = match (slot, about.value) {
                        (Some(slot), _) => About::Height(slot.height),
                        (None, Some(consensus::Named::Block(block))) => About::Block(block),
                        (None, _) => continue,
                    };
                    let said = sight.said.entry(named).or_default();
                    if self.theory.upkeep.is_some_and(|upkeep| upkeep.kind == kind) {
                        said.upkeep += recipients;
                    }
                    let place = self.theory.kinds.iter().position(|known| known == kind);
                    let Some(place) = place else { continue };
                    said.messages += recipients;
                    let round = slot.map_or(0, |slot| slot.round);
                    if place == 0 && said.proposed.is_none_or(|(_, known)| known < round) {
                        said.proposed = Some((at, round));
                    }
                }
                What::Committed { height, .. } => {
                    sight.decided.entry(*height).or_insert(at);
                }
                _ => {}
            }
        }
        // What was still on its way is left out.
        sight.said.retain(
            |about, _| !matches!(about, About::Height(height) if !(1..=decisions).contains(height)),
        );
        sight.decided.retain(|height, _| *height <= decisions);
        sight
    }
}

/// How long a message takes in one job: any time from 10 to 90 ms, for the outcome must not depend
/// on it. Whole microseconds, as a trace has them.
pub(super) fn delay(seed: u64, job: u64) -> Duration {
    let chance = stream(seed, "labs/delay", job).next_u64();
    Duration::from_micros(10_000 + chance % 80_001)
}

/// A seed of its own for each job.
pub(super) fn seed_of(seed: u64, job: u64) -> u64 {
    stream(seed, "labs/job", job).next_u64()
}

/// Everybody.
pub(super) fn ids(replicas: u32) -> impl Iterator<Item = ReplicaId> {
    (0..replicas).map(ReplicaId)
}
