use super::*;

/// All jobs of a lab, one after another.
pub(super) fn measure(lab: &dyn Experiment, trials: u64, seed: u64) -> Vec<Finding> {
    let jobs = lab.jobs(trials);
    let samples: Vec<Sample> = (0..jobs).map(|job| lab.run(seed, trials, job)).collect();
    let findings = lab.findings(&samples);
    println!("{lab:?}, {trials} trials, seed {seed}:");
    for Finding { name, theory, measured, tolerance, .. } in &findings {
        println!("  {name}: measured {measured:?}, by theory {theory:?} +- {tolerance:.5}");
    }
    findings
}

#[test]
fn a_part_is_read_exactly_or_not_at_all() {
    let parameter = Parameter {
        name: "active",
        about: "",
        range: Range::Part(50),
        usual: Value::Part(Part { some: 1, all: 1 }),
    };
    let read = |text| match parameter.read(text) {
        Ok(Value::Part(Part { some, all })) => Some((some, all)),
        Ok(other) => panic!("{other}"),
        Err(_) => None,
    };
    for (text, part) in [
        ("3/5", (3, 5)),
        ("4/6", (4, 6)),
        ("0.6", (3, 5)),
        (".66", (33, 50)),
        ("1", (1, 1)),
        ("1.0", (1, 1)),
    ] {
        assert_eq!(read(text), Some(part), "{text}");
    }
    let huge = "0.99999999999999999999999999999999999999999";
    for text in ["0", "0/5", "6/5", "1.5", "51/51", "0.51234", "-1/2", "a/b", "", "/", ".", huge] {
        assert_eq!(read(text), None, "{text}");
    }
    let error = parameter.read("51/51").unwrap_err().to_string();
    assert!(error.contains("some of at most 50"), "{error}");
}
