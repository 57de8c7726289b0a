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
