use super::*;
use crate::labs::{Lab, tests::measure};

const RACES: u64 = if cfg!(debug_assertions) { 2_000 } else { 25_000 };

fn lab(q: f64, z: u64) -> DoubleSpend {
    DoubleSpend { q, z }
}

#[test]
fn payments_are_undone_as_often_as_computed() {
    for (q, z) in [(0.1, 1), (0.1, 2), (0.3, 5), (0.3, 10), (0.4, 6), (0.45, 0), (0.02, 20)] {
        let findings = measure(&lab(q, z), RACES, 1);
        for finding in &findings[..2] {
            assert_eq!(finding.agrees(), Some(true), "q = {q}, z = {z}: {finding:?}");
        }
    }
}

/// The measurement can tell the three formulas apart.
#[test]
fn neither_the_poisson_estimate_nor_a_counted_tie_is_what_a_node_does() {
    // Where the formulas are further from each other fewer races tell them apart.
    let (q, z, races) = if cfg!(debug_assertions) { (0.3, 10, 8_000) } else { (0.1, 2, 100_000) };
    let findings = measure(&lab(q, z), races, 2);
    let [strict, exact, poisson] = &findings[..] else { panic!("{findings:?}") };
    let wrong = |finding: &Finding, theory| Finding { theory, ..finding.clone() };
    assert_eq!(exact.agrees(), Some(true), "{exact:?}");
    assert_eq!(wrong(exact, poisson.theory).agrees(), Some(false), "{exact:?}");
    assert_eq!(wrong(strict, exact.theory).agrees(), Some(false), "{strict:?}");
    // The prose has one more block than the formula: the payment's own.
    let later = Some(theory::exact(q, z + 1));
    assert!(cfg!(debug_assertions) || wrong(exact, later).agrees() == Some(false));
    assert_eq!(poisson.agrees(), None);
}

/// Whoever says nothing but the lab's name sees which formula is wrong.
#[cfg(not(debug_assertions))]
#[test]
fn at_the_usual_values_the_papers_estimate_is_noticed() {
    use crate::labs::Values;

    let lab = (LAB.prepare)(&Values::usual(LAB.parameters)).unwrap();
    for seed in 1..=3 {
        let findings = measure(lab.as_ref(), LAB.usual, seed);
        let [strict, exact, poisson] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(strict.agrees(), Some(true), "seed {seed}: {strict:?}");
        assert_eq!(exact.agrees(), Some(true), "seed {seed}: {exact:?}");
        let wrong = Finding { theory: poisson.theory, ..exact.clone() };
        assert_eq!(wrong.agrees(), Some(false), "seed {seed}: {wrong:?}");
    }
}

#[test]
fn without_a_confirmation_a_tie_is_certain() {
    let findings = measure(&lab(0.2, 0), 500, 3);
    assert_eq!(findings[1].measured, Some(1.0));
    assert_eq!(findings[1].theory, Some(1.0));
    assert!(findings[0].measured < Some(0.5), "{findings:?}");
}

#[test]
fn who_has_no_hope_gives_up() {
    assert_eq!([0.1, 0.3, 0.49].map(|q| lab(q, 6).patience()), [7, 17, 64]);
    // Near one half what is lost by that is part of the tolerance.
    let findings = lab(0.4999, 100).findings(&[]);
    assert!(findings[0].tolerance > 0.01, "{findings:?}");
}

#[test]
fn a_job_follows_from_its_number() {
    let lab = lab(0.3, 3);
    assert_eq!(lab.jobs(1_001), 3);
    let [first, again, second] = [0, 0, 1].map(|job| lab.run(7, 1_001, job));
    assert_eq!(first, again);
    assert_ne!(first, second);
    assert_eq!(first["strict"].count, 500);
    assert_eq!(lab.run(7, 1_001, 2)["strict"].count, 1);
}

#[test]
fn it_takes_what_the_formula_takes() {
    let Lab { parameters, .. } = &LAB;
    let [q, z] = parameters else { panic!("two parameters") };
    assert!(q.read("0").is_err() && q.read("0.5").is_err() && q.read("0.4999").is_ok());
    assert!(z.read("0").is_ok() && z.read("100").is_ok() && z.read("-1").is_err());
}
