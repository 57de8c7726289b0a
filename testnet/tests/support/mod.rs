//! A running testnet that no test can leave behind.

#![allow(dead_code, reason = "each test binary uses its own part")]

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long anything may take before a test fails. Two shared cores can be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// `testnet` with these arguments, and a registry of temporary files of its own.
pub(crate) fn testnet(temp: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testnet"));
    command.args(args).env("TMPDIR", temp).stdin(Stdio::null());
    command
}

/// A process that does not outlive its test.
pub(crate) struct Guard(pub(crate) Child);

impl Guard {
    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until("the process ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end, in bounded time. It prints less than a pipe holds.
pub(crate) fn finish(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut guard = Guard(child);
    let status = guard.wait();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    guard.0.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
    guard.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    Output { status, stdout, stderr }
}

/// `testnet up --json …` in a process group of its own.
pub(crate) struct Up {
    process: Guard,
    pub(crate) ready: Value,
    events: Receiver<Value>,
    nodes: Vec<i32>,
    temp: TempDir,
}

impl Up {
    /// Starts a net and waits until it is up.
    pub(crate) fn start(args: &[&str]) -> Up {
        Up::start_in(tempfile::tempdir().unwrap(), args)
    }

    /// Like [`Up::start`], with this directory for temporary files.
    pub(crate) fn start_in(temp: TempDir, args: &[&str]) -> Up {
        let mut command = testnet(temp.path(), &[&["up", "--json"], args].concat());
        let mut child = command.stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (told, events) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
                if told.send(event).is_err() {
                    return;
                }
            }
        });
        let mut up =
            Up { process: Guard(child), ready: Value::Null, events, nodes: Vec::new(), temp };
        up.ready = up.event("ready");
        for node in up.ready["nodes"].as_array().unwrap() {
            let pid = node["pid"].as_i64().unwrap();
            up.nodes.push(pid.try_into().unwrap());
        }
        up
    }

    /// The next event of this kind.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        self.event_where(name, |_| true)
    }

    /// The next event of this kind that is as it should be.
    pub(crate) fn event_where(&mut self, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {name}"));
            if event["event"] == "started" || event["event"] == "joined" {
                let pid = event["pid"].as_i64().unwrap();
                self.nodes.push(pid.try_into().unwrap());
            }
            if event["event"] == name && holds(&event) {
                return event;
            }
        }
    }

    /// The net's directory.
    pub(crate) fn dir(&self) -> PathBuf {
        self.ready["dir"].as_str().unwrap().into()
    }

    /// Runs another command of `testnet` to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finish(&mut testnet(self.temp.path(), args))
    }

    /// Sends a signal to the testnet itself, and to no node.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits until the testnet has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Waits until no node is left of all there ever were.
    pub(crate) fn expect_nobody(&self) {
        assert!(!self.nodes.is_empty());
        until("all nodes end", || {
            self.nodes.iter().all(|pid| kill(Pid::from_raw(*pid), None).is_err())
        });
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.0.id().try_into().unwrap())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // The nodes lead groups of their own, and end when our end of their pipes closes; whoever
        // does not is killed here. Until it was waited for, the number is the child's own.
        if self.process.0.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = killpg(self.pid(), Signal::SIGKILL);
        }
        let deadline = Instant::now() + Duration::from_secs(15);
        self.nodes.retain(|pid| kill(Pid::from_raw(*pid), None).is_ok());
        while !self.nodes.is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
            self.nodes.retain(|pid| kill(Pid::from_raw(*pid), None).is_ok());
        }
        for pid in &self.nodes {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
    }
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// What a command printed.
pub(crate) fn text(output: &Output) -> String {
    let words = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(words).unwrap()
}
