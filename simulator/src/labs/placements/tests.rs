use super::*;

#[test]
fn ways_are_binomial_coefficients() {
    for (all, chosen, expected) in
        [(7, 2, 21), (13, 4, 715), (5, 0, 1), (3, 4, 0), (31, 10, 44_352_165)]
    {
        assert_eq!(ways(all, chosen), expected, "{chosen} of {all}");
    }
    assert_eq!(ways(100, 50), u64::MAX, "it saturates");
}

#[test]
fn every_way_comes_once() {
    let ids: Vec<_> = (0..7).map(ReplicaId).collect();
    let all: BTreeSet<_> = (0..35).map(|number| way(&ids, 3, number)).collect();
    assert_eq!(all.len(), 35);
    assert!(all.iter().all(|chosen| chosen.len() == 3));
}

#[test]
fn chance_chooses_everybody_as_often() {
    let mut times = [0_u32; 5];
    for number in 0..2_000 {
        for id in drawn(5, 2, 1, number) {
            times[id.0 as usize] += 1;
        }
    }
    // 800 each in the mean; five standard deviations are 110.
    assert!(times.iter().all(|times| (690..910).contains(times)), "{times:?}");
}
