use super::*;
use crate::committees::{founders, tests::Story};
use proptest::prelude::*;
use std::sync::OnceLock;

fn story() -> &'static Story {
    static STORY: OnceLock<Story> = OnceLock::new();
    STORY.get_or_init(|| Story::new(5))
}

/// A directory with the file of five changes, and what is in it.
fn kept() -> (tempfile::TempDir, CommitteeFile, Vec<u8>) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = CommitteeFile::new(dir.path(), &story().genesis);
    let mut committees = founders(&story().genesis);
    committees.extend(story().changes.clone()).expect("all of it is true");
    file.save(&committees, 0).expect("the disk is good");
    let bytes = fs::read(file.path()).expect("it was written");
    (dir, file, bytes)
}

fn load(file: &CommitteeFile) -> (Option<Damage>, usize) {
    let mut committees = founders(&story().genesis);
    let damage = file.load(&mut committees).expect("the disk is good");
    (damage, committees.changes())
}

#[test]
fn what_is_kept_is_read_again() {
    let (_dir, file, bytes) = kept();
    assert_eq!(load(&file), (None, 5));
    // Nothing new: nothing is written.
    fs::remove_file(file.path()).unwrap();
    let mut committees = founders(&story().genesis);
    committees.extend(story().changes.clone()).unwrap();
    file.save(&committees, 5).unwrap();
    assert_eq!(load(&file), (None, 0), "no file is no damage");
    fs::write(file.path(), bytes).unwrap();
    assert_eq!(load(&file), (None, 5));
}

#[test]
fn another_chains_file_is_of_no_use() {
    let (_dir, file, bytes) = kept();
    let mut genesis = story().genesis.clone();
    genesis.name = "another".into();
    let other = CommitteeFile::new(file.path().parent().unwrap().parent().unwrap(), &genesis);
    fs::write(other.path(), bytes).unwrap();
    let mut committees = founders(&genesis);
    let damage = other.load(&mut committees).unwrap();
    assert!(matches!(damage, Some(Damage::OtherChain { .. })), "{damage:?}");
    assert!(!other.path().exists(), "it is asked for anew");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256, failure_persistence: None, ..Default::default()
    })]

    /// The disk is believed no more than a node.
    #[test]
    fn a_single_flipped_bit_is_found_out(index in any::<prop::sample::Index>(), bit in 0_u32..8) {
        let (_dir, file, mut bytes) = kept();
        let at = index.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        fs::write(file.path(), &bytes).unwrap();
        let (damage, changes) = load(&file);
        prop_assert!(damage.is_some() && changes == 0, "byte {at}, bit {bit}: {damage:?}");
        prop_assert!(!file.path().exists());
    }

    #[test]
    fn a_torn_file_is_found_out(index in any::<prop::sample::Index>()) {
        let (_dir, file, mut bytes) = kept();
        bytes.truncate(index.index(bytes.len()));
        fs::write(file.path(), &bytes).unwrap();
        let (damage, changes) = load(&file);
        prop_assert!(damage.is_some() && changes == 0);
    }
}
