use super::*;

#[test]
fn the_table_is_met_digit_for_digit() {
    let bitcoin = [(2016, 1.00099, 0.0223), (144, 1.01408, 0.0842), (20, 1.1111, 0.2425)];
    for (blocks, mean, deviation) in bitcoin {
        let (rule, window) = (Rule::Bitcoin { window: blocks }, blocks as f64);
        let found = interval(rule, window).expect("it is known");
        assert!((found - mean).abs() < 1.2e-5, "{found}");
        assert!((spread(rule, window) - deviation).abs() < 0.501e-4);
    }
    for (half_life, deviation) in [(288.0, 0.0347), (72.0, 0.0694), (36.0, 0.0981), (20.0, 0.1316)]
    {
        assert_eq!(interval(Rule::Asert, half_life), Some(1.0));
        assert!((spread(Rule::Asert, half_life) - deviation).abs() < 0.501e-4, "{half_life}");
    }
}

/// SCIENCE S5 has no formula, and simulated figures.
#[test]
fn an_lwma_wavers_as_others_simulated_it() {
    for (window, deviation) in [(45, 0.149), (60, 0.129), (90, 0.106)] {
        let rule = Rule::Lwma { window };
        assert!((spread(rule, window as f64) / deviation - 1.0).abs() < 0.01, "{window}");
        assert_eq!(interval(rule, window as f64), None);
    }
}

/// The linear process, run by itself: what one interval that is too long by one does to each later
/// block.
#[test]
fn the_squares_of_what_an_interval_does_under_lwma_add_up() {
    for window in [1_usize, 2, 20, 45, 144] {
        let n = window as f64;
        // The newest comes first.
        let weights: Vec<f64> =
            (0..window).map(|age| 2.0 * (n - age as f64) / (n * (n + 1.0))).collect();
        let mut does: Vec<f64> = Vec::new();
        for block in 0..40 * window {
            let direct = weights.get(block).map_or(0.0, |weight| -weight);
            let latest = does.iter().rev().zip(&weights);
            does.push(
                direct + latest.map(|(before, weight)| before * (1.0 / n - weight)).sum::<f64>(),
            );
        }
        let variance: f64 = does.iter().map(|one| one * one).sum();
        assert!((variance - 1.0 / n).abs() < 1e-9, "{window}: {variance}");
    }
}
