//! Waiting that ends when its time is up or a person presses Ctrl-C.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

#[cfg(test)]
mod tests;

/// Listens for Ctrl-C from its creation on, and waits for work and for time meanwhile.
///
/// The work has a thread of its own, so that a request that hangs does not keep a person waiting,
/// and the listener has one too, so that no runtime of the caller's stands in the way.
pub struct Wait {
    /// None waits as long as it takes.
    deadline: Option<Instant>,
    events: Receiver<Event>,
    sender: Sender<Event>,
}

enum Event {
    Interrupted,
    Done,
}

/// Why a wait ended before the work did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Ctrl-C was pressed.
    Interrupted,
    /// The time is up.
    TimeUp,
}

impl Wait {
    /// Begins to listen, and to wait until `deadline`. From here on Ctrl-C no longer ends the
    /// process by itself.
    ///
    /// # Errors
    ///
    /// If the system does not let us listen.
    pub fn until(deadline: Instant) -> io::Result<Self> {
        Self::listen(Some(deadline))
    }

    /// As [`Wait::until`], for work that takes as long as it takes: only Ctrl-C stops it.
    ///
    /// # Errors
    ///
    /// If the system does not let us listen.
    pub fn until_interrupted() -> io::Result<Self> {
        Self::listen(None)
    }

    fn listen(deadline: Option<Instant>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _context = runtime.enter();
            signal(SignalKind::interrupt())?
        };
        let (sender, events) = mpsc::channel();
        let listener = sender.clone();
        thread::spawn(move || {
            // It ends with the process, or when nobody waits any more.
            while runtime.block_on(signals.recv()).is_some()
                && listener.send(Event::Interrupted).is_ok()
            {}
        });
        Ok(Self { deadline, events, sender })
    }

    /// Does `work`. If it is stopped, the work goes on unheard until the process ends, so whoever
    /// was stopped waits for nothing more.
    ///
    /// # Errors
    ///
    /// [`Stopped`], as soon as that is so.
    ///
    /// # Panics
    ///
    /// If `work` does.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let done = self.sender.clone();
        let (result, come) = mpsc::channel();
        thread::spawn(move || {
            // Whoever was stopped no longer listens.
            let _ = result.send(panic::catch_unwind(AssertUnwindSafe(work)));
            let _ = done.send(Event::Done);
        });
        if !self.event(self.left())? {
            return Err(Stopped::TimeUp);
        }
        match come.recv().expect("the result is sent before the word that it is there") {
            Ok(value) => Ok(value),
            Err(reason) => panic::resume_unwind(reason),
        }
    }

    /// Lets time pass, though not beyond the deadline.
    ///
    /// # Errors
    ///
    /// [`Stopped`], as soon as that is so.
    pub fn pause(&self, time: Duration) -> Result<(), Stopped> {
        let left = self.left();
        self.event(time.min(left))?;
        if time < left { Ok(()) } else { Err(Stopped::TimeUp) }
    }

    fn left(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    /// Whether work was done within that time.
    fn event(&self, within: Duration) -> Result<bool, Stopped> {
        match self.events.recv_timeout(within) {
            Ok(Event::Interrupted) => Err(Stopped::Interrupted),
            Ok(Event::Done) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender ourselves"),
        }
    }
}
