//! Where stake can be lost: what is held against whom, and who is listened to.

use super::*;
use crate::{
    docket::Docket,
    gossip::Summary,
    sync,
    testimony::Stub,
    testing::{staking_genesis, staking_hand, staking_keys},
};
use ledger::{Action as Deed, Slot, vote::Evidence};

/// Replica 0 on a chain that punishes.
fn punishing() -> Rig {
    let options = Options { first_life: true, ..Options::default() };
    let mut rig =
        Rig::of((staking_genesis(), staking_hand(0), staking_keys()), Arc::default(), options);
    rig.start();
    rig
}

/// Two words of one sender in one slot.
fn double(who: u32, height: u64) -> [Signed<Word>; 2] {
    [1, 2].map(|text| say(&staking_hand(who), Word { height, round: 0, text }))
}

/// As a peer shows it.
fn testimony(who: u32, height: u64) -> Opened<Word> {
    Opened::Testimony(double(who, height).iter().filter_map(Stub::of).collect())
}

fn held(docket: &Docket) -> Vec<(u32, u64)> {
    docket.all().map(|each: &Evidence| (each.offender.0, each.slot.height)).collect()
}

/// Who confesses to what convicts nobody must not become immune by it.
#[test]
fn a_confession_that_convicts_nobody_hides_nothing() {
    for height in [u64::MAX, 0, 100] {
        let mut rig = punishing();
        rig.from(3, testimony(3, height));
        assert_eq!(held(rig.replica.docket()), [], "height {height}");
        rig.from(2, testimony(3, 1));
        assert_eq!(held(rig.replica.docket()), [(3, 1)]);
        assert!(rig.replica.pool.accuses(ReplicaId(3)), "it is reported at once");
    }
}

#[test]
fn nobody_is_held_guilty_of_a_height_without_a_seat() {
    let mut rig = punishing();
    rig.from(3, testimony(9, 1));
    assert_eq!(held(rig.replica.docket()), []);
    assert_eq!(rig.replica.findings(), (0, 0));
}

/// Its seat may be gone by then.
#[test]
fn what_convicts_now_takes_the_place_of_what_is_still_to_come() {
    let mut rig = punishing();
    rig.from(3, testimony(3, 4));
    assert_eq!(held(rig.replica.docket()), [(3, 4)]);
    assert!(!rig.replica.pool.accuses(ReplicaId(3)), "height 4 is still to come");
    rig.from(2, testimony(3, 1));
    assert_eq!(held(rig.replica.docket()), [(3, 1)]);
    assert!(rig.replica.pool.accuses(ReplicaId(3)));
    rig.from(3, testimony(3, 3));
    assert_eq!(held(rig.replica.docket()), [(3, 1)]);
}

#[test]
fn who_has_no_seat_is_not_heard() {
    let mut rig = punishing();
    let heard = |input: &Input<Word>| matches!(input, Input::Heard(_));
    let mut refused = Vec::new();
    for (who, height) in [(9, 1), (9, 3), (3, 1), (3, 3), (3, 0)] {
        let word = say(&staking_hand(who), Word { height, round: 0, text: 1 });
        refused.extend(refusals(&rig.from(who, Opened::Message(word))));
    }
    assert_eq!(refused, ["no_seat"; 2]);
    assert_eq!(rig.puppet.count(heard), 3);
    assert!(rig.replica.inbox.slots().values().all(|held| held.voices.speakers() == 1));
}

/// An own chain of so many blocks, each with its proof, the rivals of those of everybody else.
fn rivals(height: u64) -> Vec<Chained> {
    let mut rig = punishing();
    let mut blocks = Vec::new();
    for at in 1..=height {
        rig.commit(Some(believed()));
        let mut block = rig.replica.ledger.committed(at).expect("committed").as_ref().clone();
        block.header.time += 1;
        blocks.push(Chained { block: Arc::new(block), proof: Some(believed()) });
    }
    blocks
}

fn reach(reach: u64) -> Opened<Word> {
    let covers = (Default::default(), Default::default());
    Opened::Summary(Summary { reach, covers, slots: Vec::new(), dead: Box::default() })
}

/// Those who decided it long ago have nothing at stake any more.
#[test]
fn a_rival_from_long_ago_halts_nobody_and_a_fresh_one_does() {
    let rivals = rivals(13);
    for (ours, halts) in [(11, true), (12, false)] {
        let mut rig = punishing();
        // Asked at the beginning, it answers late.
        rig.from(1, reach(50));
        for _ in 0..ours {
            rig.commit(Some(believed()));
        }
        let refused = refusals(&rig.from(1, Opened::Blocks(rivals[..1].to_vec())));
        assert_eq!(refused, [if halts { "conflict" } else { "old_rival" }], "height {ours}");
        assert_eq!(rig.replica.halted.is_some(), halts, "height {ours}");
    }
}

#[test]
fn an_answer_does_not_begin_below_what_was_asked_for() {
    let rivals = rivals(3);
    let mut rig = punishing();
    for _ in 0..3 {
        rig.commit(Some(believed()));
    }
    rig.now += sync::TIMEOUT;
    rig.from(1, reach(50));
    assert_eq!(refusals(&rig.from(1, Opened::Blocks(rivals.clone()))), ["unasked"]);
    assert_eq!(rig.replica.halted, None);
    let refused = refusals(&rig.from(1, Opened::Blocks(rivals[2..].to_vec())));
    assert_eq!(refused, ["conflict"], "the question stands");
}

/// The founders' word is worth nothing to whoever became a validator after them.
#[test]
fn a_later_member_is_born_when_the_chain_names_it_and_not_on_the_founders_word() {
    let setup = (staking_genesis(), staking_hand(4), staking_keys());
    let mut rig = Rig::of(setup, Arc::default(), Options::default());
    rig.start();
    rig.puppet.act(Effect::Send { to: To::All, message: Word { height: 3, round: 0, text: 1 } });
    rig.nudge();
    for who in 0..4 {
        rig.from(who, reach(0));
    }
    rig.commit(Some(believed()));
    assert!(rig.replica.birth.is_some() && !rig.replica.is_born);
    let bond = Deed::Bond { amount: ledger::Amount(5), validator: ReplicaId(4) };
    let bond = staking_hand(4).transact(0, bond).expect("it has an account");
    rig.puppet.pull(|turn| {
        let block = assemble(turn, vec![bond]);
        let block = turn.app.accept(&block).unwrap();
        turn.act(Effect::Commit { block, proof: Some(believed()) });
    });
    let actions = rig.nudge();
    let actions = rig.settle(actions);
    assert!(rig.replica.is_born);
    let said = |(_, packet, _): &(Class, &Packet<Word>, _)| matches!(packet, Packet::Message(_));
    assert_eq!(sends(&actions).iter().filter(|sent| said(sent)).count(), 1, "what waited is said");
}

#[test]
fn the_word_of_a_guest_says_nothing_about_our_past() {
    let setup = (staking_genesis(), staking_hand(0), staking_keys());
    let mut rig = Rig::of(setup, Arc::default(), Options::default());
    rig.start();
    for (who, height) in [(9, u64::MAX), (1, 0), (2, 0)] {
        rig.from(who, reach(height));
    }
    assert!(rig.replica.is_born, "nobody who counts has said that there is more");
}

/// The longest answers there are go to nobody who need not answer for anything.
#[test]
fn a_guest_is_sent_no_messages_and_no_hearsay() {
    let mut rig = punishing();
    let ours = say(&staking_hand(1), Word { height: 1, round: 0, text: 1 });
    rig.from(1, Opened::Message(ours));
    rig.now += gossip::PATIENCE;
    let mut answers = |who| {
        let everything = Slot { height: u64::MAX, ..Slot::default() };
        let covers = (Slot::default(), everything);
        let summary = Summary { reach: 0, covers, slots: Vec::new(), dead: Box::default() };
        let actions = rig.from(who, Opened::Summary(summary));
        sends(&actions).len()
    };
    assert_eq!((answers(2), answers(9)), (1, 0));
}

/// A newcomer with nearly all stake decides height 3, and none before.
#[test]
fn a_round_matters_by_the_stake_of_those_who_decided_its_height() {
    let mut rig = punishing();
    let bond = Deed::Bond { amount: ledger::Amount(900), validator: ReplicaId(4) };
    let bond = staking_hand(4).transact(0, bond).expect("it has an account");
    rig.puppet.pull(|turn| {
        let block = assemble(turn, vec![bond]);
        let block = turn.app.accept(&block).unwrap();
        turn.act(Effect::Commit { block, proof: Some(believed()) });
    });
    let actions = rig.nudge();
    rig.settle(actions);
    for who in [1, 2] {
        let word = say(&staking_hand(who), Word { height: 2, round: 0, text: 1 });
        rig.from(who, Opened::Message(word));
    }
    rig.commit(Some(believed()));
    let committee = rig.replica.ledger.committee(rig.replica.ledger.root()).expect("known");
    assert_eq!(committee.total(), 904, "it decides height 3");
    rig.puppet.act(Effect::Horizon { height: 2, round: 0 });
    rig.nudge();
    assert_eq!(rig.replica.testimony.len(), 2, "two of the four who decided height 2");
}

/// A wallet that asked while the report waited was told the nonce after it.
#[test]
fn a_report_that_came_too_late_leaves_no_gap_before_a_payment() {
    let mut rig = punishing();
    rig.from(2, testimony(3, 1));
    let action = Deed::Transfer { to: address(3), amount: ledger::Amount(5) };
    let payment = staking_hand(0).transact(1, action).expect("it has an account");
    let payment = payment.verify(staking_genesis().chain_id()).expect("it is signed");
    let theirs = rig.replica.docket().all().next().expect("it is held").clone();
    let theirs = staking_hand(1).transact(0, Deed::Evidence(Box::new(theirs))).expect("signed");
    for transactions in [Some(vec![theirs]), None] {
        rig.puppet.pull(|turn| {
            let waiting = turn.app.pending(turn.app.root(), &BTreeSet::new(), 10);
            let block = assemble(turn, transactions.unwrap_or(waiting));
            let block = turn.app.accept(&block).unwrap();
            turn.act(Effect::Commit { block, proof: Some(believed()) });
        });
        let actions = rig.nudge();
        rig.settle(actions);
        if rig.replica.ledger.height() == 1 {
            assert!(rig.replica.pool.is_empty(), "somebody else was faster");
            rig.handle(Event::Asked { id: 1, query: Query::Submit(payment.clone()) });
            rig.handle(Event::Rang(Alarm::Gossip));
        }
    }
    let account = rig.replica.ledger.account(rig.replica.ledger.root(), address(0)).unwrap();
    // The reporter of block 1 is replica 1, and a fee of nothing was paid.
    assert_eq!((account.nonce, account.balance), (2, ledger::Amount(995)));
    rig.handle(Event::Rang(Alarm::Gossip));
    assert_eq!((rig.replica.voided, rig.replica.pool.len()), (None, 0));
}
