use super::*;
use crate::labs::Value;

fn values(module: &'static str, replicas: u64) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("consensus", Value::Word(module));
    values.set("replicas", Value::Whole(replicas));
    values
}

/// SCIENCE S6, whole: the theory is that of the tables, digit for digit.
#[test]
fn the_formulas_are_those_of_the_tables() {
    let pbft = [
        (4, 24),
        (7, 84),
        (10, 180),
        (13, 312),
        (16, 480),
        (19, 684),
        (22, 924),
        (25, 1200),
        (31, 1860),
    ];
    let tendermint = [
        (4, 27),
        (7, 90),
        (10, 189),
        (13, 324),
        (16, 495),
        (19, 702),
        (22, 945),
        (25, 1224),
        (31, 1890),
        (100, 19_899),
    ];
    let rows = pbft.map(|row| ("pbft", row)).into_iter();
    for (module, (n, expected)) in rows.chain(tendermint.map(|row| ("tendermint", row))) {
        let findings = prepare(&values(module, n)).unwrap().findings(&[]);
        assert_eq!(findings[0].theory, Some(f64::from(expected)), "{module} among {n}");
        assert_eq!(findings[0].measured, None, "nothing was measured");
    }
}

/// A formula that is wrong by one message is noticed, and so is one of another protocol.
#[test]
fn what_is_measured_tells_one_formula_from_the_next() {
    let experiment = prepare(&values("tendermint", 4)).unwrap();
    let samples = [experiment.run(1, 5, 0)];
    let found = &experiment.findings(&samples)[0];
    assert_eq!((found.measured, found.agrees()), (Some(27.0), Some(true)));
    for wrong in [26.0, 28.0, 24.0] {
        let other = Finding { theory: Some(wrong), ..found.clone() };
        assert_eq!(other.agrees(), Some(false), "{wrong}");
    }
}

#[test]
fn a_module_that_cannot_run_among_so_many_says_so() {
    let error = prepare(&values("pbft", 100)).unwrap_err();
    assert_eq!(error.name, "replicas");
    assert!(error.to_string().contains("name fewer validators"), "{error}");
}
