use super::*;

#[test]
fn without_a_directory_a_fresh_one_lives_as_long_as_the_net() {
    let home = Home::open(None).unwrap();
    let dir = home.place().dir().to_owned();
    assert!(home.is_temporary() && !home.is_founded() && dir.is_dir());
    drop(home);
    assert!(!dir.exists());
}

#[test]
fn after_a_failure_even_a_temporary_directory_stays() {
    let home = Home::open(None).unwrap();
    let dir = home.place().dir().to_owned();
    home.leave();
    assert!(dir.is_dir());
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_missing_or_empty_directory_is_fine() {
    let parent = tempfile::tempdir().unwrap();
    let missing = parent.path().join("deep/net");
    let home = Home::open(Some(&missing)).unwrap();
    assert!(!home.is_temporary() && !home.is_founded());
    drop(home);
    assert!(missing.is_dir(), "a directory that was asked for stays");
    assert!(Home::open(Some(&missing)).is_ok(), "and an empty one can be used again");
}

#[test]
fn a_founded_directory_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("testnet.json"), "{}").unwrap();
    assert!(Home::open(Some(dir.path())).unwrap().is_founded());
}

#[test]
fn somebody_elses_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.tex"), "years of work").unwrap();
    let error = Home::open(Some(dir.path())).unwrap_err();
    assert!(matches!(error, HomeError::NotEmpty(_)));
    assert!(error.to_string().contains("new or empty directory"));
    assert!(matches!(
        Home::open(Some(&dir.path().join("thesis.tex"))),
        Err(HomeError::NoDirectory(_))
    ));
}

#[test]
fn one_testnet_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = Home::open(Some(dir.path())).unwrap();
    assert!(matches!(Home::open(Some(dir.path())), Err(HomeError::InUse(_))));
    drop(first);
    assert!(Home::open(Some(dir.path())).is_ok());
}
