use super::*;

fn overlay(degree: u32, seed: u64, replicas: u32) -> Overlay {
    Overlay::new(Topology::Gossip { degree }, seed, replicas, replicas as usize)
        .expect("gossip has an overlay")
}

#[test]
fn a_direct_mesh_needs_no_overlay() {
    assert!(Overlay::new(Topology::Mesh, 1, 4, 4).is_none());
}

#[test]
fn everybody_has_neighbours_both_ways_and_reaches_everybody() {
    for seed in 0..20 {
        let (degree, replicas) = (6, 40);
        let overlay = overlay(degree, seed, replicas);
        let mut reached = BTreeSet::from([ReplicaId(0)]);
        let mut edge = vec![ReplicaId(0)];
        while let Some(id) = edge.pop() {
            let neighbours = overlay.neighbours(id);
            assert!((2..=degree as usize).contains(&neighbours.len()), "seed {seed}");
            assert!(!neighbours.contains(&id), "seed {seed}");
            assert!(neighbours.iter().all(|other| overlay.neighbours(*other).contains(&id)));
            edge.extend(neighbours.iter().filter(|id| reached.insert(**id)));
        }
        assert_eq!(reached.len(), replicas as usize, "seed {seed}");
    }
}

#[test]
fn the_smallest_worlds_have_overlays_too() {
    assert!(overlay(4, 1, 1).neighbours(ReplicaId(0)).is_empty());
    assert_eq!(*overlay(4, 1, 2).neighbours(ReplicaId(0)), [ReplicaId(1)].into());
}

#[test]
fn a_rumour_is_news_once_and_again_after_a_crash() {
    let mut overlay = overlay(2, 1, 3);
    let number = overlay.begin(Place(0));
    assert!(!overlay.is_news(Place(0), number), "its origin knows it");
    assert!(overlay.is_news(Place(1), number));
    assert!(!overlay.is_news(Place(1), number));
    overlay.forget(Place(1));
    assert!(overlay.is_news(Place(1), number));
}

#[test]
fn what_is_too_old_to_be_remembered_counts_as_known() {
    let mut seen = Seen::default();
    assert!((1..=MAX_SEEN as u64 + 5).all(|number| seen.insert(number)));
    assert_eq!(seen.numbers.len(), MAX_SEEN);
    assert!(!seen.insert(1) && !seen.insert(5) && !seen.insert(6));
}

#[test]
fn a_random_topology_tells_so_many_others_each_as_often_as_any() {
    let seed = 5;
    let mut overlay = Overlay::new(Topology::Random { fanout: 3 }, seed, 10, 10).unwrap();
    let mut told = [0_u32; 10];
    for _ in 0..6_000 {
        let others = overlay.next(ReplicaId(4), Some(ReplicaId(0)), ReplicaId(1));
        assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), 3, "seed {seed}: no one twice");
        others.iter().for_each(|id| told[id.0 as usize] += 1);
    }
    assert_eq!(told[4], 0, "nobody tells itself");
    // Each of nine is told 2000 times in the mean; five standard deviations are 183.
    let others = told.iter().enumerate().filter(|(id, _)| *id != 4);
    assert!(
        others.clone().all(|(_, times)| (1_817..2_183).contains(times)),
        "seed {seed}: {told:?}"
    );
}

#[test]
fn whoever_would_tell_more_than_there_are_tells_all() {
    let mut overlay = Overlay::new(Topology::Random { fanout: 9 }, 1, 4, 4).unwrap();
    let all = [ReplicaId(0), ReplicaId(2), ReplicaId(3)];
    assert_eq!(overlay.next(ReplicaId(1), None, ReplicaId(1)), all);
    let mut alone = Overlay::new(Topology::Random { fanout: 9 }, 1, 1, 1).unwrap();
    assert!(alone.next(ReplicaId(0), None, ReplicaId(0)).is_empty());
}
