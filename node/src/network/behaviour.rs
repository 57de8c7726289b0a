//! Which connections may be, and which of a peer's connections counts.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm,
        NetworkBehaviour, ToSwarm, behaviour::ConnectionEstablished,
    },
};
use thiserror::Error;
use tokio::{sync::mpsc, time::Instant};

use super::{
    counters::Tallies,
    dialer::dials,
    events::Delivery,
    handler::{Handler, Notice},
    peers::Peer,
    roster::{Roster, Unwelcome},
};

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its key belongs to no peer of ours.
    #[error("{0} is no peer of this node")]
    Unknown(PeerId),
    /// Nobody told us of it, and every guest's place is taken.
    #[error("{0} is not listed, and every guest's place is taken; list it, or try again later")]
    NoPlace(PeerId),
    /// It has sent too much that no honest peer sends.
    #[error("{0} is shut out for a while because of what it sent")]
    Banned(PeerId),
    /// We are told to have nothing to do with it.
    #[error("{0} is cut off, as told")]
    Cut(PeerId),
    /// The peer with the lower identity dialled although a connection stands.
    #[error("{0} is connected already, as the peer with the higher identity dialled")]
    WrongSide(PeerId),
}

/// What the behaviour tells the service: the state of the consensus link to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkEvent {
    /// Frames to the peer leave.
    Up(PeerId),
    /// Frames to the peer wait.
    Down(PeerId),
}

/// The consensus links: one for each peer, on its newest connection.
pub(super) struct Links {
    own: PeerId,
    protocol: StreamProtocol,
    roster: Arc<Roster>,
    events: mpsc::Sender<Delivery>,
    tallies: Arc<Tallies>,
    /// For each connected peer its connections, oldest first. Only the newest is kept.
    connections: BTreeMap<PeerId, Vec<ConnectionId>>,
    /// The connections whose consensus substream is open.
    open: BTreeMap<PeerId, ConnectionId>,
    /// Drained by the swarm whenever it polls us, which it does after each event it gives us.
    pending: VecDeque<ToSwarm<LinkEvent, Infallible>>,
}

impl Links {
    /// No links yet.
    pub(super) fn new(
        own: PeerId,
        protocol: StreamProtocol,
        roster: Arc<Roster>,
        events: mpsc::Sender<Delivery>,
        tallies: Arc<Tallies>,
    ) -> Self {
        Self {
            own,
            protocol,
            roster,
            events,
            tallies,
            connections: BTreeMap::new(),
            open: BTreeMap::new(),
            pending: VecDeque::new(),
        }
    }

    /// The handler of a connection that one side has dialled.
    fn handler(&self, peer_id: PeerId, dialled: bool) -> Result<Handler, ConnectionDenied> {
        let peer = match self.roster.identified(&peer_id) {
            Some(peer) => self.check(&peer, dialled).map(|()| peer),
            None if dialled => Err(Refusal::Unknown(peer_id)),
            None => {
                self.roster.knock(peer_id, Instant::now()).map_err(|unwelcome| match unwelcome {
                    Unwelcome::Shunned => Refusal::Banned(peer_id),
                    Unwelcome::Full => Refusal::NoPlace(peer_id),
                })
            }
        };
        let peer = peer.map_err(ConnectionDenied::new)?;
        let tallies = Arc::clone(&self.tallies);
        Ok(Handler::new(peer, self.protocol.clone(), self.events.clone(), tallies))
    }

    fn check(&self, peer: &Peer, dialled: bool) -> Result<(), Refusal> {
        let peer_id = peer.peer_id;
        if peer.is_cut() {
            return Err(Refusal::Cut(peer_id));
        }
        if peer.banned_until().is_some() {
            return Err(Refusal::Banned(peer_id));
        }
        // Of a peer that we cannot dial every connection is welcome: see `dialer.rs`.
        let wrong = peer.address().is_some() && dialled != dials(self.own, peer_id);
        if wrong && self.connections.contains_key(&peer_id) {
            return Err(Refusal::WrongSide(peer_id));
        }
        Ok(())
    }

    /// The newest connection counts: if a peer dials again while we think it connected, it has
    /// lost the old connection and we have not noticed.
    fn established(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let connections = self.connections.entry(peer_id).or_default();
        for &older in connections.iter() {
            self.pending.push_back(ToSwarm::CloseConnection {
                peer_id,
                connection: CloseConnection::One(older),
            });
        }
        connections.push(connection);
    }

    fn closed(&mut self, peer_id: PeerId, connection: ConnectionId) {
        self.link_closed(peer_id, connection);
        if let Some(connections) = self.connections.get_mut(&peer_id) {
            connections.retain(|&other| other != connection);
            if connections.is_empty() {
                self.connections.remove(&peer_id);
            }
        }
    }

    fn link_opened(&mut self, peer_id: PeerId, connection: ConnectionId) {
        let newest = self.connections.get(&peer_id).and_then(|all| all.last());
        if newest != Some(&connection) {
            return;
        }
        self.tallies.links_opened.increment();
        if self.open.insert(peer_id, connection).is_some() {
            self.tell(LinkEvent::Down(peer_id));
        }
        self.tell(LinkEvent::Up(peer_id));
    }

    fn link_closed(&mut self, peer_id: PeerId, connection: ConnectionId) {
        if self.open.get(&peer_id) == Some(&connection) {
            self.open.remove(&peer_id);
            self.tell(LinkEvent::Down(peer_id));
        }
    }

    fn tell(&mut self, event: LinkEvent) {
        self.pending.push_back(ToSwarm::GenerateEvent(event));
    }
}

impl NetworkBehaviour for Links {
    type ConnectionHandler = Handler;
    type ToSwarm = LinkEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer_id: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.handler(peer_id, false)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer_id: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.handler(peer_id, true)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            }) => self.established(peer_id, connection_id),
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.closed(peer_id, connection_id)
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer_id: PeerId,
        connection: ConnectionId,
        notice: Notice,
    ) {
        match notice {
            Notice::Opened => self.link_opened(peer_id, connection),
            Notice::Closed => self.link_closed(peer_id, connection),
        }
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<LinkEvent, Infallible>> {
        match self.pending.pop_front() {
            Some(step) => Poll::Ready(step),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
#[path = "behaviour_tests.rs"]
mod tests;
