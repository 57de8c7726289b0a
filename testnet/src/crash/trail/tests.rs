use super::*;
use ledger::{ReplicaId, Slot};
use std::{fs::OpenOptions, io::Write};

fn line(what: What) -> String {
    let line = TraceLine { replica: ReplicaId(1), seq: 7, at: 9, cause: None, what };
    serde_json::to_string(&line).unwrap()
}

fn accused(offender: u32) -> String {
    line(What::Accused {
        offender: ReplicaId(offender),
        charge: "equivocation".into(),
        slot: Some(Slot { height: 4, ..Slot::default() }),
    })
}

fn offenders(trail: &mut Trail) -> Vec<u32> {
    trail.accusations().unwrap().iter().map(|accusation| accusation.offender.0).collect()
}

#[test]
fn accusations_are_found_once_as_the_file_grows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    let mut trail = Trail::new(path.clone());
    assert!(offenders(&mut trail).is_empty(), "there is no file yet");
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut write = |text: &str| file.write_all(text.as_bytes()).unwrap();

    let note = line(What::Note { label: "said".into(), detail: "nobody is \"accused\"".into() });
    let third = accused(3);
    let (early, late) = third.split_at(20);
    write(&format!("{note}\n{}\n{early}", accused(2)));
    assert_eq!(offenders(&mut trail), [2]);
    assert!(offenders(&mut trail).is_empty());
    write(&format!("{late}\n"));
    assert_eq!(offenders(&mut trail), [3]);
}

#[test]
fn a_line_that_a_kill_tore_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace.jsonl");
    let torn = &accused(1)[..40];
    std::fs::write(&path, format!("{torn}{}\n{}\n", accused(2), accused(3))).unwrap();
    assert_eq!(offenders(&mut Trail::new(path)), [3]);
}

#[test]
fn a_line_without_an_end_is_not_kept_for_ever() {
    let mut trail = Trail::new("nowhere".into());
    let mut found = Vec::new();
    for _ in 0..4 {
        trail.take(&vec![b'x'; LONGEST_LINE], &mut found);
        assert!(trail.rest.len() <= LONGEST_LINE);
    }
}
