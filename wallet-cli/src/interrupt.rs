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
pub struct Wait<T> {
    deadline: Instant,
    events: Receiver<Event<T>>,
    sender: Sender<Event<T>>,
}

enum Event<T> {
    Interrupted,
    Done(thread::Result<T>),
}

/// Why a wait ended before the work did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Ctrl-C was pressed.
    Interrupted,
    /// The time is up.
    TimeUp,
}

impl<T: Send + 'static> Wait<T> {
    /// Begins to listen, and to wait until `deadline`. From here on Ctrl-C no longer ends the
    /// process by itself.
    ///
    /// # Errors
    ///
    /// If the system does not let us listen.
    pub fn until(deadline: Instant) -> io::Result<Self> {
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
    pub fn run(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stopped> {
        let sender = self.sender.clone();
        thread::spawn(move || {
            let result = panic::catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(Event::Done(result));
        });
        match self.event(self.left())? {
            Some(Ok(value)) => Ok(value),
            Some(Err(reason)) => panic::resume_unwind(reason),
            None => Err(Stopped::TimeUp),
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
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn event(&self, within: Duration) -> Result<Option<thread::Result<T>>, Stopped> {
        match self.events.recv_timeout(within) {
            Ok(Event::Interrupted) => Err(Stopped::Interrupted),
            Ok(Event::Done(result)) => Ok(Some(result)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender ourselves"),
        }
    }
}
