//! What an attacker has done, and what came of it.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

macro_rules! tally {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The live figures. Every one only grows.
        #[derive(Debug, Default)]
        pub struct Tally {
            $($(#[doc = $doc])+ pub $name: Figure,)+
        }

        /// What they were at the end.
        #[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
        pub struct Report {
            /// What was done.
            pub behaviour: String,
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Tally {
            /// All figures, one after the other.
            pub fn report(&self, behaviour: &str) -> Report {
                Report { behaviour: behaviour.to_owned(), $($name: self.$name.get(),)+ }
            }
        }

        impl fmt::Display for Report {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.behaviour)?;
                $(if self.$name > 0 {
                    write!(f, "\n  {:<16} {}", stringify!($name), self.$name)?;
                })+
                Ok(())
            }
        }
    };
}

tally! {
    /// Connections that came to be.
    connections,
    /// Attempts to connect that failed.
    connections_refused,
    /// Connections that the node closed.
    dropped,
    /// Substreams that were opened.
    substreams,
    /// Substreams that the node would not open, or could not any more.
    substreams_refused,
    /// Substreams that the node closed or reset while something was written.
    substreams_closed,
    /// Frames written whole.
    frames_sent,
    /// Bytes written, length prefixes included.
    bytes_sent,
    /// Frames that the node sent.
    frames_received,
    /// Bytes of those.
    bytes_received,
    /// Messages handed to gossip.
    gossip_sent,
    /// Messages that gossip would not take: nobody there to hear them, or a queue was full.
    gossip_refused,
    /// Messages that gossip brought.
    gossip_received,
    /// Transactions signed.
    transactions,
}

/// One figure.
#[derive(Debug, Default)]
pub struct Figure(AtomicU64);

impl Figure {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds some.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// How much it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
