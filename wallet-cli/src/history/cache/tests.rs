use super::*;
use crate::{
    committees::founders,
    network::{Network, poor, rich},
    verify::blocks::verify_blocks,
};
use tempfile::TempDir;

/// Three blocks with a transfer each, read into the history of who receives them.
fn three_read() -> (TempDir, Network) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut network = Network::new("cache");
    network.decide_transfers(3);
    let (mut cache, damage) = open(&dir, &network);
    assert_eq!((cache.count(), cache.tip().height(), damage), (0, 0, None));
    read(&mut cache, &network);
    (dir, network)
}

fn open(dir: &TempDir, network: &Network) -> (Cache, Option<Damage>) {
    Cache::open(dir.path(), &founders(&network.genesis), poor()).expect("a directory of our own")
}

/// Reads what there is.
fn read(cache: &mut Cache, network: &Network) {
    let answer = network.blocks(cache.tip().height() + 1);
    let read = verify_blocks(&founders(&network.genesis), cache.tip(), &answer)
        .expect("all of it is true");
    cache.extend(&read).expect("the disk is good");
}

fn path(dir: &TempDir, extension: &str) -> PathBuf {
    dir.path().join(format!("history/{}.{extension}", poor()))
}

fn heights(cache: &Cache, skip: u64) -> Vec<u64> {
    let entries = cache.entries(skip).expect("the disk is good");
    entries.map(|entry| entry.expect("the disk is good").height).collect()
}

/// Changes a file of ours and says what a wallet makes of it: nothing is left of the history.
fn damaged(extension: &str, change: impl FnOnce(String) -> String) -> Option<Damage> {
    let (dir, network) = three_read();
    let path = path(&dir, extension);
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, change(text)).expect("it is ours");
    let (mut cache, damage) = open(&dir, &network);
    if damage.is_some() {
        assert_eq!((cache.count(), cache.tip().height()), (0, 0), "{damage:?}");
        read(&mut cache, &network);
        drop(cache);
        let (cache, damage) = open(&dir, &network);
        assert_eq!((heights(&cache, 0), damage), (vec![1, 2, 3], None), "it was built anew");
    }
    damage
}

#[test]
fn what_was_read_is_there_the_next_time_and_grows() {
    let (dir, mut network) = three_read();
    let (mut cache, damage) = open(&dir, &network);
    assert_eq!((cache.tip().height(), damage), (3, None));
    assert_eq!(heights(&cache, 0), [1, 2, 3]);
    assert_eq!(heights(&cache, 2), [3]);
    network.decide_transfers(2);
    read(&mut cache, &network);
    assert_eq!(heights(&cache, 0), [1, 2, 3, 4, 5]);
    drop(cache);
    assert_eq!(heights(&open(&dir, &network).0, 3), [4, 5]);
}

#[test]
fn blocks_that_do_not_touch_the_account_move_the_checkpoint_only() {
    let (dir, mut network) = three_read();
    let (mut cache, _) = open(&dir, &network);
    network.decide(Vec::new(), true);
    read(&mut cache, &network);
    assert_eq!((cache.count(), cache.tip().height()), (3, 4));
}

#[test]
fn what_an_interrupted_call_left_behind_is_overwritten() {
    let (dir, mut network) = three_read();
    let path = path(&dir, "jsonl");
    let mut text = fs::read_to_string(&path).expect("it is there");
    text.push_str("{\"half an entry, and longer than a whole one\": \"");
    text.push_str(&"x".repeat(9000));
    fs::write(&path, text).expect("it is ours");
    let (mut cache, damage) = open(&dir, &network);
    assert_eq!((heights(&cache, 0), damage), (vec![1, 2, 3], None));
    network.decide_transfers(1);
    read(&mut cache, &network);
    drop(cache);
    assert_eq!(heights(&open(&dir, &network).0, 0), [1, 2, 3, 4]);
}

#[test]
fn entries_tampered_with_are_thrown_away() {
    let changed = |text: String| text.replace("\"amount\":10", "\"amount\":99");
    assert_eq!(damaged("jsonl", changed), Some(Damage::Entries));
    let removed = |text: String| text.split_inclusive('\n').skip(1).collect();
    assert_eq!(damaged("jsonl", removed), Some(Damage::Entries));
    assert_eq!(damaged("jsonl", |_| String::new()), Some(Damage::Entries));
    let endless = |text: String| "x".repeat(text.len());
    assert_eq!(damaged("jsonl", endless), Some(Damage::Entries));
}

#[test]
fn a_checkpoint_tampered_with_is_thrown_away() {
    let unreadable = damaged("json", |text| text[..text.len() / 2].to_owned());
    assert!(matches!(unreadable, Some(Damage::Unreadable(_))), "{unreadable:?}");
    let version = damaged("json", |text| text.replace("\"version\":1", "\"version\":2"));
    assert_eq!(version, Some(Damage::Version(2)));
    let fewer = damaged("json", |text| text.replace("\"count\":3", "\"count\":2"));
    assert_eq!(fewer, Some(Damage::Entries));
    // A block of which nobody has a certificate: the height says 3, and the header is another.
    let raised = damaged("json", |text| text.replace("\"height\":3", "\"height\":9"));
    assert!(matches!(raised, Some(Damage::NotProven(_))), "{raised:?}");
    let address = rich().public().address();
    let other = damaged("json", |text| text.replace(&poor().to_string(), &address.to_string()));
    assert_eq!(other, Some(Damage::OtherAccount(address)));
}

#[test]
fn another_chains_history_is_thrown_away() {
    let (dir, network) = three_read();
    let other = Network::new("another");
    let (cache, damage) = open(&dir, &other);
    let (kept, genesis) = (network.genesis.chain_id(), other.genesis.chain_id());
    assert_eq!(damage, Some(Damage::OtherChain { kept, genesis }));
    assert_eq!((cache.count(), cache.tip()), (0, FinalBlock::genesis(&other.genesis)));
}

#[test]
fn entries_without_a_checkpoint_mean_nothing() {
    let (dir, network) = three_read();
    fs::remove_file(path(&dir, "json")).expect("it is there");
    let (mut cache, damage) = open(&dir, &network);
    assert_eq!((cache.count(), cache.tip().height(), damage), (0, 0, None));
    read(&mut cache, &network);
    assert_eq!(heights(&cache, 0), [1, 2, 3]);
}

#[test]
fn two_wallets_do_not_write_one_history() {
    let (dir, network) = three_read();
    let first = open(&dir, &network);
    let second = Cache::open(dir.path(), &founders(&network.genesis), poor());
    assert!(matches!(second, Err(CacheError::Busy { .. })), "{second:?}");
    drop(first);
    open(&dir, &network);
}

#[test]
fn a_history_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let (dir, _) = three_read();
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("history")), 0o700);
    assert_eq!(mode(&path(&dir, "json")), 0o600);
    assert_eq!(mode(&path(&dir, "jsonl")), 0o600);
    let drafts = fs::read_dir(dir.path().join("history")).expect("it is there").count();
    assert_eq!(drafts, 2, "no draft is left behind");
}
