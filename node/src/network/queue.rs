//! The frames that wait for one peer.
//!
//! The queue belongs to the peer, not to a connection, so a reconnect loses nothing that waits. A
//! frame leaves it only when a stream has taken its last byte; if the stream dies within the last
//! few, they are sent again, which is the better error: the replica knows a repeated message.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

use super::{
    counters::Tallies,
    framing::{encode_part, encoded_length},
};

/// Frames one peer's queue holds.
pub const MAX_QUEUED_FRAMES: usize = 1_024;
/// Bytes one peer's queue holds, length prefixes not counted. A guest's holds half as many.
pub const MAX_QUEUED_BYTES: usize = 8 * 1024 * 1024;
/// Bytes given to a stream at once. Yamux flushes each write through noise and the kernel, so
/// coalescing small frames almost triples the rate; 14 KiB fit one of its data frames.
const WRITE_CHUNK: usize = 14 * 1024;

/// A bounded queue with one consumer at a time: the writer of the newest link.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    tallies: Arc<Tallies>,
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untaken {
    /// The queue would exceed its bound.
    Full,
    /// The queue is shut.
    Shut,
}

/// Proves which writer asks. A newer one makes it void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease(u64);

/// What [`Queue::refill`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refill {
    /// The buffer holds the next bytes.
    Filled,
    /// Nothing waits; the task is woken when that changes.
    Empty,
    /// Another writer has taken over, or the queue has been shut.
    Superseded,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Arc<[u8]>>,
    bytes: usize,
    lease: u64,
    /// How many frames at the front lie whole in the writer's buffer.
    buffered: usize,
    /// How many bytes of the frame behind those lie there too.
    offset: usize,
    waker: Option<Waker>,
    shut: bool,
    /// How many bytes may wait.
    room: usize,
}

impl Queue {
    /// An empty queue in which so many bytes may wait.
    pub(super) fn new(tallies: Arc<Tallies>, room: usize) -> Self {
        Self { state: Mutex::new(State { room, ..State::default() }), tallies }
    }

    /// From now on so many bytes may wait.
    pub(super) fn widen(&self, room: usize) {
        self.lock().room = room;
    }

    /// Adds a frame at the end and wakes the writer.
    pub(super) fn push(&self, frame: Arc<[u8]>) -> Result<(), Untaken> {
        let mut state = self.lock();
        if state.shut {
            return Err(Untaken::Shut);
        }
        if state.frames.len() == MAX_QUEUED_FRAMES || state.bytes + frame.len() > state.room {
            return Err(Untaken::Full);
        }
        state.bytes += frame.len();
        state.frames.push_back(frame);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Makes the caller the writer. It starts at the first frame that has not left.
    pub(super) fn lease(&self) -> Lease {
        let mut state = self.lock();
        let waker = state.dismiss_writer();
        let lease = Lease(state.lease);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        lease
    }

    /// Throws away what waits, takes nothing more and dismisses the writer. Tells how many frames
    /// are lost.
    pub(super) fn shut(&self) -> usize {
        let mut state = self.lock();
        let waker = state.dismiss_writer();
        state.shut = true;
        state.bytes = 0;
        let lost = state.frames.len();
        state.frames.clear();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        lost
    }

    /// Takes frames again.
    pub(super) fn open(&self) {
        self.lock().shut = false;
    }

    /// Whether the writer still is the one. If not, what it holds must not be written any more.
    pub(super) fn is_leased(&self, lease: Lease) -> bool {
        self.lock().lease == lease.0
    }

    /// Whether it is shut.
    pub(super) fn is_shut(&self) -> bool {
        self.lock().shut
    }

    /// Forgets the frames whose bytes have all been written and fills `buffer` with the next.
    ///
    /// Call it only when the stream has taken the whole buffer.
    pub(super) fn refill(
        &self,
        lease: Lease,
        buffer: &mut Vec<u8>,
        context: &mut Context<'_>,
    ) -> Refill {
        let mut state = self.lock();
        if state.lease != lease.0 {
            return Refill::Superseded;
        }
        buffer.clear();
        let bytes = state.forget_written();
        self.tallies.frames_sent.add(bytes.frames);
        self.tallies.bytes_sent.add(bytes.bytes);
        state.fill(buffer);
        if buffer.is_empty() {
            state.waker = Some(context.waker().clone());
            return Refill::Empty;
        }
        Refill::Filled
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and no invariant spans two statements of which
        // the first could fail: a poisoned queue is still a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Written {
    frames: u64,
    bytes: u64,
}

impl State {
    /// Makes the lease void. The waker, if there is one, lets the writer learn it.
    fn dismiss_writer(&mut self) -> Option<Waker> {
        self.lease += 1;
        self.buffered = 0;
        self.offset = 0;
        self.waker.take()
    }

    fn forget_written(&mut self) -> Written {
        let count = self.buffered;
        let bytes: usize = self.frames.drain(..count).map(|frame| frame.len()).sum();
        self.bytes -= bytes;
        self.buffered = 0;
        Written { frames: count as u64, bytes: bytes as u64 }
    }

    fn fill(&mut self, buffer: &mut Vec<u8>) {
        while let Some(frame) = self.frames.get(self.buffered) {
            let room = WRITE_CHUNK - buffer.len();
            self.offset = encode_part(frame, self.offset, room, buffer);
            if self.offset < encoded_length(frame) {
                break;
            }
            self.buffered += 1;
            self.offset = 0;
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
