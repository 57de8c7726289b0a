//! Who waits for whom.

use super::{super::*, Cut, Power, SMALL, numbered};
use crate::store::disk::medium::Medium;
use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

/// A log's files: counted, stopped or broken at will.
#[derive(Clone, Debug)]
struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes: [Mutex<Vec<u8>>; 2],
    syncs: AtomicUsize,
    broken: AtomicBool,
    /// When there is one, a sync says that it has begun and waits until it may end.
    gate: Mutex<Option<(SyncSender<()>, Receiver<()>)>>,
}

#[derive(Debug)]
struct One(Files, usize);

impl Medium for One {
    fn read(&self) -> io::Result<Vec<u8>> {
        Ok(self.0.0.bytes[self.1].lock().unwrap().clone())
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.0.bytes[self.1].lock().unwrap();
        let (at, end) = (at as usize, at as usize + bytes.len());
        let len = file.len().max(end);
        file.resize(len, 0);
        file[at..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let inner = &self.0.0;
        inner.syncs.fetch_add(1, Ordering::SeqCst);
        if let Some((begun, may_end)) = &*inner.gate.lock().unwrap() {
            begun.send(()).unwrap();
            may_end.recv().unwrap();
        }
        match inner.broken.load(Ordering::SeqCst) {
            true => Err(io::Error::other("no such sector")),
            false => Ok(()),
        }
    }
}

impl Files {
    /// A new engine on files of its own.
    fn engine() -> (Files, Engine) {
        let files = Files(Arc::new(Inner {
            bytes: Default::default(),
            syncs: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            gate: Mutex::new(None),
        }));
        let shelf = Power::on(Cut::fresh(), usize::MAX).shelf(&SMALL);
        let media: Media = [Box::new(One(files.clone(), 0)), Box::new(One(files.clone(), 1))];
        let engine = Engine::open(shelf, None, media, SMALL.segment).expect("a new store");
        files.0.syncs.store(0, Ordering::SeqCst);
        (files, engine)
    }

    fn syncs(&self) -> usize {
        self.0.syncs.load(Ordering::SeqCst)
    }
}

#[test]
fn a_sync_without_anything_to_sync_leaves_the_disk_alone() {
    let (files, engine) = Files::engine();
    engine.sync().unwrap();
    assert_eq!(files.syncs(), 0);
    engine.write(&Batch::default()).unwrap();
    engine.sync().unwrap();
    assert_eq!(files.syncs(), 0);
    engine.write(&numbered(&[(0, Some(10))], 1)).unwrap();
    engine.write(&numbered(&[(1, Some(10))], 2)).unwrap();
    engine.sync().unwrap();
    engine.sync().unwrap();
    assert_eq!(files.syncs(), 1);
}

#[test]
fn while_the_disk_syncs_others_write_and_read_and_share_the_next_sync() {
    let (files, engine) = Files::engine();
    let (begun, has_begun) = sync_channel(0);
    let (end, may_end) = sync_channel(0);
    *files.0.gate.lock().unwrap() = Some((begun, may_end));
    engine.write(&numbered(&[(0, Some(10))], 1)).unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| engine.sync());
        has_begun.recv().unwrap();
        for number in 2..=3 {
            engine.write(&numbered(&[(0, Some(20))], number)).unwrap();
            let found = engine.get(b"#").unwrap();
            assert_eq!(found, Some(number.to_be_bytes().to_vec()));
        }
        assert_eq!(engine.scan(b"#").unwrap().len(), 1);
        let others = [scope.spawn(|| engine.sync()), scope.spawn(|| engine.sync())];
        end.send(()).unwrap();
        assert_eq!(first.join().unwrap(), Ok(()));
        has_begun.recv().unwrap();
        end.send(()).unwrap();
        for other in others {
            assert_eq!(other.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(files.syncs(), 2);
}

#[test]
fn after_a_failed_sync_nothing_is_promised_any_more() {
    let (files, engine) = Files::engine();
    engine.write(&numbered(&[(0, Some(10))], 1)).unwrap();
    files.0.broken.store(true, Ordering::SeqCst);
    let failed = Err(StoreError::Failed("no such sector".into()));
    assert_eq!(engine.sync(), failed);
    // A disk that says it is well again may have forgotten what it did not write.
    files.0.broken.store(false, Ordering::SeqCst);
    assert_eq!(engine.sync(), failed);
    assert_eq!(engine.write(&numbered(&[(0, Some(10))], 2)), failed);
    assert_eq!(engine.finish(), failed);
    assert_eq!(engine.get(b"#"), Ok(Some(1u64.to_be_bytes().to_vec())));
    assert_eq!(files.syncs(), 1);
}

#[test]
fn a_write_waits_for_sled_when_both_segments_are_full_and_no_longer() {
    let (_, engine) = Files::engine();
    let mut model = BTreeMap::new();
    let mut number = 0;
    let mut next = || {
        number += 1;
        numbered(&[(number as u8 % 6, Some(1_000))], number)
    };
    let waiting = loop {
        let batch = next();
        if engine.would_wait(&batch) {
            break batch;
        }
        engine.write(&batch).unwrap();
        crate::store::tests::apply(&mut model, &batch);
    };
    crate::store::tests::agrees(&engine, &model);
    thread::scope(|scope| {
        let writer = scope.spawn(|| engine.write(&waiting));
        // Nobody synced: the checkpoint does so itself, or everybody would wait for ever.
        let frozen = engine.await_frozen().unwrap();
        engine.checkpoint(&frozen).unwrap();
        assert_eq!(writer.join().unwrap(), Ok(()));
    });
    crate::store::tests::apply(&mut model, &waiting);
    crate::store::tests::agrees(&engine, &model);
}

#[test]
fn whoever_waits_hears_that_the_checkpoint_failed() {
    let (_, engine) = Files::engine();
    let mut number = 0;
    loop {
        number += 1;
        let batch = numbered(&[(0, Some(1_000))], number);
        if engine.would_wait(&batch) {
            break;
        }
        engine.write(&batch).unwrap();
    }
    thread::scope(|scope| {
        let writer = scope.spawn(|| engine.write(&numbered(&[(0, Some(1_000))], number)));
        let failure = StoreError::Failed("sled panicked".into());
        engine.give_up(failure.clone());
        assert_eq!(writer.join().unwrap(), Err(failure));
    });
    engine.close();
    assert!(engine.await_frozen().is_none());
}

#[test]
fn a_batch_longer_than_a_segment_has_one_for_itself() {
    let (files, engine) = Files::engine();
    engine.write(&numbered(&[(0, Some(10))], 1)).unwrap();
    engine.write(&numbered(&[(1, Some(40_000))], 2)).unwrap();
    engine.checkpoint_if_frozen();
    engine.write(&numbered(&[(2, Some(10))], 3)).unwrap();
    engine.sync().unwrap();
    assert_eq!(engine.state().segment, 3);
    assert!(files.0.bytes[0].lock().unwrap().len() > 40_000);
    assert_eq!(engine.state().used, engine.log().end());
}

#[test]
fn a_batch_too_long_for_any_log_is_refused() {
    let (_, engine) = Files::engine();
    let mut batch = Batch::default();
    batch.put(b"a".to_vec(), vec![0; MAX_BATCH_BYTES]);
    assert!(matches!(engine.write(&batch), Err(StoreError::Failed(_))));
    assert_eq!(engine.get(b"a"), Ok(None));
    assert_eq!(engine.write(&numbered(&[], 1)), Ok(()));
}
