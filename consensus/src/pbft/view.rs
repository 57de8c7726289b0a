//! View changes: how a primary is replaced, and nothing that was prepared is lost.

use super::{
    State,
    message::{Message, Value, ViewChange},
    mutants::{self, P2, P4, P5},
    note,
    proof::{self, Stable},
};
use crate::{
    Flaw,
    protocol::Turn,
    quorum::{Claimed, Signed},
};
use crypto::Signature;
use ledger::{Committee, ReplicaId};
use std::collections::{BTreeMap, BTreeSet};

/// How many view changes of one sender are kept, for the highest views. An honest one gives up on so
/// many views only if they take years, because each takes twice as long as the one before.
const MAX_VIEWS: usize = 32;

/// View changes for views that have not begun.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// By view and sender; two of a sender that said two things.
    heard: BTreeMap<u64, BTreeMap<ReplicaId, Vec<Heard>>>,
    /// The views that began with a message of ours, or will once we hear it.
    pub(super) begun: BTreeSet<u64>,
}

/// One view change, and whether it may be believed, once that was asked.
#[derive(Debug)]
struct Heard {
    signed: Signed<Message>,
    is_good: Option<bool>,
}

impl Changes {
    fn add(&mut self, signed: Signed<Message>, view: u64) {
        let sender = signed.sender();
        let said = self.heard.entry(view).or_default().entry(sender).or_default();
        // After a crash our own come twice.
        if said.iter().any(|heard| heard.signed.value() == signed.value()) {
            return;
        }
        said.push(Heard { signed, is_good: None });
        let of_sender = self.heard.iter().filter(|(_, senders)| senders.contains_key(&sender));
        let views: Vec<u64> = of_sender.map(|(view, _)| *view).collect();
        if views.len() > MAX_VIEWS
            && let Some(senders) = self.heard.get_mut(&views[0])
        {
            senders.remove(&sender);
        }
        self.heard.retain(|_, senders| !senders.is_empty());
    }

    /// How many views somebody asks for.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heard.len()
    }

    /// The highest view that at least `needed` replicas ask for or are past.
    fn spoken_for(&self, needed: usize) -> Option<u64> {
        let mut highest: BTreeMap<ReplicaId, u64> = BTreeMap::new();
        for (view, senders) in &self.heard {
            highest.extend(senders.keys().map(|sender| (*sender, *view)));
        }
        let mut views: Vec<u64> = highest.into_values().collect();
        views.sort_unstable_by(|one, other| other.cmp(one));
        views.get(needed.checked_sub(1)?).copied()
    }

    /// Forgets the views up to `view`.
    pub(super) fn prune(&mut self, view: u64) {
        let next = view.saturating_add(1);
        self.heard = self.heard.split_off(&next);
        self.begun = self.begun.split_off(&next);
    }
}

/// What follows from a quorum's view changes: the latest stable checkpoint among them, and the value
/// of every number after it up to the last that any of them prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) stable: Option<Stable>,
    /// O: without a gap, by rising number.
    pub(super) proposals: Vec<(u64, Value)>,
}

/// By number, the view and the value of the certificate that counts.
pub(super) type Latest = BTreeMap<u64, (u64, Value)>;

/// V5: for each number the certificate of the latest view, or the null request. All of `changes` have
/// been checked.
pub(super) fn select<'a>(
    flaw: Flaw,
    changes: impl Iterator<Item = &'a ViewChange> + Clone,
) -> Selection {
    let highest = changes.clone().max_by_key(|change| change.low());
    let stable = highest.and_then(|change| change.stable.clone());
    let low = highest.map_or(0, ViewChange::low);
    let mut latest = Latest::new();
    for prepared in changes.flat_map(|change| &change.prepared) {
        let found = (prepared.view, prepared.value);
        let entry = latest.entry(prepared.sequence).or_insert(found);
        let replaces = match flaw.is(P4) {
            false => entry.0 < found.0,
            true => mutants::p4_replaces(entry.0, found.0),
        };
        if replaces {
            *entry = found;
        }
    }
    let last = latest.keys().next_back().copied().unwrap_or(low);
    let value = |sequence: u64| latest.get(&sequence).and_then(|(_, value)| *value);
    let proposals = match flaw.is(P5) {
        false => (low + 1..=last).map(|sequence| (sequence, value(sequence))).collect(),
        true => mutants::p5_proposals(low, last, &latest),
    };
    Selection { stable, proposals }
}

impl State {
    /// V1: gives up on every view before `view`. From now on we take part in none of them, except to
    /// count commits and checkpoints.
    pub(super) fn v1_give_up(&mut self, view: u64, turn: &mut Turn<'_, Message>) {
        assert!(view > self.target.unwrap_or(self.view), "views only go up");
        self.target = Some(view);
        (self.deadline, self.resting) = (None, false);
        note(turn, "view-change", format!("from {} to {view}", self.view));
        let stable = self.stable.clone();
        let prepared = self.prepared.values().cloned().collect();
        self.say(Message::ViewChange(ViewChange { view, stable, prepared }), turn);
    }

    /// Keeps a view change for a view to come.
    pub(super) fn hear_change(&mut self, signed: Signed<Message>, view: u64) {
        if view > self.view {
            self.changes.add(signed, view);
        }
    }

    /// V2: f+1 replicas, so somebody honest, are past the view we are in or want: so are we.
    pub(super) fn v2_join(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let Some(view) = self.changes.spoken_for(self.size.weak()) else { return false };
        if view <= self.target.unwrap_or(self.view) {
            return false;
        }
        self.v1_give_up(view, turn);
        true
    }

    /// V3: a quorum has given up, so its new primary has what it needs: the timer runs.
    pub(super) fn v3_await_the_new_view(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let Some(target) = self.target.filter(|_| self.deadline.is_none()) else { return false };
        let gone = self.changes.spoken_for(self.size.quorum());
        if gone.is_none_or(|view| view < target) {
            return false;
        }
        self.watch(self.patience(target), turn);
        true
    }

    /// V4: the new primary begins its view with a quorum of view changes, its own included.
    pub(super) fn v4_begin_a_view(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let Some(view) = self.target else { return false };
        let is_ours = proof::primary(&self.committee, view) == turn.me;
        if !is_ours || self.changes.begun.contains(&view) {
            return false;
        }
        let Some(changes) = self.good_changes(view, turn) else { return false };
        let selection = select(self.flaw, changes.iter().map(|(_, change, _)| change));
        self.changes.begun.insert(view);
        let proposals = selection.proposals;
        self.say(Message::NewView { view, changes, proposals }, turn);
        true
    }

    /// How many view changes a new view takes.
    pub(super) fn changes_needed(&self) -> usize {
        match self.flaw.is(P2) {
            false => self.size.quorum(),
            true => mutants::p2_enough(self.size),
        }
    }

    /// A quorum of view changes for `view` that can be believed, ours among them, by rising sender.
    fn good_changes(
        &mut self,
        view: u64,
        turn: &Turn<'_, Message>,
    ) -> Option<Vec<(ReplicaId, ViewChange, Signature)>> {
        let (quorum, window, flaw) = (self.changes_needed(), self.config.window(), self.flaw);
        let senders = self.changes.heard.get_mut(&view)?;
        if senders.len() < quorum || !senders.contains_key(&turn.me) {
            return None;
        }
        let judge = |claimed: &Claimed<Message>| turn.open(claimed).is_some();
        let mut good = Vec::new();
        for (&sender, said) in senders {
            let found = said.iter_mut().find_map(|heard| {
                let Message::ViewChange(change) = heard.signed.message() else { return None };
                let is_good = *heard.is_good.get_or_insert_with(|| {
                    proof::check_change(change, window, flaw, &self.committee, &judge).is_ok()
                });
                is_good.then(|| (sender, change.clone(), *heard.signed.signature()))
            });
            good.extend(found);
        }
        let mut spare = good.len().checked_sub(quorum)?;
        // Of too many the last go, but never ours.
        let mut chosen: Vec<_> = good.into_iter().rev().collect();
        chosen.retain(|(sender, ..)| {
            let goes = spare > 0 && *sender != turn.me;
            spare -= usize::from(goes);
            !goes
        });
        chosen.reverse();
        Some(chosen)
    }

    /// V5: a new view that follows from what it brings begins, unless we are past it.
    pub(super) fn hear_new_view(&mut self, signed: &Signed<Message>, turn: &mut Turn<'_, Message>) {
        let Message::NewView { view, changes, proposals } = signed.message() else { return };
        let view = *view;
        if view <= self.view || self.target.is_some_and(|target| view < target) {
            return;
        }
        let checked = match proof::primary(&self.committee, view) == signed.sender() {
            true => self.check_new_view(view, changes, turn),
            false => Err("it is not its turn to be primary".to_owned()),
        };
        match checked {
            Ok(selection) if selection.proposals == *proposals => {
                self.remark_on_a_view(view, changes, &selection, turn);
                self.enter(view, selection, turn);
            }
            Ok(_) => self.drop_new_view(view, signed.sender(), "it proposes something else", turn),
            Err(fault) => self.drop_new_view(view, signed.sender(), &fault, turn),
        }
    }

    fn drop_new_view(&self, view: u64, by: ReplicaId, why: &str, turn: &mut Turn<'_, Message>) {
        note(turn, "dropped", format!("new view {view} of {by}: {why}"));
    }

    /// What follows from a quorum's view changes, if they are that.
    fn check_new_view(
        &self,
        view: u64,
        changes: &[(ReplicaId, ViewChange, Signature)],
        turn: &Turn<'_, Message>,
    ) -> Result<Selection, String> {
        let judge = |claimed: &Claimed<Message>| turn.open(claimed).is_some();
        self.is_quorum_for(view, changes)?;
        for (sender, change, signature) in changes {
            let message = Message::ViewChange(change.clone());
            let claimed = Claimed { sender: *sender, message, signature: *signature };
            if !judge(&claimed) {
                return Err(format!("a view change is not signed by {sender}"));
            }
            proof::check_change(change, self.config.window(), self.flaw, &self.committee, &judge)
                .map_err(|fault| format!("the view change of {sender}: {fault}"))?;
        }
        Ok(select(self.flaw, changes.iter().map(|(_, change, _)| change)))
    }

    /// What can be seen without checking a signature.
    fn is_quorum_for(
        &self,
        view: u64,
        changes: &[(ReplicaId, ViewChange, Signature)],
    ) -> Result<(), String> {
        let committee: &Committee = &self.committee;
        if changes.len() < self.changes_needed() || changes.len() > self.size.n {
            return Err(format!("{} view changes are no quorum", changes.len()));
        }
        if changes.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err("its view changes are not by rising sender".into());
        }
        let is_of_it = |(sender, change, _): &(ReplicaId, ViewChange, Signature)| {
            committee.seat(*sender).is_some() && change.view == view
        };
        match changes.iter().all(is_of_it) {
            true => Ok(()),
            false => Err("a view change is for another view, or by somebody without a seat".into()),
        }
    }

    /// A view begins.
    fn enter(&mut self, view: u64, selection: Selection, turn: &mut Turn<'_, Message>) {
        let Selection { stable, proposals } = selection;
        let low = stable.as_ref().map_or(0, |stable| stable.checkpoint.sequence);
        if let Some(stable) = stable.filter(|_| low > self.low()) {
            self.checkpoints.offer(stable);
        }
        self.covered = proposals.last().map_or(low, |(sequence, _)| *sequence);
        note(turn, "view", format!("{view} of primary {}", proof::primary(&self.committee, view)));
        self.begin_view(view, proposals);
        turn.act(crate::Effect::Horizon { height: self.low(), round: view });
        self.begin_turn(turn);
    }

    /// What changes with the view, also when a life begins in it.
    pub(super) fn begin_view(&mut self, view: u64, proposals: Vec<(u64, Value)>) {
        (self.view, self.target, self.proposed) = (view, None, 0);
        self.log = super::log::Log::new(self.committee.clone());
        for &(sequence, value) in &proposals {
            if sequence > self.low() {
                self.log.entry(sequence).value = Some(value);
            }
        }
        self.proposals = proposals;
        self.changes.prune(view);
    }
}
