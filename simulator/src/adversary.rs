//! What an adversary chooses, in the messages' own terms: whom it keeps from hearing what, what its
//! liars say, whom it crashes when.
//!
//! Times are a poor way to tell such a story, since every round shifts them. A choice names a message
//! instead by its *place*, its kind and its slot: all that is asynchronous about a network is which
//! messages are late, and all that is Byzantine about a replica is what it says. So each choice is one
//! step of a schedule as papers write them, and a schedule is as long as it has choices:
//! [`Adversary::len`].

mod group;

use consensus::byzantine::script::Line;
use ledger::{ReplicaId, Slot};
use std::{collections::BTreeSet, time::Duration};

/// All that is chosen in one run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Adversary {
    /// In the order of the file; nothing depends on it but what a liar says first.
    pub choices: Vec<Choice>,
}

/// One thing, or several of one sort.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Choice {
    /// Messages do not arrive before the adversary lets go, whoever brings them.
    Withhold(Withhold),
    /// A liar says something: its lie is called [`SCRIPT`].
    Say {
        /// Who.
        by: ReplicaId,
        /// What.
        line: Line,
    },
    /// A replica loses power right after it said something.
    Crash(Crash),
}

/// Messages that are late.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Withhold {
    /// Which.
    pub what: Place,
    /// Whose.
    pub from: BTreeSet<ReplicaId>,
    /// Who does not hear them.
    pub to: BTreeSet<ReplicaId>,
    /// Until when; as long as the adversary has a say ([`Setup::catch_up`](crate::Setup::catch_up)),
    /// if nothing else is said.
    pub until: Option<Duration>,
}

/// A crash, and a new life.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Crash {
    /// Whose.
    pub replica: ReplicaId,
    /// What left it just before.
    pub after: Place,
    /// For how long it is down.
    pub down: Duration,
}

/// Where a message belongs: what it is called, and in which slot it is said.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The paper's name.
    pub kind: String,
    /// A height, or a sequence number; zero where slots have none.
    pub height: u64,
    /// A round, or a view.
    pub round: u64,
}

/// What the lie is called of those who go by the adversary's lines.
pub const SCRIPT: &str = "script";

impl Adversary {
    /// How many choices there are: each message counts that one replica does not hear in time, each
    /// that a liar says, and each crash.
    pub fn len(&self) -> usize {
        self.choices.iter().map(Choice::len).sum()
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// What a liar says.
    pub(crate) fn lines(&self, liar: ReplicaId) -> Vec<Line> {
        let line = |choice: &Choice| match choice {
            Choice::Say { by, line } if *by == liar => Some(line.clone()),
            _ => None,
        };
        self.choices.iter().filter_map(line).collect()
    }

    /// Until when a message is withheld; `late` is when the adversary lets go of all.
    pub(crate) fn withholds(
        &self,
        (kind, slot): (&str, Option<Slot>),
        from: ReplicaId,
        to: ReplicaId,
        late: Duration,
    ) -> Option<Duration> {
        let until = |choice: &Choice| match choice {
            Choice::Withhold(Withhold { what, from: whose, to: who, until })
                if what.is_of(kind, slot) && whose.contains(&from) && who.contains(&to) =>
            {
                Some(until.unwrap_or(late).min(late))
            }
            _ => None,
        };
        self.choices.iter().filter_map(until).max()
    }

    /// Those whom a message makes crash at a replica.
    pub(crate) fn crashes<'a>(
        &'a self,
        at: ReplicaId,
        (kind, slot): (&'a str, Option<Slot>),
    ) -> impl Iterator<Item = (usize, &'a Crash)> {
        self.choices.iter().enumerate().filter_map(move |(number, choice)| match choice {
            Choice::Crash(crash) if crash.replica == at && crash.after.is_of(kind, slot) => {
                Some((number, crash))
            }
            _ => None,
        })
    }
}

impl Choice {
    /// See [`Adversary::len`].
    fn len(&self) -> usize {
        match self {
            Choice::Withhold(Withhold { from, to, .. }) => {
                from.len() * to.len() - from.intersection(to).count()
            }
            Choice::Say { .. } | Choice::Crash(_) => 1,
        }
    }
}

impl Place {
    fn is_of(&self, kind: &str, slot: Option<Slot>) -> bool {
        let slot = slot.unwrap_or_default();
        self.kind == kind && (self.height, self.round) == (slot.height, slot.round)
    }
}

#[cfg(test)]
mod tests;
