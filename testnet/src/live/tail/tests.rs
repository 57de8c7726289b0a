use super::*;
use std::fs;

fn tail_of(content: impl AsRef<[u8]>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.log");
    fs::write(&path, content).unwrap();
    tail(&path)
}

#[test]
fn the_last_lines_of_a_log_are_shown() {
    let log: String = (0..10_000).map(|line| format!("line {line}\n")).collect();
    let shown = tail_of(log);
    assert_eq!(shown.lines().count(), LINES);
    assert!(shown.starts_with("  line 9988\n") && shown.ends_with("  line 9999"), "{shown}");
}

#[test]
fn a_short_log_is_shown_whole() {
    assert_eq!(tail_of("one\ntwo\n"), "  one\n  two");
    assert_eq!(tail_of(""), "  (its log is empty)");
}

#[test]
fn a_log_does_not_drive_the_terminal() {
    assert_eq!(tail_of(b"\x1b[31mred\x07 \xff\n"), "  [31mred \u{fffd}");
}

#[test]
fn a_missing_log_is_told_of() {
    let shown = tail(Path::new("/nowhere/node.log"));
    assert!(shown.contains("/nowhere/node.log cannot be read"), "{shown}");
}
