use super::*;
use crypto::SecretKey;
use ledger::{BlockHash, ChainId, ReplicaId, Stake};

const NOW: u64 = 1_800_000_000_000;

/// Four equal members, all connected, a block a second ago, one every second.
fn good() -> Standing {
    let members = (0..4).map(|id| Member {
        id: ReplicaId(id),
        key: SecretKey::from_seed([id as u8 + 1; 32]).public(),
        stake: Stake(10),
        share: ledger::Share::FULL,
    });
    let status = StatusAnswer {
        chain_id: ChainId::default(),
        consensus: "tendermint".into(),
        replica: ReplicaId(2),
        height: 17,
        head: BlockHash::default(),
        head_height: 0,
        round: 0,
        peers: 0,
        pool: 0,
        time: NOW - 1_000,
        state: "running".into(),
        accused: Vec::new(),
        punished: Vec::new(),
        burned: Default::default(),
        weights: None,
    };
    Standing {
        status: Some(status),
        members: members.collect(),
        connected: vec![0, 1, 3],
        block_time: Duration::from_secs(1),
        now: Duration::from_millis(NOW),
    }
}

fn reason(change: impl FnOnce(&mut Standing)) -> Option<&'static str> {
    let mut standing = good();
    change(&mut standing);
    judge(&standing).err().map(|ailment| ailment.reason())
}

fn status(standing: &mut Standing) -> &mut StatusAnswer {
    standing.status.as_mut().expect("it is there")
}

#[test]
fn a_node_with_a_quorum_and_a_fresh_block_is_healthy() {
    assert_eq!(reason(|_| {}), None);
    assert_eq!(reason(|standing| standing.connected = vec![0, 3]), None);
    // A block from a clock that runs ahead of ours is not old.
    assert_eq!(reason(|standing| status(standing).time = NOW + 60_000), None);
}

#[test]
fn a_partitioned_node_is_not_healthy() {
    assert_eq!(reason(|standing| standing.connected = vec![0]), Some("no_quorum"));
    assert_eq!(reason(|standing| standing.connected.clear()), Some("no_quorum"));
    // Exactly two thirds are no quorum, and a stranger has no stake.
    let two_of_three = |standing: &mut Standing| {
        standing.members.truncate(3);
        standing.connected = vec![0, 9];
    };
    assert_eq!(reason(two_of_three), Some("no_quorum"));
    let heavy = |standing: &mut Standing| {
        standing.connected = vec![1];
        standing.members[1].stake = Stake(100);
    };
    assert_eq!(reason(heavy), None, "stake counts, not heads");
}

#[test]
fn what_counts_is_the_modules_to_say() {
    let heads = |connected: Vec<u32>| {
        move |standing: &mut Standing| {
            status(standing).consensus = "pbft".into();
            standing.connected = connected;
            standing.members[1].stake = Stake(100);
        }
    };
    assert_eq!(reason(heads(vec![1])), Some("no_quorum"), "two of four, whatever they own");
    assert_eq!(reason(heads(vec![0, 3])), None);
}

#[test]
fn a_validator_that_is_alone_is_its_own_quorum() {
    let alone = |standing: &mut Standing| {
        standing.members.retain(|member| member.id == ReplicaId(2));
        standing.connected.clear();
    };
    assert_eq!(reason(alone), None);
}

#[test]
fn a_node_without_a_seat_follows_as_long_as_it_can_read_from_a_member() {
    let follower = |standing: &mut Standing| status(standing).replica = ReplicaId(4);
    assert!(!good().follows());
    let mut standing = good();
    follower(&mut standing);
    assert!(standing.follows());
    let reading_from = |connected: Vec<u32>| {
        move |standing: &mut Standing| {
            follower(standing);
            standing.connected = connected;
        }
    };
    assert_eq!(reason(reading_from(vec![2])), None);
    assert_eq!(reason(reading_from(vec![9])), Some("no_member"));
    let stale = |standing: &mut Standing| {
        follower(standing);
        status(standing).time = NOW - 60_000;
    };
    assert_eq!(reason(stale), Some("stale"));
}

#[test]
fn a_chain_that_stands_still_is_not_healthy() {
    let late = |by: u64| move |standing: &mut Standing| status(standing).time = NOW - by;
    assert_eq!(reason(late(20_000)), None);
    assert_eq!(reason(late(20_001)), Some("stale"));
    let slow = |standing: &mut Standing| {
        standing.block_time = Duration::from_secs(60);
        status(standing).time = NOW - 600_000;
    };
    assert_eq!(reason(slow), None);
}

#[test]
fn the_worst_is_told_first() {
    assert_eq!(reason(|standing| standing.status = None), Some("no_answer"));
    let all = |standing: &mut Standing| {
        standing.connected.clear();
        status(standing).state = "halted: two blocks at height 3".into();
    };
    assert_eq!(reason(all), Some("halted"));
}
