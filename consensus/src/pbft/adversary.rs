//! Lies that know PBFT, a file each. What each may and may not achieve is told by the stories in
//! `simulator/src/tests/pbft/lies.rs`.
//!
//! A primary can lie in ways that a backup cannot, and in a view that works its primary stays. So
//! whoever forges new views says nothing as the primary of the first one.

mod double_vote;
mod far_future;
mod forge_certificate;
mod forge_new_view;
mod invalid_block;
mod puppet;
mod withhold;

use super::{Message, Pbft};
use crate::{
    byzantine::{
        Entry, INVALID_BLOCK, Seat, Side, SlowLeader, note, recipients,
        script::{Part, Puppet, Sort, Stage},
    },
    protocol::{To, Turn},
};
use ledger::ReplicaId;
use std::time::Duration;

/// What [`Protocol::lies`](crate::Protocol::lies) tells.
pub(super) fn lies() -> Vec<Entry<Pbft>> {
    const SAFETY: &str =
        "Castro, Liskov, \"Practical Byzantine Fault Tolerance\", OSDI 1999, section 4.5.1";
    const VIEWS: &str =
        "Castro, Liskov, \"Practical Byzantine Fault Tolerance\", OSDI 1999, section 4.4";
    vec![
        Entry::knowing(
            INVALID_BLOCK.0,
            "proposes batches whose header does not fit what is in them",
            INVALID_BLOCK.1,
            || Box::new(invalid_block::InvalidBlock),
        ),
        Entry::knowing(
            "double-vote",
            "proposes and votes twice for a number, one face for each part of the others",
            SAFETY,
            || Box::<double_vote::DoubleVote>::default(),
        ),
        Entry::knowing(
            "withhold",
            "shows each prepare and commit to one other only, so that few are prepared",
            SAFETY,
            || Box::new(withhold::Withhold),
        ),
        Entry::knowing(
            "far-future",
            "speaks of views and numbers a million ahead, to be remembered for ever",
            "Clement, Wong, Alvisi, Dahlin, Marchetti, \"Making Byzantine Fault Tolerant Systems \
             Tolerate Byzantine Faults\", NSDI 2009 (on flooding)",
            || Box::new(far_future::FarFuture),
        ),
        Entry::knowing(
            "slow-leader",
            "proposes as late as the others' patience just allows",
            "Clement, Wong, Alvisi, Dahlin, Marchetti, NSDI 2009, section 3 (a slow primary)",
            || Box::new(SlowLeader::new(patience)),
        ),
        Entry::knowing(
            "forge-empty",
            "begins a view as if nobody had prepared anything",
            VIEWS,
            || Box::new(forge_new_view::Forge::Empty),
        ),
        Entry::knowing(
            "forge-stale",
            "begins a view without what it has prepared itself",
            VIEWS,
            || Box::new(forge_new_view::Forge::Stale),
        ),
        Entry::knowing(
            "forge-certificate",
            "claims to have prepared a batch of its own, by votes that say something else",
            VIEWS,
            || Box::<forge_certificate::ForgeCertificate>::default(),
        ),
    ]
}

/// A timeout of some ten message delays.
pub(super) const STAGE: Stage = Stage {
    settings: &[("pbft.timeout_ms", 100)],
    loose: &[],
    parts: &[
        Part { kind: "pre-prepare", sort: Sort::Offer },
        Part { kind: "prepare", sort: Sort::Vote },
        Part { kind: "commit", sort: Sort::Vote },
        Part { kind: "checkpoint", sort: Sort::Report },
        Part { kind: "view-change", sort: Sort::Change },
        Part { kind: "new-view", sort: Sort::Opening },
    ],
};

/// What [`Protocol::puppet`](crate::Protocol::puppet) tells.
pub(super) fn puppet() -> Box<dyn Puppet<Pbft>> {
    Box::<puppet::Scripted>::default()
}

/// How long the others wait for a batch while something waits to be ordered.
fn patience(honest: &Pbft, message: &Message) -> Option<Duration> {
    matches!(message, Message::PrePrepare { .. }).then_some(honest.config.timeout)
}

/// Those who are shown one face, without ourselves.
fn faces(side: Side, seat: &Seat, turn: &Turn<'_, Message>) -> Vec<ReplicaId> {
    seat.plot().faces(side, recipients(To::All, turn))
}

/// Whether to swallow what the primary of the first view proposes, so that another view comes.
fn is_first_offer(message: &Message, turn: &mut Turn<'_, Message>) -> bool {
    let is_it = matches!(message, Message::PrePrepare { view: 0, .. });
    if is_it {
        note(turn, "keeps its pre-prepare".into());
    }
    is_it
}
