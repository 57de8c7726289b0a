use super::*;

fn read(text: &str) -> Result<Groups, BadGroups> {
    text.parse()
}

#[test]
fn groups_are_read_as_people_write_them() {
    assert_eq!(read("0,1/2,3"), Ok(Groups(vec![vec![0, 1], vec![2, 3]])));
    assert_eq!(read("3/0, 2/1"), Ok(Groups(vec![vec![3], vec![0, 2], vec![1]])));
    assert_eq!(read("0,1/2,3").unwrap().to_string(), "0 1 | 2 3");
}

#[test]
fn what_is_no_partition_is_refused_with_the_reason() {
    for (text, fault) in [
        ("", BadGroups::Empty),
        ("0,1", BadGroups::One),
        ("0,1/", BadGroups::Empty),
        ("0,,1/2", BadGroups::Empty),
        ("0,1|2,3", BadGroups::Number("1|2".into())),
        ("0/-1", BadGroups::Number("-1".into())),
        ("0/4294967296", BadGroups::Number("4294967296".into())),
        ("0,1/1", BadGroups::Twice(1)),
        ("0,0/1", BadGroups::Twice(0)),
    ] {
        assert_eq!(read(text), Err(fault), "{text:?}");
    }
    let long = read(&format!("0/{}", "x".repeat(1_000))).unwrap_err();
    assert!(long.to_string().len() < 200, "{long}");
}

#[test]
fn a_node_that_does_not_exist_is_named_where_the_net_runs() {
    let groups = read("0,1/2,4").unwrap();
    assert_eq!(groups.check(5), Ok(()));
    assert_eq!(groups.check(4), Err(BadGroups::Unknown { id: 4, nodes: 4 }));
    // What comes over the socket was never read by us.
    assert_eq!(Groups(vec![vec![0], vec![]]).check(4), Err(BadGroups::Empty));
    assert_eq!(Groups(Vec::new()).check(4), Err(BadGroups::One));
}

#[test]
fn everybody_cuts_off_the_other_groups_and_who_is_in_none_cuts_off_nobody() {
    let groups = read("0,1/2/3,5").unwrap();
    let cut = |id| groups.cut_off_from(id).into_iter().collect::<Vec<_>>();
    assert_eq!(cut(0), [2, 3, 5]);
    assert_eq!(cut(2), [0, 1, 3, 5]);
    assert_eq!(cut(5), [0, 1, 2]);
    assert!(cut(4).is_empty());
    assert_eq!(groups.free(6), [4]);
    assert!(groups.free(4).is_empty());
}

#[test]
fn a_cut_has_two_sides() {
    let groups = read("0,1/2/3,5").unwrap();
    for (one, other) in (0..6).flat_map(|one| (0..6).map(move |other| (one, other))) {
        let cut = |from: u32, to: u32| groups.cut_off_from(from).contains(&to);
        assert_eq!(cut(one, other), cut(other, one), "{one} and {other}");
    }
}
