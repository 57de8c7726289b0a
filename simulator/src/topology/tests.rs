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
