use super::*;

fn values(quotient: u64, some: u64, all: u64, floor: &'static str) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("quotient", Value::Whole(quotient));
    values.set("active", Value::Part(Part { some, all }));
    values.set("floor", Value::Word(floor));
    values
}

fn findings(quotient: u64, some: u64, all: u64, floor: &'static str) -> Vec<Finding> {
    let lab = prepare(&values(quotient, some, all, floor)).unwrap();
    lab.findings(&[lab.run(1, 1, 0)])
}

fn measured(findings: &[Finding], name: &str) -> Option<f64> {
    findings.iter().find(|found| found.name == name).unwrap().measured
}

/// SCIENCE S16, in worlds of whole replicas.
#[test]
fn s16_the_module_recovers_after_the_rows_of_the_table() {
    for (quotient, row) in [
        (64, [((2, 4), 9), ((3, 5), 6), ((4, 7), 7), ((5, 9), 8), ((1, 4), 15)]),
        (256, [((2, 4), 19), ((3, 5), 12), ((4, 7), 14), ((5, 9), 15), ((1, 4), 30)]),
    ] {
        for ((some, all), rows) in row {
            let found = findings(quotient, some, all, UNBOUNDED);
            let told = format!("Q = {quotient}, {some} of {all}: {found:?}");
            assert_eq!(measured(&found, "epochs"), Some(f64::from(rows)), "{told}");
            assert!(found.iter().all(|one| one.agrees() != Some(false)), "{told}");
        }
    }
}

#[test]
fn who_can_never_be_a_quorum_decides_nothing() {
    let found = findings(16, 2, 4, "sound");
    assert_eq!((measured(&found, "recovers"), measured(&found, "epochs")), (Some(0.0), None));
    assert!(found.iter().all(|one| one.agrees() != Some(false)), "{found:?}");
}

#[test]
fn a_table_has_room_for_what_it_takes() {
    let error = prepare(&values(4_096, 1, 50, UNBOUNDED)).unwrap_err();
    assert!(error.to_string().contains("has room for 40 rows"), "{error}");
}

/// A formula that is a row off is noticed.
#[test]
fn another_row_would_not_agree() {
    let lab = prepare(&values(64, 3, 5, UNBOUNDED)).unwrap();
    let sample = Sample::from([
        ("recovers", Moments::once(Some(1.0))),
        ("epochs", Moments::once(Some(7.0))),
    ]);
    let differ = lab.findings(&[sample]).into_iter().filter(|one| one.agrees() == Some(false));
    assert_eq!(differ.map(|one| one.name).collect::<Vec<_>>(), ["epochs", "epochs_closed"]);
}
