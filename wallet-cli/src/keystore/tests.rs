use super::*;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse battery staple";

fn name(text: &str) -> AccountName {
    text.parse().expect("a good name")
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

/// A directory with the secret account `alice` and the dev account `bob`.
fn two_accounts() -> (TempDir, Keystore) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keystore = Keystore::open(dir.path().join("wallet"));
    keystore.create(&name("alice"), &key(1), PASSPHRASE).expect("alice");
    keystore.create_dev(&name("bob"), &key(2)).expect("bob");
    (dir, keystore)
}

#[test]
fn what_is_stored_can_be_unlocked() {
    let (_dir, keystore) = two_accounts();
    let alice = keystore.unlock(&name("alice"), PASSPHRASE).expect("the passphrase is right");
    assert_eq!(alice.public(), key(1).public());
    let account = keystore.account(&name("alice")).expect("alice is there");
    assert_eq!(account.address, key(1).public().address());
    assert!(!account.dev);
}

#[test]
fn a_dev_account_opens_with_the_empty_passphrase() {
    let (_dir, keystore) = two_accounts();
    assert!(keystore.account(&name("bob")).expect("bob is there").dev);
    assert_eq!(keystore.unlock(&name("bob"), "").expect("no secret").public(), key(2).public());
}

#[test]
fn a_wrong_passphrase_is_refused() {
    let (_dir, keystore) = two_accounts();
    for wrong in ["", "correct horse battery stapl", "Correct horse battery staple"] {
        let error = keystore.unlock(&name("alice"), wrong).expect_err("a wrong passphrase");
        assert!(matches!(error, KeystoreError::Locked { .. }), "{error}");
    }
}

#[test]
fn files_and_directory_are_for_their_owner_only() {
    let (_dir, keystore) = two_accounts();
    let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    assert_eq!(mode(&keystore.path(&name("alice"))), 0o600);
    assert_eq!(mode(&keystore.path(&name("bob"))), 0o600);
    assert_eq!(mode(&keystore.keys), 0o700);
    assert_eq!(mode(keystore.keys.parent().expect("the wallet's directory")), 0o700);
}

#[test]
fn a_directory_open_to_others_is_closed() {
    let (_dir, keystore) = two_accounts();
    fs::set_permissions(&keystore.keys, fs::Permissions::from_mode(0o755)).expect("chmod");
    keystore.create_dev(&name("carol"), &key(3)).expect("carol");
    let mode = fs::metadata(&keystore.keys).expect("it exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn an_account_is_never_overwritten() {
    let (_dir, keystore) = two_accounts();
    let before = fs::read(keystore.path(&name("alice"))).expect("alice's file");
    let error = keystore.create(&name("alice"), &key(9), "other").expect_err("it exists");
    assert!(matches!(error, KeystoreError::Exists { .. }), "{error}");
    // Not even by a writer that looked before the other one wrote.
    let error = disk::create_private(&keystore.path(&name("alice")), b"{}").expect_err("it exists");
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(keystore.path(&name("alice"))).expect("alice's file"), before);
}

#[test]
fn no_draft_is_left_behind() {
    let (_dir, keystore) = two_accounts();
    disk::create_private(&keystore.path(&name("bob")), b"{}").expect_err("it exists");
    let mut files: Vec<_> = fs::read_dir(&keystore.keys)
        .expect("the directory")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["alice.json", "bob.json"]);
}

#[test]
fn the_file_tells_no_secret() {
    let (_dir, keystore) = two_accounts();
    let text = fs::read_to_string(keystore.path(&name("alice"))).expect("alice's file");
    assert!(!text.contains(&hex::encode(*key(1).seed())));
    assert!(!text.contains(PASSPHRASE));
    assert!(!text.contains("dev"));
}

#[test]
fn two_files_of_one_key_share_nothing_sealed() {
    let (_dir, keystore) = two_accounts();
    keystore.create(&name("again"), &key(1), PASSPHRASE).expect("again");
    let parse = |who: &str| {
        let bytes = fs::read(keystore.path(&name(who))).expect("a file");
        serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON")
    };
    let (one, two) = (parse("alice"), parse("again"));
    assert_ne!(one["kdf"]["salt"], two["kdf"]["salt"]);
    assert_ne!(one["cipher"]["ciphertext"], two["cipher"]["ciphertext"]);
}

#[test]
fn a_listing_is_sorted_and_names_what_is_damaged() {
    let (_dir, keystore) = two_accounts();
    fs::write(keystore.path(&name("broken")), "{").expect("write");
    fs::write(keystore.keys.join("Not A Name.json"), "{}").expect("write");
    fs::write(keystore.keys.join("notes.txt"), "hello").expect("write");
    fs::write(keystore.keys.join(".draft-00"), "unfinished").expect("write");
    let listing = keystore.list().expect("the directory can be read");
    let names: Vec<_> = listing.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob"]);
    assert_eq!(listing.damaged.len(), 2, "{:?}", listing.damaged);
}

#[test]
fn a_directory_that_does_not_exist_has_no_accounts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keystore = Keystore::open(dir.path().join("nowhere"));
    assert!(keystore.list().expect("nothing is no error").accounts.is_empty());
    let error = keystore.account(&name("alice")).expect_err("she is not there");
    assert!(error.to_string().contains("wallet new alice"), "{error}");
    assert!(!dir.path().join("nowhere").exists(), "reading creates nothing");
}

#[test]
fn an_unknown_account_is_told_which_there_are() {
    let (_dir, keystore) = two_accounts();
    let error = keystore.unlock(&name("alicia"), PASSPHRASE).expect_err("no such account");
    assert!(error.to_string().contains("there are: alice, bob"), "{error}");
}

/// What reading and unlocking `alice` says after her file's text was changed.
fn after(change: impl Fn(&str) -> String) -> String {
    let (_dir, keystore) = two_accounts();
    let path = keystore.path(&name("alice"));
    let text = fs::read_to_string(&path).expect("alice's file");
    let changed = change(&text);
    assert_ne!(text, changed, "the change changes something");
    fs::write(&path, changed).expect("write");
    keystore.unlock(&name("alice"), PASSPHRASE).expect_err("a damaged file").to_string()
}

#[test]
fn each_kind_of_damage_has_its_message() {
    let replaced = |from: &'static str, to: &'static str| after(|text| text.replace(from, to));
    for (message, expected) in [
        (after(|text| text[..text.len() / 2].to_owned()), "EOF"),
        (after(|_| String::new()), "EOF"),
        (after(|_| "x".repeat(100_000)), "longer than"),
        (replaced("\"version\": 1", "\"version\": 2"), "version 2"),
        (replaced("\"alice\"", "\"mallory\""), "belongs to the account mallory"),
        (replaced("argon2id", "md5"), "unknown variant `md5`"),
        (replaced("chacha20poly1305", "rot13"), "unknown variant `rot13`"),
        (replaced("19456", "4294967295"), "at most 262144 KiB"),
        (replaced("19456", "1"), "argon2id parameters"),
        (replaced("\"passes\": 2", "\"passes\": 4000000000"), "4000000000 passes"),
        (replaced("\"salt\": \"", "\"salt\": \"00"), "Invalid string length"),
        (replaced("\"version\": 1,", "\"version\": 1, \"extra\": 0,"), "unknown field `extra`"),
        // The seal binds what lies in the clear.
        (replaced("\"version\": 1,", "\"version\": 1, \"dev\": true,"), "was altered"),
    ] {
        assert!(message.contains(expected), "{message:?} should say {expected:?}");
    }
}

#[test]
fn a_file_under_another_name_does_not_open() {
    let (_dir, keystore) = two_accounts();
    fs::rename(keystore.path(&name("alice")), keystore.path(&name("mallory"))).expect("rename");
    let error = keystore.unlock(&name("mallory"), PASSPHRASE).expect_err("it is alice's");
    assert!(error.to_string().contains("belongs to the account alice"), "{error}");
}

#[test]
fn another_accounts_address_is_not_believed() {
    let alices = key(1).public();
    let bobs = key(2).public();
    let address =
        after(|text| text.replace(&alices.address().to_string(), &bobs.address().to_string()));
    assert!(address.contains("not that of its public key"), "{address}");
    // Even both together: the seal binds them.
    let both = after(|text| {
        text.replace(&alices.address().to_string(), &bobs.address().to_string())
            .replace(&alices.to_string(), &bobs.to_string())
    });
    assert!(both.contains("was altered"), "{both}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Whatever happens to some bytes, reading gives an error or the very same key.
    #[test]
    fn a_damaged_file_never_gives_another_key(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let keystore = Keystore::open(dir.path());
        keystore.create_dev(&name("bob"), &key(2)).expect("bob");
        let path = keystore.path(&name("bob"));
        let mut bytes = fs::read(&path).expect("bob's file");
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).expect("write");
        match keystore.unlock(&name("bob"), "") {
            Ok(found) => prop_assert_eq!(found.public(), key(2).public()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
        keystore.list().expect("a damaged file does not spoil the listing");
    }
}
