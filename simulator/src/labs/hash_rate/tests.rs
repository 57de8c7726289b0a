use super::*;
use crate::labs::tests::measure;

const CHAINS: u64 = if cfg!(debug_assertions) { 12 } else { 400 };

#[test]
fn the_difficulty_follows_the_hash_rate_as_computed() {
    for factor in [0.1, 10.0] {
        let lab = HashRate { half_life: 72, factor };
        for finding in measure(&lab, CHAINS, 1) {
            assert_eq!(finding.agrees(), Some(true), "{lab:?}: {finding:?}");
        }
    }
}

/// A measured deviation is none of one chain, and by chance too small of two or three.
#[test]
fn a_few_chains_are_no_false_alarm() {
    let seeds = if cfg!(debug_assertions) { 8 } else { 300 };
    for factor in [0.1, 0.25, 4.0, 10.0] {
        let lab = HashRate { half_life: 36, factor };
        for (trials, seed) in (1..=3).flat_map(|trials| (0..seeds).map(move |seed| (trials, seed)))
        {
            for finding in measure(&lab, trials, seed) {
                assert_eq!(finding.agrees(), Some(true), "{lab:?}, seed {seed}: {finding:?}");
            }
        }
    }
}

/// The tolerance of a few chains is as wide as chance makes it, and not wider at will.
#[test]
fn chains_waver_as_much_as_computed() {
    for (half_life, factor) in [(36, 0.1), (36, 0.25), (36, 4.0), (36, 10.0), (288, 0.25)] {
        let lab = HashRate { half_life, factor };
        // The deviation of a few is itself far off at times.
        let (trials, near) =
            if cfg!(debug_assertions) { (60, 0.4..2.5) } else { (1_000, 0.6..1.6) };
        let samples: Vec<_> = (0..lab.jobs(trials)).map(|job| lab.run(4, trials, job)).collect();
        let theory = theory::deviation(half_life as f64, factor, NEAR);
        for name in ["blocks", "time"] {
            let measured = Moments::of(&samples, name).deviation();
            println!("{lab:?} {name}: {measured} by theory {theory}");
            assert!(near.contains(&(theory / measured)), "{lab:?} {name}: {measured} of {theory}");
        }
    }
}

/// Which of them are many depends on whether blocks are late or early meanwhile.
#[test]
fn blocks_are_not_intervals() {
    let findings = measure(&HashRate { half_life: 36, factor: 0.1 }, CHAINS * 4, 2);
    let [blocks, time] = &findings[..] else { panic!("{findings:?}") };
    for (one, other) in [(blocks, time), (time, blocks)] {
        let wrong = Finding { theory: other.theory, ..one.clone() };
        assert_eq!(wrong.agrees(), Some(false), "{wrong:?}");
    }
}

fn mean(rule: Rule, window: u64, factor: f64) -> (f64, f64) {
    let mut chance = Chance::of("others", 3, 0);
    let (mut blocks, mut time) = (Moments::default(), Moments::default());
    for _ in 0..CHAINS * 4 {
        let (found, took) = follow(rule, window, factor, &mut chance);
        blocks.take(found);
        time.take(took);
    }
    let found = (blocks.mean().unwrap_or_default(), time.mean().unwrap_or_default());
    println!("{rule:?}, factor {factor}: {found:?}");
    found
}

/// From twenty chains, others say: 61 blocks and 179 intervals, 85 and 36.
#[test]
fn an_lwma_follows_within_about_its_window() {
    let rule = Rule::Lwma { window: 60 };
    let (blocks, time) = mean(rule, 60, 0.1);
    assert!((50.0..75.0).contains(&blocks) && (150.0..230.0).contains(&time));
    let (blocks, time) = mean(rule, 60, 10.0);
    assert!((65.0..110.0).contains(&blocks) && (25.0..50.0).contains(&time));
}

#[test]
fn a_hash_rate_that_hardly_changes_is_refused() {
    let mut values = Values::usual(LAB.parameters);
    for (factor, good) in [(1.1, false), (0.3, false), (0.25, true), (4.0, true)] {
        values.set("factor", Value::Real(factor));
        let error = prepare(&values).err().map(|error| error.to_string());
        assert_eq!(error.is_none(), good, "{error:?}");
        let told = |error: String| error.contains("--factor") && error.contains("0.25");
        assert!(error.is_none_or(told));
    }
}

#[test]
fn a_job_follows_from_its_number() {
    let lab = HashRate { half_life: 36, factor: 0.1 };
    assert_eq!(lab.jobs(9), 3);
    let [first, again] = [2, 2].map(|job| lab.run(5, 9, job));
    assert_eq!(first, again);
    assert_eq!(first["blocks"].count, 1);
}
