use super::*;

#[test]
fn spans_read_as_people_write_them() {
    for (text, nanos) in [
        ("0s", 0),
        ("1ns", 1),
        ("500us", 500_000),
        ("20ms", 20_000_000),
        ("1.5s", 1_500_000_000),
        ("0.000000001s", 1),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
    ] {
        assert_eq!(parse(text).unwrap(), Duration::from_nanos(nanos), "{text}");
    }
    for text in ["", "s", "5", "-1s", "1 s", "1.s", ".5s", "1.2.3s", "5days", "99999999999h"] {
        assert_eq!(parse(text), Err(BadSpan(text.into())), "{text:?}");
    }
}

#[test]
fn what_is_shown_reads_back_as_the_same() {
    for nanos in [0, 1, 999, 1_001, 20_000_000, 1_500_000_000, 90_000_000_001, 7_200_000_000_000] {
        let span = Duration::from_nanos(nanos);
        assert_eq!(parse(&show(span)), Ok(span), "{}", show(span));
    }
    let shown = [20_000_000, 1_500_000_000, 60_000_000_000, 90_000_000_000];
    let shown = shown.map(|nanos| show(Duration::from_nanos(nanos)));
    assert_eq!(shown, ["20ms", "1.5s", "1m", "90s"]);
}
