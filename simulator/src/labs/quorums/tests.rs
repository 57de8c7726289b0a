use super::*;

fn values(replicas: u64, quorum: u64) -> Values {
    let mut values = Values::usual(LAB.parameters);
    values.set("replicas", Value::Whole(replicas));
    values.set("quorum", Value::Whole(quorum));
    values
}

fn measure(replicas: u64, quorum: u64, trials: u64) -> Vec<Finding> {
    let experiment = prepare(&values(replicas, quorum)).unwrap();
    let samples: Vec<_> =
        (0..experiment.jobs(trials)).map(|job| experiment.run(1, trials, job)).collect();
    experiment.findings(&samples)
}

/// SCIENCE S8, every row: 2f+1 is bad where the table says so, ⌈(n+f+1)/2⌉ and ⌊2n/3⌋+1 nowhere.
#[test]
fn the_overlaps_are_those_of_the_table() {
    let rows = [
        (4, 3, 2, 3, 2),
        (5, 3, 1, 4, 3),
        (6, 3, 0, 4, 2),
        (7, 5, 3, 5, 3),
        (8, 5, 2, 6, 4),
        (9, 5, 1, 6, 3),
        (10, 7, 4, 7, 4),
        (11, 7, 3, 8, 5),
        (12, 7, 2, 8, 4),
        (13, 9, 5, 9, 5),
    ];
    let bad = [5, 6, 8, 9, 11, 12];
    for (n, naive, overlap, sound, sound_overlap) in rows {
        for (quorum, overlap, safe) in
            [(naive, overlap, !bad.contains(&n)), (sound, sound_overlap, true)]
        {
            let findings = prepare(&values(n, quorum)).unwrap().findings(&[]);
            assert_eq!(findings[0].theory, Some(f64::from(overlap)), "{quorum} of {n}");
            assert_eq!(findings[1].theory, Some(if safe { 1.0 } else { 0.0 }), "{quorum} of {n}");
        }
    }
}

/// What 2f+1 is taken for is measured to be otherwise: five replicas with a quorum of three are split by
/// a single liar, six by none at all; with one more in the quorum they are not.
#[test]
fn where_n_is_not_3f_plus_1_two_f_plus_1_are_too_few() {
    for (n, quorum, fewest, safe) in
        [(5, 3, 1.0, 0.0), (6, 3, 0.0, 0.0), (6, 4, 2.0, 1.0), (4, 3, 2.0, 1.0)]
    {
        let findings = measure(n, quorum, 4);
        let found: Vec<_> = findings.iter().filter_map(|found| found.measured).collect();
        assert_eq!(found[..3], [fewest, safe, 1.0], "{quorum} of {n}");
        assert!(findings.iter().all(|found| found.agrees() != Some(false)), "{findings:?}");
    }
}

/// A quorum of all is safe, and stands still when one is silent.
#[test]
fn a_quorum_of_all_is_split_by_nobody_and_goes_on_with_nobody_silent() {
    let findings = measure(4, 4, 12);
    let found: Vec<_> = findings.iter().filter_map(|found| found.measured).collect();
    assert_eq!(found[..3], [4.0, 1.0, 0.0]);
    assert!(findings[..3].iter().all(|found| found.agrees() == Some(true)), "{findings:?}");
}

#[test]
fn every_placement_is_tried_where_there_are_few() {
    let lab = Quorums { module: "tendermint", replicas: 5, quorum: 3 };
    let split = Split { liars: 1, right: 2 };
    assert_eq!(lab.placements(split), 30);
    let all: BTreeSet<_> = (0..30).map(|number| lab.place(split, 1, 30, number)).collect();
    assert_eq!(all.len(), 30);
    assert!(all.iter().all(|(liars, right)| liars.len() == 1 && right.len() == 2));
    assert!(all.iter().all(|(liars, right)| liars.is_disjoint(right)));
}
