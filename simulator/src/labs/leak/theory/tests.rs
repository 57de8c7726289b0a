use super::*;
use ledger::leak::Mode;

fn leak(quotient: u64, bounded: bool) -> Leak {
    Leak { mode: Mode::Recovery, quotient, tolerates_permille: 100, bounded, grace_rounds: 3 }
}

const FRACTIONS: [Part; 6] = [
    Part { some: 2, all: 4 },
    Part { some: 3, all: 5 },
    Part { some: 4, all: 7 },
    Part { some: 5, all: 9 },
    Part { some: 1, all: 4 },
    Part { some: 33, all: 50 },
];

/// SCIENCE S16: all eighteen of them.
#[test]
fn s16_the_table() {
    let table = [
        (64, [9, 6, 7, 8, 15, 2]),
        (256, [19, 12, 14, 15, 30, 4]),
        (1024, [37, 24, 29, 31, 60, 8]),
    ];
    for (quotient, row) in table {
        let found = FRACTIONS.map(|active| recovery(&leak(quotient, false), active));
        assert_eq!(found, row.map(Some), "Q = {quotient}");
    }
}

/// SCIENCE S16: "halving at t*".
#[test]
fn s16_half_is_gone_when_the_closed_form_says() {
    for (quotient, rows) in
        [(18, 5.0), (72, 10.0), (289, 20.0), (649, 30.0), (1803, 50.0), (7213, 100.0)]
    {
        assert!((closed(quotient, 0.5) - rows).abs() < 0.05, "{quotient}");
    }
}

#[test]
fn a_floor_lets_some_recover_as_soon_and_others_never() {
    let at = |some, all| recovery(&leak(64, true), Part { some, all });
    assert_eq!([at(3, 5), at(4, 7), at(5, 9), at(33, 50)], [Some(6), Some(7), Some(8), Some(2)]);
    assert_eq!([at(2, 4), at(1, 4), at(11, 20)], [None; 3]);
    assert_eq!([at(3, 4), at(1, 1)], [Some(0); 2], "they have a quorum anyway");
}

/// The closed form is within its rounding everywhere in the lab's range, and not much further in.
#[test]
fn the_closed_form_is_as_far_off_as_it_says() {
    let mut nearest = f64::INFINITY;
    for quotient in (16..=4_096).step_by(17) {
        for all in 1..=50 {
            for some in 1..all {
                let active = Part { some, all };
                let Some(rows @ 1..) = recovery(&leak(quotient, false), active) else { continue };
                let closed = closed(quotient, needed(active));
                let room = rounding(quotient, closed) - (closed - rows as f64).abs();
                assert!(room > -1e-9, "Q = {quotient}, {active:?}: {closed} for {rows}, {room}");
                nearest = nearest.min(room);
            }
        }
    }
    assert!(nearest < 0.05, "{nearest}");
}
