//! The tasks libp2p starts, one for each connection: kept together so that none is left behind.

use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use libp2p::swarm::Executor;
use tokio::task::JoinSet;

/// Runs the swarm's tasks on the current runtime and remembers them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks {
    running: Arc<Mutex<JoinSet<()>>>,
}

impl Tasks {
    /// Aborts what still runs and waits until it has ended. Drop the swarm first.
    pub(super) async fn stop(self) {
        let mut running = {
            let mut guard = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            mem::take(&mut *guard)
        };
        running.shutdown().await;
    }
}

impl Executor for Tasks {
    fn exec(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A set keeps what has ended until it is asked for it.
        while running.try_join_next().is_some() {}
        running.spawn(future);
    }
}
