//! A node that dies by its own hand, at a point between two steps: `testnet node --trip record-torn:3 run …`.

use ledger::store::tripwire::{Point, Tripwire, UnknownPoint};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

#[cfg(test)]
mod tests;

/// Where somebody dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trip {
    /// At this point.
    pub point: Point,
    /// When it is passed for the so-manieth time in that life; at least one.
    pub passage: u32,
}

impl Trip {
    /// What kills this process there: a SIGKILL of its own, so that nothing is tidied up.
    pub fn tripwire(self) -> Tripwire {
        let left = AtomicU32::new(self.passage);
        Tripwire::new(move |passed| {
            if passed == self.point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
                // It cannot fail for oneself, and it does not come back.
                let _ = kill(Pid::this(), Signal::SIGKILL);
                loop {
                    thread::park();
                }
            }
        })
    }
}

impl fmt::Display for Trip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point, self.passage)
    }
}

impl FromStr for Trip {
    type Err = BadTrip;

    fn from_str(text: &str) -> Result<Trip, BadTrip> {
        let form = || BadTrip::Form { text: text.to_owned() };
        let (point, passage) = text.split_once(':').ok_or_else(form)?;
        let passage = passage.parse().ok().filter(|passage| *passage > 0).ok_or_else(form)?;
        Ok(Trip { point: point.parse()?, passage })
    }
}

/// Nobody can die so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTrip {
    /// It is no point with a number.
    #[error("{text:?} is no place to die; write POINT:N, such as record-torn:3")]
    Form {
        /// As it was asked for.
        text: String,
    },
    /// There is no such point.
    #[error(transparent)]
    Point(#[from] UnknownPoint),
}
