use super::*;
use crate::labs::tests::measure;

const FINDS: u64 = if cfg!(debug_assertions) { 3_000 } else { 100_000 };

fn lab(alpha: f64, gamma: f64) -> Selfish {
    Selfish { alpha, gamma }
}

#[test]
fn who_hides_its_blocks_is_paid_as_computed() {
    for (alpha, gamma) in [(0.25, 1.0), (0.4, 0.5), (1.0 / 3.0, 0.0)] {
        let findings = measure(&lab(alpha, gamma), FINDS, 1);
        assert_eq!(findings[0].agrees(), Some(true), "{alpha}, {gamma}: {findings:?}");
    }
}

/// The measurement is precise enough to tell who is heard first, and lying from telling the truth.
#[test]
fn it_is_noticed_who_follows_the_attacker() {
    let findings = measure(&lab(0.4, 1.0), FINDS * 2, 2);
    let revenue = &findings[0];
    for wrong in [theory::revenue(0.4, 0.0), 0.4] {
        let wrong = Finding { theory: Some(wrong), ..revenue.clone() };
        assert_eq!(wrong.agrees(), Some(false), "{wrong:?}");
    }
    assert_eq!(revenue.agrees(), Some(true), "{revenue:?}");
}

#[test]
fn the_honest_share_of_followers_counts_the_finder_too() {
    assert_eq!(lab(0.3, 0.0).share(), 0.0);
    assert_eq!(lab(0.3, 1.0).share(), 1.0);
    assert!((lab(0.3, 0.49).share() - 0.5).abs() < 1e-12);
    // With all of them it cannot be reached, and the difference is allowed for.
    let long = Moments { count: 1, sum: 1e12, squares: 1e24 };
    let tolerance =
        |gamma| lab(0.3, gamma).findings(&[Sample::from([("main", long)])])[0].tolerance;
    assert!(tolerance(1.0) > 0.001 && tolerance(0.98) < 0.000_1);
}

#[test]
fn a_world_ends_when_all_agree() {
    let mut chance = Chance::of("selfish", 3, 0);
    for _ in 0..5 {
        let (world, found) = lab(0.3, 0.5).world(&mut chance);
        assert!(found >= WORLD && world.attacker + world.honest <= found);
        assert_eq!(world.ahead, 0);
    }
}

#[test]
fn a_job_follows_from_its_number() {
    let lab = lab(0.2, 0.5);
    assert_eq!(lab.jobs(10_001), 3);
    assert_eq!(lab.jobs(0), 1);
    let [first, again] = [2, 2].map(|job| lab.run(5, 10_001, job));
    assert_eq!(first, again);
    assert_eq!(first["main"].count, 1, "one find is left, and a world");
}
