//! Questions to the replica from other threads, and where the answers go.

use super::{counters::Counters, times::Waiting};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use replica::{Answer, Query, TransactionCache};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{oneshot, watch};

#[cfg(test)]
mod tests;

/// Questions that wait for the replica's thread.
pub(crate) const QUESTIONS: usize = 256;

/// Questions whose answers wait for a sync.
const UNANSWERED: usize = 4_096;

/// Asks the replica. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    questions: Sender<Waiting<Question>>,
    /// Closes with [`Questions`]. The channel itself keeps what lies in it when its receiver goes,
    /// so that whoever asked last would wait for ever.
    here: watch::Receiver<()>,
    counters: Arc<Counters>,
    transactions: Arc<TransactionCache>,
}

/// Where questions come out. When it is dropped, nobody waits for an answer any more.
#[derive(Debug)]
pub(crate) struct Questions {
    queue: Receiver<Waiting<Question>>,
    _here: watch::Sender<()>,
}

impl Questions {
    /// In the order they were asked.
    pub(crate) fn queue(&self) -> &Receiver<Waiting<Question>> {
        &self.queue
    }
}

/// A question, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Question {
    /// What is asked.
    pub(crate) query: Query,
    /// Whoever asked waits at the other end, or has given up.
    pub(crate) reply: Reply,
}

/// Where an answer goes. Dropped unused, it says [`Unanswered::Stopping`].
pub(crate) type Reply = oneshot::Sender<Result<Answer, Unanswered>>;

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Too many questions wait; nothing was done.
    #[error("too many questions wait; try again in a moment")]
    Busy,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

impl Asker {
    /// An asker, and where its questions come out.
    pub(crate) fn channel(counters: Arc<Counters>) -> (Asker, Questions) {
        let (questions, queue) = bounded(QUESTIONS);
        let (_here, here) = watch::channel(());
        let transactions = Arc::default();
        (Asker { questions, here, counters, transactions }, Questions { queue, _here })
    }

    /// Asks, and waits for the answer. Never waits for room: a full queue is [`Unanswered::Busy`].
    pub(crate) async fn ask(&self, query: Query) -> Result<Answer, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let question = Waiting::now(Question { query, reply });
        self.questions.try_send(question).map_err(|error| match error {
            TrySendError::Full(_) => {
                self.counters.note(|figures| figures.questions_refused += 1);
                Unanswered::Busy
            }
            TrySendError::Disconnected(_) => Unanswered::Stopping,
        })?;
        let mut here = self.here.clone();
        tokio::select! {
            biased;
            answer = answer => answer.unwrap_or(Err(Unanswered::Stopping)),
            _ = here.changed() => Err(Unanswered::Stopping),
        }
    }

    /// What the runtime counts.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The transactions that this node has met, by whatever way. Whoever submits one exchanges it
    /// here first: it may have come by gossip already, and been checked.
    pub(crate) fn transactions(&self) -> &Arc<TransactionCache> {
        &self.transactions
    }

    /// How many questions wait for the replica's thread.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.questions.len()
    }
}

/// The questions the replica has been asked and has not answered.
#[derive(Debug, Default)]
pub(super) struct Desk {
    last: u64,
    waiting: BTreeMap<u64, Reply>,
}

impl Desk {
    /// Takes a question in: the number under which to ask the replica. None if too many wait,
    /// which the asker is told, or if nobody waits for this answer any more.
    pub(super) fn number(&mut self, reply: Reply) -> Option<u64> {
        if reply.is_closed() {
            return None;
        }
        if self.waiting.len() >= UNANSWERED {
            self.waiting.retain(|_, reply| !reply.is_closed());
        }
        if self.waiting.len() >= UNANSWERED {
            // An error means that nobody is left to be told.
            let _ = reply.send(Err(Unanswered::Busy));
            return None;
        }
        self.last += 1;
        self.waiting.insert(self.last, reply);
        Some(self.last)
    }

    /// Passes an answer on.
    pub(super) fn answer(&mut self, id: u64, answer: Answer) {
        if let Some(reply) = self.waiting.remove(&id) {
            // Whoever asked may have given up.
            let _ = reply.send(Ok(answer));
        }
    }
}
