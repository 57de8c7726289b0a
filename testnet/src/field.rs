//! The field: scenarios carried out by real nodes, in real time, and judged as in the laboratory.
//!
//! [`crate::lab`] runs a scenario in the simulator; here the same file founds a net of processes, which
//! talk over libp2p and keep real databases. What the world does to them is done by [`play`]: it kills,
//! stops and starts processes, wipes disks, and tells nodes over their control sockets what befalls their
//! links, clocks and disks ([`sky`]). When it is over, every node is stopped, what it wrote in its trace
//! and its database is [gathered](gather), and the simulator's own checker judges it.
//!
//! - [`fits`]: which scenarios can run here, and what keeps the others from it.
//! - [`founding`]: the net that a scenario asks for.
//! - [`sky`]: what every node has to be told, at every moment. Pure.
//! - [`load`]: who pays whom, through which node.
//! - [`play`]: the loop that makes everything happen when it is due.
//! - [`gather`]: what was seen, for the judge.
//! - [`trail`]: the traces of all nodes as one, for `testnet trace`.
//! - [`gap`]: one scenario in both worlds, and how far they are apart.

pub mod fits;
pub mod founding;
pub mod gap;
pub mod gather;
pub mod load;
pub mod meter;
pub mod play;
pub mod sky;
pub mod trail;

use crate::live::{
    fleet::FleetError,
    home::{Home, HomeError},
    net::NetError,
};
use consensus::catalogue::{Module, UnknownModule, Visitor, dispatch};
use gather::Gathered;
use ledger::ReplicaId;
use meter::Means;
use nix::sys::stat::{Mode, umask};
use node::control::ControlError;
use simulator::{
    Scenario,
    checker::{Checker, Sight},
    scenario::{
        Outcome,
        judge::{Facts, Judge},
    },
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};
use thiserror::Error;

/// What came of a run, and what it cost the nodes.
#[derive(Clone, Debug)]
pub struct Report {
    /// As the simulator's.
    pub outcome: Outcome,
    /// What nodes measured of themselves.
    pub means: Means,
    /// Where the net was kept, if it was.
    pub dir: Option<PathBuf>,
}

/// When a net's directory is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Never.
    Never,
    /// If something failed, or did not turn out as expected: it is the clue.
    Clues,
    /// However it ends.
    Always,
}

/// What a run is to do besides.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    /// Set when somebody wants it to end.
    pub stop: &'a AtomicBool,
    /// Hears what happens, in words.
    pub tell: &'a dyn Fn(&str),
    /// Whether to keep the net's directory.
    pub keep: Keep,
    /// Where to write the traces of all nodes as one.
    pub trace: Option<&'a Path>,
}

/// Carries out one seed of one module with real nodes, which takes as long as it says, and judges it.
///
/// # Errors
/// [`FieldError`]; no process is left in any case.
pub fn run(
    scenario: &Scenario,
    module: &str,
    seed: u64,
    manner: Manner<'_>,
) -> Result<Report, FieldError> {
    struct Run<'a>(&'a Scenario, &'a str, u64, Manner<'a>);

    impl Visitor for Run<'_> {
        type Output = Result<Report, FieldError>;

        fn visit<P: Module>(self) -> Self::Output {
            let Run(scenario, module, seed, manner) = self;
            carry_out::<P>(scenario, module, seed, manner)
        }
    }

    let reasons = fits::unfit(scenario, module);
    if !reasons.is_empty() {
        return Err(FieldError::Unfit { module: module.to_owned(), reasons });
    }
    dispatch(module, Run(scenario, module, seed, manner))?
}

fn carry_out<P: Module>(
    scenario: &Scenario,
    module: &str,
    seed: u64,
    manner: Manner<'_>,
) -> Result<Report, FieldError> {
    // Keys, databases, logs: all of it is for this user only.
    umask(Mode::from_bits_truncate(0o077));
    let home = Home::open(None)?;
    let net = founding::found(home.place().clone(), scenario, module)?;
    let played = play::play(&net, scenario, module, seed, manner);
    let judged = played.and_then(|played| {
        if let Some(path) = manner.trace {
            trail::write(&net, scenario, module, seed, &played, path)?;
        }
        let gathered = gather::gather(&net, scenario, &played)?;
        Ok((judge::<P>(scenario, module, seed, &gathered), played))
    });
    let well = match &judged {
        Ok((outcome, _)) => outcome.unmet.is_empty(),
        Err(error) => matches!(error, FieldError::Interrupted),
    };
    let kept = match manner.keep {
        Keep::Never => false,
        Keep::Clues => !well,
        Keep::Always => true,
    };
    let dir = kept.then(|| home.place().dir().to_owned());
    if dir.is_some() {
        home.leave();
    }
    match judged {
        Err(FieldError::Interrupted) => Err(FieldError::Interrupted),
        Ok((outcome, played)) => Ok(Report { outcome, means: played.means, dir }),
        Err(error) => match dir {
            Some(dir) => Err(FieldError::Kept { error: Box::new(error), dir }),
            None => Err(error),
        },
    }
}

fn judge<P: Module>(scenario: &Scenario, module: &str, seed: u64, gathered: &Gathered) -> Outcome {
    let genesis = &gathered.genesis;
    let checker = |promises| Checker::observing::<P>(genesis, scenario.replicas, promises);
    let mut judge = Judge::new(scenario, module, genesis, checker);
    let sight = Sight {
        now: gathered.ended,
        record: &gathered.record,
        ledgers: gathered.ledgers.iter().map(Option::as_ref).collect(),
    };
    let facts = Facts {
        seed,
        served: gathered.served(|by| judge.settlements(&sight, by)),
        counts: gathered.counts,
        events: gathered.lines,
        trace_hash: gathered.trace_hash,
    };
    judge.outcome(&sight, facts)
}

/// Why a scenario was not carried out.
#[derive(Debug, Error)]
pub enum FieldError {
    /// It cannot be, with this module.
    #[error("{module} cannot run this scenario with real nodes: {}", list(reasons))]
    Unfit {
        /// The module.
        module: String,
        /// All that keeps it from it.
        reasons: Vec<fits::Unfit>,
    },
    /// Somebody wanted it to end.
    #[error("stopped before it was over")]
    Interrupted,
    /// There is no such module.
    #[error(transparent)]
    Module(#[from] UnknownModule),
    /// There is no directory for the net.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There can be no such net.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A process cannot be started or signalled.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// A node cannot be told what befalls it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A node does not answer.
    #[error("node {id} does not answer after {} s; the end of {}:\n{tail}", .seconds, log.display())]
    Late {
        /// Which.
        id: ReplicaId,
        /// How long it had.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// A node ended although nobody killed it.
    #[error("node {id} ended by itself, {exit}; the end of {}:\n{tail}", log.display())]
    Died {
        /// Which.
        id: ReplicaId,
        /// How.
        exit: String,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// What a node left cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// Which file or directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The system refused something elementary.
    #[error("the system refuses: {0}; are there too many processes, or open files?")]
    System(#[from] io::Error),
    /// Something failed, and the net was kept.
    #[error("{error}\nThe net is kept in {}", dir.display())]
    Kept {
        /// What failed.
        error: Box<FieldError>,
        /// Where the net is.
        dir: PathBuf,
    },
}

fn list(reasons: &[fits::Unfit]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
