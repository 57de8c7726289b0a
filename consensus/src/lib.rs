//! Who decides, in what order, and what proves it.
//!
//! A consensus module is one [`Protocol`]: it takes one input at a time and leaves effects. It
//! does no I/O, reads no clock, holds no key and draws no randomness beyond what its
//! [`Turn`] hands it, so the real node and the simulator drive the very same code.
//!
//! Read [`protocol`] first, then [`tendermint`], [`pbft`] and [`nakamoto`] as chapters. [`quorum`] holds the
//! types whose existence proves that something was verified. [`catalogue`] is the only place that
//! knows all modules by name. [`conviction`] says who can be convicted
//! where two blocks are final. Lies about all of them are in `byzantine`, behind the feature of that name.

mod budget;
#[cfg(any(test, feature = "byzantine"))]
pub mod byzantine;
pub mod catalogue;
pub mod conviction;
mod flaw;
pub mod nakamoto;
pub mod pbft;
pub mod protocol;
pub mod quorum;
pub mod tendermint;
pub mod theory;
pub mod work;

pub use budget::Budget;
pub use flaw::Flaw;
pub use protocol::{
    Application, Backing, Effect, Input, Message, Named, Protocol, Shown, Timer, To, Topic,
    Trusted, Turn, Unproven, Want,
};
pub use quorum::{Certificate, Claimed, Measure, Quorum, Signed, Tally};
pub use theory::Theory;
