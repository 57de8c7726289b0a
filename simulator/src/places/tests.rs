use super::*;
use crate::setup::stream;

const TWINS: [ReplicaId; 2] = [ReplicaId(2), ReplicaId(5)];

fn places(seed: u64) -> (Places, Plot) {
    let twins = BTreeSet::from(TWINS);
    let plot = Plot::draw(7, twins.clone(), &mut stream(seed, "plot", 0));
    (Places::new(7, &twins, &plot), plot)
}

#[test]
fn whoever_has_no_twin_has_one_place_and_twins_have_two() {
    let (places, _) = places(1);
    assert_eq!(places.all().count(), 9);
    for id in (0..7).map(ReplicaId) {
        let own: Vec<_> = places.of(id).collect();
        assert_eq!(own.len(), if TWINS.contains(&id) { 2 } else { 1 });
        assert!(own.iter().all(|place| places.seat(*place) == id));
        assert!(places.is_first(own[0]) && own[1..].iter().all(|place| !places.is_first(*place)));
        assert!((places.share(own[0]) * own.len() as f64 - 1.0).abs() < 1e-12);
    }
}

#[test]
fn twins_meet_one_part_each_and_the_honest_meet_everybody() {
    for seed in 0..10 {
        let (places, plot) = places(seed);
        let honest: Vec<_> = (0..7).map(ReplicaId).filter(|id| !TWINS.contains(id)).collect();
        for one in &honest {
            let from = places.first(*one);
            for other in &honest {
                assert_eq!(places.route(from, *other), Some(places.first(*other)));
            }
            for liar in TWINS {
                let met = places.route(from, liar).expect("one of the two");
                assert_eq!(places.is_first(met), plot.side(*one) == Side::Left);
                assert_eq!(places.route(met, *one), Some(from), "and back");
                let twin = places.of(liar).find(|place| *place != met).expect("there are two");
                assert_eq!(places.route(twin, *one), None);
            }
        }
        for place in places.of(TWINS[0]) {
            let met = places.route(place, TWINS[1]).expect("one of the two");
            assert_eq!(places.is_first(met), places.is_first(place));
        }
    }
}
