//! The real world around one replica: libp2p, sled, clocks and JSON-RPC.
//!
//! A node is a [`config::NodeConfig`] that has been [`start`]ed. Its parts never lie and never
//! decide: what to say and what to believe is the replica's business, what it means the ledger's.
//! The node carries bytes, keeps time, syncs the disk and answers questions, and it stops rather
//! than go on with a disk that forgets.
//!
//! Read [`running`] first (what starts and stops in which order), then `runtime` (the threads
//! around the replica, and its main loop in `runtime/driver.rs`), then [`network`] and `rpc` (the
//! two ways in; `metrics` is what the latter shows to Prometheus). [`cli`] is the command `node`,
//! which the testnet offers, too. [`control`] is how the testnet reaches into its own nodes; the
//! binary `node` never opens it. [`conditions`] is what it can tell them of the world.

mod casting;
pub mod check;
pub mod cli;
pub mod conditions;
pub mod config;
pub mod control;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod metrics;
pub mod network;
mod rpc;
pub mod running;
mod runtime;
#[cfg(test)]
mod testing;

pub use casting::{Casting, Plain};
pub use config::NodeConfig;
pub use running::{Extras, RunningNode, StartError, start, start_cast, start_with};
pub use runtime::{ByName, Durations, Failure, Figures, Reasons, Received, Sent, Times, miner};
