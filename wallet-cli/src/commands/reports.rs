//! What commands report: each as JSON for programs (`Serialize`) and as text for people
//! (`Display`).

use crate::{
    client::NodeUrl,
    keystore::Account,
    name::AccountName,
    nodes::NodeReport,
    verify::{Verified, VerifiedAccount},
};
use consensus::Measure;
use crypto::{Address, Hash};
use ledger::{
    Action, Amount, BlockHash, ChainId, Genesis, Payload, Stake, TransactionId,
    query::TransactionStatus,
};
use serde::Serialize;
use std::{fmt, path::PathBuf};

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
    quorum: u128,
    measure: Measure,
    certified_height: u64,
    certified_block: BlockHash,
    #[serde(skip)]
    network: &'a str,
    #[serde(skip)]
    payload: &'a Payload,
}

impl<'a> VerifyReport<'a> {
    pub(super) fn of(genesis: &'a Genesis, verified: &'a Verified) -> Self {
        let certified = verified.certified();
        let (index, count) = verified.place();
        let (certified_height, certified_block) = certified.by();
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
            stake: certified.total(),
            since: certified.since(),
            quorum: certified.quorum().needed,
            measure: certified.quorum().measure,
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
        let Self { validators, stake, since, quorum, measure, certified_height, .. } = self;
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
        let total = match measure {
            Measure::Stake => *stake,
            Measure::Validators => *validators as u128,
        };
        write!(
            f,
            "  certificate  {consensus}, at height {certified_height}{link}: signed by at least \
             {quorum} of {total} {measure}"
        )
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
