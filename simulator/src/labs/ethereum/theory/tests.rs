use super::*;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.06, "{found}, not {expected}");
}

/// SCIENCE S15: the row "continuous".
#[test]
fn s15_the_continuous_row() {
    for (active, epochs) in [(0.66, 1001.0), (0.6, 3107.0), (0.5, 4823.0), (0.4, 6072.0)] {
        let found = missed_until(active / (2.0 * (1.0 - active)));
        assert!((found - epochs).abs() < 0.5, "{active}: {found}");
    }
}

/// Steps of effective balances are where the exact recurrence has them, to the epoch.
#[test]
fn s15_the_epochs_of_the_steps() {
    let table = [(31, 512), (28, 1903), (25, 2711), (20, 3831), (16, 4685), (10, 6092)];
    for (ether, epoch) in table {
        let found = stepped_until(ether);
        assert!((found - f64::from(epoch)).abs() < 1.0, "{ether}: {found}");
        assert_eq!(stepped_after(found + 1e-6).1, ether as f64);
        assert_eq!(stepped_after(found - 1e-6).1, ether as f64 + 1.0);
    }
    assert_eq!((stepped_until(32), stepped_after(0.0)), (0.0, (32.0, 32.0)));
}

#[test]
fn what_the_absent_must_fall_to() {
    let of = |percent| needed(percent, 100);
    assert_eq!([66, 60, 50, 40].map(of), [31, 24, 16, 10]);
    assert_eq!(needed(2, 3), 32);
}

/// SCIENCE S17.
#[test]
fn s17_two_branches_in_the_epochs_of_the_table() {
    use Straddling::{Alternating, AlwaysCharged, Double};
    let at = |byzantine, how| both_finalise(byzantine, how, (0.0, 0.0));
    for how in [Double, AlwaysCharged, Alternating] {
        near(at(0.0, how), 4822.7);
    }
    near(at(0.1, Double), 4065.1);
    near(at(0.1, AlwaysCharged), 4199.3);
    near(at(0.1, Alternating), 4133.4);
    near(at(0.25, Double), 2473.4);
    near(at(0.25, AlwaysCharged), 2677.1);
    near(at(0.25, Alternating), 2570.6);
}

/// Pavloff and others, as SCIENCE S17 quotes them: β = .1, .15, .2, .33.
#[test]
fn s17_the_papers_row_of_double_votes() {
    for (byzantine, epochs) in [(0.1, 4066.0), (0.15, 3622.0), (0.2, 3107.0), (0.33, 502.0)] {
        let found = both_finalise(byzantine, Straddling::Double, (0.0, 0.0));
        assert!((found - epochs).abs() < 1.0, "{byzantine}: {found}");
    }
}

/// SCIENCE S17: who passes a third on both branches when the absent are ejected.
#[test]
fn s17_a_third_on_both_branches() {
    use Straddling::{Alternating, AlwaysCharged, Double};
    for (how, least) in [(Double, 0.2), (AlwaysCharged, 0.2421), (Alternating, 0.2203)] {
        let share = |byzantine| share_without_absent(byzantine, how, 4685.0);
        assert!(share(least - 1e-4) < 1.0 / 3.0 && share(least + 1e-4) > 1.0 / 3.0, "{how:?}");
    }
}
