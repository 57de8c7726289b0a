//! The shape of most attacks on agreement: some are bound to a value, in a later round one replica decides
//! alone, and the others, who do not know, are led to decide otherwise.
//!
//! Rounds only go on while a quorum speaks. So it does not do to keep votes from somebody: it must hear
//! enough of them, for different values.

use super::{
    super::dice::Dice, Choice, Crash, FAR_DOWN, Ids, Part, Place, Play, Sort, Word, late, line,
    withheld,
};
use consensus::byzantine::script::Line;
use ledger::ReplicaId;

impl Play<'_> {
    /// Returns how many rounds it has.
    pub(super) fn lone_decision(&mut self, dice: &mut Dice) -> u64 {
        let decided = dice.weighed(&[45, 40, 15]) as u64;
        self.bound = decided;
        for round in 0..decided {
            self.bind(round, dice);
        }
        self.decide(decided, dice);
        let rounds = decided + 2 + dice.below(5);
        for round in decided + 1..rounds {
            if dice.chance(15) {
                self.disturb(round, dice);
            }
            match dice.chance(30) {
                true => self.idle(round),
                false => self.lies(round, [32, 5, 2, 4, 54, 3], dice),
            }
        }
        rounds
    }

    /// A round in which some come to be bound to a value, and nobody decides.
    fn bind(&mut self, round: u64, dice: &mut Dice) {
        let [first, _] = self.votes();
        let honest = self.honest();
        match dice.weighed(&[45, 20, 15, 10, 10]) {
            0 => {
                // One does not hear the proposal, and the liars' votes make it a quorum for few.
                let deaf = dice.sample(&honest, 1);
                self.withhold_all(|part| part.sort == Sort::Offer, round, &deaf);
                let bound = self.few(dice);
                let others = self.honest.difference(&bound).copied().collect();
                let until = dice.chance(60).then(|| dice.milliseconds(200, 800));
                let choice = withheld(&first, self.height, round, self.liars.clone(), others);
                self.choices.extend(choice.map(|choice| late(choice, until)));
            }
            1 => {
                let bound = self.few(dice);
                let others = self.honest.difference(&bound).copied().collect();
                self.withhold(first, round, self.everybody(), others);
            }
            2 => {
                let deaf = self.few(dice);
                self.withhold_all(|part| part.sort == Sort::Offer, round, &deaf);
            }
            3 => self.disturb(round, dice),
            _ => {}
        }
        match dice.weighed(&[62, 10, 28]) {
            0 => {}
            1 => self.pass_off(round, dice),
            _ => self.lies(round, [0, 20, 25, 5, 45, 5], dice),
        }
    }

    /// The round in which somebody decides alone, while another may be cut off.
    fn decide(&mut self, round: u64, dice: &mut Dice) {
        let [first, last] = self.votes();
        let lucky = dice.sample(&self.honest(), 1);
        let others: Ids = self.honest.difference(&lucky).copied().collect();
        match dice.weighed(&[55, 20, 25]) {
            0 => {
                // A liar that does not hear it either stays with the others, and votes with them.
                let ignorant: Ids = match dice.chance(60) {
                    true => others.union(&self.liars).copied().collect(),
                    false => others.clone(),
                };
                self.withhold(last, round, lucky.clone(), ignorant);
                for liar in self.liars.clone() {
                    self.say(liar, last, round, Word::Nil, others.iter().copied().collect());
                }
            }
            1 => self.withhold(last, round, self.everybody(), others.clone()),
            _ => {
                let quiet = self.liars.union(&lucky).copied().collect();
                self.withhold(last, round, quiet, others.clone());
            }
        }
        let rest: Vec<_> = others.iter().copied().collect();
        match dice.weighed(&[40, 18, 17, 13, 12]) {
            0 => {}
            1 => {
                let outcast = dice.sample(&rest, 1);
                for part in self.parts {
                    self.withhold(*part, round, self.everybody(), outcast.clone());
                    self.withhold(*part, round, outcast.clone(), self.everybody());
                }
            }
            2 => {
                let unbound = dice.sample(&rest, 1);
                self.withhold_all(|part| part.sort == Sort::Offer, round, &unbound);
            }
            3 => {
                let unbound = dice.some(others, 40);
                self.withhold(first, round, self.everybody(), unbound);
            }
            _ => {
                // Who was bound forgets it, perhaps, and another never was.
                let unbound = dice.sample(&rest, 1);
                self.withhold_all(|part| part.sort == Sort::Offer, round, &unbound);
                let bound: Vec<_> = others.difference(&unbound).copied().collect();
                if let Some(crashing) = bound.first() {
                    self.crash(*crashing, last, round, dice);
                }
            }
        }
        if dice.chance(50) {
            self.withhold_all(|part| part.sort == Sort::Report, 0, &self.honest.clone());
        }
        match dice.weighed(&[54, 12, 8, 26]) {
            0 => {}
            1 => self.crash(*dice.pick(&rest), *dice.pick(&[first, last]), round, dice),
            2 => self.pass_off(round, dice),
            _ => self.lies(round, [0, 0, 5, 22, 23, 50], dice),
        }
    }

    /// The liars keep a round going, and decide nothing.
    fn idle(&mut self, round: u64) {
        for liar in self.liars.clone() {
            for part in self.of(|part| part.sort == Sort::Vote) {
                self.say(liar, part, round, Word::Nil, Vec::new());
            }
        }
    }

    /// A liar shows somebody other signatures than it says.
    fn pass_off(&mut self, round: u64, dice: &mut Dice) {
        let [_, last] = self.votes();
        for by in self.liars.clone() {
            let to = dice.sample(&self.honest(), 1).into_iter().collect();
            let names = self.honest();
            let line = Line { names, ..line(last.kind, self.height, round, Word::Of(round), to) };
            self.choices.push(Choice::Say { by, line });
        }
    }

    /// Somebody loses power right after a vote, for a moment or for good.
    pub(super) fn crash(&mut self, replica: ReplicaId, vote: Part, round: u64, dice: &mut Dice) {
        let after = Place { kind: vote.kind.to_owned(), height: self.height, round };
        let is_liar = self.liars.contains(&replica);
        let down = if is_liar { FAR_DOWN } else { dice.milliseconds(20, 100) };
        self.choices.push(Choice::Crash(Crash { replica, after, down }));
    }

    /// The first and the last kind of votes.
    fn votes(&self) -> [Part; 2] {
        let votes = self.of(|part| part.sort == Sort::Vote);
        [votes[0], votes[votes.len() - 1]]
    }

    fn honest(&self) -> Vec<ReplicaId> {
        self.honest.iter().copied().collect()
    }

    /// None, one or two of the honest.
    fn few(&self, dice: &mut Dice) -> Ids {
        let many = dice.weighed(&[35, 40, 25]);
        dice.sample(&self.honest(), many)
    }

    fn withhold_all(&mut self, which: fn(&Part) -> bool, round: u64, to: &Ids) {
        for part in self.of(which) {
            self.withhold(part, round, self.everybody(), to.clone());
        }
    }
}
