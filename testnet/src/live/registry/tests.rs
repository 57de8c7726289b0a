use super::*;
use std::os::unix::fs::symlink;

fn registry() -> (tempfile::TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::at(dir.path().join("nets")).unwrap();
    (dir, registry)
}

#[test]
fn a_note_is_there_as_long_as_its_net() {
    let (_dir, registry) = registry();
    let place = Place::new("/tmp/net");
    let note = registry.note(&place).unwrap();
    assert_eq!(registry.running(|_| true).unwrap(), [place]);
    drop(note);
    assert!(registry.running(|_| true).unwrap().is_empty());
}

#[test]
fn notes_of_the_dead_are_cleared_away() {
    let (_dir, registry) = registry();
    fs::write(registry.dir().join("4711"), "/tmp/dead").unwrap();
    fs::write(registry.dir().join("4712"), "/tmp/alive").unwrap();
    fs::write(registry.dir().join("a.sock"), "no note").unwrap();
    let alive = Place::new("/tmp/alive");
    assert_eq!(registry.running(|place| *place == alive).unwrap(), [alive]);
    assert!(!registry.dir().join("4711").exists());
    assert!(registry.dir().join("a.sock").exists());
}

#[test]
fn the_registry_is_for_its_user_only() {
    let (dir, registry) = registry();
    let mode = fs::metadata(registry.dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let link = dir.path().join("link");
    symlink(registry.dir(), &link).unwrap();
    assert!(Registry::at(link).is_err(), "somebody could have put a link there");
}
