use super::{super::Moments, *};

fn values(nodes: u64, fanout: u64, mode: &'static str, success: f64) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("nodes", Value::Whole(nodes));
    values.set("fanout", Value::Whole(fanout));
    values.set("mode", Value::Word(mode));
    values.set("success", Value::Real(success));
    values
}

fn theory(nodes: u64, fanout: u64, mode: &'static str, success: f64) -> Vec<f64> {
    let experiment = prepare(&values(nodes, fanout, mode, success)).unwrap();
    experiment.findings(&[]).iter().map(|found| found.theory.unwrap()).collect()
}

/// SCIENCE S13: means of 200 runs each, whose own error is 0.1 or so; log2 n + ln n to two digits.
#[test]
fn the_chains_of_rounds_have_the_means_of_the_table() {
    for (n, push, formula, both) in [
        (16, 7.43, 6.77, 4.09),
        (64, 11.26, 10.16, 5.96),
        (100, 12.44, 11.25, 6.47),
        (256, 14.57, 13.55, 7.67),
        (1_000, 18.16, 16.87, 9.19),
    ] {
        let found = theory(n, 1, "push", 1.0);
        assert!((found[0] - push).abs() < 0.15, "{n}: {} of {push}", found[0]);
        assert!((found[1] - formula).abs() < 0.0051, "{n}: {} of {formula}", found[1]);
        let found = theory(n, 1, "push-pull", 1.0);
        assert!((found[0] - both).abs() < 0.15, "{n}: {} of {both}", found[0]);
    }
    for (success, push, formula) in [(0.9, 19.68, 18.44), (0.75, 23.23, 21.55), (0.5, 32.96, 30.85)]
    {
        let found = theory(1_000, 1, "push", success);
        assert!((found[0] - push).abs() < 0.25, "{success}: {} of {push}", found[0]);
        assert!((found[1] - formula).abs() < 0.0051, "{success}: {} of {formula}", found[1]);
    }
}

/// SCIENCE S13: the roots, digit for digit, and the share that misses a rumour among 1000.
#[test]
fn the_roots_and_the_missed_share_are_those_of_the_table() {
    for (fanout, root, digit) in [
        (2, 0.2032, 1e-4),
        (3, 0.0595, 1e-4),
        (4, 0.0198, 1e-4),
        (5, 0.00698, 1e-5),
        (6, 0.00252, 1e-5),
        (7, 0.00092, 1e-5),
        (8, 0.00034, 1e-5),
        (10, 0.000045, 1e-6),
    ] {
        let found = theory(1_000, fanout, "infect-and-die", 1.0)[2];
        assert!((found - root).abs() <= 0.5001 * digit, "{fanout}: {found} of {root}");
    }
    for (fanout, missed) in
        [(2, 0.2001), (3, 0.0612), (4, 0.0185), (5, 0.0074), (6, 0.0025), (8, 0.00045)]
    {
        let found = theory(1_000, fanout, "infect-and-die", 1.0)[0];
        assert!((found / missed - 1.0).abs() < 0.35, "{fanout}: {found} of {missed}");
    }
    for (c, all) in [(0.0, 0.368), (1.0, 0.692), (2.0, 0.873), (3.0, 0.951), (5.0, 0.993)] {
        let found = (-f64::exp(-c)).exp();
        assert!((found - all).abs() < 0.00051, "{c}: {found} of {all}");
    }
}

/// Three nodes, each tells one: worked out by hand. The first tells one, which tells the third or the
/// first; in the latter case the rumour ends with two. Where the third hears it, it ends with three.
#[test]
fn the_chain_of_three_is_what_one_works_out() {
    let found = theory(3, 1, "infect-and-die", 1.0);
    assert!((found[0] - 1.0 / 6.0).abs() < 1e-15 && (found[1] - 0.5).abs() < 1e-15, "{found:?}");
    // Half of the messages arrive: with 1/2 nobody hears it; else with 1/4 the third does.
    let found = theory(3, 1, "infect-and-die", 0.5);
    let missed = 0.5 * 2.0 / 3.0 + 0.5 * 0.75 / 3.0;
    assert!((found[0] - missed).abs() < 1e-15 && (found[1] - 0.125).abs() < 1e-15, "{found:?}");
    // By rounds: one, and then two nodes hit the third with 1 - 1/4.
    let found = theory(3, 1, "push", 1.0);
    assert!((found[0] - (1.0 + 4.0 / 3.0)).abs() < 1e-15, "{found:?}");
    // With pulls the third hears it for sure in the second round, and with 1/2 in the first.
    let found = theory(3, 1, "push-pull", 1.0);
    assert!((found[0] - 1.5).abs() < 1e-15, "{found:?}");
}

fn measure(values: &Values, trials: u64, seed: u64) -> Vec<Finding> {
    let experiment = prepare(values).unwrap();
    let jobs = experiment.jobs(trials);
    let samples: Vec<_> = (0..jobs).map(|job| experiment.run(seed, trials, job)).collect();
    let counts = samples.iter().flat_map(|sample| sample.values()).map(|one: &Moments| one.count);
    assert_eq!(counts.max(), Some(50.min(trials)));
    experiment.findings(&samples)
}

/// Whoever takes the crowd for one without end, or a rumour for one that never dies, is found out.
#[test]
fn what_is_measured_tells_the_chain_from_the_formulas_of_great_crowds() {
    let seed = 3;
    let found = measure(&values(20, 2, "infect-and-die", 1.0), 4_000, seed);
    assert!(found[..2].iter().all(|one| one.agrees() == Some(true)), "seed {seed}: {found:?}");
    let wrong = Finding { theory: found[2].theory, ..found[0].clone() };
    assert_eq!(wrong.agrees(), Some(false), "seed {seed}: {found:?}");
    let found = measure(&values(64, 1, "push", 1.0), 1_000, seed);
    assert_eq!(found[0].agrees(), Some(true), "seed {seed}: {found:?}");
    let wrong = Finding { theory: found[1].theory, ..found[0].clone() };
    assert_eq!(wrong.agrees(), Some(false), "seed {seed}: {found:?}");
}

#[test]
fn what_cannot_be_is_said() {
    let error = prepare(&values(4, 4, "infect-and-die", 1.0)).unwrap_err();
    assert!(error.to_string().contains("3 others to tell"), "{error}");
    let error = prepare(&values(10_000, 1, "push", 1.0)).unwrap_err();
    assert!(error.to_string().contains("nodes² × fanout"), "{error}");
}

/// What the remedy names is taken, and one more is not.
#[test]
fn the_remedy_of_too_many_steps_helps() {
    for (nodes, fanout, name, most) in
        [(10_000, 1, "nodes", 6_324), (10_000, 20, "nodes", 1_414), (5_000, 20, "fanout", 1)]
    {
        let error = prepare(&values(nodes, fanout, "push", 1.0)).unwrap_err();
        assert_eq!(error.name, name);
        assert!(error.reason.ends_with(&format!("it is at most {most}")), "{error}");
        let with = |value| match name {
            "nodes" => prepare(&values(value, fanout, "push", 1.0)),
            _ => prepare(&values(nodes, value, "push", 1.0)),
        };
        assert!(with(most).is_ok() && with(most + 1).is_err(), "{name} {most}");
    }
}
