//! What a person needs to know when the net is up.

use crate::{
    live::{
        liars::Liars,
        myself::{Myself, quote_path},
        net::{Net, leak::Told},
    },
    span,
};
use consensus::catalogue::Depths;
use serde::Serialize;
use std::fmt;

/// A net that is up.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// The module that orders blocks.
    pub consensus: String,
    /// The chain's name.
    pub chain_id: String,
    /// Where everything lies.
    pub dir: String,
    /// Everybody, by id.
    pub nodes: Vec<Node>,
    /// Where the keys of the accounts are.
    pub wallet_dir: String,
    /// Who has money.
    pub accounts: Vec<Account>,
    /// How deep a block must lie to be counted on; left out where it is final at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depths: Option<Depths>,
    /// How the votes of the absent fade; left out where they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak: Option<Told>,
    /// Who lies, and how; left out where nobody does.
    #[serde(skip_serializing_if = "Liars::is_empty")]
    pub byzantine: Liars,
    /// The rest is for people.
    #[serde(skip)]
    block_time: String,
    /// How much of a core each node's miner uses.
    #[serde(skip)]
    share: Option<f64>,
    #[serde(skip)]
    temporary: bool,
    #[serde(skip)]
    transfer: String,
    #[serde(skip)]
    typed: String,
}

/// A node that is up.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// Its number.
    pub id: u32,
    /// Where it answers wallets.
    pub rpc: String,
    /// Its process.
    pub pid: u32,
}

/// An account with money.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// What the wallet calls it.
    pub name: String,
    /// What the chain calls it.
    pub address: String,
    #[serde(skip)]
    balance: u64,
}

impl Ready {
    /// All there is to say about a net whose nodes run as `pids`.
    pub fn new(net: &Net, pids: &[u32], temporary: bool, myself: &Myself) -> Ready {
        let wallet = net.place.wallet();
        let accounts = net.record.accounts.iter().zip(&net.genesis.accounts);
        let send = "wallet send --from alice --to bob --amount 5 --wait";
        Ready {
            consensus: net.genesis.consensus.clone(),
            chain_id: net.chain_id().to_string(),
            dir: net.place.dir().display().to_string(),
            nodes: net
                .ids()
                .zip(pids)
                .map(|(id, pid)| Node { id, rpc: net.url(id), pid: *pid })
                .collect(),
            wallet_dir: wallet.display().to_string(),
            accounts: accounts
                .map(|(named, funded)| Account {
                    name: named.name.clone(),
                    address: named.address.to_string(),
                    balance: funded.balance.0,
                })
                .collect(),
            depths: net.depths(),
            leak: Told::of(&net.genesis),
            byzantine: net.record.byzantine.clone(),
            block_time: span::format(net.genesis.block_time()),
            share: net.record.miner.map(|miner| miner.share * f64::from(miner.threads)),
            temporary,
            transfer: format!("{} {send} --dir {}", myself.typed, quote_path(&wallet)),
            typed: myself.typed.clone(),
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replicas = self.nodes.len();
        let s = if replicas == 1 { "" } else { "s" };
        writeln!(f, "\nByzantium testnet: {replicas} node{s} running {}", self.consensus)?;
        writeln!(f, "\n  chain       {}", self.chain_id)?;
        match (self.depths, self.share) {
            (Some(Depths { confirmations, irreversible }), share) => {
                writeln!(f, "  block time  {}, on average", self.block_time)?;
                let percent = share.unwrap_or(1.0) * 100.0;
                writeln!(f, "  mining      each node with {percent:.0} % of a core")?;
                writeln!(
                    f,
                    "  depth       counted on {confirmations} deep, final {irreversible} deep"
                )?;
            }
            (None, _) => writeln!(f, "  block time  {}", self.block_time)?,
        }
        if let Some(leak) = &self.leak {
            writeln!(f, "  leak        {leak}")?;
        }
        let fate = if self.temporary { "  (temporary: removed at the end)" } else { "" };
        writeln!(f, "  directory   {}{fate}", self.dir)?;
        writeln!(f, "\nNodes\n")?;
        for Node { id, rpc, pid } in &self.nodes {
            writeln!(f, "  {id:<2}  {rpc}  pid {pid}")?;
        }
        for (id, lie) in &self.byzantine.0 {
            writeln!(f, "\n  Node {id} lies: {lie}. `testnet lies` tells what that is.")?;
        }
        writeln!(f, "\nAccounts, with what each had at the beginning\n")?;
        for Account { name, address, balance } in &self.accounts {
            writeln!(f, "  {name:<6} {address}  {balance}")?;
        }
        writeln!(f, "\n  Keys in {}, without a passphrase: for play only.", self.wallet_dir)?;
        writeln!(f, "\nA first transfer, from another terminal:\n\n  {}", self.transfer)?;
        match self.depths {
            None => writeln!(f, "\n{}", tolerance(replicas))?,
            Some(_) => writeln!(f, "\n{BY_WORK}\n")?,
        }
        writeln!(f, "  {} kill {}\n", self.typed, replicas.saturating_sub(1))?;
        writeln!(f, "Ctrl-C stops everything.")
    }
}

/// What a net survives whose blocks take work instead of votes.
const BY_WORK: &str = "\
Nobody votes here: each node that is left goes on mining, more slowly, even all alone. See for
yourself:";

/// What a net of so many nodes of equal stake survives: a quorum is more than two thirds.
fn tolerance(replicas: usize) -> String {
    match replicas.saturating_sub(1) / 3 {
        0 => {
            "Fewer than 4 nodes tolerate no fault: see the chain stand still without one:\n".into()
        }
        faults => {
            let nodes = if faults == 1 { "node" } else { "nodes" };
            format!(
                "{faults} {nodes} of {replicas} may fail, and the chain goes on. See for yourself:\n"
            )
        }
    }
}
