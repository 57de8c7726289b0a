//! The replica's trace as it happens, for those who listen.
//!
//! A node's replica always traces, so that somebody can begin to listen at any time. A line costs
//! it about 0.2 µs and there are some dozens of them a block; only who listens, or the file's
//! thread, makes it JSON (about 3 µs), and neither ever makes the replica wait.

use replica::trace::TraceLine;
use std::sync::Arc;
use tokio::sync::broadcast;

#[cfg(test)]
mod tests;

/// Lines a listener may be behind. What it is too slow for is lost to it, and it is told how many.
/// All listeners share one buffer, so more of them need no more memory.
pub(crate) const BUFFER: usize = 1_024;

/// Where lines are told, and where they can be heard. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Feed(broadcast::Sender<Arc<TraceLine>>);

impl Feed {
    /// Nobody listens yet.
    pub(crate) fn new() -> Feed {
        Feed(broadcast::Sender::new(BUFFER))
    }

    /// Tells all who listen. Never waits, and costs next to nothing while nobody does.
    pub(crate) fn tell(&self, line: &TraceLine) {
        if self.listeners() > 0 {
            // An error means that the last of them has just left.
            let _ = self.0.send(Arc::new(line.clone()));
        }
    }

    /// Hears what is told from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<TraceLine>> {
        self.0.subscribe()
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.0.receiver_count()
    }
}
