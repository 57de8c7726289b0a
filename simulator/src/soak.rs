//! One seed of many: chaos, then calm, then judgement.
//!
//! A seed's outcome depends on nothing but the seed and the [`Options`], so whoever wants thousands
//! of them may run them on as many threads as there are cores, in any order.

mod leak;

use crate::{
    Counts, Setup, World,
    chaos::chaos,
    checker::{self, Goal, Progress, Promises, Together, Verdict},
    churn::{self, Churn},
    delay::below,
    mining::Summary,
    record::Tracing,
    schedule::{Schedule, Step},
    setup::stream,
    world::Transfer,
};
use consensus::{
    Protocol,
    catalogue::{self, Depths},
};
use crypto::Hash;
use ledger::{Genesis, ReplicaId};
use rand_chacha::rand_core::Rng;
use std::{fmt, time::Duration};

/// What all seeds of a soak have in common.
#[derive(Clone, Debug)]
pub struct Options {
    /// The world to run in; its seed and schedule are replaced.
    pub setup: Setup,
    /// How many replicas may be silent or down at a time.
    pub faulty: u32,
    /// How long the chaos lasts.
    pub chaos: Duration,
    /// How long everybody then has to get on.
    pub calm: Duration,
    /// By how many heights everybody must have got on by the end of the calm. Where blocks are final
    /// by depth these are heights of the adopted head.
    pub gain: u64,
    /// How long between two transfers, each submitted at a random replica that is up; zero for no
    /// transfers.
    pub transfer_every: Duration,
    /// Whether replicas come and go meanwhile, and one of them lies: who, and how, follows from the seed.
    pub churn: bool,
    /// Whether the weight of the absent fades. Then anybody may be cut off or down for as long as it likes,
    /// and some stay down in the end: as many as the others can do without. One of all lies if the chain
    /// is made to bear it, which follows from the seed like all else.
    pub leak: bool,
}

/// What came of a seed.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// All of it can be had again from this and the options.
    pub seed: u64,
    /// What went wrong when.
    pub schedule: Schedule,
    /// How far each replica came.
    pub heights: Vec<u64>,
    /// How far the slowest came of those who are honest and up in the end; none, if nobody is.
    pub lowest: Option<u64>,
    /// How many events were handled.
    pub events: u64,
    /// What was sent.
    pub counts: Counts,
    /// What was mined, and how much of it taken back, where blocks are final by depth.
    pub mining: Option<Summary>,
    /// How many final blocks tell of a leak: they were decided in a round that had a table.
    pub recovered: usize,
    /// See [`Record::trace_hash`](crate::Record::trace_hash).
    pub trace_hash: Hash,
    /// Whether all promises were kept.
    pub verdict: Verdict,
}

impl Options {
    /// A minute of chaos among so many replicas, as many faulty at a time as a third leaves room
    /// for, and half a minute in which to decide three heights.
    ///
    /// Where blocks are final by depth they come twice as fast, so that many become final, and
    /// partitions are long enough for confirmed ones to be taken back.
    pub fn new(consensus: &str, replicas: u32) -> Options {
        let mut setup = Setup { tracing: Tracing::Hashed, ..Setup::new(consensus, replicas, 0) };
        if depths(&setup).is_some() {
            setup.block_time /= 2;
        }
        Options {
            setup,
            faulty: replicas.saturating_sub(1) / 3,
            chaos: Duration::from_secs(60),
            calm: Duration::from_secs(30),
            gain: 3,
            transfer_every: Duration::from_millis(700),
            churn: false,
            leak: false,
        }
    }

    /// The same where stake moves: so many replicas more than four are candidates, one of all lies, and
    /// somebody asks to come or to go at every other transfer. Stake is held back for a few blocks only, so
    /// that whoever left can come back.
    pub fn churning(consensus: &str, replicas: u32) -> Options {
        let mut options = Options::new(consensus, replicas);
        options.churn = true;
        options.setup.candidates = replicas.saturating_sub(4);
        options.setup.stakes = vec![churn::STAKE; replicas as usize];
        let rules = [("ledger.unbonding_blocks", 12), ("ledger.evidence_blocks", 10)];
        options.setup.settings.extend(rules.map(|(key, value)| (key.to_owned(), value)));
        options.transfer_every = Duration::from_millis(300);
        options
    }

    /// The same where the weight of the absent fades soon: a minute in which there may be no quorum for
    /// as long as it likes, and another to decide two heights.
    pub fn leaking(consensus: &str, replicas: u32) -> Options {
        let mut options = Options::new(consensus, replicas);
        (options.leak, options.gain, options.calm) = (true, 2, Duration::from_secs(60));
        options.setup.settings.extend(leak::settings());
        options
    }

    /// The world of one seed, before anything has happened.
    pub fn world<P: Protocol>(
        &self,
        seed: u64,
        make: impl Fn(&Genesis) -> P + 'static,
    ) -> World<P> {
        if self.leak {
            return World::new(leak::setup(seed, self), make);
        }
        let schedule = chaos(seed, self.setup.replicas, self.faulty, self.chaos);
        let mut setup = Setup { seed, schedule, ..self.setup.clone() };
        if self.churn {
            setup.byzantine.extend(liar(&setup));
        }
        World::new(setup, make)
    }
}

/// None where a block is final as soon as it is decided, or nobody knows the module.
fn depths(setup: &Setup) -> Option<Depths> {
    catalogue::depths(&setup.genesis()).ok().flatten()
}

/// Whoever lies where replicas come and go, and its lie.
fn liar(setup: &Setup) -> Option<(ReplicaId, String)> {
    let lies = consensus::byzantine::list(&setup.consensus).ok()?;
    let mut chance = stream(setup.seed, "liar", 0);
    let liar = ReplicaId(below(chance.next_u64(), setup.replicas.into()) as u32);
    let lie = lies.get(below(chance.next_u64(), lies.len() as u64) as usize)?;
    Some((liar, lie.name.to_string()))
}

/// Runs one seed to its end and judges it.
///
/// Where blocks are final by depth, what is confirmed may be taken back: a partition is all it
/// takes. That is counted, and not held against anybody. But nothing that is committed is ever
/// undone, and in the end all are on one chain but for what is not confirmed. (Who is cut off for
/// longer than it takes to commit alone cannot keep that promise: a chaos of ten minutes, in which a
/// replica may be silent all the time, breaks it.)
///
/// # Panics
/// If a replica panics: the seed is the caller's to tell. If an honest one blames another.
pub fn run_seed<P: Protocol>(
    seed: u64,
    options: &Options,
    make: impl Fn(&Genesis) -> P + 'static,
) -> Outcome {
    let mut world = options.world(seed, make);
    let asked = run(&mut world, options);
    assert_only_liars_are_blamed(&world);
    let depths = depths(world.setup());
    let end = options.chaos + options.calm;
    let mut promises = Promises { may_revert: true, ..Promises::default() };
    promises.together = depths.map(|depths| Together { since: end, but: depths.confirmations });
    promises.progress.push(Progress {
        since: options.chaos,
        within: options.calm,
        goal: Goal::Gain(options.gain),
    });
    Outcome {
        seed,
        schedule: asked
            .into_iter()
            .fold(world.setup().schedule.clone(), |all, step| all.at(step.time, step.fault)),
        heights: world.replicas().map(|id| world.height(id)).collect(),
        lowest: lowest(&world),
        events: world.events(),
        counts: world.counts(),
        mining: depths.map(|_| world.mining()),
        recovered: leak::recovered(&world),
        trace_hash: world.trace_hash(),
        verdict: checker::judge(&world, promises),
    }
}

/// Whoever is down in the end, or lies, owes nobody any height.
fn lowest<P: Protocol>(world: &World<P>) -> Option<u64> {
    let up = world.replicas().filter(|id| world.is_up(*id));
    let honest = up.filter(|id| !world.setup().byzantine.contains_key(id));
    honest.map(|id| world.height(id)).min()
}

/// Whatever happens on the way, what an honest replica sends is nothing that only a hostile one sends, or
/// honest nodes would shut each other out.
///
/// # Panics
/// If one was blamed.
fn assert_only_liars_are_blamed<P: Protocol>(world: &World<P>) {
    let is_honest = |id: &ReplicaId| !world.setup().byzantine.contains_key(id);
    for (who, whom, fault) in world.blamed() {
        let both = is_honest(who) && is_honest(whom);
        assert!(!both, "seed {}: {who} blames {whom}: {fault}", world.setup().seed);
    }
}

/// Runs a world of these options to its end, under load. Returns who asked to come or to go.
pub fn run<P: Protocol>(world: &mut World<P>, options: &Options) -> Vec<Step> {
    let end = options.chaos + options.calm;
    let accounts = u64::from(options.setup.accounts);
    if options.transfer_every.is_zero() || accounts == 0 {
        world.run_for(end);
    }
    let mut chance = stream(world.setup().seed, "load", 0);
    let (mut churn, mut wishes) = (Churn::default(), stream(world.setup().seed, "churn", 0));
    while world.now() < end {
        world.run_for(options.transfer_every.min(end - world.now()));
        let mut pick = |bound| below(chance.next_u64(), bound);
        let [from, to] = [(); 2].map(|()| pick(accounts) as u32);
        let at = ReplicaId(pick(options.setup.replicas.into()) as u32);
        // A dead replica takes nothing, and its account's nonces would have a gap for ever.
        if world.is_up(at) {
            world.submit(at, Transfer { from, to, amount: 1, fee: 1 });
        }
        if options.churn && world.now() < options.chaos {
            churn.go_on(world, &mut wishes);
        }
    }
    churn.steps().to_vec()
}

impl Outcome {
    /// Whether all promises were kept.
    pub fn holds(&self) -> bool {
        self.verdict.holds()
    }
}

/// One line where all is well; else the whole story.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { seed, heights, trace_hash, .. } = self;
        write!(f, "seed {seed}: heights {heights:?}, trace {}", trace_hash.short())?;
        self.mining.iter().try_for_each(|mining| write!(f, ", {mining}"))?;
        if self.recovered > 0 {
            write!(f, ", {} blocks of recovery", self.recovered)?;
        }
        match self.holds() {
            true => Ok(()),
            false => write!(f, "\n{}\nwhat happened:\n{}", self.verdict, self.schedule),
        }
    }
}
