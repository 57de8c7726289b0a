//! What this machine can do at best, measured before anything else runs.
//!
//! By the time the processor spent on this thread, not by the clock on the wall: whoever else is
//! on the machine then makes the limit little lower, and the ratio to it little more flattering.

use super::figures::median;
use crypto::{Domain, SecretKey, hash};
use nix::time::{ClockId, clock_gettime};
use std::{hint::black_box, time::Duration};

/// Short runs, of which the median counts: whoever else is on the machine still disturbs some.
const RUNS: usize = 9;

/// How long one of them takes, in the time of the processor.
const RUN: Duration = Duration::from_millis(40);

/// How many are done between two glances at the clock.
const CHUNK: u32 = 16;

/// What one thread needs for one signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Yardstick {
    /// To verify it strictly, with the key decompressed already.
    pub verify: Duration,
    /// To make it.
    pub sign: Duration,
}

impl Yardstick {
    /// Measures, on the calling thread, over a message as long as what a transaction signs.
    pub fn measure() -> Yardstick {
        let key = SecretKey::generate();
        let message = hash::tagged(Domain::Transaction, b"a yardstick");
        let signature = key.sign(message.as_bytes());
        let public = key.public().verifying().expect("our own key is good");
        let verify = time(|| {
            let verified = public.verify(black_box(message.as_bytes()), black_box(&signature));
            verified.expect("our own signature is good");
        });
        let sign = time(|| {
            black_box(key.sign(black_box(message.as_bytes())));
        });
        Yardstick { verify, sign }
    }
}

/// What one call of `work` takes.
fn time(mut work: impl FnMut()) -> Duration {
    let mut run = || {
        let (begun, mut done) = (processor_time(), 0);
        loop {
            for _ in 0..CHUNK {
                work();
            }
            done += CHUNK;
            let elapsed = processor_time().saturating_sub(begun);
            if elapsed >= RUN {
                return elapsed / done;
            }
        }
    };
    median((0..RUNS).map(|_| run()).collect()).expect("there are runs")
}

/// What the processor has spent on this thread so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("every Linux has this clock").into()
}
