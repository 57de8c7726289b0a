//! The genesis: all that a newcomer has to trust.

use crate::{
    Amount, ChainId, Leak, ReplicaId, Stake, Staking,
    leak::{MAX_ALIVES, Mode},
    vote::{BadCommittee, Committee, Member},
};
use crypto::{Address, Domain, PublicKey, codec, hash};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

#[cfg(test)]
mod tests;

const REWARD: &str = "ledger.reward";
const MEDIAN_BLOCKS: &str = "ledger.median_blocks";
const UNBONDING: &str = "ledger.unbonding_blocks";
const EVIDENCE: &str = "ledger.evidence_blocks";
const PENALTY: &str = "ledger.penalty_permille";
const REPORTER: &str = "ledger.reporter_permille";
const MINIMUM: &str = "ledger.minimum_stake";

const LEAK: &str = "ledger.leak";
const LEAK_QUOTIENT: &str = "ledger.leak_quotient";
const LEAK_TOLERATES: &str = "ledger.leak_tolerates_permille";
const LEAK_UNBOUNDED: &str = "ledger.leak_unbounded";
const LEAK_GRACE: &str = "ledger.leak_grace_rounds";

const SETTINGS: [&str; 12] = [
    REWARD,
    MEDIAN_BLOCKS,
    UNBONDING,
    EVIDENCE,
    PENALTY,
    REPORTER,
    MINIMUM,
    LEAK,
    LEAK_QUOTIENT,
    LEAK_TOLERATES,
    LEAK_UNBOUNDED,
    LEAK_GRACE,
];

/// The greatest quotient of a leak: with a greater one the first misses would take less than the smallest
/// part of a bond there is.
pub const MAX_QUOTIENT: u64 = 100_000;

/// The most rounds that a leak may wait for.
pub const MAX_GRACE: u64 = 1000;

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
    /// with `ledger.`: see [`Genesis::reward`], [`Genesis::median_blocks`] and [`Genesis::staking`].
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
        let members = self.validators.iter().zip(0..);
        let members = members
            .map(|(validator, id)| Member::new(ReplicaId(id), validator.key, validator.stake));
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

    /// The rules by which stake moves and is lost; none where the setting `ledger.unbonding_blocks` is
    /// not set, and the founders decide for good. Beside that one there are `ledger.evidence_blocks` (two
    /// less, if it is not set), `ledger.penalty_permille` (100), `ledger.reporter_permille` (100) and
    /// `ledger.minimum_stake` (1).
    pub fn staking(&self) -> Option<Staking> {
        let setting = |name: &str| self.settings.get(name).copied();
        let unbonding_blocks = setting(UNBONDING)?;
        Some(Staking {
            unbonding_blocks,
            evidence_blocks: setting(EVIDENCE).unwrap_or(unbonding_blocks.saturating_sub(2)),
            penalty_permille: setting(PENALTY).unwrap_or(100),
            reporter_permille: setting(REPORTER).unwrap_or(100),
            minimum: Amount(setting(MINIMUM).unwrap_or(1)),
        })
    }

    /// The rules by which the weight of the absent fades; none where the setting `ledger.leak` is not set. It
    /// is 1 for [`Mode::OnChain`] and 2 for [`Mode::Recovery`]. Beside it there are
    /// `ledger.leak_quotient` (256), `ledger.leak_tolerates_permille` (100), `ledger.leak_unbounded` (0; 1
    /// takes away the floor) and `ledger.leak_grace_rounds` (5).
    pub fn leak(&self) -> Option<Leak> {
        let setting = |name: &str| self.settings.get(name).copied();
        let mode = if setting(LEAK)? == 1 { Mode::OnChain } else { Mode::Recovery };
        Some(Leak {
            mode,
            quotient: setting(LEAK_QUOTIENT).unwrap_or(256),
            tolerates_permille: setting(LEAK_TOLERATES).unwrap_or(100),
            bounded: setting(LEAK_UNBOUNDED).unwrap_or(0) == 0,
            grace_rounds: setting(LEAK_GRACE).unwrap_or(5),
        })
    }

    /// All the money there is at first: the balances and, where stake can move, the founders' stakes.
    ///
    /// # Panics
    /// If [`Genesis::check`] fails.
    pub fn founding_supply(&self) -> Amount {
        let sum = self.sum().expect("a checked genesis has no more money than an amount can hold");
        Amount(sum)
    }

    fn sum(&self) -> Option<u64> {
        let balances = self.accounts.iter().map(|funded| funded.balance.0);
        let stakes = self.validators.iter().map(|validator| validator.stake.0);
        let stakes = stakes.filter(|_| self.settings.contains_key(UNBONDING));
        balances.chain(stakes).try_fold(0, u64::checked_add)
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
        self.sum().ok_or(BadGenesis::Supply)?;
        for (key, &value) in self.settings.range("ledger.".to_owned().."ledger/".to_owned()) {
            match key.as_str() {
                REWARD => {}
                MEDIAN_BLOCKS if value % 2 == 1 && value <= MAX_MEDIAN_BLOCKS => {}
                MEDIAN_BLOCKS => return Err(BadGenesis::MedianBlocks(value)),
                PENALTY | REPORTER if value > 1000 => {
                    return Err(BadGenesis::Permille { setting: key.clone(), value });
                }
                UNBONDING | EVIDENCE | PENALTY | REPORTER | MINIMUM => {}
                LEAK | LEAK_QUOTIENT | LEAK_TOLERATES | LEAK_UNBOUNDED | LEAK_GRACE => {
                    self.check_leak(key, value)?;
                }
                _ => return Err(BadGenesis::UnknownSetting { setting: key.clone() }),
            }
        }
        self.check_window()?;
        self.check_staking()
    }

    /// A table has room for so many rows; if the leak needs more, those who are left wait for ever.
    fn check_window(&self) -> Result<(), BadGenesis> {
        let Some(leak) = self.leak().filter(|leak| leak.mode == Mode::Recovery) else {
            return Ok(());
        };
        let validators = self.validators.len();
        let (needed, room) = (leak.rows_needed(), (MAX_ALIVES / validators.max(1)) as u64);
        match needed > room {
            true => Err(BadGenesis::SlowLeak { quotient: leak.quotient, validators, needed, room }),
            false => Ok(()),
        }
    }

    /// A leak moves the weights of stake, so it needs the rules of stake.
    fn check_leak(&self, key: &str, value: u64) -> Result<(), BadGenesis> {
        if !self.settings.contains_key(LEAK) {
            return Err(BadGenesis::NoLeak { setting: key.to_owned() });
        }
        let range = match key {
            LEAK => 1..=2,
            LEAK_QUOTIENT => 1..=MAX_QUOTIENT,
            LEAK_TOLERATES => 0..=333,
            LEAK_UNBOUNDED => 0..=1,
            _ => 1..=MAX_GRACE,
        };
        if !range.contains(&value) {
            return Err(BadGenesis::Leak { setting: key.to_owned(), value, range });
        }
        match self.settings.contains_key(UNBONDING) {
            true => Ok(()),
            false => Err(BadGenesis::NoStaking(LEAK)),
        }
    }

    fn check_staking(&self) -> Result<(), BadGenesis> {
        let Some(rules) = self.staking() else {
            let lone = [EVIDENCE, PENALTY, REPORTER, MINIMUM];
            let lone = lone.iter().find(|setting| self.settings.contains_key(**setting));
            return lone.map_or(Ok(()), |setting| Err(BadGenesis::NoStaking(setting)));
        };
        let Staking { unbonding_blocks, evidence_blocks, minimum, .. } = rules;
        // Whoever takes out its stake by block H decides H + 1 yet, and gets it back before anything else
        // in block H + unbonding_blocks.
        if evidence_blocks.saturating_add(2) > unbonding_blocks {
            return Err(BadGenesis::EvidenceTooLong { evidence_blocks, unbonding_blocks });
        }
        let poor = self.validators.iter().zip(0..).find(|(founder, _)| founder.stake.0 < minimum.0);
        match poor {
            Some((founder, id)) => {
                let (validator, stake) = (ReplicaId(id), founder.stake);
                Err(BadGenesis::TooLittleStake { validator, stake, minimum })
            }
            None => Ok(()),
        }
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
    /// All the money adds up to more than an amount can hold.
    #[error("the money in the genesis adds up to more than {}", u64::MAX)]
    Supply,
    /// A setting of the ledger's that does not exist.
    #[error("the genesis sets {setting:?}, which is no setting; there are: {}", SETTINGS.join(", "))]
    UnknownSetting {
        /// What it is called.
        setting: String,
    },
    /// A share of more than everything.
    #[error("the genesis sets {setting:?} to {value}; there are only 1000 thousandths")]
    Permille {
        /// Which.
        setting: String,
        /// To what.
        value: u64,
    },
    /// A rule of an inactivity leak where there is none.
    #[error("the genesis sets {setting:?} without {LEAK:?}, which begins an inactivity leak")]
    NoLeak {
        /// Which rule.
        setting: String,
    },
    /// A leak that never comes to its end.
    #[error(
        "the genesis sets {LEAK_QUOTIENT:?} to {quotient}: so slow a leak needs the record of {needed} rounds, \
         and that of {validators} validators has room for {room}; choose a smaller one"
    )]
    SlowLeak {
        /// The quotient.
        quotient: u64,
        /// How many validators there are.
        validators: usize,
        /// How many rows it takes to do what it can.
        needed: u64,
        /// How many fit into a table.
        room: u64,
    },
    /// A leak that cannot be.
    #[error(
        "the genesis sets {setting:?} to {value}; it can be from {} to {}", range.start(), range.end()
    )]
    Leak {
        /// Which of its rules.
        setting: String,
        /// To what.
        value: u64,
        /// What it can be.
        range: std::ops::RangeInclusive<u64>,
    },
    /// A rule of stake where there are none.
    #[error("the genesis sets {0:?} without {UNBONDING:?}, which begins the rules of stake")]
    NoStaking(&'static str),
    /// Whoever lied could be gone with its stake before it is known.
    #[error(
        "the genesis holds stake back for {unbonding_blocks} blocks, and evidence counts for {evidence_blocks}; \
         {UNBONDING:?} must be more than {EVIDENCE:?} by two at least"
    )]
    EvidenceTooLong {
        /// For how long evidence counts.
        evidence_blocks: u64,
        /// For how long stake is held back.
        unbonding_blocks: u64,
    },
    /// A founder with less than a validator must have.
    #[error(
        "the genesis gives validator {validator} a stake of {stake}, and {MINIMUM:?} is {minimum}"
    )]
    TooLittleStake {
        /// Who.
        validator: ReplicaId,
        /// What it has.
        stake: Stake,
        /// What it needs.
        minimum: Amount,
    },
    /// A median needs an odd number of blocks, and not too many.
    #[error(
        "the genesis sets {MEDIAN_BLOCKS:?} to {0}; it must be odd and at most {MAX_MEDIAN_BLOCKS}"
    )]
    MedianBlocks(u64),
}
