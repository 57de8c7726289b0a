//! What blocks tell of absence: the checker counts what is left of each bond by itself, and says the same
//! as the ledger.

use super::*;
use crate::setup::stream;
use ledger::{
    Duty, Register, Table,
    block::{duty_root, leak_root},
    leak::Row,
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// Five founders of different stakes, and these rules of a leak.
fn forge(rules: &[(&str, u64)]) -> Forge {
    let mut setup = Setup::new("tendermint", 5, 1);
    setup.stakes = vec![7, 5, 5, 3, 2];
    setup.settings.insert("ledger.leak_quotient".into(), 16);
    setup.settings.extend(rules.iter().map(|(key, value)| ((*key).to_owned(), *value)));
    Forge::of(setup)
}

impl Forge {
    /// A good block with these duties.
    fn tell(&mut self, duties: Vec<Duty>) -> Arc<Block> {
        let (parent, transactions, seal) = (self.ledger.root(), Vec::new(), Seal::default());
        let proposer = self.ledger.committee(parent).expect("the root has one").members()[0].id;
        let draft = Draft { parent, transactions, time: 0, proposer, duties, seal };
        let block = self.ledger.assemble(draft).expect("nothing is wrong with it");
        self.take(Arc::unwrap_or_clone(block))
    }

    fn register(&self) -> Arc<Register> {
        self.ledger.register(self.ledger.root()).expect("the root has one")
    }

    /// What is found wrong with a block whose duties were doctored, on a chain of two good ones.
    fn doctored(&mut self, duties: Vec<Duty>, names_them: bool) -> Vec<Flaw> {
        for _ in 0..2 {
            let block = self.tell(vec![]);
            self.report(ZERO, &block);
        }
        let mut block = self.draft(vec![]);
        if names_them {
            block.header.participation = duty_root(&duties);
            block.header.leak = leak_root(&duties);
        }
        block.duties = duties;
        self.report(ZERO, &Arc::new(block));
        match self.judge().pop() {
            Some(Violation::InvalidBlock { height: 3, flaws, .. }) => flaws,
            other => panic!("one invalid block was expected: {other:?}"),
        }
    }
}

fn present(ids: &[u32]) -> Vec<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

fn participation(height: u64, ids: &[u32]) -> Duty {
    Duty::Participation { height, present: present(ids), proof: Proof(vec![]) }
}

fn leak(rounds: std::ops::Range<u64>, ids: &[u32]) -> Duty {
    let row = |round| Row { round, present: present(ids) };
    Duty::Leak { round: rounds.end, table: Table::new(rounds.map(row).collect()) }
}

/// Some of those who have a seat, at least one.
fn some(register: &Register, chance: &mut ChaCha8Rng) -> Vec<ReplicaId> {
    let seats = register.validators().filter(|(_, each)| each.weight.0 > 0);
    let seats: Vec<_> = seats.map(|(id, _)| id).collect();
    let mut some = seats.clone();
    some.retain(|_| !chance.next_u64().is_multiple_of(4));
    if some.is_empty() { seats[..1].to_vec() } else { some }
}

/// Whatever blocks tell, the ledger and the checker come to the same weights, committees, ejections and money.
fn agree_on_chance(rules: &[(&str, u64)], seed: u64) -> Forge {
    let (mut forge, mut chance) = (forge(rules), stream(seed, "absence", 0));
    let tells_of_rounds = rules.contains(&("ledger.leak", 2));
    // Those who had a seat at each height.
    let mut seated = vec![present(&[])];
    for height in 1..=40 {
        let register = forge.register();
        seated.push(some(&register, &mut chance));
        let mut duties = Vec::new();
        if tells_of_rounds && chance.next_u64() % 3 == 0 {
            let row = |round, chance: &mut _| Row { round, present: some(&register, chance) };
            let rows = (5..6 + chance.next_u64() % 9).map(|round| row(round, &mut chance));
            duties.push(Duty::Leak { round: 20, table: Table::new(rows.collect()) });
        }
        if height > 2 && chance.next_u64() % 3 > 0 {
            let (of, proof) = (height - 2, Proof(vec![]));
            duties.push(Duty::Participation {
                height: of,
                present: seated[of as usize].clone(),
                proof,
            });
        }
        let block = forge.tell(duties);
        forge.report(ZERO, &block);
    }
    assert_eq!(forge.judge(), [], "seed {seed}");
    forge
}

#[test]
fn the_checker_counts_a_leak_by_itself() {
    let bounded = [("ledger.leak", 2)];
    let unbounded = [("ledger.leak", 2), ("ledger.leak_unbounded", 1)];
    let on_chain = [("ledger.leak", 1), ("ledger.leak_tolerates_permille", 0)];
    let (mut left, mut gone) = (0, 0);
    for seed in 0..6 {
        for rules in [&bounded[..], &unbounded, &on_chain] {
            let register = agree_on_chance(rules, seed).register();
            let founders = || register.validators().map(|(_, each)| each);
            left += founders().filter(|each| each.share.left < 1_000_000).count();
            let ejected = founders().filter(|each| each.stake.0 == 0).count();
            assert!(ejected == 0 || rules.contains(&("ledger.leak_unbounded", 1)));
            gone += ejected;
        }
    }
    assert!(left > 20 && gone > 5, "something leaked: {left}, and somebody was ejected: {gone}");
}

#[test]
fn absence_that_makes_no_sense_is_found() {
    let duty = |flaws: &[Flaw]| flaws.contains(&Flaw::Absence { reason: Bad::Duty });
    let of_all = [0, 1, 2, 3, 4];
    for duties in [
        vec![participation(2, &of_all)],
        vec![participation(1, &[0, 0])],
        vec![participation(1, &[0, 5])],
        vec![participation(1, &of_all), leak(5..7, &[0, 1, 2])],
        vec![participation(1, &of_all), participation(1, &of_all)],
        vec![leak(4..7, &[0, 1, 2])],
        vec![leak(5..7, &[2, 1, 0])],
        vec![leak(5..7, &[0, 1, 7])],
        vec![leak(5..5, &[])],
    ] {
        let flaws = forge(&[("ledger.leak", 2)]).doctored(duties.clone(), true);
        assert!(duty(&flaws), "{duties:?}: {flaws:?}");
        assert!(matches!(flaws.last(), Some(Flaw::Replay { .. })), "the ledger agrees: {flaws:?}");
    }
    // A chain whose own blocks are its only record has no rounds to tell of; another has no rules.
    let rounds = vec![leak(5..7, &[0, 1, 2])];
    assert!(duty(&forge(&[("ledger.leak", 1)]).doctored(rounds.clone(), true)));
    let mut setup = Setup::new("tendermint", 5, 1);
    setup.settings.retain(|key, _| !key.starts_with("ledger.leak"));
    let flaws = Forge::of(setup).doctored(rounds.clone(), true);
    assert!(flaws.contains(&Flaw::Absence { reason: Bad::Action }), "{flaws:?}");
    // And what the header does not name was put there by somebody else.
    let flaws = forge(&[("ledger.leak", 2)]).doctored(rounds, false);
    assert!(flaws.contains(&Flaw::Duties), "{flaws:?}");
}

/// A committee that does not follow from what the block tells: all its weights are as before.
#[test]
fn weights_that_do_not_follow_from_the_block_are_found() {
    let mut forge = forge(&[("ledger.leak", 2)]);
    let duties = vec![leak(5..9, &[0, 1, 2])];
    let flaws = forge.doctored(duties, true);
    let named = |flaw: &Flaw| matches!(flaw, Flaw::Committee { .. });
    assert!(flaws.iter().any(named), "{flaws:?}");
    assert!(flaws.iter().any(|flaw| matches!(flaw, Flaw::Replay { .. })), "{flaws:?}");
}
