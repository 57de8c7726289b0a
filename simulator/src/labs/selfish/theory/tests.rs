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

/// The paper sums over states, the deviation over cycles: both know the mean.
#[test]
fn cycles_have_the_share_that_the_paper_calculates() {
    for alpha in [0.01, 0.2, 0.4, 0.499] {
        for gamma in [0.0, 0.3, 1.0] {
            let short = short_cycles(alpha, gamma);
            let (chance, mean, _) = long_cycle(alpha);
            let certain = chance + short.iter().map(|(chance, ..)| chance).sum::<f64>();
            assert!((certain - 1.0).abs() < 1e-12);
            let ours = chance * mean + short.iter().map(|(p, ours, _)| p * ours).sum::<f64>();
            let others = short.iter().map(|(p, _, others)| p * others).sum::<f64>();
            let share = ours / (ours + others);
            assert!((share - revenue(alpha, gamma)).abs() < 1e-12, "{alpha}, {gamma}: {share}");
        }
    }
}

/// SCIENCE S2 simulated .0018 to .0041 at 200,000 finds, of which a part is stale.
#[test]
fn the_deviation_is_as_others_simulated_it() {
    for alpha in [0.25, 1.0 / 3.0, 0.4] {
        for gamma in [0.0, 0.5, 1.0] {
            let finds = 200_000.0;
            let deviation = deviation(alpha, gamma) / libm::sqrt(finds * 0.7);
            println!("{alpha}, {gamma}: {deviation}");
            assert!((0.0014..0.0045).contains(&deviation), "{alpha}, {gamma}: {deviation}");
        }
    }
}
