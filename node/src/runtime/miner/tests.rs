use super::*;
use crate::runtime::threads::Failure;
use crossbeam_channel::{Receiver, bounded};
use std::cell::Cell;
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_secs(20);

pub(super) fn header(height: u64) -> Header {
    Header {
        parent: BlockHash::default(),
        height,
        time: height,
        proposer: ReplicaId(0),
        transactions: Hash::ZERO,
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal::default(),
    }
}

/// The most significant byte is the last: one in 2^(8 + `zeros`) hashes meets this.
pub(super) fn easy(zeros: u32) -> [u8; 32] {
    let mut target = [0xff; 32];
    target[30..].copy_from_slice(&(0x00ff_u16 >> zeros).to_le_bytes());
    target
}

/// A clock that never waits: each batch that is tried takes a fixed time, each sleep as long as it
/// is asked to, or longer by a fixed time.
pub(super) struct Pretend<'a> {
    jobs: &'a [Job],
    batch: Duration,
    late: Duration,
    sleeps: Cell<u32>,
    slept: Cell<Duration>,
}

impl<'a> Pretend<'a> {
    /// While these are searched, whose own nonces are zero.
    pub(super) fn new(jobs: &'a [Job], batch: Duration) -> Pretend<'a> {
        let (late, slept) = (Duration::ZERO, Cell::new(Duration::ZERO));
        Pretend { jobs, batch, late, sleeps: Cell::new(0), slept }
    }

    /// Every sleep is too long by so much.
    pub(super) fn oversleeping(self, late: Duration) -> Pretend<'a> {
        Pretend { late, ..self }
    }

    /// The time worked.
    pub(super) fn worked(&self) -> Duration {
        let batches: u64 = self.jobs.iter().map(|job| job.taken() / search::BATCH).sum();
        self.batch * u32::try_from(batches).expect("few")
    }

    /// The time slept.
    pub(super) fn slept(&self) -> Duration {
        self.slept.get()
    }

    /// How often it slept.
    pub(super) fn sleeps(&self) -> u32 {
        self.sleeps.get()
    }
}

impl Clock for Pretend<'_> {
    fn now(&self) -> Duration {
        self.worked() + self.slept()
    }

    fn sleep(&self, time: Duration) {
        self.slept.set(self.slept.get() + time + self.late);
        self.sleeps.set(self.sleeps.get() + 1);
    }
}

struct Bench {
    miner: Miner,
    share: Share,
    threads: Vec<JoinHandle<()>>,
    found: Receiver<Header>,
    counters: Arc<Counters>,
    reports: mpsc::Receiver<Failure>,
}

fn bench(threads: u32, share: f64) -> Bench {
    let (mined, found) = bounded(1);
    let (failures, reports) = Failures::channel();
    let counters = Arc::new(Counters::default());
    let share = Share::new(share);
    let started = Miner::start(threads, &share, mined, Arc::clone(&counters), &failures);
    let (miner, handles) = started.expect("threads");
    assert_eq!(handles.len(), threads as usize);
    Bench { miner, share, threads: handles, found, counters, reports }
}

impl Bench {
    /// Drops the miner, and sees that no thread is left and none failed.
    fn end(mut self) {
        drop(self.miner);
        self.threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert!(self.reports.try_recv().is_err());
    }

    fn next(&self) -> Header {
        self.found.recv_timeout(SOON).expect("found")
    }
}

#[test]
fn what_it_finds_meets_the_target_and_changes_only_the_nonce() {
    let bench = bench(1, 1.0);
    bench.miner.mine(header(1), easy(4));
    let found = bench.next();
    let hash = found.hash();
    assert_eq!(hash.0.as_bytes()[31], 0);
    assert!(hash.0.as_bytes()[30] <= 0x0f);
    let seal = Seal::default();
    assert_eq!(Header { seal, ..found.clone() }, header(1));
    // It began at zero and went up one by one, so it has tried one more than the nonce says.
    let tried = found.seal.nonce + 1;
    let figures = bench.counters.snapshot();
    assert_eq!((figures.hashes, figures.blocks_mined), (tried, 1));
    bench.end();
}

#[test]
fn a_newer_header_replaces_a_hopeless_one() {
    let bench = bench(2, 1.0);
    bench.miner.mine(header(1), [0; 32]);
    bench.miner.mine(header(2), easy(1));
    assert_eq!(bench.next().height, 2);
    bench.miner.mine(header(3), [0; 32]);
    bench.end();
}

#[test]
fn several_threads_find_each_header_once() {
    let bench = bench(4, 1.0);
    for height in 1..=30 {
        // Easy enough that several find something at the same time.
        bench.miner.mine(header(height), easy(0));
        assert_eq!(bench.next().height, height);
    }
    bench.miner.mine(header(31), [0; 32]);
    assert_eq!(bench.counters.snapshot().blocks_mined, 30);
    assert!(bench.found.is_empty(), "whoever finds it later keeps it for itself");
    bench.end();
}

#[test]
fn a_shutdown_ends_threads_that_work_sleep_wait_and_cannot_deliver() {
    // No header yet.
    bench(3, 1.0).end();
    // A pause of a thousand seconds after the first slice.
    let sleepy = bench(2, 1e-9);
    sleepy.miner.mine(header(1), [0; 32]);
    let start = std::time::Instant::now();
    while sleepy.counters.snapshot().hashes == 0 {
        assert!(start.elapsed() < SOON, "it works before it sleeps");
        std::thread::yield_now();
    }
    sleepy.end();
    // Nobody takes what is found, and then nobody is there to take it.
    let Bench { miner, threads, found, .. } = bench(2, 1.0);
    for height in 1..=20 {
        miner.mine(header(height), [0xff; 32]);
    }
    drop(found);
    drop(miner);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn a_measured_rate_is_a_number_of_hashes_for_each_second() {
    let rate = measure(Duration::ZERO);
    assert!(rate.is_finite() && rate > 0.0, "{rate}");
    let rate = measure(Duration::from_millis(20));
    assert!(rate.is_finite() && rate > 0.0, "{rate}");
}

#[test]
fn a_share_can_be_changed_while_it_searches_and_none_stops_it() {
    let bench = bench(2, 1.0);
    bench.miner.mine(header(1), [0; 32]);
    let tried = || bench.counters.snapshot().hashes;
    let goes_on = |before: u64, what: &str| {
        let start = std::time::Instant::now();
        while tried() == before {
            assert!(start.elapsed() < SOON, "{what}");
            std::thread::yield_now();
        }
    };
    goes_on(0, "a whole core");
    bench.share.set(0.0);
    // Each thread ends the slice it is in, which takes a millisecond and no count of them.
    let start = std::time::Instant::now();
    loop {
        let before = tried();
        std::thread::sleep(Duration::from_millis(100));
        if tried() == before {
            break;
        }
        assert!(start.elapsed() < SOON, "it stops");
    }
    // A newer header, which any hash would do for, is not searched either.
    bench.miner.mine(header(2), [0xff; 32]);
    assert!(bench.found.recv_timeout(Duration::from_millis(200)).is_err());
    bench.share.set(0.5);
    assert_eq!(bench.next().height, 2);
    // Out of a pause of a thousand seconds, too. Each thread works one slice before it, and may have
    // done so before we look, so the count is read before the header is there.
    bench.share.set(1e-9);
    let before = tried();
    bench.miner.mine(header(3), [0; 32]);
    goes_on(before, "the first slice of a tiny share");
    bench.share.set(1.0);
    goes_on(tried(), "a whole core again");
    bench.end();
}

#[test]
fn a_miner_that_begins_with_no_share_waits_and_ends_when_told() {
    let stopped = bench(2, 0.0);
    stopped.miner.mine(header(1), [0xff; 32]);
    assert!(stopped.found.recv_timeout(Duration::from_millis(100)).is_err());
    stopped.end();
}
