use super::*;
use std::{collections::BTreeSet, sync::Mutex};

#[test]
fn every_point_has_a_name_of_its_own_by_which_it_is_found() {
    let names: BTreeSet<_> = Point::ALL.iter().map(|point| point.name()).collect();
    assert_eq!(names.len(), Point::ALL.len());
    for point in Point::ALL {
        assert_eq!(point.name().parse(), Ok(*point));
        assert!(point.what().ends_with('.'), "{}", point.what());
    }
    let unknown = "lunch".parse::<Point>().unwrap_err().to_string();
    assert!(unknown.contains("\"lunch\"") && unknown.contains("record-torn"), "{unknown}");
}

#[test]
fn whoever_is_told_is_told_in_order_and_without_anybody_nothing_happens() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let wire = Tripwire::new(move |point| sink.lock().unwrap().push(point));
    [Point::RecordTorn, Point::SyncUntold].into_iter().for_each(|point| wire.pass(point));
    assert_eq!(*told.lock().unwrap(), [Point::RecordTorn, Point::SyncUntold]);
    assert!(wire.is_set() && !Tripwire::default().is_set());
    Tripwire::default().pass(Point::RecordTorn);
}
