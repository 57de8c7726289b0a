//! Threads around one replica.
//!
//! ```text
//!  network ──> router ──> openers ──> replica's thread ──> network, disk, miner, trace, answers
//!                 RPC ──> questions ───────^   ^── synced ── disk
//! ```
//!
//! One thread owns the replica and does nothing but hand it events and carry out its actions. All
//! that takes long happens beside it: signatures in [`openers`], syncs in [`disk`], proof-of-work
//! in [`miner`], the trace file in [`tracer`]. Every queue between them is bounded, and none of
//! them makes the replica wait: towards the network, the disk, the miner and the trace it hands
//! over at once, dropping and counting where there is no room. Backpressure runs the other way,
//! from the replica to the openers, the router, the network and the peers.
//!
//! Read [`driver`] first: it is the main loop.

mod alarms;
mod batches;
mod clock;
mod counters;
mod dealings;
mod desk;
mod disk;
mod driver;
mod fair;
mod feed;
mod heights;
mod histogram;
mod levers;
mod members;
pub mod miner;
mod openers;
mod shelf;
mod slot;
mod threads;
mod times;
mod tracer;
mod young;

pub use counters::{Figures, Reasons, Received, Sent};
pub use histogram::Durations;
#[cfg(test)]
pub(crate) use histogram::Histogram;
pub use threads::Failure;
pub use times::{ByName, Times};

pub(crate) use counters::Counters;
#[cfg(test)]
pub(crate) use desk::QUESTIONS;
pub(crate) use desk::{Asker, Questions, Unanswered};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use desk::{Question, Reply};
#[cfg(test)]
pub(crate) use feed::BUFFER as FEED_BUFFER;
pub(crate) use feed::Feed;
pub(crate) use levers::Levers;
pub(crate) use threads::Failures;

use crate::{
    config::Mining,
    network::{Events, Network},
};
use alarms::Alarms;
use batches::Batches;
use clock::Clock;
use consensus::{Message, Protocol};
use crossbeam_channel::{Sender, bounded};
use dealings::Dealings;
use desk::Desk;
use disk::Disk;
use driver::{Driver, Inbound};
use fair::Fair;
use heights::Heights;
use ledger::{
    Keys,
    store::{Store, tripwire::Tripwire},
};
use members::Members;
use miner::Miner;
use openers::Openers;
use replica::{Replica, Setup};
use shelf::Shelf;
use std::{
    convert::Infallible,
    io,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tracer::Tracer;
use young::Young;

/// Opened envelopes that wait for the replica. Each may be as long as an envelope, so this bounds the memory
/// that hostile peers can claim here.
const OPENED: usize = 32;

/// Verified batches that wait for the replica.
const GOSSIPED: usize = 32;

/// The running threads.
#[derive(Debug)]
pub(crate) struct Runtime {
    threads: Vec<JoinHandle<()>>,
    /// Keeps the questions' channel open until the replica's thread has ended.
    _asker: Asker,
    /// Dropped, it ends the replica's thread, and that the others.
    _hold: Sender<Infallible>,
}

/// What the threads are to work with, whatever the protocol.
pub(crate) struct Surroundings {
    /// What the replica hears.
    pub(crate) events: Events,
    /// Where it speaks.
    pub(crate) network: Network,
    /// What it remembers.
    pub(crate) store: Arc<dyn Store>,
    /// What checks signatures.
    pub(crate) keys: Keys,
    /// What it is asked, and who asks.
    pub(crate) questions: (Asker, Questions),
    /// How hard it searches for proof-of-work, if its protocol asks for any.
    pub(crate) mining: Mining,
    /// What can be changed of it all while it runs.
    pub(crate) levers: Levers,
    /// Where its trace goes, if it is to have one.
    pub(crate) trace: Option<PathBuf>,
    /// Where it is told as it happens.
    pub(crate) feed: Feed,
    /// What is counted.
    pub(crate) counters: Arc<Counters>,
    /// Where a thread's failure is reported.
    pub(crate) failures: Failures,
    /// Told what is about to leave.
    pub(crate) tripwire: Tripwire,
}

impl Runtime {
    /// Opens a replica and starts its threads.
    pub(crate) fn start<P: Protocol + Send + 'static>(
        mut setup: Setup<P>,
        around: Surroundings,
    ) -> Result<Runtime, StartError> {
        let Surroundings { events, network, store, keys, trace, feed, counters, .. } = around;
        let Levers { calendar, drag, share, .. } = around.levers;
        let ((asker, questions), failures) = (around.questions, around.failures);
        let tripwire = around.tripwire;
        counters.clocks.name_kinds(P::Message::kinds());
        setup.store = Arc::new(Shelf::new(setup.store, Arc::clone(&counters)));
        let replica = Replica::open(setup)?;
        let heights = Heights::new(Arc::clone(&counters), replica.ledger().height() + 1);
        let mut threads = Vec::new();
        let (synced, tickets) = bounded(1);
        let (disk, thread) = Disk::start(store, drag, synced, Arc::clone(&counters), &failures)?;
        threads.push(thread);
        let (mined, headers) = bounded(1);
        let tried = Arc::clone(&counters);
        let (miner, miners) = Miner::start(around.mining.threads, &share, mined, tried, &failures)?;
        threads.extend(miners);
        let tracer = match trace {
            Some(path) => {
                let (tracer, thread) = Tracer::start(&path, Arc::clone(&counters), &failures)?;
                threads.push(thread);
                Some(tracer)
            }
            None => None,
        };
        let (to_opened, opened) = bounded(OPENED);
        let (to_gossiped, gossiped) = bounded(GOSSIPED);
        let (frames, dealings) = (Arc::new(Fair::default()), Arc::new(Dealings::default()));
        let openers = Openers {
            frames: Arc::clone(&frames),
            dealings: Arc::clone(&dealings),
            keys: Arc::new(keys),
            transactions: Arc::clone(asker.transactions()),
            opened: to_opened,
            gossiped: to_gossiped,
            counters: Arc::clone(&counters),
            warden: network.warden(),
        };
        threads.extend(openers.start(events, workers(), &failures)?);
        let (hold, held) = bounded(0);
        let (synced, mined) = (tickets, headers);
        let inbound = Inbound { opened, gossiped, questions, synced, mined, held };
        let driver = Driver {
            replica,
            clock: Clock::start(calendar),
            network,
            disk,
            miner,
            tracer,
            feed,
            counters,
            heights,
            alarms: Alarms::default(),
            batches: Batches::default(),
            transactions: Arc::clone(asker.transactions()),
            frames,
            dealings,
            young: Young::default(),
            desk: Desk::default(),
            members: Members::default(),
            tripwire,
        };
        threads.push(failures.watch("replica", move || Ok(driver.run(&inbound)?))?);
        Ok(Runtime { threads, _asker: asker, _hold: hold })
    }

    /// Waits until every thread has ended, which they do once the network has: each hands over
    /// what it holds first.
    pub(crate) fn join(self) {
        for thread in self.threads {
            // A panic has been caught and reported.
            let _ = thread.join();
        }
    }
}

/// Why the threads could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What the store kept does not fit this node.
    #[error(transparent)]
    Open(#[from] ledger::chain::OpenError),
    /// The system gave no thread, or the trace file could not be opened.
    #[error("cannot start the node's threads: {0}")]
    System(#[from] io::Error),
}

/// Threads that verify: all cores but the one the replica keeps busy, and two at least. What is slow to check
/// keeps one of them busy, and the others' votes must not wait for it.
fn workers() -> usize {
    thread::available_parallelism().map_or(2, |cores| cores.get().saturating_sub(1).max(2))
}
