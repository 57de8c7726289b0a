//! What crashed leaders cost.

use super::{
    BadValue, Experiment, Finding, Lab, Moments, Parameter, Range, Sample, Value, Values,
    placements::{drawn, way, ways},
    voting::{About, Bench, CONSENSUS, REPLICAS, ids, seed_of},
};
use crate::Fault;
use ledger::{Genesis, ReplicaId};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The lab.
pub(super) const LAB: Lab = Lab {
    name: "leader-failure",
    about: "how many leaders in a row are dead if some replicas are, and how long that takes",
    papers: &[
        "Feller, \"An Introduction to Probability Theory and Its Applications I\", 1968, II.6: the first of some that are drawn without return",
        "Buchman, Kwon, Milosevic, \"The latest gossip on BFT consensus\", arXiv 1807.04938, 2018, algorithm 1: timeouts",
        "Castro, Liskov, \"Practical Byzantine Fault Tolerance\", OSDI 1999, section 4.4: timeouts",
    ],
    parameters: &[
        CONSENSUS,
        REPLICAS,
        Parameter {
            name: "faulty",
            about: "how many of them are down from the beginning: f, at most a third",
            range: Range::Whole(0, 33),
            usual: Value::Whole(2),
        },
    ],
    over: "faulty",
    trials: "placements of those who are down (all there are, if no more)",
    usual: 200,
    prepare,
};

/// How long a message takes.
const DELAY: Duration = Duration::from_millis(50);

/// How many placements make a job.
const IN_A_JOB: u64 = 4;

/// Figures of how many dead leaders are told, by that number.
const AT_LEAST: [&str; 5] = ["at_least_0", "at_least_1", "at_least_2", "at_least_3", "at_least_4"];
const LATENCY: [&str; 5] = ["latency_0", "latency_1", "latency_2", "latency_3", "latency_4"];

#[derive(Debug)]
struct Leaders {
    bench: Bench,
    genesis: Genesis,
    latency: fn(&Genesis, u32, Duration) -> Duration,
    faulty: u32,
}

fn prepare(values: &Values) -> Result<Box<dyn Experiment>, BadValue> {
    let bench = Bench::new(values)?;
    let Some(latency) = bench.theory.dead_leaders else {
        let reason = "nobody leads there; choose a module that votes".to_owned();
        return Err(BadValue { name: "consensus", value: bench.module.into(), reason });
    };
    let (faulty, most) = (values.whole("faulty"), (bench.replicas - 1) / 3);
    if faulty > u64::from(most) {
        let reason = format!("{} replicas decide with at most {most} down", bench.replicas);
        return Err(BadValue { name: "faulty", value: faulty.to_string(), reason });
    }
    let genesis = bench.setup(0, DELAY).genesis();
    Ok(Box::new(Leaders { bench, genesis, latency, faulty: faulty as u32 }))
}

impl Leaders {
    fn ways(&self) -> u64 {
        ways(self.bench.replicas, self.faulty)
    }

    /// Who is down in one placement.
    fn down(&self, seed: u64, trials: u64, number: u64) -> Vec<ReplicaId> {
        let replicas = self.bench.replicas;
        match self.ways() <= trials {
            true => {
                let all: Vec<_> = ids(replicas).collect();
                way(&all, self.faulty, number).into_iter().collect()
            }
            false => drawn(replicas, self.faulty, seed, number),
        }
    }

    /// C(n-k,f-k)/C(n,f): the first k of f that are drawn are down.
    fn at_least(&self, dead: u32) -> f64 {
        let [n, f] = [self.bench.replicas, self.faulty].map(f64::from);
        (0..dead).map(|drawn| ((f - f64::from(drawn)) / (n - f64::from(drawn))).max(0.0)).product()
    }

    fn exactly(&self, dead: u32) -> f64 {
        self.at_least(dead) - self.at_least(dead + 1)
    }

    fn seconds(&self, dead: u32) -> f64 {
        (self.latency)(&self.genesis, dead, DELAY).as_secs_f64()
    }

    /// Standard deviation of a figure of the number of dead leaders.
    fn deviation(&self, figure: impl Fn(u32) -> f64) -> f64 {
        let all = || (0..=self.faulty).map(|dead| (self.exactly(dead), figure(dead)));
        let mean: f64 = all().map(|(chance, value)| chance * value).sum();
        all().map(|(chance, value)| chance * (value - mean).powi(2)).sum::<f64>().sqrt()
    }
}

impl Leaders {
    /// The mean over all placements. That of some is not compared: where timeouts double, a few
    /// rare placements make up most of it, and no number of trials is great.
    fn mean_latency(&self, theory: f64, measured: Moments, is_all: bool) -> Finding {
        let name = "latency";
        match is_all {
            true => {
                let about = "seconds to the first decision, in the mean";
                Finding::mean(name, about, (theory, 0.0), measured)
            }
            false => Finding {
                name,
                about: "seconds to the first decision, in the mean of all placements: too many to try",
                theory: Some(theory),
                measured: None,
                tolerance: 0.0,
            },
        }
    }
}

impl Experiment for Leaders {
    fn jobs(&self, trials: u64) -> u64 {
        self.ways().min(trials).div_ceil(IN_A_JOB)
    }

    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample {
        let mut sample = Sample::new();
        let mut take = |name, value| sample.entry(name).or_default().take(value);
        let end = ((job + 1) * IN_A_JOB).min(self.ways()).min(trials);
        for number in job * IN_A_JOB..end {
            let mut setup = self.bench.setup(seed_of(seed, number), DELAY);
            for id in self.down(seed, trials, number) {
                setup.schedule = setup.schedule.at(Duration::ZERO, Fault::Crash(id));
            }
            let sight = self.bench.watch(setup, 1);
            let (_, round) = sight.said[&About::Height(1)].proposed.expect("it was proposed");
            let dead = u32::try_from(round).expect("there are not that many");
            let latency = sight.decided[&1].as_secs_f64();
            take("dead", f64::from(dead));
            take("latency", latency);
            for (least, name) in (0..).zip(AT_LEAST) {
                take(name, if dead >= least { 1.0 } else { 0.0 });
            }
            if let Some(name) = LATENCY.get(dead as usize) {
                take(name, latency);
            }
        }
        sample
    }

    fn findings(&self, samples: &[Sample]) -> Vec<Finding> {
        let of = |name| Moments::of(samples, name);
        let [n, f] = [self.bench.replicas, self.faulty].map(f64::from);
        // Where every placement was tried nothing is left to chance.
        let is_all = of("dead").count == self.ways();
        let spread = |deviation: f64| if is_all { 0.0 } else { deviation };
        let dead = (f / (n - f + 1.0), spread(self.deviation(f64::from)));
        let dead = Finding::mean("dead", "dead leaders in a row, in the mean", dead, of("dead"));
        let mut findings =
            vec![if is_all { dead } else { dead.with_two_rare_ones(1.0, of("dead").count) }];
        for (least, name) in (0..=self.faulty).zip(AT_LEAST).skip(1) {
            let chance = self.at_least(least);
            let found = of(name);
            let about = "chance of so many or more";
            findings.push(match is_all {
                true => Finding::mean(name, about, (chance, 0.0), found),
                false => Finding::share(name, about, chance, found),
            });
        }
        let mean: f64 = (0..=self.faulty).map(|dead| self.exactly(dead) * self.seconds(dead)).sum();
        findings.push(self.mean_latency(mean, of("latency"), is_all));
        for (dead, name) in (0..=self.faulty).zip(LATENCY) {
            let about = "seconds, with so many dead leaders in a row";
            findings.push(Finding::mean(name, about, (self.seconds(dead), 0.0), of(name)));
        }
        let independent = Some(f / (n - f));
        findings.push(Finding {
            name: "dead_if_drawn",
            about: "f/(n-f): if each leader were drawn by itself",
            theory: independent,
            measured: None,
            tolerance: 0.0,
        });
        findings
    }
}
