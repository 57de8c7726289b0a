//! Makes the messages of a liar that goes by a script: see [`Line`].
//!
//! In a line `height` is the sequence number and `round` the view; the slots of VIEW-CHANGE and NEW-VIEW
//! have no number, so there `height` is zero. A line is said once its liar is in the view named by `when`
//! (by `round`, if nothing is said), or wants it, and all that it takes has been heard.

use super::{
    super::{Message, Prepared, State, Value, ViewChange, batch, proof, view},
    Pbft,
};
use crate::{
    byzantine::{
        Seat,
        script::{Claim, Line, Puppet, Word},
    },
    protocol::{Input, To, Turn},
    quorum::Signed,
};
use crypto::Signature;
use ledger::{Block, ReplicaId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How many proposals, votes for one value and views are remembered; the lowest are forgotten first.
const MEMORY: usize = 1024;

/// What it has heard, and made up.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    /// By view and number, what was proposed first.
    offers: BTreeMap<(u64, u64), Arc<Block>>,
    /// Every PREPARE, by what it is for.
    prepares: BTreeMap<(u64, u64, Value), BTreeMap<ReplicaId, Signature>>,
    /// By view, the VIEW-CHANGEs; the first of each sender, and the last of its own.
    changes: BTreeMap<u64, BTreeMap<ReplicaId, (ViewChange, Signature)>>,
    /// The newest signature of each under whatever it said: what forged certificates are made of.
    hands: BTreeMap<ReplicaId, Signature>,
    /// Batches of its own, by number.
    mine: BTreeMap<u64, BTreeMap<u8, Arc<Block>>>,
}

impl Puppet<Pbft> for Scripted {
    fn watch(
        &mut self,
        honest: &Pbft,
        input: &Input<Message>,
        _: &[Line],
        turn: &mut Turn<'_, Message>,
    ) {
        let (Input::Heard(signed), Some(state)) = (input, &honest.state) else { return };
        let sender = signed.sender();
        match *signed.message() {
            Message::PrePrepare { view, ref batch }
                if sender == proof::primary(&state.committee, view) =>
            {
                let place = (view, batch.header.height);
                self.offers.entry(place).or_insert_with(|| Arc::clone(batch));
                bound(&mut self.offers);
            }
            Message::Prepare { view, sequence, value } => {
                let votes = self.prepares.entry((view, sequence, value)).or_default();
                votes.insert(sender, *signed.signature());
                bound(&mut self.prepares);
            }
            Message::ViewChange(ref change) => {
                self.remember(sender, change, signed.signature(), turn.me);
            }
            Message::NewView { ref changes, .. } => {
                for (sender, change, signature) in changes {
                    self.remember(*sender, change, signature, turn.me);
                }
            }
            // Somebody believes in a batch that only we hold.
            Message::Fetch { batch, .. } if sender != turn.me => {
                let mut mine = self.mine.values().flat_map(BTreeMap::values);
                if let Some(batch) = mine.find(|mine| mine.hash() == batch) {
                    let batch = Arc::clone(batch);
                    turn.send(To::One(sender), Message::Batch { batch });
                }
            }
            _ => {}
        }
        self.hands.insert(sender, *signed.signature());
    }

    fn utter(
        &mut self,
        line: &Line,
        honest: &Pbft,
        seat: &Seat,
        turn: &mut Turn<'_, Message>,
    ) -> Option<Vec<Signed<Message>>> {
        let state = honest.state.as_ref()?;
        let Line { height: sequence, round: view, value, .. } = *line;
        if state.target.unwrap_or(state.view) < line.when.unwrap_or(view) {
            return None;
        }
        let message = match &line.kind[..] {
            "pre-prepare" => {
                let batch = match value {
                    Word::Nil => return None, // Only a NEW-VIEW proposes nothing.
                    Word::Mine(number) => self.mine(sequence, number, state, turn),
                    Word::Of(view) => Arc::clone(self.offers.get(&(view, sequence))?),
                };
                Message::PrePrepare { view, batch }
            }
            "prepare" => {
                let value = self.value(sequence, value, state, turn)?;
                Message::Prepare { view, sequence, value }
            }
            "commit" => {
                let value = self.value(sequence, value, state, turn)?;
                Message::Commit { view, sequence, value }
            }
            "view-change" => {
                let change = self.change(view, &line.claims, state, turn)?;
                let signed = seat.sign(Message::ViewChange(change.clone()));
                self.remember(turn.me, &change, signed.signature(), turn.me);
                return Some(vec![signed]);
            }
            "new-view" => self.new_view(line, state, turn)?,
            _ => return None,
        };
        Some(vec![seat.sign(message)])
    }
}

impl Scripted {
    fn remember(
        &mut self,
        sender: ReplicaId,
        change: &ViewChange,
        signature: &Signature,
        me: ReplicaId,
    ) {
        let heard = self.changes.entry(change.view).or_default();
        if sender == me || !heard.contains_key(&sender) {
            heard.insert(sender, (change.clone(), *signature));
        }
        bound(&mut self.changes);
    }

    /// A batch of our own, the same whenever it is asked for: of what waits now, and so many milliseconds
    /// later than now.
    fn mine(
        &mut self,
        sequence: u64,
        number: u8,
        state: &State,
        turn: &Turn<'_, Message>,
    ) -> Arc<Block> {
        let mine = self.mine.entry(sequence).or_default();
        let time = match mine.first_key_value() {
            Some((number, batch)) => batch.header.time.saturating_sub(u64::from(*number)),
            None => u64::try_from(turn.wall.as_millis()).unwrap_or(u64::MAX),
        };
        let build = || {
            let limit = state.config.max_transactions;
            let waiting = turn.app.pending(state.head, &BTreeSet::new(), limit);
            batch::build(sequence, time.saturating_add(u64::from(number)), turn.me, waiting)
        };
        Arc::clone(mine.entry(number).or_insert_with(build))
    }

    /// What a word stands for at a number; none while that was not heard.
    fn value(
        &mut self,
        sequence: u64,
        word: Word,
        state: &State,
        turn: &Turn<'_, Message>,
    ) -> Option<Value> {
        match word {
            Word::Nil => Some(None),
            Word::Mine(number) => Some(Some(self.mine(sequence, number, state, turn).hash())),
            Word::Of(view) => self.offers.get(&(view, sequence)).map(|batch| Some(batch.hash())),
        }
    }

    /// A VIEW-CHANGE that claims this and no more. It has no stable checkpoint, unless what it claims lies
    /// beyond the first window.
    fn change(
        &mut self,
        view: u64,
        claims: &[Claim],
        state: &State,
        turn: &Turn<'_, Message>,
    ) -> Option<ViewChange> {
        let claims: BTreeMap<u64, &Claim> =
            claims.iter().map(|claim| (claim.sequence, claim)).collect();
        let last = claims.keys().next_back().copied().unwrap_or(0);
        let stable = state.stable.clone().filter(|_| last > state.config.window());
        let mut prepared = Vec::new();
        for claim in claims.into_values() {
            let value = self.value(claim.sequence, claim.value, state, turn)?;
            prepared.push(self.certificate(claim, value, state));
        }
        Some(ViewChange { view, stable, prepared })
    }

    /// A true certificate, as far as there are PREPAREs for it; what is missing is filled up with
    /// signatures from under something else.
    fn certificate(&self, claim: &Claim, value: Value, state: &State) -> Prepared {
        let Claim { sequence, view, .. } = *claim;
        let primary = proof::primary(&state.committee, view);
        let needed = state.size.quorum() - 1;
        let heard = self.prepares.get(&(view, sequence, value)).into_iter().flatten();
        let heard = heard.filter(|(sender, _)| **sender != primary);
        let mut signatures: BTreeMap<ReplicaId, Signature> =
            heard.map(|(sender, signature)| (*sender, *signature)).take(needed).collect();
        for (sender, signature) in self.hands.iter().filter(|(sender, _)| **sender != primary) {
            if signatures.len() < needed {
                signatures.entry(*sender).or_insert(*signature);
            }
        }
        Prepared { view, sequence, value, signatures: signatures.into_iter().collect() }
    }

    /// A NEW-VIEW from VIEW-CHANGEs heard: those of the names in the line, or as many as it takes, and
    /// always its own. It proposes what follows from them, or what the line claims.
    fn new_view(
        &mut self,
        line: &Line,
        state: &State,
        turn: &Turn<'_, Message>,
    ) -> Option<Message> {
        let view = line.round;
        let heard = self.changes.get(&view)?;
        let others = heard.keys().copied().filter(|sender| *sender != turn.me);
        let names: BTreeSet<ReplicaId> = match line.names.is_empty() {
            true => others.take(state.changes_needed() - 1).chain([turn.me]).collect(),
            false => line.names.iter().copied().chain([turn.me]).collect(),
        };
        let one = |sender: &ReplicaId| {
            let (change, signature) = heard.get(sender)?;
            Some((*sender, change.clone(), *signature))
        };
        let changes: Vec<_> = names.iter().map(one).collect::<Option<_>>()?;
        if line.names.is_empty() && changes.len() < state.changes_needed() {
            return None;
        }
        // Nobody believes a claim past the watermarks, and what follows from it would have no end.
        let is_far = |change: &ViewChange| {
            let high = change.low().saturating_add(state.config.window());
            change.prepared.iter().any(|prepared| prepared.sequence > high)
        };
        if changes.iter().any(|(_, change, _)| is_far(change)) {
            return None;
        }
        let mut proposals =
            view::select(state.flaw, changes.iter().map(|(_, change, _)| change)).proposals;
        if !line.claims.is_empty() {
            let claims: BTreeMap<u64, &Claim> =
                line.claims.iter().map(|claim| (claim.sequence, claim)).collect();
            let claimed = claims.into_values().map(|claim| {
                let value = self.value(claim.sequence, claim.value, state, turn)?;
                Some((claim.sequence, value))
            });
            proposals = claimed.collect::<Option<_>>()?;
        }
        Some(Message::NewView { view, changes, proposals })
    }
}

/// Forgets what comes first of too much.
fn bound<K: Ord, V>(map: &mut BTreeMap<K, V>) {
    while map.len() > MEMORY {
        map.pop_first();
    }
}
