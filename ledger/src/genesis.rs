//! The genesis: all that a newcomer has to trust.

use crate::{
    Amount, ChainId, ReplicaId, Stake,
    vote::{BadCommittee, Committee, Member},
};
use crypto::{Address, Domain, PublicKey, codec, hash};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

#[cfg(test)]
mod tests;

/// Where a chain begins. Its hash is the [`ChainId`], so one changed letter is another chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Genesis {
    /// For people.
    pub name: String,
    /// Milliseconds since 1970.
    pub time: u64,
    /// The module that orders blocks, by its name in the catalogue.
    pub consensus: String,
    /// How long an idle chain waits between two blocks, in milliseconds.
    pub block_time: u64,
    /// What the module needs besides, by the names it gives them.
    #[serde(default)]
    pub settings: BTreeMap<String, u64>,
    /// Who votes, with what weight.
    pub validators: Vec<Validator>,
    /// Who owns what.
    pub accounts: Vec<Funded>,
}

/// A founding validator. Its number in the list of validators is its [`ReplicaId`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Validator {
    /// What its votes verify with; fees go to this key's address.
    pub key: PublicKey,
    /// Its weight.
    pub stake: Stake,
}

/// An account with money from the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Funded {
    /// Whose it is.
    pub address: Address,
    /// How much.
    pub balance: Amount,
}

impl Genesis {
    /// Reads a `genesis.json` and checks that a chain can begin with it.
    pub fn parse(json: &str) -> Result<Genesis, BadGenesis> {
        let genesis: Genesis =
            serde_json::from_str(json).map_err(|error| BadGenesis::Malformed(error.to_string()))?;
        genesis.check()?;
        Ok(genesis)
    }

    /// What [`Genesis::parse`] reads, indented for people.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a genesis is plain data")
    }

    /// The chain's name: the hash of the canonical encoding, whatever the JSON looked like.
    pub fn chain_id(&self) -> ChainId {
        ChainId(hash::tagged(Domain::Genesis, &codec::encode(self)))
    }

    /// The founding committee.
    pub fn committee(&self) -> Result<Committee, BadCommittee> {
        let members = self.validators.iter().zip(0..).map(|(validator, id)| Member {
            id: ReplicaId(id),
            key: validator.key,
            stake: validator.stake,
        });
        Committee::new(members.collect())
    }

    /// [`Genesis::block_time`] as a duration.
    pub fn block_time(&self) -> Duration {
        Duration::from_millis(self.block_time)
    }

    /// Whether a chain can begin with it: a committee, no account twice, a supply that fits.
    pub fn check(&self) -> Result<(), BadGenesis> {
        self.committee()?;
        let mut addresses: Vec<_> = self.accounts.iter().map(|account| account.address).collect();
        addresses.sort();
        if let Some(pair) = addresses.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(BadGenesis::SameAccount(pair[0]));
        }
        self.accounts
            .iter()
            .try_fold(Amount::ZERO, |sum, account| sum.checked_add(account.balance))
            .ok_or(BadGenesis::Supply)?;
        Ok(())
    }
}

/// Why no chain can begin so.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadGenesis {
    /// The file is not a genesis.
    #[error("the genesis cannot be read: {0}")]
    Malformed(String),
    /// The validators make no committee.
    #[error("the genesis names no valid committee: {0}")]
    Committee(#[from] BadCommittee),
    /// An account is listed twice.
    #[error("the genesis funds {0} twice")]
    SameAccount(Address),
    /// The balances add up to more than an amount can hold.
    #[error("the balances in the genesis add up to more than {}", u64::MAX)]
    Supply,
}
