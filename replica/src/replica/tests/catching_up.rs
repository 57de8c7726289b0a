//! Blocks from peers: what is asked for, believed, and answered.

use super::*;
use crate::sync;

/// Blocks that another replica committed, one for each proof.
fn history(proofs: &[Option<ledger::Proof>]) -> Vec<Chained> {
    let mut rig = Rig::new();
    rig.start();
    for proof in proofs {
        rig.commit(proof.clone());
    }
    let blocks = (1..).map_while(|height| rig.replica.ledger.committed(height));
    blocks.zip(proofs).map(|(block, proof)| Chained { block, proof: proof.clone() }).collect()
}

fn summary(reach: u64) -> Opened<Word> {
    let inbox = Inbox::<Word>::new(Default::default(), 4);
    Opened::Summary(Gossip::default().summary(&inbox, reach, &crate::testing::committee()))
}

/// A peer says that it is far ahead, is asked, and answers.
fn answer(rig: &mut Rig, peer: u32, blocks: Vec<Chained>) -> Vec<Action<Word>> {
    rig.from(peer, summary(50));
    rig.from(peer, Opened::Blocks(blocks))
}

#[test]
fn blocks_that_nobody_asked_for_are_not_even_looked_at() {
    let blocks = history(&[Some(believed())]);
    let mut rig = Rig::new();
    rig.start();
    let unasked = |rig: &mut Rig| refusals(&rig.from(1, Opened::Blocks(blocks.clone())));
    assert_eq!(unasked(&mut rig), ["unasked"]);
    rig.from(1, summary(50));
    assert!(unasked(&mut rig).is_empty());
    assert_eq!(rig.replica.ledger.height(), 1);
    rig.now += sync::TIMEOUT;
    rig.from(2, summary(50));
    let many = vec![blocks[0].clone(); sync::MAX_BLOCKS + 1];
    assert_eq!(refusals(&rig.from(2, Opened::Blocks(many))), ["too_many"]);
}

#[test]
fn a_rival_of_the_genesis_is_nobodys_business() {
    let mut blocks = history(&[Some(believed())]);
    let mut block = blocks[0].block.as_ref().clone();
    block.header.height = 0;
    blocks[0].block = Arc::new(block);
    let mut rig = Rig::new();
    rig.start();
    answer(&mut rig, 1, blocks);
    assert_eq!(rig.replica.halted, None);
}

#[test]
fn a_replica_that_is_behind_catches_up_with_proofs_only() {
    let blocks = history(&[None, Some(believed()), Some(believed())]);
    let mut rig = Rig::new();
    rig.start();
    answer(&mut rig, 1, blocks[..1].to_vec());
    assert_eq!(rig.replica.ledger.height(), 0, "nothing proves the first block");
    let mut forged = blocks.clone();
    forged[1].proof = Some(ledger::Proof(b"trust me".to_vec()));
    let actions = answer(&mut rig, 1, forged);
    assert_eq!(refusals(&actions), ["unproven"]);
    assert_eq!(rig.replica.ledger.height(), 0);
    answer(&mut rig, 2, blocks.clone());
    assert_eq!(rig.replica.ledger.height(), 3, "the second proof covers the first block");
    let advanced = rig.puppet.count(|input| matches!(input, Input::Advanced { .. }));
    assert_eq!(advanced, 1, "once for all that the answer brought");
    answer(&mut rig, 2, blocks);
    assert_eq!(rig.replica.ledger.height(), 3, "the same again changes nothing");
    assert_eq!(rig.replica.halted, None);
}

#[test]
fn a_peer_that_is_ahead_is_asked_and_one_that_is_behind_is_told() {
    let mut rig = Rig::new();
    rig.start();
    let actions = rig.from(2, summary(5));
    let asked = sends(&actions);
    assert!(matches!(asked[..], [(Class::Sync, Packet::Ask(Ask::Blocks { .. }), to)]
        if to == [ReplicaId(2)]));
    rig.commit(Some(believed()));
    rig.now += gossip::PATIENCE;
    let actions = rig.from(3, summary(0));
    let told = sends(&actions);
    assert!(matches!(told[..], [(Class::Summary, Packet::Summary(_), to)] if to == [ReplicaId(3)]));
}

#[test]
fn conflicting_finality_halts_the_vote_but_not_the_answers_and_is_remembered() {
    let mut rival = history(&[Some(believed())]);
    let mut block = rival[0].block.as_ref().clone();
    block.header.time += 1;
    rival[0].block = Arc::new(block);
    let blocks = rival;
    let rival = blocks[0].block.hash();
    let mut rig = Rig::new();
    rig.start();
    rig.commit(Some(believed()));
    let actions = answer(&mut rig, 1, blocks);
    assert!(actions.iter().any(|action| matches!(action, Action::Halted(_))));
    let steps = rig.puppet.told.borrow().len();
    rig.nudge();
    assert_eq!(rig.puppet.told.borrow().len(), steps, "the protocol is told nothing more");
    rig.store.crash();
    let mut rig = Rig::on(rig.store);
    rig.start();
    assert!(rig.puppet.told.borrow().is_empty(), "nor after a restart");
    let actions = rig.handle(Event::Asked { id: 1, query: Query::Status });
    let Some(Action::Answer { answer: Answer::Status(status), .. }) = actions.last() else {
        panic!("no answer in {actions:?}");
    };
    assert!(status.state.starts_with("halted: "), "{}", status.state);
    assert_eq!(status.height, 1);
    let actions = rig.handle(Event::Asked { id: 2, query: Query::Conflict });
    let Some(Action::Answer { answer: Answer::Conflict(Some(conflict)), .. }) = actions.last()
    else {
        panic!("no answer in {actions:?}");
    };
    assert_eq!((conflict.height, conflict.ours, conflict.theirs), (1, status.head, rival));
    let proofs = [&conflict.our_finality, &conflict.their_finality];
    assert!(proofs.iter().all(|side| side.as_ref().is_some_and(|side| side.proof == believed())));
    assert!(conflict.guilty.is_empty(), "a puppet's proof is signed by nobody");
    assert!(status.state.ends_with(&conflict.verdict), "{}", conflict.verdict);
}

/// A peer that caught up itself may hold one proof for many blocks.
#[test]
fn a_rival_is_noticed_though_its_proof_lies_above_our_height() {
    let mut rivals = history(&[Some(believed()), None, Some(believed())]);
    let mut block = rivals[0].block.as_ref().clone();
    block.header.time += 1;
    rivals[0] = Chained { block: Arc::new(block), proof: None };
    let mut rig = Rig::new();
    rig.start();
    rig.commit(Some(believed()));
    answer(&mut rig, 1, rivals[..1].to_vec());
    assert_eq!(rig.replica.halted, None, "nothing proves it");
    answer(&mut rig, 1, rivals);
    assert!(rig.replica.halted.is_some());
    let conflict = rig.replica.conflict.as_ref().expect("it is kept");
    assert_eq!(conflict.their_finality.as_ref().expect("it came").headers.len(), 3);
}

#[test]
fn a_wanted_block_is_asked_for_until_it_arrives_whole() {
    let wanted = history(&[Some(believed())])[0].block.clone();
    let hash = wanted.hash();
    let mut rig = Rig::new();
    rig.start();
    rig.puppet.act(Effect::Want(Want::Block(hash)));
    let actions = rig.nudge();
    assert!(matches!(sends(&actions)[..], [(Class::Sync, Packet::Ask(Ask::Block(asked)), _)]
        if *asked == hash));
    rig.now += WANT_PERIOD;
    assert_eq!(sends(&rig.handle(Event::Rang(Alarm::Wants))).len(), 1, "nobody answered yet");
    let mut gutted = wanted.as_ref().clone();
    gutted.transactions.push(transfer(1, 0, 5).transaction().clone());
    let actions = rig.from(1, Opened::Branch(vec![Arc::new(gutted)]));
    assert_eq!(refusals(&actions), ["body"]);
    let arrived = |input: &Input<Word>| matches!(input, Input::Arrived(_));
    rig.from(1, Opened::Branch(vec![Arc::clone(&wanted)]));
    assert_eq!(rig.puppet.count(arrived), 1);
    let actions = rig.from(1, Opened::Branch(vec![wanted]));
    assert_eq!(refusals(&actions), ["unwanted"]);
    assert_eq!(rig.puppet.count(arrived), 1);
}
