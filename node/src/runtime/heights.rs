//! What passes while a height is decided, whatever the protocol: how long it takes, what its steps
//! take, and under which span of the log it happens.
//!
//! All of it is read off the replica's trace: messages heard, each with its kind and slot, and final
//! blocks. A step of a height is told by the kinds of messages that come: when the first of a kind is
//! there, and when a quorum has spoken in one round of it.

use super::counters::Counters;
use ledger::{ReplicaId, Slot};
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};
use tracing::Span;

#[cfg(test)]
mod tests;

/// Watches one height after the other.
#[derive(Debug)]
pub(super) struct Heights {
    counters: Arc<Counters>,
    /// The one being decided: the next after the last final one.
    height: u64,
    /// When it began; none for the first one of a life, which began before.
    began: Option<Duration>,
    /// Its protocol's round or view, and how many there were.
    round: u64,
    rounds: u64,
    /// By kind, in the order of [`super::times::Clocks::kinds`].
    steps: Vec<Step>,
    span: Span,
    /// The one of which the round was last told.
    followed: u64,
    /// What is final and not yet said to be: the replica holds as many blocks until they are durable.
    done: VecDeque<Done>,
}

/// Who was heard with one kind of messages.
#[derive(Debug, Default)]
struct Step {
    is_begun: bool,
    has_quorum: bool,
    /// The newest slot in which somebody spoke, and who did there.
    slot: Slot,
    voices: BTreeSet<ReplicaId>,
}

/// A height that is over.
#[derive(Debug)]
pub(super) struct Done {
    height: u64,
    /// From the last final block to this one; none for the first one of a life.
    took: Option<Duration>,
    /// How many rounds or views it saw.
    rounds: u64,
    /// Under which what is said of it belongs.
    pub(super) span: Span,
}

impl Heights {
    /// A life begins, in which `height` is the first to be decided.
    pub(super) fn new(counters: Arc<Counters>, height: u64) -> Heights {
        let kinds = counters.clocks.kinds().len();
        let mut steps = Vec::new();
        steps.resize_with(kinds, Step::default);
        let (began, round, rounds, followed) = (None, 0, 1, height);
        let (span, done) = (span(height, round), VecDeque::new());
        Heights { counters, height, began, round, rounds, steps, span, followed, done }
    }

    /// Under which span the replica works now.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// A message was handed to the protocol. `is_quorum` says whether some are enough to decide.
    pub(super) fn heard(
        &mut self,
        kind: &str,
        slot: Option<Slot>,
        sender: ReplicaId,
        now: Duration,
        is_quorum: impl FnOnce(&BTreeSet<ReplicaId>) -> bool,
    ) {
        let Some((number, kind)) = self.counters.clocks.kind(kind) else { return };
        kind.hear();
        let Some(slot) = slot.filter(|slot| slot.height == self.height) else { return };
        let step = &mut self.steps[number];
        let since = self.began.map(|began| now.saturating_sub(began));
        if !std::mem::replace(&mut step.is_begun, true) {
            since.inspect(|since| kind.first.observe(*since));
            tracing::debug!(after = ?since, "the first {} is here", kind.name);
        }
        if slot > step.slot {
            step.slot = slot;
            step.voices.clear();
        }
        // What is said of a round that others have left is heard, and counts no more.
        if step.has_quorum || slot < step.slot || !step.voices.insert(sender) {
            return;
        }
        if is_quorum(&step.voices) {
            step.has_quorum = true;
            since.inspect(|since| kind.quorum.observe(*since));
            tracing::debug!(after = ?since, "a quorum has sent its {}", kind.name);
        }
    }

    /// A block is final, and the next height begins.
    pub(super) fn committed(&mut self, height: u64, now: Duration) {
        let took = self.began.map(|began| now.saturating_sub(began));
        took.inspect(|took| self.counters.clocks.heights.observe(*took));
        self.height = height.saturating_add(1);
        self.began = Some(now);
        self.steps.fill_with(Step::default);
        let rounds = std::mem::replace(&mut self.rounds, 1);
        let next = span(self.height, self.round);
        let span = std::mem::replace(&mut self.span, next);
        self.done.push_back(Done { height, took, rounds, span });
    }

    /// The block at `height` is durable: how it came to be. Whatever is older was passed over.
    pub(super) fn done(&mut self, height: u64) -> Option<Done> {
        while let Some(done) = self.done.pop_front_if(|done| done.height <= height) {
            if done.height == height {
                return Some(done);
            }
        }
        None
    }

    /// The protocol is in this round now, or this view, which may outlive heights.
    pub(super) fn follow(&mut self, round: u64) {
        let before = std::mem::replace(&mut self.round, round);
        let is_new_height = std::mem::replace(&mut self.followed, self.height) != self.height;
        if before == round {
            return;
        }
        self.span = span(self.height, round);
        if !is_new_height && round > before {
            let more = round - before;
            self.rounds = self.rounds.saturating_add(more);
            self.counters.note(|figures| figures.extra_rounds += more);
            let _height = self.span.enter();
            tracing::debug!("round {round} follows round {before}");
        }
    }
}

impl fmt::Display for Done {
    /// What is said of it after its block.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(took) = self.took {
            write!(f, ", after {:.3} s", took.as_secs_f64())?;
        }
        match self.rounds {
            1 => f.write_str(", in one round"),
            rounds => write!(f, ", in {rounds} rounds"),
        }
    }
}

/// At the level of errors, so that whoever wants to read any line is told its height. Of no other span: it is
/// made while the one before is entered, which would otherwise live as long, and be told of, too.
fn span(height: u64, round: u64) -> Span {
    tracing::error_span!(parent: None, "height", height, round)
}
