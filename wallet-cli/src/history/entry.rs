//! One line of a history.

use crypto::Address;
use ledger::{Action, Amount, Block, Genesis, Header, TransactionId};
use serde::{Deserialize, Serialize};
use std::fmt;

#[cfg(test)]
mod tests;

/// A transaction in a block, as the account sees it, or what the account earned for a block of its
/// own.
///
/// As JSON these are the fields of `wallet history --json`, and of each line in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The height of its block.
    pub height: u64,
    /// The time of its block, in milliseconds since 1970.
    pub time: u64,
    /// Which way it went.
    pub direction: Direction,
    /// What was done.
    pub kind: Kind,
    /// The other side of a transfer; the account's own address if it paid itself.
    pub counterparty: Option<Address>,
    /// What was moved, without the fee.
    pub amount: Option<Amount>,
    /// What the sender paid on top. It is the account's own cost unless the direction is `in`. For a
    /// reward: the fees of the block, which the account earned as well.
    pub fee: Amount,
    /// The transaction's name; none for a reward.
    pub id: Option<TransactionId>,
    /// How many transactions of its sender precede it; none for a reward.
    pub nonce: Option<u64>,
}

/// What blocks earn their proposers out of nothing.
#[derive(Clone, Debug)]
pub struct Rewards {
    genesis: Genesis,
    founding: Amount,
}

impl Rewards {
    /// By the rules of a genesis.
    ///
    /// # Panics
    ///
    /// If [`Genesis::check`] fails.
    pub fn of(genesis: &Genesis) -> Rewards {
        Rewards { genesis: genesis.clone(), founding: genesis.founding_supply() }
    }

    /// What `address` gets for a block, if this chain rewards blocks and this one is its own. It is
    /// less than the genesis says, or nothing, once an amount cannot hold all the money there is.
    fn earned(&self, header: &Header, address: Address) -> Option<Amount> {
        let proposer = self.genesis.validators.get(header.proposer.0 as usize)?;
        let below = header.height.checked_sub(1)?;
        if self.genesis.reward() == Amount::ZERO || proposer.key.address() != address {
            return None;
        }
        let supply = |height| self.genesis.supply(self.founding, height);
        supply(header.height).checked_sub(supply(below))
    }
}

/// Which way a transaction went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The account received.
    In,
    /// The account sent.
    Out,
    /// The account sent to itself.
    Own,
}

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money moves to another account.
    Transfer,
    /// Balance becomes stake.
    Bond,
    /// Stake begins to become balance.
    Unbond,
    /// A validator is accused.
    Evidence,
    /// The account proposed the block. Only chains that reward this list it.
    Reward,
}

/// What in a block touches `address`, in the order in which it was done: the reward comes last.
pub fn of_block(block: &Block, address: Address, rewards: &Rewards) -> impl Iterator<Item = Entry> {
    let (height, time) = (block.header.height, block.header.time);
    let reward = rewards.earned(&block.header, address).map(|reward| Entry {
        height,
        time,
        direction: Direction::In,
        kind: Kind::Reward,
        counterparty: None,
        amount: Some(reward),
        // All fees of a valid block fit an amount; one that headers alone vouch for may be invalid.
        fee: block
            .transactions
            .iter()
            .fold(Amount::ZERO, |sum, each| Amount(sum.0.saturating_add(each.payload.fee.0))),
        id: None,
        nonce: None,
    });
    let transactions = block.transactions.iter().filter_map(move |transaction| {
        let payload = &transaction.payload;
        let sender = payload.sender.address();
        let (kind, to, amount) = match &payload.action {
            Action::Transfer { to, amount } => (Kind::Transfer, Some(*to), Some(*amount)),
            Action::Bond { amount, .. } => (Kind::Bond, None, Some(*amount)),
            Action::Unbond { amount } => (Kind::Unbond, None, Some(*amount)),
            Action::Evidence(_) => (Kind::Evidence, None, None),
        };
        let (direction, counterparty) = match (sender == address, to == Some(address)) {
            (true, true) => (Direction::Own, to),
            (true, false) => (Direction::Out, to),
            (false, true) => (Direction::In, Some(sender)),
            (false, false) => return None,
        };
        let (fee, nonce, id) = (payload.fee, Some(payload.nonce), Some(transaction.id()));
        Some(Entry { height, time, direction, kind, counterparty, amount, fee, id, nonce })
    });
    transactions.chain(reward)
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { height, fee, id, nonce, .. } = self;
        write!(f, "{height:>8}  {}  ", Utc(self.time))?;
        let amount = self.amount.unwrap_or_default();
        match (self.kind, self.direction, self.counterparty) {
            (Kind::Transfer, Direction::Own, _) => write!(f, "sent {amount} to itself")?,
            (Kind::Transfer, Direction::In, Some(from)) => write!(f, "got {amount} from {from}")?,
            (Kind::Transfer, _, Some(to)) => write!(f, "sent {amount} to {to}")?,
            (Kind::Transfer, _, None) => write!(f, "moved {amount}")?,
            (Kind::Bond, ..) => write!(f, "bonded {amount}")?,
            (Kind::Unbond, ..) => write!(f, "unbonded {amount}")?,
            (Kind::Evidence, ..) => write!(f, "accused a validator")?,
            (Kind::Reward, ..) => {
                return write!(f, "earned {amount} for the block, and {fee} of fees in it");
            }
        }
        write!(f, ", fee {fee}")?;
        if let Some(nonce) = nonce {
            write!(f, ", nonce {nonce}")?;
        }
        id.map_or(Ok(()), |id| write!(f, "\n{:>10}{id}", ""))
    }
}

/// A time in milliseconds since 1970, as people write it in Greenwich.
struct Utc(u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let (year, month, day) = date(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
    }
}

/// The date so many days after 1970-01-01, by H. Hinnant's `civil_from_days`: the year begins in
/// March, so that the leap day is its last and months follow from a straight line.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}
