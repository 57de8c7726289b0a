use super::rig::*;
use ledger::ReplicaId;

#[test]
fn a_new_life_goes_on_from_the_same_tree() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 5);
    let rival = forge.branch(ours[2].hash(), 2, 2);
    rig.hear_all(&ours);
    rig.hear_all(&rival);
    rig.restart();
    assert_eq!(rig.head(), ours[4].hash(), "first seen, also in the next life");
    assert_eq!(rig.mining.as_ref().map(|(header, _)| header.parent), Some(ours[4].hash()));
    let heavier = forge.branch(rival[1].hash(), 2, 1);
    rig.hear_all(&heavier);
    assert_eq!(rig.head(), heavier[0].hash(), "it still knows the rival");
}

#[test]
fn a_new_life_after_commits_begins_at_the_root() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let branch = forge.branch(forge.root(), 1, 30);
    rig.hear_all(&branch[..25]);
    let (root, records) = (rig.ledger.root(), rig.records.len());
    assert!(records <= 2, "{records} records: old ones must go");
    rig.restart();
    assert_eq!((rig.ledger.root(), rig.head()), (root, branch[24].hash()));
    rig.hear_all(&branch[25..]);
    assert_eq!((rig.head(), rig.commits.len()), (branch[29].hash(), 21));
}

#[test]
fn what_sync_committed_is_taken_up() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let theirs = forge.branch(forge.root(), 2, 15);
    let ours = forge.branch(forge.root(), 1, 3);
    rig.hear_all(&ours);
    rig.hear(&theirs[14]);
    rig.advance(&theirs[..12]);
    assert_eq!(rig.head(), theirs[11].hash(), "our branch is gone");
    rig.hear_all(&theirs[12..14]);
    assert_eq!(rig.head(), theirs[14].hash(), "the orphan was kept");
    rig.restart();
    assert_eq!((rig.ledger.root(), rig.head()), (theirs[11].hash(), theirs[14].hash()));
}

#[test]
fn the_work_below_the_root_counts_after_a_restart() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let ours = forge.branch(forge.root(), 1, 12);
    rig.hear_all(&ours);
    rig.restart();
    let theirs = forge.branch(forge.root(), 2, 13);
    rig.hear_all(&theirs);
    assert!(rig.conflict.is_some(), "a heavier branch below the root is known for what it is");
}

#[test]
fn rewards_and_fees_go_to_whoever_mined() {
    let (mut forge, mut rig) = (Forge::new(&[]), Rig::new(&[]));
    let block = forge.block(forge.root(), 2, 1.0, vec![pay(&forge.genesis, 3, 0, 5)]);
    rig.hear(&block);
    let balance = |id: u8| {
        let account = rig.ledger.account(block.hash(), key(id).public().address()).unwrap();
        account.balance.0
    };
    assert_eq!((balance(2), balance(3), balance(4)), (1_000 + 50 + 1, 1_000 - 6, 1_005));
    assert_eq!(block.header.proposer, ReplicaId(2));
}
