//! The same rules in the gate: what is in the corpus, and what a few changes make of it.

use super::*;
use crate::mutate::{Edit, mutate};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::collections::BTreeMap;

/// A rule by its name, with its corpus.
fn target(name: &str) -> (Rule, Vec<(String, Vec<u8>)>) {
    let (_, rule) = RULES.iter().find(|(other, _)| *other == name).expect("a rule there is");
    let files = corpus::stored(name).expect("it is in the repository");
    assert!(files.len() >= 5, "{name} has {} files", files.len());
    (*rule, files)
}

#[test]
fn every_file_of_the_corpus_keeps_every_rule() {
    for (name, rule) in RULES {
        for (file, bytes) in target(name).1 {
            println!("{name}/{file}");
            rule(&bytes);
        }
    }
}

/// What found a bug once, by target: it is to find none again.
#[test]
fn what_found_a_bug_once_finds_none_again() {
    let regressions = corpus::root().join("../regressions");
    for (name, rule) in RULES {
        let Ok(files) = std::fs::read_dir(regressions.join(name)) else { continue };
        for file in files {
            let path = file.expect("a file").path();
            println!("{}", path.display());
            rule(&std::fs::read(path).expect("it can be read"));
        }
    }
}

/// Whoever changes how something is encoded writes the corpus anew, by `cargo run -p fuzzing --bin corpus`:
/// a corpus that no longer decodes tests nothing.
#[test]
fn the_corpus_is_what_the_code_of_today_writes() {
    let genesis = std::fs::read_to_string(corpus::root().join("../genesis.json"));
    assert_eq!(genesis.expect("it is there"), corpus::genesis());
    for (name, files) in corpus::made() {
        let stored: BTreeMap<_, _> =
            corpus::stored(name).expect("it is there").into_iter().collect();
        for (file, bytes) in files {
            let same = stored.get(&file) == Some(&bytes);
            assert!(same, "{name}/{file} is another: run `cargo run -p fuzzing --bin corpus`");
        }
    }
}

/// A few changes to some file of a corpus.
fn changes() -> impl Strategy<Value = (Index, Vec<Edit>)> {
    (any::<Index>(), vec(any::<Edit>(), 1..5))
}

/// Holds a rule against a changed file. Proptest prints what fails, and keeps its seed.
fn try_changed(name: &str, file: &Index, edits: &[Edit]) {
    let (rule, files) = target(name);
    let (_, bytes) = &files[file.index(files.len())];
    rule(&mutate(bytes, edits));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn changed_encodings((file, edits) in changes()) {
        try_changed("codec", &file, &edits);
    }

    #[test]
    fn changed_transactions((file, edits) in changes()) {
        try_changed("transaction", &file, &edits);
    }

    #[test]
    fn changed_blocks((file, edits) in changes()) {
        try_changed("block", &file, &edits);
    }

    #[test]
    fn changed_envelopes((file, edits) in changes()) {
        try_changed("envelope", &file, &edits);
    }

    #[test]
    fn changed_conversations((file, edits) in changes()) {
        try_changed("peer", &file, &edits);
    }

    #[test]
    fn changed_proofs((file, edits) in changes()) {
        try_changed("proofs", &file, &edits);
    }

    #[test]
    fn changed_scenarios((file, edits) in changes()) {
        try_changed("scenario", &file, &edits);
    }

    #[test]
    fn any_bytes_at_all(bytes in vec(any::<u8>(), 0..400)) {
        RULES.iter().for_each(|(_, rule)| rule(&bytes));
    }
}
