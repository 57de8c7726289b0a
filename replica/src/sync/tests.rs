use super::*;
use rand_chacha::rand_core::SeedableRng;

const MEMBERS: [ReplicaId; 2] = [ReplicaId(0), ReplicaId(1)];

/// Whom a replica at height 5 asks, of those who told it so much.
fn asked(told: &[(u32, u64)], fresh: bool, seed: u64) -> Option<u32> {
    let mut sync = Sync::default();
    told.iter().for_each(|(peer, reach)| sync.heard(ReplicaId(*peer), *reach));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (peer, ask) = sync.next(5, fresh, &MEMBERS, Duration::ZERO, &mut rng)?;
    assert_eq!(ask, Ask::Blocks { from: 5 });
    assert!(!sync.expects(peer, Some(4)), "an answer begins where it was asked for");
    assert!(sync.expects(peer, Some(5)) && !sync.expects(peer, Some(5)), "one answer each");
    Some(peer.0)
}

#[test]
fn strangers_who_claim_to_be_ahead_keep_nobody_from_a_member_who_is() {
    let crowd: Vec<_> = (100..140).map(|stranger| (stranger, u64::MAX)).chain([(1, 6)]).collect();
    for seed in 0..50 {
        assert_eq!(asked(&crowd, false, seed), Some(1));
    }
}

#[test]
fn a_stranger_is_asked_if_no_member_is_ahead() {
    assert_eq!(asked(&[(0, 5), (1, 4), (9, 7)], false, 1), Some(9));
    assert_eq!(asked(&[(0, 5), (1, 4)], false, 1), None);
}

#[test]
fn one_height_is_no_reason_while_votes_are_on_their_way() {
    assert_eq!(asked(&[(0, 6)], true, 1), None);
    assert_eq!(asked(&[(0, 6)], false, 1), Some(0));
    assert_eq!(asked(&[(0, 7)], true, 1), Some(0));
}
