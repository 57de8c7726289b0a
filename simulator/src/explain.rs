//! Tells a run in words, for somebody who knows the paper and not this code.
//!
//! A story is made from what a run leaves behind: its trace, the adversary's choices, and what the
//! checker says. What is told begins at the first height at which honest replicas disagree, or at
//! which nobody gets on, and ends with the violation. Values are called V, W, X in the order in which
//! they come up. Messages of one kind in one round are told of together: who said what, who heard it,
//! what came of it.
//!
//! The words for votes fit protocols with rounds or views whose messages are named as in their papers
//! (`words::Grammar`); a protocol whose blocks carry work is told of by its branches (`mined`).
//!
//! The same scenario and variant give the same story, word by word, in every build.

mod ending;
mod facts;
mod mined;
mod opening;
mod remark;
mod rounds;
#[cfg(test)]
mod tests;
mod waiting;
mod words;

use crate::{
    Scenario, Tracing, Variant, World,
    checker::Violation,
    scenario::{self, Outcome, Unmet},
};
use consensus::{Protocol, catalogue::Module};
use facts::Facts;
use ledger::ReplicaId;
use remark::Remark;
use rounds::{Teller, Window};
use std::{collections::BTreeMap, fmt};
use words::{Grammar, Names};

/// A run, told in sentences.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Story {
    /// In order; each begins with a capital and ends with a stop. Some are two or three.
    pub sentences: Vec<String>,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut numbered = self.sentences.iter().enumerate();
        numbered.try_for_each(|(at, sentence)| writeln!(f, "{:>2}. {sentence}", at + 1))
    }
}

/// Runs a scenario's first seed with a variant, and tells what happened.
///
/// # Panics
/// If a replica does, or the scenario cannot be run with this variant.
pub fn explain<P: Module>(scenario: &Scenario, variant: Variant) -> Story {
    let make = move |genesis: &ledger::Genesis| variant.make::<P>(genesis);
    let (name, seed) = (variant.to_string(), scenario.seeds.start);
    let (outcome, world) = scenario::run::<P>(scenario, &name, seed, Tracing::Kept, make);
    let sentences = match Grammar::of::<P::Message>() {
        Some(grammar) => of_votes(scenario, variant, &outcome, &world, grammar),
        None => mined::tell(scenario, variant, &outcome, &world),
    };
    Story { sentences }
}

/// What a run came to, as far as a story is concerned.
#[derive(Clone, Debug)]
enum Outrage {
    /// Different blocks are final at a height.
    Split { height: u64 },
    /// Nobody, or not everybody, gets beyond a height.
    Stuck { height: u64 },
    /// Another promise was broken.
    Other { height: u64, violation: Box<Violation> },
    /// None was.
    Nothing { height: u64 },
}

impl Outrage {
    fn of<P: Protocol>(outcome: &Outcome, world: &World<P>) -> Outrage {
        let disagreement = outcome.broken.iter().filter_map(|violation| match violation {
            Violation::Disagreement { height, .. } | Violation::TakenBack { height, .. } => {
                Some(*height)
            }
            _ => None,
        });
        if let Some(height) = disagreement.min() {
            return Outrage::Split { height };
        }
        let is_late = |unmet: &Unmet| match unmet {
            Unmet::Broken(violation) => matches!(**violation, Violation::Stalled { .. }),
            Unmet::TooLow { .. } => true,
            _ => false,
        };
        let low = outcome.height + 1;
        if outcome.unmet.iter().any(is_late) || (!outcome.live && outcome.broken.is_empty()) {
            return Outrage::Stuck { height: low };
        }
        if let Some(violation) = outcome.broken.first() {
            let height = match violation {
                Violation::Equivocation { slot, .. } => slot.height.max(1),
                _ => 1,
            };
            return Outrage::Other { height, violation: Box::new(violation.clone()) };
        }
        let choices = world.setup().adversary.choices.iter();
        let heights = choices.map(|choice| match choice {
            crate::adversary::Choice::Withhold(withhold) => withhold.what.height,
            crate::adversary::Choice::Say { line, .. } => line.height,
            crate::adversary::Choice::Crash(crash) => crash.after.height,
        });
        Outrage::Nothing { height: heights.filter(|height| *height > 0).min().unwrap_or(1) }
    }

    fn height(&self) -> u64 {
        match self {
            Outrage::Split { height }
            | Outrage::Stuck { height }
            | Outrage::Other { height, .. }
            | Outrage::Nothing { height } => *height,
        }
    }
}

fn of_votes<P: Protocol>(
    scenario: &Scenario,
    variant: Variant,
    outcome: &Outcome,
    world: &World<P>,
    grammar: Grammar,
) -> Vec<String> {
    let facts = Facts::of(world);
    let outrage = Outrage::of(outcome, world);
    let window = window(&facts, &outrage, world, grammar);
    let mut teller = Teller {
        facts: &facts,
        grammar,
        window,
        adversary: &scenario.adversary,
        mutant: variant.mutant,
        is_stuck: matches!(outrage, Outrage::Stuck { .. }),
        names: names(&facts, world),
        sentences: Vec::new(),
    };
    opening::tell(&mut teller.sentences, scenario, variant, &facts, Some(grammar));
    teller.tell();
    match &outrage {
        Outrage::Split { height } => teller.tell_split(*height, outcome, world),
        Outrage::Stuck { height } => teller.tell_waiting(*height, world),
        Outrage::Other { violation, .. } => teller.tell_other(violation),
        Outrage::Nothing { height } => teller.say(&format!(
            "nobody breaks a promise: height {height} is decided by all, and the chain goes on"
        )),
    }
    opening::tell_rule(&mut teller.sentences, variant);
    teller.sentences
}

/// The part of a run that matters.
fn window<P: Protocol>(
    facts: &Facts,
    outrage: &Outrage,
    world: &World<P>,
    grammar: Grammar,
) -> Window {
    let height = outrage.height();
    let remarks = facts.remarks.iter();
    let honest = remarks.filter(|(_, id, _)| !facts.liars.contains(id));
    let numbers = match (grammar.views, outrage) {
        (false, _) => height..=height,
        // As what the slowest has not executed yet.
        (true, Outrage::Stuck { .. }) => {
            let mut done: BTreeMap<ReplicaId, u64> = facts.honest().map(|id| (id, 0)).collect();
            for (_, id, remark) in honest.clone() {
                if let Remark::Execute { number, .. } | Remark::Null { number, .. } = remark {
                    done.insert(*id, *number);
                }
            }
            let first = done.values().min().copied().unwrap_or(0) + 1;
            first..=first + 3
        }
        (true, _) => {
            let numbers = honest.clone().filter_map(|(_, _, remark)| match remark {
                Remark::Execute { number, height: at, .. } if *at == height => Some(*number),
                _ => None,
            });
            let all: Vec<u64> = numbers.collect();
            let first = all.iter().min().copied().unwrap_or(height);
            first..=all.iter().max().copied().unwrap_or(first)
        }
    };
    let said = facts.messages.iter().filter(|each| numbers.contains(&each.slot.height));
    let from = said.filter_map(|each| each.first()).min().unwrap_or(0);
    let end = match outrage {
        Outrage::Split { height } => split_at(facts, world, *height),
        Outrage::Nothing { height } => all_at(facts, world, *height),
        _ => None,
    };
    let last = facts.times.len().saturating_sub(1);
    let to = end.map_or(last, |at| facts.moment(at + SLACK).min(last));
    // The faults in force when it begins are told, too.
    Window { from, to, numbers }
}

/// Those who decide together do so within moments of one another.
const SLACK: std::time::Duration = std::time::Duration::from_millis(10);

/// When it first was seen that two honest replicas hold different blocks.
fn split_at<P: Protocol>(
    facts: &Facts,
    world: &World<P>,
    height: u64,
) -> Option<std::time::Duration> {
    let commits = finals(facts, world, height);
    let (first, ..) = commits.first()?;
    commits.iter().find(|(block, ..)| block != first).map(|(_, at, _)| *at)
}

/// When all honest replicas held a height.
fn all_at<P: Protocol>(
    facts: &Facts,
    world: &World<P>,
    height: u64,
) -> Option<std::time::Duration> {
    finals(facts, world, height).last().map(|(_, at, _)| *at)
}

/// Who held which block final at a height, by rising time.
fn finals<P: Protocol>(
    facts: &Facts,
    world: &World<P>,
    height: u64,
) -> Vec<(ledger::BlockHash, std::time::Duration, ReplicaId)> {
    let mut found = Vec::new();
    for id in facts.honest() {
        let commits = world.record().history(id).iter().filter_map(|each| each.commit());
        let commits = commits.filter(|commit| commit.height == height);
        found.extend(commits.map(|commit| (commit.block, commit.at, id)));
    }
    found.sort_by_key(|(_, at, id)| (*at, *id));
    found
}

/// Blocks that came of batches are called like those.
fn names<P: Protocol>(facts: &Facts, world: &World<P>) -> Names {
    let mut names = Names::default();
    for (_, id, remark) in &facts.remarks {
        if let Remark::Execute { height, value, .. } = remark
            && let Some(block) = world.decided(*id).get(height)
        {
            names.alias(block.short(), value.clone());
        }
    }
    names
}
