//! A network of real processes, and the hand that starts, watches, hurts and stops them.
//!
//! One thread owns everything and decides ([`up`]'s loop); the others only report to it. In the
//! order of a run:
//!
//! - [`home`]: the directory a net lives in, and the lock on it.
//! - [`net`]: what is in that directory: the genesis, the nodes' keys and configurations, the
//!   wallet. Founded once, resumed later. [`ports`] finds addresses for it.
//! - [`fleet`]: the node processes.
//! - [`sight`]: what each node says about itself, and [`metrics`]: what it counts.
//! - [`control`]: how `testnet kill 3` in another terminal reaches the net, and [`registry`]: how
//!   it finds the net without being told where.
//! - [`partition`]: a net in parts; [`cuts`]: who has to be told of it.
//! - [`liars`]: nodes that lie, and who of the others meets which of twins.
//! - [`screen`]: what people or programs are shown.
//! - [`demo`]: a first session, told step by step.
//!
//! No node outlives its testnet: each holds the reading end of a pipe, and stops when the other
//! end closes, which the system does for us however we die.

pub mod control;
pub mod cuts;
pub mod demo;
pub mod fleet;
pub mod home;
pub mod liars;
pub mod metrics;
pub mod myself;
pub mod net;
pub mod partition;
pub mod ports;
pub mod pulse;
pub mod registry;
pub mod screen;
pub mod sight;
pub mod tail;
pub mod up;
