use super::*;

fn ids(ids: &[u32]) -> BTreeSet<ReplicaId> {
    ids.iter().copied().map(ReplicaId).collect()
}

fn precommit(round: u64) -> (&'static str, Option<Slot>) {
    ("precommit", Some(Slot { height: 1, epoch: 0, round, phase: 2 }))
}

#[test]
fn a_choice_counts_once_for_each_message_and_each_who_misses_it() {
    let what = Place { kind: "precommit".into(), height: 1, round: 0 };
    let withhold =
        Withhold { what: what.clone(), from: ids(&[0, 1, 3]), to: ids(&[1, 2]), until: None };
    let crash = Crash { replica: ReplicaId(1), after: what, down: Duration::ZERO };
    let say = Choice::Say { by: ReplicaId(3), line: Line::default() };
    let choices = vec![Choice::Withhold(withhold), say, Choice::Crash(crash)];
    assert_eq!(Adversary { choices }.len(), 5 + 1 + 1, "nobody is kept from hearing itself");
}

#[test]
fn a_message_is_withheld_by_its_place_its_sender_and_its_hearer() {
    let late = Duration::from_secs(8);
    let what = Place { kind: "precommit".into(), height: 1, round: 0 };
    let withhold = |until| Withhold { what: what.clone(), from: ids(&[0]), to: ids(&[1]), until };
    let choices = vec![Choice::Withhold(withhold(None))];
    let adversary = Adversary { choices };
    let [zero, one] = [ReplicaId(0), ReplicaId(1)];
    assert_eq!(adversary.withholds(precommit(0), zero, one, late), Some(late));
    assert_eq!(adversary.withholds(precommit(1), zero, one, late), None);
    assert_eq!(adversary.withholds(precommit(0), one, zero, late), None);
    let soon = Duration::from_secs(1);
    let adversary = Adversary { choices: vec![Choice::Withhold(withhold(Some(soon)))] };
    assert_eq!(adversary.withholds(precommit(0), zero, one, late), Some(soon));
}
