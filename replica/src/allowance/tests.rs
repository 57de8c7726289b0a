use super::*;
use proptest::prelude::*;

const PEER: ReplicaId = ReplicaId(3);
const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn whoever_asks_and_asks_is_refused_and_then_told_of() {
    let mut allowance = Allowance::default();
    let mut rulings = [0u32; 3];
    for _ in 0..10_000 {
        rulings[allowance.question(PEER, Duration::ZERO) as usize] += 1;
    }
    assert_eq!(rulings[..2], [QUESTIONS_AT_ONCE, PATIENCE_AT_ONCE]);
    assert_eq!(rulings[2], 10_000 - QUESTIONS_AT_ONCE - PATIENCE_AT_ONCE);
    assert_eq!(
        allowance.question(ReplicaId(4), Duration::ZERO),
        Ruling::Granted,
        "one's own fault"
    );
    let later = Duration::from_secs(1);
    assert_eq!(allowance.question(PEER, later), Ruling::Granted);
}

#[test]
fn of_questions_that_are_put_off_the_last_one_is_answered() {
    let mut allowance = Allowance::default();
    allowance.answered(PEER, Duration::ZERO, u64::from(ANSWERS_AT_ONCE));
    assert!(!allowance.may_answer(PEER, Duration::ZERO));
    assert_eq!(allowance.put_off(PEER, Duration::ZERO, 7), Ruling::Granted);
    assert_eq!(allowance.put_off(PEER, Duration::ZERO, 8), Ruling::Refused);
    assert_eq!(allowance.due(Duration::ZERO), []);
    assert_eq!(allowance.due(MILLISECOND), [(PEER, 8)]);
    assert_eq!(allowance.due(MILLISECOND), [], "once");
}

#[test]
fn those_who_are_quiet_are_forgotten_and_no_debtor_is() {
    let mut allowance = Allowance::default();
    allowance.answered(PEER, Duration::ZERO, u64::from(u32::MAX));
    for peer in 100..10_000 {
        allowance.question(ReplicaId(peer), MILLISECOND * peer);
        assert!(allowance.accounts.len() <= MANY + 1);
    }
    assert!(!allowance.may_answer(PEER, Duration::from_secs(100)));
    assert!(allowance.accounts.contains_key(&PEER));
}

proptest! {
    /// One question at a time, as sync asks: the next when the answer is there, or after a second. However
    /// long the answers and however fast the link, none is refused; it is put off for so long at most that
    /// nobody runs out of patience.
    #[test]
    fn whoever_asks_one_question_at_a_time_is_never_refused(
        answers in prop::collection::vec((0u64..4_500_000, 1u64..65, 2u64..200), 1..300),
    ) {
        let mut allowance = Allowance::default();
        let mut now = Duration::ZERO;
        for (bytes, blocks, milliseconds) in answers {
            prop_assert_eq!(allowance.question(PEER, now), Ruling::Granted);
            if !allowance.may_answer(PEER, now) {
                prop_assert_eq!(allowance.put_off(PEER, now, 1), Ruling::Granted);
                let asked = now;
                while allowance.due(now).is_empty() {
                    now += crate::gossip::PERIOD;
                }
                prop_assert!(now - asked < crate::sync::TIMEOUT, "{:?}", now - asked);
            }
            allowance.answered(PEER, now, bytes + blocks * BLOCK);
            now += MILLISECOND * milliseconds as u32;
        }
    }

    /// Whatever a peer asks, over any time its answers take no more than its budget and one answer.
    #[test]
    fn no_peer_gets_more_than_its_budget(
        asks in prop::collection::vec((0u64..50, 0u64..4_500_000), 1..500),
    ) {
        let mut allowance = Allowance::default();
        let (mut now, mut given, mut largest) = (Duration::ZERO, 0, 0);
        for (milliseconds, bytes) in asks {
            now += MILLISECOND * milliseconds as u32;
            if allowance.may_answer(PEER, now) {
                allowance.answered(PEER, now, bytes);
                given += bytes;
                largest = largest.max(bytes);
            }
        }
        let filled = u64::from(ANSWERS) * now.as_millis() as u64 / 1_000;
        prop_assert!(given <= filled + u64::from(ANSWERS_AT_ONCE) + largest);
    }
}
