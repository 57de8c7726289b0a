use super::*;

fn id(number: u64) -> TransactionId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    TransactionId(bytes.into())
}

#[test]
fn youth_passes() {
    let mut young = Young::default();
    let start = Duration::from_secs(1);
    young.add([id(1)].into_iter(), start);
    young.add([id(2)].into_iter(), start + YOUTH / 2);
    assert_eq!(young.at(start + YOUTH / 2), &BTreeSet::from([id(1), id(2)]));
    assert_eq!(young.at(start + YOUTH), &BTreeSet::from([id(2)]));
    assert!(young.at(start + 2 * YOUTH).is_empty());
}

#[test]
fn published_again_is_not_younger() {
    let mut young = Young::default();
    let start = Duration::from_secs(1);
    young.add([id(1)].into_iter(), start);
    young.add([id(1)].into_iter(), start + YOUTH / 2);
    assert!(young.at(start + YOUTH).is_empty());
}

#[test]
fn only_so_many_are_kept_in_mind() {
    let mut young = Young::default();
    let most = MOST as u64;
    young.add((0..most + 3).map(id), Duration::ZERO);
    let kept = young.at(Duration::ZERO);
    assert_eq!(kept.len(), MOST);
    assert!(!kept.contains(&id(2)) && kept.contains(&id(3)) && kept.contains(&id(most)));
}
