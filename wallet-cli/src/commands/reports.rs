//! What commands report: each as JSON for programs (`Serialize`) and as text for people
//! (`Display`).

use crate::{
    client::NodeUrl,
    keystore::Account,
    name::AccountName,
    nodes::NodeReport,
    verify::{Verified, VerifiedAccount},
};
use consensus::{
    Measure,
    catalogue::{Support, Weights},
};
use crypto::{Address, Hash};
use ledger::{
    Action, Amount, BlockHash, ChainId, Genesis, Payload, Stake, TransactionId,
    query::TransactionStatus,
};
use serde::Serialize;
use std::{fmt, path::PathBuf};

#[cfg(test)]
mod tests;

/// An account that was just stored.
#[derive(Serialize)]
pub(super) struct Stored {
    #[serde(skip)]
    pub(super) verb: &'static str,
    #[serde(flatten)]
    pub(super) account: Account,
    #[serde(skip)]
    pub(super) file: PathBuf,
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stored { verb, account, file } = self;
        writeln!(f, "{verb} the account {}.", account.name)?;
        writeln!(f, "  address  {}", account.address)?;
        write!(f, "  file     {}", file.display())
    }
}

/// All accounts.
#[derive(Serialize)]
pub(super) struct ListReport {
    #[serde(skip)]
    pub(super) dir: PathBuf,
    pub(super) accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) damaged: Vec<String>,
}

impl fmt::Display for ListReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.accounts.is_empty() {
            let dir = self.dir.display();
            return write!(f, "There are no accounts in {dir} yet; `wallet new NAME` makes one.");
        }
        let names = self.accounts.iter().map(|account| account.name.as_str().len());
        let width = names.max().unwrap_or_default();
        for Account { name, address, dev, .. } in &self.accounts {
            let mark = if *dev { "  (dev: its key is no secret)" } else { "" };
            writeln!(f, "{name:<width$}  {address}{mark}")?;
        }
        Ok(())
    }
}

/// One address.
#[derive(Serialize)]
pub(super) struct AddressReport {
    pub(super) name: AccountName,
    pub(super) address: Address,
}

impl fmt::Display for AddressReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// A report, and how each of several nodes stands to it. A person reads that among the remarks.
#[derive(Serialize)]
pub(super) struct Compared<R> {
    #[serde(flatten)]
    pub(super) report: R,
    pub(super) nodes: Vec<NodeReport>,
}

impl<R: fmt::Display> fmt::Display for Compared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

/// A proven balance.
#[derive(Serialize)]
pub(super) struct BalanceReport {
    address: Address,
    balance: Amount,
    nonce: u64,
    /// What it has at stake, if anything.
    #[serde(skip_serializing_if = "is_nothing")]
    bonded: Stake,
    #[serde(skip)]
    height: u64,
}

fn is_nothing(stake: &Stake) -> bool {
    stake.0 == 0
}

impl BalanceReport {
    pub(super) fn of(verified: &VerifiedAccount) -> Self {
        BalanceReport {
            address: verified.address(),
            balance: verified.account().balance,
            nonce: verified.account().nonce,
            bonded: verified.account().bonded,
            height: verified.block().height(),
        }
    }
}

impl fmt::Display for BalanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BalanceReport { address, balance, nonce, bonded, height } = self;
        writeln!(f, "address  {address}")?;
        writeln!(f, "balance  {balance}")?;
        writeln!(f, "nonce    {nonce}")?;
        if !is_nothing(bonded) {
            writeln!(f, "bonded   {bonded}; `wallet stake` tells more")?;
        }
        write!(f, "Proven after the block at height {height}.")
    }
}

/// A transfer that was handed over, or is final.
#[derive(Serialize)]
pub(super) struct SentReport {
    pub(super) status: TransactionStatus,
    pub(super) tx: TransactionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u64>,
    #[serde(skip)]
    pub(super) amount: Amount,
    #[serde(skip)]
    pub(super) fee: Amount,
    #[serde(skip)]
    pub(super) to: Address,
}

impl fmt::Display for SentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SentReport { tx, height, amount, fee, to, .. } = self;
        match height {
            Some(height) => writeln!(f, "Final at height {height}, and the proof holds.")?,
            None => writeln!(f, "Handed over; `wallet status {tx}` tells what becomes of it.")?,
        }
        writeln!(f, "  transaction  {tx}")?;
        writeln!(f, "  to           {to}")?;
        write!(f, "  amount       {amount}, and a fee of {fee}")
    }
}

/// What a node says about a transaction.
#[derive(Serialize)]
pub(super) struct StatusReport<'a> {
    pub(super) status: TransactionStatus,
    pub(super) tx: TransactionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u64>,
    #[serde(skip)]
    pub(super) node: &'a NodeUrl,
    /// Whether it is more than the node's word.
    #[serde(skip)]
    pub(super) proven: bool,
}

impl fmt::Display for StatusReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StatusReport { status, tx, height, node, proven } = self;
        match (status, height) {
            (TransactionStatus::Unknown, _) => write!(f, "Unknown")?,
            (TransactionStatus::Pending, None) => write!(f, "Pending")?,
            (TransactionStatus::Pending, Some(height)) => write!(f, "Pending at height {height}")?,
            (TransactionStatus::Confirmed, None) => write!(f, "Confirmed")?,
            (TransactionStatus::Confirmed, Some(height)) => {
                write!(f, "Confirmed at height {height}")?;
            }
            (TransactionStatus::Final, None) => write!(f, "Final")?,
            (TransactionStatus::Final, Some(height)) => write!(f, "Final at height {height}")?,
        }
        if *proven {
            return write!(f, ", and the proof of the node at {node} holds.");
        }
        write!(f, ", says the node at {node}.")?;
        if *status == TransactionStatus::Final {
            write!(f, " `wallet verify {tx}` proves it.")?;
        }
        Ok(())
    }
}

/// All that was checked about a final transaction.
#[derive(Serialize)]
pub(super) struct VerifyReport<'a> {
    status: TransactionStatus,
    tx: TransactionId,
    height: u64,
    block: BlockHash,
    index: u64,
    count: u64,
    chain: ChainId,
    consensus: &'a str,
    committee: Hash,
    validators: usize,
    stake: u128,
    /// The first height that the committee decided.
    since: u64,
    /// What it takes; where weights have faded they say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quorum: Option<u128>,
    measure: Measure,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<Faded>,
    certified_height: u64,
    certified_block: BlockHash,
    #[serde(skip)]
    network: &'a str,
    #[serde(skip)]
    payload: &'a Payload,
}

/// What stands behind a block where not all of each bond counts, in millionths of a unit of stake.
#[derive(Clone, Copy, Serialize)]
struct Faded {
    by: Weights,
    reached: u128,
    needed: u128,
    total: u128,
}

impl Faded {
    /// None where all of each bond counts.
    fn of(support: Support) -> Option<Faded> {
        let Support { quorum, reached, weights: by } = support;
        let faded = Faded { by, reached, needed: quorum.needed, total: quorum.total };
        (quorum.measure == Measure::Stake && by != Weights::Bonds).then_some(faded)
    }
}

impl fmt::Display for Faded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Faded { by, reached, needed, total } = *self;
        let percent = |part: u128| {
            let permille = part * 1000 / total.max(1);
            format!("{}.{} %", permille / 10, permille % 10)
        };
        let whose = match by {
            Weights::Table => "its table",
            Weights::Bonds | Weights::Chain => "the chain",
        };
        // What is needed is a unit more than two thirds, and all digits are cut off.
        let (reached, needed) = (percent(reached), percent(needed - 1));
        write!(f, "{reached} of what counts by the weights of {whose}; it takes more than {needed}")
    }
}

impl<'a> VerifyReport<'a> {
    pub(super) fn of(genesis: &'a Genesis, verified: &'a Verified) -> Self {
        let certified = verified.certified();
        let (index, count) = verified.place();
        let (certified_height, certified_block) = certified.by();
        let support = certified.support();
        let weights = Faded::of(support);
        VerifyReport {
            status: TransactionStatus::Final,
            tx: verified.id(),
            height: certified.header().height,
            block: certified.header().hash(),
            index,
            count,
            chain: certified.chain(),
            consensus: &genesis.consensus,
            committee: certified.header().committee,
            validators: certified.validators(),
            stake: certified.bonded(),
            since: certified.since(),
            quorum: weights.is_none().then_some(support.quorum.needed),
            measure: support.quorum.measure,
            weights,
            certified_height,
            certified_block,
            network: &genesis.name,
            payload: &verified.transaction().payload,
        }
    }
}

impl fmt::Display for VerifyReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tx, height, block, index, count, chain, consensus, .. } = self;
        let Self { validators, stake, since, quorum, measure, weights, certified_height, .. } =
            self;
        writeln!(f, "Final at height {height}, and every link of the proof holds:")?;
        writeln!(f, "  transaction  {tx}")?;
        writeln!(f, "               {}", Described(self.payload))?;
        writeln!(f, "  chain        {chain}, {:?} in the genesis", self.network)?;
        writeln!(f, "  inclusion    number {index} of {count} in block {block}")?;
        write!(f, "  committee    {validators} validators with a stake of {stake}, ")?;
        match since {
            0 | 1 => writeln!(f, "as founded")?,
            since => writeln!(f, "in power since height {since}")?,
        }
        let link = match certified_height - height {
            0 => String::new(),
            1 => ", one block on".to_owned(),
            more => format!(", {more} blocks on"),
        };
        write!(f, "  certificate  {consensus}, at height {certified_height}{link}: signed by ")?;
        let total = match measure {
            Measure::Stake => *stake,
            Measure::Validators => *validators as u128,
        };
        match (weights, quorum) {
            (Some(weights), _) => weights.fmt(f),
            (None, Some(quorum)) => write!(f, "at least {quorum} of {total} {measure}"),
            (None, None) => unreachable!("either weights or a quorum are told"),
        }
    }
}

/// What a transaction does, in words.
pub(super) struct Described<'a>(pub(super) &'a Payload);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Payload { sender, nonce, fee, action, .. } = self.0;
        let sender = sender.address();
        match action {
            Action::Transfer { to, amount } => write!(f, "{amount} from {sender} to {to}")?,
            Action::Bond { amount, validator } => {
                write!(f, "{sender} bonds {amount} as validator {validator}")?;
            }
            Action::Unbond { amount } => write!(f, "{sender} unbonds {amount}")?,
            Action::Evidence(evidence) => {
                write!(f, "{sender} accuses validator {}", evidence.offender)?;
            }
        }
        write!(f, ", fee {fee}, nonce {nonce}")
    }
}
