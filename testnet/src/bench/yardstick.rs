//! What this machine can do at best, measured before anything else runs.
//!
//! On as many threads at once as there are processors, since that is what a limit for all of them
//! speaks of: two that share a core, or a clock that slows under load, do less together than twice
//! what one does alone. Over many signers and messages, since a processor learns a single one by
//! heart.
//!
//! By the time the processors spent on these threads, not by the clock on the wall: whoever else is
//! on the machine then makes the limit little lower, and the ratio to it little more flattering.

use super::figures::median;
use crypto::{Domain, SecretKey, Signature, VerifyingKey, hash};
use nix::time::{ClockId, clock_gettime};
use std::{hint::black_box, sync::Barrier, thread, time::Duration};

/// Short runs, of which the median counts: whoever else is on the machine still disturbs some.
const RUNS: usize = 9;

/// How long one of them takes, in the time of the processor.
const RUN: Duration = Duration::from_millis(40);

/// Different signatures, each by a signer of its own.
const SIGNATURES: u32 = 256;

/// What one thread needs for one signature while the others are as busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Yardstick {
    /// How many processors this process may use.
    pub cores: usize,
    /// To verify it strictly, with the key decompressed already.
    pub verify: Duration,
    /// To make it.
    pub sign: Duration,
}

impl Yardstick {
    /// Measures over messages as long as what a transaction signs.
    pub fn measure() -> Yardstick {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let all: Vec<_> = (0..SIGNATURES).map(Sample::new).collect();
        let verify = time(cores, &all, |Sample { public, message, signature, .. }| {
            let verified = public.verify(black_box(message), black_box(signature));
            verified.expect("our own signature is good");
        });
        let sign = time(cores, &all, |Sample { key, message, .. }| {
            black_box(key.sign(black_box(message)));
        });
        Yardstick { cores, verify, sign }
    }
}

/// A message and its signature.
struct Sample {
    key: SecretKey,
    public: VerifyingKey,
    message: [u8; 32],
    signature: Signature,
}

impl Sample {
    fn new(number: u32) -> Sample {
        let key = SecretKey::generate();
        let message = hash::tagged(Domain::Transaction, &number.to_le_bytes()).to_bytes();
        let (public, signature) = (key.public().verifying(), key.sign(&message));
        Sample { key, public: public.expect("our own key is good"), message, signature }
    }
}

/// What `work` on one sample takes.
fn time(threads: usize, all: &[Sample], work: impl Fn(&Sample) + Sync) -> Duration {
    let run = || {
        let (begun, mut done) = (processor_time(), 0);
        loop {
            all.iter().for_each(&work);
            done += SIGNATURES;
            let elapsed = processor_time().saturating_sub(begun);
            if elapsed >= RUN {
                return elapsed / done;
            }
        }
    };
    let together = Barrier::new(threads);
    let runs = || {
        let runs = (0..RUNS).map(|_| {
            together.wait();
            run()
        });
        runs.collect::<Vec<_>>()
    };
    let measured = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(runs)).collect();
        let measured = threads.into_iter().map(|thread| thread.join().expect("it only counts"));
        measured.flatten().collect()
    });
    median(measured).expect("there are runs")
}

/// What the processor has spent on this thread so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("every Linux has this clock").into()
}
