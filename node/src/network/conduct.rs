//! How a peer has behaved: what it sent that no honest peer sends, and whether it is shut out.

use std::time::Duration;

use tokio::time::Instant;

/// Faults that are put up with; the last of them shuts the peer out. An honest peer commits none,
/// so the number only has to be large enough that a single mistake of ours cuts nobody off.
pub const MAX_FAULTS: u32 = 16;
/// After so long without a fault one is forgotten: what happens by accident now and then never adds up.
const FADE: Duration = Duration::from_secs(60);
/// How long a peer is shut out. It may then try again, and be shut out again.
pub const BAN: Duration = Duration::from_secs(30);

/// One peer's record.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    faults: u32,
    /// When the last fault was, or was forgotten.
    since: Option<Instant>,
    until: Option<Instant>,
}

/// What a fault led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sentence {
    /// It is remembered.
    Noted,
    /// It was one too many: the peer is shut out from now on.
    Banned,
    /// The peer is shut out already; this came before it was.
    Served,
}

impl Conduct {
    /// Holds a fault against the peer.
    pub(super) fn fault(&mut self, now: Instant) -> Sentence {
        if self.banned_until(now).is_some() {
            return Sentence::Served;
        }
        let passed =
            self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let faded = u32::try_from(passed.as_secs() / FADE.as_secs()).unwrap_or(u32::MAX);
        self.faults = self.faults.saturating_sub(faded) + 1;
        self.since = Some(now);
        if self.faults < MAX_FAULTS {
            return Sentence::Noted;
        }
        *self = Self { faults: 0, since: None, until: Some(now + BAN) };
        Sentence::Banned
    }

    /// The end of the ban, while there is one.
    pub(super) fn banned_until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
#[path = "conduct_tests.rs"]
mod tests;
