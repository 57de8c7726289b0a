//! A whole node: starts its parts in order, and stops them in order.

use crate::{
    casting::{Casting, Plain},
    conditions::{BadFile, Conditions, World},
    config::{DATABASE, NodeConfig, TRACE_FILE},
    control::{self, ControlError},
    network::{self, Counters as NetworkCounters, Network, NetworkError, PeerConfig, Transport},
    rpc,
    runtime::{
        self, Asker, Counters, Failure, Failures, Feed, Figures, Levers, Runtime, Surroundings,
    },
};
use consensus::catalogue::{self, BadSettings, Module, UnknownModule, Visitor};
use ledger::{
    Hand,
    chain::OpenError,
    store::{DiskError, DiskStore, Store, tripwire::Tripwire},
};
use replica::{Options, Setup};
use std::{
    io,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, task::spawn_blocking};

#[cfg(test)]
mod tests;

/// A node at work. Dropping it ends it, too, as a crash would: only [`RunningNode::stop`] handles
/// what has come and waits for the threads and the disk.
#[derive(Debug)]
pub struct RunningNode {
    server: rpc::Server,
    network: Network,
    runtime: Runtime,
    store: Arc<dyn Store>,
    counters: Arc<Counters>,
    failures: mpsc::Receiver<Failure>,
    control: Option<control::Server>,
}

/// What a node is given beyond its configuration, by a program that studies it. The binary `node`
/// gives nothing, and no flag or file does.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Whether to open the [`control`] socket. In a directory whose path is too long for one the
    /// node does without, and says so in its log. Only with it a node obeys [`Conditions`]: those it is
    /// told there, and from the beginning those in its directory ([`crate::conditions::FILE`]).
    pub control: bool,
    /// Told of each point between the steps of persisting and sending.
    pub tripwire: Tripwire,
}

/// Starts a node on the current tokio runtime. When it returns, its peers and its RPC can reach
/// it.
///
/// # Errors
/// [`StartError`]; then nothing is left running.
pub async fn start(config: NodeConfig) -> Result<RunningNode, StartError> {
    start_with(config, Extras::default()).await
}

/// Like [`start`], with some extras.
///
/// # Errors
/// [`StartError`]; then nothing is left running.
pub async fn start_with(config: NodeConfig, extras: Extras) -> Result<RunningNode, StartError> {
    start_cast(config, extras, Plain).await
}

/// Like [`start_with`], with something around the protocol.
///
/// # Errors
/// [`StartError`]; then nothing is left running.
pub async fn start_cast<C: Casting>(
    config: NodeConfig,
    extras: Extras,
    casting: C,
) -> Result<RunningNode, StartError> {
    let dir = config.dir().to_owned();
    let conditions = if extras.control { Some(Conditions::load(&dir)?) } else { None };
    let address = config.settings().rpc;
    let door = rpc::Door::open(address);
    let door = door.await.map_err(|reason| StartError::Rpc { address, reason })?;
    let path = config.dir().join(DATABASE);
    let tripwire = extras.tripwire.clone();
    let store = join(spawn_blocking(move || open(&path, &tripwire))).await?;
    let beside = Beside { conditions, tripwire: extras.tripwire };
    let (mut node, world) = start_on(Arc::new(store), door, config, casting, beside).await?;
    let Some(world) = world else { return Ok(node) };
    // The database is ours alone by now, and so is the directory.
    match control::Server::open(&dir, node.network.clone(), world) {
        Ok(server) => node.control = Some(server),
        Err(error @ ControlError::TooLong { .. }) => {
            tracing::warn!("no control socket, so that links cannot be cut: {error}");
        }
        Err(error) => {
            // What it says of the way down matters less than why.
            let _ = node.stop().await;
            return Err(error.into());
        }
    }
    Ok(node)
}

/// How long a database may be in use before somebody has it: a node that has just stopped, in this process
/// or another, is rid of it a moment later.
const LET_GO: Duration = Duration::from_secs(1);

/// Opens a database that may have been closed a moment ago.
fn open(path: &Path, tripwire: &Tripwire) -> Result<DiskStore, DiskError> {
    let begun = Instant::now();
    loop {
        match DiskStore::open_tripped(path, tripwire.clone()) {
            Err(DiskError::Locked { .. }) if begun.elapsed() < LET_GO => {
                thread::sleep(Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

/// What befalls a node, and where it may die, as a program that studies nodes wants it.
#[derive(Default)]
struct Beside {
    conditions: Option<Conditions>,
    tripwire: Tripwire,
}

/// Starts a node that remembers in `store` and answers at `door`. If it is given `conditions`, it begins
/// under them, and whoever holds the [`World`] can tell it others.
async fn start_on<C: Casting>(
    store: Arc<dyn Store>,
    door: rpc::Door,
    config: NodeConfig,
    casting: C,
    beside: Beside,
) -> Result<(RunningNode, Option<World>), StartError> {
    let Beside { conditions, tripwire } = beside;
    let (network, events) = network::start(network_config(&config)).await?;
    let levers = Levers::new(config.settings().miner);
    let (events, world) = match conditions {
        None => (events, None),
        Some(conditions) => {
            let weather = network.weather(events, config.id().0, conditions.clone());
            let (weather, events) = match weather {
                Ok(both) => both,
                Err(reason) => {
                    network.shutdown().await;
                    return Err(runtime::StartError::System(reason).into());
                }
            };
            levers.tell(&conditions);
            (events, Some(World::new(weather, levers.clone())))
        }
    };
    let counters = Arc::new(Counters::default());
    let (asker, questions) = Asker::channel(Arc::clone(&counters));
    let (failures, reports) = Failures::channel();
    let feed = Feed::new();
    let around = Surroundings {
        events,
        network: network.clone(),
        store: Arc::clone(&store),
        keys: config.keys().clone(),
        questions: (asker.clone(), questions),
        mining: config.settings().miner,
        levers,
        trace: config.settings().trace.then(|| config.dir().join(TRACE_FILE)),
        feed: feed.clone(),
        counters: Arc::clone(&counters),
        failures,
        tripwire,
    };
    let (chain, block_time) = (config.keys().chain(), config.genesis().block_time());
    let consensus = config.genesis().consensus.clone();
    // A replica reads what its store kept, which may take a while.
    let launch = Launch { config, around, casting };
    let launched = join(spawn_blocking(move || catalogue::dispatch(&consensus, launch))).await;
    let runtime = match launched.map_err(StartError::from).flatten() {
        Ok(runtime) => runtime,
        Err(error) => {
            network.shutdown().await;
            return Err(error);
        }
    };
    let backend = rpc::Backend::new(asker, feed, network.clone(), chain, block_time);
    let server = door.serve(backend);
    let failures = reports;
    let node = RunningNode { server, network, runtime, store, counters, failures, control: None };
    Ok((node, world))
}

impl RunningNode {
    /// Where the RPC listens.
    pub fn rpc(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where peers are listened for.
    pub fn network(&self) -> SocketAddr {
        self.network.address()
    }

    /// What carries the bytes to and from them.
    pub fn transport(&self) -> Transport {
        self.network.transport()
    }

    /// What the runtime has done so far.
    pub fn counters(&self) -> Figures {
        self.counters.snapshot()
    }

    /// What the network has done so far.
    pub fn network_counters(&self) -> NetworkCounters {
        self.network.counters()
    }

    /// Waits until the node cannot go on. Cancel-safe. [`RunningNode::stop`] it then, all the
    /// same.
    pub async fn failed(&mut self) -> Failure {
        match self.failures.recv().await {
            Some(failure) => failure,
            // Every thread has ended without a word, which the router never does.
            None => Failure::NetworkEnded,
        }
    }

    /// Stops in order: no more commands, no more questions, no more peers, what has come is handled, what was
    /// written becomes durable.
    ///
    /// # Errors
    /// The disk's, or that of a thread that failed on the way.
    pub async fn stop(self) -> Result<(), Failure> {
        let RunningNode { server, network, runtime, store, mut failures, control, .. } = self;
        if let Some(control) = control {
            control.stop().await;
        }
        server.stop().await;
        network.shutdown().await;
        join(spawn_blocking(move || {
            runtime.join();
            store.sync()
        }))
        .await?;
        // That the network ended is no failure any more.
        while let Ok(failure) = failures.try_recv() {
            if failure != Failure::NetworkEnded {
                return Err(failure);
            }
        }
        Ok(())
    }
}

/// Starts the runtime once the protocol's name has become a type.
struct Launch<C> {
    config: NodeConfig,
    around: Surroundings,
    casting: C,
}

impl<C: Casting> Visitor for Launch<C> {
    type Output = Result<Runtime, StartError>;

    fn visit<P: Module>(self) -> Self::Output {
        let Launch { config, around, casting } = self;
        let keys = config.keys().clone();
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::from).map_err(runtime::StartError::System)?;
        let protocol = P::new(config.genesis())?;
        let setup = Setup {
            me: config.id(),
            protocol: casting.cast(protocol, &config).map_err(StartError::Cast)?,
            genesis: config.genesis().clone(),
            hand: Hand::new(config.id(), keys.chain(), config.key().clone()),
            keys,
            store: Arc::clone(&around.store),
            seed,
            // Traced whether there is a file or not: somebody may listen at any time.
            options: Options { trace: true, ..Options::default() },
        };
        Ok(Runtime::start(setup, around)?)
    }
}

fn network_config(config: &NodeConfig) -> network::Config {
    let settings = config.settings();
    let peers = settings.peers.iter().map(|peer| PeerConfig {
        id: peer.id,
        public_key: peer.public_key.to_bytes(),
        address: peer.address,
    });
    network::Config {
        seed: config.key().seed(),
        listen: settings.listen,
        transport: settings.transport,
        peers: peers.collect(),
        guests: settings.guests,
        chain: config.keys().chain().to_string(),
    }
}

/// The result of a blocking task, whose panic goes on here.
async fn join<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Why a node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The RPC's address cannot be listened on.
    #[error(
        "cannot listen on {address} for the RPC: {reason}; choose another `rpc` in config.toml"
    )]
    Rpc {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        reason: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] DiskError),
    /// The conditions it is to begin under cannot be read.
    #[error(transparent)]
    Conditions(#[from] BadFile),
    /// The control socket cannot be opened.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The network cannot start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The genesis asks for a module that does not exist.
    #[error(transparent)]
    UnknownModule(#[from] UnknownModule),
    /// The module cannot run with the genesis' settings.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// What was to be put around the protocol does not fit.
    #[error("{0}")]
    Cast(String),
    /// The replica or its threads cannot start.
    #[error(transparent)]
    Runtime(#[from] runtime::StartError),
}

impl StartError {
    /// Whether whoever configured the node can mend it.
    pub fn is_bad_input(&self) -> bool {
        match self {
            StartError::Rpc { .. }
            | StartError::Conditions(_)
            | StartError::UnknownModule(_)
            | StartError::Settings(_)
            | StartError::Cast(_) => true,
            StartError::Control(error) => matches!(error, ControlError::Occupied { .. }),
            StartError::Network(error) => match error {
                NetworkError::Transport { .. } | NetworkError::Gossip { .. } => false,
                NetworkError::BadChain(_)
                | NetworkError::BadKey { .. }
                | NetworkError::BadSeat { .. }
                | NetworkError::DuplicateSeat { .. }
                | NetworkError::DuplicateKey { .. }
                | NetworkError::OwnKey { .. }
                | NetworkError::Listen { .. } => true,
            },
            StartError::Runtime(runtime::StartError::Open(error)) => match error {
                OpenError::Genesis(_) | OpenError::WrongChain { .. } | OpenError::Layout { .. } => {
                    true
                }
                OpenError::Store(_) => false,
            },
            StartError::Database(error) => matches!(error, DiskError::Layout { .. }),
            StartError::Runtime(runtime::StartError::System(_)) => false,
        }
    }
}
