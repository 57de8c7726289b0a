//! The command `node`: makes a node's directory, shows its keys, runs it.
//!
//! Exit codes: 0 when all went well, 1 when a database is not sound, 2 on bad input, 3 on our own
//! failure.

mod check;
mod init;

use crate::{
    Casting, Extras, Failure, Plain, StartError,
    check::CheckError,
    config::{ConfigError, KEY_FILE, KeyError, NodeConfig, key},
    running::{self, RunningNode},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use libp2p::identity::{PublicKey as PeerKey, ed25519};
use serde::Serialize;
use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;

pub use check::Check;
pub use init::Init;

#[cfg(test)]
mod tests;

/// One validator of a Byzantium chain
#[derive(Debug, Parser)]
#[command(name = "node", version)]
pub struct Node {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What a node can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a node's directory; existing files are never overwritten
    Init(Init),
    /// Run the node until it is told to stop (SIGINT or SIGTERM)
    Run(Run),
    /// Show the node's public key, address and peer id
    Keys(ShowKeys),
    /// Check a stopped node's database: every block, proof, account and index
    Check(Check),
}

/// Arguments of `node run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The node's directory, as `node init` writes it
    #[arg(long)]
    pub dir: PathBuf,
    /// Stop, as on SIGTERM, when standard input closes: for a parent that must not leave us behind
    #[arg(long)]
    pub until_stdin_closes: bool,
    /// What to log on standard error: error, warn, info, debug, trace, or a filter such as
    /// `info,node::network=debug`, or `info,node::runtime=debug` for the steps of each height
    #[arg(long, env = "RUST_LOG", default_value = DEFAULT_LOG, value_parser = log_filter)]
    pub log: String,
    /// How to write the log: as text for people, or one JSON object a line for programs
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// What is logged unless something else is asked for. libp2p says at `info` what is daily business
/// here, and gossipsub warns of a mesh that is small, which in a testnet it always is.
const DEFAULT_LOG: &str = "info,libp2p=warn,libp2p_gossipsub=error";

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum LogFormat {
    /// A line for people, with colours if they go to a terminal.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Arguments of `node keys`.
#[derive(Debug, Args)]
pub struct ShowKeys {
    /// The node's directory
    #[arg(long)]
    pub dir: PathBuf,
    /// Make the key if there is none yet
    #[arg(long)]
    pub new: bool,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// Does what is asked, and says how it went. A node that is run has these `extras`, for which there
/// are no flags: only a program that means to study its nodes gives any.
pub fn run(node: Node, extras: Extras) -> ExitCode {
    run_cast(node, extras, Plain)
}

/// Like [`run`], with something around the protocol of a node that is run.
pub fn run_cast<C: Casting>(node: Node, extras: Extras, casting: C) -> ExitCode {
    let result = match node.command {
        Command::Init(init) => init.run(),
        Command::Run(run) => run.run(extras, casting),
        Command::Keys(keys) => keys.run(),
        Command::Check(check) => check.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

impl Run {
    fn run<C: Casting>(self, extras: Extras, casting: C) -> Result<(), CliError> {
        start_log(&self.log, self.log_format);
        let config = NodeConfig::load(&self.dir)?;
        // One worker is enough for sockets and RPC, and leaves the cores to those who compute.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(CliError::System)?;
        runtime.block_on(live(config, extras, casting, self.until_stdin_closes))
    }
}

/// A node's whole life.
async fn live<C: Casting>(
    config: NodeConfig,
    extras: Extras,
    casting: C,
    until_stdin_closes: bool,
) -> Result<(), CliError> {
    // Before anything starts, so that no signal finds the default handler.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::System)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::System)?;
    let closed = stdin_closed(until_stdin_closes)?;
    let (id, chain) = (config.id(), config.keys().chain());
    let mut node = running::start_cast(config, extras, casting).await?;
    tracing::info!("validator {id} of chain {}", chain.short());
    announce(&node);
    let failure = tokio::select! {
        failure = node.failed() => Some(failure),
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        () = closed => None,
    };
    match &failure {
        Some(failure) => tracing::error!("stopping: {failure}"),
        None => tracing::info!("stopping, as told"),
    }
    let stopped = node.stop().await;
    // What made us stop says more than what went wrong on the way.
    failure.map_or(stopped, Err).map_err(CliError::Failed)
}

/// Tells whoever started us, on standard output, that we can be reached, and where.
fn announce(node: &RunningNode) {
    let (rpc, peers) = (node.rpc(), node.network());
    let line = format!("ready: rpc http://{rpc}, peers {peers} over {}\n", node.transport());
    // A parent that does not want to know is no reason to stop.
    let mut out = io::stdout().lock();
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Ends when standard input does; never, if that is not asked for.
fn stdin_closed(asked: bool) -> Result<impl Future<Output = ()>, CliError> {
    let (open, closed) = oneshot::channel::<()>();
    if asked {
        // A thread of its own, because nothing can interrupt a read: the process ends around it.
        let watch = move || {
            let _open = open;
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        };
        let thread = std::thread::Builder::new().name("stdin".into());
        thread.spawn(watch).map_err(CliError::System)?;
    }
    Ok(async move {
        match asked {
            true => drop(closed.await),
            false => std::future::pending().await,
        }
    })
}

/// Logs to standard error. In a process that logs already, such as a test, that goes on.
fn start_log(filter: &str, format: LogFormat) {
    let filter = EnvFilter::new(filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // An error means that another log has been started.
    let _ = match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).try_init(),
        // There is one span at a time, so that a list of them says nothing more.
        LogFormat::Json => {
            log.json().flatten_event(true).with_span_list(false).with_ansi(false).try_init()
        }
    };
}

/// Checks a filter for the log. An empty one, as of a variable that is set to nothing, is none.
fn log_filter(text: &str) -> Result<String, String> {
    let text = if text.trim().is_empty() { DEFAULT_LOG } else { text };
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// What `node keys --json` prints.
#[derive(Debug, Serialize)]
struct Identity {
    public_key: crypto::PublicKey,
    address: crypto::Address,
    peer_id: String,
}

impl Identity {
    fn of(public_key: crypto::PublicKey) -> Identity {
        let peer = ed25519::PublicKey::try_from_bytes(public_key.as_bytes())
            .expect("the public half of a secret key is a point of the curve");
        let peer_id = PeerKey::from(peer).to_peer_id().to_string();
        Identity { public_key, address: public_key.address(), peer_id }
    }
}

impl ShowKeys {
    fn run(self) -> Result<(), CliError> {
        let path = self.dir.join(KEY_FILE);
        let key = match key::load(&path) {
            Err(KeyError::Missing { .. }) if self.new => {
                init::make_dir(&self.dir)?;
                key::create(&path)?
            }
            other => other?,
        };
        let identity = Identity::of(key.public());
        if self.json {
            println!("{}", serde_json::to_string(&identity).expect("an identity is plain data"));
        } else {
            println!("public key  {}", identity.public_key);
            println!("address     {}", identity.address);
            println!("peer id     {}", identity.peer_id);
        }
        Ok(())
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An argument does not fit.
    #[error("{0}")]
    Argument(String),
    /// A file cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The node did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A database could not be checked, or not to the end.
    #[error(transparent)]
    Check(CheckError),
    /// A database is not as it should be.
    #[error(
        "the database in {} is not sound ({flaws} flaws); restore a copy, or remove it and let the \
         node sync again",
        dir.display()
    )]
    Unsound {
        /// The node's directory.
        dir: PathBuf,
        /// How many flaws were told.
        flaws: usize,
    },
    /// The node could not go on.
    #[error("the node stopped: {0}")]
    Failed(#[source] Failure),
    /// The system did not give what every program may expect.
    #[error("the system refused: {0}")]
    System(#[source] io::Error),
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> CliError {
        CliError::Config(error.into())
    }
}

impl CliError {
    /// What the process exits with.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Config(_) | CliError::Argument(_) | CliError::Write { .. } => 2,
            CliError::Start(error) if error.is_bad_input() => 2,
            CliError::Unsound { .. } => 1,
            CliError::Check(error) if error.is_damage() => 1,
            CliError::Check(_) => 2,
            CliError::Start(_) | CliError::Failed(_) | CliError::System(_) => 3,
        }
    }
}
