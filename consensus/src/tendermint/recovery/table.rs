//! Tables with the signatures that make them true.

use crate::{quorum::Claimed, tendermint::Message};
use crypto::Signature;
use ledger::{
    BlockHash, Committee, Keys, Leak, ReplicaId, Table,
    leak::{BadTable, Row},
};
use serde::{Deserialize, Serialize};

/// A [`Table`] and the ALIVE of everybody in it, as it travels in proposals and proofs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedTable {
    rows: Vec<SignedRow>,
}

/// One row: who entered a round, by rising id, with the signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SignedRow {
    round: u64,
    alive: Vec<(ReplicaId, Signature)>,
}

impl SignedTable {
    /// Of rows by rising round.
    pub(in crate::tendermint) fn new(
        rows: impl Iterator<Item = (u64, Vec<(ReplicaId, Signature)>)>,
    ) -> Self {
        SignedTable { rows: rows.map(|(round, alive)| SignedRow { round, alive }).collect() }
    }

    /// Whether it records nothing.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Who was there, without the proof of it.
    pub fn matrix(&self) -> Table {
        let present = |row: &SignedRow| row.alive.iter().map(|(id, _)| *id).collect();
        let row = |row: &SignedRow| Row { round: row.round, present: present(row) };
        Table::new(self.rows.iter().map(row).collect())
    }

    /// The same, if it can be a table of `round`. Signatures are not looked at.
    pub(in crate::tendermint) fn check(
        &self,
        round: u64,
        committee: &Committee,
        leak: &Leak,
    ) -> Result<Table, BadTable> {
        let matrix = self.matrix();
        matrix.check(round, committee, leak).map(|()| matrix)
    }

    /// Every voice in it: the round, who, and the signature.
    pub(super) fn voices(&self) -> impl Iterator<Item = (u64, ReplicaId, Signature)> {
        let rows = self.rows.iter();
        rows.flat_map(|row| row.alive.iter().map(|&(id, signature)| (row.round, id, signature)))
    }

    /// The first who has not signed what it is said to have, for the child of `parent` at `height`.
    pub(in crate::tendermint) fn forged(
        &self,
        (height, parent): (u64, BlockHash),
        keys: &Keys,
    ) -> Option<ReplicaId> {
        let forged = |(round, sender, signature)| {
            let message = Message::Alive { height, round, parent };
            Claimed { sender, message, signature }.open(keys).is_err().then_some(sender)
        };
        self.voices().find_map(forged)
    }
}
