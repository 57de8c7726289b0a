use super::*;

type Formula = fn(f64, u64) -> f64;

const ALL: [Formula; 3] = [nakamoto, exact, strict];

/// A table's seven digits.
fn assert_digits(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.500_001e-7, "{found} is not {expected}");
}

#[test]
fn the_tables_are_met_digit_for_digit() {
    let table = [
        (0.1, 0, [1.0, 1.0, 0.111_111_1]),
        (0.1, 1, [0.204_587_3, 0.2, 0.031_111_1]),
        (0.1, 2, [0.050_977_9, 0.056, 0.009_511_1]),
        (0.1, 5, [0.000_913_7, 0.001_781_8, 0.000_328_6]),
        (0.3, 0, [1.0, 1.0, 0.428_571_4]),
        (0.3, 5, [0.177_352_3, 0.197_617_3, 0.111_749_7]),
        (0.3, 10, [0.041_660_5, 0.065_106_7, 0.037_699_9]),
        (0.3, 25, [0.000_613_2, 0.003_302_7, 0.001_948_7]),
    ];
    for (q, z, row) in table {
        for (formula, expected) in ALL.iter().zip(row) {
            assert_digits(formula(q, z), expected);
        }
    }
}

#[test]
fn the_whitepaper_prints_the_same() {
    let printed = [
        (0.1, 10, 0.000_001_2),
        (0.3, 50, 0.000_000_6),
        (0.3, 20, 0.002_480_4),
        (0.1, 3, 0.013_172_2),
    ];
    for (q, z, expected) in printed {
        assert_digits(nakamoto(q, z), expected);
    }
}

#[test]
fn as_many_confirmations_are_enough_as_the_tables_say() {
    let enough = |formula: Formula, q| (0..).find(|z| formula(q, *z) < 0.001).expect("it falls");
    for (q, expected) in [(0.1, [5, 6, 4]), (0.3, [24, 32, 29])] {
        assert_eq!(ALL.map(|formula| enough(formula, q)), expected, "q = {q}");
    }
}

#[test]
fn poisson_does_not_always_estimate_too_low() {
    assert!((nakamoto(0.4, 6) - 0.503_98).abs() < 0.5e-5);
    assert!((exact(0.4, 6) - 0.493_00).abs() < 0.5e-5);
    assert!((exact(0.1, 6) - 5.914e-4).abs() < 0.5e-7);
    assert!((exact(0.3, 6) - 0.156_45).abs() < 0.5e-5);
}

/// The papers' own sums, with their differences of nearly equal numbers.
#[test]
fn sums_of_positive_numbers_are_those_of_the_papers() {
    for q in [0.001, 0.05, 0.2, 0.35, 0.45, 0.49, 0.4999] {
        for z in [1, 2, 7, 30, 100] {
            let p = 1.0 - q;
            let (mut rosenfeld, mut ahead, mut ways) = (1.0, 1.0, 1.0);
            for k in 0..=z {
                let (found, others) = (libm::pow(q, k as f64), libm::pow(p, z as f64));
                let behind = libm::pow(q / p, (z - k) as f64);
                rosenfeld -= ways * others * found * (1.0 - behind);
                ahead -= ways * others * found * (1.0 - behind * q / p);
                ways *= (z + k) as f64 / (k + 1) as f64;
            }
            assert!((exact(q, z) - rosenfeld).abs() < 1e-12, "q = {q}, z = {z}");
            assert!((strict(q, z) - ahead).abs() < 1e-12, "q = {q}, z = {z}");
        }
    }
}

#[test]
fn every_formula_is_a_chance_that_falls_with_z_and_rises_with_q() {
    let shares: Vec<f64> = (1..500).map(|thousandth| f64::from(thousandth) / 1_000.0).collect();
    for formula in ALL {
        for z in 0..=100 {
            for q in &shares {
                let chance = formula(*q, z);
                assert!((0.0..=1.0).contains(&chance), "q = {q}, z = {z}: {chance}");
                assert!(z == 0 || chance <= formula(*q, z - 1), "q = {q}, z = {z}: {chance}");
            }
            let rises = shares.is_sorted_by(|one, other| formula(*one, z) <= formula(*other, z));
            assert!(rises, "z = {z}");
        }
    }
    // Even the smallest chances keep their digits: far out only the first term counts.
    let (q, z) = (1e-3_f64, 40);
    assert!(exact(q, z) > 0.0 && strict(q, z) < exact(q, z));
}
