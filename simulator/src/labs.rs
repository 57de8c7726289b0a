//! The classical numbers, out of the modules themselves: theory beside measurement.
//!
//! A [`Lab`] has parameters, a formula of the literature and an experiment. The experiment runs the
//! modules in a pretend world and never looks at the formula; [`Finding`]s set one beside the other.
//! An experiment falls into jobs, each of which follows from the seed and its number alone, so
//! whoever has several cores may run them in any order.

mod chance;
mod double_spend;
mod ethereum;
mod ethereum_leak;
mod finding;
mod forks;
mod gossip;
mod hash_rate;
mod hops;
mod leaders;
mod leak;
mod leak_partition;
mod messages;
mod miners;
mod parameter;
mod placements;
mod proposers;
mod quorums;
mod retarget;
mod selfish;
mod two_branches;
mod voting;

pub use finding::{Finding, Moments, Sample};
pub use parameter::{BadValue, Numbers, Parameter, Part, Range, Value, Values};

use std::fmt::Debug;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;

/// Everything that can be reproduced, in the order in which people want to read of it.
pub fn all() -> &'static [Lab] {
    const ALL: &[Lab] = &[
        double_spend::LAB,
        selfish::LAB,
        forks::LAB,
        retarget::LAB,
        hash_rate::LAB,
        messages::LAB,
        hops::LAB,
        quorums::LAB,
        leaders::LAB,
        proposers::LAB,
        gossip::LAB,
        leak::LAB,
        leak_partition::LAB,
        ethereum_leak::LAB,
        two_branches::LAB,
    ];
    ALL
}

/// What a formula says, and how to find out whether it is so.
#[derive(Debug)]
pub struct Lab {
    /// As it is asked for: `double-spend`.
    pub name: &'static str,
    /// The question it answers, in a line.
    pub about: &'static str,
    /// Where the formula comes from: authors, title, year, section.
    pub papers: &'static [&'static str],
    /// What may be chosen.
    pub parameters: &'static [Parameter],
    /// The parameter over whose range a plot goes.
    pub over: &'static str,
    /// What a trial is, in the plural: `races`.
    pub trials: &'static str,
    /// How many of them, if nobody says; enough for an answer within seconds.
    pub usual: u64,
    /// Makes the experiment for values that are each in its range; an error if they do not go together.
    pub prepare: fn(&Values) -> Result<Box<dyn Experiment>, BadValue>,
}

/// One point of a lab's range.
pub trait Experiment: Debug + Send + Sync {
    /// Into how many independent jobs so many trials fall. At least one; the same on every machine.
    fn jobs(&self, trials: u64) -> u64;

    /// Does one of so many jobs. It follows from the seed, the trials and the job's number alone.
    fn run(&self, seed: u64, trials: u64, job: u64) -> Sample;

    /// What all jobs, in order, say of the theory. With no samples: what the theory says by itself.
    fn findings(&self, samples: &[Sample]) -> Vec<Finding>;

    /// What theory says that is no figure, by its name: a sequence, say. Nothing if nobody says otherwise.
    fn words(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// How many trials are in each job, if none has more than `most`. At least one job.
fn slices(trials: u64, most: u64) -> impl Iterator<Item = u64> {
    let jobs = trials.div_ceil(most).max(1);
    (0..jobs).map(move |job| most.min(trials - job * most))
}
