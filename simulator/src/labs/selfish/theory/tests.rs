use super::*;

#[test]
fn the_table_is_met_digit_for_digit() {
    let table = [
        (0.25, [0.195_12, 0.25, 0.304_88]),
        (1.0 / 3.0, [0.333_33, 0.384_62, 0.435_90]),
        (0.4, [0.483_72, 0.525_58, 0.567_44]),
    ];
    for (alpha, row) in table {
        for (gamma, expected) in [0.0, 0.5, 1.0].into_iter().zip(row) {
            let found = revenue(alpha, gamma);
            assert!((found - expected).abs() < 0.5e-5, "{alpha}, {gamma}: {found}");
        }
    }
}

#[test]
fn it_pays_from_the_threshold_on() {
    for (gamma, expected) in [(0.0, 1.0 / 3.0), (0.5, 0.25), (1.0, 0.0)] {
        assert!((threshold(gamma) - expected).abs() < 1e-12);
    }
    for percent in 0..100 {
        let gamma = f64::from(percent) / 100.0;
        let alpha = threshold(gamma);
        assert!((revenue(alpha, gamma) - alpha).abs() < 1e-12, "gamma = {gamma}");
        assert!(revenue(alpha + 0.01, gamma) > alpha + 0.01, "gamma = {gamma}");
        assert!(alpha < 0.02 || revenue(alpha - 0.01, gamma) < alpha - 0.01, "gamma = {gamma}");
    }
}

#[test]
fn it_is_a_share_over_the_whole_range() {
    for alpha in (1..5_000).map(|each| f64::from(each) / 10_000.0) {
        for gamma in (0..=10).map(|each| f64::from(each) / 10.0) {
            let share = revenue(alpha, gamma);
            assert!((0.0..1.0).contains(&share), "{alpha}, {gamma}: {share}");
        }
    }
}
