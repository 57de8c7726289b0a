//! A process that really dies.

use super::*;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

/// Where the other process writes. Without it [`the_other_process`] is no test at all.
const WHERE: &str = "LEDGER_TEST_KILLED_STORE";
const SYNCED: &str = "synced ";

fn numbered(number: u64) -> Batch {
    let mut batch = put(b"number", &number.to_be_bytes());
    batch.put((number % 50).to_be_bytes().to_vec(), vec![number as u8; 500]);
    batch
}

/// Writes and syncs until it is killed, and says what it has synced.
#[test]
fn the_other_process() {
    let Some(path) = env::var_os(WHERE) else { return };
    let store = reopen(Path::new(&path), &SMALL).unwrap();
    let found = store.get(b"number").unwrap();
    let begin = found.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    for number in begin + 1.. {
        store.write(&numbered(number)).unwrap();
        if number.is_multiple_of(3) {
            store.sync().unwrap();
            println!("{SYNCED}{number}");
        }
    }
}

#[test]
fn what_was_synced_survives_a_killed_process() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("state");
    for life in 1..=4 {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "store::disk::tests::killed::the_other_process", "--nocapture"]);
        command.env(WHERE, &path).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut other = command.spawn().unwrap();
        let mut lines = BufReader::new(other.stdout.take().unwrap()).lines().map(Result::unwrap);
        let synced = |line: String| line.strip_prefix(SYNCED)?.parse::<u64>().ok();
        // Later in each life, so that it is hit in different places.
        let heard = lines.by_ref().filter_map(synced).nth(life * 37).expect("it goes on");
        other.kill().unwrap();
        other.wait().unwrap();
        let heard = lines.filter_map(synced).last().unwrap_or(heard);

        let store = reopen(&path, &SMALL).unwrap();
        let bytes = store.get(b"number").unwrap().expect("it was synced");
        let number = u64::from_be_bytes(bytes.try_into().unwrap());
        assert!(number >= heard, "{number} is left, {heard} was synced");
        let mut model = BTreeMap::new();
        (1..=number).for_each(|number| apply(&mut model, &numbered(number)));
        assert!(store.scan(b"").unwrap().into_iter().eq(model));
    }
}
