use super::*;

#[test]
fn people_write_spans_with_a_unit() {
    for (text, milliseconds) in
        [("500ms", 500), ("1s", 1_000), ("2m", 120_000), ("1h", 3_600_000), ("0s", 0)]
    {
        assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }
}

#[test]
fn what_is_no_span_is_refused_with_the_reason() {
    for (text, fault) in [
        ("", SpanFault::NoUnit),
        ("12", SpanFault::NoUnit),
        ("s", SpanFault::Number),
        ("-1s", SpanFault::Number),
        ("1.5s", SpanFault::Number),
        (" 1s", SpanFault::Number),
        ("1 s", SpanFault::Unit),
        ("1d", SpanFault::Unit),
        ("1S", SpanFault::Unit),
        ("\u{661}s", SpanFault::Unit),
        ("99999999999999999999s", SpanFault::TooLong),
        ("18446744073709551615h", SpanFault::TooLong),
    ] {
        assert_eq!(parse(text).map_err(|error| error.fault), Err(fault), "{text:?}");
    }
}

#[test]
fn the_message_names_the_value_and_the_remedy() {
    let message = parse("5 minutes").unwrap_err().to_string();
    assert!(message.contains("\"5 minutes\"") && message.contains("like 500ms"), "{message}");
}

#[test]
fn a_span_is_written_as_it_is_read() {
    for text in ["500ms", "1s", "90s", "2m", "1h", "1500ms", "0s"] {
        assert_eq!(format(parse(text).unwrap()), text);
    }
}
