//! What the commands report on chains where nothing is final.

use super::ask::{Balance, Whereabouts};
use crate::{
    commands::reports::Described,
    headers::{HeaderChain, Spot},
    nodes::NodeReport,
    payments::Reverted,
    verify::inclusion::Included,
};
use consensus::work::Work;
use crypto::Address;
use ledger::{Amount, BlockHash, ChainId, Payload, TransactionId, query::TransactionStatus};
use serde::{Serialize, Serializer};
use std::fmt;

/// A report, and what every command tells besides. A person reads that among the remarks.
#[derive(Serialize)]
pub(super) struct Weighed<R> {
    #[serde(flatten)]
    pub(super) report: R,
    pub(super) reverted: Vec<Reverted>,
    pub(super) nodes: Vec<NodeReport>,
}

impl<R: fmt::Display> fmt::Display for Weighed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)
    }
}

/// How deep a block lies.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Depth {
    height: u64,
    block: BlockHash,
    /// The block itself counted.
    confirmations: u64,
    /// How many make it confirmed.
    needed: u64,
    /// In the block and upon it.
    #[serde(serialize_with = "as_text")]
    work: Work,
}

impl Depth {
    /// Of a block on the chain.
    pub(super) fn of(spot: Spot, chain: &HeaderChain) -> Depth {
        Depth {
            height: spot.height,
            block: spot.hash,
            confirmations: chain.confirmations(spot.height),
            needed: chain.depths().confirmations,
            work: chain.work_upon(spot.height),
        }
    }

    fn is_enough(self) -> bool {
        self.confirmations >= self.needed
    }
}

/// "2 of 6 confirmations", or just "9 confirmations" once they are enough.
impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Depth { confirmations, needed, .. } = self;
        if self.is_enough() && *confirmations > *needed {
            return write!(f, "{confirmations} confirmations, of which {needed} are enough");
        }
        write!(f, "{confirmations} of {needed} confirmations")
    }
}

/// More than JSON's readers can hold as a number.
fn as_text<S: Serializer>(work: &Work, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(work)
}

/// Work in words: exact while that can be read.
struct Hashes(Work);

impl fmt::Display for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hashes = self.0.hashes();
        if hashes < 1e9 { write!(f, "{} hashes", self.0) } else { write!(f, "{hashes:.3e} hashes") }
    }
}

/// A balance that was proven twice: as it is, and as it may be counted on.
#[derive(Serialize)]
pub(super) struct BalanceReport {
    address: Address,
    /// After the newest block.
    balance: Amount,
    nonce: u64,
    height: u64,
    /// After the newest block that may be counted on.
    confirmed: Option<Amount>,
    confirmed_height: Option<u64>,
    needed: u64,
}

impl BalanceReport {
    pub(super) fn of(address: Address, balance: &Balance, chain: &HeaderChain) -> BalanceReport {
        let Balance { newest, confirmed, .. } = balance;
        BalanceReport {
            address,
            balance: newest.account.balance,
            nonce: newest.account.nonce,
            height: newest.spot.height,
            confirmed: confirmed.map(|holding| holding.account.balance),
            confirmed_height: confirmed.map(|holding| holding.spot.height),
            needed: chain.depths().confirmations,
        }
    }
}

impl fmt::Display for BalanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, balance, nonce, height, confirmed, confirmed_height, needed } = self;
        writeln!(f, "address    {address}")?;
        write!(f, "balance    {balance}")?;
        match confirmed {
            None => write!(f, ", none of it shown to be confirmed")?,
            Some(confirmed) if confirmed == balance => {}
            Some(Amount(confirmed)) if *confirmed < balance.0 => {
                write!(f, ", of which {} still unconfirmed", balance.0 - confirmed)?;
            }
            Some(Amount(confirmed)) => {
                write!(f, ", after {} that left and are still unconfirmed", confirmed - balance.0)?;
            }
        }
        writeln!(f)?;
        match (confirmed, confirmed_height) {
            (Some(confirmed), Some(at)) => writeln!(
                f,
                "confirmed  {confirmed}, after the block at height {at}: {needed} confirmations or \
                 more"
            )?,
            _ => writeln!(f, "confirmed  the node keeps no state that lies {needed} blocks deep")?,
        }
        writeln!(f, "nonce      {nonce}")?;
        write!(f, "Proven after the block at height {height} of the heaviest chain.")
    }
}

/// A transfer that was handed over, or is confirmed.
#[derive(Serialize)]
pub(super) struct SentReport {
    pub(super) status: TransactionStatus,
    pub(super) tx: TransactionId,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) depth: Option<Depth>,
    #[serde(skip)]
    pub(super) amount: Amount,
    #[serde(skip)]
    pub(super) fee: Amount,
    #[serde(skip)]
    pub(super) to: Address,
}

impl fmt::Display for SentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SentReport { tx, depth, amount, fee, to, .. } = self;
        match depth {
            None => writeln!(f, "Handed over; `wallet status {tx}` tells what becomes of it.")?,
            Some(depth) => {
                let (height, work) = (depth.height, Hashes(depth.work));
                writeln!(f, "Confirmed at height {height}, with {depth}: {work} of work.")?;
            }
        }
        writeln!(f, "  transaction  {tx}")?;
        writeln!(f, "  to           {to}")?;
        write!(f, "  amount       {amount}, and a fee of {fee}")
    }
}

/// What became of a transaction.
#[derive(Serialize)]
pub(super) struct StatusReport {
    status: TransactionStatus,
    tx: TransactionId,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    depth: Option<Depth>,
    /// In a block of another branch.
    #[serde(skip)]
    elsewhere: Option<u64>,
}

impl StatusReport {
    pub(super) fn of(tx: TransactionId, found: &Whereabouts, chain: &HeaderChain) -> StatusReport {
        StatusReport {
            status: found.status(chain),
            tx,
            depth: found.spot().map(|spot| Depth::of(spot, chain)),
            elsewhere: match found {
                Whereabouts::Elsewhere(height) => Some(*height),
                _ => None,
            },
        }
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.depth, self.elsewhere) {
            (Some(depth), _) => {
                let state = if depth.is_enough() { "Confirmed" } else { "Not yet confirmed" };
                write!(f, "{state}: at height {} of the heaviest chain, {depth}.", depth.height)
            }
            (None, Some(height)) => write!(
                f,
                "Pending: it is at height {height} of a branch that is not the heaviest, says a node."
            ),
            (None, None) if self.status == TransactionStatus::Unknown => {
                f.write_str("Unknown to every node that was asked.")
            }
            (None, None) => f.write_str("Pending, says a node."),
        }
    }
}

/// All that was checked about a transaction in a block.
#[derive(Serialize)]
pub(super) struct VerifyReport {
    pub(super) status: TransactionStatus,
    tx: TransactionId,
    #[serde(flatten)]
    depth: Depth,
    index: u64,
    count: u64,
    chain: ChainId,
    consensus: String,
    tip_height: u64,
    tip: BlockHash,
    #[serde(serialize_with = "as_text")]
    chain_work: Work,
    #[serde(skip)]
    network: String,
    #[serde(skip)]
    payload: Payload,
}

impl VerifyReport {
    pub(super) fn of(included: &Included, chain: &HeaderChain) -> VerifyReport {
        let depth = Depth::of(included.spot(), chain);
        let (index, count) = included.place();
        let genesis = chain.genesis();
        VerifyReport {
            status: match depth.is_enough() {
                true => TransactionStatus::Confirmed,
                false => TransactionStatus::Pending,
            },
            tx: included.id(),
            depth,
            index,
            count,
            chain: genesis.chain_id(),
            consensus: genesis.consensus.clone(),
            tip_height: chain.height(),
            tip: chain.tip().hash,
            chain_work: chain.work(),
            network: genesis.name.clone(),
            payload: included.transaction().payload.clone(),
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tx, depth, index, count, chain, tip_height, chain_work, network, .. } = self;
        let Depth { height, block, work, .. } = depth;
        let state = if depth.is_enough() { "Confirmed" } else { "Not yet confirmed" };
        writeln!(f, "{state}: at height {height}, and every link of the proof holds:")?;
        writeln!(f, "  transaction    {tx}")?;
        writeln!(f, "                 {}", Described(&self.payload))?;
        writeln!(f, "  chain          {chain}, {network:?} in the genesis")?;
        writeln!(f, "  inclusion      number {index} of {count} in block {block}")?;
        writeln!(f, "  headers        {tip_height} from the genesis on, each of them checked")?;
        writeln!(f, "  depth          {depth}")?;
        let (upon, all) = (Hashes(*work), Hashes(*chain_work));
        writeln!(f, "  work           {upon} in this block and upon it, of {all}")?;
        write!(f, "Nothing is final here: a heavier branch undoes it. The deeper, the less likely.")
    }
}
