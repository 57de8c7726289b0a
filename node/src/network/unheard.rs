//! What was gossiped while nobody was there to hear it.
//!
//! A node's links come up before its peers have told it what they listen to. What it publishes in that
//! moment would have to wait until it is published again. So it is kept until a peer listens, and a moment
//! longer: gossipsub refuses to say the same twice, and whoever comes second should hear it, too.

use std::time::Duration;

use tokio::time::Instant;

use super::MAX_GOSSIP;

/// How long a message is kept: a node finds its peers in less, and what is older has been said again.
const KEPT: Duration = Duration::from_secs(10);

/// How many are kept: far fewer than gossipsub queues for one peer, since they are said all at once.
const MOST: usize = 64;

/// How much is kept, in bytes.
const ROOM: usize = 8 * MAX_GOSSIP;

/// How long others may take to listen after the first has begun to.
const SETTLE: Duration = Duration::from_millis(100);

/// Messages that wait for somebody to listen, the oldest first: its transactions come before the others'.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    waiting: Vec<(Instant, Vec<u8>)>,
    /// When they are to be said, once somebody listens.
    due: Option<Instant>,
}

impl Unheard {
    /// Keeps a message that was first tried at `since`. False if there is no room for it.
    pub(super) fn keep(&mut self, message: Vec<u8>, since: Instant, now: Instant) -> bool {
        self.forget_before(now);
        if self.waiting.iter().any(|(_, kept)| *kept == message) {
            return true;
        }
        if self.waiting.len() >= MOST || self.bytes() + message.len() > ROOM {
            return false;
        }
        self.waiting.push((since, message));
        true
    }

    /// A peer listens from now on.
    pub(super) fn listened_to(&mut self, now: Instant) {
        if !self.waiting.is_empty() {
            self.due.get_or_insert(now + SETTLE);
        }
    }

    /// When [`Unheard::take`] is to be asked, if it is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Gives out all that is still worth saying, with the time of its first try, if it is due.
    pub(super) fn take(&mut self, now: Instant) -> Vec<(Instant, Vec<u8>)> {
        if self.due.is_none_or(|due| now < due) {
            return Vec::new();
        }
        self.forget_before(now);
        std::mem::take(self).waiting
    }

    /// Forgets everything; how many messages that were.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(self).waiting.len()
    }

    fn forget_before(&mut self, now: Instant) {
        self.waiting.retain(|(since, _)| now < *since + KEPT);
    }

    fn bytes(&self) -> usize {
        self.waiting.iter().map(|(_, message)| message.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is given out once somebody has listened for long enough.
    fn all(unheard: &mut Unheard, now: Instant) -> Vec<Vec<u8>> {
        unheard.listened_to(now);
        unheard.take(now + SETTLE).into_iter().map(|(_, message)| message).collect()
    }

    #[test]
    fn what_is_kept_is_given_out_once_and_in_order() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        for message in [b"one", b"two", b"one"] {
            assert!(unheard.keep(message.to_vec(), now, now));
        }
        assert_eq!(all(&mut unheard, now), [b"one".to_vec(), b"two".to_vec()]);
        assert!(all(&mut unheard, now).is_empty());
    }

    #[test]
    fn whoever_listens_soon_after_the_first_is_waited_for() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        unheard.listened_to(now);
        assert_eq!(unheard.due(), None, "there is nothing to say");
        assert!(unheard.keep(b"one".to_vec(), now, now));
        assert!(unheard.take(now).is_empty(), "nobody listens");
        unheard.listened_to(now);
        unheard.listened_to(now + SETTLE / 2);
        assert_eq!(unheard.due(), Some(now + SETTLE), "the second does not put it off");
        assert!(unheard.take(now + SETTLE / 2).is_empty());
        assert_eq!(unheard.take(now + SETTLE), [(now, b"one".to_vec())]);
        assert_eq!(unheard.due(), None);
    }

    #[test]
    fn what_is_old_is_forgotten_and_makes_room() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        let long = |byte: u8| vec![byte; MAX_GOSSIP];
        for byte in 0..8 {
            assert!(unheard.keep(long(byte), now, now));
        }
        assert!(!unheard.keep(long(8), now, now), "there is no room for a ninth");
        let later = now + KEPT;
        assert!(unheard.keep(long(9), later, later));
        assert_eq!(all(&mut unheard, later), [long(9)]);
        assert_eq!(unheard.bytes(), 0);
    }

    #[test]
    fn no_more_are_kept_than_can_be_said_at_once_and_none_is_made_young_again() {
        let (mut unheard, now) = (Unheard::default(), Instant::now());
        for number in 0..MOST {
            assert!(unheard.keep(number.to_le_bytes().to_vec(), now, now));
        }
        assert!(!unheard.keep(b"one too many".to_vec(), now, now));
        unheard.listened_to(now);
        let later = now + KEPT / 2;
        for (since, message) in unheard.take(later) {
            assert!(unheard.keep(message, since, later), "in vain, once more");
        }
        assert!(all(&mut unheard, now + KEPT).is_empty());
    }
}
