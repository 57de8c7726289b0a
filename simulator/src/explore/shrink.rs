//! Makes a schedule smaller as long as it still breaks what it broke: what is left is what it takes.
//!
//! The way is that of delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating
//! Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002): leave out halves, then
//! quarters, then one thing at a time, until nothing can be left out alone. Besides, replicas are taken
//! away, many choices are put as one, and what is left is said more simply.
//!
//! Everything follows from the order in which candidates are tried. Whoever tries them may do so on as
//! many threads as there are.

mod choices;
mod cost;
mod people;
#[cfg(test)]
mod tests;
mod world;

use crate::Scenario;
use cost::cost;

/// How many candidates are tried at a time.
const BATCH: usize = 32;

/// Up to how many choices two are left out at a time, when none can be left out alone.
const PAIRS: usize = 24;

/// Asks which of some scenarios is the first that still shows what is to be shown; none if none does.
pub type IsBroken<'a> = &'a mut dyn FnMut(&[Scenario]) -> Option<usize>;

/// The least that is still broken, as far as leaving out and simplifying lead. `is_broken` gets candidates
/// in batches and says which is the first that still is. It is never asked of `scenario` itself, and if it
/// says no to everything, that is what comes back, in other words at most.
///
/// What comes back has never more [`faults`](Scenario::faults), and can be written to a file and read
/// again, unless `scenario` itself could not be and nothing less is broken.
pub fn shrink(scenario: Scenario, is_broken: IsBroken<'_>) -> Scenario {
    let best = readable(&scenario).unwrap_or(scenario);
    let mut shrinker = Shrinker { best, is_broken };
    loop {
        let before = cost(&shrinker.best);
        shrinker.pass();
        if cost(&shrinker.best) == before {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a> {
    /// The least so far.
    best: Scenario,
    is_broken: IsBroken<'a>,
}

impl Shrinker<'_> {
    /// Every stage once, the coarse ones first.
    fn pass(&mut self) {
        self.repeat(world::without_standing);
        self.repeat(people::with_fewer);
        self.repeat(choices::without_a_sort);
        let mut size = self.best.adversary.len() / 2;
        while size > 1 {
            self.repeat(|scenario| choices::without_chunks(scenario, size));
            size = (size / 2).min(self.best.adversary.len() / 2);
        }
        self.repeat(choices::without_one);
        self.repeat(world::without_one_step);
        self.repeat(choices::as_one);
        if self.best.adversary.len() <= PAIRS {
            self.repeat(choices::without_two);
        }
        self.repeat(choices::simpler);
        self.repeat(choices::with_lower_places);
        self.repeat(choices::a_turn_earlier);
        self.repeat(world::simpler);
    }

    /// One stage until nothing more comes of it. After each success it goes on where it was, since what
    /// failed before will mostly fail again, and looks again from the beginning at the end.
    fn repeat(&mut self, make: impl Fn(&Scenario) -> Vec<Scenario>) {
        let mut from = 0;
        loop {
            match self.first(make(&self.best), from) {
                Some(at) => from = at,
                None if from == 0 => return,
                None => from = 0,
            }
        }
    }

    /// Takes the first candidate from a place on that is less than the best and still broken.
    fn first(&mut self, candidates: Vec<Scenario>, from: usize) -> Option<usize> {
        let least = cost(&self.best);
        let less = candidates.into_iter().enumerate().skip(from).filter_map(|(at, candidate)| {
            let candidate = (cost(&candidate) < least).then(|| readable(&candidate))??;
            Some((at, candidate))
        });
        let mut less = less.peekable();
        while less.peek().is_some() {
            let (places, mut batch): (Vec<_>, Vec<_>) = less.by_ref().take(BATCH).unzip();
            if let Some(found) = (self.is_broken)(&batch) {
                self.best = batch.swap_remove(found);
                return Some(places[found]);
            }
        }
        None
    }
}

/// What a file says of it; none if it is no scenario.
fn readable(scenario: &Scenario) -> Option<Scenario> {
    let mut read = Scenario::parse(&scenario.to_toml("")).ok()?;
    read.adversary = read.adversary.grouped();
    Some(read)
}
