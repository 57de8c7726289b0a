//! The shape of most attacks on agreement: in some round one replica decides alone, and the others, who
//! do not know, are led to decide otherwise.

use super::{Dice, Ids, Play, Sort};

impl Play<'_> {
    /// Returns how many rounds it has.
    pub(super) fn lone_decision(&mut self, dice: &mut Dice) -> u64 {
        let votes = self.of(|part| part.sort == Sort::Vote);
        let [first, last] = [votes[0], votes[votes.len() - 1]];
        let decided = dice.weighed(&[50, 35, 15]) as u64;
        for round in 0..decided {
            // Nobody decides, but some may be bound to a value.
            self.withhold(last, round, self.everybody(), self.honest.clone());
            match dice.weighed(&[50, 15, 15, 20]) {
                0 => {
                    let bound = self.few(dice);
                    let others = self.honest.difference(&bound).copied().collect();
                    self.withhold(first, round, self.everybody(), others);
                }
                1 => self.disturb(round, dice),
                2 => {
                    let offers = self.of(|part| part.sort == Sort::Offer);
                    let to = self.few(dice);
                    offers.iter().for_each(|part| {
                        self.withhold(*part, round, self.everybody(), to.clone());
                    });
                }
                _ => {}
            }
            self.lies(round, [35, 15, 20, 5, 22, 3], dice);
        }
        self.decide(decided, dice);
        let rounds = decided + 2 + dice.below(4);
        for round in decided + 1..rounds {
            if dice.chance(25) {
                self.disturb(round, dice);
            }
            self.lies(round, [25, 30, 5, 5, 33, 2], dice);
        }
        rounds
    }

    /// The round in which somebody decides alone, while another may be cut off.
    fn decide(&mut self, round: u64, dice: &mut Dice) {
        let votes = self.of(|part| part.sort == Sort::Vote);
        let honest: Vec<_> = self.honest.iter().copied().collect();
        let lucky = dice.sample(&honest, 1);
        let others: Ids = self.honest.difference(&lucky).copied().collect();
        self.withhold(votes[votes.len() - 1], round, self.everybody(), others.clone());
        if dice.chance(30) {
            let rest: Vec<_> = others.iter().copied().collect();
            let outcast = dice.sample(&rest, 1);
            for part in self.parts {
                self.withhold(*part, round, self.everybody(), outcast.clone());
                self.withhold(*part, round, outcast.clone(), self.everybody());
            }
        } else if dice.chance(30) {
            let unbound = dice.some(others, 40);
            self.withhold(votes[0], round, self.everybody(), unbound);
        }
        if dice.chance(50) {
            for part in self.of(|part| part.sort == Sort::Report) {
                self.withhold(part, 0, self.everybody(), self.honest.clone());
            }
        }
        self.lies(round, [60, 0, 5, 10, 20, 5], dice);
    }

    /// None, one or two of the honest.
    fn few(&self, dice: &mut Dice) -> Ids {
        let honest: Vec<_> = self.honest.iter().copied().collect();
        let many = dice.weighed(&[25, 45, 30]);
        dice.sample(&honest, many)
    }
}
