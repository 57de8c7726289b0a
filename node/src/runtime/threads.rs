//! Threads that cannot fail in silence.

use ledger::store::StoreError;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{Builder, JoinHandle},
};
use tokio::sync::mpsc;

#[cfg(test)]
mod tests;

/// Why a running node cannot go on. Never a peer's doing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// The disk or the database failed, and a replica that cannot remember must not speak.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A mistake in this program.
    #[error("the thread {0:?} panicked; its last words are above, please report them")]
    Panicked(&'static str),
    /// The network ended although nobody asked it to.
    #[error("the network stopped by itself")]
    NetworkEnded,
}

/// Where threads report that they failed. Holds a few reports; the first one ends the node, so
/// that nothing is lost when later ones are dropped.
#[derive(Clone, Debug)]
pub(crate) struct Failures(mpsc::Sender<Failure>);

/// How many reports wait.
const REPORTS: usize = 4;

impl Failures {
    /// Somewhere to report, and the other end.
    pub(crate) fn channel() -> (Failures, mpsc::Receiver<Failure>) {
        let (sender, receiver) = mpsc::channel(REPORTS);
        (Failures(sender), receiver)
    }

    /// Reports a failure.
    pub(crate) fn report(&self, failure: Failure) {
        // Full: the node is ending already. Closed: it has ended.
        let _ = self.0.try_send(failure);
    }

    /// Runs `work` on a thread of its own. If it fails or panics, that is reported.
    pub(crate) fn watch(
        &self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), Failure> + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let failures = self.clone();
        Builder::new().name(name.into()).spawn(move || {
            // Nothing that `work` owned is used after a panic: the node stops.
            let result = catch_unwind(AssertUnwindSafe(work));
            if let Err(failure) = result.unwrap_or(Err(Failure::Panicked(name))) {
                failures.report(failure);
            }
        })
    }
}
