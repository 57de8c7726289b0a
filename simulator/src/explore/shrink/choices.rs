//! Fewer of the adversary's choices, and simpler ones.

use super::people;
use crate::{
    Scenario,
    adversary::{Adversary, Choice, Crash, Place, SCRIPT, Withhold},
};
use consensus::byzantine::script::{Line, Word};
use ledger::ReplicaId;
use std::collections::BTreeSet;

/// The lie of whoever says nothing at all.
const SILENT: &str = "silent";

/// What some choices have in common.
type Sort = fn(&Choice) -> (u64, &str, u32);

/// The scenario with other choices.
fn with(scenario: &Scenario, choices: Vec<Choice>) -> Scenario {
    Scenario { adversary: Adversary { choices }, ..scenario.clone() }
}

fn atoms(scenario: &Scenario) -> Vec<Choice> {
    scenario.adversary.atoms().choices
}

/// Leaves out all choices of one sort: those of a round, those about a kind of message, those that one
/// replica makes necessary.
pub(super) fn without_a_sort(scenario: &Scenario) -> Vec<Scenario> {
    let all = atoms(scenario);
    let sorts: [Sort; 6] = [
        |choice| (place(choice).0.0, "", 0),
        |choice| (place(choice).0.1, "", 0),
        |choice| (place(choice).0.1, place(choice).1, 0),
        |choice| (0, place(choice).1, 0),
        |choice| (0, "", people(choice).0),
        |choice| (0, "", people(choice).1),
    ];
    let mut candidates = Vec::new();
    for sort in sorts {
        let values: BTreeSet<_> = all.iter().map(sort).collect();
        // The last rounds are the likeliest not to matter.
        candidates.extend(values.into_iter().rev().map(|value| {
            with(scenario, all.iter().filter(|each| sort(each) != value).cloned().collect())
        }));
    }
    candidates
}

/// Where a choice belongs: height, round and kind.
fn place(choice: &Choice) -> ((u64, u64), &str) {
    let Place { kind, height, round } = match choice {
        Choice::Withhold(withhold) => &withhold.what,
        Choice::Crash(crash) => &crash.after,
        Choice::Say { line, .. } => return ((line.height, line.round), &line.kind),
    };
    ((*height, *round), kind)
}

/// Who does something, and whom it concerns first.
fn people(choice: &Choice) -> (u32, u32) {
    let first = |ids: &BTreeSet<ReplicaId>| ids.first().map_or(u32::MAX, |id| id.0);
    match choice {
        Choice::Withhold(withhold) => (first(&withhold.from), first(&withhold.to)),
        Choice::Crash(crash) => (crash.replica.0, crash.replica.0),
        Choice::Say { by, line } => (by.0, line.to.first().map_or(u32::MAX, |id| id.0)),
    }
}

/// Leaves out so many at a time.
pub(super) fn without_chunks(scenario: &Scenario, size: usize) -> Vec<Scenario> {
    let all = atoms(scenario);
    let starts = (0..all.len()).step_by(size.max(1));
    let rest = |start: usize| {
        let end = (start + size).min(all.len());
        [&all[..start], &all[end..]].concat()
    };
    starts.map(|start| with(scenario, rest(start))).collect()
}

/// Leaves out one at a time.
pub(super) fn without_one(scenario: &Scenario) -> Vec<Scenario> {
    without_chunks(scenario, 1)
}

/// Leaves out two at a time.
pub(super) fn without_two(scenario: &Scenario) -> Vec<Scenario> {
    let all = atoms(scenario);
    let pairs = (0..all.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
    let rest = |(one, other): (usize, usize)| {
        let left = all.iter().enumerate().filter(|(at, _)| *at != one && *at != other);
        left.map(|(_, choice)| choice.clone()).collect()
    };
    pairs.map(|pair| with(scenario, rest(pair))).collect()
}

/// Puts many as one: a liar whose message is kept from many might as well say something else, and a
/// replica that is not heard might as well be one that says nothing ever.
pub(super) fn as_one(scenario: &Scenario) -> Vec<Scenario> {
    let all = atoms(scenario);
    let may_lie = scenario.byzantine.len() < super::super::faulty(scenario.replicas) as usize;
    let mut candidates = Vec::new();
    for id in (0..scenario.replicas).map(ReplicaId) {
        let lie = scenario.byzantine.get(&id);
        let (own, others): (Vec<_>, Vec<_>) =
            all.iter().cloned().partition(|choice| is_of(id, choice));
        if own.is_empty() || (lie.is_none() && !may_lie) {
            continue;
        }
        let mut silent = with(scenario, others);
        silent.byzantine.insert(id, SILENT.to_owned());
        candidates.push(silent);
        if lie.is_some_and(|lie| lie == SCRIPT) {
            let places: BTreeSet<_> = own.iter().map(place).collect();
            for place in places {
                candidates.extend(said_at(id, place, &all).map(|all| with(scenario, all)));
            }
        }
    }
    candidates
}

/// Whether somebody's message is withheld, or somebody says something or crashes.
fn is_of(id: ReplicaId, choice: &Choice) -> bool {
    match choice {
        Choice::Withhold(withhold) => withhold.from.contains(&id),
        Choice::Say { by, .. } => *by == id,
        Choice::Crash(crash) => crash.replica == id,
    }
}

/// Everything that a liar says at a place, or that is kept from others of it, is one thing that it says
/// to everybody.
fn said_at(
    liar: ReplicaId,
    at: ((u64, u64), &str),
    all: &[Choice],
) -> impl Iterator<Item = Vec<Choice>> {
    let is_there = |choice: &&Choice| is_of(liar, choice) && place(choice) == at;
    let before: Vec<_> = all.iter().take_while(|choice| !is_there(choice)).cloned().collect();
    let after = all.iter().skip(before.len()).filter(|choice| !is_there(choice));
    let after: Vec<_> = after.cloned().collect();
    let ((height, round), kind) = (at.0, at.1.to_owned());
    // What is kept back may also be said a round late.
    let late = [1, 2].map(|later| (Word::Of(round), Some(round.saturating_add(later))));
    let lies = [Word::Nil, Word::Mine(1), Word::Mine(2)].map(|value| (value, None));
    lies.into_iter().chain(late).map(move |(value, when)| {
        let line = Line { kind: kind.clone(), height, round, value, when, ..Line::default() };
        [&before[..], &[Choice::Say { by: liar, line }], &after[..]].concat()
    })
}

/// Says one thing more simply.
pub(super) fn simpler(scenario: &Scenario) -> Vec<Scenario> {
    let all = atoms(scenario);
    let mut candidates = Vec::new();
    for (at, choice) in all.iter().enumerate() {
        for simple in simpler_choices(choice) {
            let mut choices = all.clone();
            choices[at] = simple;
            candidates.push(with(scenario, choices));
        }
    }
    candidates
}

fn simpler_choices(choice: &Choice) -> Vec<Choice> {
    match choice {
        Choice::Withhold(withhold) => {
            let always = Withhold { until: None, ..withhold.clone() };
            Vec::from_iter(withhold.until.map(|_| Choice::Withhold(always)))
        }
        Choice::Crash(_) => Vec::new(),
        Choice::Say { by, line } => {
            simpler_lines(line).into_iter().map(|line| Choice::Say { by: *by, line }).collect()
        }
    }
}

fn simpler_lines(line: &Line) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut push = |change: &dyn Fn(&mut Line)| {
        let mut simple = line.clone();
        change(&mut simple);
        lines.push(simple);
    };
    push(&|line| line.proof = None);
    push(&|line| line.when = None);
    push(&|line| line.claims.clear());
    for at in 0..line.claims.len() {
        push(&|line| {
            line.claims.remove(at);
        });
        push(&|line| line.claims[at].view = line.round);
        push(&|line| line.claims[at].view /= 2);
        push(&|line| line.claims[at].view = line.claims[at].view.saturating_sub(1));
        push(&|line| line.claims[at].value = Word::Nil);
        push(&|line| line.claims[at].value = Word::Mine(1));
    }
    push(&|line| line.names.clear());
    for at in 0..line.names.len() {
        push(&|line| {
            line.names.remove(at);
        });
    }
    push(&|line| line.to.clear());
    // Nobody named is everybody.
    for at in 0..if line.to.len() > 1 { line.to.len() } else { 0 } {
        push(&|line| {
            line.to.remove(at);
        });
    }
    push(&|line| line.value = Word::Nil);
    push(&|line| line.value = Word::Mine(1));
    push(&|line| line.round /= 2);
    push(&|line| line.round = line.round.saturating_sub(1));
    lines
}

/// Tells the same story one round or one height earlier, from some round or height on.
pub(super) fn with_lower_places(scenario: &Scenario) -> Vec<Scenario> {
    let all = atoms(scenario);
    let rounds: BTreeSet<_> = all.iter().map(|choice| place(choice).0.1).collect();
    let heights: BTreeSet<_> = all.iter().map(|choice| place(choice).0.0).collect();
    let earlier = |by: &dyn Fn(&mut Moved<'_>)| {
        let mut choices = all.clone();
        choices.iter_mut().for_each(|choice| move_each(choice, by));
        with(scenario, choices)
    };
    let lower = |number: &mut u64, from: u64| {
        *number -= u64::from(*number >= from);
    };
    let by_round = rounds.into_iter().filter(|round| *round > 0).map(|from| {
        earlier(&|moved| {
            if let Moved::Round(round) = moved {
                lower(round, from);
            }
        })
    });
    // The first height is one; zero is where slots have none.
    let by_height = heights.into_iter().filter(|height| *height > 1).map(|from| {
        earlier(&|moved| {
            if let Moved::Height(height) = moved {
                lower(height, from);
            }
        })
    });
    by_round.chain(by_height).collect()
}

/// Leaves out what happens in the first round, and tells the rest a round earlier: whoever leads a round
/// then has led the next one so far.
pub(super) fn a_turn_earlier(scenario: &Scenario) -> Vec<Scenario> {
    // Where slots have no height, nothing is said of round zero.
    let is_later = |choice: &Choice| {
        let ((height, round), _) = place(choice);
        round > u64::from(height == 0)
    };
    let mut choices = atoms(scenario);
    choices.retain(is_later);
    for choice in &mut choices {
        move_each(choice, &|moved| {
            if let Moved::Round(round) = moved {
                **round = round.saturating_sub(1);
            }
        });
    }
    people::turned(&with(scenario, choices)).into_iter().collect()
}

/// A number in a choice.
enum Moved<'a> {
    Height(&'a mut u64),
    Round(&'a mut u64),
}

fn move_each(choice: &mut Choice, by: &dyn Fn(&mut Moved<'_>)) {
    let slot = |height, round| {
        by(&mut Moved::Height(height));
        by(&mut Moved::Round(round));
    };
    match choice {
        Choice::Withhold(Withhold { what: Place { height, round, .. }, .. })
        | Choice::Crash(Crash { after: Place { height, round, .. }, .. }) => slot(height, round),
        Choice::Say { line, .. } => {
            slot(&mut line.height, &mut line.round);
            let numbers = line.proof.iter_mut().chain(&mut line.when);
            numbers.for_each(|round| by(&mut Moved::Round(round)));
            for claim in &mut line.claims {
                slot(&mut claim.sequence, &mut claim.view);
            }
            let values = line.claims.iter_mut().map(|claim| &mut claim.value);
            for value in values.chain([&mut line.value]) {
                if let Word::Of(round) = value {
                    by(&mut Moved::Round(round));
                }
            }
        }
    }
}
