//! A pretend world for whole replicas: a virtual clock, a seeded network, disks that crash.
//!
//! The simulator drives the very [`Replica`](replica::Replica) that the real node drives. It pops
//! the earliest event, hands it to the replica it concerns, and turns the replica's actions into
//! later events. Nothing else moves the clock, so an hour of a quiet chain passes in a moment, and
//! all that a run does follows from its [`Setup`]: the same seed gives the same trace, byte for
//! byte, in debug and release builds and on every machine.
//!
//! # What it never does
//!
//! It reads no clock, starts no thread and draws no randomness but ChaCha8 streams grown from the
//! seed. It never meddles with a replica: it hands it events, and looks at what comes out.
//!
//! # What to read first
//!
//! - [`setup`]: all that is chosen before a run.
//! - [`world`]: the main loop, and what an experiment may do to its replicas.
//! - [`network`] and [`disk`]: how messages are late or lost, and what a crash forgets.
//! - [`mining`]: when miners find blocks, and the figures of what they found.
//! - [`schedule`]: what goes wrong when; [`chaos()`] makes one up.
//! - [`adversary`]: what is chosen message by message, where chance would take too long.
//! - [`scenario`]: all of this as a file that people write, with what they expect of it.
//! - [`record`]: what is remembered of a run, for counting and for judging it afterwards.
//! - [`checker`]: whether everybody kept the promises of consensus.
//! - [`explain()`]: a run told in words, for people who know the paper.
//! - [`labs`]: what the papers calculate, measured.
//!
//! Proof-of-work runs unmodified: the time of a find is drawn from the difficulty and the miner's
//! hash rate, and the nonce is really searched, so that nobody can forge a seal here either.
//!
//! ```
//! use consensus::{catalogue::Module, nakamoto::Nakamoto};
//! use simulator::{Setup, World};
//! use std::time::Duration;
//!
//! let setup = Setup::new(Nakamoto::NAME, 4, 7);
//! let mut world = World::<Nakamoto>::new(setup, |genesis| Module::new(genesis).unwrap());
//! world.run_for(Duration::from_secs(60));
//! let mining = world.mining();
//! assert!(mining.main > 30 && mining.stale() < 0.5, "{mining}");
//! ```

pub mod adversary;
mod chaos;
pub mod checker;
mod churn;
pub mod clock;
pub mod counts;
pub mod delay;
pub mod disk;
pub mod explain;
pub mod explore;
mod heads;
mod host;
pub mod labs;
pub mod latency;
pub mod mining;
pub mod network;
mod parcel;
mod places;
mod queue;
pub mod record;
pub mod scenario;
pub mod schedule;
pub mod setup;
pub mod soak;
pub mod span;
pub mod topology;
mod variant;
pub mod world;

pub use adversary::Adversary;
pub use chaos::{chaos, outages};
pub use checker::{Goal, Progress, Promises, Verdict, Violation};
pub use counts::Counts;
pub use delay::Delay;
pub use explain::{Story, explain};
pub use heads::Reversion;
pub use latency::Latency;
pub use network::Conditions;
pub use record::{Record, Tracing};
pub use scenario::Scenario;
pub use schedule::{Fault, Schedule};
pub use setup::Setup;
pub use topology::Topology;
pub use variant::{UnknownVariant, Variant};
pub use world::{Transfer, World};

#[cfg(test)]
mod tests;
