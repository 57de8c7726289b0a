//! Who decides which height, as it follows from the genesis.
//!
//! Where stake can be bonded the committee changes while the chain runs. Each change is announced by a
//! header, which names the committee that decides the next height, and that header is certified by the
//! committee before. So the changes are a chain of their own: whoever holds the genesis can walk it,
//! and has to believe nobody.
//!
//! ```text
//!   genesis ── names ──> committee A ── certifies ──> header 41 ── names ──> committee B ── certifies ──> …
//! ```
//!
//! A header that names a committee which no change leads to proves nothing: a node that hides a change,
//! or shows other members, is found out by that. What this cannot tell is who is right if a whole
//! committee that has long gone signs another past with its old keys; see the guide's fifth chapter.
//!
//! Where nobody can bond, the founders decide for ever, and no node is asked.

mod cache;
#[cfg(test)]
mod tests;

pub use cache::{CommitteeFile, Damage};

use crate::{
    client::Client,
    error::Error,
    verify::{NotProven, signed},
};
use crypto::{Hash, PublicKey};
use ledger::{
    ChainId, Committee, Genesis, Keys, ReplicaId,
    query::{ChangeAnswer, CommitteesAnswer},
    vote::BadCommittee,
};
use std::{collections::BTreeMap, sync::Arc};
use thiserror::Error;

/// All committees up to some height. Only the genesis and verification add one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Committees {
    genesis: Arc<Genesis>,
    chain: ChainId,
    /// By rising first height; the founders' first.
    eras: Vec<Arc<Era>>,
    /// Whose number each is. A number is never given to another key.
    keys: Arc<BTreeMap<ReplicaId, PublicKey>>,
    /// What proves all eras but the first.
    changes: Vec<Arc<ChangeAnswer>>,
}

/// A committee in power.
#[derive(Clone, Debug)]
pub struct Era {
    from: u64,
    committee: Committee,
    root: Hash,
    keys: Keys,
}

impl Committees {
    /// The founders.
    ///
    /// # Errors
    ///
    /// [`BadCommittee`] if the genesis names no valid one.
    pub fn of(genesis: &Genesis) -> Result<Committees, BadCommittee> {
        let (chain, founders) = (genesis.chain_id(), genesis.committee()?);
        let keys = founders.members().iter().map(|member| (member.id, member.key)).collect();
        let founders = Era::new(1, chain, founders);
        Ok(Committees {
            genesis: Arc::new(genesis.clone()),
            chain,
            eras: vec![Arc::new(founders)],
            keys: Arc::new(keys),
            changes: Vec::new(),
        })
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The chain.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// How many changes are known.
    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    /// Who decides a height, by all that is known.
    pub fn deciding(&self, height: u64) -> &Era {
        let after = self.eras.partition_point(|era| era.from <= height);
        &self.eras[after.saturating_sub(1)]
    }

    /// The last committee that is known.
    pub fn newest(&self) -> &Era {
        self.eras.last().expect("there are founders")
    }

    /// Takes in the changes that follow the last one known.
    ///
    /// # Errors
    ///
    /// [`NotProven::Change`] for the first one that does not hold. Those before it are taken in.
    pub fn extend(&mut self, changes: Vec<ChangeAnswer>) -> Result<(), NotProven> {
        for change in changes {
            let height = change.height;
            let era = self
                .check(&change)
                .map_err(|reason| NotProven::Change { height, reason: Box::new(reason) })?;
            let newcomers = era.committee.members().iter().map(|member| (member.id, member.key));
            Arc::make_mut(&mut self.keys).extend(newcomers);
            self.eras.push(Arc::new(era));
            self.changes.push(Arc::new(change));
        }
        Ok(())
    }

    /// The era that a change begins.
    fn check(&self, change: &ChangeAnswer) -> Result<Era, BadChange> {
        let ChangeAnswer { height, members, finality } = change;
        // A descendant's certificate would be the new committee's own word.
        let [header] = &finality.headers[..] else {
            return Err(BadChange::Headers(finality.headers.len()));
        };
        if header.height != *height {
            return Err(BadChange::Height { claimed: *height, header: header.height });
        }
        let last = self.newest();
        // The header before the first height of an era announced it.
        if header.height < last.from {
            return Err(BadChange::Order { known: last.from.saturating_sub(1) });
        }
        let committee = Committee::new(members.clone()).map_err(BadChange::Members)?;
        let root = committee.root();
        if root != header.committee {
            return Err(BadChange::Root { named: header.committee, found: root });
        }
        if root == last.root {
            return Err(BadChange::None);
        }
        let other = committee
            .members()
            .iter()
            .find(|member| self.keys.get(&member.id).is_some_and(|known| *known != member.key));
        if let Some(member) = other {
            return Err(BadChange::Number(member.id));
        }
        signed(&self.genesis, last, finality)
            .map_err(|reason| BadChange::Unsigned(Box::new(reason)))?;
        let from = header.height.checked_add(1).ok_or(BadChange::Headers(1))?;
        Ok(Era::new(from, self.chain, committee))
    }

    /// Asks a node for all changes after the last one known, and takes in those that hold. Returns
    /// whether there were any. On a chain whose founders decide for ever nobody is asked.
    ///
    /// # Errors
    ///
    /// [`Error::NotProven`] if one does not hold, [`Error::Client`] if there is no answer.
    pub fn follow(&mut self, client: &Client) -> Result<bool, Error> {
        if !can_change(&self.genesis) {
            return Ok(false);
        }
        let before = self.changes();
        loop {
            let CommitteesAnswer { changes, more } = client.committees(self.newest().from)?;
            let goes_on = more && !changes.is_empty();
            let extended = self.extend(changes);
            extended.map_err(|reason| Error::NotProven { node: client.node().clone(), reason })?;
            if !goes_on {
                return Ok(self.changes() > before);
            }
        }
    }

    /// Checks what a node says. If it does not hold under the committees known so far, the node is asked
    /// how they changed, and it is checked again.
    ///
    /// # Errors
    ///
    /// [`Error::NotProven`] for what still does not hold, [`Error::Client`] if there is no answer.
    pub fn prove<T>(
        &mut self,
        client: &Client,
        check: impl Fn(&Committees) -> Result<T, NotProven>,
    ) -> Result<T, Error> {
        match check(self) {
            Err(NotProven::OtherCommittee { .. } | NotProven::Certificate { .. })
                if self.follow(client)? =>
            {
                check(self)
            }
            checked => checked,
        }
        .map_err(|reason| Error::NotProven { node: client.node().clone(), reason })
    }
}

impl Era {
    fn new(from: u64, chain: ChainId, committee: Committee) -> Era {
        Era { from, root: committee.root(), keys: Keys::of(chain, &committee), committee }
    }

    /// The first height that it decides.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Who it is.
    pub fn committee(&self) -> &Committee {
        &self.committee
    }

    /// What headers name it by.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// What its votes verify with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// Whether a chain's committee can ever change.
pub fn can_change(genesis: &Genesis) -> bool {
    genesis.staking().is_some()
}

/// Why a change of the committee is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadChange {
    /// There has to be exactly one header.
    #[error(
        "it has {0} headers, and only the certificate of the very header that announces it can prove it"
    )]
    Headers(usize),
    /// The header is another one.
    #[error("it is said to be at height {claimed}, and the header it shows is of height {header}")]
    Height {
        /// What the answer says.
        claimed: u64,
        /// What the header says.
        header: u64,
    },
    /// It is from before what is known.
    #[error("the changes up to height {known} are known already, and changes come in order")]
    Order {
        /// Up to which height.
        known: u64,
    },
    /// Nothing changes.
    #[error("the committee is the same as before")]
    None,
    /// The members are no committee.
    #[error("its members are no committee: {0}")]
    Members(BadCommittee),
    /// They are others.
    #[error("the header names the committee {named}, and the members shown are {found}")]
    Root {
        /// What the header names.
        named: Hash,
        /// What the members hash to.
        found: Hash,
    },
    /// A number has become somebody else's.
    #[error(
        "validator {0} has another key than before, and no number is ever given to another key"
    )]
    Number(ReplicaId),
    /// The committee before did not sign it.
    #[error("the committee before has not certified it: {0}")]
    Unsigned(Box<NotProven>),
}

/// The founders of a good genesis.
#[cfg(test)]
pub(crate) fn founders(genesis: &Genesis) -> Committees {
    Committees::of(genesis).expect("a good genesis")
}
