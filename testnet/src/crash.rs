//! `testnet crash`: real processes, killed at random moments, and what they owe us afterwards.
//!
//! The simulator loses what a pretended disk had not synced; here the system kills real processes
//! around a real database. A round waits a moment, kills one node or more (SIGKILL), leaves them
//! dead a moment and starts them again, while signed transfers go on. Everybody is looked at all the
//! while, and at the end the whole chain of everybody.
//!
//! - [`plan`]: who is killed when, drawn from the seed. Pure.
//! - [`trip`]: how somebody dies between two steps of persisting and sending, at a failpoint.
//! - [`watch`]: what was seen, and which promises that breaks. Pure.
//! - `eyes` looks at the nodes, `load` makes transfers, [`trail`] reads traces: all of them report
//!   to `trial`, the loop that kills and starts, and judges at the end.
//! - `store`: the one place that knows how a database is checked.

use crate::live::{
    fleet::FleetError,
    home::{Home, HomeError},
    net::{LeakWish, MOST_REPLICAS, Net, NetError, Wish},
};
use clap::{Args, value_parser};
use nix::sys::stat::{Mode, umask};
use plan::Share;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use wallet_cli::keystore::KeystoreError;

mod eyes;
mod load;
pub mod plan;
mod report;
mod store;
pub mod trail;
mod trial;
pub mod trip;
pub mod watch;

/// `testnet crash`.
///
/// The network is fresh: in a temporary directory, which is kept if a promise was broken, or in
/// --dir. The seed determines who is killed and when; since nodes run in real time, the same seed
/// does the same to them, yet what they are doing at that moment is never quite the same.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Crash {
    /// The module that orders blocks
    #[arg(long, value_name = "NAME", default_value = "tendermint")]
    pub consensus: String,
    /// How many nodes
    #[arg(long, value_name = "N", default_value = "4",
          value_parser = value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub replicas: u32,
    /// How many times somebody is killed; a round takes about a second
    #[arg(long, value_name = "N", default_value = "100", value_parser = value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// In which share of the rounds the victims, started again, die once more at a failpoint: between two
    /// steps of persisting and sending
    #[arg(long, value_name = "SHARE", default_value = "0.25", value_parser = failpoints)]
    pub failpoints: Share,
    /// What victims and times are drawn from [default: some number, which is told]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// How long an idle chain waits between two blocks
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = crate::cli::block_time)]
    pub block_time: Duration,
    /// What the genesis should set: see `testnet up --help`
    #[arg(long, value_name = "KEY=VALUE", value_parser = crate::cli::setting)]
    pub set: Vec<(String, u64)>,
    /// How much of a core each node's miner uses, where blocks take work
    #[arg(long, value_name = "SHARE", value_parser = crate::cli::share)]
    pub miner_share: Option<f64>,
    /// Where to keep the network: a new or empty directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one line of JSON at the end
    #[arg(long)]
    pub json: bool,
    // The last: what follows it in the help would stand under its heading.
    /// How the votes of the absent fade.
    #[command(flatten)]
    pub leak: LeakWish,
}

const EXAMPLES: &str = "\
Examples:
  testnet crash                              100 rounds, about two minutes
  testnet crash --rounds 1000 --replicas 7
  testnet crash --seed 42 --dir evidence     the same victims and times again
  testnet crash --rounds 200                 50 of them at failpoints
  testnet crash --failpoints 1               all of them
  testnet crash --rounds 20 --json           for scripts

Mostly as many nodes die at a time as the others can do without, sometimes more, sometimes all; some
die again before they have quite come back. In a quarter of the rounds they are started again with a
failpoint: they die by their own hand at a place between two steps of persisting and sending, and are then
started again for good. Whatever was reported final must stay, no two nodes may
disagree on it, nobody may sign two things in one slot, no node may end by itself or halt, and at
the end everybody must get on and every database be sound (as `node check` finds) and hold all that
was final. The first broken promise ends the rounds. So does Ctrl-C; the verdict is then on what was
seen.

Exit codes: 0 no promise was broken, 1 one was, 2 bad input, 3 our own failure.";

/// Why a trial did not come to a verdict, or to a bad one.
#[derive(Debug, thiserror::Error)]
pub enum CrashError {
    /// Promises were broken; which is printed already.
    #[error("promises were broken: {0} violations")]
    Broken(u64),
    /// There is a net already.
    #[error("{} holds a network already; crash begins a fresh one: give a new --dir, or none", .0.display())]
    NotFresh(PathBuf),
    /// The directory will not do.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There can be no such net.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A node cannot be started or signalled.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The funded accounts cannot pay.
    #[error(transparent)]
    Wallet(#[from] KeystoreError),
    /// The net did not come up, before anybody was killed.
    #[error("node {id} does not answer after {} s; the end of {}:\n{tail}", .seconds, log.display())]
    Late {
        /// Which node.
        id: u32,
        /// How long it had.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// A trace cannot be read.
    #[error("{}: {source}", path.display())]
    Trace {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something elementary.
    #[error("the system refuses: {0}; are there too many processes, or open files?")]
    System(#[from] io::Error),
}

/// What all threads of a trial know.
#[derive(Debug, Default)]
struct Shared {
    interrupted: AtomicBool,
    finishing: AtomicBool,
    stopping: AtomicBool,
    /// Who should be answering.
    up: Vec<AtomicBool>,
}

impl Shared {
    fn new(nodes: u32) -> Shared {
        Shared { up: (0..nodes).map(|_| AtomicBool::new(false)).collect(), ..Shared::default() }
    }

    fn set_up(&self, node: u32, up: bool) {
        self.up[node as usize].store(up, Ordering::Relaxed);
    }

    fn is_up(&self, node: u32) -> bool {
        self.up[node as usize].load(Ordering::Relaxed)
    }

    /// Somebody wants it all to end.
    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// No more transfers are made from now on.
    fn finish(&self) {
        self.finishing.store(true, Ordering::Relaxed);
    }

    fn is_finishing(&self) -> bool {
        self.finishing.load(Ordering::Relaxed)
    }

    /// Every thread is to end.
    fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Does what the command line says, and prints what came of it.
///
/// # Errors
///
/// [`CrashError::Broken`] if a promise was broken, otherwise what kept it from a verdict.
pub fn crash(order: &Crash) -> Result<(), CrashError> {
    let wish = Wish {
        consensus: Some(order.consensus.clone()),
        replicas: Some(order.replicas),
        block_time: Some(order.block_time),
        settings: order.set.iter().cloned().collect(),
        miner_share: order.miner_share,
        leak: order.leak.clone(),
        trace: true,
        ..Wish::default()
    };
    wish.check_new()?;
    // Keys, databases, logs: all of it is for this user only.
    umask(Mode::from_bits_truncate(0o077));
    let home = Home::open(order.dir.as_deref())?;
    if home.is_founded() {
        return Err(CrashError::NotFresh(home.place().dir().to_owned()));
    }
    let outcome = on_trial(order, &wish, &home);
    if home.is_temporary() && !matches!(outcome, Ok(0)) {
        home.leave();
    }
    match outcome? {
        0 => Ok(()),
        broken => Err(CrashError::Broken(broken)),
    }
}

/// How many promises were broken.
fn on_trial(order: &Crash, wish: &Wish, home: &Home) -> Result<u64, CrashError> {
    let net = Net::found(home.place().clone(), wish)?;
    let shared = Arc::new(Shared::new(net.len()));
    let interrupted = Arc::clone(&shared);
    ctrlc::set_handler(move || interrupted.interrupted.store(true, Ordering::Relaxed))
        .map_err(io::Error::other)?;
    let seed = order.seed.unwrap_or_else(some_seed);
    let progress = !order.json && io::stderr().is_terminal();
    let rounds = plan::plan(seed, net.len(), order.rounds, order.failpoints);
    let mut summary = trial::hold(&net, &shared, seed, &rounds, &|line| {
        if progress {
            // Nobody has to watch.
            let _ = writeln!(io::stderr(), "{line}");
        }
    })?;
    let kept = !home.is_temporary() || !summary.holds;
    summary.dir = kept.then(|| home.place().dir().to_owned());
    let text = match order.json {
        true => serde_json::to_string(&summary).expect("a summary is plain data"),
        false => summary.to_string(),
    };
    // Whoever closed the pipe has the exit code.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(summary.violations.len() as u64 + summary.unlisted)
}

/// Reads which share of the rounds ends at failpoints.
fn failpoints(text: &str) -> Result<Share, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    // It lies between zero and a thousand.
    share.map(|share| Share((share * 1_000.0).round() as u32)).ok_or_else(|| {
        format!("{text:?} is no share of the rounds; write a number from 0 to 1, such as 0.25")
    })
}

/// A number that is short enough to be typed.
fn some_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}
