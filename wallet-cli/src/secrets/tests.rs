use super::*;
use std::{collections::VecDeque, fs};

/// Answers in order; nobody once they are used up.
struct Script(VecDeque<&'static str>);

impl Script {
    fn of(answers: &[&'static str]) -> Script {
        Script(answers.iter().copied().collect())
    }
}

impl Prompt for Script {
    fn ask(&mut self, _question: &str) -> io::Result<Option<Passphrase>> {
        Ok(self.0.pop_front().map(|answer| Zeroizing::new(answer.to_owned())))
    }
}

fn alice() -> AccountName {
    "alice".parse().expect("a good name")
}

#[test]
fn a_file_comes_before_the_environment_and_that_before_a_prompt() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("passphrase");
    fs::write(&path, "from the file\r\n").expect("write");
    let variable = Zeroizing::new("from the environment".to_owned());
    let mut prompt = Script::of(&["from the prompt"]);
    let mut found = |file, environment| {
        let mut secrets = Secrets { file, environment, prompt: &mut prompt };
        secrets.passphrase(&alice()).expect("there is one").to_string()
    };
    assert_eq!(found(Some(&path), Some(&variable)), "from the file");
    assert_eq!(found(None, Some(&variable)), "from the environment");
    assert_eq!(found(None, None), "from the prompt");
}

#[test]
fn an_empty_variable_is_the_empty_passphrase() {
    let empty = Zeroizing::new(String::new());
    let mut nobody = Script::of(&[]);
    let mut secrets = Secrets { file: None, environment: Some(&empty), prompt: &mut nobody };
    assert_eq!(secrets.new_passphrase(&alice()).expect("it is set").as_str(), "");
}

#[test]
fn a_new_passphrase_is_asked_for_twice() {
    let new = |answers: &[&'static str]| {
        let mut prompt = Script::of(answers);
        Secrets { file: None, environment: None, prompt: &mut prompt }.new_passphrase(&alice())
    };
    assert_eq!(new(&["tree", "tree"]).expect("twice the same").as_str(), "tree");
    assert!(matches!(new(&["tree", "three"]), Err(SecretsError::Differ)));
}

#[test]
fn without_a_terminal_the_message_says_what_else_there_is() {
    let mut nobody = Script::of(&[]);
    let mut secrets = Secrets { file: None, environment: None, prompt: &mut nobody };
    let error = secrets.passphrase(&alice()).expect_err("nobody is there");
    assert!(error.to_string().contains("WALLET_PASSPHRASE"), "{error}");
    let error = secrets.phrase(None).expect_err("nobody is there");
    assert!(error.to_string().contains("--phrase-file"), "{error}");
}

#[test]
fn a_file_that_is_no_passphrase_is_refused() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("passphrase");
    let refused = |content: &[u8]| {
        fs::write(&path, content).expect("write");
        let mut nobody = Script::of(&[]);
        let mut secrets = Secrets { file: Some(&path), environment: None, prompt: &mut nobody };
        secrets.passphrase(&alice()).expect_err("no passphrase").to_string()
    };
    assert!(refused(b"one\ntwo\n").contains("one line"));
    assert!(refused(&[0xff, 0xfe]).contains("UTF-8"));
    assert!(refused(&vec![b'a'; 70_000]).contains("too long"));
}

#[test]
fn a_missing_file_is_named() {
    let mut nobody = Script::of(&[]);
    let file = Path::new("/nowhere/secret");
    let mut secrets = Secrets { file: Some(file), environment: None, prompt: &mut nobody };
    let error = secrets.passphrase(&alice()).expect_err("no such file");
    assert!(error.to_string().contains("/nowhere/secret"), "{error}");
}
