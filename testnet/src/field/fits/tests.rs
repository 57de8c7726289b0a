use super::*;
use std::{fs, path::Path};

fn scenarios(under: &str) -> Vec<(String, Scenario)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(under);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push((name, Scenario::parse(&fs::read_to_string(path).unwrap()).unwrap()));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!found.is_empty());
    found
}

/// The README and the guide name these.
#[test]
fn all_of_our_scenarios_but_two_can_run_with_real_nodes() {
    let mut exceptions = Vec::new();
    for (name, scenario) in scenarios("scenarios") {
        for module in &scenario.consensus {
            let reasons = unfit(&scenario, module);
            if !reasons.is_empty() {
                exceptions.push((name.clone(), reasons));
                break;
            }
        }
    }
    let expected = [
        ("25-gossip".to_owned(), vec![Unfit::Topology]),
        ("27-a-lock-that-moves".to_owned(), vec![Unfit::Adversary, Unfit::CatchUp]),
    ];
    assert_eq!(exceptions, expected);
}

#[test]
fn no_node_runs_a_mutant() {
    let mutants = scenarios("scenarios/mutants");
    for (name, scenario) in mutants {
        for module in scenario.consensus.iter().filter(|module| module.contains(':')) {
            let reasons = unfit(&scenario, module);
            assert!(reasons.contains(&Unfit::Mutant(module.clone())), "{name}: {reasons:?}");
        }
    }
}

#[test]
fn a_reason_says_what_is_in_the_way() {
    let text = r#"
        name = "much"
        consensus = "tendermint"
        replicas = 20
        topology = { gossip = 4 }
        byzantine = [{ replica = 3, lie = "silent" }]
        at = [{ time = "1s", wipe = 3 }]
    "#;
    let scenario = Scenario::parse(text).unwrap();
    let reasons: Vec<_> = unfit(&scenario, "tendermint").iter().map(ToString::to_string).collect();
    let told = reasons.join("; ");
    for word in ["topology", "20 replicas: at most 16", "replica 3 lies"] {
        assert!(told.contains(word), "{told}");
    }
}
