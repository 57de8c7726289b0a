//! Who votes after which block, and how anybody else learns of it.

use super::{Ledger, sound};
use crate::{
    BlockHash, Committee, Genesis, Register, Transaction,
    query::{ChangeAnswer, StakeAnswer},
    stake::Rotation,
    state::{Execution, Refusal},
    store::{Batch, StoreError, ahead::decode, keys},
    vote::{MAX_COMMITTEE, Member},
};
use crypto::codec;
use std::sync::Arc;

/// What follows for voters from the blocks up to one.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) register: Arc<Register>,
    /// Who decides the children of that block.
    pub(super) committee: Arc<Committee>,
}

impl Standing {
    pub(super) fn founding(genesis: &Genesis) -> Standing {
        Standing::of(Arc::new(Register::founding(genesis)))
    }

    pub(super) fn of(register: Arc<Register>) -> Standing {
        let committee = Arc::new(register.committee());
        Standing { register, committee }
    }

    /// The same after a block that made `register` of this one.
    pub(super) fn then(&self, register: Arc<Register>) -> Standing {
        if Arc::ptr_eq(&self.register, &register) {
            return self.clone();
        }
        let next = register.committee();
        let committee =
            if next == *self.committee { self.committee.clone() } else { Arc::new(next) };
        Standing { register, committee }
    }
}

impl Ledger {
    /// Everybody's stake after the block `at`, if that is the root or undecided.
    pub fn register(&self, at: BlockHash) -> Option<Arc<Register>> {
        Some(self.standing(at)?.register.clone())
    }

    /// Who decides the children of `parent`, if that block is known.
    pub fn committee(&self, parent: BlockHash) -> Option<Arc<Committee>> {
        if let Some(standing) = self.standing(parent) {
            return Some(standing.committee.clone());
        }
        let height = self.committed_height(parent)?;
        let change =
            self.changes[..self.changes.partition_point(|change| *change <= height)].last();
        let committee = match change {
            Some(&change) => self.changed(change),
            None => self.genesis.committee().expect("a checked genesis has a committee"),
        };
        Some(Arc::new(committee))
    }

    /// Whose turn it is to propose children of `parent`, if that is the root or undecided.
    pub fn proposers(&self, parent: BlockHash) -> Option<Rotation> {
        let Standing { register, committee } = self.standing(parent)?;
        let height = self.header(parent)?.height + 1;
        Some(match self.staking {
            Some(_) => register.rotation(committee, height),
            None => Rotation::at(committee.clone(), height),
        })
    }

    /// Whether a transaction, whose signature was checked, could be the first of a child of `at`, the root
    /// or an undecided block.
    ///
    /// # Errors
    /// [`Refusal`] where it could not.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn would_execute(&self, at: BlockHash, transaction: &Transaction) -> Result<(), Refusal> {
        self.would_each_execute(at, &[transaction]).pop().expect("one result for each")
    }

    /// The same of each of several, by itself, with one beginning of a block for all.
    ///
    /// # Panics
    /// If there is no such block.
    pub fn would_each_execute(
        &self,
        at: BlockHash,
        transactions: &[&Transaction],
    ) -> Vec<Result<(), Refusal>> {
        let Some(first) = transactions.first() else { return Vec::new() };
        let header = self.header(at).expect("the root or an undecided block");
        let state = self.state(at).expect("the root or an undecided block");
        let standing = self.standing(at).expect("the root or an undecided block");
        let terms = self.terms(header.height + 1, first.sender());
        let execution = Execution::new(&state, standing.register.clone(), terms);
        transactions.iter().map(|transaction| execution.attempt(transaction)).collect()
    }

    /// Everybody's stake after the newest committed block, with proof.
    ///
    /// # Errors
    /// If the store fails.
    pub fn stake_answer(&self) -> Result<StakeAnswer, StoreError> {
        let state = self.state(self.stand.root).expect("the root has a state");
        let proof = state.prove_register(self.stand.height)?;
        let register = (*self.standing.register).clone();
        let height = self.stand.height;
        Ok(StakeAnswer {
            rules: self.staking,
            register,
            supply: self.supply(),
            height,
            proof,
            finality: self.finality(height),
        })
    }

    /// The first changes of the committee after a height, at most `limit`, as far as they are proven:
    /// each the header that is the first to name a committee, why it is final, and who is in it.
    pub fn changes_after(&self, height: u64, limit: usize) -> Vec<ChangeAnswer> {
        let first = self.changes.partition_point(|change| *change <= height);
        let changes = self.changes[first..].iter().take(limit);
        let answer = |&height: &u64| {
            let members = self.changed(height).members().to_vec();
            Some(ChangeAnswer { height, members, finality: self.finality(height)? })
        };
        changes.map_while(answer).collect()
    }

    /// The heights of all headers that are the first to name their committee, rising.
    pub fn changes(&self) -> &[u64] {
        &self.changes
    }

    /// The register and the committee after `at`, if that is the root or undecided.
    pub(super) fn standing(&self, at: BlockHash) -> Option<&Standing> {
        if at == self.stand.root {
            return Some(&self.standing);
        }
        self.undecided.get(&at).map(|undecided| &undecided.standing)
    }

    /// Files what `committed` blocks, oldest first, changed about voters.
    pub(super) fn file_standing(&mut self, committed: Vec<(u64, Standing)>, changes: &mut Batch) {
        let before = self.standing.register.clone();
        for (height, standing) in committed {
            if !Arc::ptr_eq(&standing.committee, &self.standing.committee) {
                let members = standing.committee.members();
                changes.put(keys::change(height), codec::encode(members));
                self.changes.push(height);
                for member in members {
                    self.keys.learn(member.id, &member.key);
                }
            }
            self.standing = standing;
        }
        if !Arc::ptr_eq(&self.standing.register, &before) {
            changes.put(keys::REGISTER.to_vec(), codec::encode(&*self.standing.register));
        }
    }

    /// The committee that the header at the height of a change is the first to name.
    fn changed(&self, height: u64) -> Committee {
        let key = keys::change(height);
        let members = sound(self.disk.get(&key));
        let members = members.ok_or_else(|| StoreError::damaged(&key, "it is missing"));
        let members: Vec<Member> =
            sound(members.and_then(|value| decode(&key, &value, MAX_CHANGE_BYTES)));
        let committee = Committee::new(members);
        sound(committee.map_err(|reason| StoreError::damaged(&key, reason)))
    }
}

/// No committee is longer.
const MAX_CHANGE_BYTES: usize = 8 + MAX_COMMITTEE * 64;
