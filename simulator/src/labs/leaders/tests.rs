use super::*;

fn values(module: &'static str, replicas: u64, faulty: u64) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("consensus", Value::Word(module));
    values.set("replicas", Value::Whole(replicas));
    values.set("faulty", Value::Whole(faulty));
    values
}

fn theory(findings: &[Finding], name: &str) -> f64 {
    findings.iter().find(|found| found.name == name).and_then(|found| found.theory).unwrap()
}

/// SCIENCE S14: both rows, to the digits they have.
#[test]
fn the_means_are_those_of_the_table() {
    for (n, f, row, drawn) in [
        (4, 1, 0.25, 0.333),
        (7, 2, 0.333, 0.4),
        (10, 3, 0.375, 0.429),
        (13, 4, 0.4, 0.444),
        (31, 10, 0.455, 0.476),
        (100, 33, 0.485, 0.493),
    ] {
        let findings = prepare(&values("tendermint", n, f)).unwrap().findings(&[]);
        assert!((theory(&findings, "dead") - row).abs() < 0.00051, "{n}");
        assert!((theory(&findings, "dead_if_drawn") - drawn).abs() < 0.00051, "{n}");
    }
}

/// P(≥k) = C(n−k,f−k)/C(n,f), of 13 with 4 down.
#[test]
fn the_chances_are_those_of_drawing_without_return() {
    let findings = prepare(&values("tendermint", 13, 4)).unwrap().findings(&[]);
    for (least, name) in (0_u32..).zip(AT_LEAST).skip(1) {
        let expected = ways(13 - least, 4 - least) as f64 / ways(13, 4) as f64;
        assert!((theory(&findings, name) - expected).abs() < 1e-12, "{name}");
    }
}

/// Every placement, of both modules, to the digit; and what is one timeout off is noticed.
#[test]
fn every_placement_costs_what_is_calculated() {
    for (module, n, f) in
        [("tendermint", 7, 2), ("pbft", 7, 2), ("pbft", 6, 1), ("tendermint", 5, 1)]
    {
        let experiment = prepare(&values(module, n, f)).unwrap();
        let samples: Vec<_> =
            (0..experiment.jobs(100)).map(|job| experiment.run(1, 100, job)).collect();
        let findings = experiment.findings(&samples);
        let judged = findings.iter().filter_map(Finding::agrees).collect::<Vec<_>>();
        assert!(judged.len() >= 5 && judged.iter().all(|agrees| *agrees), "{module} {findings:#?}");
        for wrong in [("dead", "dead_if_drawn"), ("latency_1", "latency_0")] {
            let found = findings.iter().find(|found| found.name == wrong.0).unwrap();
            let other = Finding { theory: Some(theory(&findings, wrong.1)), ..found.clone() };
            // With one of four replicas down, or of seven two, the two means differ.
            assert_eq!(other.agrees(), Some(false), "{module} {n}: {wrong:?}");
        }
    }
}

#[test]
fn more_than_a_third_down_and_nobody_who_leads_are_refused() {
    let error = prepare(&values("tendermint", 7, 3)).unwrap_err();
    assert!(error.to_string().contains("at most 2 down"), "{error}");
    assert!(prepare(&values("pow", 7, 1)).unwrap_err().to_string().contains("nobody leads"));
}

/// SCIENCE S14: the row for CometBFT's timers, and PBFT's doubling.
#[test]
fn what_dead_leaders_cost_is_calculated_as_in_the_table() {
    let cost = |module: &str, settings: &[(&str, u64)], dead| {
        let mut setup = crate::Setup::new(module, 13, 1);
        setup.settings.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), *value)));
        let theory = consensus::catalogue::theory(module).unwrap().unwrap();
        theory.dead_leaders.unwrap()(&setup.genesis(), dead, DELAY).as_millis()
    };
    let timers = [
        ("tendermint.propose_ms", 3_000),
        ("tendermint.precommit_ms", 1_000),
        ("tendermint.delta_ms", 500),
    ];
    for (dead, expected) in (0..).zip([150, 4_250, 9_350, 15_450, 22_550]) {
        assert_eq!(cost("tendermint", &timers, dead), expected, "{dead}");
        let hops = 50 * (u128::from(dead) + 3);
        let doubled = 1_000 * (2_u128.pow(dead) - 1);
        assert_eq!(cost("pbft", &[("pbft.timeout_ms", 1_000)], dead), doubled + hops, "{dead}");
    }
}
