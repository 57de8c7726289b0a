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
