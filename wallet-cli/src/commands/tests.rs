//! What a person at a terminal sees, which a test of the binary cannot.

use super::*;
use crate::{
    fake_node::{FakeNode, Reply},
    keystore::Passphrase,
    network::{Network, poor},
    phrase::Phrase,
};
use clap::Parser;
use serde_json::json;
use std::{cell::RefCell, collections::VecDeque, io::Write, rc::Rc};
use tempfile::TempDir;

/// Somebody who types these answers, one to each question.
struct Person(VecDeque<&'static str>);

impl Prompt for Person {
    fn ask(&mut self, _question: &str) -> io::Result<Option<Passphrase>> {
        Ok(self.0.pop_front().map(|answer| Passphrase::new(answer.to_owned())))
    }
}

/// Paper that two people write on.
#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).expect("we write UTF-8")
    }
}

/// How it ended, the results and the remarks, with a person at the terminal.
fn run_watched(dir: &TempDir, line: &str, answers: &[&'static str]) -> (Exit, String, String) {
    let wallet = Wallet::try_parse_from(line.split_whitespace()).expect(line);
    let environment = Environment { dir: Some(dir.path().to_owned()), ..Environment::default() };
    let (results, remarks) = (Paper::default(), Paper::default());
    let json = wallet.options.json;
    let output = Output::new(json, Box::new(results.clone()), Box::new(remarks.clone()), true);
    let mut person = Person(answers.iter().copied().collect());
    let exit = run(wallet, &environment, &mut person, output);
    (exit, results.text(), remarks.text())
}

/// The words of the table, without their numbers.
fn words(remarks: &str) -> String {
    let table = remarks.split("\n\n").nth(1).expect("a table");
    let words = table.split_whitespace().filter(|word| word.parse::<u8>().is_err());
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_person_sees_the_phrase_once_and_it_brings_the_account_back() {
    for json in ["", "--json"] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let line = format!("wallet new alice {json}");
        let (exit, results, remarks) = run_watched(&dir, &line, &["tree", "tree"]);
        assert_eq!(exit, Exit::Holds, "{remarks}");
        let phrase = words(&remarks);
        let key = Phrase::parse(&phrase).expect("24 words").key();
        assert!(results.contains(&key.public().address().to_string()), "{results}");
        assert!(!results.contains(phrase.split(' ').next().expect("a word")), "{results}");

        let phrase: &'static str = phrase.leak();
        let (exit, results, remarks) =
            run_watched(&dir, "wallet import again", &[phrase, "tree", "tree"]);
        assert_eq!((exit, remarks.as_str()), (Exit::Holds, ""));
        assert!(results.contains(&key.public().address().to_string()), "{results}");
    }
}

#[test]
fn passphrases_that_differ_store_nothing() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (exit, results, remarks) = run_watched(&dir, "wallet new alice", &["tree", "three"]);
    assert_eq!((exit, results.as_str()), (Exit::BadInput, ""));
    assert!(remarks.contains("the two passphrases differ"), "{remarks}");
    assert!(!dir.path().join("keys").exists());
}

#[test]
fn an_empty_wallet_says_how_to_begin() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, results, _) = run_watched(&dir, "wallet list", &[]);
    assert!(results.contains("`wallet new NAME`"), "{results}");
    let (_, results, _) = run_watched(&dir, "wallet list --json", &[]);
    assert_eq!(results, "{\"accounts\":[]}\n");
}

#[test]
fn a_person_sees_how_far_a_history_is_read_and_a_program_does_not() {
    let mut network = Network::new("progress");
    network.decide_transfers(3);
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("genesis.json"), network.genesis.to_json()).expect("it is ours");
    let node = FakeNode::start(move |method, params| match method {
        "status" => Reply::result(json!(network.status())),
        "block" => Reply::result(json!(network.block(3).filter(|_| params["height"] == 3))),
        _ => Reply::result(json!(network.blocks(params["from"].as_u64().expect("a height")))),
    });
    let line = format!("wallet history {} --node {}", poor(), node.url());
    let (exit, results, remarks) = run_watched(&dir, &line, &[]);
    assert_eq!(exit, Exit::Holds, "{remarks}");
    assert!(results.contains("3 final transactions"), "{results}");
    assert_eq!(remarks, "\r\x1b[KReading block 0 of 3\r\x1b[K");
    fs::remove_dir_all(dir.path().join("history")).expect("it is ours");
    let (exit, _, remarks) = run_watched(&dir, &format!("{line} --json"), &[]);
    assert_eq!((exit, remarks.as_str()), (Exit::Holds, ""));
}
