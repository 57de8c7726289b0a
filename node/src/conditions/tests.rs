use super::*;
use proptest::{collection::vec, option, prelude::*};

const SECOND: Duration = Duration::from_secs(1);

fn spread() -> impl Strategy<Value = Spread> {
    vec(0..=MAX_DELAY, 0..=MAX_VALUES).prop_map(|mut values| {
        values.sort_unstable();
        Spread(values)
    })
}

fn link() -> impl Strategy<Value = Link> {
    let hold = (0..=MILLION, spread(), option::of(any::<u64>()))
        .prop_map(|(share_ppm, by, for_ms)| Hold { share_ppm, by, for_ms });
    (0..=MILLION, 0..=MILLION, spread(), vec(hold, 0..3)).prop_map(
        |(lost_ppm, doubled_ppm, delay, held)| Link { lost_ppm, doubled_ppm, delay, held },
    )
}

pub(crate) fn conditions() -> impl Strategy<Value = Conditions> {
    let links = proptest::collection::btree_map(0..MAX_SEATS, link(), 0..4);
    let million = i32::try_from(MILLION).expect("it fits");
    let clock = (-MAX_OFFSET..=MAX_OFFSET, -million..=million)
        .prop_map(|(offset_ms, drift_ppm)| Skew { offset_ms, drift_ppm });
    // Few digits, which JSON gives back to the last bit.
    let share = option::of((0..=1_000).prop_map(|share| f64::from(share) / 1_000.0));
    (any::<u64>(), links, link(), clock, spread(), share).prop_map(
        |(seed, links, others, clock, sync, miner_share)| Conditions {
            seed,
            links,
            others,
            clock,
            sync,
            miner_share,
        },
    )
}

fn parse(text: &str) -> Result<Conditions, String> {
    let conditions: Conditions = serde_json::from_str(text).map_err(|error| error.to_string())?;
    conditions.check().map_err(|error| error.to_string())?;
    Ok(conditions)
}

#[test]
fn what_is_left_out_is_fair() {
    assert_eq!(parse("{}"), Ok(Conditions::default()));
    let told = r#"{"links":{"2":{"lost_ppm":1000000}},"others":{"held":[{"share_ppm":1}]},
        "clock":{"drift_ppm":-9},"sync":[5000],"miner_share":0}"#;
    let hold = Hold { share_ppm: 1, ..Hold::default() };
    let expected = Conditions {
        links: [(2, Link { lost_ppm: MILLION, ..Link::default() })].into(),
        others: Link { held: vec![hold], ..Link::default() },
        clock: Skew { offset_ms: 0, drift_ppm: -9 },
        sync: Spread(vec![5_000]),
        miner_share: Some(0.0),
        ..Conditions::default()
    };
    assert_eq!(parse(told).as_ref(), Ok(&expected));
    assert_eq!(expected.link(2).lost_ppm, MILLION);
    assert_eq!(expected.link(3), &expected.others);
}

#[test]
fn what_is_out_of_bounds_is_refused_by_its_place_and_value() {
    let long = serde_json::to_string(&vec![1_u64; MAX_VALUES + 1]).expect("numbers");
    let many: Vec<String> = (0..=MAX_LINKS).map(|seat| format!("\"{seat}\":{{}}")).collect();
    let holds = vec!["{}"; MAX_HOLDS + 1].join(",");
    let cases = [
        ("7".to_owned(), "invalid"),
        (r#"{"sync":[-1]}"#.into(), "-1"),
        (r#"{"latency":[1]}"#.into(), "latency"),
        (r#"{"others":{"loss":1}}"#.into(), "loss"),
        (r#"{"links":{"x":{}}}"#.into(), "x"),
        (r#"{"others":{"lost_ppm":1000001}}"#.into(), "`others.lost_ppm`: 1000001"),
        (r#"{"links":{"7":{"doubled_ppm":2000000}}}"#.into(), "`links.7.doubled_ppm`: 2000000"),
        (r#"{"links":{"4096":{}}}"#.into(), "`links.4096`: 4096 is no seat; the highest is 4095"),
        (r#"{"others":{"delay":[3,2]}}"#.into(), "`others.delay`: 2 follows 3"),
        (r#"{"sync":[600000001]}"#.into(), "`sync`: 600000001"),
        (r#"{"others":{"held":[{},{"share_ppm":9000000}]}}"#.into(), "held[1].share_ppm`: 9000000"),
        (r#"{"others":{"held":[{"by":[1,0]}]}}"#.into(), "`others.held[0].by`: 0 follows 1"),
        (r#"{"clock":{"offset_ms":31536000001}}"#.into(), "`clock`: 31536000001"),
        (r#"{"clock":{"offset_ms":-9223372036854775808}}"#.into(), "-9223372036854775808"),
        (r#"{"clock":{"drift_ppm":-1000001}}"#.into(), "`clock`: -1000001"),
        (r#"{"clock":{"drift_ppm":-2147483648}}"#.into(), "-2147483648"),
        (r#"{"miner_share":1.5}"#.into(), "`miner_share`: 1.5"),
        (r#"{"miner_share":-0.1}"#.into(), "`miner_share`: -0.1"),
        (format!(r#"{{"sync":{long}}}"#), "`sync`: it has 66 values"),
        (format!(r#"{{"links":{{{}}}}}"#, many.join(",")), "`links`: there are 1025"),
        (format!(r#"{{"others":{{"held":[{holds}]}}}}"#), "`others.held`: there are 17"),
    ];
    for (text, words) in cases {
        let error = parse(&text).expect_err("refused");
        assert!(error.contains(words), "{text}: {error}");
    }
    let not_a_number = Conditions { miner_share: Some(f64::NAN), ..Conditions::default() };
    assert!(not_a_number.check().is_err());
}

#[test]
fn a_node_begins_under_what_its_directory_says_and_a_bad_file_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(FILE);
    assert_eq!(Conditions::load(dir.path()).expect("no file is fair"), Conditions::default());
    std::fs::write(&path, r#"{"seed":3}"#).expect("written");
    assert_eq!(Conditions::load(dir.path()).expect("good").seed, 3);
    let bad = |bytes: &[u8], words: &str| {
        std::fs::write(&path, bytes).expect("written");
        let error = Conditions::load(dir.path()).expect_err("refused").to_string();
        assert!(error.contains(FILE) && error.contains(words), "{error}");
    };
    bad(b"", "cannot be understood");
    bad(b"\xff\xfe", "cannot be understood");
    bad(br#"{"sync":[2,1]}"#, "`sync`: 1 follows 2");
    bad(&vec![b' '; MAX_FILE as usize + 1], "longer than 1048576 bytes");
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("made");
    let error = Conditions::load(dir.path()).expect_err("refused").to_string();
    assert!(error.contains(FILE) && error.contains("cannot read"), "{error}");
}

#[test]
fn a_spread_is_drawn_evenly_along_its_values() {
    let micros = Duration::from_micros;
    let draw = |values: &[u64], chance| Spread(values.into()).draw(chance);
    let half = 1 << 63;
    assert_eq!([draw(&[], 0), draw(&[], u64::MAX)], [Duration::ZERO; 2]);
    assert_eq!([draw(&[7], 0), draw(&[7], u64::MAX)], [micros(7); 2]);
    assert_eq!([draw(&[10, 20], 0), draw(&[10, 20], half)], [micros(10), micros(15)]);
    assert_eq!(draw(&[0, 1], half), Duration::from_nanos(500));
    let three = [0, 100, 1_000];
    assert_eq!(draw(&three, half / 2), micros(50));
    assert_eq!([draw(&three, half), draw(&three, half / 2 * 3)], [micros(100), micros(550)]);
    assert!(draw(&three, u64::MAX) < micros(1_000) && draw(&three, u64::MAX) > micros(999));
    let longest = draw(&[MAX_DELAY - 1, MAX_DELAY], u64::MAX);
    assert!(longest < micros(MAX_DELAY) && longest >= micros(MAX_DELAY - 1));
}

#[test]
fn a_calendar_is_off_from_the_start_and_drifts_from_when_it_was_told() {
    let day = 86_400 * SECOND;
    let skew = |offset_ms, drift_ppm| Skew { offset_ms, drift_ppm };
    assert_eq!(skew(0, 0).show(day, SECOND), day);
    assert_eq!(skew(1_500, 0).show(day, SECOND), day + SECOND * 3 / 2);
    assert_eq!(skew(-1_500, 0).show(day, SECOND), day - SECOND * 3 / 2);
    assert_eq!(skew(0, 250).show(day, 4_000 * SECOND), day + SECOND);
    assert_eq!(skew(0, -250).show(day, 4_000 * SECOND), day - SECOND);
    let still = skew(0, -1_000_000);
    assert_eq!(still.show(day, SECOND), still.show(day + SECOND, 2 * SECOND));
    assert_eq!(skew(-MAX_OFFSET, 0).show(day, SECOND), Duration::ZERO, "1970 and no earlier");
}

proptest! {
    #[test]
    fn good_conditions_survive_the_way_through_a_file(conditions in conditions()) {
        prop_assert_eq!(conditions.check(), Ok(()));
        let text = serde_json::to_string(&conditions).expect("plain data");
        prop_assert_eq!(parse(&text), Ok(conditions));
    }

    #[test]
    fn any_text_is_conditions_or_an_error(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn nobody_is_delayed_below_the_least_or_above_the_greatest(spread in spread(), chance: u64) {
        let drawn = spread.draw(chance);
        let micros = |value: Option<&u64>| Duration::from_micros(value.copied().unwrap_or(0));
        prop_assert!(drawn >= micros(spread.0.first()), "{drawn:?}");
        prop_assert!(drawn <= micros(spread.0.last()), "{drawn:?}");
    }

    #[test]
    fn a_later_chance_is_no_shorter_a_delay(spread in spread(), one: u64, other: u64) {
        let (low, high) = (one.min(other), one.max(other));
        prop_assert!(spread.draw(low) <= spread.draw(high));
    }

    #[test]
    fn no_calendar_panics(offset_ms: i64, drift_ppm: i32, wall: u64, told: u64) {
        let (wall, told) = (Duration::from_nanos(wall), Duration::from_nanos(told));
        Skew { offset_ms, drift_ppm }.show(wall, told);
    }
}
