//! Schedules that go by the protocol's rounds: what papers write as "in round 0 all precommit v, and only
//! A hears three; in round 1 Z proposes w".

use super::{Dice, faulty};
use crate::{
    Scenario,
    adversary::{Choice, Crash, Place, SCRIPT, Withhold},
};
use consensus::byzantine::script::{Claim, Line, Part, Sort, Word};
use ledger::ReplicaId;
use std::{collections::BTreeSet, time::Duration};

mod lone;

/// How many rounds a schedule goes through at most.
const ROUNDS: u64 = 5;

/// A round that nobody reaches by waiting.
const FAR: u64 = 1_000_000;

/// A liar that is down so long stays down.
const FAR_DOWN: Duration = Duration::from_secs(3600);

/// How long an idle chain pauses, where it does.
const PAUSE: Duration = Duration::from_secs(1);

type Ids = BTreeSet<ReplicaId>;

/// Makes up what an adversary chooses. `free` is whether the number of replicas may be chosen, too.
pub(super) fn vary(scenario: &mut Scenario, parts: &[Part], free: bool, dice: &mut Dice) {
    if free {
        scenario.replicas = [4, 5, 6, 7][dice.weighed(&[84, 7, 7, 2])];
        // An idle chain that pauses leaves time for something else.
        if dice.chance(20) {
            scenario.block_time = PAUSE;
        }
    }
    let all: Vec<_> = (0..scenario.replicas).map(ReplicaId).collect();
    let liars = match dice.chance(85) {
        true => dice.sample(&all, faulty(scenario.replicas) as usize),
        false => Ids::new(),
    };
    let honest = all.iter().copied().filter(|id| !liars.contains(id)).collect();
    scenario.byzantine = liars.iter().map(|id| (*id, SCRIPT.to_owned())).collect();
    let mut play = Play { parts, honest, liars, height: 1, bound: 0, choices: Vec::new() };
    let rounds = match dice.chance(60) {
        true => play.lone_decision(dice),
        false => {
            let rounds = 1 + dice.below(ROUNDS);
            (0..rounds).for_each(|round| play.round(round, dice));
            rounds
        }
    };
    if dice.chance(15) {
        play.height = 2;
        play.round(0, dice);
    }
    play.extras(rounds, dice);
    scenario.adversary.choices = play.choices;
}

/// Who takes part, and what is chosen so far.
struct Play<'a> {
    parts: &'a [Part],
    honest: Ids,
    liars: Ids,
    height: u64,
    /// In how many rounds, from the first, somebody may have been bound to a value.
    bound: u64,
    choices: Vec<Choice>,
}

impl Play<'_> {
    /// What goes wrong with the network in a round, and what the liars do in it.
    fn round(&mut self, round: u64, dice: &mut Dice) {
        self.disturb(round, dice);
        self.lies(round, [27, 18, 10, 15, 25, 5], dice);
    }

    /// What every liar does in a round. The weights are those of honesty, silence, silence towards some,
    /// two faces, an attack, and saying two things to everybody.
    fn lies(&mut self, round: u64, weights: [u64; 6], dice: &mut Dice) {
        let left = dice.some(self.honest.clone(), 50);
        let right: Ids = self.honest.difference(&left).copied().collect();
        for liar in self.liars.clone() {
            self.lie(liar, round, [&left, &right], weights, dice);
        }
    }

    /// What goes wrong with the network in a round.
    fn disturb(&mut self, round: u64, dice: &mut Dice) {
        let left = dice.some(self.honest.clone(), 50);
        let right: Ids = self.honest.difference(&left).copied().collect();
        let honest: Vec<_> = self.honest.iter().copied().collect();
        match dice.weighed(&[30, 18, 27, 10, 15]) {
            0 => {}
            1 => self.split(round, &left, &right, |_| true),
            2 => {
                // Few hear what is said last, and go on by it.
                let votes = self.of(|part| part.sort == Sort::Vote);
                let kind = *dice.pick(&votes);
                let many = 1 + dice.below(2) as usize;
                let favoured = dice.sample(&honest, many);
                let others = self.honest.difference(&favoured).copied().collect();
                let from = match dice.chance(60) {
                    true => self.everybody(),
                    false => dice.some(self.everybody(), 70),
                };
                self.withhold(kind, round, from, others);
            }
            3 => {
                let kind = *dice.pick(self.parts);
                let to = dice.sample(&honest, 1);
                self.withhold(kind, round, self.everybody(), to);
            }
            _ => {
                for part in self.parts {
                    for to in self.honest.clone() {
                        let from = dice.some(self.everybody(), 25);
                        self.withhold(*part, round, from, [to].into());
                    }
                }
            }
        }
    }

    /// What a liar does in a round.
    fn lie(
        &mut self,
        liar: ReplicaId,
        round: u64,
        [left, right]: [&Ids; 2],
        weights: [u64; 6],
        dice: &mut Dice,
    ) {
        let me: Ids = [liar].into();
        match dice.weighed(&weights) {
            0 => {}
            1 => self.parts.iter().for_each(|part| {
                let choice = withheld(part, self.height, round, me.clone(), self.honest.clone());
                self.choices.extend(choice);
            }),
            2 => {
                let votes = self.of(|part| part.sort == Sort::Vote);
                let (part, to) = (*dice.pick(&votes), dice.some(self.honest.clone(), 75));
                let until = dice.chance(40).then(|| dice.milliseconds(100, 2_500));
                let choice = withheld(&part, self.height, round, me, to);
                self.choices.extend(choice.map(|choice| late(choice, until)));
            }
            3 => {
                for (to, value) in [(left, Word::Mine(1)), (right, Word::Mine(2))] {
                    for part in self.of(|part| matches!(part.sort, Sort::Offer | Sort::Vote)) {
                        self.say(liar, part, round, value, to.iter().copied().collect());
                    }
                }
            }
            4 => self.attack(liar, round, dice),
            _ => self.say_two_things(liar, round, dice),
        }
        if round > 0 && dice.chance(30) {
            self.change(liar, round, dice);
        }
    }

    /// A liar offers two values, and votes for both, to some each; who they are may overlap.
    fn say_two_things(&mut self, liar: ReplicaId, round: u64, dice: &mut Dice) {
        let values = [Word::Of(round), Word::Mine(1), Word::Mine(2)];
        let left_out = dice.below(3) as usize;
        for value in values.into_iter().enumerate().filter(|(at, _)| *at != left_out) {
            for part in self.of(|part| matches!(part.sort, Sort::Offer | Sort::Vote)) {
                let share = if part.sort == Sort::Offer { 75 } else { 55 };
                let to: Vec<_> = dice.some(self.honest.clone(), share).into_iter().collect();
                // Nobody named is everybody.
                if !to.is_empty() {
                    self.say(liar, part, round, value.1, to);
                }
            }
        }
    }

    /// A liar pushes one value in a round, by whatever means.
    fn attack(&mut self, liar: ReplicaId, round: u64, dice: &mut Dice) {
        let recent = if dice.chance(70) { self.bound } else { round };
        let earlier = (round > 0).then(|| dice.below(recent.clamp(1, round)));
        let old = if self.bound > 0 { 45 } else { 20 };
        let kind = dice.weighed(&[36, old, 24, 6, 4]);
        let (value, proof) = match (kind, earlier) {
            (1, Some(earlier)) => (Word::Of(earlier), Some(earlier)),
            (2, _) => (Word::Of(round), None), // Whatever it is.
            (3, earlier) => (Word::Mine(1), earlier),
            (4, _) => (Word::Nil, None),
            _ => (Word::Mine(1), None),
        };
        let to: Vec<_> = match dice.chance(75) {
            true => Vec::new(),
            false => dice.some(self.honest.clone(), 60).into_iter().collect(),
        };
        let twice = dice.chance(10);
        let passes_off = dice.chance(10);
        for part in self.of(|part| matches!(part.sort, Sort::Offer | Sort::Vote)) {
            if !dice.chance(92) || (kind == 2 && part.sort == Sort::Offer) {
                continue;
            }
            let mut line = line(part.kind, self.height, round, value, to.clone());
            match part.sort {
                Sort::Offer => line.proof = proof,
                _ if passes_off => {
                    line.names = dice.some(self.honest.clone(), 60).into_iter().collect();
                }
                _ => {}
            }
            for _ in 0..if twice { 2 } else { 1 } {
                self.choices.push(Choice::Say { by: liar, line: line.clone() });
            }
        }
    }

    /// A liar changes rounds by a message of its own.
    fn change(&mut self, liar: ReplicaId, round: u64, dice: &mut Dice) {
        for part in self.of(|part| matches!(part.sort, Sort::Change | Sort::Opening)) {
            if part.sort == Sort::Opening && dice.chance(70) {
                continue;
            }
            let mut line = line(part.kind, 0, round, Word::Nil, Vec::new());
            line.when = dice.chance(50).then(|| dice.below(round));
            let claims = if dice.chance(50) { 0 } else { 1 + dice.below(2) };
            line.claims = (1..=claims)
                .map(|sequence| Claim {
                    sequence,
                    view: if dice.chance(30) { FAR } else { dice.below(round) },
                    value: word(round, dice),
                })
                .collect();
            self.choices.push(Choice::Say { by: liar, line });
        }
    }

    /// What happens once in a while.
    fn extras(&mut self, rounds: u64, dice: &mut Dice) {
        self.height = 1;
        let votes = self.of(|part| part.sort == Sort::Vote);
        if dice.chance(25) {
            for part in self.of(|part| part.sort == Sort::Report) {
                self.withhold(part, 0, self.everybody(), self.honest.clone());
            }
        }
        if dice.chance(15) {
            let all: Vec<_> = self.everybody().into_iter().collect();
            let (replica, vote) = (*dice.pick(&all), *dice.pick(&votes));
            let round = dice.below(rounds);
            self.crash(replica, vote, round, dice);
        }
        for liar in self.liars.clone() {
            if dice.chance(4) {
                let mut line = line(dice.pick(&votes).kind, 1, FAR, Word::Nil, Vec::new());
                line.when = Some(0);
                self.choices.push(Choice::Say { by: liar, line });
            }
            if dice.chance(6) {
                self.height = 2;
                for part in self.of(|part| part.sort == Sort::Offer) {
                    self.say(liar, part, 0, Word::Mine(1), Vec::new());
                }
                self.height = 1;
            }
        }
    }

    fn of(&self, wanted: fn(&Part) -> bool) -> Vec<Part> {
        self.parts.iter().filter(|part| wanted(part)).copied().collect()
    }

    fn everybody(&self) -> Ids {
        self.honest.union(&self.liars).copied().collect()
    }

    fn say(&mut self, by: ReplicaId, part: Part, round: u64, value: Word, to: Vec<ReplicaId>) {
        let line = line(part.kind, self.height, round, value, to);
        self.choices.push(Choice::Say { by, line });
    }

    fn split(&mut self, round: u64, left: &Ids, right: &Ids, which: fn(&Part) -> bool) {
        for part in self.of(which) {
            self.withhold(part, round, left.clone(), right.clone());
            self.withhold(part, round, right.clone(), left.clone());
        }
    }

    fn withhold(&mut self, part: Part, round: u64, from: Ids, to: Ids) {
        self.choices.extend(withheld(&part, self.height, round, from, to));
    }
}

/// Keeps messages of one kind and round from some; none if that would keep nothing from anybody.
pub(super) fn withheld(part: &Part, height: u64, round: u64, from: Ids, to: Ids) -> Option<Choice> {
    let (height, round) = match part.sort {
        Sort::Offer | Sort::Vote => (height, round),
        Sort::Report if round == 0 => (height, 0),
        Sort::Change | Sort::Opening if round > 0 => (0, round),
        _ => return None,
    };
    let is_nothing = to.iter().all(|to| from.iter().all(|from| from == to));
    let what = Place { kind: part.kind.to_owned(), height, round };
    (!is_nothing).then_some(Choice::Withhold(Withhold { what, from, to, until: None }))
}

/// What is withheld until a time.
fn late(choice: Choice, until: Option<Duration>) -> Choice {
    match choice {
        Choice::Withhold(withhold) => Choice::Withhold(Withhold { until, ..withhold }),
        other => other,
    }
}

fn line(kind: &str, height: u64, round: u64, value: Word, to: Vec<ReplicaId>) -> Line {
    Line { kind: kind.to_owned(), height, round, value, to, ..Line::default() }
}

fn word(round: u64, dice: &mut Dice) -> Word {
    match dice.weighed(&[45, 45, 10]) {
        0 => Word::Mine(1),
        1 => Word::Of(dice.below(round + 1)),
        _ => Word::Nil,
    }
}
