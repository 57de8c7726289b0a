use super::*;
use replica::trace::What;

const STARTED: &str = r#"{"replica":0,"seq":1,"at":0,"cause":null,"event":"started","height":0}"#;

fn refused(text: &str) -> String {
    read(text.as_bytes()).expect_err("it is no trace").to_string()
}

#[test]
fn lines_of_replicas_and_of_the_world_are_told_apart() {
    let text = format!("{{\"world\":\"woke\",\"time\":5,\"lane\":0,\"life\":1}}\n\n{STARTED}\n");
    let lines = read(text.as_bytes()).unwrap();
    let numbers: Vec<_> = lines.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 3], "empty lines are counted and passed over");
    assert_eq!(lines[0].1, Line::World(Aside::Woke { time: 5, lane: 0, life: 1 }));
    let Line::Replica(line) = &lines[1].1 else { panic!("{lines:?}") };
    assert_eq!(line.what, What::Started { height: 0 });
}

#[test]
fn a_line_that_is_none_is_named_with_its_beginning() {
    let error = refused(&format!("{STARTED}\n{{\"replica\":0,\"seq\":2\n"));
    assert!(error.starts_with("line 2 is no line of a trace: it breaks off"), "{error}");
    assert!(error.contains(r#"begins with "{\"replica\":0"#), "{error}");
    for (text, why) in [
        ("hello\n", "expected value"),
        ("{\"world\":\"peace\"}\n", "unknown variant `peace`"),
        ("{\"world\":\"woke\",\"time\":-1,\"lane\":0,\"life\":1}\n", "invalid value"),
        (
            "{\"replica\":99999999999,\"seq\":1,\"at\":0,\"cause\":null,\"event\":\"started\"}\n",
            "line 1",
        ),
        ("[1,2]\n", "line 1"),
        ("\u{0}\u{1}\n", "expected value"),
    ] {
        let error = refused(text);
        assert!(error.contains(why) && error.contains("line 1"), "{text:?}: {error}");
    }
}

#[test]
fn nothing_is_read_without_a_bound() {
    let long = format!("{{\"{}\":1}}\n", "x".repeat(MAX_LINE));
    let error = refused(&format!("{STARTED}\n{long}"));
    assert!(error.starts_with("line 2 is longer than 1048576 bytes"), "{error}");
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(refused(&deep).contains("recursion limit"), "{}", refused(&deep));
    let late = format!("{{\"world\":\"ended\",\"time\":{}}}", MAX_TIME + 1);
    assert!(refused(&late).contains(&format!("the time is {}", MAX_TIME + 1)));
    assert!(refused("\n\n").contains("it is empty"));
}

#[test]
fn bytes_that_are_no_text_are_no_trace() {
    assert!(matches!(read(&b"\xff\xfe{}\n"[..]), Err(BadTrace::NotALine { line: 1, .. })));
}
