//! What is less than what: a shrinker only ever goes down.

use crate::{
    Latency, Scenario,
    adversary::{Choice, Crash, Withhold},
    delay::Delay,
    topology::Topology,
};
use consensus::byzantine::script::{Claim, Line, Word};
use std::time::Duration;

/// Compared in this order: faults, replicas, liars, other things to know, details, and time.
pub(super) type Cost = (usize, u32, usize, usize, u64, Duration, Duration);

/// How much there is to read.
pub(super) fn cost(scenario: &Scenario) -> Cost {
    let Scenario { replicas, stakes, byzantine, faces, catch_up, until, .. } = scenario;
    let things = [
        scenario.transfers_per_second > 0.0,
        !stakes.is_empty(),
        scenario.topology != Topology::Mesh,
        faces.is_some(),
        !matches!(scenario.network.latency, Latency::Everywhere(Delay::Constant(_))),
    ];
    let things = things.into_iter().filter(|is| *is).count();
    let atoms = scenario.adversary.atoms();
    let details = sum(atoms.choices.iter().map(detail));
    let (late, until) = (catch_up.unwrap_or_default(), *until);
    (scenario.faults(), *replicas, byzantine.len(), things, details, until, late)
}

fn detail(choice: &Choice) -> u64 {
    match choice {
        Choice::Withhold(Withhold { what, until, .. }) => {
            sum([what.height, what.round, until.is_some().into()])
        }
        Choice::Crash(Crash { after, .. }) => sum([after.height, after.round]),
        Choice::Say { line, .. } => of_line(line),
    }
}

fn of_line(line: &Line) -> u64 {
    let Line { height, round, value, proof, claims, names, to, when, .. } = line;
    let claim =
        |Claim { sequence, view, value }: &Claim| sum([1, *sequence, *view, of_word(*value)]);
    let claims = sum(claims.iter().map(claim));
    let optional = |number: &Option<u64>| number.map_or(0, |number| number.saturating_add(1));
    let people = (names.len() + to.len()) as u64;
    let numbers = [*height, *round, of_word(*value), claims, people];
    sum(numbers.into_iter().chain([optional(proof), optional(when)]))
}

fn of_word(word: Word) -> u64 {
    match word {
        Word::Nil => 0,
        Word::Mine(number) => number.into(),
        Word::Of(round) => round.saturating_add(1),
    }
}

fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}
