use super::*;
use crate::labs::tests::measure;

const CHAINS: u64 = if cfg!(debug_assertions) { 8 } else { 400 };

fn lab(rule: Rule, window: u64, factor: Option<f64>) -> Retarget {
    Retarget { rule, window, factor }
}

fn assert_agrees(lab: &Retarget, trials: u64) {
    for finding in measure(lab, trials, 1) {
        assert_eq!(finding.agrees(), Some(true), "{lab:?}: {finding:?}");
    }
}

#[test]
fn the_difficulty_wavers_as_computed() {
    assert_agrees(&lab(Rule::Asert, 72, None), CHAINS);
    assert_agrees(&lab(Rule::Bitcoin { window: 144 }, 144, None), CHAINS * 2);
    assert_agrees(&lab(Rule::Bitcoin { window: 20 }, 20, None), CHAINS * 2);
}

/// The averages that others simulated; no formula is known.
#[test]
fn an_lwma_wavers_as_others_simulated_it() {
    let findings = measure(&lab(Rule::Lwma { window: 45 }, 45, None), CHAINS * 10, 2);
    let [interval, spread] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!([interval.theory, spread.theory], [None; 2]);
    let near = |finding: &Finding, expected: f64, within: f64| {
        finding.measured.is_some_and(|found| (found / expected - 1.0).abs() < within)
    };
    assert!(near(interval, 1.006, 0.04) && near(spread, 0.149, 0.15), "{findings:?}");
}

#[test]
fn the_difficulty_follows_the_hash_rate_as_computed() {
    assert_agrees(&lab(Rule::Asert, 72, Some(0.1)), CHAINS);
    assert_agrees(&lab(Rule::Asert, 72, Some(10.0)), CHAINS);
}

/// From few trials, others say: 61 blocks, 179 intervals.
#[test]
fn an_lwma_follows_within_about_its_window() {
    let findings = measure(&lab(Rule::Lwma { window: 60 }, 60, Some(0.1)), CHAINS * 10, 5);
    let [blocks, time] = [0, 1].map(|each: usize| findings[each].measured.expect("measured"));
    assert!((40.0..90.0).contains(&blocks) && (120.0..240.0).contains(&time), "{findings:?}");
}

/// The measurement can tell one rule from another, and Bitcoin's missing interval.
#[test]
fn another_rule_is_noticed() {
    let findings = measure(&lab(Rule::Bitcoin { window: 20 }, 20, None), CHAINS * 4, 3);
    let (interval, spread) = theory::evenness(Rule::Asert, 20.0).expect("it is known");
    for (finding, wrong) in findings.iter().zip([interval, spread]) {
        let wrong = Finding { theory: Some(wrong), ..finding.clone() };
        assert_eq!(wrong.agrees(), Some(false), "{wrong:?}");
    }
}

/// Whoever goes over to another branch finds the same targets due as those who were there before.
#[test]
fn every_branch_has_its_own_difficulty() {
    for rule in [Rule::Asert, Rule::Bitcoin { window: 5 }, Rule::Lwma { window: 7 }] {
        let lab = lab(rule, 7, None);
        let mut chance = Chance::of("retarget", 4, 0);
        let mut chain = lab.chain_of(2, &mut chance);
        let miners = &mut chain.miners;
        for round in 0..40 {
            let mut said = [Vec::new(), Vec::new()];
            for (miner, blocks) in [(0, round % 3 + 1), (1, (round + 1) % 4 + 1)] {
                for _ in 0..blocks {
                    miners.now += chance.wait(INTERVAL);
                    miners.refresh(miner);
                    said[miner].extend(miners.find(miner));
                }
            }
            let [left, right] = said;
            left.iter().for_each(|said| assert!(miners.hear(1, said).is_empty()));
            right.iter().for_each(|said| assert!(miners.hear(0, said).is_empty()));
            // The heavier branch has won on both sides, or each stays on its own for a while.
            if miners.works_on(0) == miners.works_on(1) {
                assert_eq!(miners.target(0), miners.target(1), "{rule:?}, round {round}");
            }
        }
        assert!(miners.height(0) > 60, "{rule:?}");
    }
}

#[test]
fn a_hash_rate_that_hardly_changes_is_refused() {
    let mut values = Values::usual(LAB.parameters);
    values.set("hashrate-factor", Value::Real(1.1));
    let error = prepare(&values).expect_err("too near").to_string();
    assert!(error.contains("--hashrate-factor 1.1") && error.contains("1.25"), "{error}");
    values.set("hashrate-factor", Value::Real(1.0));
    assert!(prepare(&values).is_ok());
}

#[test]
fn a_job_follows_from_its_number() {
    let lab = lab(Rule::Lwma { window: 20 }, 20, None);
    assert_eq!(lab.jobs(9), 3);
    let [first, again] = [2, 2].map(|job| lab.run(5, 9, job));
    assert_eq!(first, again);
    assert_eq!(first["spread"].count, LEAST);
}
