use super::*;
use crossbeam_channel::{Receiver, bounded};
use ledger::store::{Batch, StoreError};
use std::time::Duration;

/// A store whose syncs wait for a word each: what to answer.
#[derive(Debug)]
struct Slow {
    words: Receiver<Result<(), StoreError>>,
    begun: Sender<()>,
}

impl Store for Slow {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn scan(&self, _: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        Ok(Vec::new())
    }

    fn write(&self, _: &Batch) -> Result<(), StoreError> {
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let _ = self.begun.send(());
        self.words.recv().unwrap_or(Ok(()))
    }
}

struct Bench {
    disk: Disk,
    thread: JoinHandle<()>,
    begun: Receiver<()>,
    words: Sender<Result<(), StoreError>>,
    synced: Receiver<Ticket>,
    counters: Arc<Counters>,
    reports: tokio::sync::mpsc::Receiver<Failure>,
}

fn bench() -> Bench {
    dragging(Drag::default())
}

fn dragging(drag: Drag) -> Bench {
    let (begin, begun) = bounded(64);
    let (words, heard) = bounded(64);
    let (tell, synced) = bounded(1);
    let (failures, reports) = Failures::channel();
    let counters = Arc::new(Counters::default());
    let store = Arc::new(Slow { words: heard, begun: begin });
    let (disk, thread) =
        Disk::start(store, drag, tell, Arc::clone(&counters), &failures).expect("a thread");
    Bench { disk, thread, begun, words, synced, counters, reports }
}

const SOON: Duration = Duration::from_secs(5);

#[test]
fn tickets_that_wait_share_one_sync() {
    let bench = bench();
    bench.disk.sync(Ticket(1));
    bench.begun.recv_timeout(SOON).expect("the first sync begins");
    (2..=50).for_each(|ticket| bench.disk.sync(Ticket(ticket)));
    bench.words.send(Ok(())).expect("listening");
    assert_eq!(bench.synced.recv_timeout(SOON), Ok(Ticket(1)));
    bench.words.send(Ok(())).expect("listening");
    assert_eq!(bench.synced.recv_timeout(SOON), Ok(Ticket(50)));
    drop(bench.disk);
    bench.thread.join().expect("no panic");
    assert_eq!(bench.counters.snapshot().syncs, 2);
}

#[test]
fn a_failing_disk_is_reported_and_nothing_is_called_durable() {
    let mut bench = bench();
    let full = StoreError::Failed("no space left on device".into());
    bench.words.send(Err(full.clone())).expect("listening");
    bench.disk.sync(Ticket(1));
    bench.thread.join().expect("no panic");
    assert_eq!(bench.reports.try_recv(), Ok(Failure::Store(full)));
    assert!(bench.synced.try_recv().is_err());
}

#[test]
fn the_last_ticket_is_synced_although_nobody_waits_for_it() {
    let bench = bench();
    drop(bench.synced);
    drop(bench.words);
    bench.disk.sync(Ticket(9));
    drop(bench.disk);
    bench.thread.join().expect("no panic");
    assert_eq!(bench.counters.snapshot().syncs, 1);
}

#[test]
fn a_sync_takes_as_much_longer_as_is_told_and_begins_afterwards() {
    let drag = Drag::default();
    drag.tell(Spread(vec![50_000, 60_000]), 1);
    let bench = dragging(drag.clone());
    let start = std::time::Instant::now();
    bench.words.send(Ok(())).expect("listening");
    bench.disk.sync(Ticket(1));
    bench.begun.recv_timeout(SOON).expect("it begins");
    assert!(start.elapsed() >= Duration::from_millis(50), "no sooner");
    assert_eq!(bench.synced.recv_timeout(SOON), Ok(Ticket(1)));
    // Told otherwise while it runs, the next waits for nothing that could be noticed.
    drag.tell(Spread::default(), 1);
    bench.words.send(Ok(())).expect("listening");
    bench.disk.sync(Ticket(2));
    assert_eq!(bench.synced.recv_timeout(SOON), Ok(Ticket(2)));
    drop(bench.disk);
    bench.thread.join().expect("no panic");
}

#[test]
fn a_node_that_stops_waits_for_no_slow_disk_and_syncs_all_the_same() {
    let drag = Drag::default();
    // Ten minutes, beside which any test is short.
    drag.tell(Spread(vec![600_000_000]), 1);
    let bench = dragging(drag);
    drop(bench.synced);
    drop(bench.words);
    bench.disk.sync(Ticket(1));
    let start = std::time::Instant::now();
    drop(bench.disk);
    bench.thread.join().expect("no panic");
    assert!(start.elapsed() < Duration::from_secs(300));
    assert_eq!(bench.counters.snapshot().syncs, 1);
}
