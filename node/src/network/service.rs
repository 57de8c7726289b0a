//! The task that owns the swarm.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use futures::StreamExt;
use libp2p::{
    PeerId, Swarm, SwarmBuilder, connection_limits,
    connection_limits::ConnectionLimits,
    gossipsub::{self, IdentTopic, PublishError},
    identity::Keypair,
    metrics::{Metrics, Recorder, Registry},
    noise,
    swarm::{self, ListenError, NetworkBehaviour, SwarmEvent},
    tcp, yamux,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    NetworkError, Transport,
    behaviour::{LinkEvent, Links},
    counters::Tallies,
    cut::{Cut, Cutting},
    dialer::Dialer,
    events::{Changes, Delivery, NetworkEvent},
    gossip::{self, Answer, Gossipsub, MessageName, Ticket, Verdict},
    roster::{News, Roster},
    tasks::Tasks,
    transport::{LINGER, quic},
    unheard::Unheard,
};

/// Idle connections are kept; the default of ten seconds would cut quiet peers off.
const IDLE: Duration = Duration::from_secs(3_600);
/// The time a handshake may take. While one hangs, its peer is not dialled again.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(5);
/// The time a shutdown waits for connections to close in good order.
const FAREWELL: Duration = Duration::from_secs(1);
/// Substreams on one connection: two for consensus and two for gossip, and room to reopen them.
pub(super) const MAX_SUBSTREAMS: usize = 32;
/// Handshakes that strangers may have going at once.
const MAX_HANDSHAKES: u32 = 64;
/// Connections to one peer: one, and those that a newer one has replaced and are being closed.
const MAX_CONNECTIONS_PER_PEER: u32 = 4;

/// What the handle asks of the service.
#[derive(Debug)]
pub(super) enum Command {
    /// Gossip these bytes.
    Publish(Vec<u8>),
    /// Have nothing to do with some peers.
    Cut(Cut),
    /// End.
    Shutdown,
}

/// All that the swarm runs. A connection is refused by the first that refuses it.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "Happening")]
pub(super) struct Protocols {
    links: Links,
    limits: connection_limits::Behaviour,
    gossip: Gossipsub,
}

/// What one of them reports.
#[derive(Debug)]
pub(super) enum Happening {
    /// A consensus link came up or went down.
    Link(LinkEvent),
    /// Something was gossiped. Boxed because it is much the larger.
    Gossip(Box<gossipsub::Event>),
}

impl From<LinkEvent> for Happening {
    fn from(event: LinkEvent) -> Self {
        Self::Link(event)
    }
}

impl From<gossipsub::Event> for Happening {
    fn from(event: gossipsub::Event) -> Self {
        Self::Gossip(Box::new(event))
    }
}

impl From<Infallible> for Happening {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The swarm and what surrounds it.
pub(super) struct Service {
    pub(super) swarm: Swarm<Protocols>,
    /// What libp2p counts by itself.
    pub(super) metrics: Metrics,
    pub(super) tasks: Tasks,
    pub(super) roster: Arc<Roster>,
    pub(super) tallies: Arc<Tallies>,
    pub(super) dialer: Dialer,
    /// Where we listen, and over what.
    pub(super) listens: (Transport, SocketAddr),
    pub(super) topic: IdentTopic,
    pub(super) commands: mpsc::Receiver<Command>,
    /// Where tickets get their places from.
    pub(super) places: mpsc::Sender<Answer>,
    pub(super) answers: mpsc::Receiver<Answer>,
    pub(super) events: mpsc::Sender<Delivery>,
    pub(super) changes: Changes,
    pub(super) cutting: Cutting,
    pub(super) unheard: Unheard,
}

/// A swarm with nothing listening yet.
pub(super) fn swarm(
    transport: Transport,
    keypair: Keypair,
    links: Links,
    topic: &IdentTopic,
    tasks: &Tasks,
    registry: &mut Registry,
) -> Result<Swarm<Protocols>, NetworkError> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_HANDSHAKES))
        .with_max_established_per_peer(Some(MAX_CONNECTIONS_PER_PEER));
    let protocols = Protocols {
        links,
        limits: connection_limits::Behaviour::new(limits),
        gossip: gossip::behaviour(keypair.clone(), topic, registry)?,
    };
    let failed = |reason: String| NetworkError::Transport { reason };
    let executor = tasks.clone();
    let config = |_| swarm::Config::with_executor(executor).with_idle_connection_timeout(IDLE);
    let builder = SwarmBuilder::with_existing_identity(keypair).with_tokio();
    // The two builders are of different types until they have built the same.
    let swarm = match transport {
        Transport::Tcp => builder
            .with_tcp(tcp::Config::default(), noise::Config::new, || {
                let mut config = yamux::Config::default();
                config.set_max_num_streams(MAX_SUBSTREAMS);
                config
            })
            .map_err(|error| failed(error.to_string()))?
            .with_behaviour(|_| protocols)
            .map_err(|error| failed(error.to_string()))?
            .with_swarm_config(config)
            .with_connection_timeout(HANDSHAKE)
            .build(),
        Transport::Quic => builder
            .with_quic_config(quic)
            .with_behaviour(|_| protocols)
            .map_err(|error| failed(error.to_string()))?
            .with_swarm_config(config)
            .with_connection_timeout(HANDSHAKE)
            .build(),
    };
    Ok(swarm)
}

/// Listens on `address` and returns it with the real port.
pub(super) async fn listen(
    swarm: &mut Swarm<Protocols>,
    transport: Transport,
    address: SocketAddr,
) -> Result<SocketAddr, NetworkError> {
    let failed = |reason: String| NetworkError::Listen { transport, address, reason };
    // libp2p shares ports (SO_REUSEPORT): two nodes on one would each get some of the connections.
    // A plain listener does not share, so its failure tells that the port is taken.
    transport.check_free(address).await.map_err(|error| failed(error.to_string()))?;
    swarm.listen_on(transport.multiaddr(address)).map_err(|error| failed(error.to_string()))?;
    let port = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => break transport.port(&address),
                SwarmEvent::ListenerClosed { .. } => break None,
                _ => {}
            }
        }
    };
    match timeout(HANDSHAKE, port).await {
        Ok(Some(port)) => Ok(SocketAddr::new(address.ip(), port)),
        Ok(None) => Err(failed("the listener closed at once".to_owned())),
        Err(_) => Err(failed("the listener gave no address".to_owned())),
    }
}

impl Service {
    /// Runs until it is told to end, or until nobody is left to tell it or to listen to it.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.dialer.next().into_iter().chain(self.unheard.due()).min();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(answer) = self.answers.recv() => self.on_answer(&answer),
                () = self.roster.next_change() => {
                    self.shut_out();
                    self.follow_roster();
                }
                command = self.commands.recv() => match command {
                    Some(Command::Publish(bytes)) => self.publish(bytes, Instant::now()),
                    Some(Command::Cut(cut)) => self.cut(cut),
                    Some(Command::Shutdown) | None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.on_time(),
                place = self.changes.place(&self.events), if self.changes.any() => match place {
                    Some(place) => self.changes.tell(place),
                    None => break,
                },
                () = self.events.closed() => break,
            }
        }
        self.close().await;
    }

    fn on_time(&mut self) {
        for (since, bytes) in self.unheard.take(Instant::now()) {
            self.publish(bytes, since);
        }
        for attempt in self.dialer.due(Instant::now()) {
            if let Err(error) = self.swarm.dial(attempt) {
                tracing::trace!(%error, "not dialled");
            }
        }
    }

    /// Disconnects the peers that are banned. `Links` lets them in no more while they are.
    fn shut_out(&mut self) {
        for peer in self.roster.everybody() {
            let Some(until) = peer.banned_until() else { continue };
            if peer.is_guest() {
                self.roster.shun(&peer, until);
                continue;
            }
            if self.swarm.disconnect_peer_id(peer.peer_id).is_err() && !peer.is_cut() {
                // It has hung up already, so nothing else will postpone the next dial.
                self.dialer.disconnected(&peer.peer_id, until);
            }
        }
    }

    /// Acts on what has changed in the roster.
    fn follow_roster(&mut self) {
        let News { dismissed, renamed } = self.roster.take_news();
        for peer in dismissed {
            if peer.is_linked() {
                peer.set_linked(false);
                self.changes.note(peer.seat(), false);
            }
            // An error means that it is not connected.
            let _ = self.swarm.disconnect_peer_id(peer.peer_id);
        }
        for (peer, before) in renamed {
            tracing::info!(seat = peer.seat(), before, peer = %peer.peer_id, "a peer has a seat");
            if peer.is_linked() {
                self.changes.note(before, false);
                self.changes.note(peer.seat(), true);
            }
        }
        let swarm = &self.swarm;
        self.dialer.follow(&self.roster, Instant::now(), |peer| swarm.is_connected(&peer.peer_id));
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<Happening>) {
        self.metrics.record(&event);
        match event {
            SwarmEvent::Behaviour(Happening::Link(event)) => self.on_link(event),
            SwarmEvent::Behaviour(Happening::Gossip(event)) => self.on_gossip(*event),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => self.dialer.connected(&peer_id),
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                tracing::debug!(%peer_id, ?cause, "disconnected");
                self.on_disconnected(&peer_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                self.tallies.dials_failed.increment();
                tracing::debug!(?peer_id, %error, "could not dial");
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error: ListenError::Denied { cause },
                ..
            } => {
                self.tallies.refused_connections.increment();
                tracing::debug!(from = %send_back_addr, %cause, "refused a connection");
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "the listener failed to accept a connection");
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "the listener closed: no peer can reach this node");
            }
            _ => {}
        }
    }

    fn on_disconnected(&mut self, peer_id: &PeerId) {
        let Some(peer) = self.roster.identified(peer_id) else { return };
        if !peer.is_cut() {
            let ban = peer.banned_until();
            self.dialer.disconnected(peer_id, ban.unwrap_or_else(Instant::now));
        }
        self.roster.departed(&peer);
        self.tell_who_is_cut_off();
    }

    fn on_link(&mut self, event: LinkEvent) {
        let (peer_id, linked) = match event {
            LinkEvent::Up(peer_id) => (peer_id, true),
            LinkEvent::Down(peer_id) => (peer_id, false),
        };
        let Some(peer) = self.roster.identified(&peer_id) else {
            return;
        };
        tracing::debug!(seat = peer.seat(), linked, "consensus link");
        peer.set_linked(linked);
        if linked {
            self.dialer.linked(&peer_id);
        }
        self.changes.note(peer.seat(), linked);
        self.tell_who_is_cut_off();
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        self.metrics.record(&event);
        match event {
            gossipsub::Event::Message { propagation_source, message_id, message } => {
                let name = MessageName { id: message_id, source: propagation_source };
                if self.roster.identified(&name.source).is_some_and(|peer| peer.is_cut()) {
                    self.tallies.refused_cut.increment();
                    self.answer(&name, Verdict::Ignore);
                    return;
                }
                self.tallies.gossip_received.increment();
                if !self.offer(name.clone(), message.source, message.data) {
                    self.tallies.gossip_overloaded.increment();
                    self.answer(&name, Verdict::Ignore);
                }
            }
            gossipsub::Event::Subscribed { peer_id, .. } => {
                // A guest may come to keep what it hears to itself.
                let peer = self.roster.identified(&peer_id);
                if peer.is_some_and(|peer| !peer.is_guest() && !peer.is_cut()) {
                    self.unheard.listened_to(Instant::now());
                }
            }
            gossipsub::Event::SlowPeer { failed_messages, .. } => {
                let failed = failed_messages.priority + failed_messages.non_priority;
                self.tallies.gossip_dropped.add(failed as u64);
            }
            _ => {}
        }
    }

    /// Offers a gossiped message to the node; false if there is no room for it. A quarter of the
    /// event channel is kept for consensus: transactions can wait, votes should not.
    fn offer(&self, name: MessageName, signer: Option<PeerId>, bytes: Vec<u8>) -> bool {
        if self.events.capacity() <= self.events.max_capacity() / 4 {
            return false;
        }
        let Ok(room) = self.events.try_reserve() else {
            return false;
        };
        let Ok(place) = self.places.clone().try_reserve_owned() else {
            return false;
        };
        let from =
            signer.and_then(|signer| self.roster.identified(&signer)).map(|peer| peer.seat());
        room.send(Delivery::unmetered(NetworkEvent::Gossip {
            from,
            bytes,
            ticket: Ticket::new(place, name),
        }));
        true
    }

    fn on_answer(&mut self, answer: &Answer) {
        let figure = match answer.verdict {
            Verdict::Accept => &self.tallies.gossip_accepted,
            Verdict::Reject => &self.tallies.gossip_rejected,
            Verdict::Ignore => &self.tallies.gossip_ignored,
        };
        figure.increment();
        self.answer(&answer.name, answer.verdict);
    }

    fn answer(&mut self, name: &MessageName, verdict: Verdict) {
        // False if the verdict came so late that gossipsub has forgotten the message.
        let _ = self.swarm.behaviour_mut().gossip.report_message_validation_result(
            &name.id,
            &name.source,
            verdict.into(),
        );
    }

    /// Publishes what was first to be published at `since`.
    fn publish(&mut self, bytes: Vec<u8>, since: Instant) {
        // Whoever listens by now would hear it, and who is about to would not.
        let is_settling = self.unheard.due().is_some();
        if is_settling && self.unheard.keep(bytes.clone(), since, Instant::now()) {
            return;
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match gossip.publish(self.topic.hash(), bytes.clone()) {
            Ok(_) => self.tallies.gossip_published.increment(),
            Err(PublishError::Duplicate) => self.tallies.gossip_duplicates.increment(),
            Err(PublishError::NoPeersSubscribedToTopic) => {
                self.tallies.gossip_unheard.increment();
                if !self.unheard.keep(bytes, since, Instant::now()) {
                    self.tallies.gossip_dropped.increment();
                }
            }
            Err(PublishError::MessageTooLarge) => self.tallies.gossip_oversized.increment(),
            // Gossipsub reports each of the full queues as a slow peer, which is counted there.
            Err(PublishError::AllQueuesFull(_)) => {}
            Err(error) => {
                self.tallies.gossip_dropped.increment();
                tracing::warn!(%error, "could not publish");
            }
        }
    }

    /// Says goodbye, frees the port and ends every task.
    async fn close(self) {
        let Self { mut swarm, tasks, roster, commands, listens: (transport, address), .. } = self;
        let connected: Vec<PeerId> = swarm.connected_peers().copied().collect();
        for peer_id in connected {
            let _ = swarm.disconnect_peer_id(peer_id);
        }
        let farewell = async {
            while swarm.connected_peers().next().is_some() {
                swarm.select_next_some().await;
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
        drop(swarm);
        tasks.stop().await;
        transport.let_go(address, LINGER).await;
        for peer in roster.everybody() {
            peer.set_linked(false);
        }
        // The handle takes the closing of this channel for the end, so it comes last.
        drop(commands);
    }
}
