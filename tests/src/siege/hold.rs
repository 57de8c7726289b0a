//! A process held to a share of a core: stopped whenever it has had its part, let go when it is behind.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use testnet::bench::system;

/// How often its time is looked at. The kernel counts in hundredths of a second.
const LOOK: Duration = Duration::from_millis(20);
/// How much it may be ahead of its share, in seconds: what it takes to begin.
const AHEAD: f64 = 0.05;

/// Holds a process until it is dropped.
#[derive(Debug)]
pub struct Hold {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hold {
    /// Holds a child that has just been started to `share` of a core.
    pub fn on(child: &Child, share: f64) -> Hold {
        let over = Arc::new(AtomicBool::new(false));
        let (process, its_over) = (child.id(), Arc::clone(&over));
        let thread = thread::spawn(move || keep(process, share, &its_over));
        Hold { over, thread: Some(thread) }
    }
}

impl Drop for Hold {
    /// Lets it go. Its parent has not waited for it yet, so the number is still its own.
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(process: u32, share: f64, over: &AtomicBool) {
    // Of a process that is gone nothing is to be held, so errors do not matter.
    let tell = |signal| {
        let pid = i32::try_from(process).map(Pid::from_raw);
        let _ = pid.map(|pid| kill(pid, signal));
    };
    let begun = Instant::now();
    let mut stopped = false;
    while !over.load(Ordering::Relaxed) {
        let Some(used) = system::cpu_seconds(&process.to_string()) else { break };
        let is_ahead = used > AHEAD + share * begun.elapsed().as_secs_f64();
        if is_ahead != stopped {
            tell(if is_ahead { Signal::SIGSTOP } else { Signal::SIGCONT });
            stopped = is_ahead;
        }
        thread::sleep(LOOK);
    }
    tell(Signal::SIGCONT);
}
