//! Searches for proof-of-work, when a protocol asks for it.

use super::{
    slot::{Giver, Taker, slot},
    threads::Failures,
};
use crossbeam_channel::Sender;
use ledger::Header;
use std::{io, thread::JoinHandle};

#[cfg(test)]
mod tests;

/// How many nonces are tried before looking for a newer header: about a millisecond's work.
const STRIDE: u64 = 1_024;

/// Hands headers to the thread that searches. The newest header is the only one worth searching.
#[derive(Debug)]
pub(super) struct Miner(Giver<Job>);

/// What to search.
#[derive(Debug)]
struct Job {
    header: Header,
    target: [u8; 32],
}

impl Miner {
    /// Starts the thread. It sleeps until there is a header, and ends when the [`Miner`] is
    /// dropped.
    pub(super) fn start(
        mined: Sender<Header>,
        failures: &Failures,
    ) -> io::Result<(Miner, JoinHandle<()>)> {
        let (giver, jobs) = slot();
        let thread = failures.watch("miner", move || {
            while let Some(job) = jobs.take() {
                if let Some(header) = search(job, &jobs) {
                    // Gone: the replica's thread has ended, and the slot closes next.
                    let _ = mined.send(header);
                }
            }
            Ok(())
        })?;
        Ok((Miner(giver), thread))
    }

    /// Searches this header from now on.
    pub(super) fn mine(&self, header: Header, target: [u8; 32]) {
        self.0.put(Job { header, target });
    }
}

/// The header with a nonce that meets the target; none if there is news first.
fn search(job: Job, jobs: &Taker<Job>) -> Option<Header> {
    let Job { mut header, target } = job;
    loop {
        for _ in 0..STRIDE {
            if meets(&header, &target) {
                return Some(header);
            }
            header.seal.nonce = header.seal.nonce.wrapping_add(1);
        }
        if jobs.has_news() {
            return None;
        }
    }
}

/// Whether the header's hash, read as a little-endian number, does not exceed the target.
fn meets(header: &Header, target: &[u8; 32]) -> bool {
    header.hash().0.as_bytes().iter().rev().le(target.iter().rev())
}
