//! Searches for proof-of-work, when a protocol asks for it.
//!
//! A few threads search the newest header together. None of them tries what another has tried:
//! each takes the next nonces from a counter that belongs to the header. Whoever finds one first
//! wins, and all of them wait for the next header. A newer header replaces the old one after a
//! thousand tries at most, well below a millisecond's work.
//!
//! Read `miner/search.rs` first, which is what a try costs; `miner/pace.rs` keeps a thread to its
//! share of a core, and `miner/board.rs` is where threads find the newest header.

mod board;
mod pace;
mod search;

use super::{counters::Counters, threads::Failures};
use board::Board;
use crossbeam_channel::Sender;
use crypto::Hash;
use ledger::{BlockHash, Header, ReplicaId, Seal};
use pace::{Clock, Pace, Wall};
use search::Job;
use std::{io, sync::Arc, thread::JoinHandle, time::Duration};

#[cfg(test)]
mod tests;

/// How many hashes one thread that never pauses tries in a second, on this machine as it is now.
///
/// It keeps one core busy for `duration`, or a little longer, with the very search that a node
/// does, for a seal that does not exist. From the figure follows a target: a thread with the share
/// `s` finds a hash at or below `t` every `2^256 / (t + 1) / (s · rate)` seconds on average.
pub fn measure(duration: Duration) -> f64 {
    let header = Header {
        parent: BlockHash::default(),
        height: 1,
        time: 1,
        proposer: ReplicaId(0),
        transactions: Hash::ZERO,
        state: Hash::ZERO,
        committee: Hash::ZERO,
        participation: Hash::ZERO,
        leak: Hash::ZERO,
        seal: Seal::default(),
    };
    let board = Board::new(1.0);
    let clock = Wall::new(&board);
    let job = Job::new(header, [0; 32]);
    let mut tries = 0;
    search(&job, &mut Pace::new(1.0), &clock, |more| {
        tries += more;
        if clock.now() >= duration {
            job.end();
        }
    });
    tries as f64 / clock.now().as_secs_f64()
}

/// Hands headers to the threads that search. The newest header is the only one worth searching.
#[derive(Debug)]
pub(super) struct Miner(Arc<Board>);

impl Miner {
    /// Starts the threads. They sleep until there is a header, and end when the [`Miner`] is
    /// dropped. A share belongs to one miner.
    pub(super) fn start(
        threads: u32,
        share: &Share,
        mined: Sender<Header>,
        counters: Arc<Counters>,
        failures: &Failures,
    ) -> io::Result<(Miner, Vec<JoinHandle<()>>)> {
        let board = &share.0;
        // Made first: should a thread be refused, dropping it ends those before.
        let miner = Miner(Arc::clone(board));
        let threads = (0..threads).map(|_| {
            let (board, mined) = (Arc::clone(board), mined.clone());
            let counters = Arc::clone(&counters);
            failures.watch("miner", move || {
                work(&board, &mined, &counters);
                Ok(())
            })
        });
        let threads = threads.collect::<io::Result<_>>()?;
        Ok((miner, threads))
    }

    /// Searches this header from now on.
    pub(super) fn mine(&self, header: Header, target: [u8; 32]) {
        self.0.put(Job::new(header, target));
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How much of a core each of a miner's threads uses, from 0 to 1, which can be changed while it runs.
#[derive(Clone, Debug)]
pub(super) struct Share(Arc<Board>);

impl Share {
    /// This much.
    pub(super) fn new(share: f64) -> Share {
        Share(Arc::new(Board::new(share)))
    }

    /// This much from now on. At 0 nothing is tried.
    pub(super) fn set(&self, share: f64) {
        self.0.set_share(share);
    }
}

/// One thread's life.
fn work(board: &Board, mined: &Sender<Header>, counters: &Counters) {
    let clock = Wall::new(board);
    let mut pace = Pace::new(board.share());
    let mut seen = 0;
    while let Some((number, job)) = board.next(seen) {
        seen = number;
        let count = |tries| counters.note(|figures| figures.hashes += tries);
        if let Some(header) = search(&job, &mut pace, &clock, count) {
            counters.note(|figures| figures.blocks_mined += 1);
            // Gone: the replica's thread has ended, and the board closes next.
            let _ = mined.send(header);
        }
    }
}

/// Searches in slices, each followed by the pause it costs, until this thread has won or the job is
/// over; tells `count` how many nonces each slice has tried.
fn search(
    job: &Job,
    pace: &mut Pace,
    clock: &impl Clock,
    mut count: impl FnMut(u64),
) -> Option<Header> {
    loop {
        pace.follow(clock);
        // First, so that short jobs in quick succession cannot evade it.
        pace.rest(clock);
        if job.is_over() {
            return None;
        }
        if pace.is_stopped() {
            continue;
        }
        let begun = clock.now();
        let mut tries = 0;
        let found = loop {
            let batch = job.try_batch();
            tries += batch.tries;
            let used = clock.now().saturating_sub(begun);
            if batch.found.is_some() || job.is_over() || used >= pace::SLICE {
                pace.worked(used);
                break batch.found;
            }
        };
        count(tries);
        if let Some(header) = found {
            return job.end().then_some(header);
        }
    }
}
