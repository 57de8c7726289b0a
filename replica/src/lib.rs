//! One participant in consensus, without I/O: events in, actions out.
//!
//! A [`Replica`] holds a consensus protocol, a ledger and a pool, and stands between them and a
//! world. It verifies what comes in, signs what goes out (one message per slot, ever), brings lost
//! messages to those who lack them, catches up when it is behind, and lets no effect leave before
//! what it rests on is durable. The world around it is either the real `node` or the `simulator`;
//! the replica cannot tell which.
//!
//! Read [`event`] first (what a world and a replica say to each other), then `replica` (the main
//! loop), then the parts it is made of: [`inbox`], [`signer`], [`pool`], [`gossip`],
//! [`testimony`], [`docket`], [`sync`], [`allowance`], [`trace`].

pub mod allowance;
mod application;
pub mod birth;
pub mod cache;
pub mod docket;
pub mod event;
pub mod gossip;
pub mod inbox;
pub mod packet;
pub mod pool;
mod replica;
pub mod signer;
pub mod sync;
pub mod testimony;
#[cfg(test)]
mod testing;
pub mod trace;
pub mod weak;

pub use cache::TransactionCache;
pub use event::{Action, Alarm, Answer, Class, Event, Moment, Query, Ticket};
pub use packet::{Envelope, Opened, Packet, Refused};
pub use replica::{Options, Refusals, Replica, Setup};
pub use weak::Weak;
