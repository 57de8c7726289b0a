//! The same rules in the gate: what is in the corpus, and what a few changes make of it.

use super::mutate::{Edit, mutate};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{fs, path::Path};

/// What is in a folder of `fuzz/`, by rising name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten() {
        let path = entry.expect("a file").path();
        found.push((path.display().to_string(), fs::read(&path).expect("it can be read")));
    }
    found.sort();
    found
}

#[test]
fn every_file_of_the_corpus_and_what_found_a_bug_once_keep_every_rule() {
    for (name, rule) in [("rpc", super::rpc as fn(&[u8])), ("control", super::control)] {
        let corpus = files(&format!("corpus/{name}"));
        assert!(corpus.len() >= 5, "{name} has {} files", corpus.len());
        for (file, bytes) in corpus.into_iter().chain(files(&format!("regressions/{name}"))) {
            println!("{file}");
            rule(&bytes);
        }
    }
}

/// A few changes to some file of a corpus.
fn changed(folder: &str) -> impl Strategy<Value = Vec<u8>> {
    let files = files(folder);
    (any::<Index>(), vec(any::<Edit>(), 1..5))
        .prop_map(move |(file, edits)| mutate(&files[file.index(files.len())].1, &edits))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn changed_calls(bytes in changed("corpus/rpc")) {
        super::rpc(&bytes);
    }

    #[test]
    fn changed_control_lines(bytes in changed("corpus/control")) {
        super::control(&bytes);
    }
}
