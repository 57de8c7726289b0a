//! Lies that know Tendermint, a file each. What each may and may not achieve is told by the stories
//! in `simulator/src/tests/lies`.

mod amnesia;
mod double_vote;
mod far_future;
mod puppet;
mod relabel;
mod straddle;
mod withhold;

use super::{Instance, Message, Tendermint};
use crate::{
    byzantine::{
        Entry, Seat, SlowLeader, recipients,
        script::{Part, Puppet, Sort, Stage},
    },
    protocol::{To, Turn},
};
use ledger::ReplicaId;
use std::time::Duration;

/// What [`Protocol::lies`](crate::Protocol::lies) tells.
pub(super) fn lies() -> Vec<Entry<Tendermint>> {
    vec![
        Entry::invalid_block(),
        Entry::knowing(
            "double-vote",
            "proposes and votes twice in a slot, one face for each part of the others",
            "CometBFT specification, \"Fork accountability\": equivocation based attacks",
            || Box::<double_vote::DoubleVote>::default(),
        ),
        Entry::knowing(
            "amnesia",
            "locks for one part of the others, forgets it, votes anew with the rest",
            "CometBFT specification, \"Fork accountability\": amnesia attack",
            || Box::<amnesia::Amnesia>::default(),
        ),
        Entry::knowing(
            "withhold",
            "shows each prevote to one other only, so that few see a polka and lock",
            "Amoussou-Guenou, Del Pozzo, Potop-Butucaru, Tucci-Piergiovanni, \"Dissecting \
             Tendermint\", NETYS 2019 (on termination)",
            || Box::new(withhold::Withhold),
        ),
        Entry::knowing(
            "relabel",
            "passes off others' votes as a polka of another round, kind and value",
            "Abadi, Needham, \"Prudent Engineering Practice for Cryptographic Protocols\", IEEE TSE \
             1996, principle 1",
            || Box::<relabel::Relabel>::default(),
        ),
        Entry::knowing(
            "far-future",
            "votes and proposes in rounds a million ahead, to be remembered for ever",
            "Clement, Wong, Alvisi, Dahlin, Marchetti, \"Making Byzantine Fault Tolerant Systems \
             Tolerate Byzantine Faults\", NSDI 2009 (on flooding)",
            || Box::<far_future::FarFuture>::default(),
        ),
        Entry::knowing_twins(
            "straddle",
            "votes on both sides of a partition, in turns, and contradicts itself never",
            "Pavloff, Amoussou-Guenou, Tucci-Piergiovanni, \"Byzantine Attacks Exploiting Penalties in Ethereum \
             PoS\", DSN 2024 (non-slashable: semi-active on both branches)",
            || Box::<straddle::Straddle>::default(),
        ),
        Entry::knowing(
            "slow-leader",
            "proposes as late as the others' patience just allows",
            "Amir, Coan, Kirsch, Lane, \"Byzantine Replication Under Attack\", DSN 2008 (delay by the \
             leader)",
            || Box::new(SlowLeader::new(patience)),
        ),
    ]
}

/// What [`Protocol::puppet`](crate::Protocol::puppet) is.
pub(super) fn puppet() -> Box<dyn Puppet<Tendermint>> {
    Box::<puppet::Puppet>::default()
}

/// Timeouts of some ten message delays.
pub(super) const STAGE: Stage = Stage {
    settings: &[
        ("tendermint.propose_ms", 100),
        ("tendermint.prevote_ms", 50),
        ("tendermint.precommit_ms", 50),
        ("tendermint.delta_ms", 50),
    ],
    loose: &[],
    parts: &[
        Part { kind: "proposal", sort: Sort::Offer },
        Part { kind: "prevote", sort: Sort::Vote },
        Part { kind: "precommit", sort: Sort::Vote },
    ],
};

/// How long the others wait for a proposal.
fn patience(honest: &Tendermint, message: &Message) -> Option<Duration> {
    let Message::Proposal { round, .. } = *message else { return None };
    Some(honest.config.grown(honest.config.propose, round))
}

/// Those who are shown one face, without ourselves.
fn faces(side: crate::byzantine::Side, seat: &Seat, turn: &Turn<'_, Message>) -> Vec<ReplicaId> {
    seat.plot().faces(side, recipients(To::All, turn))
}
