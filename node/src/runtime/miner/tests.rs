use super::*;
use crossbeam_channel::bounded;
use crypto::Hash;
use ledger::{BlockHash, ReplicaId, Seal};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn header(height: u64) -> Header {
    Header {
        parent: BlockHash::default(),
        height,
        time: height,
        proposer: ReplicaId(0),
        transactions: Hash::ZERO,
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal::default(),
    }
}

/// The most significant byte is the last: one in 2^`zeros` hashes meets this.
fn easy(zeros: u32) -> [u8; 32] {
    let mut target = [0xff; 32];
    target[30..].copy_from_slice(&(0xffff_u16 >> zeros).to_le_bytes());
    target
}

#[test]
fn what_it_finds_meets_the_target_and_changes_only_the_nonce() {
    let (mined, found) = bounded(1);
    let (failures, _reports) = Failures::channel();
    let (miner, thread) = Miner::start(mined, &failures).expect("a thread");
    miner.mine(header(1), easy(12));
    let found = found.recv_timeout(SOON).expect("found");
    let hash = found.hash();
    assert_eq!(hash.0.as_bytes()[31], 0);
    assert!(hash.0.as_bytes()[30] <= 0x0f);
    let seal = Seal::default();
    assert_eq!(Header { seal, ..found }, header(1));
    drop(miner);
    thread.join().expect("no panic");
}

#[test]
fn a_newer_header_replaces_a_hopeless_one() {
    let (mined, found) = bounded(1);
    let (failures, _reports) = Failures::channel();
    let (miner, thread) = Miner::start(mined, &failures).expect("a thread");
    miner.mine(header(1), [0; 32]);
    miner.mine(header(2), easy(4));
    assert_eq!(found.recv_timeout(SOON).map(|header| header.height), Ok(2));
    miner.mine(header(3), [0; 32]);
    drop(miner);
    thread.join().expect("a hopeless search ends with its owner");
}

#[test]
fn the_target_itself_is_met_and_one_less_is_not() {
    let mut target = header(5).hash().0.to_bytes();
    assert!(meets(&header(5), &target));
    let lowest = target.iter().position(|byte| *byte > 0).expect("not zero");
    target[..lowest].fill(0xff);
    target[lowest] -= 1;
    assert!(!meets(&header(5), &target));
}
