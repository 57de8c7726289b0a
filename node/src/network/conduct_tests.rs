use super::*;

#[test]
fn one_fault_too_many_shuts_a_peer_out_for_a_while() {
    let mut conduct = Conduct::default();
    let now = Instant::now();
    for _ in 1..MAX_FAULTS {
        assert_eq!(conduct.fault(now), Sentence::Noted);
        assert_eq!(conduct.banned_until(now), None);
    }
    assert_eq!(conduct.fault(now), Sentence::Banned);
    let end = now + BAN;
    assert_eq!(conduct.banned_until(now), Some(end));
    // What was on its way when it was shut out makes the ban no longer.
    assert_eq!(conduct.fault(now + BAN / 2), Sentence::Served);
    assert_eq!(conduct.banned_until(now + BAN / 2), Some(end));

    assert_eq!(conduct.banned_until(end), None);
    for _ in 1..MAX_FAULTS {
        assert_eq!(conduct.fault(end), Sentence::Noted, "it starts afresh");
    }
    assert_eq!(conduct.fault(end), Sentence::Banned);
}

#[test]
fn a_fault_now_and_then_never_adds_up() {
    let mut conduct = Conduct::default();
    let now = Instant::now();
    for minute in 0..1_000 {
        assert_eq!(conduct.fault(now + FADE * minute), Sentence::Noted, "minute {minute}");
    }
    let later = now + FADE * 1_000;
    let faults = (0..MAX_FAULTS).map(|_| conduct.fault(later)).collect::<Vec<_>>();
    assert!(faults.contains(&Sentence::Banned), "all at once do");
}
