use super::*;
use ledger::ReplicaId;
use replica::trace::What;

fn line(seq: u64) -> TraceLine {
    let what = What::Note { label: "round".into(), detail: format!("number {seq}") };
    TraceLine { replica: ReplicaId(0), seq, at: seq * 10, cause: None, what }
}

fn counters() -> Arc<Counters> {
    Arc::new(Counters::default())
}

#[test]
fn a_second_life_writes_behind_the_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.jsonl");
    let (failures, _reports) = Failures::channel();
    for _ in 0..2 {
        let (tracer, thread) = Tracer::start(&path, counters(), &failures).expect("a file");
        (1..=3).for_each(|seq| tracer.line(Box::new(line(seq))));
        drop(tracer);
        thread.join().expect("no panic");
    }
    let text = std::fs::read_to_string(&path).expect("a trace");
    let (lives, lines): (Vec<_>, Vec<_>) = text.lines().partition(|line| is_life(line));
    let lines: Vec<TraceLine> =
        lines.iter().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!(lines, [1, 2, 3, 1, 2, 3].map(line));
    assert_eq!(lives.len(), 2);
    assert!(is_life(text.lines().nth(4).expect("eight lines")), "the second life begins there");
}

fn is_life(line: &str) -> bool {
    line.starts_with("{\"world\":\"life\",\"wall_us\":")
}

#[test]
fn a_life_that_was_killed_within_a_line_leaves_the_next_one_whole() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace.jsonl");
    std::fs::write(&path, "{\"replica\":0,\"se").expect("a file");
    let (failures, _reports) = Failures::channel();
    let (tracer, thread) = Tracer::start(&path, counters(), &failures).expect("a file");
    tracer.line(Box::new(line(1)));
    drop(tracer);
    thread.join().expect("no panic");
    let text = std::fs::read_to_string(&path).expect("a trace");
    let lines: Vec<_> = text.lines().collect();
    assert!(is_life(lines[1]), "{text}");
    assert_eq!(serde_json::from_str::<TraceLine>(lines[2]).expect("a line"), line(1));
}

#[test]
fn a_slow_disk_costs_lines_but_no_time() {
    let (lines, _nobody_reads) = bounded(2);
    let tracer = Tracer { lines, counters: counters() };
    (0..10).for_each(|seq| tracer.line(Box::new(line(seq))));
    assert_eq!(tracer.counters.snapshot().trace_lines_dropped, 8);
}

#[test]
fn a_directory_that_is_missing_is_an_error_at_once() {
    let (failures, _reports) = Failures::channel();
    let path = Path::new("/nonexistent/trace.jsonl");
    assert!(Tracer::start(path, counters(), &failures).is_err());
}
