//! A process that dies at each point between two steps, and what it leaves.

use super::*;
use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio, abort},
    sync::atomic::{AtomicU32, Ordering},
};

/// Where the other process writes, and where it dies. Without them [`the_other_process`] is no test at all.
const WHERE: &str = "LEDGER_TEST_TRIPPED_STORE";
const TRIP: &str = "LEDGER_TEST_TRIP";
const SYNCED: &str = "synced ";

/// Many more than it takes to pass any point three times.
const MANY: u64 = 4_000;

const SIGABRT: i32 = 6;

fn numbered(number: u64) -> Batch {
    let mut batch = put(b"number", &number.to_be_bytes());
    batch.put((number % 50).to_be_bytes().to_vec(), vec![number as u8; 900]);
    batch
}

/// Ends this process at the so-manieth passage of a point, as a crash would: nothing is tidied up.
fn trip(point: Point, passage: u32) -> Tripwire {
    let left = AtomicU32::new(passage);
    Tripwire::new(move |passed| {
        if passed == point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            abort();
        }
    })
}

/// Writes and syncs until it dies, and says what it has synced.
#[test]
fn the_other_process() {
    let (Some(path), Ok(order)) = (env::var_os(WHERE), env::var(TRIP)) else { return };
    let (point, passage) = order.split_once(':').unwrap();
    let wire = trip(point.parse().unwrap(), passage.parse().unwrap());
    let open = || DiskStore::open_tripped(Path::new(&path), wire.clone());
    let store = once_let_go(open).unwrap();
    let found = store.get(b"number").unwrap();
    let begin = found.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    for number in begin + 1..begin + MANY {
        store.write(&numbered(number)).unwrap();
        if number.is_multiple_of(3) {
            store.sync().unwrap();
            println!("{SYNCED}{number}");
        }
    }
}

/// Lives until it dies of `order`, and tells the last number that was told to be durable.
fn live(path: &Path, order: &str) -> Option<u64> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "store::disk::tests::tripped::the_other_process", "--nocapture"]);
    command.env(WHERE, path).env(TRIP, order).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut other = command.spawn().unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines().map(Result::unwrap);
    let synced = |line: String| line.strip_prefix(SYNCED)?.parse::<u64>().ok();
    let heard = lines.filter_map(synced).last();
    let status = other.wait().unwrap();
    assert_eq!(status.signal(), Some(SIGABRT), "{order} was never passed: {status}");
    heard
}

/// The points that a store passes by itself.
fn points() -> impl Iterator<Item = Point> {
    let of_the_store = |point: &Point| *point <= Point::SyncUntold;
    Point::ALL.iter().copied().filter(of_the_store)
}

#[test]
fn whoever_dies_at_any_point_loses_nothing_that_was_told_to_be_durable() {
    for point in points() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("state");
        // The first life of a database, and a later one, which finds more to open.
        let orders = match point.recurs() {
            true => [format!("{point}:1"), format!("{point}:3")],
            // Once while the database is made, and once when there is something in it.
            false => [format!("{point}:1"), format!("{}:40", Point::SyncUntold)],
        };
        let again = (!point.recurs() && point != Point::LogMade).then(|| format!("{point}:1"));
        let mut told = 0;
        for order in orders.into_iter().chain(again) {
            told = live(&path, &order).unwrap_or(told).max(told);
            let store = reopen(&path, &SMALL).unwrap_or_else(|error| panic!("{order}: {error}"));
            let bytes = store.get(b"number").unwrap();
            let number = bytes.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
            assert!(number >= told, "{order}: {number} is left, {told} was told to be durable");
            let mut model = BTreeMap::new();
            (1..=number).for_each(|number| apply(&mut model, &numbered(number)));
            assert!(store.scan(b"").unwrap().into_iter().eq(model), "{order}");
        }
    }
}

#[test]
fn a_store_passes_every_point_of_its_own() {
    use std::{collections::BTreeSet, sync::Mutex};
    let directory = TempDir::new().unwrap();
    let passed = Arc::new(Mutex::new(BTreeSet::new()));
    let sink = Arc::clone(&passed);
    let wire = Tripwire::new(move |point| {
        sink.lock().unwrap().insert(point);
    });
    let store = DiskStore::open_tripped(directory.path().join("state"), wire).unwrap();
    for number in 1..400 {
        store.write(&numbered(number)).unwrap();
        store.sync().unwrap();
    }
    drop(store);
    let missing: Vec<_> =
        points().filter(|point| !passed.lock().unwrap().contains(point)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
