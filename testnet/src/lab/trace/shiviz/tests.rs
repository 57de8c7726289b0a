use super::{
    super::weave::tests::{TROUBLE, played},
    *,
};
use std::collections::BTreeMap;

type Event = (String, BTreeMap<String, u32>, String);

/// Takes a log apart as its first line says.
fn parse(log: &str) -> Vec<Event> {
    let mut lines = log.lines();
    let mut events = Vec::new();
    while let Some(first) = lines.next() {
        let (host, clock) = first.split_once(' ').unwrap_or_else(|| panic!("{first:?}"));
        assert!(!host.is_empty() && clock.starts_with('{') && clock.ends_with('}'), "{first:?}");
        let clock =
            serde_json::from_str(clock).unwrap_or_else(|error| panic!("{first:?}: {error}"));
        let event = lines.next().unwrap_or_else(|| panic!("nothing after {first:?}"));
        events.push((host.to_owned(), clock, event.to_owned()));
    }
    events
}

fn log(weaves: &[(String, Weave)]) -> String {
    let mut bytes = Vec::new();
    write(weaves, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_event_has_a_host_a_clock_that_names_it_and_a_line_of_words() {
    let weave = played(TROUBLE, "tendermint");
    let log = log(&[("one".into(), weave.clone())]);
    let (head, rest) = log.split_once("\n\n").unwrap();
    assert_eq!(head, r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)");
    let events = parse(rest);
    assert_eq!(events.len(), weave.moments.len());
    let mut own: BTreeMap<&str, u32> = BTreeMap::new();
    for (host, clock, event) in &events {
        let own = own.entry(host).or_default();
        *own += 1;
        assert_eq!(clock[host], *own, "{event}");
        assert!(event.contains(" ms: "), "{event}");
    }
    assert_eq!(own.len(), 4);
}

#[test]
fn two_traces_are_parted_by_a_line_that_the_second_line_describes() {
    let weave = played(TROUBLE, "pow");
    let log = log(&[("one\n".into(), weave.clone()), ("two".into(), weave)]);
    assert_eq!(log.lines().nth(1), Some(DELIMITER));
    let marks: Vec<_> = log.lines().filter(|line| line.starts_with("===")).collect();
    assert_eq!(marks, ["=== one  ===", "=== two ==="]);
}
