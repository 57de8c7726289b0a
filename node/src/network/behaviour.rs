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
use tokio::sync::mpsc;

use super::{
    counters::Tallies,
    dialer::dials,
    events::Delivery,
    handler::{Handler, Notice},
    peers::Roster,
};

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its key belongs to no configured peer.
    #[error("{0} is not a configured peer")]
    Unknown(PeerId),
    /// It has sent too much that no honest peer sends.
    #[error("{0} is shut out for a while because of what it sent")]
    Banned(PeerId),
    /// We are told to have nothing to do with it.
    #[error("{0} is cut off, as told")]
    Cut(PeerId),
    /// The peer dialled although it is our part to dial it.
    #[error("{0} dialled, though the peer with the higher identity should")]
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

/// The consensus links: one for each configured peer, on its newest connection.
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

    fn handler(&self, peer_id: PeerId) -> Result<Handler, ConnectionDenied> {
        let peer = self
            .roster
            .identified(&peer_id)
            .ok_or_else(|| ConnectionDenied::new(Refusal::Unknown(peer_id)))?;
        if peer.is_cut() {
            return Err(ConnectionDenied::new(Refusal::Cut(peer_id)));
        }
        if peer.banned_until().is_some() {
            return Err(ConnectionDenied::new(Refusal::Banned(peer_id)));
        }
        Ok(Handler::new(
            Arc::clone(peer),
            self.protocol.clone(),
            self.events.clone(),
            Arc::clone(&self.tallies),
        ))
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
        let handler = self.handler(peer_id)?;
        if dials(self.own, peer_id) {
            return Err(ConnectionDenied::new(Refusal::WrongSide(peer_id)));
        }
        Ok(handler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer_id: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.handler(peer_id)
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
