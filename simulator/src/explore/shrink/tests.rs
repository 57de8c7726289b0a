//! What is left is what it takes, and nothing depends on who tries it.

use super::*;
use crate::{
    Adversary,
    adversary::{Choice, Crash, Place, Withhold},
    schedule::{Fault, Schedule},
};
use consensus::byzantine::script::{Line, Word};
use ledger::ReplicaId;
use proptest::{collection::vec, prelude::*};
use std::slice::from_ref;
use std::{collections::BTreeSet, time::Duration};

/// Six replicas of which two lie, and much that is out of order.
fn crowded(choices: Vec<Choice>) -> Scenario {
    let text = "name = \"x\"\nconsensus = \"tendermint\"\nreplicas = 6\ncatch_up = \"4s\"\n\
                byzantine = [{ replicas = [2, 3], lie = \"script\" }, { replica = 5, lie = \"garbage\" }]\n\
                clocks = [{ replica = 1, offset_ms = 300 }]\nload = { transfers_per_second = 1 }\n\
                network = { loss = 0.1, duplication = 0.1 }\nuntil = \"24s\"\n\
                at = [{ time = \"1s\", crash = 1, restart_after = \"1s\" }, { time = \"3s\", heal = true }]";
    let scenario = Scenario::parse(text).expect("it is one");
    Scenario { adversary: Adversary { choices }, ..scenario }
}

fn place(round: u64) -> Place {
    Place { kind: "precommit".to_owned(), height: 1, round }
}

fn withheld(round: u64, from: u32, to: u32) -> Choice {
    let ids = |id| BTreeSet::from([ReplicaId(id)]);
    Choice::Withhold(Withhold { what: place(round), from: ids(from), to: ids(to), until: None })
}

fn said(round: u64, value: Word) -> Choice {
    let line = Line { kind: "prevote".to_owned(), height: 1, round, value, ..Line::default() };
    Choice::Say { by: ReplicaId(3), line }
}

/// Everything withheld from everybody in some rounds, and things said and crashes besides.
fn everything(rounds: u64) -> Vec<Choice> {
    let mut choices = Vec::new();
    for round in 0..rounds {
        for from in 0..6 {
            let others = (0..6).filter(|to| *to != from);
            choices.extend(others.map(|to| withheld(round, from, to)));
        }
        choices.push(said(round, Word::Mine(1)));
        let crash =
            Crash { replica: ReplicaId(0), after: place(round), down: Duration::from_millis(50) };
        choices.push(Choice::Crash(crash));
    }
    choices
}

/// The first of which something is true.
fn first(is: impl Fn(&Scenario) -> bool) -> impl FnMut(&[Scenario]) -> Option<usize> {
    move |batch| batch.iter().position(&is)
}

fn has(scenario: &Scenario, wanted: &[Choice]) -> bool {
    let found = scenario.adversary.atoms().choices;
    wanted.iter().all(|choice| found.contains(choice))
}

#[test]
fn two_choices_among_many_are_found() {
    let wanted = [withheld(2, 1, 0), said(1, Word::Mine(1))];
    let least = shrink(crowded(everything(3)), &mut first(|each| has(each, &wanted)));
    assert_eq!(least.faults(), 2, "{}", least.to_toml(""));
    assert!(has(&least, &wanted));
    assert_eq!((least.replicas, least.byzantine.len(), least.transfers_per_second), (4, 1, 0.0));
    assert_eq!(least.until, Duration::from_secs(1));
    assert_eq!(least.catch_up, Some(Duration::from_millis(100)));
}

#[test]
fn nothing_is_left_out_where_all_of_it_matters() {
    let wanted = everything(1);
    let is_broken = |each: &Scenario| has(each, &wanted);
    let least = shrink(crowded(wanted.clone()), &mut first(is_broken));
    assert_eq!(least.adversary.len(), wanted.len());
    assert_eq!(least.faults(), wanted.len(), "only the choices matter");
}

#[test]
fn what_is_not_broken_stays_as_it_is() {
    let scenario = crowded(everything(1));
    let back = shrink(scenario.clone(), &mut |_| None);
    assert_eq!(back, Scenario { adversary: scenario.adversary.grouped(), ..scenario });
}

#[test]
fn two_that_only_go_together_go_together() {
    let (one, other) = (withheld(0, 0, 1), withheld(1, 1, 0));
    let is_broken = |each: &Scenario| {
        has(each, from_ref(&one)) == has(each, from_ref(&other)) && has(each, &[said(0, Word::Nil)])
    };
    // Apart, so that no chunk has both and little else.
    let choices = [from_ref(&one), &everything(1)[..], &[said(0, Word::Nil), other.clone()]];
    let mut choices = choices.concat();
    choices.retain(|choice| !matches!(choice, Choice::Crash(_)));
    let least = shrink(crowded(choices), &mut first(is_broken));
    assert_eq!(least.faults(), 1, "{}", least.to_toml(""));
}

#[test]
fn a_story_is_told_as_early_as_it_goes() {
    // A crash in the round after one in which something is said.
    let rounds = |scenario: &Scenario| {
        let choices = scenario.adversary.atoms().choices.into_iter();
        let places = choices.filter_map(|choice| match choice {
            Choice::Say { line, .. } => Some((line.round, line.round + 1)),
            Choice::Crash(crash) => Some((crash.after.round, crash.after.round)),
            Choice::Withhold(_) => None,
        });
        places.collect::<Vec<_>>()
    };
    let is_broken = |scenario: &Scenario| {
        let found = rounds(scenario);
        found.iter().any(|(now, then)| now < then && found.contains(&(*then, *then)))
    };
    let late = everything(5).into_iter().skip(2 * 32).collect();
    let least = shrink(crowded(late), &mut first(is_broken));
    assert_eq!(rounds(&least), [(0, 1), (1, 1)], "{}", least.to_toml(""));
}

#[test]
fn values_are_said_simply() {
    let mut line = Line {
        kind: "proposal".to_owned(),
        height: 1,
        round: 1,
        value: Word::Mine(3),
        proof: Some(0),
        to: vec![ReplicaId(0), ReplicaId(1)],
        names: vec![ReplicaId(0)],
        when: Some(0),
        ..Line::default()
    };
    let say = |line: &Line| Choice::Say { by: ReplicaId(3), line: line.clone() };
    let is_said = |scenario: &Scenario| {
        scenario.adversary.choices.iter().any(|choice| {
            matches!(choice, Choice::Say { line, .. } if line.kind == "proposal" && line.value != Word::Nil)
        })
    };
    let least = shrink(crowded(vec![say(&line)]), &mut first(is_said));
    line = Line { kind: line.kind, height: 1, value: Word::Mine(1), ..Line::default() };
    assert_eq!(least.adversary.choices, [say(&line)]);
}

#[test]
fn a_liar_that_is_not_heard_is_silent() {
    let unheard = |scenario: &Scenario| {
        let all = (0..6).filter(|to| *to != 2).map(|to| withheld(0, 2, to));
        let is_silent = scenario.byzantine.get(&ReplicaId(2)).is_some_and(|lie| lie == "silent");
        scenario.replicas == 6 && (is_silent || has(scenario, &all.collect::<Vec<_>>()))
    };
    let least = shrink(crowded(everything(1)), &mut first(unheard));
    assert_eq!(least.faults(), 1, "{}", least.to_toml(""));
    assert_eq!(least.byzantine[&ReplicaId(2)], "silent");
}

#[test]
fn whoever_goes_takes_its_part_of_the_story_along() {
    let choices = vec![withheld(0, 4, 1), withheld(0, 5, 1), said(0, Word::Nil)];
    let mut scenario = crowded(choices);
    scenario.stakes = vec![1, 2, 3, 4, 5, 6];
    let part = Fault::Partition(vec![vec![ReplicaId(4)], vec![ReplicaId(0), ReplicaId(5)]]);
    scenario.steps = Schedule::default().at(Duration::ZERO, part);
    let one_less = people::with_fewer(&scenario);
    let without_four = one_less
        .into_iter()
        .find(|each| each.replicas == 5 && each.stakes == [1, 2, 3, 4, 6])
        .expect("each of them is left out once");
    let wanted = [withheld(0, 4, 1), said(0, Word::Nil)];
    assert_eq!(without_four.adversary.choices, wanted, "five is four now");
    let part = Fault::Partition(vec![vec![ReplicaId(0), ReplicaId(4)]]);
    assert_eq!(without_four.steps.steps()[0].fault, part);
    assert_eq!(without_four.byzantine[&ReplicaId(4)], "garbage");
}

fn some_choices() -> impl Strategy<Value = Vec<Choice>> {
    let each = prop_oneof![
        6 => (0..3_u64, 0..6_u32, 1..6_u32)
            .prop_map(|(round, from, by)| withheld(round, from, (from + by) % 6)),
        1 => (0..3_u64).prop_map(|round| said(round, Word::Mine(1))),
    ];
    vec(each, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever must be in it is all that is left, where more does no harm.
    #[test]
    fn exactly_what_is_needed_is_left(choices in some_choices(), many in 1..6_usize) {
        let mut all = Adversary { choices }.atoms().choices;
        all.sort();
        all.dedup();
        let step = all.len().div_ceil(many);
        let wanted: Vec<_> = all.iter().step_by(step).cloned().collect();
        let least = shrink(crowded(all), &mut first(|each| has(each, &wanted)));
        prop_assert!(has(&least, &wanted));
        prop_assert_eq!(least.faults(), wanted.len());
    }

    /// Whatever is broken, by no rule at all: it ends, it is broken still, and there is never more of it.
    #[test]
    fn it_never_grows_and_never_loses_what_it_shows(choices in some_choices(), salt: u64) {
        let is_broken = |scenario: &Scenario| {
            let text = format!("{salt}{}", scenario.to_toml(""));
            crypto::hash::sha256(text.as_bytes()).to_bytes()[0] < 100
        };
        let scenario = crowded(choices);
        let (mut most, mut asked) = (scenario.faults(), 0);
        let least = shrink(scenario.clone(), &mut |batch: &[Scenario]| {
            asked += batch.len();
            assert!(batch.len() <= BATCH && !batch.is_empty());
            let found = batch.iter().position(is_broken)?;
            assert!(batch[found].faults() <= most);
            most = batch[found].faults();
            Some(found)
        });
        prop_assert!(least.faults() <= scenario.faults());
        prop_assert!(asked == 0 || is_broken(&least) || least.adversary == scenario.adversary.grouped());
        let again = shrink(scenario, &mut first(is_broken));
        prop_assert_eq!(again, least, "nobody draws lots");
    }
}
