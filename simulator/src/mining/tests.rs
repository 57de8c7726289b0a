use super::*;
use crate::Setup;
use ledger::chain::genesis_header;

const ZERO: ReplicaId = ReplicaId(0);

fn setup(seed: u64) -> Setup {
    Setup::new("pow", 2, seed)
}

fn header() -> Header {
    genesis_header(&setup(1).genesis())
}

fn easy() -> Target {
    Target::for_hashes(16)
}

/// A miner that searches, with the time and the number of its find.
fn searching(rate: f64) -> (Miner, Duration, u64) {
    let mut setup = setup(1);
    setup.hash_rates.insert(ZERO, rate);
    let mut miner = Miner::new(ZERO, 0, 1.0, &setup);
    miner.begin(header(), easy());
    let (time, number) = miner.draw(0.0).expect("it tries");
    (miner, time, number)
}

#[test]
fn what_is_found_meets_its_target_and_is_the_header_that_was_searched() {
    let (mut miner, _, number) = searching(1.0);
    let (found, target) = miner.find(number).expect("nothing came in between");
    assert_eq!(target, easy());
    assert!(target.is_met_by(found.hash().0.as_bytes()));
    let Header { seal, .. } = header();
    assert_eq!(Header { seal, ..found }, header());
    assert!(miner.find(number).is_none(), "a header is sealed once");
}

#[test]
fn a_newer_header_and_another_hash_rate_make_earlier_finds_void() {
    let (mut miner, _, first) = searching(1.0);
    miner.begin(Header { time: 5, ..header() }, easy());
    let (_, second) = miner.draw(0.0).expect("it tries");
    assert!(miner.find(first).is_none());
    miner.change(2.0);
    let (_, third) = miner.draw(0.0).expect("it tries");
    assert!(miner.find(second).is_none());
    assert_eq!(miner.find(third).expect("it is the last").0.time, 5);
}

#[test]
fn whoever_stops_or_tries_nothing_finds_nothing() {
    let (mut miner, _, number) = searching(1.0);
    miner.stop();
    assert!(miner.find(number).is_none());
    assert!(miner.draw(0.0).is_none());
    let (mut miner, _, number) = searching(1.0);
    miner.change(0.0);
    assert!(miner.draw(0.0).is_none());
    assert!(miner.find(number).is_none());
    miner.change(1.0);
    assert!(miner.draw(0.0).is_some(), "its header waits for it");
}

/// Mean and median of an exponential distribution, within four standard deviations.
#[test]
fn finds_come_after_exponential_times() {
    let draws = 40_000;
    for (rate, factor) in [(1.0, 1.0), (100.0, 1.0), (100.0, 0.1)] {
        let (mut miner, ..) = searching(rate);
        miner.change(factor);
        let times = (0..draws).map(|_| miner.draw(0.0).expect("it tries").0.as_secs_f64());
        let mut times: Vec<f64> = times.collect();
        times.sort_by(f64::total_cmp);
        let expected = hashes(easy()) / (rate * factor);
        let mean = times.iter().sum::<f64>() / f64::from(draws) / expected;
        let median = times[draws as usize / 2] / expected;
        println!("rate {rate}: mean {mean}, median {median} of 16 hashes' time");
        let deviation = 1.0 / f64::from(draws).sqrt();
        assert!((mean - 1.0).abs() < 4.0 * deviation);
        assert!((median - std::f64::consts::LN_2).abs() < 4.0 * deviation);
    }
}

/// To the nanosecond, on every machine: logarithms come from `libm`.
#[test]
fn a_seed_gives_the_same_times_on_every_machine() {
    let (mut miner, first, _) = searching(1.0);
    let more = (0..4).map(|_| miner.draw(0.0).expect("it tries").0);
    let nanos: Vec<u128> = [first].into_iter().chain(more).map(|time| time.as_nanos()).collect();
    assert_eq!(nanos, GOLDEN);
}

/// In nanoseconds, for seed 1 and a target of 16 hashes at one a second.
const GOLDEN: [u128; 5] =
    [18_103_992_044, 16_970_457_418, 7_361_013_647, 13_586_126_466, 30_252_561_230];

#[test]
fn a_miner_of_whom_nothing_is_said_has_its_share() {
    let share = equal_share(easy(), 4, Duration::from_secs(2));
    assert!((share - 2.0).abs() < 1e-9, "{share}");
    let mut miner = Miner::new(ZERO, 0, 1.0, &setup(1));
    miner.begin(header(), easy());
    let (_, time, _) = searching(share);
    assert_eq!(miner.draw(share).expect("it tries").0, time);
}

#[test]
fn work_is_counted_in_hashes_and_not_in_whole_ones() {
    assert!((hashes(Target::EASIEST) - 2.0).abs() < 1e-12);
    assert!((hashes(Target::for_hashes(1000)) - 1000.0).abs() < 1e-9);
    let third = Target::EASIEST.times_power_of_two(-1, 2);
    assert!((hashes(third) - 8f64.sqrt()).abs() < 1e-4, "{}", hashes(third));
}

#[test]
#[should_panic(expected = "give the genesis an easier target")]
fn what_no_simulation_could_find_is_refused() {
    Miner::new(ZERO, 0, 1.0, &setup(1)).begin(header(), Target::for_hashes(1 << 30));
}

#[test]
#[should_panic(expected = "cannot try -1 hashes a second")]
fn a_hash_rate_is_not_negative() {
    searching(-1.0);
}

fn chain(times: &[u64], hashes: &[u64]) -> Vec<Find> {
    let finds = times.iter().zip(hashes).zip(1..);
    let find = |((time, hashes), height): ((&u64, &u64), u64)| Find {
        at: Duration::from_secs(*time),
        miner: ReplicaId(height as u32 % 2),
        height,
        block: BlockHash::default(),
        parent: BlockHash::default(),
        target: Target::for_hashes(*hashes),
    };
    finds.map(find).collect()
}

#[test]
fn a_summary_counts_what_it_says() {
    let main = chain(&[1, 2, 5], &[10, 1000, 100]);
    let rival = Find { miner: ReplicaId(1), ..main[1] };
    let all: Vec<_> = main.iter().copied().chain([rival]).collect();
    let summary = Summary::of(&all, &main);
    println!("{summary}");
    assert_eq!((summary.found, summary.main, summary.contested), (4, 3, 1));
    assert!((summary.stale() - 0.25).abs() < 1e-12 && (summary.forks() - 1.0 / 3.0).abs() < 1e-12);
    assert!((summary.interval - 2.0).abs() < 1e-12);
    // The logarithms are evenly spaced by ln 10: their variance is two thirds of its square.
    let expected = 10f64.ln() * (2.0 / 3.0f64).sqrt();
    assert!((summary.spread - expected).abs() < 1e-6, "{}", summary.spread);
    assert_eq!(summary.shares[&ReplicaId(0)], Share { found: 1, main: 1 });
    assert_eq!(summary.shares[&ReplicaId(1)], Share { found: 3, main: 2 });
    let json = serde_json::to_value(&summary).expect("a summary is plain data");
    assert_eq!(json["shares"]["1"]["found"], 3, "{json}");
    let nothing = Summary::of(&[], &[]);
    assert_eq!(nothing, Summary::default());
    assert_eq!((nothing.stale(), nothing.forks()), (0.0, 0.0));
}
