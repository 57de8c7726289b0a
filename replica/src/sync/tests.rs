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

/// Whom a replica at height 5 asks at a moment, all of whom say that they are far ahead.
fn next(sync: &mut Sync, now: Duration, rng: &mut ChaCha8Rng) -> Option<u32> {
    MEMBERS.iter().for_each(|peer| sync.heard(*peer, u64::MAX));
    sync.next(5, false, &MEMBERS, now, rng).map(|(peer, _)| peer.0)
}

#[test]
fn whoever_promises_and_brings_nothing_is_asked_last() {
    for seed in 0..50 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut sync, mut now) = (Sync::default(), Duration::ZERO);
        let mut waited_for_the_liar = 0;
        for _ in 0..100 {
            now += Duration::from_millis(10);
            match next(&mut sync, now, &mut rng).expect("somebody is ahead") {
                // The liar never answers.
                0 => {
                    waited_for_the_liar += 1;
                    now += TIMEOUT;
                }
                _ => {
                    assert!(sync.expects(MEMBERS[1], Some(5)));
                    sync.answered(MEMBERS[1], true);
                    sync.kept(MEMBERS[1]);
                }
            }
        }
        assert!(waited_for_the_liar <= 1, "seed {seed}: {waited_for_the_liar} times");
    }
}

#[test]
fn an_answer_of_somebody_doubted_is_not_waited_for_when_another_is_ahead() {
    let (mut sync, mut rng) = (Sync::default(), ChaCha8Rng::seed_from_u64(1));
    let now = Duration::from_secs(1);
    sync.broken(MEMBERS[0]);
    sync.heard(MEMBERS[0], 9);
    let mut ask = |sync: &mut Sync| sync.next(5, false, &MEMBERS, now, &mut rng);
    assert_eq!(ask(&mut sync).map(|(peer, _)| peer), Some(MEMBERS[0]), "nobody else is ahead");
    assert_eq!(ask(&mut sync), None, "it is waited for");
    sync.heard(MEMBERS[1], 6);
    assert_eq!(ask(&mut sync).map(|(peer, _)| peer), Some(MEMBERS[1]));
    assert_eq!(ask(&mut sync), None);
    assert!(sync.expects(MEMBERS[0], Some(5)), "a late answer is welcome all the same");
    sync.kept(MEMBERS[0]);
    assert_eq!(sync.doubts(MEMBERS[0]), 0, "and forgives everything");
}
