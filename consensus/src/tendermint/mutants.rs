//! Tendermint with one rule weakened: what each of its mutants does otherwise, and nothing else.
//!
//! Each `t..` or `k..` function below is the whole of what is wrong with the mutant of that number; its
//! comment says what the paper asks for. It stands in the place of the sound rule and is handed all that
//! the sound rule looks at: to repair a mutant, mend its function and no more. (T5, T6 and T8 do something
//! besides what the sound rules do: theirs are asked for that alone.) T7 and T9 have none here, for what
//! they lack lies beneath the protocol: for T7 it is what `confusable` in `message.rs` takes for one
//! another, for T9 the disk.
//!
//! The other functions ask [`Flaw`] which of them to ask, and remark in the trace when a wrong rule
//! let something pass.

use super::{Ballot, Choice, Instance, Message, Step, log::Offer, note};
use crate::{
    Flaw,
    protocol::{Effect, Message as _, Turn},
    quorum::Signed,
};
use crypto::{Hash, Signature};
use ledger::{Committee, ReplicaId};

#[cfg(any(test, feature = "byzantine"))]
pub(super) use told::MUTANTS;

#[cfg(any(test, feature = "byzantine"))]
mod told;

/// T1. The paper: a quorum is so much stake that two of them always share somebody honest.
fn t1_is_quorum(weight: u128, committee: &Committee) -> bool {
    2 * weight >= committee.total()
}

/// T2. The paper writes 2f+1, and means n = 3f+1: only there do two such groups always share
/// somebody honest. Here f is what n validators can bear, and 2f+1 is taken at its word.
fn t2_is_quorum(weight: u128, committee: &Committee) -> bool {
    let n = committee.len() as u128;
    let f = (n - 1) / 3;
    weight * n >= (2 * f + 1) * committee.total()
}

/// T3. The paper, L23 and L29: whoever is locked prevotes another value only when it comes with a
/// polka no earlier than the lock.
fn t3_is_free(_locked: Option<Choice>, _offer: Offer) -> bool {
    true
}

/// T4. The paper, L29: a polka opens the lock only if its round is not before that of the lock.
fn t4_opens(_locked_round: u64, _polka_round: u64) -> bool {
    true
}

/// T5. The paper, L36: only a polka of the round a replica is in may move its lock.
fn t5_moves_the_lock(polka_round: u64, round: u64) -> bool {
    polka_round <= round
}

/// T6. The paper, L22 and L28: only who has not prevoted in a round may prevote in it.
fn t6_may_prevote(_step: Step) -> bool {
    true
}

/// T8. The paper counts processes: what a sender has said already adds nothing.
fn t8_counts(_has_said_it: bool) -> bool {
    true
}

/// T10. The paper, L28: a polka of an earlier round is what a later proposal appeals to, so
/// prevotes are kept, and here passed on with the proposal, as long as the height lasts.
fn t10_is_kept(prevote_round: u64, round: u64) -> bool {
    prevote_round >= round
}

/// T11. The paper, L55: f+1 must speak in a later round, so that one of them is honest.
fn t11_is_enough(weight: u128, _committee: &Committee) -> bool {
    weight > 0
}

/// K3. A leak takes back nobody's promise: locks know of no tables, and hold under whatever weights are
/// counted by later.
fn k3_binds(lock: Option<Hash>, offer: Option<Hash>) -> bool {
    lock == offer
}

/// Whether so much stake is a quorum.
pub(super) fn is_quorum(flaw: Flaw, weight: u128, committee: &Committee) -> bool {
    if let Some(needed) = flaw.quorum() {
        return weight * committee.len() as u128 >= u128::from(needed) * committee.total();
    }
    match () {
        () if flaw.is("T1") => t1_is_quorum(weight, committee),
        () if flaw.is("T2") => t2_is_quorum(weight, committee),
        () => committee.is_quorum(weight),
    }
}

/// L23 and L29: whether a replica with this lock may prevote an offer.
fn is_free(flaw: Flaw, locked: Option<Choice>, offer: Offer) -> bool {
    let opens = |lock: u64, polka: u64| match flaw.is("T4") {
        true => t4_opens(lock, polka),
        false => lock <= polka,
    };
    match flaw.is("T3") {
        true => t3_is_free(locked, offer),
        false => locked.is_none_or(|lock| {
            lock.value == offer.value
                || offer.valid_round.is_some_and(|polka| opens(lock.round, polka))
        }),
    }
}

/// Whether a mutant counts a vote again.
pub(super) fn counts_copies(flaw: Flaw) -> bool {
    flaw.is("T8") && t8_counts(true)
}

/// Whether a mutant in `round` has no use for the prevotes of another.
pub(super) fn drops_polka(flaw: Flaw, of: u64, round: u64) -> bool {
    flaw.is("T10") && !t10_is_kept(of, round)
}

/// Whether it has no use for this vote.
pub(super) fn forgets_prevotes(flaw: Flaw, vote: &Message, round: u64) -> bool {
    matches!(*vote, Message::Prevote { round: of, .. } if drops_polka(flaw, of, round))
}

/// L55: whether so much stake in a later round is enough to follow it.
pub(super) fn is_weak_quorum(flaw: Flaw, weight: u128, committee: &Committee) -> bool {
    match flaw.is("T11") {
        true => t11_is_enough(weight, committee),
        false => committee.is_weak_quorum(weight),
    }
}

/// How many rounds ahead a mutant listens that follows anybody. It bounds what one voice can cost.
pub(super) fn reach(flaw: Flaw, sound: u64) -> u64 {
    if flaw.is("T11") { 1 << 21 } else { sound }
}

impl Instance {
    /// Whether the lock lets us prevote an offer.
    pub(super) fn is_free(&self, offer: Offer, turn: &mut Turn<'_, Message>) -> bool {
        let held = self.locked.filter(|lock| self.binds(*lock, offer));
        let free = is_free(self.flaw, held, offer);
        if let Some(locked) = self.locked
            && free
            && !is_free(Flaw::default(), self.locked, offer)
        {
            let id = ["T3", "T4", "K3"].into_iter().find(|id| self.flaw.is(id));
            let id = id.expect("the sound rule opens no such lock");
            let (value, round, held) = (offer.value.short(), self.round, locked.value.short());
            let polka = offer.valid_round.map(|of| format!(", for its polka of round {of},"));
            let polka = polka.unwrap_or_default();
            let vote = format!("prevotes block {value} in round {round}{polka}");
            let lock = format!("although locked on block {held} since round {}", locked.round);
            remark(turn, format!("{id}: {vote} {lock}"));
        }
        free
    }

    /// Whether a lock is one where an offer's weights count.
    fn binds(&self, lock: Choice, offer: Offer) -> bool {
        if !self.flaw.is("K3") {
            return true;
        }
        let polka = self.log.polka(lock.round, lock.value);
        k3_binds(polka.and_then(|(_, table)| table), offer.table)
    }

    /// Whether L22 and L28 may prevote although the round has a prevote of ours.
    pub(super) fn may_prevote_by_flaw(&self) -> bool {
        self.flaw.is("T6") && t6_may_prevote(self.step)
    }

    /// A second prevote of this round. Nil would add nothing.
    pub(super) fn prevote_again(&self, ballot: Option<Ballot>, turn: &mut Turn<'_, Message>) {
        assert!(self.flaw.is("T6"), "a prevote leaves step propose");
        let (height, round) = (self.height, self.round);
        let (value, table) = Ballot::parts(ballot);
        if let Some(block) = value {
            let vote = format!("prevotes block {} in round {round}", block.short());
            remark(turn, format!("T6: {vote}, having prevoted there before"));
            self.say(Message::Prevote { height, round, value, table }, turn);
        }
    }

    /// L36 of a round that is over.
    pub(super) fn lock_by_flaw(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if !self.flaw.is("T5") {
            return false;
        }
        let now = self.round;
        for round in (0..now).filter(|&round| t5_moves_the_lock(round, now)) {
            let polkas: Vec<_> = self.log.polkas(round).flatten().collect();
            for value in polkas {
                if self.taken.contains(&round) || self.is_valid(value, turn) != Some(true) {
                    continue;
                }
                self.taken.insert(round);
                let polka = format!("the polka of round {round} for block {}", value.short());
                let lock = match self.locked {
                    Some(lock) => {
                        format!("the lock on block {} of round {}", lock.value.short(), lock.round)
                    }
                    None => "no lock".to_owned(),
                };
                remark(turn, format!("T5: {polka}, come late, replaces {lock}"));
                note(turn, "lock", format!("{}/{round} {}", self.height, value.short()));
                self.locked = Some(Choice { round, value });
                self.make_valid(round, value);
                return true;
            }
        }
        false
    }

    /// Whether a mutant offers its valid value without the polka that made it so.
    pub(super) fn brings_none_by_flaw(&self, turn: &mut Turn<'_, Message>) -> bool {
        let (of, now) = (self.valid.map_or(self.round, |valid| valid.round), self.round);
        let brings_none = drops_polka(self.flaw, of, now);
        if brings_none {
            remark(turn, format!("T10: proposes in round {now} without the polka of round {of}"));
        }
        brings_none
    }

    /// Remarks that prevotes of earlier rounds were dropped.
    pub(super) fn remark_on_forgetting(&self, turn: &mut Turn<'_, Message>) {
        let round = self.round;
        remark(turn, format!("T10: forgets in round {round} what was prevoted before it"));
    }

    /// Remarks that `signers` passed for a quorum and are none.
    pub(super) fn remark_on_quorum(
        &self,
        signers: &[(ReplicaId, Signature)],
        of: &str,
        turn: &mut Turn<'_, Message>,
    ) {
        let Some(id) = ["T1", "T2", "T8"].into_iter().find(|id| self.flaw.is(id)) else { return };
        let committee = self.log.committee();
        let weight: u128 = signers.iter().map(|&(id, _)| committee.weight_of(id)).sum();
        if !committee.is_quorum(weight) {
            let total = committee.total();
            remark(turn, format!("{id}: {weight} of {total} stake pass for a quorum of {of}"));
        }
    }

    /// Remarks that a vote is counted that was counted before.
    pub(super) fn remark_on_copy(&self, vote: &Signed<Message>, turn: &mut Turn<'_, Message>) {
        let (kind, round, sender) = (vote.message().kind(), vote.message().round(), vote.sender());
        remark(turn, format!("T8: counts the {kind} of replica {sender} in round {round} again"));
    }

    /// Remarks that a round was skipped to in which too few speak.
    pub(super) fn remark_on_skip(&self, round: u64, turn: &mut Turn<'_, Message>) {
        let committee = self.log.committee();
        if self.flaw.is("T11") && self.early.spoken_for(committee, Flaw::default()) != Some(round) {
            let from = self.round;
            remark(turn, format!("T11: goes from round {from} to {round} on too few words"));
        }
    }
}

/// Says in the trace that a weak rule let something pass. The label is that of
/// `byzantine::mutants`, which exists only where mutants do.
fn remark(turn: &mut Turn<'_, Message>, detail: String) {
    turn.act(Effect::Note { label: "flaw", detail });
}
