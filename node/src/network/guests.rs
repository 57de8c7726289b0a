//! Guests: nodes that nobody told us of.
//!
//! Whoever speaks our chain's protocol may knock, for a node that is to join must be able to read
//! the chain before it can have a seat. A guest proves its key by connecting, as everybody does, and
//! is told nothing and believed nothing beyond what the replica checks. It claims no number: it goes
//! by a place of ours until the chain gives its key a seat ([`super::Network::recognise`]), so no
//! guest can take a number from anybody.
//!
//! There are few places, since whoever floods us with keys gets them all. When all are taken, a guest
//! that has been silent gives way, then one that had its turn; else whoever knocks is sent away. A
//! node that must get in whatever happens is listed in the configuration, or [admitted].
//!
//! [admitted]: super::Network::admit

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::peers::Peer;

/// How many guests there may be unless the configuration says otherwise.
pub const MAX_GUESTS: u32 = 8;
/// Seats below this number are for peers with a seat: configured, admitted, or named by the chain.
pub const MAX_SEATS: u32 = 4_096;
/// The number of the first place for guests. All places lie above all seats.
pub(super) const FIRST_PLACE: u32 = 1 << 31;
/// A guest that has said nothing for so long gives way. An honest one speaks several times a second.
pub(super) const QUIET: Duration = Duration::from_secs(10);
/// A guest that was here for so long has had its turn.
pub(super) const TURN: Duration = Duration::from_secs(120);
/// The least time between two frames of a guest. What it sends faster waits in its stream.
const PACE: Duration = Duration::from_millis(10);
/// For each so many bytes of a frame it has to wait that long once more: [`PACE`] for short ones, and six
/// megabytes a second for the longest.
const PACED_BYTES: u32 = 64 * 1024;
/// How many guests that were shut out are remembered; the oldest is forgotten first.
pub(super) const MAX_SHUNNED: usize = 64;

/// How long a guest has to wait after a frame of so many bytes.
pub(super) fn pause(bytes: u32) -> Duration {
    PACE * (1 + bytes / PACED_BYTES)
}

/// How a guest has spent its time here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    since: Instant,
    spoke: Instant,
}

impl Stay {
    /// It has come just now.
    pub(super) fn begun(now: Instant) -> Self {
        Self { since: now, spoke: now }
    }

    /// It says something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.spoke = now;
    }
}

/// Which of the guests gives way to one more, if any has to.
pub(super) fn gives_way<'a>(
    guests: impl Iterator<Item = &'a Arc<Peer>>,
    now: Instant,
) -> Option<Arc<Peer>> {
    let stays: Vec<_> = guests.filter_map(|guest| Some((guest, guest.stay()?))).collect();
    let quiet = stays.iter().min_by_key(|(_, stay)| stay.spoke);
    let quiet = quiet.filter(|(_, stay)| now.saturating_duration_since(stay.spoke) >= QUIET);
    let oldest = stays.iter().min_by_key(|(_, stay)| stay.since);
    let oldest = oldest.filter(|(_, stay)| now.saturating_duration_since(stay.since) >= TURN);
    quiet.or(oldest).map(|(guest, _)| Arc::clone(guest))
}

#[cfg(test)]
#[path = "guests_tests.rs"]
mod tests;
