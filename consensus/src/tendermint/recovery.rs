//! Recovery rounds: how a height that nobody can decide goes on, and lets the absent fade.
//!
//! *The leak* (`ledger::leak`) needs a record of who is absent that grows without a quorum. Here it is the
//! rounds of the height themselves. Whoever enters a round r ≥ 1 says so, once: ⟨ALIVE, h, r⟩.
//! A *table* is a set of such messages of earlier rounds; what it leaves of everybody's weight is
//! a pure function of it and of the chain's state. Everybody may hold another table. A
//! proposal brings one, the votes of that round name it, and a quorum is more than two thirds of the weights
//! under *that one*.
//!
//! # Why it is safe
//!
//! Under a floor all weights lie between φ of a bond and the whole, and any two quorums, under whatever
//! two tables, share somebody honest (`ledger::leak`). All else is Tendermint's: votes are signed once for a
//! round, whatever table they name; locks and valid values know of no tables, and rounds never go back.
//! No clock and no common view of who is alive is needed for that. Without a floor nothing is promised.
//!
//! # The rules, where they are not Tendermint's
//!
//! - **Start** A round r ≥ 1 begins: say ALIVE.
//! - **RC** More than (1+β)/2 of the bonds are alive in our round or a later one: its timers run from now on,
//!   and its proposer proposes. To wait for a majority *there* would be to wait for ever where those who are
//!   left are in three rounds.
//! - **Skip** More than a third of the bonds are alive in later rounds: begin the latest that as many have
//!   reached. That is L55, for ALIVE only.
//! - **Timers** (for L34, L44, L47) All three are armed at once, and grow by the round: D1 gives up on
//!   the proposal (L57), D2 on the polka (L61), D3 on the round (L65). Between D2 and D3 lies the time in which a lock
//!   reaches the next proposer.
//! - **must** At D2 a replica notes whom it has heard. From then on it prevotes only values whose table has
//!   them all: nobody can leave out a replica whose ALIVE is known. It is a replica's own
//!   rule, and no part of whether a value is valid. A replica that begins a new life has noted nobody.
//! - **L22** A fresh block of a round with a table tells of that table and that round; the ledger takes the next
//!   heights' weights from there, whatever tables the votes that decide it name. So all who
//!   decide a block come to the same state (mutant K4).
//! - **L36** Besides: a polka of an earlier round, if it is later than the valid value's, makes its value
//!   the valid one. It moves no lock.
//!
//! An ALIVE that comes late is passed on at once: the next proposer needs what others hold.
//!
//! # Bounds
//!
//! A table has at most `ledger::leak::MAX_ALIVES` voices, so old rows fall out; weights start over from the
//! chain's then, and rows enough to reach the floor remain. Tables are learnt from the proposals that
//! bring them and from proofs, and of all those the [`KNOWN`] newest are kept: who has forgotten one can no longer
//! count votes under it, and is brought on by the sync.

mod table;

pub use table::SignedTable;

use super::{Config, Instance, Message, message::phase, note};
use crate::{
    protocol::{Effect, To, Turn},
    quorum::{Claimed, Signed},
};
use crypto::{Hash, Signature};
use ledger::{Committee, Duty, Leak, ReplicaId, Table, leak::Mode};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// How many tables are kept.
const KNOWN: usize = 64;

/// How a height goes on without a quorum.
#[derive(Debug)]
pub(super) struct Recovery {
    leak: Leak,
    /// Who was heard to enter which round; only rounds that a table may still record.
    alive: BTreeMap<u64, BTreeMap<ReplicaId, Signature>>,
    /// Since when the timers of our round run.
    since: Option<Duration>,
    /// Whom a value's table must not leave out.
    must: BTreeSet<(u64, ReplicaId)>,
    /// Those under whose weights votes may count, oldest first.
    tables: VecDeque<(Hash, Arc<Known>)>,
}

/// A table whose signatures were checked.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) signed: SignedTable,
    pub(super) matrix: Table,
    pub(super) committee: Committee,
}

impl Recovery {
    /// None where the chain has no recovery rounds.
    pub(super) fn new(config: &Config) -> Option<Recovery> {
        let leak = config.leak.filter(|leak| leak.mode == Mode::Recovery)?;
        Some(Recovery {
            leak,
            alive: BTreeMap::new(),
            since: None,
            must: BTreeSet::new(),
            tables: VecDeque::new(),
        })
    }

    /// A round begins: its timers do not run yet, and rows fall out that no table can record any more.
    pub(super) fn enter(&mut self, round: u64, seats: usize) {
        self.since = None;
        let first = Table::first_round(&self.leak, round, seats).min(round);
        self.alive = self.alive.split_off(&first);
    }

    /// The table that a vote names, if it is known.
    pub(super) fn known(&self, table: Hash) -> Option<&Arc<Known>> {
        self.tables.iter().find(|(hash, _)| *hash == table).map(|(_, known)| known)
    }

    /// Everything that a table of `round` may record.
    pub(super) fn own_table(&self, round: u64, seats: usize) -> SignedTable {
        let first = Table::first_round(&self.leak, round, seats);
        // A round that is not reached has no table: there is nothing from `first` to it.
        let rows = self.alive.range(first.min(round)..round);
        SignedTable::new(rows.map(|(&row, alive)| {
            (row, alive.iter().map(|(&id, &signature)| (id, signature)).collect())
        }))
    }

    /// Whether `table` of `round` has everybody whom it must not leave out.
    fn is_whole(&self, table: &Table, round: u64, seats: usize) -> bool {
        let first = Table::first_round(&self.leak, round, seats);
        let mut must = self.must.range((first.min(round), ReplicaId(0))..(round, ReplicaId(0)));
        let row = |of| table.rows().iter().find(|row| row.round == of);
        must.all(|(of, id)| row(*of).is_some_and(|row| row.present.binary_search(id).is_ok()))
    }

    /// Keeps who entered a round. False if it is known, or too old to matter.
    fn hear(
        &mut self,
        at: u64,
        seats: usize,
        of: u64,
        id: ReplicaId,
        signature: Signature,
    ) -> bool {
        if of < Table::first_round(&self.leak, at, seats).min(at) {
            return false;
        }
        self.alive.entry(of).or_default().insert(id, signature).is_none()
    }
}

impl Instance {
    /// A round begins, of a chain with recovery rounds: the first at once, a later one when enough are alive
    /// in it.
    pub(super) fn enter_recovery(&mut self, turn: &mut Turn<'_, Message>) {
        if self.round == 0 {
            return self.run_timers(turn);
        }
        let (height, round, parent) = (self.height, self.round, self.parent);
        self.say(Message::Alive { height, round, parent }, turn);
    }

    /// RC of our own round.
    pub(super) fn rc_begin(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        let Some(recovery) = &self.recovery else { return false };
        if recovery.since.is_some() || self.round == 0 {
            return false;
        }
        let here = recovery.alive.get(&self.round).into_iter().flat_map(BTreeMap::keys).copied();
        let ahead = self.early.alive(self.parent).flat_map(|(_, ids)| ids);
        let committee = self.log.committee();
        let alive = bonds(&here.chain(ahead).collect(), committee);
        if !recovery.leak.is_majority(alive, committee.bonded()) {
            return false;
        }
        self.run_timers(turn);
        true
    }

    /// L55: somebody honest is in a later round.
    pub(super) fn rc_skip(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.recovery.is_none() {
            return false;
        }
        let committee = self.log.committee();
        let mut ahead = BTreeSet::new();
        let later = self.early.alive(self.parent).find(|(_, ids)| {
            ahead.extend(ids.iter().copied());
            3 * bonds(&ahead, committee) > committee.bonded()
        });
        let Some((round, _)) = later else { return false };
        note(turn, "skip", format!("{}/{} to {round}", self.height, self.round));
        self.l11_start_round(round, turn);
        true
    }

    /// The timers of our round run from now on.
    pub(super) fn run_timers(&mut self, turn: &mut Turn<'_, Message>) {
        let recovery = self.recovery.as_mut().expect("asked for where there are recovery rounds");
        recovery.since = Some(turn.now);
        self.await_proposal(turn);
    }

    /// Arms all three timers of our round, `pause` later than they would be.
    pub(super) fn arm_all(&mut self, pause: Duration, turn: &mut Turn<'_, Message>) {
        for (nth, phase) in (1..).zip([phase::PROPOSE, phase::PREVOTE, phase::PRECOMMIT]) {
            let after = self.config.give_up(nth, self.round);
            self.arm(phase, pause.saturating_add(after), turn);
        }
    }

    /// D2: whom we have heard by now, no later table may leave out.
    pub(super) fn note_who_is_alive(&mut self) {
        let round = self.round;
        let Some(recovery) = &mut self.recovery else { return };
        let first = recovery.leak.grace_rounds;
        let alive = recovery.alive.range(..=round).filter(|(of, _)| **of >= first);
        let all = alive.flat_map(|(&of, ids)| ids.keys().map(move |&id| (of, id)));
        recovery.must = all.collect();
    }

    /// Somebody entered a round that we have reached.
    pub(super) fn hear_alive(
        &mut self,
        signed: &Signed<Message>,
        turn: &mut Turn<'_, Message>,
    ) -> Result<(), &'static str> {
        let Message::Alive { round, parent, .. } = *signed.message() else {
            unreachable!("only those are handed over")
        };
        let (at, seats, parent_here) = (self.round, self.log.committee().len(), self.parent);
        let patience = self.config.give_up(1, at);
        let Some(recovery) = &mut self.recovery else {
            return Err("there are no recovery rounds here");
        };
        if parent != parent_here || round == 0 {
            return Err("it is alive on another chain");
        }
        let is_new = recovery.hear(at, seats, round, signed.sender(), *signed.signature());
        // Only what may be new to the next proposer: a life that begins is told old rows, which all know.
        let is_late =
            recovery.since.is_some_and(|since| turn.now >= since.saturating_add(patience));
        if is_new && signed.sender() != turn.me && round + 1 >= at && (round < at || is_late) {
            turn.act(Effect::Relay { to: To::All, message: signed.clone() });
        }
        Ok(())
    }

    /// Takes in a table of `round`: checks it, and counts whom it shows to be alive. Returns what votes
    /// name it by; nothing if it is empty.
    pub(super) fn learn_table(
        &mut self,
        round: u64,
        signed: &SignedTable,
        turn: &Turn<'_, Message>,
    ) -> Result<Option<Hash>, &'static str> {
        if signed.is_empty() {
            return Ok(None);
        }
        let (height, at, parent) = (self.height, self.round, self.parent);
        let committee = self.log.committee().clone();
        let recovery = self.recovery.as_mut().ok_or("there are no recovery rounds here")?;
        let matrix = signed.check(round, &committee, &recovery.leak);
        let matrix = matrix.map_err(|_| "its table is none of its round")?;
        let hash = matrix.hash();
        if recovery.known(hash).is_some() {
            return Ok(Some(hash));
        }
        for (of, sender, signature) in signed.voices() {
            let known = recovery.alive.get(&of).and_then(|ids| ids.get(&sender));
            if known == Some(&signature) {
                continue;
            }
            let message = Message::Alive { height, round: of, parent };
            let claimed = Claimed { sender, message, signature };
            turn.open(&claimed).ok_or("a voice in its table is forged")?;
            if of <= at {
                recovery.hear(at, committee.len(), of, sender, signature);
            }
        }
        let weighed = matrix.weigh(&committee, &recovery.leak);
        let known = Known { signed: signed.clone(), matrix, committee: weighed };
        if recovery.tables.len() >= KNOWN {
            recovery.tables.pop_front();
        }
        recovery.tables.push_back((hash, Arc::new(known)));
        let tables = recovery.tables.iter();
        self.log.weigh(tables.map(|(hash, known)| (*hash, known.clone())).collect());
        Ok(Some(hash))
    }

    /// Whether a value's table has everybody whom we know to be alive.
    pub(super) fn is_whole(&self, table: Option<Hash>) -> bool {
        let Some(recovery) = &self.recovery else { return true };
        let empty = Table::default();
        let known = table.and_then(|table| recovery.known(table));
        let matrix = known.map_or(&empty, |known| &known.matrix);
        (table.is_none() || known.is_some())
            && recovery.is_whole(matrix, self.round, self.log.committee().len())
    }

    /// The table that our proposal brings; empty before the leak begins.
    pub(super) fn table_to_bring(&self) -> SignedTable {
        let seats = self.log.committee().len();
        self.recovery
            .as_ref()
            .map_or_else(SignedTable::default, |recovery| recovery.own_table(self.round, seats))
    }

    /// The table that a vote names, with its proof; empty if it names none.
    pub(super) fn table_of(&self, table: Option<Hash>) -> SignedTable {
        let known = table.and_then(|table| self.recovery.as_ref()?.known(table));
        known.map_or_else(SignedTable::default, |known| known.signed.clone())
    }

    /// The weights that our own newest table leaves everybody, for people to look at.
    pub(super) fn weights(&self) -> Option<Arc<Committee>> {
        let recovery = self.recovery.as_ref()?;
        let table = self.table_to_bring();
        let committee = self.log.committee();
        match table.is_empty() {
            true => Some(committee.clone()),
            false => Some(Arc::new(table.matrix().weigh(committee, &recovery.leak))),
        }
    }

    /// A polka that came late: L36 for a round that is over.
    pub(super) fn l36_late(&mut self, turn: &mut Turn<'_, Message>) -> bool {
        if self.recovery.is_none() {
            return false;
        }
        let first = self.valid.map_or(0, |valid| valid.round + 1);
        for round in self.log.heard(first..self.round) {
            let polkas: Vec<_> = self.log.polkas(round).flatten().collect();
            for value in polkas {
                if self.is_valid(value, turn) != Some(true) {
                    continue;
                }
                note(turn, "polka", format!("{}/{round} {}", self.height, value.short()));
                self.make_valid(round, value);
                return true;
            }
        }
        false
    }
}

/// What these have bonded together.
fn bonds(ids: &BTreeSet<ReplicaId>, committee: &Committee) -> u128 {
    let seats = ids.iter().filter_map(|id| committee.seat(*id));
    seats.map(|seat| u128::from(committee.stake(seat).0)).sum()
}

/// What a fresh block tells of the table of its round.
pub(super) fn duty(round: u64, table: &SignedTable) -> Option<Duty> {
    (!table.is_empty()).then(|| Duty::Leak { round, table: table.matrix() })
}

/// What a block tells of the table of the round that it was first proposed in.
pub(super) fn told(duties: &[Duty]) -> Option<(u64, Hash)> {
    duties.iter().find_map(|duty| match duty {
        Duty::Leak { round, table } => Some((*round, table.hash())),
        Duty::Participation { .. } => None,
    })
}
