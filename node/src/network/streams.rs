//! The two halves of a link: a writer that drains the peer's queue, a reader that fills the node's
//! event channel. Both are polled by the connection's handler.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::Stream;
use thiserror::Error;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    MAX_FRAME,
    counters::Tallies,
    events::{Delivery, NetworkEvent},
    framing::{Decoder, FrameError},
    guests,
    peers::Peer,
    queue::{Lease, Refill},
};

/// Bytes read from a stream at once.
const READ_CHUNK: usize = 64 * 1024;
/// What a received frame takes of its peer's budget besides its bytes.
const FRAME: u32 = 512;
/// Reads in one poll; then the other half and the other connections get their turn.
const READS_PER_POLL: u32 = 16;

/// Why a half of a link ended.
#[derive(Debug, Error)]
pub(super) enum StreamEnd {
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Failed(#[from] io::Error),
    /// The peer closed its side.
    #[error("the peer closed the stream")]
    Closed,
    /// The peer's bytes are not frames.
    #[error(transparent)]
    Malformed(#[from] FrameError),
    /// A newer link to the same peer has taken over, or none may be.
    #[error("a newer link has taken over, or the peer is cut off")]
    Superseded,
}

/// Writes the peer's queue to its stream.
#[derive(Debug)]
pub(super) struct Writer<S = Stream> {
    stream: S,
    peer: Arc<Peer>,
    lease: Lease,
    buffer: Vec<u8>,
    written: usize,
    unflushed: bool,
}

impl<S: AsyncWrite + Unpin> Writer<S> {
    /// Takes over the peer's queue.
    pub(super) fn new(stream: S, peer: Arc<Peer>) -> Self {
        let lease = peer.queue.lease();
        Self { stream, peer, lease, buffer: Vec::new(), written: 0, unflushed: false }
    }

    /// Writes while there is something to write and the stream takes it. Ready when it has ended.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<StreamEnd> {
        match ready!(self.poll_write(context)) {
            Ok(never) => match never {},
            Err(end) => Poll::Ready(end),
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<Infallible, StreamEnd>> {
        loop {
            while self.written < self.buffer.len() {
                if !self.peer.queue.is_leased(self.lease) {
                    return Poll::Ready(Err(StreamEnd::Superseded));
                }
                let rest = &self.buffer[self.written..];
                let count = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
                if count == 0 {
                    return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
                }
                self.written += count;
                self.unflushed = true;
            }
            self.written = 0;
            match self.peer.queue.refill(self.lease, &mut self.buffer, context) {
                Refill::Filled => {}
                Refill::Superseded => return Poll::Ready(Err(StreamEnd::Superseded)),
                Refill::Empty => {
                    if self.unflushed {
                        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Reads frames from a peer's stream.
#[derive(Debug)]
pub(super) struct Reader<S = Stream> {
    stream: S,
    decoder: Decoder,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    /// A reader at the start of a stream.
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_FRAME),
            buffer: vec![0; READ_CHUNK].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    /// Reads while there is something to read and the node takes it. Ready when it has ended.
    ///
    /// Nothing is read while a frame waits for room, so the stream's window fills and the peer
    /// has to wait in its turn: no frame is dropped and no more than one is held.
    pub(super) fn poll(&mut self, inbox: &mut Inbox, context: &mut Context<'_>) -> Poll<StreamEnd> {
        match ready!(self.poll_read(inbox, context)) {
            Ok(never) => match never {},
            Err(end) => Poll::Ready(end),
        }
    }

    fn poll_read(
        &mut self,
        inbox: &mut Inbox,
        context: &mut Context<'_>,
    ) -> Poll<Result<Infallible, StreamEnd>> {
        let mut reads = READS_PER_POLL;
        loop {
            ready!(inbox.poll_ready(context));
            if self.start < self.end {
                let mut input = &self.buffer[self.start..self.end];
                let frame = self.decoder.decode(&mut input)?;
                self.start = self.end - input.len();
                if let Some(frame) = frame {
                    inbox.accept(frame);
                }
                continue;
            }
            if reads == 0 {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            reads -= 1;
            let count = ready!(Pin::new(&mut self.stream).poll_read(context, &mut self.buffer))?;
            if count == 0 {
                return Poll::Ready(Err(StreamEnd::Closed));
            }
            self.start = 0;
            self.end = count;
        }
    }
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hands a peer's frames to the node, one after the other.
///
/// It needs two kinds of room: a slot in the event channel, which all peers share, and bytes in
/// the peer's own budget, which come back when the node has done with the frame. Each counts for
/// [`FRAME`] bytes more than it has, so that there is an end to empty ones, too.
pub(super) struct Inbox {
    peer: Arc<Peer>,
    events: mpsc::Sender<Delivery>,
    tallies: Arc<Tallies>,
    waiting: Option<Waiting>,
}

impl Inbox {
    /// An inbox with nothing waiting.
    pub(super) fn new(
        peer: Arc<Peer>,
        events: mpsc::Sender<Delivery>,
        tallies: Arc<Tallies>,
    ) -> Self {
        Self { peer, events, tallies, waiting: None }
    }

    /// Ready when the last frame has been handed over.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        Poll::Ready(())
    }

    /// Hands a frame over, at once or when there is room. Call it only when it is ready.
    fn accept(&mut self, frame: Vec<u8>) {
        // A frame is at most `MAX_FRAME` long, which is a `u32`.
        let size = frame.len() as u32;
        if self.peer.is_cut() {
            self.tallies.refused_cut.increment();
            return;
        }
        self.tallies.frames_received.increment();
        self.tallies.bytes_received.add(u64::from(size));
        let event = NetworkEvent::Frame { from: self.peer.seat(), bytes: frame };
        let is_guest = self.peer.is_guest();
        if is_guest {
            self.peer.heard(Instant::now());
        }
        let budget = Arc::clone(&self.peer.inbound);
        let events = self.events.clone();
        // The budget holds the longest frame, and no more than that is ever asked of it.
        let room = size.saturating_add(FRAME).min(MAX_FRAME);
        // An error of `send` means that the node no longer listens: it is shutting down.
        self.waiting = match Arc::clone(&budget).try_acquire_many_owned(room) {
            Ok(room) => match events.try_send(Delivery::within(event, room)) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
                Err(mpsc::error::TrySendError::Full(delivery)) => Some(Box::pin(async move {
                    let _ = events.send(delivery).await;
                })),
            },
            Err(_) => Some(Box::pin(async move {
                if let Ok(room) = budget.acquire_many_owned(room).await {
                    let _ = events.send(Delivery::within(event, room)).await;
                }
            })),
        };
        if is_guest {
            let (delivered, pause) = (self.waiting.take(), guests::pause(size));
            self.waiting = Some(Box::pin(async move {
                match delivered {
                    Some(delivered) => drop(tokio::join!(delivered, sleep(pause))),
                    None => sleep(pause).await,
                }
            }));
        }
    }
}
