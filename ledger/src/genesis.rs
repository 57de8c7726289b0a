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

const REWARD: &str = "ledger.reward";
const MEDIAN_BLOCKS: &str = "ledger.median_blocks";

/// Bitcoin looks at eleven.
const MAX_MEDIAN_BLOCKS: u64 = 99;

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
    /// What the module needs besides, by the names it gives them; and the ledger's own, which begin
    /// with `ledger.`: see [`Genesis::reward`] and [`Genesis::median_blocks`].
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

    /// What each block gives its proposer out of nothing, the setting `ledger.reward`; zero where
    /// that is not set.
    pub fn reward(&self) -> Amount {
        Amount(self.settings.get(REWARD).copied().unwrap_or(0))
    }

    /// How many blocks have a say in how early the next one may be, the setting
    /// `ledger.median_blocks`: its time must exceed the median of theirs. One where that is not set,
    /// so that time only goes forward; proof-of-work takes eleven, lest one wrong clock bind all.
    pub fn median_blocks(&self) -> usize {
        self.settings.get(MEDIAN_BLOCKS).map_or(1, |blocks| *blocks as usize)
    }

    /// All the money there is at first.
    ///
    /// # Panics
    /// If [`Genesis::check`] fails.
    pub fn founding_supply(&self) -> Amount {
        Amount(self.accounts.iter().map(|funded| funded.balance.0).sum())
    }

    /// All the money there is after the block at `height`: what was there at first and a reward
    /// for each block since, as far as an amount can hold it.
    pub fn supply(&self, founding: Amount, height: u64) -> Amount {
        Amount(founding.0.saturating_add(self.reward().0.saturating_mul(height)))
    }

    /// Whether a chain can begin with it: a committee, no account twice, a supply that fits, no
    /// setting of the ledger's that it does not have.
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
        for (key, &value) in self.settings.range("ledger.".to_owned().."ledger/".to_owned()) {
            match key.as_str() {
                REWARD => {}
                MEDIAN_BLOCKS if value % 2 == 1 && value <= MAX_MEDIAN_BLOCKS => {}
                MEDIAN_BLOCKS => return Err(BadGenesis::MedianBlocks(value)),
                _ => return Err(BadGenesis::UnknownSetting(key.clone())),
            }
        }
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
    /// A setting of the ledger's that does not exist.
    #[error("the genesis sets {0:?}, which is no setting; there are: {REWARD}, {MEDIAN_BLOCKS}")]
    UnknownSetting(String),
    /// A median needs an odd number of blocks, and not too many.
    #[error(
        "the genesis sets {MEDIAN_BLOCKS:?} to {0}; it must be odd and at most {MAX_MEDIAN_BLOCKS}"
    )]
    MedianBlocks(u64),
}
