//! One connection to a peer: a substream of ours to write on, one of theirs to read.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};
use tokio::{
    sync::mpsc,
    time::{Sleep, sleep},
};

use super::{
    counters::Tallies,
    events::Delivery,
    peers::Peer,
    streams::{Inbox, Reader, StreamEnd, Writer},
};

/// The wait before a substream that failed or was refused is asked for again.
const REOPEN_WAIT: Duration = Duration::from_millis(500);

type Upgrade = ReadyUpgrade<StreamProtocol>;
type Step = ConnectionHandlerEvent<Upgrade, (), Notice>;

/// What a connection tells the behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// Our substream is open: the queue drains.
    Opened,
    /// Our substream is gone.
    Closed,
}

/// The handler of one connection. It keeps no frame: they stay in the peer's queue until written.
pub(super) struct Handler {
    peer: Arc<Peer>,
    protocol: StreamProtocol,
    tallies: Arc<Tallies>,
    outbound: Outbound,
    inbound: Option<Reader>,
    inbox: Inbox,
    /// At most the two notices one substream gives in its life.
    notices: VecDeque<Notice>,
    /// Whether the operator knows that this peer refuses our substreams.
    warned: bool,
}

/// The life of our substream.
enum Outbound {
    /// Not asked for yet.
    Wanted,
    /// Being negotiated.
    Opening,
    /// Open.
    Open(Writer),
    /// Lost or refused; wanted again after a while.
    Pausing(Pin<Box<Sleep>>),
    /// A newer connection has the queue, or nobody; this one will be closed.
    Superseded,
}

impl Handler {
    /// The handler of a new connection to `peer`.
    pub(super) fn new(
        peer: Arc<Peer>,
        protocol: StreamProtocol,
        events: mpsc::Sender<Delivery>,
        tallies: Arc<Tallies>,
    ) -> Self {
        Self {
            inbox: Inbox::new(Arc::clone(&peer), events, Arc::clone(&tallies)),
            peer,
            protocol,
            tallies,
            outbound: Outbound::Wanted,
            inbound: None,
            notices: VecDeque::with_capacity(2),
            warned: false,
        }
    }

    fn upgrade(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    /// Goes on with the outbound half; `Some` if the swarm has to act on it.
    fn poll_outbound(&mut self, context: &mut Context<'_>) -> Option<Step> {
        loop {
            match &mut self.outbound {
                Outbound::Wanted => {
                    self.outbound = Outbound::Opening;
                    return Some(ConnectionHandlerEvent::OutboundSubstreamRequest {
                        protocol: self.upgrade(),
                    });
                }
                Outbound::Opening | Outbound::Superseded => return None,
                Outbound::Open(writer) => match writer.poll(context) {
                    Poll::Ready(end) => self.outbound_ended(&end),
                    Poll::Pending => return None,
                },
                Outbound::Pausing(pause) => match pause.as_mut().poll(context) {
                    Poll::Ready(()) => self.outbound = Outbound::Wanted,
                    Poll::Pending => return None,
                },
            }
        }
    }

    fn outbound_ended(&mut self, end: &StreamEnd) {
        tracing::debug!(seat = self.peer.seat(), %end, "our consensus substream ended");
        self.notices.push_back(Notice::Closed);
        self.outbound = match end {
            StreamEnd::Superseded => Outbound::Superseded,
            _ => Outbound::Pausing(Box::pin(sleep(REOPEN_WAIT))),
        };
    }

    fn poll_inbound(&mut self, context: &mut Context<'_>) {
        let Some(reader) = &mut self.inbound else {
            return;
        };
        let Poll::Ready(end) = reader.poll(&mut self.inbox, context) else {
            return;
        };
        // Dropping the reader resets the substream: the peer's next write fails.
        self.inbound = None;
        if let StreamEnd::Malformed(error) = end {
            self.tallies.refused_oversized.increment();
            self.peer.punish("oversized");
            tracing::warn!(seat = self.peer.seat(), %error, "a peer's substream was closed");
        } else {
            tracing::debug!(seat = self.peer.seat(), %end, "a peer's substream ended");
        }
    }

    fn opened(&mut self, stream: Stream) {
        self.outbound = Outbound::Open(Writer::new(stream, Arc::clone(&self.peer)));
        self.notices.push_back(Notice::Opened);
    }

    fn refused(&mut self, error: &StreamUpgradeError<Infallible>) {
        self.tallies.refused_substreams.increment();
        if self.warned {
            tracing::debug!(seat = self.peer.seat(), %error, "no consensus substream, again");
        } else {
            self.warned = true;
            tracing::warn!(seat = self.peer.seat(), %error, "no consensus substream: another chain?");
        }
        self.outbound = Outbound::Pausing(Box::pin(sleep(REOPEN_WAIT)));
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Notice;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        self.upgrade()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        if let Some(step) = self.poll_outbound(context) {
            return Poll::Ready(step);
        }
        self.poll_inbound(context);
        match self.notices.pop_front() {
            Some(notice) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(notice)),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Upgrade, Upgrade>) {
        match event {
            // An honest peer opens one. The newest counts, so that a peer whose substream failed
            // can open another, and a peer that opens many still has only one.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) => self.inbound = Some(Reader::new(stream)),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                ..
            }) => self.opened(stream),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.refused(&error);
            }
            _ => {}
        }
    }
}
