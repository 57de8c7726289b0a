//! Tendermint: one block at a time, final as soon as it is decided.
//!
//! *The paper:* Ethan Buchman, Jae Kwon, Zarko Milosevic, "The latest gossip on BFT consensus",
//! arXiv 1807.04938, Algorithm 1. L22 means line 22 of it.
//!
//! # Fault model
//!
//! Validators weigh as much as their stake. Agreement and validity hold while strictly less than a
//! third of the stake is Byzantine, however slow or partitioned the network is and whoever
//! crashes, as long as disks keep what was synced. Decisions keep coming when, besides, more than
//! two thirds are up and messages arrive, after some unknown time, within an unknown bound that
//! the growing timeouts reach. A replica that lost its disk counts as Byzantine.
//!
//! # The rules
//!
//! A height has rounds. Each round has a proposer, and three steps: propose, prevote, precommit. A
//! *quorum* is strictly more than two thirds of the stake; a *polka* is a quorum of one round's
//! prevotes for one value. `valid(v)` is the ledger's verdict on a block, which depends on nothing
//! but the block and the state it stands on.
//!
//! - **L11–21** A round begins: its proposer offers its valid value, else a fresh block; everybody
//!   arms tPropose.
//! - **L22** A fresh proposal, in step propose: prevote it if it is valid and we are unlocked or
//!   locked on it, else nil.
//! - **L28** A proposal with the polka of an earlier round, in step propose: prevote it if it is
//!   valid and our lock is no later than that round or on it, else nil.
//! - **L34** A quorum of prevotes for whatever, in step prevote: arm tPrevote.
//! - **L36** A polka of this round for a valid value, in step prevote or later: it is our valid
//!   value. In step prevote also lock it and precommit it.
//! - **L44** A polka of this round for nil, in step prevote: precommit nil.
//! - **L47** A quorum of precommits for whatever: arm tPrecommit.
//! - **L49** A quorum of precommits for a valid value, of *any* round: decide it, begin the next
//!   height.
//! - **L55** More than a third of the stake speaks in a later round: begin that round.
//! - **L57** tPropose rings in step propose: prevote nil.
//! - **L61** tPrevote rings in step prevote: precommit nil.
//! - **L65** tPrecommit rings: begin the next round.
//!
//! Why it is safe: a decision takes a quorum of precommits, so more than a third honest are locked
//! on the value. They prevote another one only when shown a polka of a later round (L29), and no
//! such polka can come about without one of them. Why it lives: every vote reaches everyone in the
//! end, and a proposer offers the value of the latest polka it saw, which opens every lock.
//!
//! # Where we differ, and why
//!
//! 1. *Idle chain.* The paper's proposer always has a value. Ours waits in round 0 for
//!    transactions, at most `block_time` after the height began, and the others wait as much
//!    longer before they give up on it ([`Config::block_time`]). Only round 0 pauses: a later one
//!    means that something is wrong already.
//! 2. *The proposer arms tPropose too.* Its own proposal always comes back to it, but its ledger
//!    may fail to build one.
//! 3. *A value need not come by a proposal.* L36 and L49 take a body that was fetched by name as
//!    well. The quorum signed the name, the name binds the body, and `valid` looks at the body: who
//!    carried it adds nothing. Without this, three blocks proposed to three groups could leave a
//!    quorum for the one block that some replica was never told of, since of one slot only two
//!    messages travel.
//! 4. *A proposal brings the polka it names.* The paper relies on every prevote reaching everyone;
//!    of one slot only two messages travel. A voter that signs three prevotes could complete a
//!    polka for one replica alone, which locks; where each honest vote is needed, nobody would
//!    ever decide again. So a polka is kept and persisted with the valid value, and offered with
//!    it. (The random schedules in `tests/cluster.rs` found this.)
//! 5. *A fresh block names its proposer as its builder*, who earns its fees; otherwise the proposal
//!    is dropped. This looks at the message, not the value: a value that is offered again, with its
//!    polka, still names its first builder.
//! 6. *A fresh block from the future waits.* Nothing in the paper reads a clock, and `valid` must
//!    not, so a proposer could set the chain's time to the year 3000. L22 therefore passes over a
//!    block whose time is more than [`Config::clock_skew`] ahead, as if it had not arrived, until
//!    its time comes or the timeout does. L28, L36 and L49 do not ask: a quorum shows that somebody
//!    honest found it timely.
//! 7. *Messages of later rounds are bounded* for each sender (`Early` in `log.rs`). The paper's
//!    log is infinite.
//! 8. *Proposers rotate by stake*, as in CometBFT: [`ledger::stake::rotation`]. The priorities are a
//!    part of the ledger's state, and a step is a single one, however rounds are skipped.
//! 9. *The committee changes.* What a block does to stake acts two heights on: all rounds of a height have
//!    one committee, which was named, and is certified, by the one before it.
//! 10. *The absent may fade*, on chains whose genesis says so: `recovery.rs` has the rules of a height that
//!     nobody can decide, `attendance.rs` what blocks tell of who took part.
//!
//! We do *not* follow CometBFT where it leaves the paper: it skips rounds on two thirds rather than
//! one, and a locked replica there prevotes its lock whatever is proposed.
//!
//! # What it withstands
//!
//! Equivocating proposers (every proposal is kept, and the one that a quorum names is fetched),
//! equivocating voters (a sender counts once for each value, once in the total), prevotes passed
//! off as precommits (the kind is signed), a false valid round (no polka, no vote), hidden polkas
//! (they come with the value), one voice from a far round (it takes a third), amnesia by crash
//! (lock and place are durable before the vote leaves; what was signed comes back at `Start`).
//!
//! # What it does not
//!
//! With a third or more Byzantine, two values can be decided; the equivocators are then known by
//! their signatures, those who merely forgot a lock are not. With a third or more silent it halts,
//! without a timer running: L34 and L47 wait for a quorum. A proposer sees the transactions before
//! it orders them, and can leave some out. Proposers are known in advance, so whoever can silence a
//! machine at will can silence them in turn.

#[cfg(any(test, feature = "byzantine"))]
mod adversary;
mod attendance;
mod ballot;
mod config;
mod life;
mod log;
mod message;
mod module;
mod mutants;
mod recovery;
mod rotation;
mod theory;
mod value;

#[cfg(test)]
mod tests;

use crate::{
    Flaw,
    protocol::{Backing, Effect, Input, Protocol, Timer, Trusted, Turn, Unproven},
};
use ballot::{Ballot, Polka};
use ledger::{BlockHash, Committee, Header, Proof, Slot};
use message::phase;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub use config::Config;
pub use message::{Commit, Message, Tables};
pub use recovery::SignedTable;

/// One participant.
#[derive(Debug)]
pub struct Tendermint {
    config: Config,
    /// Which rule is weak, in worlds that want mutants.
    flaw: Flaw,
    /// None until the first life begins.
    instance: Option<Instance>,
}

/// The consensus on one height: Algorithm 1's variables. The next height gets a new one, which is
/// how L52 and L53 reset them.
#[derive(Debug)]
struct Instance {
    config: Config,
    flaw: Flaw,
    /// The decided block that this height's value stands on.
    parent: BlockHash,
    /// The parent's time, in milliseconds since 1970.
    parent_time: u64,
    height: u64,
    round: u64,
    step: Step,
    /// lockedValue and lockedRound.
    locked: Option<Choice>,
    /// validValue and validRound.
    valid: Option<Choice>,
    /// The prevotes that made it valid, as a proposal brings them.
    polka: Polka,
    /// How it goes on without a quorum, on a chain that can.
    recovery: Option<recovery::Recovery>,
    log: log::Log,
    early: log::Early,
    attendance: attendance::Attendance,
    proposers: rotation::Proposers,

    /// Whether we asked to send this round's proposal; it may not have been heard back yet.
    proposed: bool,
    /// What this round offered and was judged: a prevote each, and so one at most.
    judged: BTreeSet<BlockHash>,
    /// The rounds whose polka was acted on: "for the first time" in L36.
    taken: BTreeSet<u64>,
    /// The timeouts that this round has armed: "for the first time" in L34 and L47.
    armed: BTreeSet<u8>,
    /// Since when this height has been ours, in time of this life.
    began: Duration,
    /// Whether this is round 0 of an idle chain and still waits for transactions.
    resting: bool,
    /// `valid` of the values it could be told of.
    verdicts: BTreeMap<BlockHash, bool>,
    /// Values that could not be judged yet, each remarked upon once.
    postponed: BTreeSet<BlockHash>,
    /// Bodies that we asked for.
    wanted: BTreeSet<BlockHash>,
    /// What was persisted last.
    saved: Option<life::Place>,
}

/// Where in a round a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Step {
    /// It waits for a proposal.
    Propose,
    /// It has prevoted.
    Prevote,
    /// It has precommitted.
    Precommit,
}

/// A value and the round of the polka that made it locked or valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    round: u64,
    value: BlockHash,
}

impl Tendermint {
    /// A participant before its first life.
    pub fn new(config: Config) -> Tendermint {
        Tendermint { config, flaw: Flaw::default(), instance: None }
    }
}

impl Protocol for Tendermint {
    type Message = Message;

    fn step(&mut self, input: Input<Message>, turn: &mut Turn<'_, Message>) {
        if matches!(input, Input::Start { .. }) {
            let root = turn.app.root();
            self.instance = Some(Instance::new(self.config, self.flaw, root, None, turn));
        }
        let at = self.instance.as_mut().expect("a life begins with Start");
        let mut stirs = true;
        match input {
            Input::Start { records, own } => at.wake(&records, own, turn),
            Input::Heard(signed) => stirs = at.hear(signed, turn),
            Input::Rang(Timer(slot)) if !at.is_now(slot) => {} // Stale, but the rules look again.
            Input::Rang(Timer(slot)) => match slot.phase {
                phase::PROPOSE => at.l57_give_up_on_the_proposal(turn),
                phase::PREVOTE => at.l61_give_up_on_a_polka(turn),
                phase::PRECOMMIT => at.l65_give_up_on_the_round(turn),
                phase::IDLE => at.stop_resting(turn),
                phase::EARLY => at.postponed.clear(),
                unknown => unreachable!("no timer of ours has phase {unknown}"),
            },
            Input::Waiting => at.stop_resting(turn),
            Input::Arrived(block) => at.receive(&block, turn),
            Input::Advanced { block, proof } => at.advance(block, &proof, turn),
            Input::Mined(_) => unreachable!("Tendermint asks for no mining"),
        }
        if !stirs {
            debug_assert!(!RULES.iter().any(|rule| rule(at, turn)), "a rule waited for this");
            return;
        }
        // The first rule whose condition holds fires and may make another's true. None fires twice
        // in one step of a round, so this ends.
        while RULES.iter().any(|rule| rule(at, turn)) {}
        at.fetch_what_a_quorum_names(turn);
        at.persist(turn);
    }

    fn round(&self) -> u64 {
        self.instance.as_ref().map_or(0, |instance| instance.round)
    }

    fn weights(&self) -> Option<Arc<Committee>> {
        self.instance.as_ref()?.weights()
    }

    fn heights_ahead(&self) -> u64 {
        4 + attendance::lag(&self.config)
    }

    fn verify(headers: &[Header], proof: &Proof, trusted: Trusted<'_>) -> Result<(), Unproven> {
        message::verify(headers, proof, trusted)
    }

    fn backing(header: &Header, proof: &Proof) -> Vec<Backing> {
        message::backing(header, proof)
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn lies() -> Vec<crate::byzantine::Entry<Tendermint>> {
        adversary::lies()
    }

    #[cfg(any(test, feature = "byzantine"))]
    fn puppet() -> Option<Box<dyn crate::byzantine::script::Puppet<Tendermint>>> {
        Some(adversary::puppet())
    }
}

/// An upon-rule: true if its condition held, and it acted.
type Rule = fn(&mut Instance, &mut Turn<'_, Message>) -> bool;

/// The rules that wait for messages. The paper allows any order; a decision comes first because it
/// makes the rest pointless, and a later round for the same reason.
const RULES: [Rule; 11] = [
    Instance::l49_decide,
    Instance::rc_skip,
    Instance::l55_skip,
    Instance::rc_begin,
    Instance::l22_prevote_a_fresh_proposal,
    Instance::l28_prevote_a_proposal_with_a_polka,
    Instance::l36_lock,
    Instance::l36_late,
    Instance::l44_precommit_nil,
    Instance::l34_arm_prevote,
    Instance::l47_arm_precommit,
];

impl Instance {
    /// L11–L21: a round begins. [`Instance::await_proposal`] has L14–L21.
    fn l11_start_round(&mut self, round: u64, turn: &mut Turn<'_, Message>) {
        self.enter(round, Step::Propose, turn);
        match self.recovery {
            Some(_) => self.enter_recovery(turn),
            None => self.await_proposal(turn),
        }
    }

    /// L22–L27: a fresh proposal.
    fn l22_prevote_a_fresh_proposal(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.may_prevote() {
            return false;
        }
        for offer in self.log.offers(self.round).to_vec() {
            if offer.valid_round.is_some() || self.judged.contains(&offer.value) {
                continue;
            }
            if self.is_early(offer.value, turn) {
                continue;
            }
            let Some(good) = self.is_valid(offer.value, turn) else { continue };
            let free = good && self.is_free(offer, turn) && self.is_whole(offer.table);
            self.judge(offer, free, turn);
            return true;
        }
        false
    }

    /// L28–L33: a proposal with the polka of an earlier round.
    fn l28_prevote_a_proposal_with_a_polka(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.may_prevote() {
            return false;
        }
        for offer in self.log.offers(self.round).to_vec() {
            let Some(valid_round) = offer.valid_round else { continue };
            if !self.log.has_polka(valid_round, offer.value) || self.judged.contains(&offer.value) {
                continue;
            }
            let Some(good) = self.is_valid(offer.value, turn) else { continue };
            let free = good && self.is_free(offer, turn) && self.is_whole(offer.table);
            self.judge(offer, free, turn);
            return true;
        }
        false
    }

    /// L34–L35: enough prevotes to see that there may be no polka.
    fn l34_arm_prevote(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.recovery.is_some()
            || self.step != Step::Prevote
            || !self.log.is_prevoted(self.round)
            || !self.armed.insert(phase::PREVOTE)
        {
            return false;
        }
        self.arm(phase::PREVOTE, self.config.grown(self.config.prevote, self.round), turn);
        true
    }

    /// L36–L43: a polka in this very round. One of an earlier round must not move the lock: it
    /// would go back to before the lock it has.
    fn l36_lock(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.lock_by_flaw(turn) {
            return true;
        }
        if self.step == Step::Propose || self.taken.contains(&self.round) {
            return false;
        }
        let polkas: Vec<_> = self.log.polkas(self.round).flatten().collect();
        for value in polkas {
            if self.is_valid(value, turn) != Some(true) {
                continue;
            }
            note(turn, "polka", format!("{}/{} {}", self.height, self.round, value.short()));
            if self.step == Step::Prevote {
                note(turn, "lock", format!("{}/{} {}", self.height, self.round, value.short()));
                self.locked = Some(Choice { round: self.round, value });
                let (_, table) = self.log.polka(self.round, value).expect("it was found there");
                self.precommit(Some(Ballot { value, table }), turn);
            }
            self.taken.insert(self.round);
            self.make_valid(self.round, value);
            self.remark_on_quorum(&self.polka.signatures, "prevotes", turn);
            return true;
        }
        false
    }

    /// L44–L46: a polka for nil.
    fn l44_precommit_nil(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let waits = self.step == Step::Prevote && self.recovery.is_none();
        if !waits || !self.log.polkas(self.round).any(|value| value.is_none()) {
            return false;
        }
        self.precommit(None, turn);
        true
    }

    /// L47–L48: enough precommits to see that this round may not decide.
    fn l47_arm_precommit(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.recovery.is_some()
            || !self.log.is_precommitted(self.round)
            || !self.armed.insert(phase::PRECOMMIT)
        {
            return false;
        }
        self.arm(phase::PRECOMMIT, self.config.grown(self.config.precommit, self.round), turn);
        true
    }

    /// L49–L54: a decision, of whatever round.
    ///
    /// The commit comes before everything of the next height, since that replaces our records: a
    /// crash between the two must not leave us at the old height without its lock.
    fn l49_decide(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let decisions: Vec<_> = self.log.decisions().collect();
        for (round, value) in decisions {
            if self.is_valid(value, turn) != Some(true) {
                continue;
            }
            let (signatures, table) =
                self.log.decision(round, value).expect("a decision has its quorum");
            self.remark_on_quorum(&signatures, "precommits", turn);
            let roll = self.roll((round, value, table), &signatures);
            let table = self.table_of(table);
            let proof = Some(Commit { round, block: value, signatures, table }.encode());
            note(turn, "decide", format!("{}/{round} {}", self.height, value.short()));
            turn.act(Effect::Commit { block: value, proof });
            self.begin_after(value, roll, turn);
            return true;
        }
        false
    }

    /// L55–L56: somebody honest is in a later round.
    fn l55_skip(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.recovery.is_some() {
            return false;
        }
        let speaks = self.early.spoken_for(self.log.committee(), self.flaw);
        let Some(round) = speaks else { return false };
        self.remark_on_skip(round, turn);
        note(turn, "skip", format!("{}/{} to {round}", self.height, self.round));
        self.l11_start_round(round, turn);
        true
    }

    /// L57–L60: OnTimeoutPropose.
    fn l57_give_up_on_the_proposal(&mut self, turn: &mut Turn<'_, Message>) {
        if self.step == Step::Propose {
            note(turn, "timeout", format!("{}/{} propose", self.height, self.round));
            self.prevote(None, turn);
        }
    }

    /// L61–L64: OnTimeoutPrevote.
    fn l61_give_up_on_a_polka(&mut self, turn: &mut Turn<'_, Message>) {
        if self.step == Step::Prevote {
            note(turn, "timeout", format!("{}/{} prevote", self.height, self.round));
            self.precommit(None, turn);
        }
        self.note_who_is_alive();
    }

    /// L65–L67: OnTimeoutPrecommit.
    fn l65_give_up_on_the_round(&mut self, turn: &mut Turn<'_, Message>) {
        note(turn, "timeout", format!("{}/{} precommit", self.height, self.round));
        self.l11_start_round(self.round + 1, turn);
    }

    /// Whether a timer is of this height and round.
    fn is_now(&self, slot: Slot) -> bool {
        (slot.height, slot.round) == (self.height, self.round)
    }

    fn arm(&self, phase: u8, after: Duration, turn: &mut Turn<'_, Message>) {
        let slot = Slot { height: self.height, epoch: 0, round: self.round, phase };
        turn.act(Effect::SetTimer { timer: Timer(slot), after });
    }
}

fn note(turn: &mut Turn<'_, Message>, label: &'static str, detail: String) {
    turn.act(Effect::Note { label, detail });
}
