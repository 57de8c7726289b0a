use super::*;

fn findings(some: u64, all: u64, epoch: u64) -> Vec<Finding> {
    let lab = EthereumLeak { active: Part { some, all }, epoch };
    lab.findings(&[lab.run(1, 1, 0)])
}

fn of(findings: &[Finding], name: &str) -> Finding {
    findings.iter().find(|found| found.name == name).unwrap().clone()
}

/// SCIENCE S15: both rows.
#[test]
fn the_table_is_met_exact_and_continuous() {
    for (percent, exact, continuous) in
        [(66, 512.0, 1001.0), (60, 2948.0, 3107.0), (50, 4685.0, 4823.0), (40, 6092.0, 6072.0)]
    {
        let found = findings(percent, 100, 100);
        assert_eq!(of(&found, "epochs").measured, Some(exact), "{percent}");
        let rounded = of(&found, "epochs_continuous").theory.map(f64::round);
        assert_eq!(rounded, Some(continuous), "{percent}");
        assert_eq!(of(&found, "ejected").measured, Some(4686.0));
    }
    assert_eq!(of(&findings(2, 3, 0), "epochs").measured, Some(0.0));
}

/// The curve holds all along the leak, and for few and many.
#[test]
fn balances_fall_along_the_curve() {
    for epoch in (0..=8_192).step_by(64) {
        for (some, all) in [(1, 1_000_000), (1, 3), (3, 5), (999, 1000), (1, 1)] {
            for found in findings(some, all, epoch) {
                assert_ne!(found.agrees(), Some(false), "{epoch}, {some} of {all}: {found:?}");
            }
        }
    }
}

/// Two thirds are reached in just the epoch that is told, and the last before does not have them.
#[test]
fn the_share_passes_two_thirds_when_finality_returns() {
    let share = |epoch| of(&findings(3, 5, epoch), "active_share").measured.unwrap();
    assert!(share(2947) < 2.0 / 3.0 && share(2948) >= 2.0 / 3.0);
}
