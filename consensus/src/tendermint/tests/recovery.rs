//! The rules of recovery rounds, one replica of five on a table.

use super::rig::*;
use crate::{
    protocol::{Effect, Protocol, Unproven},
    quorum::Signed,
    tendermint::{Commit, Config, Message, SignedTable, Tables, Tendermint, message::phase},
};
use crypto::Hash;
use ledger::{
    Block, BlockHash, Draft, Duty, Genesis, Leak, Proof, ReplicaId, Seal, Slot, leak::Mode,
};
use std::{collections::BTreeMap, sync::Arc};

const LEAK: Leak = Leak {
    mode: Mode::Recovery,
    quotient: 16,
    tolerates_permille: 100,
    bounded: true,
    grace_rounds: 3,
};

fn leaking() -> Config {
    Config { leak: Some(LEAK), leak_epoch: ms(900), leak_growth: ms(10), ..brisk() }
}

/// Replica 0 of five; 1 proposes in round 0, 2 in round 1, and so on.
fn started() -> Rig {
    let mut rig = Rig::new(0, committee(&[1; 5]), leaking());
    rig.wake();
    rig
}

fn alive(rig: &Rig, round: u64) -> Message {
    Message::Alive { height: 1, round, parent: rig.book.root }
}

/// Gives up on its round and enters the next, with some others.
fn pass(rig: &mut Rig, others: &[u32]) {
    let round = rig.round();
    for phase in [phase::PROPOSE, phase::PREVOTE, phase::PRECOMMIT] {
        rig.ring(1, round, phase);
    }
    let next = alive(rig, round + 1);
    rig.hear_all(others, &next);
    rig.effects.clear();
}

/// In round 6, since whose rows from 3 to 5 three of five are a quorum.
fn in_round_six() -> Rig {
    let mut rig = started();
    (0..6).for_each(|_| pass(&mut rig, &[1, 2]));
    assert_eq!(rig.round(), 6);
    rig
}

/// The table of rows in which these were there.
fn table(rig: &Rig, rows: impl Iterator<Item = u64>, present: &[u32]) -> SignedTable {
    let voice = |round, id| {
        let signed = by(id, alive(rig, round));
        (signed.sender(), *signed.signature())
    };
    SignedTable::new(
        rows.map(|round| (round, present.iter().map(|&id| voice(round, id)).collect())),
    )
}

/// A block that tells of a table of this round.
fn telling(rig: &Rig, proposer: u32, round: u64, table: &SignedTable) -> Arc<Block> {
    use crate::protocol::Application;
    let duties = match table.is_empty() {
        true => Vec::new(),
        false => vec![Duty::Leak { round, table: table.matrix() }],
    };
    let (parent, transactions, proposer) = (rig.book.root, Vec::new(), ReplicaId(proposer));
    let draft =
        Draft { parent, transactions, time: round, proposer, duties, seal: Seal::default() };
    rig.book.assemble(draft).unwrap()
}

fn offer(round: u64, own: &SignedTable, block: &Arc<Block>) -> Message {
    let tables = Tables { own: own.clone(), polka: SignedTable::default() };
    Message::Proposal {
        height: 1,
        round,
        valid_round: None,
        polka: Vec::new(),
        tables: Some(Arc::new(tables)),
        block: block.clone(),
    }
}

fn prevote_under(round: u64, value: BlockHash, table: &SignedTable) -> Message {
    let table = Some(table.matrix().hash());
    Message::Prevote { height: 1, round, value: Some(value), table }
}

fn precommit_under(round: u64, value: BlockHash, table: &SignedTable) -> Message {
    let table = Some(table.matrix().hash());
    Message::Precommit { height: 1, round, value: Some(value), table }
}

/// Who proposes in this round.
fn proposer(round: u64) -> u32 {
    u32::try_from((round + 1) % 5).unwrap()
}

#[test]
fn the_first_round_says_nothing_more_and_arms_all_timers() {
    let mut rig = Rig::new(3, committee(&[1; 5]), leaking());
    rig.wake();
    assert_eq!(rig.sent(), []);
    let after = |phase| rig.timer(1, 0, phase);
    assert_eq!(after(phase::PROPOSE), Some(ms(300)));
    assert_eq!(after(phase::PREVOTE), Some(ms(600)));
    assert_eq!(after(phase::PRECOMMIT), Some(ms(900)));
}

#[test]
fn a_round_begins_with_alive_and_its_timers_with_a_majority() {
    let mut rig = started();
    rig.ring(1, 0, phase::PRECOMMIT);
    assert_eq!(rig.sent().last(), Some(&alive(&rig, 1)));
    let next = alive(&rig, 1);
    rig.hear(3, next.clone());
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), None, "two of five");
    rig.hear(4, next);
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), Some(ms(310)), "three of five, and longer");
    assert_eq!(rig.timer(1, 1, phase::PRECOMMIT), Some(ms(930)));
}

#[test]
fn more_than_a_third_in_a_later_round_take_it_there() {
    let mut rig = started();
    let later = alive(&rig, 7);
    rig.hear(1, later.clone());
    assert_eq!(rig.round(), 0, "one may lie");
    rig.hear(3, later.clone());
    assert_eq!(rig.round(), 7);
    assert!(rig.sent().contains(&later));
    assert!(rig.timer(1, 7, phase::PROPOSE).is_some(), "with it they are three");
}

/// Those who are left meet in one round, whoever else was ahead and is gone.
#[test]
fn whoever_is_ahead_counts_in_all_rounds_before() {
    let mut rig = started();
    let [far, here, later] = [9, 1, 7].map(|round| alive(&rig, round));
    rig.hear(1, far);
    rig.ring(1, 0, phase::PRECOMMIT);
    assert_eq!((rig.round(), rig.timer(1, 1, phase::PROPOSE)), (1, None), "two of five");
    rig.hear(2, here);
    assert_eq!(rig.timer(1, 1, phase::PROPOSE), Some(ms(310)), "in rounds 1, 1 and 9");
    rig.hear(3, later);
    assert_eq!(rig.round(), 7, "two of the others are there, or further");
}

/// L34, L44, L47 and L55 are no rules here.
#[test]
fn no_quorum_for_nil_and_no_third_moves_it() {
    let mut rig = started();
    rig.ring(1, 0, phase::PROPOSE);
    rig.sent();
    rig.hear_all(&[1, 2, 3, 4], &prevote(1, 0, None));
    assert_eq!(rig.sent(), [], "it precommits nil at D2");
    rig.ring(1, 0, phase::PREVOTE);
    assert_eq!(rig.sent(), [precommit(1, 0, None)]);
    rig.hear_all(&[1, 2, 3, 4], &prevote(1, 9, None));
    assert_eq!(rig.round(), 0);
}

#[test]
fn a_fresh_block_tells_the_table_of_its_round() {
    for (of, told, good) in [(6, true, true), (5, true, false), (6, false, false)] {
        let mut rig = in_round_six();
        let own = table(&rig, 3..6, &[0, 1, 2]);
        let block = match told {
            true => telling(&rig, proposer(6), of, &own),
            false => telling(&rig, proposer(6), of, &SignedTable::default()),
        };
        rig.hear(proposer(6), offer(6, &own, &block));
        let voted = rig.sent().contains(&prevote_under(6, block.hash(), &own));
        assert_eq!(voted, good, "round {of}, told: {told}");
    }
}

#[test]
fn nobody_who_was_heard_may_be_left_out() {
    for (present, good) in [(vec![0, 1, 2, 3], true), (vec![0, 1, 2], false)] {
        let mut rig = started();
        (0..4).for_each(|_| pass(&mut rig, &[1, 2]));
        // Replica 3 is in round 4, before D2.
        let here = alive(&rig, 4);
        rig.hear(3, here);
        (0..2).for_each(|_| pass(&mut rig, &[1, 2]));
        let whole = |round| if round == 4 { present.clone() } else { vec![0, 1, 2] };
        let rows = (3..6).map(|round| (round, whole(round)));
        let own = SignedTable::new(rows.map(|(round, present)| {
            let voice =
                |&id: &u32| by(id, Message::Alive { height: 1, round, parent: rig.book.root });
            let voices = present.iter().map(voice);
            (round, voices.map(|signed| (signed.sender(), *signed.signature())).collect())
        }));
        let block = telling(&rig, proposer(6), 6, &own);
        rig.hear(proposer(6), offer(6, &own, &block));
        let vote = rig.sent().into_iter().find(|sent| matches!(sent, Message::Prevote { .. }));
        let expected =
            if good { prevote_under(6, block.hash(), &own) } else { prevote(1, 6, None) };
        assert_eq!(vote, Some(expected));
    }
}

#[test]
fn votes_count_under_the_table_they_name() {
    let mut rig = in_round_six();
    let own = table(&rig, 3..6, &[0, 1, 2]);
    let block = telling(&rig, proposer(6), 6, &own);
    let value = block.hash();
    rig.hear(proposer(6), offer(6, &own, &block));
    rig.sent();
    // Under the chain's weights three of five are none, and under a table nobody knows nothing is.
    rig.hear_all(&[1, 2], &prevote(1, 6, Some(value)));
    let strange = Message::Prevote {
        height: 1,
        round: 6,
        value: Some(value),
        table: Some(Hash::from_bytes([3; 32])),
    };
    rig.hear_all(&[3, 4], &strange);
    assert_eq!(rig.sent(), []);
    rig.hear_all(&[1, 2], &prevote_under(6, value, &own));
    assert_eq!(rig.sent(), [precommit_under(6, value, &own)]);
    assert!(rig.commits.is_empty());
    rig.hear_all(&[1, 2], &precommit_under(6, value, &own));
    assert_eq!(rig.commits.len(), 1);
    assert_eq!(rig.commits[0].0, value);
}

#[test]
fn what_it_decides_under_a_table_it_can_prove() {
    let mut rig = in_round_six();
    let own = table(&rig, 3..6, &[0, 1, 2]);
    let block = telling(&rig, proposer(6), 6, &own);
    rig.hear(proposer(6), offer(6, &own, &block));
    rig.hear_all(&[1, 2], &prevote_under(6, block.hash(), &own));
    rig.hear_all(&[1, 2], &precommit_under(6, block.hash(), &own));
    let (_, proof) = rig.commits.pop().unwrap();
    let headers = [block.header.clone()];
    let committee = committee(&[1; 5]);
    let settings =
        [("ledger.unbonding_blocks", 9), ("ledger.leak", 2), ("ledger.leak_quotient", 16)];
    let mut settings: BTreeMap<_, _> = settings.map(|(key, value)| (key.to_owned(), value)).into();
    settings.insert("ledger.leak_grace_rounds".into(), 3);
    let judged = |proof: &Proof, settings: &BTreeMap<String, u64>| {
        trusting(&committee, |trusted| {
            let genesis = Genesis { settings: settings.clone(), ..trusted.genesis.clone() };
            let trusted = crate::Trusted { genesis: &genesis, ..trusted };
            Tendermint::verify(&headers, proof, trusted)
        })
    };
    assert_eq!(judged(&proof, &settings), Ok(()));
    assert_eq!(judged(&proof, &BTreeMap::new()), Err(Unproven::NoLeak));
    let commit = Commit::decode(&proof).unwrap();
    // One that has not decided, and so speaks of the same parent.
    let before = in_round_six();
    // With fewer rows the absent weigh more, and the votes name another table anyway.
    let fewer = Commit { table: table(&before, 3..5, &[0, 1, 2]), ..commit.clone() };
    assert!(judged(&fewer.encode(), &settings).is_err());
    let stranger = Commit { table: table(&before, 3..6, &[0, 1, 7]), ..commit.clone() };
    assert!(matches!(judged(&stranger.encode(), &settings), Err(Unproven::Table(_))));
    let forged = SignedTable::new((3..6).map(|round| {
        let voice = |id| (ReplicaId(id), *by(0, alive(&before, round)).signature());
        (round, (0..3).map(voice).collect())
    }));
    let forged = Commit { table: forged, ..commit.clone() };
    assert_eq!(judged(&forged.encode(), &settings), Err(Unproven::BadSignature(ReplicaId(1))));
}

/// LEAK X3: under a floor nobody can make a quorum of itself, whatever table it invents.
#[test]
fn one_voice_alone_proves_nothing() {
    let rig = in_round_six();
    let alone = table(&rig, 3..60, &[4]);
    let block = telling(&rig, 4, 60, &alone);
    let vote = by(4, precommit_under(60, block.hash(), &alone));
    let signatures = vec![(vote.sender(), *vote.signature())];
    let commit = Commit { round: 60, block: block.hash(), signatures, table: alone };
    let settings =
        [("ledger.unbonding_blocks", 9), ("ledger.leak", 2), ("ledger.leak_grace_rounds", 3)];
    let settings: BTreeMap<_, _> = settings.map(|(key, value)| (key.to_owned(), value)).into();
    let verdict = trusting(&committee(&[1; 5]), |trusted| {
        let genesis = Genesis { settings, ..trusted.genesis.clone() };
        let trusted = crate::Trusted { genesis: &genesis, ..trusted };
        Tendermint::verify(std::slice::from_ref(&block.header), &commit.encode(), trusted)
    });
    assert_eq!(verdict, Err(Unproven::TooLight { weight: 1, total: 5 }));
}

#[test]
fn a_forged_voice_spoils_a_proposal() {
    let mut rig = in_round_six();
    let mut forged: Vec<_> = (3..6).map(|round| (round, by(1, alive(&rig, round)))).collect();
    forged.push((5, by(2, alive(&rig, 5))));
    let rows = forged.into_iter().take(3).map(|(round, signed): (u64, Signed<Message>)| {
        (round, vec![(ReplicaId(3), *signed.signature())])
    });
    let own = SignedTable::new(rows);
    let block = telling(&rig, proposer(6), 6, &own);
    rig.hear(proposer(6), offer(6, &own, &block));
    assert!(rig.notes().contains(&"dropped"));
}

/// L36 of a round that is over: it makes a value valid, and moves no lock.
#[test]
fn a_polka_that_comes_late_makes_a_value_valid_and_locks_nothing() {
    let mut rig = in_round_six();
    let own = table(&rig, 3..6, &[0, 1, 2]);
    let block = telling(&rig, proposer(6), 6, &own);
    rig.hear(proposer(6), offer(6, &own, &block));
    (6..8).for_each(|_| pass(&mut rig, &[1, 2]));
    rig.hear_all(&[1, 2, 3], &prevote_under(6, block.hash(), &own));
    let notes = rig.notes();
    assert!(notes.contains(&"polka") && !notes.contains(&"lock"), "{notes:?}");
    // Its own turn is in round 9: it offers that value with that polka.
    rig.ring(1, 8, phase::PRECOMMIT);
    let next = alive(&rig, 9);
    rig.hear_all(&[1, 2], &next);
    let offered = rig.sent().into_iter().find_map(|sent| match sent {
        Message::Proposal { valid_round, polka, tables, block, .. } => {
            Some((valid_round, polka.len(), tables.unwrap().polka.clone(), block.hash()))
        }
        _ => None,
    });
    assert_eq!(offered, Some((Some(6), 3, own, block.hash())));
}

#[test]
fn an_alive_that_comes_late_is_passed_on() {
    let mut rig = started();
    pass(&mut rig, &[1, 2]);
    let relays = |rig: &mut Rig| {
        let effects = rig.effects.drain(..);
        effects.filter(|effect| matches!(effect, Effect::Relay { .. })).count()
    };
    let here = alive(&rig, 1);
    rig.hear(3, here.clone());
    assert_eq!(relays(&mut rig), 0, "it is in time");
    rig.now += ms(400);
    rig.hear(4, here);
    assert_eq!(relays(&mut rig), 1);
}

/// What a replica is alive in it has signed; a new life waits for a majority there again.
#[test]
fn a_new_life_takes_up_its_round_and_waits() {
    let mut rig = in_round_six();
    rig.crash();
    rig.effects.clear();
    rig.wake();
    assert_eq!(rig.round(), 6);
    assert_eq!(rig.sent(), [], "it has said all that");
    assert_eq!(rig.timer(1, 6, phase::PROPOSE), None);
    let here = alive(&rig, 6);
    rig.hear_all(&[1, 2], &here);
    assert!(rig.timer(1, 6, phase::PROPOSE).is_some());
    let slot = Slot { height: 1, epoch: 0, round: 6, phase: phase::ALIVE };
    assert!(rig.signed.contains_key(&slot));
}

#[test]
fn where_there_are_no_recovery_rounds_an_alive_is_dropped() {
    let mut rig = Rig::started(0);
    let here = alive(&rig, 0);
    rig.hear(1, here);
    assert!(rig.notes().contains(&"dropped"));
}

/// LEAK's bounds: tables and early rounds of a flood fill nothing but their author's share.
#[test]
fn a_flood_of_alives_is_bounded() {
    let mut rig = started();
    for round in 1..5_000 {
        let early = alive(&rig, round);
        rig.hear(4, early);
    }
    assert_eq!(rig.round(), 0);
    let kept = format!("{:?}", rig.replica).matches("Alive {").count();
    assert!(kept <= 64, "{kept}");
}
