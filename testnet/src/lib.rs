//! A whole network on one machine: nodes, accounts, faults.
//!
//! `testnet up` founds a chain, starts one process for each replica, funds four accounts and
//! shows what goes on; `testnet join` adds a node to it, which bonds and takes part; `testnet kill`, `stop` and `start` are its crash faults; `testnet bench`
//! measures how much such a network carries; `testnet top` shows it on a terminal. The nodes are this very binary, executed again as
//! `testnet node run …`, so that whoever builds one program has the network, the node and the wallet.
//!
//! It decides nothing and signs nothing itself: nodes do the one, the wallet the other. It never
//! restarts a node that died, because a study group wants to see what a death does.
//!
//! Read [`cli`] for what a person can ask, then [`live`] for how it is carried out. [`soak`] judges
//! simulated replicas, [`crash`] real processes that are killed; [`lab`] runs scenarios and compares modules.

pub mod bench;
pub mod cli;
pub mod crash;
pub mod failure;
pub mod field;
pub mod join;
pub mod lab;
pub mod lies;
pub mod live;
pub mod mutants;
pub mod soak;
pub mod span;
pub mod top;

pub use failure::Failure;
