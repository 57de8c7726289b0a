//! All labs, at points drawn from their ranges.

use super::*;
use crate::setup::stream;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// How many points are drawn for each lab.
const POINTS: usize = 10;

/// A part of the usual trials: tolerances are wider then, and just as unlikely to be left.
const PART: u64 = if cfg!(debug_assertions) { 40 } else { 10 };

/// A share of one, neither end reached.
fn share(chance: &mut ChaCha8Rng) -> f64 {
    ((chance.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

/// A value somewhere in a range: by equal factors where it is wide, so that small worlds are not rare.
fn draw(range: &Range, chance: &mut ChaCha8Rng) -> Value {
    let part = share(chance);
    let at = |part: f64, from: f64, to: f64| match from > 0.0 && to / from > 50.0 {
        true => from * (to / from).powf(part),
        false => from + (to - from) * part,
    };
    let between = |from, to| at(part, from, to);
    match *range {
        Range::Real { from, to, .. } => Value::Real(between(from, to)),
        Range::Whole(from, to) if from > 0 && to / from > 50 => {
            Value::Whole(between(from as f64, to as f64).round() as u64)
        }
        Range::Whole(from, to) => Value::Whole(from + (part * (to - from + 1) as f64) as u64),
        Range::Word(words) => Value::Word(words[(part * words.len() as f64) as usize]),
        Range::List(from, to) => {
            let count = 1 + (part * Numbers::MOST as f64) as usize;
            let mut number = || at(share(chance), from as f64, to as f64).round() as u64;
            let numbers: Vec<_> = (0..count).map(|_| number()).collect();
            Value::List(Numbers::of(&numbers).expect("not too many"))
        }
        Range::Part(most) => {
            let all = at(part, 1.0, most as f64).round() as u64;
            let some = 1 + (share(chance) * all as f64) as u64;
            Value::Part(Part { some, all })
        }
    }
}

/// A point of a lab's range whose values go together.
fn point(lab: &Lab, chance: &mut ChaCha8Rng) -> (Values, Box<dyn Experiment>) {
    for _ in 0..1_000 {
        let mut values = Values::usual(lab.parameters);
        for parameter in lab.parameters {
            values.set(parameter.name, draw(&parameter.range, chance));
        }
        if let Ok(experiment) = (lab.prepare)(&values) {
            return (values, experiment);
        }
    }
    panic!("{}: no thousand values go together", lab.name);
}

/// Ten points of a lab, drawn from its whole range by a seed: `BYZANTIUM_SEED`, or the usual one.
///
/// Some hundred figures are compared in all labs together. Where they are left to chance their tolerance
/// is four standard deviations, which a normal one leaves once in 16,000, so about one seed in a hundred
/// raises a false alarm; the usual one does not.
fn agrees_at_ten_points(name: &str) {
    let seed =
        std::env::var("BYZANTIUM_SEED").ok().map(|text| text.parse().expect("a seed is a number"));
    let seed = seed.unwrap_or(1);
    let lab = all().iter().find(|lab| lab.name == name).expect("there is such a lab");
    let mut chance = stream(seed, name, 0);
    let mut wrong = Vec::new();
    for _ in 0..POINTS {
        let (values, experiment) = point(lab, &mut chance);
        let trials = (lab.usual / PART).max(2);
        let jobs = experiment.jobs(trials);
        let samples: Vec<_> = (0..jobs).map(|job| experiment.run(seed, trials, job)).collect();
        let findings = experiment.findings(&samples);
        let compared = findings.iter().filter(|found| found.agrees().is_some()).count();
        let told: Vec<_> = values.iter().map(|(name, value)| format!("--{name} {value}")).collect();
        let told = format!("{name} {} --trials {trials} --seed {seed}", told.join(" "));
        println!("{told}: {compared} figures");
        assert!(compared > 0, "{told} compares nothing");
        let bad = findings.into_iter().filter(|found| found.agrees() == Some(false));
        wrong.extend(bad.map(|found| format!("{told}: {found:?}")));
    }
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
}

/// A test for each, so that they run side by side.
macro_rules! agreement {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                agrees_at_ten_points($name);
            }
        )*

        #[test]
        fn no_lab_is_left_out() {
            let names: Vec<_> = all().iter().map(|lab| lab.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

agreement! {
    double_spends_agree_at_ten_points: "double-spend",
    selfish_mining_agrees_at_ten_points: "selfish-mining",
    forks_agree_at_ten_points: "forks",
    retargeting_agrees_at_ten_points: "retarget",
    changes_of_the_hash_rate_agree_at_ten_points: "hash-rate",
    messages_agree_at_ten_points: "messages",
    hops_agree_at_ten_points: "hops",
    quorums_agree_at_ten_points: "quorums",
    dead_leaders_agree_at_ten_points: "leader-failure",
    proposers_agree_at_ten_points: "proposers",
    gossip_agrees_at_ten_points: "gossip",
    leaks_agree_at_ten_points: "leak",
    leaks_of_partitions_agree_at_ten_points: "leak-partition",
    ethereums_leak_agrees_at_ten_points: "ethereum-leak",
    two_branches_agree_at_ten_points: "two-branches",
}

#[test]
fn labs_have_names_of_their_own_and_run_with_their_usual_values() {
    let mut names: Vec<_> = all().iter().map(|lab| lab.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());
    for lab in all() {
        assert!((lab.prepare)(&Values::usual(lab.parameters)).is_ok(), "{}", lab.name);
        for parameter in lab.parameters {
            let usual = parameter.usual.to_string();
            assert_eq!(parameter.read(&usual), Ok(parameter.usual), "{}", parameter.name);
        }
    }
}

#[test]
fn a_share_of_few_trials_may_be_off_by_two_of_them() {
    let mut found = Moments::default();
    (0..100).for_each(|at| found.take(if at < 2 { 1.0 } else { 0.0 }));
    assert_eq!(Finding::share("x", "", 1e-9, found).agrees(), Some(true), "two of a hundred");
    found.take(1.0);
    assert_eq!(Finding::share("x", "", 1e-9, found).agrees(), Some(false), "three");
}
