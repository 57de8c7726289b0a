use super::*;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};
use tempfile::TempDir;

fn file(content: &[u8], mode: u32) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("validator.key");
    fs::write(&path, content).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("permitted");
    (dir, path)
}

#[test]
fn a_new_key_is_read_back_and_nobody_else_may() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("validator.key");
    let made = create(&path).expect("made");
    assert_eq!(load(&path).expect("read").public(), made.public());
    let mode = fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("validator.key");
    let first = create(&path).expect("made");
    assert!(matches!(create(&path), Err(KeyError::Exists { .. })));
    assert_eq!(load(&path).expect("read").public(), first.public());
}

#[test]
fn wider_permissions_are_refused_with_the_remedy() {
    for mode in [0o640, 0o604, 0o620, 0o660, 0o644, 0o666, 0o601, 0o777] {
        let (_dir, path) = file("11".repeat(32).as_bytes(), mode);
        let error = load(&path).expect_err("refused").to_string();
        assert!(error.contains("chmod 600"), "{error}");
        assert!(error.contains(&format!("{mode:04o}")), "{error}");
        assert!(error.contains("validator.key"), "{error}");
    }
}

#[test]
fn narrower_permissions_are_fine() {
    let (_dir, path) = file("11".repeat(32).as_bytes(), 0o400);
    assert_eq!(load(&path).expect("read").public(), SecretKey::from_seed([0x11; 32]).public());
}

#[test]
fn blanks_around_it_and_capitals_do_not_matter() {
    let (_dir, path) = file(format!("{}\r\n", "AB".repeat(32)).as_bytes(), 0o600);
    assert_eq!(load(&path).expect("read").public(), SecretKey::from_seed([0xab; 32]).public());
}

#[test]
fn what_is_no_key_is_refused_without_repeating_it() {
    let nearly = format!("{}g0", "5e".repeat(31));
    let long = "5e".repeat(33);
    let huge = vec![b'5'; 1_000_000];
    let contents: [&[u8]; 6] =
        [b"", b"5e5e", nearly.as_bytes(), long.as_bytes(), &huge, &[0xff; 64]];
    for content in contents {
        let (_dir, path) = file(content, 0o600);
        let error = load(&path).expect_err("refused").to_string();
        assert!(error.contains("64 hexadecimal digits"), "{error}");
        assert!(!error.contains("5e5e"), "{error}");
    }
}

#[test]
fn a_missing_key_names_the_command_that_makes_one() {
    let error = load(Path::new("/nonexistent/validator.key")).expect_err("missing").to_string();
    assert!(error.contains("/nonexistent/validator.key"), "{error}");
    assert!(error.contains("node keys --new"), "{error}");
}
