//! The binary without a node: accounts, secrets, and how it ends.

use std::{fs, os::unix::fs::PermissionsExt};
use support::Wallet;

mod support;

const PHRASE: &str = "abandon abandon abandon abandon abandon abandon abandon abandon \
                      abandon abandon abandon abandon abandon abandon abandon abandon \
                      abandon abandon abandon abandon abandon abandon abandon art";

#[test]
fn a_new_account_is_listed_and_has_an_address() {
    let wallet = Wallet::new().with("WALLET_PASSPHRASE", "tree");
    let made = wallet.json(&["new", "alice"]);
    assert_eq!(made.code, 0, "{made:?}");
    let address = made.json()["address"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("byz1"));
    assert_eq!(wallet.run(&["address", "alice"]).out, format!("{address}\n"));
    let list = wallet.json(&["list"]).json();
    assert_eq!(list["accounts"][0]["name"], "alice");
    assert_eq!(list["accounts"][0]["address"], address.as_str());
    let file = wallet.dir().join("keys/alice.json");
    assert_eq!(fs::metadata(file).expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_phrase_goes_where_nobody_reads_it() {
    let wallet = Wallet::new().with("WALLET_PASSPHRASE", "tree");
    for arguments in [["new", "alice", "--json"].as_slice(), &["new", "bob"]] {
        let made = wallet.run(arguments);
        assert_eq!(made.code, 0, "{made:?}");
        assert!(made.err.contains("phrase was not shown"), "{made:?}");
        let written = made.out + &made.err;
        let words = written.split_whitespace().filter(|word| word.chars().all(char::is_lowercase));
        let known = bip39::Language::English.word_list();
        let run = words.map(|word| known.contains(&word)).fold((0, 0), |(longest, run), known| {
            let run = if known { run + 1 } else { 0 };
            (run.max(longest), run)
        });
        assert!(run.0 < 5, "these look like the words of a phrase: {written}");
    }
}

#[test]
fn a_phrase_brings_an_account_back() {
    let wallet = Wallet::new().with("WALLET_PASSPHRASE", "tree");
    let words = wallet.file("words", PHRASE);
    let imported = wallet.json(&["import", "alice", "--phrase-file", &words]);
    assert_eq!(imported.code, 0, "{imported:?}");
    assert!(!imported.out.contains("abandon"), "{imported:?}");
    let elsewhere = Wallet::new().with("WALLET_PASSPHRASE", "another");
    let again = elsewhere.json(&["import", "bob", "--phrase-file", &words]);
    assert_eq!(again.json()["address"], imported.json()["address"]);
}

#[test]
fn mistakes_are_told_and_exit_with_2() {
    let wallet = Wallet::new();
    let wallet = wallet.with("WALLET_PASSPHRASE", "tree");
    assert_eq!(wallet.run(&["new", "alice"]).code, 0);
    let words = wallet.file("words", "abandon art");
    for (arguments, code) in [
        (["new", "alice"].as_slice(), "account_exists"),
        (&["new", "../alice"], "bad_name"),
        (&["new", "Alice"], "bad_name"),
        (&["new", "byz1alice"], "bad_name"),
        (&["address", "nobody"], "unknown_account"),
        (&["balance", "nobody"], "unknown_account"),
        (&["balance", "byz1qqqq"], "bad_address"),
        (&["balance", "alice"], "no_genesis"),
        (&["import", "bob", "--phrase-file", &words], "bad_phrase"),
        (&["import", "bob", "--phrase-file", "/nowhere"], "file"),
        (&["new", "bob", "--passphrase-file", "/nowhere"], "file"),
        (&["import", "bob"], "no_terminal"),
        (&["status", "xyz"], "bad_transaction_id"),
        (&["status", &"0".repeat(64), "--node", "ftp://x"], "bad_url"),
        (&["send", "--from", "alice", "--to", "alice", "--amount", "1.5"], "bad_amount"),
        (&["send", "--from", "alice", "--to", "alice", "--amount", "-1"], "bad_amount"),
        (&["send", "--from", "alice", "--to", "byz1x", "--amount", "1"], "bad_address"),
        (&["send", "--from", "nobody", "--to", "alice", "--amount", "1"], "unknown_account"),
        (&["send", "--from", "alice"], "usage"),
        (&["frobnicate"], "usage"),
    ] {
        assert_eq!(wallet.json(arguments).error(2), code, "{arguments:?}");
        let human = wallet.run(arguments);
        assert_eq!((human.code, human.out.as_str()), (2, ""), "{human:?}");
        assert!(human.err.starts_with("error: "), "{human:?}");
    }
}

#[test]
fn without_a_terminal_a_passphrase_must_come_from_elsewhere() {
    let wallet = Wallet::new();
    let refused = wallet.json(&["new", "alice"]);
    assert_eq!(refused.error(2), "no_terminal");
    assert!(refused.out.contains("--passphrase-file"), "{refused:?}");
    let file = wallet.file("secret", "tree\n");
    assert_eq!(wallet.run(&["new", "alice", "--passphrase-file", &file]).code, 0);
    let empty = Wallet::new().with("WALLET_PASSPHRASE", "");
    assert_eq!(empty.run(&["new", "alice"]).code, 0, "set and empty is the empty passphrase");
}

#[test]
fn a_damaged_account_does_not_hide_the_others() {
    let wallet = Wallet::new().with("WALLET_PASSPHRASE", "tree");
    assert_eq!(wallet.run(&["new", "alice"]).code, 0);
    wallet.file("keys/bob.json", "{");
    let list = wallet.json(&["list"]);
    assert_eq!(list.code, 2, "{list:?}");
    assert_eq!(list.json()["accounts"][0]["name"], "alice");
    assert!(list.json()["damaged"][0].as_str().is_some_and(|text| text.contains("bob.json")));
    assert_eq!(wallet.json(&["address", "bob"]).error(2), "damaged_key");
}

#[test]
fn an_unusable_directory_is_our_own_failure() {
    let wallet = Wallet::new().with("WALLET_PASSPHRASE", "tree");
    let file = wallet.file("file", "");
    assert_eq!(wallet.json(&["new", "alice", "--dir", &file]).error(3), "disk");
}

#[test]
fn help_and_version_end_well_and_name_what_there_is() {
    let wallet = Wallet::new();
    let help = wallet.run(&["--help"]);
    assert_eq!(help.code, 0);
    let commands = ["new", "import", "list", "address", "balance", "send", "status", "verify"];
    for command in commands.into_iter().chain(["history", "completions"]) {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}: {}", help.out);
        let own = wallet.run(&[command, "--help"]);
        assert_eq!(own.code, 0);
        assert!(own.out.contains("Example"), "{}", own.out);
        assert!(own.out.contains("--json") && own.out.contains("--node"), "{}", own.out);
    }
    assert_eq!(wallet.run(&["--version"]).code, 0);
    assert_eq!(wallet.run(&[]).code, 2);
}

#[test]
fn completions_are_a_script_for_the_binary_wallet() {
    let wallet = Wallet::new();
    for (shell, part) in [
        ("bash", "complete -F _wallet"),
        ("zsh", "#compdef wallet"),
        ("fish", "complete -c wallet"),
    ] {
        let script = wallet.run(&["completions", shell]);
        assert_eq!((script.code, script.err.as_str()), (0, ""));
        assert!(script.out.contains(part), "{shell}: {}", script.out);
        assert!(script.out.contains("history") && script.out.contains("genesis"), "{shell}");
    }
    assert_eq!(wallet.json(&["completions", "powershell"]).error(2), "usage");
    assert_eq!(wallet.run(&["completions"]).code, 2);
}
