use super::*;

fn order(seeds: u64) -> Endure {
    Endure {
        consensus: Vec::new(),
        replicas: vec![4, 6, 7, 9, 10],
        seeds,
        threads: None,
        json: false,
    }
}

/// The full figure is `testnet endure --seeds 10000`.
#[test]
fn five_hundred_seeds_of_all_that_must_be_survived_are_survived() {
    let order = order(500);
    let trials = order.trials().expect("all modules are known");
    let cells = order.run(&trials, &AtomicBool::new(false));
    assert!(cells.iter().filter(|cell| cell.runs > 0).count() > 200, "most kinds are among them");
    let mut bad = Vec::new();
    for (trial, cell) in trials.iter().zip(&cells) {
        if cell.unsafe_runs + cell.stalls + cell.panics > 0 {
            let (seed, why) = cell.witness();
            bad.push(format!("{why}\n  {}", Endure::again(trial, seed)));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn what_is_tried_is_what_a_third_leaves_room_for() {
    let trials = order(1).trials().expect("all modules are known");
    let by_depth = |trial: &Trial| trial.module == "pow";
    assert!(!trials.iter().any(by_depth));
    for trial in &trials {
        let liars = trial.scenario.byzantine.len() as u32;
        assert!(liars * 3 < trial.replicas, "{} of {}", trial.fault.name, trial.replicas);
    }
    for name in ["equivocate-f", "partition", "loss", "outage-f+1"] {
        assert!(trials.iter().any(|trial| trial.fault.name == name), "{name}");
    }
}

#[test]
fn who_promises_nothing_is_not_asked() {
    let mut order = order(1);
    order.consensus = vec!["pow".into()];
    let error = order.trials().err().expect("it has depths").to_string();
    assert!(error.starts_with("pow promises nothing"), "{error}");
    order.consensus = vec!["raft".into()];
    assert!(order.trials().err().expect("unknown").to_string().contains("there are"));
}
