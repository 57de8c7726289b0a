//! A liar that goes by a script, on a table: what it says to whom. At height 1 replica `1 + r` modulo 4
//! proposes in round r.

use super::rig::*;
use crate::{
    Effect, Input, Protocol, Signed, Turn,
    byzantine::{
        LABEL, Liar, Plot, Seat,
        script::{Line, Script, Word},
    },
    tendermint::{Message, Tendermint, message::phase},
};
use ledger::{Block, BlockHash, Keys, ReplicaId, Slot};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// The liar, and all that it has said: to whom, and what.
struct Table {
    me: ReplicaId,
    liar: Liar<Tendermint>,
    book: Book,
    keys: Keys,
    rng: ChaCha8Rng,
    said: Vec<(Vec<u32>, Signed<Message>)>,
    lies: Vec<String>,
}

impl Table {
    /// Begun, as replica `me` of four.
    fn new(me: u32, keys: Keys, lines: Vec<Line>) -> Table {
        let id = ReplicaId(me);
        let script = Script::<Tendermint>::new(lines).expect("Tendermint has a puppet");
        let plot = Plot::of(BTreeSet::from([id]), BTreeSet::new());
        let seat = Seat::new(hand(me), Arc::new(plot));
        let liar = Liar::new(Tendermint::new(brisk()), Box::new(script), seat);
        let (book, rng) = (Book::new(committee(&[1; 4])), ChaCha8Rng::seed_from_u64(0));
        let mut table = Table { me: id, liar, book, keys, rng, said: Vec::new(), lies: Vec::new() };
        table.feed(Input::Start { records: Vec::new(), own: Vec::new() });
        table
    }

    fn feed(&mut self, input: Input<Message>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let mut turn =
                Turn::new(ms(0), EPOCH, self.me, &mut self.rng, &mut self.book, &self.keys);
            self.liar.step(input, &mut turn);
            for effect in turn.into_effects() {
                match effect {
                    Effect::Send { message, .. } => {
                        let signed = by(self.me.0, message);
                        let others = (0..4).filter(|id| *id != self.me.0).collect();
                        self.said.push((others, signed.clone()));
                        inputs.push_back(Input::Heard(signed));
                    }
                    Effect::Relay { to: crate::To::Some(to), message } => {
                        self.said.push((to.into_iter().map(|id| id.0).collect(), message));
                    }
                    Effect::Note { label, detail } if label == LABEL => self.lies.push(detail),
                    Effect::Commit { block, .. } => self.book.root = block,
                    _ => {}
                }
            }
        }
    }

    fn hear(&mut self, sender: u32, message: Message) {
        self.feed(Input::Heard(by(sender, message)));
    }

    fn hear_all(&mut self, senders: &[u32], message: &Message) {
        senders.iter().for_each(|&sender| self.hear(sender, message.clone()));
    }

    /// Everybody else precommits nil in a round of height 1, and it passes.
    fn pass_round(&mut self, round: u64) {
        let others: Vec<_> = (0..4).filter(|&id| id != self.me.0).collect();
        self.hear_all(&others, &precommit(1, round, None));
        let slot = Slot { height: 1, epoch: 0, round, phase: phase::PRECOMMIT };
        self.feed(Input::Rang(crate::Timer(slot)));
        assert_eq!(self.liar.round(), round + 1);
    }

    /// What `to` was told that is of this kind, in a round of height 1.
    fn told(&self, to: u32, kind: &str, round: u64) -> Vec<&Signed<Message>> {
        use crate::Message as _;
        let of_it = |signed: &Signed<Message>| {
            let message = signed.message();
            (message.kind(), message.height(), message.round()) == (kind, 1, round)
        };
        let told = self.said.iter().filter(|(ids, signed)| ids.contains(&to) && of_it(signed));
        told.map(|(_, signed)| signed).collect()
    }

    /// The values of what [`Table::told`] lists.
    fn values(&self, to: u32, kind: &str, round: u64) -> Vec<Option<BlockHash>> {
        self.told(to, kind, round).iter().map(|signed| signed.message().value()).collect()
    }
}

fn line(kind: &str, round: u64, value: Word, to: &[u32]) -> Line {
    let to = to.iter().copied().map(ReplicaId).collect();
    Line { kind: kind.into(), height: 1, round, value, to, ..Line::default() }
}

fn block(table: &Table, proposer: u32, salt: u64) -> Arc<Block> {
    table.book.child(table.book.root, proposer, salt)
}

#[test]
fn a_block_of_its_own_takes_the_place_of_the_honest_one_before_those_it_is_for() {
    let lines = vec![
        line("proposal", 0, Word::Mine(1), &[2]),
        line("proposal", 0, Word::Mine(2), &[3]),
        line("prevote", 0, Word::Mine(1), &[2]),
        line("precommit", 0, Word::Nil, &[]),
    ];
    let table = Table::new(1, keys(), lines);
    let values: BTreeSet<_> = [0, 2, 3].map(|id| table.values(id, "proposal", 0)).into();
    assert_eq!(values.len(), 3, "three blocks: {values:?}");
    assert!(values.iter().all(|values| values.len() == 1));
    // Its honest protocol prevotes its own, and 2 hears of another vote.
    assert_eq!(table.values(0, "prevote", 0), table.values(0, "proposal", 0));
    assert_eq!(table.values(2, "prevote", 0), table.values(2, "proposal", 0));
    // It precommits nil at once, for nothing is missing that this takes.
    assert_eq!(table.values(0, "precommit", 0), [None]);
    assert_eq!(table.lies.len(), 4);
}

#[test]
fn a_line_waits_for_its_round_and_for_its_value() {
    let mut late = line("prevote", 0, Word::Of(0), &[]);
    late.when = Some(1);
    let lines = vec![late, line("prevote", 1, Word::Of(1), &[3])];
    let mut table = Table::new(0, keys(), lines);
    let (first, second) = (block(&table, 1, 0), block(&table, 2, 5));
    table.hear(1, proposal(1, 0, &first));
    assert!(table.values(3, "prevote", 0).is_empty(), "not yet, nor what is honest");
    table.pass_round(0);
    assert_eq!(table.values(3, "prevote", 0), [Some(first.hash())]);
    assert!(table.values(3, "prevote", 1).is_empty(), "nothing was proposed in round 1");
    table.hear(2, proposal(1, 1, &second));
    assert_eq!(table.values(3, "prevote", 1), [Some(second.hash())]);
}

#[test]
fn a_proposal_brings_the_prevotes_that_it_heard_and_its_own() {
    let mut lines = vec![line("proposal", 4, Word::Of(0), &[]), line("prevote", 0, Word::Nil, &[])];
    lines[0].proof = Some(0);
    let mut table = Table::new(1, keys(), lines);
    let [Some(value)] = table.values(0, "proposal", 0)[..] else { panic!("it is its turn") };
    table.hear_all(&[0, 2], &prevote(1, 0, Some(value)));
    table.hear(3, prevote(1, 0, None));
    (0..4).for_each(|round| table.pass_round(round));
    let told = table.told(0, "proposal", 4);
    let [Message::Proposal { valid_round: Some(0), polka, block, .. }] =
        told.iter().map(|signed| signed.message()).collect::<Vec<_>>()[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(block.hash(), value);
    let Message::Proposal { polka: sound, .. } = again(1, 4, 0, &[0, 1, 2], block) else {
        unreachable!()
    };
    assert_eq!(*polka, sound, "though all that it said there was nil");
}

#[test]
fn others_votes_are_passed_off_only_where_kinds_are_confused() {
    for confused in [true, false] {
        let mut passed_off = line("precommit", 0, Word::Of(0), &[3]);
        passed_off.names = vec![ReplicaId(0), ReplicaId(2)];
        let keys = if confused { keys().confusing_kinds() } else { keys() };
        let lines = vec![passed_off, line("prevote", 0, Word::Nil, &[])];
        let mut table = Table::new(1, keys, lines);
        let [value] = table.values(0, "proposal", 0)[..] else { panic!("it is its turn") };
        table.hear(0, prevote(1, 0, value));
        assert!(table.told(3, "precommit", 0).is_empty(), "2 has not voted yet");
        table.hear(2, prevote(1, 0, value));
        let senders: Vec<_> =
            table.told(3, "precommit", 0).iter().map(|signed| signed.sender().0).collect();
        let lies = table.lies.iter().filter(|lie| lie.starts_with("nobody takes")).count();
        match confused {
            true => assert_eq!((&senders[..], lies), (&[1, 0, 2][..], 0)),
            false => assert_eq!((&senders[..], lies), (&[1][..], 2)),
        }
    }
}

#[test]
fn when_the_height_is_over_what_is_left_of_it_is_said() {
    let lines = vec![line("proposal", 9, Word::Mine(1), &[]), line("prevote", 7, Word::Nil, &[2])];
    let mut table = Table::new(0, keys(), lines);
    let block = block(&table, 1, 0);
    table.hear(1, proposal(1, 0, &block));
    assert!(table.told(2, "prevote", 7).is_empty());
    table.hear_all(&[1, 2, 3], &precommit(1, 0, Some(block.hash())));
    assert_eq!(table.book.root, block.hash());
    assert_eq!(table.values(2, "prevote", 7), [None]);
    let [left] = table.told(2, "proposal", 9)[..] else { panic!("it built it in time") };
    let Message::Proposal { block: mine, .. } = left.message() else { unreachable!() };
    assert_eq!((mine.header.height, mine.header.proposer), (1, ReplicaId(0)));
}
