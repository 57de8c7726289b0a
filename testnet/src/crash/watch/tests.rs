use super::*;
use crypto::Hash;
use ledger::query::VoiceAnswer;

fn block(number: u8) -> BlockHash {
    BlockHash(Hash::from_bytes([number; 32]))
}

fn transfer(number: u8) -> TransactionId {
    TransactionId(Hash::from_bytes([number; 32]))
}

/// A node whose blocks up to `height` are final, each named by its height.
fn at(height: u64) -> Look {
    let branch = (1..=height).map(|height| (height, block(height as u8))).collect();
    Look { height, head_height: height, state: "running".into(), branch, slots: Vec::new() }
}

fn placed(status: TransactionStatus, height: u64, index: u64) -> Standing {
    Standing { status, place: Some((height, index)) }
}

const NOWHERE: Standing = Standing { status: TransactionStatus::Unknown, place: None };

/// Sees one thing after the other, a round for each.
fn watched(depths: Option<Depths>, seen: &[(u32, Seen)]) -> Watch {
    let mut watch = Watch::new(4, depths);
    for (round, (node, seen)) in (1..).zip(seen) {
        let at = Duration::from_secs(u64::from(round));
        watch.note(Moment { round, at }, *node, seen);
    }
    watch
}

fn broken(watch: &Watch) -> Vec<(Promise, u32, u32)> {
    let violations = watch.violations().iter();
    violations.map(|broken| (broken.promise, broken.node, broken.round)).collect()
}

#[test]
fn nodes_that_keep_their_promises_break_none() {
    let fourth = placed(TransactionStatus::Final, 4, 0);
    let watch = watched(
        None,
        &[
            (0, Seen::Look(at(3))),
            (1, Seen::Look(at(2))),
            (1, Seen::Look(at(5))),
            (0, Seen::Transfer(transfer(1), NOWHERE)),
            (1, Seen::Transfer(transfer(1), fourth)),
            // Who is behind does not know it yet.
            (0, Seen::Transfer(transfer(1), NOWHERE)),
            (0, Seen::Look(at(4))),
            (0, Seen::Transfer(transfer(1), fourth)),
            (0, Seen::Accusations(0)),
        ],
    );
    assert_eq!(watch.violations(), []);
    assert_eq!((watch.heights(), watch.final_height()), (vec![4, 5, 0, 0], 5));
    assert_eq!((watch.final_transfers(), watch.undone()), (1, Undone::default()));
}

#[test]
fn agreement_two_blocks_at_one_final_height() {
    let mut rival = at(3);
    rival.branch[2].1 = block(99);
    let watch = watched(None, &[(0, Seen::Look(at(3))), (2, Seen::Look(rival))]);
    assert_eq!(broken(&watch), [(Promise::Agreement, 2, 2)]);
    let what = &watch.violations()[0].what;
    assert!(what.contains("height 3") && what.contains("node 0") && what.contains("round 1"));
}

#[test]
fn agreement_is_about_what_is_final_and_not_about_heads() {
    let ahead = |number: u8| {
        let mut look = at(3);
        look.head_height = 4;
        look.branch.push((4, block(number)));
        Seen::Look(look)
    };
    assert_eq!(watched(None, &[(0, ahead(8)), (1, ahead(9))]).violations(), []);
}

#[test]
fn agreement_a_node_that_changes_its_mind_between_two_lives() {
    let mut other = at(3);
    other.branch[0].1 = block(99);
    let watch = watched(None, &[(1, Seen::Look(at(3))), (1, Seen::Look(other))]);
    assert_eq!(broken(&watch), [(Promise::Agreement, 1, 2)]);
}

#[test]
fn durability_a_final_height_that_falls() {
    let seen = [(1, Seen::Look(at(7))), (1, Seen::Look(at(6))), (1, Seen::Look(at(7)))];
    let watch = watched(None, &seen);
    assert_eq!(broken(&watch), [(Promise::Durability, 1, 2)]);
    assert!(watch.violations()[0].what.contains("was 7 and is 6"));
}

#[test]
fn durability_a_final_transfer_is_forgotten_by_the_node_that_reported_it() {
    let is_final = placed(TransactionStatus::Final, 4, 1);
    for after in [NOWHERE, placed(TransactionStatus::Pending, 4, 1)] {
        let seen =
            [(1, Seen::Transfer(transfer(1), is_final)), (1, Seen::Transfer(transfer(1), after))];
        assert_eq!(broken(&watched(None, &seen)), [(Promise::Durability, 1, 2)], "{after:?}");
    }
}

#[test]
fn durability_a_final_transfer_is_somewhere_else() {
    for (other, place) in [(2, (5, 1)), (2, (4, 0)), (1, (5, 1))] {
        let (one, two) = ((4, 1), place);
        let seen = [(1, one), (other, two)].map(|(node, (height, index))| {
            let standing = placed(TransactionStatus::Final, height, index);
            (node, Seen::Transfer(transfer(1), standing))
        });
        assert_eq!(broken(&watched(None, &seen)), [(Promise::Durability, other, 2)], "{place:?}");
    }
}

#[test]
fn accountability_a_replica_heard_with_two_values_in_one_slot() {
    let slot = Slot { height: 4, epoch: 0, round: 0, phase: 1 };
    let voice = |sender, value| VoiceAnswer {
        sender: ReplicaId(sender),
        value: Hash::from_bytes([value; 32]),
    };
    let heard = |voices: Vec<VoiceAnswer>| {
        let slots = vec![SlotAnswer { slot, kind: "prevote".into(), voices }];
        Seen::Look(Look { slots, ..at(3) })
    };
    let honest = heard(vec![voice(0, 1), voice(1, 1), voice(2, 2)]);
    assert_eq!(watched(None, &[(0, honest)]).violations(), []);

    let lie = heard(vec![voice(0, 1), voice(3, 1), voice(3, 2)]);
    let watch = watched(None, &[(0, lie.clone()), (0, lie)]);
    assert_eq!(broken(&watch), [(Promise::Accountability, 0, 1)], "and it is told once");
    assert!(watch.violations()[0].what.contains("replica 3"));
}

#[test]
fn accountability_an_accusation() {
    let slot = Some(Slot { height: 4, ..Slot::default() });
    let accusation = Accusation { offender: ReplicaId(2), charge: "equivocation".into(), slot };
    let seen =
        [(0, Seen::Accused(accusation)), (1, Seen::Accusations(3)), (1, Seen::Accusations(4))];
    let watch = watched(None, &seen);
    let expected = [(Promise::Accountability, 0, 1), (Promise::Accountability, 1, 2)];
    assert_eq!(broken(&watch), expected);
    let what = &watch.violations()[0].what;
    assert!(what.contains("replica 2 of equivocation in Slot"), "{what}");
}

#[test]
fn health_a_node_that_halts_and_one_that_ends_by_itself() {
    let halted = Look { state: "halted: two final blocks".into(), ..at(3) };
    let died = Seen::Died("exit 3; the log is empty".into());
    let watch = watched(None, &[(0, Seen::Look(halted)), (1, died)]);
    assert_eq!(broken(&watch), [(Promise::Health, 0, 1), (Promise::Health, 1, 2)]);
    assert!(watch.violations()[0].what.contains("two final blocks"));
    assert!(watch.violations()[1].what.contains("exit 3"));
}

#[test]
fn violations_are_bounded_and_the_rest_is_counted() {
    let mut watch = Watch::new(1, None);
    for number in 0..MOST_VIOLATIONS + 7 {
        watch.breaks(Promise::Progress, Moment::default(), 0, format!("{number}"));
    }
    assert_eq!((watch.violations().len(), watch.unlisted()), (MOST_VIOLATIONS, 7));
}

/// A module that calls nothing final before it is four deep, and counts on it when it is two deep.
const DEEP: Option<Depths> = Some(Depths { confirmations: 2, irreversible: 4 });

/// A node with nothing final and these blocks above.
fn branch(blocks: &[u8]) -> Seen {
    let branch: Vec<_> =
        (1..).zip(blocks).map(|(height, number)| (height, block(*number))).collect();
    Seen::Look(Look { height: 0, head_height: blocks.len() as u64, branch, ..at(0) })
}

#[test]
fn a_confirmed_block_that_is_undone_breaks_nothing_and_is_counted() {
    // The second is one deep and may go; the first is confirmed.
    let watch = watched(DEEP, &[(0, branch(&[1, 2])), (0, branch(&[1, 9, 10]))]);
    assert_eq!((watch.undone().blocks, watch.violations().len()), (0, 0));
    let watch = watched(DEEP, &[(0, branch(&[1, 2])), (0, branch(&[8, 9, 10]))]);
    assert_eq!((watch.undone().blocks, watch.violations().len()), (1, 0));
    // Another node may have been on the other branch from the beginning.
    let watch = watched(DEEP, &[(0, branch(&[1, 2])), (1, branch(&[8, 9, 10]))]);
    assert_eq!(watch.undone().blocks, 0);
}

#[test]
fn a_confirmed_block_whose_rival_becomes_final_is_undone() {
    let watch = watched(DEEP, &[(0, branch(&[8, 9, 10])), (0, Seen::Look(at(1)))]);
    assert_eq!(watch.undone().blocks, 1);
    assert_eq!(watch.violations(), []);
}

#[test]
fn a_confirmed_transfer_that_moves_is_counted_once_and_then_has_its_place() {
    let confirmed = |node, height| {
        (node, Seen::Transfer(transfer(1), placed(TransactionStatus::Confirmed, height, 0)))
    };
    let watch =
        watched(DEEP, &[confirmed(0, 4), confirmed(1, 4), confirmed(0, 6), confirmed(1, 6)]);
    assert_eq!((watch.undone().transfers, watch.settled_transfers()), (1, 1));
    assert_eq!((watch.final_transfers(), watch.violations().len()), (0, 0));
}

fn chain(height: u64, ids: &[(u64, TransactionId)]) -> Chain {
    let orders = |height| ids.iter().filter(|(at, _)| *at == height).map(|(_, id)| *id).collect();
    let blocks = (1..=height).map(|height| (height, (block(height as u8), orders(height))));
    Chain { height, blocks: blocks.collect() }
}

#[test]
fn at_the_end_every_final_block_and_transfer_has_to_be_there() {
    let is_final = placed(TransactionStatus::Final, 2, 0);
    let seen = [(0, Seen::Look(at(3))), (0, Seen::Transfer(transfer(1), is_final))];
    let close = |node, chain: &Chain| {
        let mut watch = watched(None, &seen);
        watch.close(Moment { round: 9, ..Moment::default() }, node, chain);
        watch
    };
    assert_eq!(close(1, &chain(5, &[(2, transfer(1))])).violations(), []);
    assert_eq!(broken(&close(1, &chain(5, &[]))), [(Promise::Durability, 1, 9)]);
    assert_eq!(broken(&close(1, &chain(5, &[(4, transfer(1))]))), [(Promise::Durability, 1, 9)]);
    let second = chain(5, &[(2, transfer(7)), (2, transfer(1))]);
    assert_eq!(broken(&close(1, &second)), [(Promise::Durability, 1, 9)], "the wrong place");

    let mut gap = chain(5, &[(2, transfer(1))]);
    gap.blocks.remove(&3);
    let watch = close(1, &gap);
    assert_eq!(broken(&watch), [(Promise::Durability, 1, 9)]);
    assert!(watch.violations()[0].what.contains("height 3"));

    let mut rival = chain(5, &[(2, transfer(1))]);
    rival.blocks.get_mut(&3).unwrap().0 = block(99);
    let watch = close(1, &rival);
    assert_eq!(broken(&watch), [(Promise::Agreement, 1, 9), (Promise::Durability, 1, 9)]);
}

#[test]
fn chains_read_at_the_end_are_compared_with_each_other() {
    let mut watch = Watch::new(2, None);
    watch.close(Moment::default(), 0, &chain(3, &[]));
    let mut rival = chain(3, &[]);
    rival.blocks.get_mut(&2).unwrap().0 = block(99);
    watch.close(Moment::default(), 1, &rival);
    assert_eq!(watch.violations()[0].promise, Promise::Agreement);
}

#[test]
fn at_the_end_a_confirmed_transfer_that_is_gone_is_counted_once() {
    let confirmed = placed(TransactionStatus::Confirmed, 2, 0);
    let mut watch = watched(DEEP, &[(0, Seen::Transfer(transfer(1), confirmed))]);
    for node in 0..3 {
        let mut chain = chain(5, &[(4, transfer(1))]);
        chain.height = 1;
        watch.close(Moment::default(), node, &chain);
    }
    assert_eq!((watch.undone().transfers, watch.violations().len()), (1, 0));
}

#[test]
fn a_database_has_lost_something_if_less_is_final_or_something_else() {
    let before = chain(3, &[(2, transfer(1))]);
    assert_eq!(before.lost_in(&before), None);
    assert_eq!(before.lost_in(&chain(5, &[(2, transfer(1))])), None);
    assert!(before.lost_in(&chain(2, &[(2, transfer(1))])).unwrap().contains("was 3 and is 2"));
    assert!(before.lost_in(&chain(3, &[])).unwrap().contains("block 2"));
    let mut torn = before.clone();
    torn.blocks.remove(&1);
    assert!(before.lost_in(&torn).unwrap().contains("block 1"));
    // What was above the final height may change.
    let ahead = Chain { height: 2, ..chain(3, &[]) };
    assert_eq!(ahead.lost_in(&Chain { height: 2, ..chain(2, &[]) }), None);
}
