use super::*;
use crate::labs::Values;

fn findings(quotient: u64, byzantine: f64) -> Vec<Finding> {
    let mut values = Values::usual(LAB.parameters);
    values.set("quotient", Value::Whole(quotient));
    values.set("byzantine", Value::Real(byzantine));
    let lab = (LAB.prepare)(&values).unwrap();
    lab.findings(&[lab.run(1, 1, 0)])
}

/// SCIENCE S18: both sides decide within one row of √(2Q ln(2(1-β)/(1+β))), and nothing that anybody signed
/// contradicts anything else.
#[test]
fn s18_both_sides_decide_when_the_formula_says_and_nobody_is_slashable() {
    for quotient in [16, 64, 144, 256, 400] {
        for byzantine in [0.0, 0.1, 0.2, 0.3] {
            let found = findings(quotient, byzantine);
            let told = format!("Q = {quotient}, β = {byzantine}: {found:?}");
            println!("{told}");
            assert!(found.iter().all(|one| one.agrees() != Some(false)), "{told}");
            let of = |name| found.iter().find(|one| one.name == name).unwrap();
            assert_eq!(of("slashable").measured, Some(0.0), "{told}");
            let closed = of("rows_closed");
            let off = closed.measured.unwrap() - closed.theory.unwrap();
            assert!(off.abs() <= 1.0, "{told}");
        }
    }
}

/// SCIENCE S18's discrete row, and what the ledger tells people at the start of an unbounded chain.
#[test]
fn s18_the_discrete_row_is_one_more_than_is_safe() {
    for (permille, rows) in [(0, 37), (100, 32), (200, 24), (250, 19), (300, 12)] {
        let leak = Leak {
            mode: Mode::Recovery,
            quotient: 1024,
            tolerates_permille: permille,
            bounded: false,
            grace_rounds: GRACE,
        };
        assert_eq!(Partition { leak }.rows(), rows);
        assert_eq!(leak.safe_misses() + 1, rows);
    }
}
