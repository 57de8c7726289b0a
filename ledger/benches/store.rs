//! Durable commits: a batch is written, and synced before the next one begins.
//!
//! `disk` is the store of a node; `sled` is what it would be without the log: `apply_batch`, `flush`
//! and `fdatasync` of `db`. Both run long enough that checkpoints are part of the figure. Keys are
//! either new each time, or those of 10,000 accounts over and over.
//!
//! `cargo bench -p ledger --features sled`; `TMPDIR` says on which disk.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ledger::store::{Batch, DiskStore, Store};
use std::{fs::File, time::Duration};

const VALUE: [u8; 100] = [7; 100];
const ACCOUNTS: u64 = 10_000;

/// 32 bytes in no order, the same for the same number.
fn key(number: u64) -> Vec<u8> {
    crypto::hash::sha256(&number.to_be_bytes()).as_bytes().to_vec()
}

/// The keys of commit after commit.
fn keys(entries: u64, of: u64) -> impl FnMut() -> Vec<Vec<u8>> {
    let mut number = 0;
    move || {
        let keys = (number..number + entries).map(|number| key(number % of)).collect();
        number += entries;
        keys
    }
}

fn commits(criterion: &mut Criterion) {
    for (what, of) in [("new keys", u64::MAX), ("accounts", ACCOUNTS)] {
        let mut group = criterion.benchmark_group(format!("durable commit, {what}"));
        group.sample_size(30).measurement_time(Duration::from_secs(8));
        for entries in [1, 100] {
            group.throughput(Throughput::Elements(entries));
            group.bench_function(BenchmarkId::new("disk", entries), |bencher| {
                let directory = tempfile::tempdir().expect("a directory");
                let store = DiskStore::open(directory.path()).expect("a new store");
                let mut keys = keys(entries, of);
                bencher.iter(|| {
                    let mut batch = Batch::default();
                    keys().into_iter().for_each(|key| batch.put(key, VALUE.to_vec()));
                    store.write(&batch).expect("a disk that works");
                    store.sync().expect("a disk that works");
                });
            });
            group.bench_function(BenchmarkId::new("sled", entries), |bencher| {
                let directory = tempfile::tempdir().expect("a directory");
                let config = sled::Config::new().path(directory.path()).flush_every_ms(None);
                let tree = config.open().expect("a new tree");
                let file = File::open(directory.path().join("db")).expect("sled's file");
                let mut keys = keys(entries, of);
                bencher.iter(|| {
                    let mut batch = sled::Batch::default();
                    keys().into_iter().for_each(|key| batch.insert(key, VALUE.to_vec()));
                    tree.apply_batch(batch).expect("a disk that works");
                    tree.flush().expect("a disk that works");
                    file.sync_data().expect("a disk that works");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, commits);
criterion_main!(benches);
