use super::*;
use crate::labs::Value;

fn values(module: &'static str, replicas: u64) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("consensus", Value::Word(module));
    values.set("replicas", Value::Whole(replicas));
    values
}

/// SCIENCE S7: three, and neither two nor four.
#[test]
fn three_hops_are_told_from_two_and_four() {
    for module in ["tendermint", "pbft"] {
        let experiment = prepare(&values(module, 7)).unwrap();
        let samples: Vec<_> = (0..2).map(|job| experiment.run(1, 10, job)).collect();
        let findings = experiment.findings(&samples);
        assert_eq!(findings[0].theory, Some(3.0), "{module}");
        assert!(findings.iter().all(|found| found.agrees() == Some(true)), "{findings:?}");
        for wrong in [2.0, 4.0] {
            let other = Finding { theory: Some(wrong), ..findings[0].clone() };
            assert_eq!(other.agrees(), Some(false), "{module}, {wrong}");
        }
    }
}

#[test]
fn proof_of_work_has_no_hops_to_count() {
    let error = prepare(&values("pow", 7)).unwrap_err();
    assert!(error.to_string().contains("final by depth"), "{error}");
}
