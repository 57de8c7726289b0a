//! The node processes: started, killed, stopped, reaped.
//!
//! Each node leads a process group of its own, so that Ctrl-C reaches only the testnet, which
//! then stops the nodes in good order. Each holds the reading end of a pipe whose other end is
//! ours, and stops when that closes: thus none outlives a testnet that was itself killed.

use super::{myself::Myself, net::Net};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::{self, OpenOptions},
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

#[cfg(test)]
mod tests;

/// How long a node may take to stop before it is killed, or before a `stop` gives up waiting: longer than all its
/// farewells together, to wallets, to peers and to a port of QUIC's.
pub const GRACE: Duration = Duration::from_secs(10);

/// How often a dying process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The nodes of a net, by their ids from zero. Dropping it stops them all.
pub struct Fleet {
    seats: Vec<Seat>,
    launch: Box<dyn Fn(u32) -> Command>,
    /// The same for the second of twins.
    launch_twin: Box<dyn Fn(u32) -> Command>,
}

/// One node's place in the fleet, whether or not it is running.
struct Seat {
    log: PathBuf,
    child: Option<Child>,
    exit: Option<Exit>,
    /// The second of twins, which comes and goes with the first.
    twin: Option<Twin>,
}

struct Twin {
    log: PathBuf,
    child: Option<Child>,
}

/// How a process ended: with a code, or by a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exit {
    /// What it returned.
    pub code: Option<i32>,
    /// What ended it.
    pub signal: Option<i32>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit {code}"),
            (None, Some(number)) => match Signal::try_from(number) {
                Ok(signal) => f.write_str(signal.as_str()),
                Err(_) => write!(f, "signal {number}"),
            },
            (None, None) => f.write_str("unknown"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Exit {
        Exit { code: status.code(), signal: status.signal() }
    }
}

impl Fleet {
    /// A fleet at rest with one seat for each log file; `launch` makes the command of a node.
    pub fn new(logs: Vec<PathBuf>, launch: impl Fn(u32) -> Command + 'static) -> Fleet {
        let seats = logs.into_iter().map(|log| Seat { log, child: None, exit: None, twin: None });
        let nobody = |id| unreachable!("node {id} has no twin");
        Fleet { seats: seats.collect(), launch: Box::new(launch), launch_twin: Box::new(nobody) }
    }

    /// The fleet of a net's nodes, at rest. Each is this very program again, as `testnet node run`.
    pub fn of(net: &Net, myself: &Myself) -> Fleet {
        let (program, place) = (myself.program.clone(), net.place.clone());
        let logs = net.ids().map(|id| place.log(id)).collect();
        let run = move |lie: &[String], dir: &Path| {
            let mut command = Command::new(&program);
            command.arg("node").args(lie).args(["run", "--until-stdin-closes", "--dir"]).arg(dir);
            // Its standard error is a file that people read with any tool.
            command.env("NO_COLOR", "1");
            command
        };
        let (run_twin, twins) = (run.clone(), place.clone());
        let consensus = net.genesis.consensus.clone();
        let (nodes, byzantine) = (place, net.record.byzantine.clone());
        let launch = move |id| run(&byzantine.arguments(&consensus, id), &nodes.node(id));
        let mut fleet = Fleet::new(logs, launch);
        fleet.launch_twin = Box::new(move |id| run_twin(&[], &twins.twin(id)));
        for id in net.seconds() {
            let log = net.place.twin(id).join("node.log");
            fleet.seats[id as usize].twin = Some(Twin { log, child: None });
        }
        fleet
    }

    /// A seat for one more node, at rest, whose id is the next.
    pub fn add(&mut self, log: PathBuf) {
        self.seats.push(Seat { log, child: None, exit: None, twin: None });
    }

    /// The process of a node, while it runs.
    pub fn pid(&self, id: u32) -> Option<u32> {
        self.seats.get(id as usize)?.child.as_ref().map(Child::id)
    }

    /// How a node ended the last time, while it does not run again.
    pub fn exit(&self, id: u32) -> Option<Exit> {
        let seat = self.seats.get(id as usize)?;
        seat.exit.filter(|_| seat.child.is_none())
    }

    /// Starts a node and tells its process.
    ///
    /// # Errors
    ///
    /// [`FleetError::Running`] if it runs, [`FleetError::Spawn`] if the system refuses.
    pub fn start(&mut self, id: u32) -> Result<u32, FleetError> {
        self.start_with(id, &[])
    }

    /// The same, with more arguments.
    ///
    /// # Errors
    ///
    /// As [`Fleet::start`].
    pub fn start_with(&mut self, id: u32, arguments: &[String]) -> Result<u32, FleetError> {
        let seat = seat(&mut self.seats, id)?;
        if let Some(child) = &seat.child {
            return Err(FleetError::Running { id, pid: child.id() });
        }
        let failed = |source| FleetError::Spawn { id, source };
        let mut command = (self.launch)(id);
        command.args(arguments);
        let child = spawn(command, &seat.log).map_err(failed)?;
        let pid = child.id();
        seat.child = Some(child);
        if let Some(twin) = &mut seat.twin {
            twin.child = Some(spawn((self.launch_twin)(id), &twin.log).map_err(failed)?);
        }
        Ok(pid)
    }

    /// Kills a node at once and without warning.
    ///
    /// # Errors
    ///
    /// [`FleetError::Dead`] if it does not run.
    pub fn kill(&mut self, id: u32) -> Result<Exit, FleetError> {
        let seat = seat(&mut self.seats, id)?;
        let child = seat.child.as_mut().ok_or(FleetError::Dead { id })?;
        child
            .kill()
            .and_then(|()| child.wait())
            .map(|status| seat.ended(status))
            .map_err(|source| FleetError::Signal { id, source })
    }

    /// Lets a node's process stand still: nothing is lost, and nothing is done until it
    /// [goes on](Fleet::resume).
    ///
    /// # Errors
    ///
    /// [`FleetError::Dead`] if it does not run.
    pub fn pause(&mut self, id: u32) -> Result<(), FleetError> {
        seat(&mut self.seats, id)?.signal(id, Signal::SIGSTOP)
    }

    /// Lets a node's process go on.
    ///
    /// # Errors
    ///
    /// [`FleetError::Dead`] if it does not run.
    pub fn resume(&mut self, id: u32) -> Result<(), FleetError> {
        seat(&mut self.seats, id)?.signal(id, Signal::SIGCONT)
    }

    /// Asks a node to stop and waits until it has.
    ///
    /// # Errors
    ///
    /// [`FleetError::Dead`] if it does not run, [`FleetError::Slow`] if it still does after
    /// `grace`.
    pub fn stop(&mut self, id: u32, grace: Duration) -> Result<Exit, FleetError> {
        let seat = seat(&mut self.seats, id)?;
        seat.ask_to_stop(id)?;
        let deadline = Instant::now() + grace;
        loop {
            if let Some(exit) = seat.reap() {
                return Ok(exit);
            }
            if Instant::now() >= deadline {
                return Err(FleetError::Slow { id, grace });
            }
            thread::sleep(LOOK);
        }
    }

    /// Notices who ended by itself since the last look.
    pub fn reap(&mut self) -> Vec<(u32, Exit)> {
        (0..).zip(&mut self.seats).filter_map(|(id, seat)| Some((id, seat.reap()?))).collect()
    }

    /// Stops everybody: asks all, waits up to `grace`, kills who is left. Afterwards no process
    /// remains.
    pub fn stop_all(&mut self, grace: Duration) {
        for (id, seat) in (0..).zip(&mut self.seats) {
            // Who cannot be asked is dead already, or is killed below.
            let _ = seat.ask_to_stop(id);
        }
        let deadline = Instant::now() + grace;
        while self.is_anybody_there() && Instant::now() < deadline {
            thread::sleep(LOOK);
            self.reap();
        }
        for id in (0..).take(self.seats.len()) {
            let _ = self.kill(id);
        }
    }

    fn is_anybody_there(&self) -> bool {
        self.seats.iter().any(|seat| seat.child.is_some())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if self.is_anybody_there() {
            self.stop_all(GRACE);
        }
    }
}

impl Seat {
    fn ask_to_stop(&self, id: u32) -> Result<(), FleetError> {
        // Who stands still hears nothing.
        self.signal(id, Signal::SIGCONT)?;
        self.signal(id, Signal::SIGTERM)
    }

    fn signal(&self, id: u32, signal: Signal) -> Result<(), FleetError> {
        let child = self.child.as_ref().ok_or(FleetError::Dead { id })?;
        // The process is ours and not yet reaped, so the number cannot be somebody else's.
        let twin = self.twin.as_ref().and_then(|twin| twin.child.as_ref());
        let send = |child: &Child| {
            let pid = Pid::from_raw(i32::try_from(child.id()).expect("process numbers are small"));
            kill(pid, signal).map_err(|error| FleetError::Signal { id, source: error.into() })
        };
        // A twin that does not hear is ended with the first.
        let _ = twin.map(send);
        send(child)
    }

    /// A twin that ended takes the other with it: one alone would tell no lie.
    fn reap(&mut self) -> Option<Exit> {
        let child = self.child.as_mut()?;
        let twin = self.twin.as_mut().and_then(|twin| twin.child.as_mut());
        let status = match (child.try_wait().ok()?, twin) {
            (Some(status), _) => status,
            (None, twin) => {
                let status = twin?.try_wait().ok()??;
                // It fails only if it has ended already.
                let _ = child.kill().and_then(|()| child.wait());
                status
            }
        };
        Some(self.ended(status))
    }

    fn ended(&mut self, status: ExitStatus) -> Exit {
        self.child = None;
        if let Some(mut twin) = self.twin.as_mut().and_then(|twin| twin.child.take()) {
            // It fails only if it has ended already.
            let _ = twin.kill().and_then(|()| twin.wait());
        }
        let exit = Exit::from(status);
        self.exit = Some(exit);
        exit
    }
}

/// Starts a process whose output goes to the end of a file.
fn spawn(mut command: Command, log: &Path) -> io::Result<Child> {
    fs::create_dir_all(log.parent().unwrap_or(Path::new(".")))?;
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let output = log.try_clone()?;
    command.stdin(Stdio::piped()).stdout(output).stderr(log).process_group(0).spawn()
}

fn seat(seats: &mut [Seat], id: u32) -> Result<&mut Seat, FleetError> {
    let nodes = seats.len();
    seats.get_mut(id as usize).ok_or(FleetError::Unknown { id, nodes })
}

/// Why a node is not started, killed or stopped.
#[derive(Debug, Error)]
pub enum FleetError {
    /// There is no such node.
    #[error("there is no node {id}; the {nodes} nodes of this net count from 0")]
    Unknown {
        /// Who was asked for.
        id: u32,
        /// How many there are.
        nodes: usize,
    },
    /// It is running.
    #[error("node {id} is running already, as process {pid}")]
    Running {
        /// The node.
        id: u32,
        /// Its process.
        pid: u32,
    },
    /// It is not running.
    #[error("node {id} is not running; `testnet start {id}` starts it")]
    Dead {
        /// The node.
        id: u32,
    },
    /// It was asked to stop and takes its time.
    #[error("node {id} still runs {} after it was asked to stop; `testnet kill {id}` ends it", crate::span::format(*grace))]
    Slow {
        /// The node.
        id: u32,
        /// How long it had.
        grace: Duration,
    },
    /// The process could not be made.
    #[error("node {id} cannot be started: {source}")]
    Spawn {
        /// The node.
        id: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The process could not be reached.
    #[error("node {id} cannot be signalled: {source}")]
    Signal {
        /// The node.
        id: u32,
        /// What the system said.
        source: io::Error,
    },
}
