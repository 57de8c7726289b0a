use super::*;

#[test]
fn a_place_to_die_is_read_as_it_is_written() {
    for point in Point::ALL {
        let trip = Trip { point: *point, passage: 7 };
        assert_eq!(trip.to_string().parse(), Ok(trip));
    }
    for (text, words) in [
        ("record-torn", "POINT:N"),
        ("record-torn:0", "POINT:N"),
        ("record-torn:-1", "POINT:N"),
        ("lunch:1", "vote-unsent"),
    ] {
        let error = text.parse::<Trip>().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn whoever_has_not_come_so_far_lives() {
    let wire = Trip { point: Point::RecordTorn, passage: 2 }.tripwire();
    wire.pass(Point::RecordTorn);
    Point::ALL.iter().filter(|point| **point != Point::RecordTorn).for_each(|it| wire.pass(*it));
}
