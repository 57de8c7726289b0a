use super::*;
use crate::labs::tests::measure;

const CHAINS: u64 = if cfg!(debug_assertions) { 8 } else { 400 };

fn lab(rule: Rule, window: u64) -> Retarget {
    Retarget { rule, window }
}

fn assert_agrees(lab: &Retarget, trials: u64) {
    let findings = measure(lab, trials, 1);
    assert_eq!(findings[0].agrees(), Some(true), "{lab:?}: {findings:?}");
    for finding in findings {
        assert_ne!(finding.agrees(), Some(false), "{lab:?}: {finding:?}");
    }
}

#[test]
fn the_difficulty_wavers_as_computed() {
    assert_agrees(&lab(Rule::Asert, 72), CHAINS);
    assert_agrees(&lab(Rule::Bitcoin { window: 144 }, 144), CHAINS * 2);
    assert_agrees(&lab(Rule::Bitcoin { window: 20 }, 20), CHAINS * 2);
    assert_agrees(&lab(Rule::Lwma { window: 45 }, 45), CHAINS * 2);
}

/// The measurement can tell one rule from another, and Bitcoin's missing interval.
#[test]
fn another_rule_is_noticed() {
    let findings = measure(&lab(Rule::Bitcoin { window: 20 }, 20), CHAINS * 4, 3);
    let wrong = [Some(theory::spread(Rule::Asert, 20.0)), theory::interval(Rule::Asert, 20.0)];
    for (finding, wrong) in findings.iter().zip(wrong) {
        let wrong = Finding { theory: wrong, ..finding.clone() };
        assert_eq!(wrong.agrees(), Some(false), "{wrong:?}");
    }
}

/// Whoever goes over to another branch finds the same targets due as those who were there before.
#[test]
fn every_branch_has_its_own_difficulty() {
    for rule in [Rule::Asert, Rule::Bitcoin { window: 5 }, Rule::Lwma { window: 7 }] {
        let mut chance = Chance::of("retarget", 4, 0);
        let mut chain = Chain::new(rule, 7, HASHES, 2, &mut chance);
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
fn a_job_follows_from_its_number() {
    let lab = lab(Rule::Lwma { window: 20 }, 20);
    assert_eq!(lab.jobs(9), 3);
    let [first, again] = [2, 2].map(|job| lab.run(5, 9, job));
    assert_eq!(first, again);
    assert_eq!(first["spread"].count, LEAST);
}
