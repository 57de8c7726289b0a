use super::*;
use std::collections::BTreeSet;

const MINUTE: Duration = Duration::from_secs(60);

fn chaos_of(seed: u64) -> Schedule {
    chaos(seed, 7, 2, MINUTE)
}

#[test]
fn never_more_are_silent_or_down_than_may_be_and_none_in_the_end() {
    for seed in 0..200 {
        let (mut silent, mut down) = (BTreeSet::new(), BTreeSet::new());
        let mut most = 0;
        for step in chaos_of(seed).steps() {
            let changed = match step.fault {
                Fault::Crash(id) => down.insert(id),
                Fault::Restart(id) => down.remove(&id),
                Fault::Silence(id) => silent.insert(id),
                Fault::Speak(id) => silent.remove(&id),
                _ => true,
            };
            assert!(changed, "seed {seed}: {step} changes nothing");
            most = most.max(silent.union(&down).count());
        }
        assert!((1..=2).contains(&most), "seed {seed}: {most} at a time");
        assert!(silent.is_empty() && down.is_empty(), "seed {seed}");
    }
}

#[test]
fn what_is_broken_is_mended_by_the_stated_time() {
    for seed in 0..200 {
        let schedule = chaos_of(seed);
        assert_eq!(schedule.end(), MINUTE, "seed {seed}");
        let last = |wanted: fn(&Fault) -> bool| {
            let steps = schedule.steps().iter().rev();
            steps.map(|step| &step.fault).find(|fault| wanted(fault)).cloned()
        };
        assert_eq!(last(|fault| matches!(fault, Fault::Loss(_))), Some(Fault::Loss(0)));
        let calm = Conditions::default();
        let latency = last(|fault| matches!(fault, Fault::Latency(_)));
        assert_eq!(latency, Some(Fault::Latency(calm.latency)), "seed {seed}");
        let partition = |fault: &Fault| matches!(fault, Fault::Partition(_) | Fault::Heal);
        assert!(matches!(last(partition), Some(Fault::Heal) | None), "seed {seed}");
        let mut cuts = BTreeSet::new();
        for step in schedule.steps() {
            match &step.fault {
                Fault::Cut { from, to } => assert!(cuts.insert((*from, *to)), "seed {seed}"),
                Fault::Mend { from, to } => assert!(cuts.remove(&(*from, *to)), "seed {seed}"),
                _ => {}
            }
        }
        assert!(cuts.is_empty(), "seed {seed}");
    }
}

#[test]
fn the_same_seed_makes_the_same_chaos_and_another_seed_another() {
    assert_eq!(chaos_of(1), chaos_of(1));
    assert_ne!(chaos_of(1), chaos_of(2));
    assert_ne!(chaos(1, 4, 1, MINUTE), chaos(1, 7, 1, MINUTE));
}

#[test]
fn the_smallest_worlds_have_their_chaos_too() {
    for seed in 0..20 {
        assert_eq!(chaos(seed, 1, 0, MINUTE).end(), MINUTE);
        assert_eq!(chaos(seed, 2, 1, MINUTE).end(), MINUTE);
        assert_eq!(chaos(seed, 4, 1, Duration::ZERO).end(), Duration::ZERO);
    }
}
