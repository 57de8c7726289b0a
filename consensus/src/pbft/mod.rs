//! PBFT: a primary numbers batches, a quorum agrees, and a silent primary is replaced.
//!
//! *The paper:* Miguel Castro, Barbara Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, and
//! "Practical Byzantine Fault Tolerance and Proactive Recovery", TOCS 20(4), 2002. The variant with
//! signatures; §4.2 means section 4.2 of the former.
//!
//! # Fault model
//!
//! Of n replicas f = ⌊(n−1)/3⌋ may be Byzantine. Each counts the same, whatever its stake. A quorum
//! is q = ⌈(n+f+1)/2⌉ of them, so any two share f+1, one of whom is honest. Nobody honest ever
//! executes something else than another, however slow or partitioned the network is and whoever
//! crashes, as long as disks keep what was synced. Requests keep being executed when, besides, q are
//! up and messages arrive, after some unknown time, within an unknown bound that the doubling
//! timeouts reach. A replica that lost its disk counts as Byzantine until the next stable checkpoint.
//!
//! The members are those of the genesis for good. Who says two things in one slot is found out, the
//! evidence is kept, and the node's status tells of it. Nobody has stake here, so nobody loses any.
//!
//! # The rules
//!
//! A *sequence number* stands for a batch of transactions, or for nothing. Numbers are agreed upon
//! in *views*; view v's *primary* is replica v mod n. Low and high watermark are the last stable
//! checkpoint h and h+L ([`Config::window`]).
//!
//! *Normal case (§4.2).*
//! - **N1** The primary, once all before is executed: PRE-PREPARE the next number with the
//!   transactions that wait.
//! - **N2** A pre-prepare of the active view, from its primary, between the watermarks, beyond what
//!   the view began with, the first for its number: agree to it.
//! - **N3** A backup says PREPARE for what it agreed to.
//! - **N4** q−1 PREPAREs of distinct backups for what we agreed to (the primary's never counts): it is
//!   *prepared*. Keep the certificate across crashes, say COMMIT.
//! - **N5** q COMMITs, and all numbers before are executed: execute it, once.
//!
//! *Checkpoints (§4.3).*
//! - **C1** Every K numbers: say CHECKPOINT with the block reached.
//! - **C2** q equal CHECKPOINTs of where we are: it is *stable*, and the proof of that block.
//! - **C3** Messages, batches and certificates up to a stable checkpoint are forgotten.
//! - **C4** Who is behind is brought blocks and a stable checkpoint by its replica's sync.
//!
//! *View changes (§4.4).*
//! - **V1** The timer rings in view v: say VIEW-CHANGE for v+1, with the last stable checkpoint
//!   and, for each later number ever prepared, the certificate of the latest view. Then agree to
//!   nothing in earlier views.
//! - **V2** f+1 are past our view: follow them to the highest that f+1 speak for.
//! - **V3** q ask for our view: the timer runs; if it rings, on to the next, with twice the time.
//! - **V4** The primary of v+1 holds q sound VIEW-CHANGEs, its own included: NEW-VIEW with them.
//! - **V5** What follows from them: from the latest stable checkpoint to the last number in any
//!   certificate, each number keeps the value of its certificate of the latest view, and is a null
//!   request if it has none. Everybody computes that and compares. Then PREPARE all of it.
//!
//! *Timers (§4.4, §4.5.2).*
//! - **T1** When something is executed, or a view begins: the timer starts anew.
//! - **T2** A request comes to an idle chain: the timer runs from now.
//! - **T3** Something that waited was executed: timeouts are short again.
//!
//! Why it is safe: an executed value was prepared by a quorum, so q view changes include one honest
//! replica that shows its certificate; no later certificate can name another value, because every
//! later view began with this one. Two certificates of *one* view with different values share at
//! least 2(q−1)−(n−1) ≥ f backups; if the primary is honest it named one value only, and if it is not, at
//! most f−1 of these backups are Byzantine with it. That is why certificates need not hold
//! the primary's signature. Why it lives: the timeouts double, each view has another primary, and
//! everything that a new view needs comes with it.
//!
//! # Batches and blocks
//!
//! What is agreed upon is a *batch*: sequence number, time, proposer, transactions. The primary puts in
//! its time and name; backups check the name, and wait where the time is too far ahead of their
//! clock. Nothing is executed then. The block is made when a number is executed, from the batch and the
//! block before alone: the transactions that execute in the batch's order are in it, the others are
//! left out; the time is the batch's, or one millisecond past the parent's where that is later.
//! A null request leaves no block, so numbers run ahead of heights. A batch that orders nothing of
//! use leaves an empty block.
//!
//! # Slots
//!
//! | message | slot | why it is said once |
//! |---|---|---|
//! | PRE-PREPARE, PREPARE, COMMIT | number, view, kind | a replica agrees to one value in a view, and its own messages come back after a crash before it agrees to another |
//! | CHECKPOINT | number | execution is deterministic, and durable with it |
//! | VIEW-CHANGE | view | said on entering, and nothing is prepared in earlier views afterwards, so it never becomes untrue; the view wanted survives a crash |
//! | NEW-VIEW | view | only its primary says it, from the first quorum it holds |
//!
//! The horizon is the last stable checkpoint for the former, and for the latter the active view: until
//! then each may be needed by somebody. Of one slot two messages travel, so what waits for a third
//! must not: certificates and view changes travel whole inside what needs them, and a batch that
//! a certificate or a quorum names is fetched by its digest. Nobody is sent more batches than a budget of
//! bytes for each replica allows, or a question of a hundred bytes would cost us megabytes; whoever still
//! lacks one asks another. A question names whom it asks, and nobody else answers it.
//!
//! # Where we differ, and why
//!
//! 1. *Requests are gossiped*, as everywhere in this house. A backup does not forward them, and waits
//!    from when it knows one.
//! 2. *Idle chain.* The primary pauses for `block_time`, then proposes an empty batch, and the others
//!    wait as much longer. Only a view in which something was executed pauses.
//! 3. *One number at a time.* The primary proposes the next once the last is executed, as a batch must
//!    be of transactions that still execute. Backups accept what lies between the watermarks.
//! 4. *A batch is durable before its PREPARE.* A certificate for a batch that no honest disk holds
//!    would block its number for ever.
//! 5. *COMMITs are counted while changing views*, too: a quorum of them is a decision whatever we
//!    want.
//! 6. *An empty batch while requests wait is no progress* (T3), or a primary could put them off for
//!    ever.
//! 7. *Who is left behind goes at once* (V2) to the highest view that f+1 speak for, where the paper goes
//!    to the lowest that any of them asks for: one of them is honest, and past all views below it.
//! 8. *A checkpoint becomes stable for us once we have executed it*, so that those who are slower by one
//!    message need no state transfer.
//!
//! # What it withstands
//!
//! Equivocating primaries, double votes, forged or stale certificates (a new view is recomputed),
//! a silent primary, one that sends to some, one that numbers with gaps (null requests), view
//! changes for far views (it takes f+1), the loss of all memory at once.
//!
//! # What it does not
//!
//! A primary just under the timeout slows everybody down for ever (Clement et al., NSDI 2009,
//! "Aardvark"), and one that orders something can leave out the rest. With more than f Byzantine
//! two values can be executed. A replica that alone gave up on a view takes no part in it any more.
//!
//! What some of the rules are for is seen where they are weak: `mutants.rs`, and the schedules in
//! `scenarios/mutants`.

#[cfg(any(test, feature = "byzantine"))]
mod adversary;
mod batch;
mod checkpoint;
mod config;
mod life;
mod log;
mod message;
mod mutants;
mod normal;
mod pace;
mod proof;
mod theory;
mod view;

#[cfg(test)]
mod tests;

use crate::{
    Budget, Flaw,
    catalogue::{BadSettings, Module, fixed_members},
    protocol::{Backing, Effect, Input, Protocol, Timer, To, Trusted, Turn, Unproven},
    quorum::Quorum,
    theory::Theory,
};
use ledger::{BlockHash, Committee, Genesis, Header, Proof, ReplicaId};
use message::phase;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use crate::quorum::Size;
pub use config::Config;
pub use message::{Checkpoint, Message, Prepared, Value, ViewChange};
pub use proof::Stable;

/// One participant.
#[derive(Debug)]
pub struct Pbft {
    config: Config,
    flaw: Flaw,
    /// None until the first life begins.
    state: Option<State>,
}

/// All it knows.
#[derive(Debug)]
struct State {
    config: Config,
    flaw: Flaw,
    committee: Arc<Committee>,
    size: Size,

    /// The view that is active, or was before we gave up on it.
    view: u64,
    /// The view that we want instead, once we have given up.
    target: Option<u64>,
    /// What the view began with (O), and the last number that this covers.
    proposals: Vec<(u64, Value)>,
    covered: u64,
    /// What was said in the view.
    log: log::Log,
    /// The highest number that we asked to propose in the view.
    proposed: u64,
    changes: view::Changes,

    /// Everything up to this number is executed; the newest block then.
    executed: u64,
    head: BlockHash,
    /// The last stable checkpoint; none for the genesis.
    stable: Option<Stable>,
    checkpoints: checkpoint::Checkpoints,
    /// P: by number, the certificate of the latest view.
    prepared: BTreeMap<u64, Prepared>,
    batches: batch::Batches,

    /// The last view in which something was executed that waited.
    works: u64,
    /// Since when the next number is due, in time of this life.
    began: Duration,
    /// Whether the chain is idle and pauses.
    resting: bool,
    /// When our patience ends.
    deadline: Option<Duration>,
    /// By the calendar: when a timer rings for a batch that lies in the future.
    early: Option<Duration>,
    /// When batches were asked for last.
    fetched: Option<Duration>,
    /// What others may still fetch of us.
    given: BTreeMap<ReplicaId, Budget>,
    journal: life::Journal,
}

impl Module for Pbft {
    const NAME: &'static str = "pbft";

    fn new(genesis: &Genesis) -> Result<Pbft, BadSettings> {
        fixed_members(genesis, Pbft::NAME)?;
        Ok(Pbft::new(Config::from_genesis(genesis)?))
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn stage() -> crate::byzantine::script::Stage {
        adversary::STAGE
    }

    /// What lies between the watermarks may be executed, and is proven by the next stable checkpoint.
    fn unproven(genesis: &Genesis) -> Result<u64, BadSettings> {
        Ok(Config::from_genesis(genesis)?.window())
    }

    fn theory() -> Option<Theory> {
        Some(theory::THEORY)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn mutants() -> &'static [crate::byzantine::mutants::About] {
        mutants::MUTANTS
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn weaken(self, flaw: Flaw) -> Pbft {
        Pbft { flaw, ..self }
    }
}

impl Pbft {
    /// A participant before its first life.
    pub fn new(config: Config) -> Pbft {
        Pbft { config, flaw: Flaw::default(), state: None }
    }
}

impl Protocol for Pbft {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        if matches!(input, Input::Start { .. }) {
            self.state = Some(State::new(self.config, self.flaw, turn));
        }
        let state = self.state.as_mut().expect("a life begins with Start");
        match input {
            Input::Start { records, own } => state.wake(&records, own, turn),
            Input::Heard(signed) => state.hear(signed, turn),
            Input::Rang(Timer(slot)) => match slot.phase {
                phase::PATIENCE if state.is_out_of_patience(turn) => {
                    let next = state.target.unwrap_or(state.view) + 1;
                    state.v1_give_up(next, turn);
                }
                phase::PATIENCE => {} // Stale, but the rules look again.
                phase::IDLE => {
                    if turn.now >= state.began.saturating_add(state.config.block_time) {
                        state.stop_resting(turn);
                    }
                }
                phase::EARLY => state.early = None,
                phase::FETCH => state.fetched = None,
                unknown => unreachable!("no timer of ours has phase {unknown}"),
            },
            Input::Waiting => state.stop_resting(turn),
            Input::Arrived(_) => {} // Blocks are fetched by nobody here.
            Input::Advanced { block, proof } => state.c4_advance(block, &proof, turn),
            Input::Mined(_) => unreachable!("PBFT asks for no mining"),
        }
        // The first rule whose condition holds fires and may make another's true. Each fires once
        // for a number, a view or a checkpoint, so this ends.
        while RULES.iter().any(|rule| rule(state, turn)) {}
        state.fetch(turn);
        state.persist(turn);
    }

    fn round(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.view)
    }

    fn heights_ahead(&self) -> u64 {
        self.config.window()
    }

    fn quorum(committee: &Committee) -> Quorum {
        Quorum::of_heads(committee)
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        proof::verify(headers, proof, trusted)
    }

    fn backing(_: &Header, proof: &Proof) -> Vec<Backing> {
        proof::backing(proof)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn lies() -> Vec<crate::byzantine::Entry<Pbft>> {
        adversary::lies()
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn puppet() -> Option<Box<dyn crate::byzantine::script::Puppet<Pbft>>> {
        Some(adversary::puppet())
    }
}

/// A rule that waits for messages: true if its condition held, and it acted.
type Rule = fn(&mut State, &mut Turn<'_, Message>) -> bool;

/// What is decided comes first, because it may make the rest pointless; what begins something new
/// comes last.
const RULES: [Rule; 9] = [
    State::n5_execute,
    State::c2_stabilise,
    State::v2_join,
    State::v3_await_the_new_view,
    State::v4_begin_a_view,
    State::n2_agree,
    State::n3_prepare,
    State::n4_commit,
    State::n1_propose,
];

impl State {
    /// h.
    fn low(&self) -> u64 {
        self.stable.as_ref().map_or(0, |stable| stable.checkpoint.sequence)
    }

    /// h+L.
    fn high(&self) -> u64 {
        self.low().saturating_add(self.config.window())
    }

    /// Whether we take part in the view.
    fn is_active(&self) -> bool {
        self.target.is_none()
    }

    fn is_primary(&self, turn: &Turn<'_, Message>) -> bool {
        proof::primary(&self.committee, self.view) == turn.me
    }

    /// Broadcasts; our own copy is counted when it is heard. Without a seat we only follow.
    fn say(&self, message: Message, turn: &mut Turn<'_, Message>) {
        if self.committee.seat(turn.me).is_some() {
            turn.send(To::All, message);
        }
    }
}

/// One of some replicas, by chance.
fn pick(some: &[ReplicaId], rng: &mut ChaCha8Rng) -> Option<ReplicaId> {
    some.get(rng.next_u32() as usize % some.len().max(1)).copied()
}

fn note(turn: &mut Turn<'_, Message>, label: &'static str, detail: String) {
    turn.act(Effect::Note { label, detail });
}
