//! How fast the simulator is, with whole replicas of a real protocol.
//!
//! `cargo bench -p simulator`, or `cargo bench -p simulator -- committee 100` for one part of it and one
//! number of replicas. All figures are of processor time, so that whatever else the machine does matters
//! less, and on one core.

use consensus::{
    catalogue::{Module, NAMES, Visitor, dispatch},
    tendermint::Tendermint,
};
use nix::{
    sys::resource::{UsageWho, getrusage},
    time::{ClockId, clock_gettime},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use simulator::{Scenario, Setup, Tracing, World, scenario};
use std::{cmp::Reverse, collections::BinaryHeap, env, time::Duration};

/// How often each part is measured; the median is told.
const RUNS: usize = 5;

fn main() {
    let words = || env::args().skip(1).filter(|word| !word.starts_with('-'));
    let size: Option<u32> = words().find_map(|word| word.parse().ok());
    let wanted: Vec<_> = words().filter(|word| word.parse::<u32>().is_err()).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    if is_wanted("floor") {
        floor();
    }
    if is_wanted("committee") {
        committee(size);
    }
    if is_wanted("scenarios") {
        scenarios();
    }
    if is_wanted("largest") {
        largest();
    }
}

/// What no simulator can beat: a hundred parties that answer each message with another, out of a heap, after
/// a time drawn from ChaCha8. The other figures are worth what they are beside this one.
fn floor() {
    const PARTIES: u64 = 100;
    const MESSAGES: u64 = 5_000_000;
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut heap: BinaryHeap<_> =
        (0..PARTIES * (PARTIES - 1)).map(|number| Reverse((0, number))).collect();
    let ((), spent) = timed(|| {
        for _ in 0..MESSAGES {
            let Reverse((at, number)) = heap.pop().expect("each message is answered");
            heap.push(Reverse((at + 20_000_000 + chance.next_u64() % 60_000_000, number)));
        }
    });
    println!(
        "A bare heap and ChaCha8: {:.1} M messages/s",
        MESSAGES as f64 / spent.as_secs_f64() / 1e6
    );
}

/// Tendermint without load, by the number of replicas.
fn committee(size: Option<u32>) {
    println!("Tendermint, whole replicas, default network, no trace:");
    let sizes = [(4, 2_000), (10, 400), (31, 60), (100, 10)];
    // One run is enough for whoever counts instructions.
    let runs = if env::var_os("ONCE").is_some() { 1 } else { RUNS };
    for (replicas, heights) in sizes.into_iter().filter(|(n, _)| size.is_none_or(|size| size == *n))
    {
        let mut rates: Vec<_> = (0..runs)
            .map(|run| {
                let mut world = voters(replicas, run as u64);
                let (delivered, spent) = decide(&mut world, heights);
                (delivered as f64 / spent.as_secs_f64(), delivered, spent)
            })
            .collect();
        rates.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (rate, delivered, spent) = rates[runs / 2];
        println!(
            "  n = {replicas:>4}: {:.2} M messages/s ({:.0} ns each, {:.1} heights/s), \
             {delivered} in {heights} heights",
            rate / 1e6,
            1e9 / rate,
            f64::from(heights) / spent.as_secs_f64()
        );
    }
}

/// One height of a thousand replicas.
fn largest() {
    let (mut world, building) = timed(|| voters(1_000, 0));
    let (delivered, spent) = decide(&mut world, 1);
    println!(
        "Tendermint, n = 1000, one height: {:.2} s and {:.2} s to begin, {delivered} messages \
         ({:.0} ns each), at most {} MiB resident",
        spent.as_secs_f64(),
        building.as_secs_f64(),
        spent.as_secs_f64() * 1e9 / delivered as f64,
        getrusage(UsageWho::RUSAGE_SELF).expect("the system tells").max_rss() / 1024
    );
}

/// Whole scenarios of ten heights, four replicas, judged.
fn scenarios() {
    const FILE: &str = "
        name = \"Ten heights\"
        until = \"60s\"
        expect = { height = 10 }
    ";
    const SEEDS: u64 = 500;
    struct Bench<'a>(&'a Scenario, &'a str);
    impl Visitor for Bench<'_> {
        type Output = (u64, Duration);

        fn visit<P: Module>(self) -> Self::Output {
            let Bench(scenario, module) = self;
            let run = |seed| {
                let make = |genesis: &_| P::new(genesis).expect("the scenario was read");
                let (outcome, _) =
                    scenario::run::<P>(scenario, module, seed, Tracing::Hashed, make);
                assert!(outcome.unmet.is_empty(), "{module} with seed {seed}: {:?}", outcome.unmet);
                outcome.events
            };
            timed(|| (0..SEEDS).map(run).sum())
        }
    }
    println!("scenarios of ten heights, four replicas, hashed trace, judged:");
    for module in NAMES {
        let text = format!("{FILE}consensus = [\"{module}\"]\n");
        let scenario = Scenario::parse(&text).expect("it is one");
        let (events, spent) = dispatch(module, Bench(&scenario, module)).expect("it is known");
        println!(
            "  {module:<12} {:.0} a second on one core, {:.0} events each",
            SEEDS as f64 / spent.as_secs_f64(),
            events as f64 / SEEDS as f64
        );
    }
}

fn voters(replicas: u32, seed: u64) -> World<Tendermint> {
    let setup = Setup {
        tracing: Tracing::Off,
        block_time: Duration::ZERO,
        ..Setup::new(Tendermint::NAME, replicas, seed)
    };
    World::new(setup, |genesis| Module::new(genesis).expect("the defaults are good"))
}

/// Lets everybody decide so many heights: messages that came to a replica, and the time it took.
fn decide(world: &mut World<Tendermint>, heights: u32) -> (u64, Duration) {
    let before = world.delivered();
    let everybody: Vec<_> = world.replicas().collect();
    let ((), spent) = timed(|| {
        let limit = Duration::from_secs(3_600);
        for id in everybody {
            let reached = world.run_until(|world| world.height(id) >= heights.into(), limit);
            assert!(reached, "replica {id} is at {}", world.height(id));
        }
    });
    (world.delivered() - before, spent)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the system tells");
        Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32)
    };
    let before = now();
    let done = work();
    (done, now() - before)
}
