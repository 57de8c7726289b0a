//! A connection to one node, made of libp2p's parts alone.
//!
//! It is dialled again whenever it is lost, as a peer with no shame does, and twice a second at most. What the
//! node sends is read and handed on as far as somebody wants it.

use super::{HostileError, Kit, tally::Tally};
use crypto::SecretKey;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use ledger::ChainId;
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, gossipsub,
    gossipsub::{IdentTopic, MessageAuthenticity},
    identity::Keypair,
    multiaddr::Protocol,
    noise,
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use sha2::{Digest, Sha256};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// The wait before a lost connection is dialled again.
const REDIAL: Duration = Duration::from_millis(500);
/// The wait before a substream that was refused is asked for again.
const REOPEN: Duration = Duration::from_millis(50);
/// The longest frame that is read.
const MAX_FRAME: usize = 4 * 1024 * 1024;
/// What the node sent and nobody has taken yet; more is thrown away.
const HEARD: usize = 64;

/// One node at the other end.
pub struct Line {
    control: libp2p_stream::Control,
    protocol: StreamProtocol,
    peer: watch::Receiver<Option<PeerId>>,
    orders: mpsc::Sender<Demand>,
    /// Frames that the node sent. Messages that gossip brought are in `gossip`.
    pub frames: mpsc::Receiver<Vec<u8>>,
    /// Messages that gossip brought.
    pub gossip: mpsc::Receiver<Vec<u8>>,
    tally: Arc<Tally>,
    /// Whoever keeps the connection; they end with it.
    _keepers: JoinSet<()>,
}

/// Whether what the node writes is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ears {
    /// It is.
    Open,
    /// Never, so that it fills whatever the node has for it.
    Shut,
}

#[derive(Debug)]
enum Demand {
    Publish(Vec<u8>),
    HangUp,
}

#[derive(NetworkBehaviour)]
struct Parts {
    stream: libp2p_stream::Behaviour,
    gossip: gossipsub::Behaviour,
}

/// The name of a chain's consensus protocol.
pub fn protocol(chain: ChainId) -> StreamProtocol {
    let chain = chain.to_string();
    StreamProtocol::try_from_owned(format!("/byzantium/{}/consensus/1", &chain[..16]))
        .expect("hexadecimal digits are fit for a name")
}

/// Connects to a kit's target under its identity.
///
/// # Errors
///
/// [`HostileError::Wire`].
pub fn connect(kit: &Kit, ears: Ears) -> Result<Line, HostileError> {
    connect_as(&kit.identity, kit, ears)
}

/// Connects to a kit's target under another identity.
///
/// # Errors
///
/// [`HostileError::Wire`].
pub fn connect_as(identity: &SecretKey, kit: &Kit, ears: Ears) -> Result<Line, HostileError> {
    let swarm = swarm(identity, kit.chain)?;
    let control = swarm.behaviour().stream.new_control();
    let protocol = protocol(kit.chain);
    let (peer_sender, peer) = watch::channel(None);
    let (orders, demands) = mpsc::channel(HEARD);
    let (frame_sender, frames) = mpsc::channel(HEARD);
    let (gossip_sender, gossip) = mpsc::channel(HEARD);
    let tally = Arc::clone(&kit.tally);
    let listener = Listener { ears, frames: frame_sender, tally: Arc::clone(&tally) };
    let mut keepers = JoinSet::new();
    keepers.spawn(listener.run(control.clone(), protocol.clone()));
    let keeper = Keeper {
        swarm,
        topic: topic(kit.chain),
        target: kit.target,
        peer: peer_sender,
        demands,
        gossip: gossip_sender,
        tally: Arc::clone(&tally),
    };
    keepers.spawn(keeper.run());
    Ok(Line { control, protocol, peer, orders, frames, gossip, tally, _keepers: keepers })
}

impl Line {
    /// A substream to write on, as soon as there is one.
    pub async fn stream(&mut self) -> Stream {
        let protocol = self.protocol.clone();
        loop {
            match self.try_stream(&protocol).await {
                Some(stream) => return stream,
                None => sleep(REOPEN).await,
            }
        }
    }

    /// A substream of a protocol, once connected; none if the node refuses.
    pub async fn try_stream(&mut self, protocol: &StreamProtocol) -> Option<Stream> {
        self.connected().await;
        let peer = (*self.peer.borrow())?;
        match self.control.open_stream(peer, protocol.clone()).await {
            Ok(stream) => {
                self.tally.substreams.increment();
                Some(stream)
            }
            Err(_) => {
                self.tally.substreams_refused.increment();
                None
            }
        }
    }

    /// Writes frames on substreams, a new one whenever the last is lost, without end.
    pub async fn pour(&mut self, mut next: impl FnMut() -> Vec<Vec<u8>>) {
        loop {
            let mut stream = self.stream().await;
            while write(&mut stream, &next(), &self.tally).await.is_ok() {}
        }
    }

    /// Waits until there is a connection.
    pub async fn connected(&mut self) {
        // An error means that whoever keeps it is gone, and then nothing will.
        if self.peer.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Hands a message to gossip.
    pub async fn publish(&self, message: Vec<u8>) {
        let _ = self.orders.send(Demand::Publish(message)).await;
    }

    /// Closes the connection. It is dialled again.
    pub async fn hang_up(&self) {
        let _ = self.orders.send(Demand::HangUp).await;
    }
}

/// Writes frames in one go.
///
/// # Errors
///
/// Whatever became of the substream.
pub async fn write(stream: &mut Stream, frames: &[Vec<u8>], tally: &Tally) -> io::Result<()> {
    let mut bytes = Vec::new();
    for frame in frames {
        bytes.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        bytes.extend_from_slice(frame);
    }
    write_raw(stream, &bytes, tally).await?;
    tally.frames_sent.add(frames.len() as u64);
    // With nothing to wait for, others on this thread would never have their turn.
    tokio::task::yield_now().await;
    Ok(())
}

/// Writes bytes as they are.
///
/// # Errors
///
/// Whatever became of the substream.
pub async fn write_raw(stream: &mut Stream, bytes: &[u8], tally: &Tally) -> io::Result<()> {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    match written.await {
        Ok(()) => {
            tally.bytes_sent.add(bytes.len() as u64);
            Ok(())
        }
        Err(error) => {
            tally.substreams_closed.increment();
            Err(error)
        }
    }
}

fn topic(chain: ChainId) -> IdentTopic {
    IdentTopic::new(format!("byzantium/{chain}/transactions"))
}

fn swarm(identity: &SecretKey, chain: ChainId) -> Result<Swarm<Parts>, HostileError> {
    let wrong = |reason: String| HostileError::Wire(reason);
    let keypair =
        Keypair::ed25519_from_bytes(*identity.seed()).map_err(|error| wrong(error.to_string()))?;
    let config = gossipsub::ConfigBuilder::default()
        .message_id_fn(|message| gossipsub::MessageId::from(Sha256::digest(&message.data).to_vec()))
        .max_transmit_size(128 * 1024)
        .flood_publish(true)
        .mesh_outbound_min(0)
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let authenticity = MessageAuthenticity::Signed(keypair.clone());
    let mut gossip: gossipsub::Behaviour = gossipsub::Behaviour::new(authenticity, config)
        .map_err(|reason| wrong(reason.to_owned()))?;
    gossip.subscribe(&topic(chain)).map_err(|error| wrong(error.to_string()))?;
    let parts = Parts { stream: libp2p_stream::Behaviour::new(), gossip };
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .map_err(|error| wrong(error.to_string()))?
        .with_behaviour(|_| parts)
        .map_err(|error| wrong(error.to_string()))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3_600)))
        .build();
    Ok(swarm)
}

/// Keeps the connection.
struct Keeper {
    swarm: Swarm<Parts>,
    topic: IdentTopic,
    target: SocketAddr,
    peer: watch::Sender<Option<PeerId>>,
    demands: mpsc::Receiver<Demand>,
    gossip: mpsc::Sender<Vec<u8>>,
    tally: Arc<Tally>,
}

impl Keeper {
    async fn run(mut self) {
        let mut dial = Some(Instant::now());
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    if self.is_lost(event) {
                        dial = Some(Instant::now() + REDIAL);
                    }
                }
                demand = self.demands.recv() => match demand {
                    Some(Demand::Publish(message)) => self.publish(message),
                    Some(Demand::HangUp) => self.hang_up(),
                    None => return,
                },
                () = sleep_until(dial.unwrap_or_else(Instant::now)), if dial.is_some() => {
                    dial = None;
                    if self.swarm.dial(self.target()).is_err() {
                        dial = Some(Instant::now() + REDIAL);
                    }
                }
            }
        }
    }

    fn target(&self) -> DialOpts {
        let address = Multiaddr::from(self.target.ip()).with(Protocol::Tcp(self.target.port()));
        DialOpts::unknown_peer_id().address(address).allocate_new_port().build()
    }

    /// Acts on what happened; true if there is no connection any more.
    fn is_lost(&self, event: SwarmEvent<PartsEvent>) -> bool {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                self.tally.connections.increment();
                self.peer.send_replace(Some(peer_id));
                false
            }
            SwarmEvent::ConnectionClosed { num_established: 0, .. } => {
                self.tally.dropped.increment();
                self.peer.send_replace(None);
                true
            }
            SwarmEvent::OutgoingConnectionError { .. } => {
                self.tally.connections_refused.increment();
                true
            }
            SwarmEvent::Behaviour(PartsEvent::Gossip(gossipsub::Event::Message {
                message,
                ..
            })) => {
                self.tally.gossip_received.increment();
                let _ = self.gossip.try_send(message.data);
                false
            }
            _ => false,
        }
    }

    fn publish(&mut self, message: Vec<u8>) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match gossip.publish(self.topic.hash(), message) {
            Ok(_) => self.tally.gossip_sent.increment(),
            Err(_) => self.tally.gossip_refused.increment(),
        }
    }

    fn hang_up(&mut self) {
        let connected: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in connected {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }
}

/// Takes the substreams that the node opens.
struct Listener {
    ears: Ears,
    frames: mpsc::Sender<Vec<u8>>,
    tally: Arc<Tally>,
}

impl Listener {
    async fn run(self, mut control: libp2p_stream::Control, protocol: StreamProtocol) {
        let Ok(mut incoming) = control.accept(protocol) else { return };
        let mut held = None;
        while let Some((_, stream)) = incoming.next().await {
            match self.ears {
                Ears::Open => {
                    let (frames, tally) = (self.frames.clone(), Arc::clone(&self.tally));
                    tokio::spawn(async move {
                        // Nothing is done about a substream that ends: the node opens another.
                        let _ = read(stream, &frames, &tally).await;
                    });
                }
                Ears::Shut => held = Some(stream),
            }
        }
        drop(held);
    }
}

async fn read(mut stream: Stream, frames: &mpsc::Sender<Vec<u8>>, tally: &Tally) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).await?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_FRAME {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame).await?;
        tally.frames_received.increment();
        tally.bytes_received.add(length as u64);
        let _ = frames.try_send(frame);
    }
}
