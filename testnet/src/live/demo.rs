//! A first session, told step by step.
//!
//! Nothing here is pretended: every command is this program, executed as a person would from
//! another terminal, and what it prints is shown as it is. The teller has a thread of its own and
//! reaches the net only through those commands and the control socket.

use super::{
    control::{self, Answer, ControlError, Request},
    fleet::Exit,
    home::Place,
    myself::{Myself, quote, quote_path},
    net::Net,
    screen::{Kind, Line},
    sight::NodeView,
    up::Event,
};
use std::{
    ffi::OsString,
    io::{self, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::SyncSender,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use thiserror::Error;

mod story;

#[cfg(test)]
mod tests;

/// The fewest nodes of which one can be killed while the chain goes on.
pub const FEWEST_REPLICAS: u32 = 4;

/// How long a command may take. A transfer that is waited for gives up by itself before.
const COMMAND: Duration = Duration::from_secs(60);

/// How long the chain may take to grow, and a node to catch up, besides ten blocks' time.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the net is asked while something is waited for.
const LOOK: Duration = Duration::from_millis(200);

/// Whether a net is large enough for the demo.
///
/// # Errors
///
/// [`TooSmall`] if it is not.
pub fn check(replicas: u32) -> Result<(), TooSmall> {
    if replicas < FEWEST_REPLICAS { Err(TooSmall(replicas)) } else { Ok(()) }
}

/// A net too small for the demo.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "the demo kills a node while the chain goes on, which takes {FEWEST_REPLICAS} nodes or more, \
     and there are {0}; leave --replicas out, or --demo"
)]
pub struct TooSmall(pub u32);

/// A demo that is being told. Dropping it breaks it off.
#[derive(Debug)]
pub struct Demo {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Demo {
    /// Tells a first session with `net`; the last event is [`Event::DemoOver`].
    ///
    /// # Errors
    ///
    /// Whatever the system says when it has no thread to give.
    pub fn start(net: &Net, myself: &Myself, events: SyncSender<Event>) -> io::Result<Demo> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut teller = Teller {
            program: myself.program.clone(),
            typed: myself.typed.clone(),
            place: net.place.clone(),
            replicas: net.len(),
            patience: PATIENCE.saturating_add(net.genesis.block_time().saturating_mul(10)),
            events,
            stop: Arc::clone(&stop),
            step: 0,
        };
        let thread = thread::Builder::new().name("demo".to_owned()).spawn(move || {
            let outcome = story::tell(&mut teller);
            // If nobody listens, the net is ending.
            let _ = teller.events.send(Event::DemoOver(outcome));
        })?;
        Ok(Demo { stop, thread: Some(thread) })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // If it panicked, it has said so.
            let _ = thread.join();
        }
    }
}

/// Who tells: it can speak, run commands, and wait for the net.
struct Teller {
    program: PathBuf,
    typed: String,
    place: Place,
    replicas: u32,
    patience: Duration,
    events: SyncSender<Event>,
    stop: Arc<AtomicBool>,
    step: u32,
}

impl Teller {
    /// Begins a step.
    fn step(&mut self, title: &str) -> Result<(), DemoError> {
        self.step += 1;
        self.say(Kind::Title, title)
    }

    fn say(&self, kind: Kind, text: &str) -> Result<(), DemoError> {
        let line = Line { step: self.step, kind, text: text.to_owned() };
        self.events.send(Event::Told(line)).map_err(|_| DemoError::Ended)
    }

    /// Runs `testnet wallet …` on the net's wallet and tells what it prints.
    fn wallet(&self, words: &[&str]) -> Result<String, DemoError> {
        self.run(&[&["wallet"], words].concat(), self.place.wallet())
    }

    /// Runs `testnet …` on the net and tells what it prints.
    fn testnet(&self, words: &[&str]) -> Result<String, DemoError> {
        self.run(words, self.place.dir().to_owned())
    }

    fn run(&self, words: &[&str], dir: PathBuf) -> Result<String, DemoError> {
        let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
        let line = format!("testnet {} --dir {}", quoted.join(" "), quote_path(&dir));
        self.say(Kind::Command, &line)?;
        let args = words.iter().map(OsString::from).chain(["--dir".into(), dir.into_os_string()]);
        let mut command = Command::new(&self.program);
        // What a person set for another net must not lead this wallet astray.
        command.args(args).env_remove("WALLET_NODE").env_remove("WALLET_PASSPHRASE");
        let system = |source| DemoError::System { line: line.clone(), source };
        let (exit, output) = self.finish(&mut command).map_err(system)?.ok_or(DemoError::Ended)?;
        self.say(Kind::Output, &output)?;
        match exit.code {
            Some(0) => Ok(output),
            _ => Err(DemoError::Command { line, exit }),
        }
    }

    /// Runs a command to its end and gathers what it prints. None if the demo is to stop.
    fn finish(&self, command: &mut Command) -> io::Result<Option<(Exit, String)>> {
        // One pipe for both, so that what it prints stays in order. Our commands print far less
        // than a pipe holds, so it can be read when they have ended.
        let (mut reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = Guard(command.spawn()?);
        // The command holds our copies of the writing end, and the reading would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let deadline = Instant::now() + COMMAND;
        let status = loop {
            if let Some(status) = child.0.try_wait()? {
                break status;
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long"));
            }
            thread::sleep(LOOK / 10);
        };
        let mut output = Vec::new();
        reader.read_to_end(&mut output)?;
        Ok(Some((status.into(), String::from_utf8_lossy(&output).into_owned())))
    }

    /// Everybody, now.
    fn nodes(&self) -> Result<Vec<NodeView>, DemoError> {
        match control::ask(&self.place, Request::Status {})? {
            Answer::Status(net) => Ok(net.nodes),
            other => Err(DemoError::Answer(format!("{other:?}"))),
        }
    }

    /// Waits until `reached` says so of the nodes.
    fn wait(
        &self,
        what: &str,
        reached: impl Fn(&[NodeView]) -> bool,
    ) -> Result<Vec<NodeView>, DemoError> {
        let deadline = Instant::now() + self.patience;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(DemoError::Ended);
            }
            let nodes = self.nodes()?;
            if reached(&nodes) {
                return Ok(nodes);
            }
            if Instant::now() >= deadline {
                return Err(DemoError::Late { what: what.to_owned(), patience: self.patience });
            }
            thread::sleep(LOOK);
        }
    }
}

/// A child that does not outlive the demo.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Why the demo did not come out.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A command said no.
    #[error("`{line}` ended with {exit} instead of exit 0; what it says is above")]
    Command {
        /// The command.
        line: String,
        /// How it ended.
        exit: Exit,
    },
    /// A command could not be run.
    #[error("`{line}` cannot be run: {source}")]
    System {
        /// The command.
        line: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something did not come about.
    #[error("{what} did not come about within {}", crate::span::format(*patience))]
    Late {
        /// What.
        what: String,
        /// The time it had.
        patience: Duration,
    },
    /// A command printed something else than expected.
    #[error("{0}")]
    Answer(String),
    /// The net cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The net is ending.
    #[error("the net is ending")]
    Ended,
}
