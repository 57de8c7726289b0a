use super::*;
use crate::labs::tests::measure;

const FINDS: u64 = if cfg!(debug_assertions) { 1_000 } else { 20_000 };

fn assert_agrees(ratio: f64, seed: u64) {
    let findings = measure(&Forks { ratio }, FINDS, seed);
    for finding in &findings {
        assert_eq!(finding.agrees(), Some(true), "x = {ratio}: {finding:?}");
    }
}

#[test]
fn forks_follow_the_delay() {
    for ratio in [0.1, 1.0, 5.0] {
        assert_agrees(ratio, 1);
    }
}

#[test]
fn without_a_delay_there_are_no_forks() {
    let findings = measure(&Forks { ratio: 0.0 }, 200, 2);
    assert_eq!([&findings[0], &findings[1]].map(|finding| finding.measured), [Some(0.0); 2]);
    assert_eq!([&findings[0], &findings[1]].map(|finding| finding.theory), [Some(0.0); 2]);
}

/// The three figures are often taken for each other.
#[test]
fn the_share_of_forks_is_not_that_of_stale_blocks() {
    let findings = measure(&Forks { ratio: 1.0 }, 5_000, 3);
    let [fork, stale, _] = &findings[..] else { panic!("{findings:?}") };
    let swapped = |one: &Finding, other: &Finding| Finding { theory: other.theory, ..one.clone() };
    assert_eq!(swapped(fork, stale).agrees(), Some(false), "{fork:?}");
    assert_eq!(swapped(stale, fork).agrees(), Some(false), "{stale:?}");
}

#[test]
fn a_job_follows_from_its_number() {
    let lab = Forks { ratio: 0.5 };
    assert_eq!(lab.jobs(800), 3);
    let [first, again] = [2, 2].map(|job| lab.run(5, 800, job));
    assert_eq!(first, again);
    assert_eq!(first["rivals"].count, 134, "200 finds are about so many heights");
    assert_eq!(first["interval"].count, 133);
}
