//! What was gossiped while nobody was there to hear it.
//!
//! A node's links come up before its peers have told it what they listen to. What it publishes in that
//! moment would have to wait until it is published again.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::MAX_GOSSIP;

/// How long a message is kept: a node finds its peers in less, and what is older has been said again.
const KEPT: Duration = Duration::from_secs(10);

/// How much is kept, in bytes.
const ROOM: usize = 8 * MAX_GOSSIP;

/// Messages that wait for somebody to listen, the oldest first: its transactions come before the others'.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    waiting: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
}

impl Unheard {
    /// Keeps a message for a while. False if there is no room for it.
    pub(super) fn keep(&mut self, message: Vec<u8>, now: Instant) -> bool {
        self.forget_before(now);
        if self.waiting.iter().any(|(_, kept)| *kept == message) {
            return true;
        }
        if self.bytes + message.len() > ROOM {
            return false;
        }
        self.bytes += message.len();
        self.waiting.push_back((now, message));
        true
    }

    /// Gives out all that is still worth saying.
    pub(super) fn take(&mut self, now: Instant) -> impl Iterator<Item = Vec<u8>> + use<> {
        self.forget_before(now);
        self.bytes = 0;
        std::mem::take(&mut self.waiting).into_iter().map(|(_, message)| message)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn forget_before(&mut self, now: Instant) {
        while let Some((_, message)) = self.waiting.pop_front_if(|(since, _)| now >= *since + KEPT)
        {
            self.bytes -= message.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(unheard: &mut Unheard, now: Instant) -> Vec<Vec<u8>> {
        unheard.take(now).collect()
    }

    #[test]
    fn what_is_kept_is_given_out_once_and_in_order() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        for message in [b"one", b"two", b"one"] {
            assert!(unheard.keep(message.to_vec(), now));
        }
        assert_eq!(all(&mut unheard, now), [b"one".to_vec(), b"two".to_vec()]);
        assert!(all(&mut unheard, now).is_empty());
    }

    #[test]
    fn what_is_old_is_forgotten_and_makes_room() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        let long = |byte: u8| vec![byte; MAX_GOSSIP];
        for byte in 0..8 {
            assert!(unheard.keep(long(byte), now));
        }
        assert!(!unheard.keep(long(8), now), "there is no room for a ninth");
        let later = now + KEPT;
        assert!(unheard.keep(long(9), later));
        assert_eq!(all(&mut unheard, later), [long(9)]);
        assert_eq!(unheard.bytes, 0);
    }
}
